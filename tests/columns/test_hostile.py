"""Bytes that nobody meant: a table or a WireError, and a table that can be shown."""

from __future__ import annotations

import pytest
from corpus.groundtruth import capture
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey import spec
from fastpfkey.columns.algorithms import AlgorithmTable
from fastpfkey.columns.associations import SATable
from fastpfkey.columns.policies import PolicyTable
from fastpfkey.errors import WireError

KINDS = [SATable, PolicyTable, AlgorithmTable]
CAPTURES = {
    SATable: capture("linux-mixed.bin")[:6000],
    PolicyTable: capture("linux-policies.bin"),
    AlgorithmTable: capture("linux-register-esp.bin") * 3,
}
changes = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=8)
readings = st.fixed_dictionaries(
    {
        "dialect": st.sampled_from(spec.DIALECTS),
        "byteorder": st.sampled_from(["little", "little", "big"]),
        "on_error": st.sampled_from(["raise", "stop", "skip"]),
    }
)


def show(table: SATable | PolicyTable | AlgorithmTable) -> None:
    """Everything that turns a table into text."""
    assert len(list(table.rows())) == len(table)
    assert repr(table).startswith(type(table).__name__)


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", KINDS)
@given(changes=changes, cut=st.integers(0, 1 << 16), reading=readings)
def test_damaged_captures_are_read_or_refused(kind, changes, cut: int, reading) -> None:
    data = bytearray(CAPTURES[kind])
    for position, value in changes:
        data[position % len(data)] = value
    try:
        table = kind.from_buffer(data[: cut % (4 * len(data))], **reading)
    except WireError:
        assert reading["on_error"] == "raise"
        return
    show(table)
    show(table[::-2])
    if kind is PolicyTable:
        show(table.requests)
        assert table.request_offsets[-1] == len(table.requests)


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.binary(max_size=200), reading=readings)
def test_any_bytes_are_read_or_refused(kind, data: bytes, reading) -> None:
    try:
        table = kind.from_buffer(b"\2" + data, **reading)
    except WireError as error:
        refused = error
    else:
        show(table)
        return
    assert reading["on_error"] == "raise"
    assert 0 <= refused.offset <= len(data) + 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [0, 1, 0xFFFF])
def test_no_memory_is_taken_on_the_word_of_a_length(kind, length: int) -> None:
    data = bytearray(CAPTURES[kind])
    data[4:6] = length.to_bytes(2, "little")
    table = kind.from_buffer(data, "linux", byteorder="little", on_error="stop")
    assert len(table) == 0
    assert table.fault is not None
