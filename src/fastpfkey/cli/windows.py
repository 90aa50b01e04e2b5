"""Large inputs in pieces: windows of whole messages, so that memory stays bounded however long the input is.

A window ends where a message begins. Lengths in headers alone decide that; a header that leads nowhere ends the last
window, and decoding it finds out what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ..hotpath import hop

WINDOW = 16 << 20
"""Bytes of a window, and a message more."""

LONGEST = 65535 * 8
"""Bytes of the longest message that its length field can tell."""


class Window(NamedTuple):
    """Whole messages of an input, and where in it they begin."""

    messages: memoryview
    offset: int


def of_buffer(buffer: memoryview, swap: bool) -> Iterator[Window]:
    """The windows of a buffer."""
    start, size = 0, len(buffer)
    while start < size:
        end = hop(buffer, start, size, swap, start + WINDOW).next
        if end < min(start + WINDOW, size):
            end = size
        with buffer[start:end] as messages:
            yield Window(messages, start)
        start = end


def of_stream(stream: BinaryIO, swap: bool) -> Iterator[Window]:
    """The windows of a stream that may split messages anywhere."""
    offset, rest = 0, b""
    while chunk := stream.read(WINDOW):
        piece = rest + chunk
        end = hop(piece, 0, len(piece), swap, len(piece)).next
        if len(piece) - end > LONGEST:
            rest = piece
            break
        if end:
            yield Window(memoryview(piece)[:end], offset)
        offset, rest = offset + end, piece[end:]
    if rest:
        yield Window(memoryview(rest), offset)
