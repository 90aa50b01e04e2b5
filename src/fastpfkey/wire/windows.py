"""Large inputs in pieces: windows of whole messages, so that memory stays bounded however long the input is.

A window ends where a message begins. Lengths in headers alone decide that; a header that leads nowhere ends the last
window, and decoding it finds out what is wrong. Without a limit a stream is handed on as it arrives, so what is slow is
shown at once; with one its windows are filled.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..hotpath import hop
from ..spec.model import HEADER_SIZE, LONGEST_MESSAGE

if TYPE_CHECKING:
    from typing_extensions import Buffer

WINDOW = 4 << 20
"""Bytes of a window, and a message more."""

PIPE = 1 << 20
"""Bytes that a pipe is asked to hold; what an unprivileged process may ask for on Linux."""


class Stream(Protocol):
    """What is read as it arrives."""

    def read1(self, size: int, /) -> bytes:
        """Up to so many bytes, waiting for the first only; none at the end."""
        ...


class Window(NamedTuple):
    """Whole messages of an input, and where in it they begin."""

    messages: memoryview
    offset: int


class Limit(NamedTuple):
    """When a window is full."""

    size: int
    """At so many bytes, or the message more that goes beyond."""
    messages: int = sys.maxsize
    """At so many messages."""


class Reach(NamedTuple):
    """How far into a buffer a window goes so far."""

    end: int
    messages: int = 0
    full: bool = False


def of_buffer(buffer: memoryview, swap: bool, limit: Limit | None = None) -> Iterator[Window]:
    """The windows of a buffer."""
    start, size = 0, len(buffer)
    while start < size:
        reach = _reach(buffer, start, Reach(start), swap, limit or Limit(WINDOW))
        end = reach.end if reach.full else size
        yield Window(buffer[start:end], start)
        start = end


def of_chunks(chunks: Iterable[Buffer], swap: bool, limit: Limit | None = None) -> Iterator[Window]:
    """The windows of a stream in chunks that may split messages anywhere; without a limit, one for each chunk.

    Reads no further once a length leads nowhere.
    """
    pending, offset = bytearray(), 0
    reach = Reach(0)
    for chunk in chunks:
        pending += chunk
        while True:
            reach = _reach(pending, 0, reach, swap, limit or Limit(len(pending)))
            if not (reach.full if limit else reach.end):
                break
            yield Window(memoryview(bytes(memoryview(pending)[: reach.end])), offset)
            offset += reach.end
            del pending[: reach.end]
            reach = Reach(0)
        if len(pending) - reach.end > LONGEST_MESSAGE:
            break
    if pending:
        yield Window(memoryview(bytes(pending)), offset)


def _reach(buffer: bytearray | memoryview, start: int, reach: Reach, swap: bool, limit: Limit) -> Reach:
    """How far the window from `start` goes, of which a part was looked at before.

    The hot path hops to a place and not over a number of messages, so it is sent no further than these may be short.
    """
    end, messages, _ = reach
    size = len(buffer)
    while True:
        left = limit.messages - messages
        if not left or end - start >= limit.size:
            return Reach(end, messages, True)
        seen = hop(buffer, end, size, swap, min(start + limit.size, end + left * HEADER_SIZE, size))
        if not seen.count:
            return Reach(end, messages)
        end, messages = seen.next, messages + seen.count


def of_stream(stream: Stream, swap: bool, limit: Limit | None = None) -> Iterator[Window]:
    """The windows of a stream."""
    _widen(stream)
    return of_chunks(_chunks(stream), swap, limit)


def _chunks(stream: Stream) -> Iterator[bytes]:
    while chunk := stream.read1(WINDOW):
        yield chunk


def of_file(path: Path, swap: bool, limit: Limit | None = None) -> Iterator[Window]:
    """The windows of a file: mapped if it is one on a disk, and read if it is a pipe or a device."""
    with path.open("rb") as file:
        mapped = mapping(file)
        if mapped is None:
            yield from of_stream(file, swap, limit)
            return
    for window in of_buffer(memoryview(mapped), swap, limit):
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
