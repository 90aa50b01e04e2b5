"""Room for the columns of a plan: arrays of equal capacity, of which the decoded rows are a part.

How many messages a buffer holds is unknown before it is decoded, and counts on the wire are not believed. So the first
messages are measured, arrays of a little more than the expected size are allocated untouched, and grow when that was
too little.
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

SAMPLE = 1 << 16
"""Bytes of messages that are measured for an estimate."""

SPARE = 1.02
"""What is allocated for each expected row."""


class Room:
    """The arrays of some columns, all with the same capacity in rows."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self.columns = tuple(columns)
        self.capacity = 0
        self.arrays = {item.name: allocate(item, 0) for item in self.columns}
        self.buffers = [array.data for array in self.arrays.values()]
        """The memory of the columns in order, as the hot path takes it."""

    def grow(self, capacity: int, keep: int) -> None:
        """Make room for `capacity` rows; the first `keep` rows stay. The arrays stay too if they are large enough."""
        if capacity <= self.capacity:
            return
        for item in self.columns:
            larger = allocate(item, capacity)
            larger[:keep] = self.arrays[item.name][:keep]
            self.arrays[item.name] = larger
        self.buffers = [array.data for array in self.arrays.values()]
        self.capacity = capacity

    def rows(self, count: int) -> dict[str, Array]:
        """Views of the first `count` rows."""
        return {name: array[:count] for name, array in self.arrays.items()}


def allocate(column: Column, rows: int) -> Array:
    """An uninitialised array for a column: contiguous, native byte order, (rows, 16) bytes for addresses."""
    return np.empty((rows, 16), np.uint8) if column.dtype == "16u1" else np.empty(rows, column.dtype)


def estimate(buffer: memoryview, start: int, stop: int, swap: bool) -> int:
    """How many messages to expect from `start` to `stop`, judging by the first; at most what bare headers would be."""
    most = (stop - start) // HEADER_SIZE
    seen = hop(buffer, start, stop, swap, min(stop, start + SAMPLE))
    if seen.count == 0 or seen.next >= stop:
        return min(seen.count + 1, most)
    return min(int(seen.count * (stop - start) / (seen.next - start) * SPARE) + 1, most)
