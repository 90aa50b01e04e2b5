"""What stands in the columns: against the bytes read by hand, in both byte orders, for any kind of buffer."""

from __future__ import annotations

import mmap
import sys

import numpy as np
import pytest
from corpus.groundtruth import byhand, capture
from corpus.groundtruth.facts import canonical, of_message

from fastpfkey import spec
from fastpfkey.columns.associations import SATable
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.spec import tables

from .support import INTERNAL, MIXED, associations, expected, header_only, offsets, same

PUBLIC = [column for column in tables.ASSOCIATIONS.columns if column.name not in INTERNAL]
CAPTURES = ["linux-mixed.bin", "linux-events.bin", "setkey/sad.bin", "linux-sad-empty.bin"]


@pytest.mark.parametrize("name", CAPTURES)
def test_every_column_is_what_the_bytes_say(name: str) -> None:
    data = capture(name)
    table = associations(data)
    facts = [canonical(of_message(message)) for message in byhand.split(data)]
    assert len(table) == len(facts)
    for column in PUBLIC:
        if column.name not in ("message_offset", "other_extensions"):
            assert table[column.name].tolist() == [expected(told, column) for told in facts], column.name
    assert table["message_offset"].tolist() == offsets(data)
    assert not table["other_extensions"].any()


def test_columns_are_contiguous_and_native() -> None:
    table = associations()
    assert table.columns == tuple(column.name for column in PUBLIC)
    for column in PUBLIC:
        array = table[column.name]
        assert array.flags.c_contiguous
        if column.dtype == "16u1":
            assert (array.shape, array.dtype) == ((53, 16), np.uint8)
        else:
            assert (array.shape, array.dtype) == ((53,), np.dtype(column.dtype))
            assert array.dtype.isnative


def test_byte_order_of_the_capture_makes_no_difference() -> None:
    little, big = (synthetic(300, byteorder=order) for order in ("little", "big"))
    assert little.tobytes() != big.tobytes()
    tables_ = [
        SATable.from_buffer(data, "linux", byteorder=order, keys=True)
        for data, order in ((little, "little"), (big, "big"))
    ]
    assert [table.byteorder for table in tables_] == ["little", "big"]
    assert same(*tables_)
    assert tables_[0].key_bytes("auth") == tables_[1].key_bytes("auth")


def test_native_byte_order_is_this_machine_s() -> None:
    assert SATable.from_buffer(synthetic(3), "linux").byteorder == sys.byteorder


def test_some_columns_are_the_same_as_all() -> None:
    whole = associations()
    some = associations(columns=["dst", "spi", "spi", "encrypt"])
    assert some.columns == ("dst", "spi", "encrypt")
    assert all(np.array_equal(some[name], whole[name]) for name in some.columns)


def test_presence_is_decoded_unasked() -> None:
    table = associations(columns=["spi"])
    assert table.columns == ("spi",)
    assert np.array_equal(table["present"], associations()["present"])


def test_a_column_not_decoded_is_a_key_error() -> None:
    table = associations(columns=["spi"])
    with pytest.raises(KeyError, match="'reqid' was not decoded"):
        table["reqid"]
    with pytest.raises(KeyError, match="no column 'spy' in SATable; known are"):
        table["spy"]


@pytest.mark.parametrize("name", ["spy", "key_auth_offset"])
def test_a_column_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(KeyError, match=f"no column '{name}'"):
        associations(columns=["spi", name])


def test_any_contiguous_buffer_will_do(tmp_path) -> None:
    whole = associations()
    path = tmp_path / "dump.bin"
    path.write_bytes(MIXED)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        read = associations(mapped)
        assert same(read, whole)
        del read
    shapes = [
        bytearray(MIXED),
        memoryview(MIXED),
        np.frombuffer(MIXED, np.uint64),
        np.frombuffer(MIXED, "u4").reshape(2, -1),
    ]
    for buffer in shapes:
        assert same(associations(buffer), whole)


def test_a_buffer_with_gaps_is_refused() -> None:
    with pytest.raises(BufferError, match="contiguous"):
        associations(np.frombuffer(MIXED, np.uint8)[::2])


@pytest.mark.parametrize("empty", [b"", bytearray(), np.empty(0, np.uint64), np.empty((0, 16), np.uint8)])
def test_no_bytes_make_an_empty_table(empty) -> None:
    table = associations(empty, keys=True)
    assert len(table) == 0
    assert table["src"].shape == (0, 16)
    assert table.key_bytes("auth") == []
    assert list(table.rows()) == []
    assert repr(table).startswith("SATable: 0 rows")


def test_the_buffer_is_read_in_place_and_not_copied() -> None:
    data = bytearray(MIXED)
    table = associations(data)
    with pytest.raises(BufferError):
        data.append(0)
    del table
    data.append(0)


def test_dialect_is_kept_and_may_be_given_as_data() -> None:
    linux = spec.dialect("linux")
    assert associations().dialect is linux
    assert SATable.from_buffer(MIXED, linux, byteorder="little").dialect is linux


@pytest.mark.parametrize(
    "wrong",
    [{"dialect": "plan9"}, {"byteorder": "middle"}, {"on_error": "ignore"}, {"threads": 0}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_senseless_arguments_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"plan9|middle|ignore|0"):
        SATable.from_buffer(MIXED, **{"dialect": "linux", **wrong})


@pytest.mark.parametrize("first", [header_only(), MIXED], ids=["short first", "long first"])
def test_room_grows_where_the_first_messages_mislead(first: bytes) -> None:
    """The estimate is made from 64 KiB of messages that are unlike the rest."""
    few, many = first * (100_000 // len(first)), (header_only(errno=3) if first == MIXED else MIXED) * 500
    table = associations(few + many)
    assert len(table) == len(offsets(few)) + len(offsets(many))
    assert table["message_offset"].tolist() == offsets(few + many)
    assert int(table["message_length"].sum()) == len(few + many)


def test_columns_take_no_more_memory_than_bare_headers_could_need() -> None:
    for data in (header_only() * 10, MIXED, header_only() * 5000 + MIXED * 100):
        table = associations(data)
        row = sum(item.width for item in tables.ASSOCIATIONS.columns)
        between = 128 * (
            len(tables.ASSOCIATIONS.columns) + 1
        )  # arrays begin at cache lines, with one more between them
        memory = table["spi"].base
        while isinstance(memory.base, np.ndarray):
            memory = memory.base
        assert len(table) * 200 < memory.nbytes <= (len(data) // 16 + 1) * row + between
