"""Messages as values: batches, views, typed extensions, encoding."""
