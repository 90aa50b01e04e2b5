"""Copying whole messages out of a store, on both twins."""

import struct
from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.hotpath import load

from .twins import TWINS

pytestmark = pytest.mark.fuzz

HEADER = struct.Struct("=BBBBHHII")


def message(words: int, mark: int) -> bytes:
    """A message of so many words, its body all one byte."""
    return HEADER.pack(2, 10, 0, 3, words, 0, 111, 222) + bytes([mark]) * (words * 8 - 16)


def renumbered(raw: bytes, seq: int, pid: int) -> bytes:
    """The same with another number and pid."""
    return raw[:8] + struct.pack("=II", seq % 2**32, pid) + raw[16:]


def copied(
    backend: str, buffer: bytes, offsets: Sequence[int], room: int, seq: int, step: int, pid: int
) -> tuple[int, bytearray, list[int]]:
    """What a twin returns and writes; unwritten bytes are 0xee, unwritten ends 7."""
    out = bytearray(b"\xee" * room)
    ends = array("Q", [7] * (len(offsets) + 1))
    total = load(backend).copy_records(buffer, array("Q", offsets), out, seq, step, pid, ends)
    return total, out, list(ends)


@pytest.mark.parametrize("backend", TWINS)
@given(
    words=st.lists(st.integers(2, 40), min_size=1, max_size=12),
    order=st.data(),
    seq=st.integers(-5, 2**32 + 5),
    step=st.sampled_from([1, -1, 0, 7]),
    pid=st.integers(0, 2**32 - 1),
)
def test_copies_are_the_messages_with_other_numbers(
    backend: str, words: list[int], order: st.DataObject, seq: int, step: int, pid: int
) -> None:
    messages = [message(size, mark) for mark, size in enumerate(words)]
    chosen = order.draw(st.lists(st.integers(0, len(words) - 1), max_size=20))
    offsets = [sum(map(len, messages[:number])) for number in chosen]
    wanted = [renumbered(messages[number], seq + step * place, pid) for place, number in enumerate(chosen)]
    total, out, ends = copied(backend, b"".join(messages), offsets, sum(map(len, wanted)) + 3, seq, step, pid)
    assert (total, bytes(out)) == (len(b"".join(wanted)), b"".join(wanted) + b"\xee" * 3)
    assert ends == [*(sum(map(len, wanted[: place + 1])) for place in range(len(wanted))), 7]


@pytest.mark.parametrize("backend", TWINS)
@pytest.mark.parametrize(
    ("buffer", "offsets", "room", "why"),
    [
        (message(4, 1), [17], 99, "begins outside"),
        (message(4, 1), [2**64 - 8], 99, "begins outside"),
        (b"", [0], 99, "begins outside"),
        (message(4, 1)[:-1], [0], 99, "past the end"),
        (message(4, 1) + HEADER.pack(2, 10, 0, 3, 1, 0, 0, 0), [0, 32], 99, "too short"),
        (message(4, 1), [0, 0], 63, "room for all"),
    ],
)
def test_what_does_not_fit_is_an_error_and_nothing_is_written(
    backend: str, buffer: bytes, offsets: list[int], room: int, why: str
) -> None:
    out, ends = bytearray(b"\xee" * room), array("Q", [7] * len(offsets))
    with pytest.raises(IndexError, match=why):
        load(backend).copy_records(buffer, array("Q", offsets), out, 1, 1, 1, ends)
    with pytest.raises(IndexError, match="ends"):
        load(backend).copy_records(buffer, array("Q", [0, 0]), out, 1, 1, 1, ends[:1])
    assert (bytes(out), list(ends)) == (b"\xee" * room, [7] * len(offsets))
