"""The twins by name, outputs that show what was written to them, and memory whose end is the end.

`Outputs` holds a guard before and behind every column: a byte that a twin should not touch is compared too.
"""

from __future__ import annotations

import ctypes
import importlib.util
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import HotPath, Outcome
from fastpfkey.spec.plan import ColumnPlan, Frame

COMPILED = importlib.util.find_spec("fastpfkey.hotpath.walk") is not None
needs_compiled = pytest.mark.skipif(not COMPILED, reason="this installation has no compiled modules")
TWINS = [pytest.param("reference"), pytest.param("compiled", marks=needs_compiled)]

PATTERN = 0xA5
"""What outputs hold before they are written."""

GUARD = 64
"""Bytes behind each output that belong to nobody."""

EVERYTHING = 1 << 62
"""A `stop` behind the end of any buffer."""


class Outputs:
    """One buffer for each column of a plan with `rows` rows, all filled with PATTERN."""

    def __init__(self, plan: ColumnPlan, rows: int, misalignment: int = 0) -> None:
        self.rows = rows
        self.widths = [column.width for column in plan.columns]
        self.memory = [bytearray([PATTERN]) * (misalignment + rows * width + GUARD) for width in self.widths]
        self.columns = [
            memoryview(memory)[misalignment : misalignment + rows * width]
            for memory, width in zip(self.memory, self.widths, strict=True)
        ]

    def row(self, number: int) -> list[bytes]:
        """The bytes of one row, column by column."""
        places = zip(self.columns, self.widths, strict=True)
        return [bytes(column[number * width : (number + 1) * width]) for column, width in places]

    def numbers(self, column: int = 0) -> list[int]:
        """A column as unsigned numbers in native order."""
        return (
            memoryview(bytes(self.columns[column])).cast({1: "B", 2: "H", 4: "I", 8: "Q"}[self.widths[column]]).tolist()
        )

    def untouched_outside(self, first: int, last: int) -> bool:
        """Whether all rows but those from `first` up to `last`, and the guards, hold PATTERN still."""
        return all(
            _is_pattern(column[: first * width])
            and _is_pattern(column[last * width :])
            and _is_pattern(memory[-GUARD:])
            for memory, column, width in zip(self.memory, self.columns, self.widths, strict=True)
        )


def _is_pattern(part: memoryview | bytearray) -> bool:
    return bytes(part).count(PATTERN) == len(part)


def decode_all(
    twin: HotPath, data: Any, plan: ColumnPlan, *, strict: bool = False, rows: int = 0
) -> tuple[Outcome, Outputs]:
    """Decode a whole buffer into fresh outputs, with room for any number of messages unless told."""
    rows = rows or len(data) // 16 + 1
    outputs = Outputs(plan, rows)
    return twin.decode(data, 0, EVERYTHING, plan, strict, outputs.columns, 0, rows), outputs


def walk_all(twin: HotPath, data: Any, frame: Frame, *, strict: bool = False) -> tuple[Outcome, list[int]]:
    """Walk a whole buffer; the offsets of its good messages."""
    offsets = memoryview(bytearray([PATTERN]) * (8 * (len(data) // 16 + 1))).cast("Q")
    outcome = twin.walk(data, 0, EVERYTHING, frame, strict, offsets)
    assert set(bytes(offsets[outcome.count :])) <= {PATTERN}
    return outcome, offsets[: outcome.count].tolist()


class Fence:
    """Memory between two pages that nobody may touch: a read or write outside it ends the process."""

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        self.size = -(-size // page) * page
        self.mapping = mmap.mmap(-1, self.size + 2 * page)
        first = ctypes.addressof(ctypes.c_char.from_buffer(self.mapping))
        mprotect = ctypes.CDLL(None, use_errno=True).mprotect
        for address in (first, first + page + self.size):
            if mprotect(ctypes.c_void_p(address), ctypes.c_size_t(page), 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        self.view = memoryview(self.mapping)[page : page + self.size]

    def room(self, size: int, edge: Literal["first", "last"] = "last") -> memoryview:
        """`size` bytes of it: the first, or the last before the end."""
        return self.view[:size] if edge == "first" else self.view[self.size - size :]

    def put(self, data: Any, edge: Literal["first", "last"] = "last") -> memoryview:
        """A copy of `data` at one edge."""
        room = self.room(len(data), edge)
        room[:] = data
        return room


@dataclass
class Compared:
    """Runs the twins side by side: on heap memory, and the compiled one once more on fenced input."""

    capacity: int = 1 << 16

    def __post_init__(self) -> None:
        self.reference, self.compiled = load("reference"), load("compiled")
        self.fence = Fence(self.capacity)

    def decode(
        self,
        data: bytes,
        plan: ColumnPlan,
        strict: bool,
        window: tuple[int, int] = (0, EVERYTHING),
        row: int = 0,
        rows: int | None = None,
    ) -> Outcome:
        """Decode with both. Fails unless outcome and all bytes of the outputs, guards included, are equal."""
        rows = row + len(data) // 16 + 1 if rows is None else rows
        results = []
        for twin, buffer in self.runs(data):
            outputs = Outputs(plan, rows)
            outcome = twin.decode(buffer, *window, plan, strict, outputs.columns, row, rows)
            assert outputs.untouched_outside(row, row + outcome.count)
            results.append((outcome, outputs.memory))
        return self._agreed(results)

    def walk(
        self, data: bytes, frame: Frame, strict: bool, window: tuple[int, int] = (0, EVERYTHING), room: int = -1
    ) -> Outcome:
        """Walk with both, likewise."""
        results = []
        for twin, buffer in self.runs(data):
            memory = bytearray([PATTERN]) * (8 * (len(data) // 16 + 1 if room < 0 else room))
            results.append((twin.walk(buffer, *window, frame, strict, memoryview(memory).cast("Q")), memory))
        return self._agreed(results)

    def follow(
        self, data: bytes, window: tuple[int, int], frame: Frame, kind: int, pid: int, seq: int, step: int
    ) -> Outcome:
        """Follow with both."""
        asked = (frame, kind, pid, seq, step)
        return self._agreed([(twin.follow(buffer, *window, *asked), b"") for twin, buffer in self.runs(data)])

    def hop(self, data: bytes, window: tuple[int, int], swap: bool, target: int) -> Outcome:
        """Hop with both."""
        return self._agreed([(twin.hop(buffer, *window, swap, target), b"") for twin, buffer in self.runs(data)])

    def runs(self, data: bytes) -> Sequence[tuple[HotPath, Any]]:
        """Which twin to run on which memory."""
        return (self.reference, data), (self.compiled, data), (self.compiled, self.fence.put(data))

    @staticmethod
    def _agreed(results: list[tuple[Outcome, Any]]) -> Outcome:
        expected = results[0]
        for found in results[1:]:
            assert found == expected
        return expected[0]
