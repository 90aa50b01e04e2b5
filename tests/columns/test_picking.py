"""Rows picked from tables that come one after the other are those picked from all of them put together."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from corpus.groundtruth import capture
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from columns.support import associations
from fastpfkey.columns.picking import gathered, pick
from fastpfkey.columns.where import question

WHOLE = associations(keys=True)
ROWS = len(WHOLE)
cuts = st.lists(st.integers(0, ROWS), max_size=5).map(lambda places: [0, *sorted(places), ROWS])


def pieces(places: list[int]) -> Iterator[pf.SATable]:
    for begin, end in itertools.pairwise(places):
        yield WHOLE[begin:end]


def same(tables: Iterator[pf.SATable], expected: pf.SATable) -> None:
    found = pf.SATable.concat(list(tables))
    for name in WHOLE.columns:
        np.testing.assert_array_equal(found[name], expected[name])
    for kind in ("auth", "encrypt"):
        assert found.key_bytes(kind) == expected.key_bytes(kind)


@given(
    places=cuts,
    asked=st.sampled_from([None, "state == 'mature'", "hard_addtime > 0 and satype == 'esp'", "spi < 0"]),
    by=st.lists(st.sampled_from(["satype", "-satype", "src", "-dst", "spi", "-spi", "reqid"]), max_size=3),
    limit=st.none() | st.integers(0, ROWS + 5),
)
def test_the_pieces_give_what_the_whole_gives(
    places: list[int], asked: str | None, by: list[str], limit: int | None
) -> None:
    expected = WHOLE.where(asked) if asked else WHOLE
    expected = (expected.sort(*by) if by else expected)[:limit]
    same(pick(pieces(places), question(asked) if asked else None, by, limit), expected)


@given(places=cuts, count=st.integers(1, 60))
def test_gathered_rows_are_the_rows(places: list[int], count: int) -> None:
    tables = list(gathered(pieces(places), count))
    assert all(len(table) >= count for table in tables[:-1])
    same(iter(tables), WHOLE)


def test_a_limit_is_the_end_of_reading() -> None:
    def endless() -> Iterator[pf.SATable]:
        while True:
            yield WHOLE

    assert sum(map(len, pick(endless(), None, (), 130))) == 130


def test_rows_that_are_not_there() -> None:
    with pytest.raises(KeyError, match="colour"):
        list(pick([WHOLE], None, ["-colour"]))
    with pytest.raises(pf.QueryError, match="colour"):
        list(pick([WHOLE], question("colour == 1")))


def test_sorting_keeps_no_buffer() -> None:
    """What was decoded may be far larger than the columns that were asked for."""

    class Buffer(bytearray):
        """Bytes that a weak reference can see."""

    held: list[weakref.ref[Buffer]] = []

    def decoded(kind: type[pf.SATable] | type[pf.PolicyTable], data: bytes) -> Iterator[pf.SATable | pf.PolicyTable]:
        for _ in range(3):
            buffer = Buffer(data)
            held.append(weakref.ref(buffer))
            yield kind.from_buffer(buffer, "linux", byteorder="little")
            del buffer
            gc.collect()
            assert held[-1]() is None

    for kind, name, by in ((pf.SATable, "linux-mixed.bin", "spi"), (pf.PolicyTable, "linux-policies.bin", "spid")):
        tables = list(pick(decoded(kind, capture(name)), None, [by]))  # type: ignore[type-var]
        assert sum(map(len, tables)) == 3 * len(kind.from_buffer(capture(name), "linux", byteorder="little"))
        assert all(table.buffer is None for table in tables)


def test_requests_follow_their_policies() -> None:
    table = pf.PolicyTable.from_buffer(capture("linux-policies.bin"), "linux", byteorder="little")
    [found] = pick([table], None, ["-spid"], 4)
    expected = table.sort("spid", descending=True)[:4]
    assert list(found.requests.rows()) == list(expected.requests.rows())
    assert found.request_offsets.tolist() == expected.request_offsets.tolist()
