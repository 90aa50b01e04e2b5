"""Where messages come from and go to; the only floor that does input and output."""
