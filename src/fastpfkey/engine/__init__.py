"""The key engine: RFC 2367's other half in user space.

It is pure of I/O: bytes come in through `Engine.handle`, bytes wait in each `Port`, the clock and randomness are
arguments. Associations live as ready dump records in one arena, with their state in an array of rows beside it.
"""
