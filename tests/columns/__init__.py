"""Tables: what is decoded into them, how rows are chosen, and what happens to faults, keys and memory."""
