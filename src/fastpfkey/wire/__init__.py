"""Messages as values: batches of lazy views over a buffer, typed extensions, and their encoding. No NumPy here."""
