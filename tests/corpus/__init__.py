"""Captures of real PF_KEY traffic against the ground truth recorded beside them.

What a message must decode to is taken from what other programs said about it: setkey, iproute2, the log of the run that
made the capture, and the bytes read by hand with ``struct``. Nothing here is taken from the output of the library.
"""
