"""Room for the columns of a plan: arrays of equal capacity, of which the decoded rows are a part.

How many messages a buffer holds is unknown before it is decoded, and counts on the wire are not believed. So the first
messages are measured, arrays of a little more than the expected size are allocated untouched, and grow when that was
too little. All arrays lie in one piece of memory, which the system can then give in large pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..hotpath import hop
from ..spec.model import HEADER_SIZE
from ..spec.tables import Column

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
    """The arrays of some columns, all with the same capacity in rows."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self.columns = tuple(columns)
        self.capacity = 0
        self.arrays = allocate(self.columns, 0)
        self.buffers = [array.data for array in self.arrays.values()]
        """The memory of the columns in order, as the hot path takes it."""

    def grow(self, capacity: int, keep: int) -> None:
        """Make room for `capacity` rows; the first `keep` rows stay. The arrays stay too if they are large enough."""
        if capacity <= self.capacity:
            return
        larger = allocate(self.columns, capacity)
        for name, array in self.arrays.items():
            larger[name][:keep] = array[:keep]
        self.arrays = larger
        self.buffers = [array.data for array in self.arrays.values()]
        self.capacity = capacity

    def rows(self, count: int) -> dict[str, Array]:
        """Views of the first `count` rows."""
        return {name: array[:count] for name, array in self.arrays.items()}


def allocate(columns: Iterable[Column], rows: int) -> dict[str, Array]:
    """Uninitialised arrays by column: contiguous, native byte order, (rows, 16) bytes for addresses."""
    wanted = tuple(columns)
    sizes = [item.width * rows + LINE - 1 & -LINE for item in wanted]
    memory = np.empty(sum(sizes) + len(sizes) * LINE, np.uint8)
    arrays: dict[str, Array] = {}
    # A line more between arrays: at distances of a power of two all would compete for the same lines of the cache.
    begin = -memory.ctypes.data % LINE
    for item, size in zip(wanted, sizes, strict=True):
        piece = memory[begin : begin + item.width * rows]
        arrays[item.name] = piece.reshape(rows, 16) if item.dtype == "16u1" else piece.view(item.dtype)
        begin += size + LINE
    return arrays


def estimate(buffer: memoryview, start: int, stop: int, swap: bool) -> int:
    """How many messages to expect from `start` to `stop`, judging by the first; at most what bare headers would be."""
    most = (stop - start) // HEADER_SIZE
    seen = hop(buffer, start, stop, swap, min(stop, start + SAMPLE))
    if seen.count == 0 or seen.next >= stop:
        return min(seen.count + 1, most)
    return min(int(seen.count * (stop - start) / (seen.next - start) * SPARE) + 1, most)
