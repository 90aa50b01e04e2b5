"""Messages as NumPy tables: whole dumps decoded into columns, selected, sorted, and made up for benchmarks."""
