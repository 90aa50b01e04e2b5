"""The files that keep an engine's state: a line that says what they are, and entries with checksums behind it.

    file    MAGIC, byte order and version, then entries
    entry   payload's length u64, number u64, kind u32, payload's CRC u32, CRC of these 24 bytes u32, payload

Snapshots and journals differ in what their entries are, not in how these are written. Numbers are in the order of the
machine that wrote them, as the records are that the payloads hold. A file that ends within an entry was not written to
its end; anything else that does not fit is damage, and is told with the byte that shows it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from ..errors import StateFileError
from ..wire.memory import byte_view, wipe

MAGIC = b"fastpfkey state\n"
VERSION = 1
_START = struct.Struct("=16sII")
_ORDER = 0x01020304
_ENTRY = struct.Struct("=QQII")
_CHECK = struct.Struct("=I")
OVERHEAD = _ENTRY.size + _CHECK.size
"""Bytes of an entry beside its payload."""

START = _START.pack(MAGIC, _ORDER, VERSION)
"""What a file begins with."""

Part = bytes | memoryview


class Kind(IntEnum):
    """What an entry holds."""

    HEAD = 1
    """What the file is, in JSON; the first entry of each."""
    DELTA = 2
    """Associations and policies that came, changed or went."""
    END = 3
    """That a snapshot is whole."""


class Entry(NamedTuple):
    """One entry that was read."""

    kind: int
    number: int
    payload: memoryview
    offset: int
    """Where its payload begins in the file."""
    end: int
    """Where the next entry begins."""


def entry(kind: Kind, number: int, payload: Sequence[Part]) -> list[Part]:
    """The parts of an entry, in order."""
    checksum = 0
    for part in payload:
        checksum = crc32(part, checksum)
    header = _ENTRY.pack(sum(map(len, payload)), number, kind, checksum)
    return [header + _CHECK.pack(crc32(header)), *payload]


def forget(parts: Iterable[Part]) -> None:
    """Overwrite what may be keys, as far as it can be overwritten."""
    for part in parts:
        if isinstance(part, memoryview) and not part.readonly:
            wipe(part)


class Reader:
    """The entries of a file. `torn` says afterwards if it ended within one, `end` where the last whole one did."""

    def __init__(self, path: Path, data: memoryview) -> None:
        """Raises StateFileError for what is no such file."""
        self.path = path
        self.end = len(START)
        self.torn = False
        self._data = byte_view(data)
        self._check_start()

    def __len__(self) -> int:
        """Bytes of the file."""
        return len(self._data)

    def damage(self, offset: int, reason: str) -> StateFileError:
        """The error of a byte that cannot be."""
        return StateFileError(self.path, offset, reason)

    def _check_start(self) -> None:
        if self._data[: len(MAGIC)] != MAGIC or len(self._data) < len(START):
            raise self.damage(0, "this is no state of an engine")
        _, order, version = _START.unpack_from(self._data)
        if order != _ORDER:
            raise self.damage(len(MAGIC), "it was written on a machine of the other byte order")
        if version != VERSION:
            raise self.damage(len(MAGIC) + 4, f"its format is {version}, and {VERSION} is what is understood here")

    def __iter__(self) -> Iterator[Entry]:
        """The entries. Raises StateFileError where one is damaged; the file may end within the last one."""
        data, size = self._data, len(self._data)
        while self.end < size:
            payload = self.end + OVERHEAD
            if payload > size:
                self.torn = True
                return
            header = data[self.end : self.end + _ENTRY.size]
            if _CHECK.unpack_from(data, self.end + _ENTRY.size)[0] != crc32(header):
                if not any(data[self.end :]):  # room that the system gave to the file and nobody wrote to
                    self.torn = True
                    return
                raise self.damage(self.end, "the header of an entry does not have its checksum")
            length, number, kind, checksum = _ENTRY.unpack(header)
            end = payload + length
            if end > size or (end == size and crc32(data[payload:end]) != checksum):
                self.torn = True
                return
            if crc32(data[payload:end]) != checksum:
                raise self.damage(payload, "an entry does not have its checksum")
            yield Entry(kind, number, data[payload:end], payload, end)
            self.end = end
