"""What becomes of faulty messages: raised, where decoding stops, or skipped; and the same for any number of threads."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.columns.associations import SATable
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.errors import Fault, MalformedError, TruncatedError, WireError

from .support import MIXED, associations, header_only, offsets, same

STARTS = offsets(MIXED)
TENTH = STARTS[10]


def with_byte(position: int, value: int, data: bytes = MIXED) -> bytes:
    """The capture with one byte changed."""
    changed = bytearray(data)
    changed[position] = value
    return bytes(changed)


EMPTY_EXTENSION = with_byte(TENTH + 16, 0)
NO_LENGTH = with_byte(TENTH + 4, 0, with_byte(TENTH + 5, 0))


def test_raise_tells_what_where_and_how_much_was_good() -> None:
    with pytest.raises(MalformedError) as caught:
        associations(EMPTY_EXTENSION)
    error = caught.value
    assert (error.fault, error.offset, error.message_index, error.good) == (
        Fault.EXTENSION_EMPTY,
        TENTH + 16,
        10,
        10,
    )


def test_stop_keeps_what_was_good() -> None:
    table = associations(EMPTY_EXTENSION, on_error="stop")
    assert same(table, associations(MIXED[:TENTH]))
    assert table.fault is not None
    assert (table.fault.offset, table.fault.good, table.skipped) == (TENTH + 16, 10, 0)


def test_skip_goes_on_behind_the_faulty_message() -> None:
    table = associations(EMPTY_EXTENSION, on_error="skip")
    whole = associations()
    assert same(table, whole[np.arange(53) != 10])
    assert table.skipped == 1
    assert [fault.args for fault in table.faults] == [(Fault.EXTENSION_EMPTY, TENTH + 16, 10, 10)]
    assert table.fault is table.faults[0]


def test_skip_ends_where_no_length_leads_on() -> None:
    broken = with_byte(STARTS[3] + 16, 0, NO_LENGTH)
    table = associations(broken, on_error="skip")
    assert same(table, associations()[[0, 1, 2, 4, 5, 6, 7, 8, 9]])
    assert table.skipped == 2
    last = table.faults[-1]
    assert (last.fault, last.message_index, last.good) == (Fault.MESSAGE_SHORT, 10, 9)


@pytest.mark.parametrize("cut", [1, 15, 100])
def test_a_truncated_end_is_told_apart(cut: int) -> None:
    with pytest.raises(TruncatedError) as caught:
        associations(MIXED[:-cut])
    assert (caught.value.offset, caught.value.good) == (STARTS[-1] + 4, 52)
    with pytest.raises(TruncatedError) as caught:
        associations(MIXED + MIXED[:cut])
    assert caught.value.message_index == 53


def test_good_tables_have_no_fault() -> None:
    table = associations()
    assert (table.fault, table.skipped) == (None, 0)
    assert table[:3].fault is None


def test_strict_refuses_extensions_that_the_dialect_does_not_know() -> None:
    """Without it they are counted, as Linux passes over what it does not know."""
    alien = header_only()[:4] + struct.pack("<HHII", 3, 0, 0, 1) + struct.pack("<HHI", 1, 200, 0)
    assert associations(alien)["other_extensions"].tolist() == [1]
    with pytest.raises(WireError) as caught:
        associations(alien, strict=True)
    assert caught.value.fault is Fault.EXTENSION_UNKNOWN


def test_threads_put_every_row_where_it_belongs() -> None:
    dump = synthetic(5000)
    alone = SATable.from_buffer(dump, "linux", keys=True)
    for threads in (2, 3, 8):
        together = SATable.from_buffer(dump, "linux", keys=True, threads=threads)
        assert same(together, alone)
        assert together.key_bytes("encrypt") == alone.key_bytes("encrypt")


def test_more_threads_than_messages() -> None:
    assert same(associations(MIXED[: STARTS[2]], threads=7), associations(MIXED[: STARTS[2]]))
    assert len(associations(b"", threads=7)) == 0


def outcome(data: bytes, **arguments: Any) -> tuple[SATable | None, object]:
    """The table and what is known of the faults, however it is told."""
    try:
        table = associations(data, **arguments)
    except WireError as error:
        return None, error.args
    return table, ([fault.args for fault in table.faults], table.skipped)


ways = st.sampled_from(["raise", "stop", "skip"])
changes = st.lists(st.tuples(st.integers(0, len(MIXED) - 1), st.integers(0, 255)), max_size=6)


@pytest.mark.fuzz
@given(
    changes=changes,
    cut=st.integers(0, len(MIXED)),
    threads=st.integers(2, 6),
    on_error=st.sampled_from(["raise", "stop", "skip"]),
)
def test_threads_change_nothing(changes: list[tuple[int, int]], cut: int, threads: int, on_error: str) -> None:
    data = bytearray(MIXED)
    for position, value in changes:
        data[position] = value
    broken = bytes(data[:cut] if cut % 3 else data)
    alone, told = outcome(broken, on_error=on_error)
    together, also_told = outcome(broken, on_error=on_error, threads=threads)
    assert told == also_told
    assert (alone is None) == (together is None)
    if alone is not None and together is not None:
        assert same(alone, together)


@pytest.mark.fuzz
@given(changes=changes)
def test_the_ways_to_take_a_fault_agree(changes: list[tuple[int, int]]) -> None:
    """Stop gives what raise counts as good, and skip begins with it."""
    data = bytearray(MIXED)
    for position, value in changes:
        data[position] = value
    stopped = associations(bytes(data), on_error="stop")
    skipped = associations(bytes(data), on_error="skip")
    assert same(skipped[: len(stopped)], stopped)
    if stopped.fault is None:
        assert len(stopped) == len(skipped) == 53
        return
    with pytest.raises(WireError) as caught:
        associations(bytes(data))
    assert caught.value.args == stopped.fault.args
    assert caught.value.good == len(stopped)
