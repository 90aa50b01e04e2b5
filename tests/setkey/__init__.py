"""setkey's grammar and text, judged by what the real program printed and sent."""
