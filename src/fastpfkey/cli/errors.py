"""Errors of the command line itself."""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read; the text says why and what to do."""

    status = 1
    """Exit status of the program."""


class TroubleError(SourceError):
    """The same for a command whose status 1 is an answer."""

    status = 2
