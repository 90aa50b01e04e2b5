"""Large inputs in pieces: windows of whole messages, so that memory stays bounded however long the input is.

A window ends where a message begins. Lengths in headers alone decide that; a header that leads nowhere ends the last
window, and decoding it finds out what is wrong. A stream is handed on as it arrives, so what is slow is shown at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol

from ..hotpath import hop

WINDOW = 4 << 20
"""Bytes of a window, and a message more."""

PIPE = 1 << 20
"""Bytes that a pipe is asked to hold; what an unprivileged process may ask for on Linux."""

LONGEST = 65535 * 8
"""Bytes of the longest message that its length field can tell."""


class Stream(Protocol):
    """What is read as it arrives."""

    def read1(self, size: int, /) -> bytes:
        """Up to so many bytes, waiting for the first only; none at the end."""
        ...


class Window(NamedTuple):
    """Whole messages of an input, and where in it they begin."""

    messages: memoryview
    offset: int


def of_buffer(buffer: memoryview, swap: bool) -> Iterator[Window]:
    """The windows of a buffer."""
    start, size = 0, len(buffer)
    while start < size:
        target = min(start + WINDOW, size)
        end = hop(buffer, start, size, swap, target).next
        if end < target:
            end = size
        yield Window(buffer[start:end], start)
        start = end


def of_stream(stream: Stream, swap: bool) -> Iterator[Window]:
    """The windows of a stream that may split messages anywhere."""
    _widen(stream)
    offset, rest = 0, b""
    while chunk := stream.read1(WINDOW):
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


def of_file(path: Path, swap: bool) -> Iterator[Window]:
    """The windows of a file: mapped if it is one on a disk, and read if it is a pipe or a device."""
    with path.open("rb") as file:
        mapped = mapping(file)
        if mapped is None:
            yield from of_stream(file, swap)
            return
    for window in of_buffer(memoryview(mapped), swap):
        yield window
        _forget(mapped, window)


def _widen(stream: Stream) -> None:
    """Let a pipe hold more than its 64 KiB, if possible: a writer that is ahead then makes for larger windows."""
    if hasattr(fcntl, "F_SETPIPE_SZ") and hasattr(stream, "fileno"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, PIPE)


def mapping(file: BufferedReader) -> mmap.mmap | None:
    """An open file's bytes, not read but mapped; None for pipes, devices and empty files, which cannot be mapped."""
    about = os.fstat(file.fileno())
    if not stat.S_ISREG(about.st_mode) or not about.st_size:
        return None
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _forget(mapped: mmap.mmap, window: Window) -> None:
    """Let the pages of a window go, which otherwise count as this process's memory until the file is closed."""
    begin = window.offset // mmap.PAGESIZE * mmap.PAGESIZE
    end = (window.offset + len(window.messages)) // mmap.PAGESIZE * mmap.PAGESIZE
    if end > begin and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED, begin, end - begin)
