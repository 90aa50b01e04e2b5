"""Parts of buffers, outputs that are full, and the hop: where reading begins and where it ends."""

from __future__ import annotations

import pytest

from fastpfkey.errors import Fault
from fastpfkey.hotpath.contract import HotPath

from .made_up import PLAIN, Builder
from .twins import EVERYTHING
from .verdict import plan_of


@pytest.mark.parametrize("start", [0, 1, 7, 32, 33])
def test_windows(twin: HotPath, build: Builder, start: int) -> None:
    """Positions are from the start of the buffer wherever the window begins; what lies outside it does not matter."""
    good = build.message(build.extension(PLAIN, bytes(12)))
    buffer = b"\xff" * start + good * 3 + b"\xff" * 40
    for stop, expected in [
        (start, (0, 0, start, start)),
        (0, (0, 0, start, start)),
        (start + 15, (0, Fault.HEADER_TRUNCATED, start, start)),
        (start + 31, (0, Fault.MESSAGE_TRUNCATED, start + 4, start)),
        (start + 32, (1, 0, start + 32, start + 32)),
        (start + 64, (2, 0, start + 64, start + 64)),
        (start + 65, (2, Fault.HEADER_TRUNCATED, start + 64, start + 64)),
        (start + 96, (3, 0, start + 96, start + 96)),
        (EVERYTHING, (3, Fault.VERSION, start + 96, start + 96)),
    ]:
        offsets = memoryview(bytearray(8 * 10)).cast("Q")
        outcome = twin.walk(buffer, start, stop, build.frame, False, offsets)
        assert outcome == expected
        assert offsets.tolist() == [start + 32 * k if k < outcome.count else 0 for k in range(10)]
        plan = plan_of(build.frame)
        column = memoryview(bytearray(8 * 10)).cast("Q")
        assert twin.decode(buffer, start, stop, plan, False, [column], 0, 10) == expected
        assert column.tolist() == offsets.tolist()


@pytest.mark.parametrize("start", [1000, 1 << 40])
def test_a_window_behind_the_buffer(twin: HotPath, build: Builder, start: int) -> None:
    good = build.message()
    offsets = memoryview(bytearray(8)).cast("Q")
    assert twin.walk(good, start, EVERYTHING, build.frame, False, offsets) == (0, 0, start, start)
    assert twin.decode(good, start, EVERYTHING, plan_of(build.frame), False, [bytearray(8)], 0, 1) == (
        0,
        0,
        start,
        start,
    )
    assert twin.hop(good, start, EVERYTHING, build.frame.swap, EVERYTHING) == (0, 0, start, start)


@pytest.mark.parametrize("room", range(4))
def test_output_that_is_full_ends_without_a_fault(twin: HotPath, build: Builder, room: int) -> None:
    """Even if the next message is a bad one."""
    good = build.message(build.extension(PLAIN, bytes(12)))
    data = good * 3 + b"\xff"
    for size in (len(data), len(data) - 1):
        offsets = memoryview(bytearray(8 * room)).cast("Q") if room else memoryview(bytearray()).cast("Q")
        assert twin.walk(data[:size], 0, size, build.frame, False, offsets) == (room, 0, 32 * room, 32 * room)
        columns = [bytearray(8 * (room + 5))]
        outcome = twin.decode(data[:size], 0, size, plan_of(build.frame), False, columns, 5, room + 5)
        assert outcome == (room, 0, 32 * room, 32 * room)
    assert twin.decode(data, 0, size, plan_of(build.frame), False, [bytearray(80)], 7, 5) == (0, 0, 0, 0)


class TestHop:
    """Headers alone: lengths are believed as far as they are possible, nothing else is looked at."""

    def test_it_stops_at_the_first_message_at_or_behind_the_target(self, twin: HotPath, build: Builder) -> None:
        data = build.header(3) + bytes(8) + build.header(4) + bytes(16) + build.header(2)
        for target, expected in [(0, (0, 0)), (1, (1, 24)), (24, (1, 24)), (25, (2, 56)), (56, (2, 56)), (57, (3, 72))]:
            count, position = expected
            assert twin.hop(data, 0, EVERYTHING, build.frame.swap, target) == (count, 0, position, position)
        assert twin.hop(data, 24, EVERYTHING, build.frame.swap, EVERYTHING) == (2, 0, 72, 72)
        assert twin.hop(data, 24, 71, build.frame.swap, EVERYTHING) == (1, 0, 56, 56)

    @pytest.mark.parametrize("bad", [0, 1, 6, 0xFFFF])
    def test_an_impossible_length_ends_it(self, twin: HotPath, build: Builder, bad: int) -> None:
        data = build.header(2) + build.header(bad) + bytes(16)
        assert twin.hop(data, 0, EVERYTHING, build.frame.swap, EVERYTHING) == (1, 0, 16, 16)

    @pytest.mark.parametrize("left", range(16))
    def test_a_rest_shorter_than_a_header_ends_it(self, twin: HotPath, build: Builder, left: int) -> None:
        data = build.header(2) + build.header(2)[:left]
        assert twin.hop(data, 0, EVERYTHING, build.frame.swap, EVERYTHING) == (1, 0, 16, 16)

    def test_version_and_extensions_do_not_matter(self, twin: HotPath, build: Builder) -> None:
        data = build.header(3, version=77) + bytes(8)
        assert twin.hop(data, 0, EVERYTHING, build.frame.swap, EVERYTHING) == (1, 0, 24, 24)
