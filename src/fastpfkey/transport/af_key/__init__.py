"""Key sockets of operating systems: one file for what all have in common, and one for each way in which they differ."""
