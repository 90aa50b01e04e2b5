"""Errors of the command line itself."""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read, or a file not be written; the text says why, and the hint what to do."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint
