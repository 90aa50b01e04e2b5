"""Many messages: blocks, more shapes than a cache keeps, messages longer than it keeps, and tables that are streamed.

Expected values are what Python computes from the list of messages that the test made, column by column.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fastpfkey.errors import Fault
from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import HotPath, Outcome
from fastpfkey.spec.plan import ColumnPlan

from .made_up import BITS, KEY, Builder
from .mill import STREAMED, Made, Mill, columns_of
from .twins import EVERYTHING, Outputs, needs_compiled

BLOCK = 1024
"""Messages; twins work through blocks of this many or of a small multiple or fraction."""


def placed(messages: list[Made]) -> Iterator[tuple[int, Made]]:
    """Messages and where each begins."""
    offset = 0
    for made in messages:
        yield offset, made
        offset += len(made.raw)


def check(twin: HotPath, messages: list[Made], build: Builder, misalignment: int = 0) -> None:
    """Decode the messages back to back and compare every cell."""
    data = b"".join(made.raw for made in messages)
    made_plan = columns_of(build)
    outputs = Outputs(made_plan, len(messages) + 3, misalignment)
    outcome = twin.decode(data, 0, EVERYTHING, made_plan, False, outputs.columns, 2, outputs.rows)
    assert outcome == (len(messages), 0, len(data), len(data))
    assert outputs.untouched_outside(2, outputs.rows - 1)
    expected = [b"".join(cells) for cells in zip(*(made.row(offset) for offset, made in placed(messages)), strict=True)]
    found = [bytes(column[2 * width : -width]) for column, width in zip(outputs.columns, outputs.widths, strict=True)]
    assert found == expected


@pytest.mark.parametrize("count", [1, 2, 3, 5, BLOCK // 2, BLOCK - 1, BLOCK, BLOCK + 1, 8 * BLOCK + 7])
def test_one_shape(twin: HotPath, build: Builder, count: int) -> None:
    """Whole blocks of messages that differ in values alone."""
    mill = Mill(build, count)
    made = [mill.message(key_bytes=8, kinds=0) for _ in range(count)]
    check(twin, made, build)


@pytest.mark.parametrize("count", [1, 7, 1025, 9000])
@pytest.mark.parametrize("misalignment", [0, 1, 3, 8])
def test_many_shapes_in_any_order(twin: HotPath, build: Builder, count: int, misalignment: int) -> None:
    """Some are common, some rare; outputs need not be aligned."""
    mill = Mill(build, count + misalignment)
    sizes = [None, None, 8, 8, 16, 24]
    made = [mill.message(mill.random.choice(sizes)) for _ in range(count)]
    check(twin, made, build, misalignment)


def test_a_shape_that_comes_late(twin: HotPath, build: Builder) -> None:
    """Messages alike for blocks, then one in which an extension lies elsewhere, then alike again."""
    mill = Mill(build, 1)
    made = [mill.message(8, kinds=0) for _ in range(3 * BLOCK)]
    made[2 * BLOCK + 5 : 2 * BLOCK + 5] = [mill.message(16) for _ in range(9)]
    check(twin, made, build)


def test_more_shapes_than_are_kept(twin: HotPath, build: Builder) -> None:
    """Each of 4200 messages has key bits of its own, and comes three times, in another order each time."""
    mill = Mill(build, 2)
    made = []
    for bits in range(4200):
        item = Made(b"", bits, present=1 << BITS[KEY], key=(24, 528))
        item.raw = build.message(build.extension(KEY, build.pack("HH", bits, 0) + bytes(528)), seq=bits)
        made.append(item)
    again, last = list(made), list(made)
    mill.random.shuffle(again)
    mill.random.shuffle(last)
    check(twin, made + again + last, build)


def test_messages_longer_than_a_kept_shape(twin: HotPath, build: Builder) -> None:
    """Of 900 to 65535 * 8 bytes, among short ones."""
    mill = Mill(build, 3)
    sizes = [*range(900, 1200, 8), 2048, 5000, 8191]
    made = [mill.message(size) for size in sizes] + [mill.message(8) for _ in sizes]
    made += [mill.message(spare=spare) for spare in (100, 2000, 20000)]
    mill.random.shuffle(made)
    check(twin, made * 3, build)


def test_a_fault_in_the_middle_of_a_block(twin: HotPath, build: Builder) -> None:
    """The rows before it are written, those behind it are not touched."""
    mill = Mill(build, 4)
    made = [mill.message(mill.random.choice([None, 8])) for _ in range(BLOCK + 300)]
    good = b"".join(item.raw for item in made)
    bad = build.message(build.extension(KEY, build.pack("HH", 1, 0)))
    plan_ = columns_of(build)
    outputs = Outputs(plan_, 3 * BLOCK)
    outcome = twin.decode(good + bad + good, 0, EVERYTHING, plan_, False, outputs.columns, 10, outputs.rows)
    assert outcome == (len(made), Fault.KEY_OVERRUN, len(good) + 20, len(good))
    assert outputs.untouched_outside(10, 10 + len(made))
    offsets = [offset for offset, _ in placed(made)]
    assert outputs.numbers()[10 : 10 + len(made)] == offsets


def test_parts_of_a_buffer_make_the_same_table(twin: HotPath, build: Builder) -> None:
    """However it is cut, rows go on where the last call ended."""
    mill = Mill(build, 5)
    made = [mill.message(mill.random.choice([None, 8, 16])) for _ in range(2000)]
    data = b"".join(item.raw for item in made)
    plan_ = columns_of(build)
    whole, parts = Outputs(plan_, 2000), Outputs(plan_, 2000)
    assert twin.decode(data, 0, EVERYTHING, plan_, False, whole.columns, 0, 2000).count == 2000
    position = row_ = 0
    while row_ < 2000:
        rows = min(2000, row_ + mill.random.randint(1, 300))
        outcome = twin.decode(data, position, EVERYTHING, plan_, False, parts.columns, row_, rows)
        assert outcome.count == rows - row_
        row_, position = rows, outcome.next
    assert parts.memory == whole.memory


@pytest.fixture(scope="module", params=["little", "big"])
def large(request: pytest.FixtureRequest) -> tuple[Builder, bytes, int]:
    """A buffer a little larger than those that stay in the cache."""
    build = Builder(request.param)
    mill = Mill(build, 6)
    made = [mill.message(mill.random.choice([None, 8, 8, 8, 64])) for _ in range(20000)]
    part = b"".join(item.raw for item in made)
    calm = b"".join(mill.message(8, kinds=0).raw for _ in range(5000))
    times = STREAMED // (len(part) + len(calm)) + 1
    return build, (part + calm) * times, 25000 * times


def in_small_parts(twin: HotPath, data: bytes, plan_: ColumnPlan, outputs: Outputs, first: int) -> Outcome:
    """Decode to the rows from `first` on without ever giving a window that is large."""
    position = count = 0
    outcome = Outcome(0, 0, 0, 0)
    while position < len(data):
        row, rows = first + count, min(outputs.rows, first + count + 5000)
        outcome = twin.decode(data, position, position + (1 << 20), plan_, False, outputs.columns, row, rows)
        count += outcome.count
        position = outcome.next
        if not outcome.count:
            break
    return outcome._replace(count=count)


@needs_compiled
@pytest.mark.parametrize(("misalignment", "first"), [(0, 0), (8, 0), (5, 0), (0, 3)])
def test_large_buffers_give_what_their_parts_give(
    large: tuple[Builder, bytes, int], misalignment: int, first: int
) -> None:
    """Past the cache or through it, the bytes are the same."""
    build, data, count = large
    twin, plan_ = load("compiled"), columns_of(build)
    assert len(data) >= STREAMED
    rows = first + count + 1
    streamed, small = Outputs(plan_, rows, misalignment), Outputs(plan_, rows, misalignment)
    outcome = twin.decode(data, 0, EVERYTHING, plan_, False, streamed.columns, first, rows)
    assert outcome == in_small_parts(twin, data, plan_, small, first) == (count, 0, len(data), len(data))
    assert streamed.untouched_outside(first, first + count)
    assert streamed.memory == small.memory
