"""Decoding into the memory of an earlier table."""

from __future__ import annotations

import numpy as np
import pytest
from corpus.groundtruth import capture

from fastpfkey.columns import room
from fastpfkey.columns.associations import SATable
from fastpfkey.columns.policies import PolicyTable
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.errors import WireError

from .support import MIXED, associations, offsets, same


def places(table: SATable) -> dict[str, int]:
    """Where each column lies in memory."""
    return {name: table[name].__array_interface__["data"][0] for name in table.columns}


def test_columns_stay_where_they_are() -> None:
    table = associations(synthetic(500, byteorder="little"))
    before = places(table)
    again = associations(MIXED, out=table)
    assert again is table
    assert places(again) == before
    assert same(again, associations(MIXED))
    back = associations(synthetic(500, byteorder="little"), out=again)
    assert places(back) == before
    assert same(back, associations(synthetic(500, byteorder="little")))


def test_no_memory_is_taken_for_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    table = associations(synthetic(500, byteorder="little"))

    def refuse(*_: object) -> None:
        raise AssertionError("memory was taken")

    monkeypatch.setattr(room, "allocate", refuse)
    assert len(associations(synthetic(490, byteorder="little"), out=table)) == 490
    with pytest.raises(AssertionError, match="memory was taken"):
        associations(synthetic(490, byteorder="little"))


def test_room_grows_when_it_is_too_small_and_then_stays() -> None:
    table = associations(MIXED[: offsets(MIXED)[3]])
    assert same(associations(MIXED, out=table), associations(MIXED))
    before = places(table)
    associations(MIXED, out=table, threads=2)
    assert places(table) == before


def test_everything_of_the_earlier_table_is_replaced() -> None:
    table = associations(MIXED[:-8], keys=True, on_error="stop")
    assert table.fault is not None
    big = synthetic(10, byteorder="big")
    again = SATable.from_buffer(big, "linux", byteorder="big", keys=True, out=table)
    assert (again.fault, again.byteorder, len(again)) == (None, "big", 10)
    assert again.key_bytes("auth") == SATable.from_buffer(big, "linux", byteorder="big", keys=True).key_bytes("auth")


def test_a_fault_leaves_the_good_rows_in_it() -> None:
    table = associations()
    with pytest.raises(WireError):
        associations(MIXED[:-8], out=table)
    assert len(table) == 52
    assert table.fault is not None


def test_other_columns_are_refused() -> None:
    table = associations(columns=["spi", "src"])
    for columns in (None, ["spi"], ["src", "spi"]):
        with pytest.raises(ValueError, match="out= has other columns"):
            associations(columns=columns, out=table)
    with pytest.raises(ValueError, match="out= has other columns"):
        associations(columns=["spi", "src"], keys=True, out=table)
    assert same(associations(columns=["spi", "src"], out=table), associations(columns=["spi", "src"]))


def test_a_selection_has_no_memory_to_lend() -> None:
    """A slice shares memory with its table, which would change under it."""
    for table in (associations()[:5], SATable.concat([associations(), associations()])):
        with pytest.raises(ValueError, match="no memory to lend"):
            associations(out=table)


def test_policies_are_decoded_into_it_too() -> None:
    data = capture("linux-policies.bin")
    table = PolicyTable.from_buffer(data, "linux", byteorder="little")
    before = table["spid"].__array_interface__["data"][0]
    again = PolicyTable.from_buffer(data[: offsets(data)[5]], "linux", byteorder="little", out=table)
    assert again is table
    assert again["spid"].__array_interface__["data"][0] == before
    assert len(again.request_offsets) == 6
    assert np.array_equal(
        again.requests["reqid"], PolicyTable.from_buffer(data, "linux", byteorder="little")[:5].requests["reqid"]
    )
