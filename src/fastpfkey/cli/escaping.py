"""Text that came from elsewhere, made safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text whose control characters, which could command a terminal, are escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
