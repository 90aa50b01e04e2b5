"""What RFC 2367 demands of a codec, shown by bytes packed by hand and by the tables of names and numbers."""
