"""Errors of the command line itself."""

from __future__ import annotations


class SourceError(Exception):
    """A source cannot be read; the text says why and what to do."""
