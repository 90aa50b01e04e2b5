"""Copying whole messages out of a store: the definition of `copy_records`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..spec.model import HEADER_SIZE, WORD
from ..spec.rfc2367 import MSG

if TYPE_CHECKING:
    from typing_extensions import Buffer

_LENGTH, _SEQ, _PID = (MSG[name].offset for name in ("len", "seq", "pid"))


def copy_records(buffer: Buffer, offsets: Buffer, out: Buffer, seq: int, step: int, pid: int, ends: Buffer) -> int:
    """Copy messages back to back into `out`, numbered anew, and return how many bytes were written."""
    source = np.frombuffer(memoryview(buffer), np.uint8)
    begins = np.frombuffer(memoryview(offsets), np.uint64).astype(np.int64)
    target = np.frombuffer(memoryview(out), np.uint8)
    stops = np.frombuffer(memoryview(ends), np.uint64)
    if len(stops) < len(begins):
        raise IndexError("copy_records: there is no room for the ends of all messages")
    if not len(begins):
        return 0
    if (begins < 0).any() or (begins > len(source) - HEADER_SIZE).any():
        raise IndexError("copy_records: a message begins outside of the buffer")
    sizes = _numbers(source, begins + _LENGTH, np.uint16).astype(np.int64) * WORD
    if (sizes < HEADER_SIZE).any() or (begins > len(source) - sizes).any():
        raise IndexError("copy_records: a message is too short, or runs past the end of the buffer")
    total = int(sizes.sum())
    if total > len(target):
        raise IndexError("copy_records: there is no room for all messages")
    last = np.cumsum(sizes)
    first = last - sizes
    target[:total] = source[np.repeat(begins - first, sizes) + np.arange(total)]
    _put(target, first + _SEQ, (seq + step * np.arange(len(begins))).astype(np.uint32))
    _put(target, first + _PID, np.full(len(begins), pid, np.uint32))
    stops[: len(begins)] = last
    return total


def _numbers(source: np.ndarray[tuple[int], np.dtype[np.uint8]], places: np.ndarray, kind: type) -> np.ndarray:
    """Numbers of the host's order at these places."""
    width = np.dtype(kind).itemsize
    found: np.ndarray = source[places[:, None] + np.arange(width)].view(kind)[:, 0]
    return found


def _put(target: np.ndarray, places: np.ndarray, numbers: np.ndarray) -> None:
    """Write 32-bit numbers at these places."""
    target[places[:, None] + np.arange(4)] = np.ascontiguousarray(numbers).view(np.uint8).reshape(-1, 4)
