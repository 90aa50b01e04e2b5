"""A journal: what a served engine did, on the disk before anybody is told that it was done.

It is a file beside the snapshot (format: `engine.entries`). What a turn of the server changed is one entry, written by
one call and forced to the disk once, however many requests it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..engine.engine import Engine
from ..engine.entries import START, Kind, Part, entry
from ..engine.snapshot import JOURNAL, Head, head
from ..errors import TransportError
from .files import replacing

_sync = getattr(os, "fdatasync", os.fsync)

CHUNK = 1 << 20
"""Bytes that are copied at once."""


class Journal:
    """An open journal. What it says stays true when the process is killed, or the machine loses power."""

    def __init__(self, path: Path, engine: Engine, lineage: str, number: int) -> None:
        self.path = path
        self.number = number
        """Of the next entry."""
        self.size = 0
        """Bytes of the file."""
        self._engine = engine
        self._lineage = lineage
        self._file = -1

    def begin(self) -> None:
        """Make an empty one in place of what there is. Raises OSError."""
        self._begin(self.number, 0, 0)

    def resume(self, end: int) -> None:
        """Go on with the one that there is, behind its last whole entry. Raises OSError."""
        self._open()
        os.ftruncate(self._file, end)
        _sync(self._file)
        self.size = end

    def append(self, payload: list[Part]) -> None:
        """Write an entry, and wait until it cannot be lost. Raises TransportError."""
        parts = entry(Kind.DELTA, self.number, payload)
        try:
            self.size += _write(self._file, parts)
            _sync(self._file)
        except OSError as error:
            text = f"{self.path}: {error.strerror}: the engine stopped rather than answer what it could not keep"
            raise TransportError(error.errno, text) from error
        self.number += 1

    def start_over(self, number: int, offset: int) -> None:
        """Forget the entries before this number, which is the one that begins at this offset. Raises OSError."""
        self._begin(number, offset, self.size - offset)

    def _begin(self, number: int, offset: int, size: int) -> None:
        """Put a new file in place of the old one, with that part of it behind the head."""
        parts = head(self._engine, Head(JOURNAL, self._lineage, number))
        with replacing(self.path, private=True) as file:
            file.write(START)
            file.writelines(parts)
            if size:
                with self.path.open("rb") as old:
                    old.seek(offset)
                    for start in range(0, size, CHUNK):
                        file.write(old.read(min(CHUNK, size - start)))
            self.size = file.tell()
        self.close()
        self._open()

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def close(self) -> None:
        """Write no more."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _write(descriptor: int, parts: Sequence[Part]) -> int:
    """Write all of them, in one call if the system can, and return how many bytes they are."""
    left = [memoryview(part) for part in parts if len(part)]
    total = sum(map(len, left))
    while left:
        written = os.writev(descriptor, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]
    return total
