"""Room for the columns of a plan: arrays of equal capacity, of which the decoded rows are a part.

How many messages a buffer holds is unknown before it is decoded, and counts on the wire are not believed. So the first
messages are measured, arrays of a little more than the expected size are allocated untouched, and grow when that was
too little. All arrays lie in one piece of memory, which the system can then give in large pages, or which a pool lends:
then they are as long as fits, and nothing but the arrays themselves says how long it is lent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..hotpath import hop
from ..spec.model import HEADER_SIZE
from ..spec.tables import Column
from ..wire.pool import BufferPool

Array = npt.NDArray[Any]

Selector = slice | Array
"""Chosen rows: a slice of step 1, or row numbers."""

SAMPLE = 1 << 16
"""Bytes of messages that are measured for an estimate."""

LINE = 64
"""Bytes of a cache line, at which arrays begin."""

SPARE = 1.02
"""What is allocated for each expected row."""


class Room:
    """The arrays of some columns, all with the same capacity in rows; in memory of this pool if there is one."""

    def __init__(self, columns: Iterable[Column], pool: BufferPool | None = None) -> None:
        self.columns = tuple(columns)
        self.pool = pool
        self.capacity = 0
        self.arrays = allocate(self.columns, 0)
        self.buffers = [array.data for array in self.arrays.values()]
        """The memory of the columns in order, as the hot path takes it."""

    def grow(self, capacity: int, keep: int) -> None:
        """Make room for `capacity` rows; the first `keep` rows stay. The arrays stay too if they are large enough."""
        if capacity <= self.capacity:
            return
        larger = allocate(self.columns, capacity) if self.pool is None else lent(self.columns, capacity, self.pool)
        for name, array in self.arrays.items():
            larger[name][:keep] = array[:keep]
        self.arrays = larger
        self.buffers = [array.data for array in self.arrays.values()]
        self.capacity = min(map(len, self.arrays.values()))

    def rows(self, count: int) -> dict[str, Array]:
        """Views of the first `count` rows."""
        return {name: array[:count] for name, array in self.arrays.items()}


def allocate(columns: Iterable[Column], rows: int) -> dict[str, Array]:
    """Uninitialised arrays by column: contiguous, native byte order, (rows, 16) bytes for addresses."""
    wanted = tuple(columns)
    return _laid_out(wanted, rows, np.empty(_needed(wanted, rows), np.uint8))


def lent(columns: tuple[Column, ...], rows: int, pool: BufferPool) -> dict[str, Array]:
    """The same in memory of a pool, with more rows if a slab has room for them. Raises LeaseError if it has none."""
    size = max(_needed(columns, rows), pool.slab_size)
    fit = (size - _needed(columns, 0) - LINE * len(columns)) // sum(item.width for item in columns)
    return _laid_out(columns, max(rows, fit), np.frombuffer(memoryview(pool.acquire(size)), np.uint8))


def _needed(columns: tuple[Column, ...], rows: int) -> int:
    # A line more between arrays: at distances of a power of two all would compete for the same lines of the cache.
    return sum(_lines(item, rows) + LINE for item in columns)


def _lines(column: Column, rows: int) -> int:
    return column.width * rows + LINE - 1 & -LINE


def _laid_out(columns: tuple[Column, ...], rows: int, memory: Array) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    begin = -memory.ctypes.data % LINE
    for item in columns:
        piece = memory[begin : begin + item.width * rows]
        arrays[item.name] = piece.reshape(rows, 16) if item.dtype == "16u1" else piece.view(item.dtype)
        begin += _lines(item, rows) + LINE
    return arrays


def estimate(buffer: memoryview, start: int, stop: int, swap: bool) -> int:
    """How many messages to expect from `start` to `stop`, judging by the first; at most what bare headers would be."""
    most = (stop - start) // HEADER_SIZE
    seen = hop(buffer, start, stop, swap, min(stop, start + SAMPLE))
    if seen.count == 0 or seen.next >= stop:
        return min(seen.count + 1, most)
    return min(int(seen.count * (stop - start) / (seen.next - start) * SPARE) + 1, most)
