"""setkey(8): its grammar and its text, as data for the floors below. No file is opened and no name resolved here."""
