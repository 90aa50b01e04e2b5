"""Decoding the messages of a batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.columns.associations import SATable
from fastpfkey.columns.source import Source
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.wire.decode import decode

from .support import MIXED, associations, same

WHOLE = associations(keys=True)
BATCH = decode(MIXED, "linux", "little")


def test_a_batch_makes_the_table_of_its_buffer() -> None:
    table = SATable.from_batch(BATCH, keys=True)
    assert same(table, WHOLE)
    assert table.key_bytes("auth") == WHOLE.key_bytes("auth")
    assert (table.dialect.name, table.byteorder) == ("linux", "little")
    assert table.faults == ()


@given(chosen=st.slices(53))
def test_a_slice_of_a_batch_makes_the_table_of_those_messages(chosen: slice) -> None:
    table = SATable.from_batch(BATCH[chosen], keys=True)
    assert same(table, WHOLE[chosen])
    assert table.key_bytes("encrypt") == WHOLE[chosen].key_bytes("encrypt")


def test_messages_that_follow_each_other_are_one_run() -> None:
    """So that a whole batch is decoded in one go."""
    assert Source.of_batch(BATCH).runs == [(0, len(MIXED))]
    assert len(Source.of_batch(BATCH[::2]).runs) == 27
    assert Source.of_batch(BATCH[:0]).runs == []


def test_a_batch_with_holes_makes_a_table_without_them() -> None:
    broken = bytearray(MIXED)
    broken[WHOLE["message_offset"][7]] = 1
    batch = decode(bytes(broken), "linux", "little", on_error="skip")
    table = SATable.from_batch(batch)
    assert same(table, WHOLE[[row for row in range(53) if row != 7]])


def test_byte_order_columns_and_memory_are_as_from_a_buffer() -> None:
    big = synthetic(30, byteorder="big")
    table = SATable.from_batch(decode(big, "linux", "big"), columns=["spi", "dst"], threads=2)
    assert same(table, SATable.from_buffer(big, "linux", columns=["spi", "dst"], byteorder="big"))
    again = SATable.from_batch(decode(big, "linux", "big")[5:], columns=["spi", "dst"], out=table)
    assert again is table
    assert len(again) == 25
    with pytest.raises(KeyError, match="colour"):
        SATable.from_batch(BATCH, columns=["colour"])
