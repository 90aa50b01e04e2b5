"""What `check` says of valid messages, which is nothing, and of messages with one thing wrong, which is that thing."""
