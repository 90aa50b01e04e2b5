"""Errors of the command line itself."""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read, or a file not be written; the text says why, and the hint what to do."""

    status = 1
    """Exit status of the program."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class TroubleError(SourceError):
    """The same for a command whose status 1 is an answer."""

    status = 2
