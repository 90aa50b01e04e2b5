"""Rates from two tables: joined by what tells associations apart, whatever their order, and never negative."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.columns.rates import COLUMNS, Rates, first, rates, seconds_left

from .support import associations

NOW = 10_000
WHOLE = associations(columns=COLUMNS)


def table(*rows: dict[str, Any]) -> pf.SATable:
    """Associations with an SPI each, and what else is said of them."""
    numbers = np.arange(len(rows)) % len(WHOLE)
    found = WHOLE[numbers]
    for name in COLUMNS[1:2] + COLUMNS[5:]:
        found[name][:] = [row.get(name, 0) for row in rows]
    found["satype"][:] = pf.SAType.ESP
    found["dst"][:] = WHOLE["dst"][0]
    return found


def row(spi: int, octets: int, packets: int = 0, made: int = 100, **more: int) -> dict[str, int]:
    return {"spi": spi, "current_bytes": octets, "current_allocations": packets, "current_addtime": made, **more}


def test_what_was_carried_between_two_tables() -> None:
    old = table(row(1, 1000, 10), row(2, 500, 5), row(3, 7, 1))
    new = table(row(3, 7, 1), row(1, 3000, 20), row(2, 600, 6))
    found = rates(old, new, 2.0, NOW)
    assert found.octets.tolist() == [0, 1000, 50]
    assert found.packets.tolist() == [0, 5, 0.5]
    assert (found.came, found.went, found.restarted) == (0, 0, 0)


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (row(1, 300, 3, made=NOW - 1), 150),  # made anew under the same SPI
        (row(1, 2000, 30, made=NOW - 1), 1000),  # the same, and it has carried more already
        (row(1, 300, 30), 150),  # the counter of bytes went back
        (row(1, 2000, 3), 1000),  # that of packets did
    ],
)
def test_counters_that_begin_anew(later: dict[str, int], expected: float) -> None:
    found = rates(table(row(1, 1000, 10)), table(later), 2.0, NOW)
    assert found.octets.tolist() == [expected]
    assert found.restarted == 1
    assert found.packets[0] == later["current_allocations"] / 2


def test_rows_that_come_and_go() -> None:
    """A new association has carried all that it has since the other table, an old one that was not seen has not."""
    old = table(row(1, 1000), row(2, 1000))
    new = table(row(2, 1000), row(3, 400, made=NOW - 1), row(4, 10**15, made=5), row(5, 10**15, made=0))
    found = rates(old, new, 2.0, NOW)
    assert found.octets[:2].tolist() == [0, 200]
    assert np.isnan(found.octets[2:]).all()
    assert np.isnan(found.packets[2:]).all()
    assert (found.came, found.went, found.restarted) == (3, 1, 0)


def test_the_first_table_has_no_rates() -> None:
    found = rates(None, table(row(1, 5)), 0, NOW)
    assert np.isnan(found.octets).all()
    assert np.isnan(found.packets).all()


@pytest.mark.parametrize("seconds", [0, -1.0, math.nan])
def test_no_time_between_them(seconds: float) -> None:
    with pytest.raises(ValueError, match="a time above 0"):
        rates(table(row(1, 5)), table(row(1, 5)), seconds, NOW)


def test_empty_tables() -> None:
    nothing, one = table(), table(row(1, 5, made=NOW))
    assert rates(nothing, nothing, 1, NOW).octets.tolist() == []
    assert rates(one, nothing, 1, NOW).went == 1
    assert rates(nothing, one, 1, NOW).octets.tolist() == [5]


def test_largest_counters() -> None:
    most = 2**64 - 1
    found = rates(table(row(1, 0)), table(row(1, most)), 1, NOW)
    assert found.octets.tolist() == [float(most)]


counters = st.dictionaries(st.integers(1, 20), st.tuples(st.integers(0, 1000), st.integers(0, 3)), max_size=15)


@given(before=counters, after=counters, seconds=st.floats(0.01, 1000))
def test_against_dictionaries(
    before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]], seconds: float
) -> None:
    old = table(*(row(spi, octets, made=made) for spi, (octets, made) in before.items()))
    new = table(*(row(spi, octets, made=made) for spi, (octets, made) in reversed(after.items())))
    found = rates(old, new, seconds, NOW)
    for spi, rate in zip(new["spi"].tolist(), found.octets.tolist(), strict=True):
        octets, made = after[spi]
        if spi not in before:
            assert math.isnan(rate) or octets == rate * seconds
            continue
        anew = before[spi][1] != made or octets < before[spi][0]
        assert rate == (octets if anew else octets - before[spi][0]) / seconds >= 0
    assert found.came == len(after.keys() - before.keys())
    assert found.went == len(before.keys() - after.keys())


def test_time_to_the_hard_limit() -> None:
    some = table(
        row(1, 0, made=NOW - 100, hard_addtime=150),
        row(2, 0, made=NOW - 100, hard_addtime=150, current_usetime=NOW - 10, hard_usetime=20),
        row(3, 0, made=NOW - 100, hard_usetime=20),  # never used
        row(4, 0),
        row(5, 0, made=NOW - 100, hard_addtime=50),  # over
        row(6, 600, made=NOW - 100, hard_addtime=150, hard_bytes=1000),
        row(7, 600, 5, made=NOW - 100, hard_allocations=6),
    )
    assert seconds_left(some, NOW).tolist() == [50, 10, math.inf, math.inf, 0, 50, math.inf]
    speed = Rates(np.full(7, 100.0), np.full(7, 0.5))
    assert seconds_left(some, NOW, speed).tolist() == [50, 10, math.inf, math.inf, 0, 4, 2]
    still = Rates(np.full(7, np.nan), np.zeros(7))
    assert seconds_left(some, NOW, still).tolist() == seconds_left(some, NOW).tolist()


@given(
    values=st.lists(st.sampled_from([0.0, 1.0, 2.5, -3.0, math.inf, math.nan]), max_size=20),
    count=st.integers(0, 25),
    descending=st.booleans(),
)
def test_the_first_rows_are_those_of_a_sorted_list(values: list[float], count: int, descending: bool) -> None:
    def key(place: int) -> tuple[bool, float]:
        value = values[place]
        return math.isnan(value), 0 if math.isnan(value) else -value if descending else value

    expected = sorted(range(len(values)), key=key)
    assert [values[row] for row in expected[:count]] == pytest.approx(
        [values[row] for row in first(np.array(values), count, descending).tolist()], nan_ok=True
    )
