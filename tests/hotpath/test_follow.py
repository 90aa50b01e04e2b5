"""Following messages that are numbered one after the other, on both twins: what goes on, and what ends it."""

from __future__ import annotations

import pytest

from fastpfkey.hotpath.contract import HotPath

from .made_up import PLAIN, Builder
from .twins import EVERYTHING

PID = 0x05060708
SIZE = 32


def numbered(build: Builder, *numbers: int) -> bytes:
    """Messages with these numbers."""
    return b"".join(build.message(build.extension(PLAIN, bytes(12)), seq=number) for number in numbers)


def count(twin: HotPath, build: Builder, data: bytes, seq: int, step: int = 1) -> int:
    """How many are followed, having looked at the rest of the outcome."""
    found = twin.follow(data, 0, EVERYTHING, build.frame, 10, PID, seq, step)
    assert found == (found.count, 0, found.count * SIZE, found.count * SIZE)
    return found.count


@pytest.mark.parametrize(
    ("numbers", "seq", "step", "expected"),
    [
        ([], 1, 1, 0),
        ([1, 2, 3], 1, 1, 3),
        ([1, 2, 3], 2, 1, 0),
        ([1, 2, 4], 1, 1, 2),
        ([1, 2, 2, 3], 1, 1, 2),
        ([1, 2, 0], 1, 1, 2),
        ([3, 2, 1, 0], 3, -1, 3),
        ([0, 1], 0, 1, 0),
        ([0], 0, -1, 0),
        ([7, 7, 7], 7, 0, 3),
        ([0xFFFFFFFE, 0xFFFFFFFF, 0], 0xFFFFFFFE, 1, 2),
        ([0xFFFFFFFF], -1, 1, 0),
        ([1], 0x100000001, 1, 0),
        ([0x01020304, 0x01020305], 0x01020304, 1, 2),
    ],
)
def test_numbers(twin: HotPath, build: Builder, numbers: list[int], seq: int, step: int, expected: int) -> None:
    assert count(twin, build, numbered(build, *numbers), seq, step) == expected


@pytest.mark.parametrize(
    ("place", "byte"),
    [(0, 1), (1, 11), (1, 0), (2, 1), (2, 255), (12, 9), (15, 9), (4, 0), (5, 0), (16, 255), (18, 99)],
)
@pytest.mark.parametrize("number", [0, 1, 20_000])
def test_a_message_with_another_byte_ends_it(twin: HotPath, build: Builder, place: int, byte: int, number: int) -> None:
    """Its version, type, errno, pid or length, or an extension that cannot be read."""
    data = bytearray(numbered(build, *range(1, number + 3)))
    if place in (4, 5):
        data[number * SIZE + 4 : number * SIZE + 6] = bytes(2)
    else:
        data[number * SIZE + place] = byte
    if place in (16, 18):
        data[number * SIZE + 16 : number * SIZE + 20] = b"\xff" * 4
    assert count(twin, build, bytes(data), 1) == number


@pytest.mark.parametrize("cut", range(SIZE))
def test_a_message_that_is_cut_off_ends_it(twin: HotPath, build: Builder, cut: int) -> None:
    assert count(twin, build, numbered(build, 1, 2, 3)[: 2 * SIZE + cut], 1) == 2


def test_a_window(twin: HotPath, build: Builder) -> None:
    data = b"\xff" * 7 + numbered(build, 1, 2, 3)
    assert twin.follow(data, 7, 7 + 2 * SIZE, build.frame, 10, PID, 1, 1) == (2, 0, 7 + 2 * SIZE, 7 + 2 * SIZE)
    assert twin.follow(data, 7 + SIZE, EVERYTHING, build.frame, 10, PID, 2, 1) == (2, 0, len(data), len(data))
    assert twin.follow(data, 1 << 40, EVERYTHING, build.frame, 10, PID, 1, 1) == (0, 0, 1 << 40, 1 << 40)


def test_many_shapes(twin: HotPath, build: Builder) -> None:
    """More than are remembered."""
    sizes = [12 + 8 * (number * 7 % 400) for number in range(2000)]
    messages = [build.message(build.extension(PLAIN, bytes(size)), seq=seq) for seq, size in enumerate(sizes, 1)]
    data = b"".join(messages)
    assert twin.follow(data, 0, EVERYTHING, build.frame, 10, PID, 1, 1) == (2000, 0, len(data), len(data))
