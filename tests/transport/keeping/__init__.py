"""What of a served engine is there again after its end, however that came."""
