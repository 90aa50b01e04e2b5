"""Datagrams that lie in slots, as the system writes several at once, and come out back to back."""

from __future__ import annotations

import sys
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpfkey.hotpath.contract import HotPath

from .twins import PATTERN, Compared, needs_compiled

STRIDE = 64


def datagram(size: int, fill: int, claimed: int | None = None) -> bytes:
    """A message of `size` bytes whose header says that, or something else."""
    words = max(size if claimed is None else claimed, 0) // 8
    header = bytes([2, 10, 0, 3]) + words.to_bytes(2, sys.byteorder) + bytes(10)
    return (header + bytes([fill]) * size)[:size]


def slots(*datagrams: bytes) -> tuple[bytes, array[int]]:
    """Datagrams in slots, and their lengths."""
    return b"".join(each.ljust(STRIDE, b"\xee")[:STRIDE] for each in datagrams), array("I", map(len, datagrams))


def pack(twin: HotPath, datagrams: list[bytes], room: int, first: int = 0) -> tuple[tuple[int, int], bytes]:
    source, lengths = slots(*datagrams)
    out = bytearray([PATTERN]) * room
    told = twin.pack(source, STRIDE, lengths, first, out)
    assert out[told[1] :] == bytes([PATTERN]) * (room - told[1])
    return told, bytes(out[: told[1]])


GOOD = [datagram(16, 1), datagram(64, 2), datagram(40, 3)]


def test_they_come_out_back_to_back(twin: HotPath) -> None:
    assert pack(twin, GOOD, 200) == ((3, 120), b"".join(GOOD))


def test_from_any_number_on(twin: HotPath) -> None:
    assert pack(twin, GOOD, 200, first=1) == ((3, 104), GOOD[1] + GOOD[2])
    assert pack(twin, GOOD, 200, first=3) == ((3, 0), b"")
    assert pack(twin, GOOD, 200, first=4) == ((4, 0), b"")


@pytest.mark.parametrize(("room", "taken"), [(0, 0), (15, 0), (16, 1), (79, 1), (80, 2), (119, 2), (120, 3), (121, 3)])
def test_only_whole_ones_where_room_is_short(twin: HotPath, room: int, taken: int) -> None:
    whole = b"".join(GOOD[:taken])
    assert pack(twin, GOOD, room) == ((taken, len(whole)), whole)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(datagram(32, 4, claimed=48), id="says more"),
        pytest.param(datagram(32, 4, claimed=24), id="says less"),
        pytest.param(datagram(35, 4), id="is no number of words"),
        pytest.param(datagram(8, 4), id="is shorter than a header"),
        pytest.param(b"", id="is empty"),
        pytest.param(datagram(72, 4), id="was cut"),
    ],
)
def test_they_stop_before_one_whose_length_is_not_its_own(twin: HotPath, odd: bytes) -> None:
    assert pack(twin, [GOOD[0], odd, GOOD[2]], 200) == ((1, 16), GOOD[0])


def test_lengths_may_stand_among_other_numbers(twin: HotPath) -> None:
    """As in an array of struct mmsghdr."""
    source, lengths = slots(*GOOD)
    headers = array("I", [0xFFFF_FFFF] * 48)
    memoryview(headers)[14::16] = lengths
    out = bytearray(200)
    assert twin.pack(source, STRIDE, memoryview(headers)[14::16], 0, out) == (3, 120)
    assert out[:120] == b"".join(GOOD)


@pytest.mark.parametrize(("stride", "first"), [(STRIDE + 1, 0), (-STRIDE, 0), (STRIDE, -1), (1 << 62, 0)])
def test_slots_that_are_not_there_are_refused(twin: HotPath, stride: int, first: int) -> None:
    source, lengths = slots(*GOOD)
    out = bytearray([PATTERN]) * 200
    with pytest.raises(IndexError, match="pack: "):
        twin.pack(source, stride, lengths, first, out)
    assert set(out) == {PATTERN}


def test_without_any_there_is_nothing_to_do(twin: HotPath) -> None:
    assert twin.pack(b"", STRIDE, array("I"), 0, bytearray()) == (0, 0)


@pytest.fixture(scope="module")
def twins() -> Compared:
    return Compared(capacity=1 << 12)


@needs_compiled
@pytest.mark.fuzz
@settings(max_examples=200)
@given(
    sizes=st.lists(
        st.tuples(st.sampled_from([0, 8, 16, 24, 35, 64, 72, 1 << 31]), st.sampled_from([0, 0, 0, 0, -8, 8])),
        max_size=6,
    ),
    first=st.integers(0, 7),
    room=st.integers(0, 200),
)
def test_the_twins_agree(twins: Compared, sizes: list[tuple[int, int]], first: int, room: int) -> None:
    source = b"".join(slots(datagram(min(size, 99), 5, min(size, 99) + more))[0] for size, more in sizes)
    lengths = array("I", [size for size, _ in sizes])
    results = []
    for twin, buffer in twins.runs(source):
        out = bytearray([PATTERN]) * room
        results.append((twin.pack(buffer, STRIDE, lengths, first, out), out))
    assert results[1:] == results[:1] * 2
