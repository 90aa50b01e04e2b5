"""Decoding into memory that is there: that of an earlier table, or of a pool."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from corpus.groundtruth import capture

from fastpfkey import BACKEND, BufferPool, PoolStatistics, iter_tables, wipe
from fastpfkey.columns import room
from fastpfkey.columns.associations import SATable
from fastpfkey.columns.policies import PolicyTable
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.errors import LeaseError, WireError
from fastpfkey.spec.tables import Column

from .support import MIXED, associations, header_only, offsets, same


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


def test_nothing_of_the_earlier_dump_is_left() -> None:
    table = associations()
    table.complete, table.missing = False, 3
    assert (associations(out=table).complete, table.missing) == (True, 0)


@pytest.mark.parametrize("out", [bytearray(1 << 20), associations, 5])
def test_what_has_no_memory_for_tables_is_refused(out: object) -> None:
    with pytest.raises(TypeError, match="out= takes an earlier SATable or a BufferPool, not "):
        associations(out=out)


def test_a_table_of_another_kind_is_refused() -> None:
    policies = PolicyTable.from_buffer(b"", "linux")
    with pytest.raises(TypeError, match="not PolicyTable"):
        associations(out=policies)


BIG = bytes(synthetic(5000, byteorder="little"))


def pool(slab_size: int = 4 << 20, slabs: int = 2, **more: int) -> BufferPool:
    return BufferPool(slab_size, slabs, **{"max_slabs": slabs} | more)


def now(pool: BufferPool) -> PoolStatistics:
    """Its numbers when nothing is left to be collected."""
    gc.collect()
    return pool.statistics


class TestPool:
    def test_columns_lie_in_a_slab(self) -> None:
        lender = pool(slabs=1)
        table = associations(out=lender)
        assert same(table, associations())
        begins = places(table).values()
        assert max(begins) - min(begins) < lender.slab_size
        assert now(lender).in_use == 1
        del table, begins
        assert now(lender)[:4] == (0, 1, 0, 0)

    def test_the_steady_state_takes_no_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither from the pool nor from Python and NumPy, which tells tracemalloc of every array."""
        lender = pool()
        table = associations(BIG, out=lender)
        peaks = {}
        allocate = room.allocate

        def only_empty(columns: tuple[Column, ...], rows: int) -> dict[str, room.Array]:
            assert rows == 0
            return allocate(columns, rows)

        monkeypatch.setattr(room, "allocate", only_empty)
        tracemalloc.start()
        try:
            for rows in (500, 5000) * 3:
                data = BIG[: offsets(BIG)[rows]] if rows < 5000 else BIG
                tracemalloc.reset_peak()
                before, _ = tracemalloc.get_traced_memory()
                table = associations(data, out=lender)
                _, peak = tracemalloc.get_traced_memory()
                peaks[len(table)] = peak - before
        finally:
            tracemalloc.stop()
        assert (now(lender).allocations, now(lender).oversize) == (2, 0)
        if BACKEND == "compiled":  # the reference has arrays of its own in the middle of its work
            assert abs(peaks[5000] - peaks[500]) < 4500, "a byte for each row more would be an array"

    def test_what_was_taken_keeps_the_slab(self) -> None:
        lender = pool()
        table = associations(out=lender)
        spis, head = table["spi"], table[:5]
        expected = spis.tolist()
        del table
        assert now(lender).in_use == 1
        for _ in range(3):
            other = associations(BIG, out=lender)
            assert len(other) == 5000
            del other
        assert spis.tolist() == expected
        assert head["spi"].tolist() == expected[:5]
        del spis
        assert now(lender).in_use == 1
        del head
        assert now(lender).in_use == 0

    def test_one_that_is_exhausted_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(BufferPool.acquire, "__defaults__", (None, 0.01))
        lender = pool(slabs=1)
        table = associations(out=lender)
        with pytest.raises(LeaseError, match="all 1 slabs are lent"):
            associations(out=lender)
        assert same(table, associations())

    @pytest.mark.parametrize("threads", [1, 2])
    def test_what_a_slab_has_no_room_for_is_oversize(self, threads: int) -> None:
        lender = pool(slab_size=1 << 16, slabs=1)
        table = associations(BIG, out=lender, threads=threads)
        assert same(table, associations(BIG))
        assert (now(lender).in_use, now(lender).oversize > 0) == (1, True)
        del table
        assert now(lender).in_use == 0

    def test_a_slab_serves_more_messages_than_were_expected(self) -> None:
        """The first of a capture may be long and all others short."""
        lender = pool(slabs=1)
        short = b"".join(header_only(seq=number) for number in range(3000))
        data = BIG[: offsets(BIG)[400]] + short
        assert same(associations(data, out=lender), associations(data))
        assert now(lender)[:4] == (0, 1, 0, 0)

    def test_a_table_of_a_pool_keeps_its_slab_as_out(self) -> None:
        lender = pool()
        table = associations(out=lender)
        before = places(table)
        assert associations(BIG, out=table) is table
        assert places(table) == before
        assert (now(lender).in_use, now(lender).high_water) == (1, 1)

    def test_and_grows_from_the_pool(self) -> None:
        lender = pool(slab_size=1 << 16)
        table = associations(MIXED[: offsets(MIXED)[3]], out=lender)
        associations(BIG, out=table)
        assert same(table, associations(BIG))
        assert (now(lender).in_use, now(lender).oversize) == (1, 1)

    def test_a_fault_gives_the_slab_back(self) -> None:
        lender = pool(slabs=1)
        with pytest.raises(WireError):
            associations(MIXED[:-8], out=lender)
        assert now(lender).in_use == 0
        assert associations(MIXED[:-8], out=lender, on_error="stop").fault is not None

    def test_keys_lie_in_a_slab_that_is_wiped(self) -> None:
        lender = pool()
        expected = associations(keys=True).key_bytes("auth")
        some = max(expected, key=len)
        for lease in [lender.acquire(), lender.acquire()]:  # what the system gives may hold what was freed before
            wipe(lease)
            lease.release()
        for round in range(3):
            table = associations(keys=True, out=lender)
            assert table.key_bytes("auth") == expected
            assert table.keys is not None
            memory, _ = table.keys.places("auth")
            assert some in bytes(memory)
            part = table[:10]
            del table, memory
            assert (now(lender).in_use, part.key_bytes("auth")) == (2, expected[:10])
            del part
            assert (now(lender).in_use, now(lender).allocations) == (0, 2)
            leases = [lender.acquire(), lender.acquire()]
            assert not any(some in bytes(lease) for lease in leases), round
            for lease in leases:
                lease.release()

    def test_keys_can_be_wiped_before(self) -> None:
        lender = pool()
        table = associations(keys=True, out=lender)
        assert table.keys is not None
        memory, _ = table.keys.places("auth")
        table.wipe()
        assert not any(memory)
        with pytest.raises(ValueError, match="were wiped"):
            table.key_bytes("auth")

    def test_nothing_is_taken_for_no_keys(self) -> None:
        lender = pool(slabs=1)
        assert associations(header_only(), keys=True, out=lender).key_bytes("auth") == [b""]
        assert len(associations(b"", out=lender)) == 0
        assert now(lender).high_water == 1

    def test_policies_are_decoded_into_it_too(self) -> None:
        lender = pool(slabs=1)
        data = capture("linux-policies.bin")
        table = PolicyTable.from_buffer(data, "linux", byteorder="little", out=lender)
        assert now(lender).in_use == 1
        plain = PolicyTable.from_buffer(data, "linux", byteorder="little")
        assert same(table, plain)
        assert same(table.requests, plain.requests)

    def test_streams_come_in_tables_of_it(self) -> None:
        lender = pool()
        total = 0
        for table in iter_tables(BIG, 500, "linux", byteorder="little", out=lender):
            total += len(table)
        del table
        assert total == 5000
        assert now(lender) == (0, 2, 0, 0, 0, 2)

    def test_a_concatenation_is_in_memory_of_its_own(self) -> None:
        lender = pool(slabs=4)
        both = SATable.concat([associations(keys=True, out=lender) for _ in range(2)])
        assert now(lender).in_use == 0
        assert len(both.key_bytes("auth")) == len(both) == 106
