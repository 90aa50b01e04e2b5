"""Makes golden PF_KEY messages from the dialect tables alone; it imports nothing of fastpfkey."""
