"""Nothing is read or written outside the buffers: each lies against a page that nobody may touch.

A violation is not a failed assertion, it ends the run. Reads of aligned or padded words past the end, which
AddressSanitizer may miss in memory that it did not hand out, are found here at the first byte.
"""

from __future__ import annotations

import mmap
import subprocess
import sys
from array import array
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

import pytest
from corpus.groundtruth import capture

from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import Outcome
from fastpfkey.spec.plan import ColumnPlan

from . import golden
from .made_up import KEY, Builder, HostOrder
from .mill import STREAMED, Mill, columns_of
from .twins import EVERYTHING, PATTERN, Fence, needs_compiled

pytestmark = needs_compiled

Edge = Literal["first", "last"]
EDGES: tuple[Edge, Edge] = ("first", "last")
TRAP = """
import sys
sys.path.insert(0, sys.argv[1])
from hotpath.twins import Fence
import ctypes
fence = Fence(1)
address = ctypes.addressof(ctypes.c_char.from_buffer(fence.view)) + int(sys.argv[2])
print("reading", flush=True)
ctypes.string_at(address, 1)
print("alive")
"""


@pytest.mark.parametrize(
    ("offset", "alive"), [(-1, False), (0, True), (mmap.PAGESIZE - 1, True), (mmap.PAGESIZE, False)]
)
def test_the_fence_holds(offset: int, alive: bool) -> None:
    """Or everything below would pass, whatever happens."""
    tests = Path(__file__).resolve().parents[1]
    result = subprocess.run(
        [sys.executable, "-c", TRAP, str(tests), str(offset)], capture_output=True, text=True, check=False
    )
    assert result.stdout.split() == (["reading", "alive"] if alive else ["reading"])
    assert (result.returncode == 0) == alive


class FencedOutputs:
    """The columns of a plan, each in memory of its own."""

    def __init__(self, plan: ColumnPlan, rows: int) -> None:
        self.plan = plan
        self.widths = [column.width for column in plan.columns]
        self.fences = [Fence(rows * width) for width in self.widths]

    def columns(self, rows: int, edge: Edge) -> list[memoryview]:
        """Room for this many rows."""
        pairs = zip(self.fences, self.widths, strict=True)
        found = [fence.room(rows * width, edge) for fence, width in pairs]
        for column in found:
            column[:] = bytes([PATTERN]) * len(column)
        return found


def decode(data: memoryview, outputs: FencedOutputs, rows: int, edge: Edge) -> Outcome:
    """Decode with outputs for so many rows and no more."""
    columns = outputs.columns(rows, edge)
    return load("compiled").decode(data, 0, EVERYTHING, outputs.plan, False, columns, 0, rows)


def walk(data: memoryview, plan: ColumnPlan, room: Fence, rows: int) -> Outcome:
    offsets = room.room(8 * rows).cast("Q")
    return load("compiled").walk(data, 0, EVERYTHING, plan.frame, False, offsets)


def distinct(messages: list[bytes]) -> Iterator[bytes]:
    """One message of each length."""
    for _, group in groupby(sorted(messages, key=len), len):
        yield next(group)


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize(("dialect", "order"), golden.DIALECTS)
def test_every_truncation_of_real_messages(dialect: str, order: HostOrder, edge: Edge) -> None:
    """Told and cut, and behind a whole one, whose shape is then known."""
    plan = golden.plans(dialect, order)[0]
    outputs, buffer, room = FencedOutputs(plan, 2), Fence(1 << 13), Fence(16)
    for message in distinct(list(golden.messages(dialect, order))):
        for cut in range(len(message) + 1):
            part = buffer.put(message[:cut], edge)
            assert decode(part, outputs, 1, edge).count == (cut == len(message))
            assert walk(part, plan, room, 1).count == (cut == len(message))
            behind = buffer.put(message + message[:cut], edge)
            assert decode(behind, outputs, 2, edge).count == 1 + (cut == len(message))
            assert walk(behind, plan, room, 2).count == 1 + (cut == len(message))


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", golden.CAPTURES)
def test_whole_captures(name: str, edge: Edge) -> None:
    """Every table of every capture, with exactly as many rows as there are messages, or one more."""
    data = capture(name)
    buffer = Fence(len(data))
    for plan in golden.plans("linux", "little"):
        fenced = buffer.put(data, edge)
        count = walk(fenced, plan, Fence(8 * len(data)), len(data) // 16 + 1).count
        outputs = FencedOutputs(plan, count + 1)
        assert decode(fenced, outputs, count, edge).count == count
        assert decode(fenced, outputs, count + 1, edge).count == count


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 15, 16, 17, 1023, 1024, 1025, 4000])
def test_outputs_of_every_size(build: Builder, count: int, edge: Edge) -> None:
    """Blocks that are full and blocks that are not, of one shape and of many."""
    plan, mill = columns_of(build), Mill(build, count)
    outputs = FencedOutputs(plan, count)
    for kinds in (0, 31):
        data = b"".join(mill.message(8, kinds).raw for _ in range(count))
        assert decode(Fence(len(data)).put(data, edge), outputs, count, edge).count == count


@pytest.mark.parametrize("edge", EDGES)
def test_tables_that_are_streamed(build: Builder, edge: Edge) -> None:
    mill = Mill(build, 1)
    part = [mill.message(mill.random.choice([None, 8, 24])).raw for _ in range(3000)]
    times = STREAMED // sum(map(len, part)) + 1
    data = b"".join(part) * times
    plan, count = columns_of(build), 3000 * times
    assert decode(Fence(len(data)).put(data, edge), FencedOutputs(plan, count), count, edge).count == count


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("size", range(1, 40))
def test_strings_that_are_gathered(build: Builder, size: int, edge: Edge) -> None:
    """From the first and from the last byte, into a store that they fill."""
    source = Fence(64).put(bytes(range(64)), edge)
    offsets, bits = array("Q", [0, 64 - size, 64]), array("H", [8 * size, 8 * size - 7, 0])
    fenced_offsets = Fence(24).put(offsets.tobytes(), edge).cast("Q")
    store = Fence(2 * size).room(2 * size, edge)
    assert load("compiled").gather(source, fenced_offsets, bits, store) == 2 * size
    assert bytes(store) == bytes(range(size)) + bytes(range(64 - size, 64))


@pytest.mark.parametrize("edge", EDGES)
def test_messages_that_are_followed(build: Builder, edge: Edge) -> None:
    data = build.message(build.extension(KEY, bytes(4)), seq=1) * 3
    buffer = Fence(len(data))
    for cut in range(len(data) + 1):
        part = buffer.put(data[:cut], edge)
        outcome = load("compiled").follow(part, 0, EVERYTHING, build.frame, 10, 0x05060708, 1, 0)
        assert outcome.count == cut // 24


@pytest.mark.parametrize("edge", EDGES)
def test_headers_that_are_hopped_over(build: Builder, edge: Edge) -> None:
    data = build.message(build.extension(KEY, bytes(4))) * 3
    buffer = Fence(len(data))
    for cut in range(len(data) + 1):
        outcome = load("compiled").hop(buffer.put(data[:cut], edge), 0, EVERYTHING, build.frame.swap, EVERYTHING)
        assert outcome.count == cut // 24
