"""Keys: who sees them, who shares them, and when they are gone."""

from __future__ import annotations

import copy
import gc
import pickle

import pytest
from corpus.groundtruth import byhand
from corpus.groundtruth.facts import of_message
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.columns.associations import SATable
from fastpfkey.columns.synthetic import synthetic

from .support import MIXED, associations

FACTS = [of_message(message) for message in byhand.split(MIXED)]
KEYS = {kind: [facts[f"key_{kind}"] for facts in FACTS] for kind in ("auth", "encrypt")}
kinds = pytest.mark.parametrize("kind", ["auth", "encrypt"])


def memory(table: SATable) -> memoryview:
    """The table's key memory, kept past the table's life on purpose."""
    assert table._keys is not None
    return memoryview(table._keys._secret.memory)


@kinds
def test_keys_are_those_of_the_messages(kind: str) -> None:
    """Of every length, also none: GMAC and GCM show none, NULL has one of no bits."""
    keys = associations(keys=True).key_bytes(kind)
    assert keys == KEYS[kind]
    assert {len(key) for key in keys} >= {0, 16, 20}


def test_keys_can_be_had_without_their_columns() -> None:
    table = associations(columns=["spi"], keys=True)
    assert table.columns == ("spi",)
    assert table.key_bytes("auth") == KEYS["auth"]


def test_a_key_of_odd_bits_takes_its_last_byte_whole() -> None:
    """RFC 2367, 2.3.4: the bits are rounded up to bytes."""
    start = MIXED.index(KEYS["auth"][0]) - 8
    changed = bytearray(MIXED)
    assert changed[start + 4 : start + 6] == b"\xa0\x00"
    changed[start + 4] = 153
    table = associations(bytes(changed), keys=True)
    assert table["key_auth_bits"][0] == 153
    assert table.key_bytes("auth") == KEYS["auth"]


def test_no_keys_unless_asked_for() -> None:
    for table in (associations(), associations()[:3]):
        with pytest.raises(ValueError, match="without keys=True"):
            table.key_bytes("auth")
        table.wipe()
    with pytest.raises(ValueError, match="auth or encrypt"):
        associations(keys=True).key_bytes("cipher")


@given(rows=st.lists(st.integers(0, 52)), more=st.data())
def test_selections_have_their_own_rows_keys(rows: list[int], more: st.DataObject) -> None:
    table = associations(keys=True)[rows]
    assert table.key_bytes("auth") == [KEYS["auth"][row] for row in rows]
    part = more.draw(st.slices(max(len(rows), 1)))
    assert table[part].key_bytes("encrypt") == [KEYS["encrypt"][row] for row in rows[part]]


@kinds
def test_sorted_and_joined_tables_keep_keys_with_their_rows(kind: str) -> None:
    table = associations(keys=True)
    order = sorted(range(53), key=lambda row: FACTS[row]["spi"])
    assert table.sort("spi").key_bytes(kind) == [KEYS[kind][row] for row in order]
    joined = SATable.concat([table[40:], table[:0], table.sort("spi")[:20], associations(keys=True)[[7]]])
    assert joined.key_bytes(kind) == KEYS[kind][40:] + [KEYS[kind][row] for row in order[:20]] + [KEYS[kind][7]]


def test_joined_tables_have_no_more_than_their_rows_keys() -> None:
    few = SATable.concat([associations(keys=True)[:1]])
    assert bytes(memory(few)) == KEYS["auth"][0] + KEYS["encrypt"][0]


def test_keys_are_wiped_with_the_last_table_that_shows_them() -> None:
    table = associations(keys=True)
    seen = memory(table)
    assert KEYS["auth"][0] in bytes(seen)
    part = table.sort("spi")[10:20]
    del table
    gc.collect()
    assert KEYS["auth"][0] in bytes(seen)
    assert part.key_bytes("auth")
    del part
    gc.collect()
    assert len(seen) > 1000
    assert not any(seen)


def test_wipe_is_for_all_that_share() -> None:
    table = associations(keys=True)
    part, other = table[:5], SATable.concat([table])
    seen = memory(table)
    part.wipe()
    assert not any(seen)
    for wiped in (table, part, table[1:]):
        with pytest.raises(ValueError, match="wiped"):
            wiped.key_bytes("auth")
    with pytest.raises(ValueError, match="wiped"):
        SATable.concat([table])
    assert other.key_bytes("auth") == KEYS["auth"]
    assert table["spi"].all()


def test_decoding_into_a_table_wipes_the_keys_it_had() -> None:
    table = associations(keys=True)
    seen = memory(table)
    associations(MIXED[:272], keys=True, out=table)
    gc.collect()
    assert not any(seen)
    assert table.key_bytes("auth") == KEYS["auth"][:1]


def test_decoding_into_a_table_leaves_its_selections_their_keys() -> None:
    table = associations(keys=True)
    part = table[3:9]
    SATable.from_buffer(synthetic(40), "linux", keys=True, out=table)
    assert part.key_bytes("encrypt") == KEYS["encrypt"][3:9]


def test_the_buffer_may_change_afterwards() -> None:
    data = bytearray(MIXED)
    table = associations(data, keys=True)
    data[:] = bytes(len(data))
    assert table.key_bytes("auth") == KEYS["auth"]


def test_keys_are_in_nothing_that_is_printed() -> None:
    table = associations(keys=True)
    whole = SATable.from_buffer(MIXED, "linux", byteorder="little", keys=True, columns=["spi", "key_auth_bits", "seq"])
    texts = [repr(table), str(table[:1]), repr(whole), str(list(table.rows())), repr(vars(table)), repr(table._keys)]
    for key in filter(None, KEYS["auth"] + KEYS["encrypt"]):
        for text in texts:
            assert key.hex() not in text.lower()
            assert repr(key)[2:-1] not in text
            assert str(list(key))[1:-1] not in text


def test_keys_are_in_no_error() -> None:
    key = KEYS["auth"][0]
    broken = bytearray(MIXED)
    broken[MIXED.index(key) - 4] = 255
    with pytest.raises(ValueError, match="key bits") as caught:
        associations(bytes(broken), keys=True)
    assert key.hex() not in str(caught.value)
    assert repr(key)[2:-1] not in repr(caught.value)


def test_keys_are_neither_pickled_nor_copied() -> None:
    store = associations(keys=True)._keys
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            way(store)
