"""Choosing rows, putting tables together, sorting, and what people see."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.columns.associations import SATable
from fastpfkey.columns.policies import PolicyTable
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.spec.terms import SAState, SAType

from .support import MIXED, associations, same

WHOLE = associations()
ROWS = len(WHOLE)
row_numbers = st.lists(st.integers(-ROWS, ROWS - 1), max_size=80)
bounds = st.none() | st.integers(-60, 60)
slices = st.builds(slice, bounds, bounds, bounds.filter(lambda step: step != 0))
sortable = st.sampled_from(["satype", "spi", "src", "dst", "state", "reqid", "mode", "hard_addtime", "present"])


def holds(chosen: SATable, rows: object) -> bool:
    """Whether a selection is the same rows of every column, by NumPy's own account."""
    columns = [(chosen[name], WHOLE[name][rows]) for name in WHOLE.columns]
    return all(np.array_equal(found, wanted) and found.flags.c_contiguous for found, wanted in columns)


@given(mask=st.lists(st.booleans(), min_size=ROWS, max_size=ROWS))
def test_a_mask_chooses_rows(mask: list[bool]) -> None:
    assert holds(WHOLE[mask], np.array(mask))
    assert same(WHOLE[np.array(mask)], WHOLE[mask])


@given(rows=row_numbers)
def test_row_numbers_choose_rows(rows: list[int]) -> None:
    assert holds(WHOLE[rows], np.array(rows, np.intp))
    assert same(WHOLE[np.array(rows, np.int16)], WHOLE[rows])


@given(chosen=slices)
def test_a_slice_chooses_rows(chosen: slice) -> None:
    assert holds(WHOLE[chosen], chosen)


@given(row=st.integers(-ROWS, ROWS - 1))
def test_a_row_number_is_a_table_of_one_row(row: int) -> None:
    for number in (row, np.int64(row), np.array(row)):
        assert holds(WHOLE[number], [row])


@given(rows=row_numbers, more=st.data())
def test_a_selection_can_be_selected_from(rows: list[int], more: st.DataObject) -> None:
    again = more.draw(st.lists(st.integers(0, len(rows) - 1)) if rows else st.just([]))
    assert same(WHOLE[rows][again], WHOLE[[rows[row] for row in again]])


@pytest.mark.parametrize("wrong", [ROWS, -ROWS - 1, [0, ROWS], [-ROWS - 1], [True] * 52, np.ones(54, bool)])
def test_rows_that_are_not_there(wrong) -> None:
    with pytest.raises(IndexError):
        WHOLE[wrong]


@pytest.mark.parametrize("wrong", [1.5, None, [0.5], [[0]], b"spi", ["spi", "src"], (slice(0, 1),)])
def test_what_chooses_no_rows(wrong) -> None:
    with pytest.raises(TypeError):
        WHOLE[wrong]


def test_the_example_of_dying_associations() -> None:
    dying = WHOLE[WHOLE["state"] == SAState.DYING]
    assert len(dying) == 1
    assert dying["spi"].tolist() == [0x8003]
    assert set(WHOLE[WHOLE["state"] == SAState.LARVAL]["satype"].tolist()) == {SAType.AH, SAType.ESP}


def test_a_slice_shares_memory_and_other_selections_do_not() -> None:
    assert np.shares_memory(WHOLE[3:9]["spi"], WHOLE["spi"])
    assert not np.shares_memory(WHOLE[[3, 4]]["spi"], WHOLE["spi"])


def test_rows_are_not_iterated_by_accident() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        iter(WHOLE)


@given(cuts=st.lists(st.integers(0, ROWS), max_size=6))
def test_parts_put_together_are_the_whole(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), ROWS]
    parts = [WHOLE[begin:end] for begin, end in itertools.pairwise(edges)]
    joined = SATable.concat(parts)
    assert same(joined, WHOLE)
    assert not np.shares_memory(joined["spi"], WHOLE["spi"])


def test_concat_wants_tables_of_one_kind() -> None:
    with pytest.raises(ValueError, match="one table or more"):
        SATable.concat([])
    with pytest.raises(ValueError, match="different columns"):
        SATable.concat([WHOLE, associations(columns=["spi"])])
    with pytest.raises(ValueError, match="linux and rfc2367"):
        SATable.concat([WHOLE, SATable.from_buffer(b"", "rfc2367")])
    with pytest.raises(ValueError, match="with and without keys"):
        SATable.concat([WHOLE, associations(keys=True)])


def test_concat_of_both_byte_orders_is_of_none() -> None:
    big = SATable.from_buffer(synthetic(4, byteorder="big"), "linux", byteorder="big")
    joined = SATable.concat([WHOLE, big])
    assert (len(joined), joined.byteorder) == (57, None)
    assert SATable.concat([big, big]).byteorder == "big"


def test_a_selection_can_be_joined_with_what_it_came_from() -> None:
    """Columns that were decoded without being asked for do not make them different."""
    some = associations(columns=["spi", "encrypt"])
    assert len(SATable.concat([some, some[:2]])) == 55


@given(by=st.lists(sortable, min_size=1, max_size=3), descending=st.booleans())
def test_sort_is_that_of_python(by: list[str], descending: bool) -> None:
    """Stable, and addresses by their bytes."""
    lists = [[bytes(value) if WHOLE[name].ndim == 2 else int(value) for value in WHOLE[name]] for name in by]
    order = sorted(range(ROWS), key=lambda row: [values[row] for values in lists], reverse=descending)
    assert holds(WHOLE.sort(*by, descending=descending), order)


@given(by=st.lists(st.tuples(sortable, st.booleans()), min_size=1, max_size=3))
def test_a_minus_turns_a_column_round(by: list[tuple[str, bool]]) -> None:
    """Sorted by the least important column first, as Python's stable sort allows."""
    order = list(range(ROWS))
    for name, turned in reversed(by):
        column = WHOLE[name]
        values = [bytes(value) if column.ndim == 2 else int(value) for value in column]
        order.sort(key=values.__getitem__, reverse=turned)
    assert holds(WHOLE.sort(*(f"-{name}" if turned else name for name, turned in by)), order)


def test_sort_wants_columns_that_are_there() -> None:
    with pytest.raises(ValueError, match="needs the name of a column"):
        WHOLE.sort()
    with pytest.raises(KeyError, match="colour"):
        WHOLE.sort("colour")


def test_sort_wants_names_one_after_the_other() -> None:
    with pytest.raises(TypeError, match="one after the other"):
        WHOLE.sort(["satype", "spi"])  # type: ignore[arg-type]


def test_head_is_the_first_rows() -> None:
    assert same(WHOLE.head(), WHOLE[:10])
    assert same(WHOLE.head(3), WHOLE[[0, 1, 2]])
    assert len(WHOLE.head(1000)) == ROWS
    assert len(WHOLE.head(0)) == 0


def test_repr_shows_what_an_association_is() -> None:
    lines = repr(WHOLE).splitlines()
    assert lines[0] == "SATable: 53 rows, 55 columns, linux"
    assert lines[1].split()[:4] == ["satype", "spi", "src", "dst"]
    assert lines[2].split() == "esp 0x00008003 10.8.0.1 10.8.0.3 dying transport aes-cbc sha1-hmac 803 0".split()
    assert lines[3].split()[:4] == ["ah", "0x00008002", "fd00:8::1", "fd00:8::2"]
    assert lines[-1] == "... 45 more rows, 45 more columns"
    assert max(map(len, lines)) < 130
    assert len(lines) == 11


def test_repr_of_few_columns_is_all_of_them() -> None:
    assert repr(associations(columns=["seq", "spi", "natt_sport"])[15:17]).splitlines() == [
        "SATable: 2 rows, 3 columns, linux",
        "seq         spi  natt_sport",
        " 16  0x00007001           -",
        " 17  0x00006003        4500",
    ]


def test_rows_are_for_people() -> None:
    names = "msg_type satype spi src state auth encrypt natt_type natt_sport present".split()
    rows = list(WHOLE.rows(names))
    assert len(rows) == ROWS
    assert rows[16] == {
        "msg_type": "dump",
        "satype": "esp",
        "spi": 0x6003,
        "src": "10.5.0.3",
        "state": "mature",
        "auth": "sha1-hmac",
        "encrypt": "aes-cbc",
        "natt_type": "espinudp",
        "natt_sport": 4500,
        "present": "sa lifetime-current lifetime-hard lifetime-soft address-src address-dst address-proxy key-auth "
        "key-encrypt sa2 natt-type natt-sport natt-dport",
    }
    assert rows[19]["satype"] == "ipcomp"
    assert rows[19]["encrypt"] == "deflate"
    assert (rows[0]["natt_type"], rows[0]["natt_sport"]) == (None, None)


def test_one_name_is_no_list_of_names() -> None:
    with pytest.raises(TypeError, match=r"such as \['spi'\]"):
        next(WHOLE.rows("spi"))
    with pytest.raises(TypeError, match=r"such as \['spi'\]"):
        associations(columns="spi")


def test_names_of_columns_are_taken_once() -> None:
    assert associations(columns=(name for name in ("spi", "state"))).columns == ("spi", "state")


def test_rows_without_names_are_all_columns() -> None:
    (first, *_) = WHOLE.rows()
    assert tuple(first) == WHOLE.columns
    assert {type(value) for value in first.values()} == {int, str, type(None)}
    with pytest.raises(KeyError, match="colour"):
        list(WHOLE.rows(["colour"]))


def test_algorithms_of_ipcomp_are_named_rightly_without_asking_for_satype() -> None:
    """Code 2 is DES-CBC elsewhere."""
    some = associations(columns=["encrypt"])
    assert some.columns == ("encrypt",)
    assert [row["encrypt"] for row in some[19:22].rows()] == ["deflate"] * 3


def test_null_tells_zeros_that_are_none() -> None:
    assert WHOLE.null("proxy").tolist() == [not present >> 7 & 1 for present in WHOLE["present"].tolist()]
    assert WHOLE.null("proxy").sum() == 3
    assert not WHOLE.null("seq").any()
    assert WHOLE.null("natt_sport").sum() == ROWS - 3
    with pytest.raises(KeyError):
        WHOLE.null("colour")


@pytest.mark.parametrize("table", [WHOLE, associations(keys=True), PolicyTable.from_buffer(b"", "linux")])
def test_tables_are_not_pickled(table) -> None:
    """Not with their keys, nor with the buffer that holds keys too."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(table)
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(table)


def test_extensions_without_columns_are_read_from_the_buffer() -> None:
    found = dict(WHOLE.extensions("address_proxy"))
    assert sorted(found) == np.flatnonzero(~WHOLE.null("proxy")).tolist()
    assert {value.prefixlen for value in found.values()} >= {0}
    chosen = WHOLE[[5, 1, 16]]
    assert [(row, value.port) for row, value in chosen.extensions("natt_sport")] == [(2, 4500)]
    assert list(WHOLE.extensions("identity_src")) == []


def test_extensions_need_a_name_an_offset_and_one_buffer() -> None:
    with pytest.raises(KeyError, match="no extension 'colour'"):
        WHOLE.extensions("colour")
    with pytest.raises(KeyError, match="'message_offset' was not decoded"):
        associations(columns=["spi"]).extensions("sa")
    with pytest.raises(ValueError, match="several buffers"):
        SATable.concat([WHOLE, associations(bytes(MIXED) + b"")]).extensions("sa")
    joined = SATable.concat([WHOLE[40:], WHOLE[:10]])
    assert len(list(joined.extensions("sa"))) == 23
