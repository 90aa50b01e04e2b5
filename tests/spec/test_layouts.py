"""Layouts read the golden messages: through their NumPy dtype, through their struct format, and from their notation."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.spec.layouts import Field, Layout, Order, layout
from fastpfkey.spec.model import HEADER_SIZE, Extension, Records
from fastpfkey.spec.plan import ByteOrder
from fastpfkey.spec.rfc2367 import KEY, MSG, SA
from fastpfkey.spec.terms import ExtensionType

from .facts import OLD_NAMES, Json, golden

ORDERS: tuple[ByteOrder, ...] = ("little", "big")


RECORDS = ("combinations", "algorithms", "stats")
"""Tails that are rows of one structure."""


def through_dtype(item: Layout, raw: bytes, byteorder: ByteOrder) -> dict[str, Any]:
    """Members by C name as NumPy reads them, in the spelling of the golden files."""
    record = np.frombuffer(raw, np.dtype(item.dtype(byteorder)), 1)[0]  # type: ignore[call-overload]
    found: dict[str, Any] = {}
    for field in item.fields:
        value = record[field.c_name]
        if field.order is Order.BYTES or (field.width == 1 and field.count > 1):
            found[field.c_name] = value.tobytes().hex()
        else:
            found[field.c_name] = value.tolist()
    return found


def through_struct(item: Layout, raw: bytes, byteorder: ByteOrder) -> dict[str, Any]:
    """The same through `struct`, which leaves network order and arrays to its reader."""
    values = struct.unpack_from(item.struct_format(byteorder), raw)
    return {field.c_name: number(field, value, byteorder) for field, value in zip(item.fields, values, strict=True)}


def number(field: Field, value: int | bytes, byteorder: ByteOrder) -> int | str | list[int]:
    if isinstance(value, int):
        return value
    if field.order is Order.BYTES or field.width == 1:
        return value.hex()
    order = "big" if field.order is Order.NETWORK or byteorder == "big" else "little"
    words = np.frombuffer(value, np.dtype(f"{'>' if order == 'big' else '<'}u{field.width}")).tolist()
    return words[0] if field.count == 1 else list(words)


def told(item: Layout, fields: Json, extension: Json) -> Json:
    """What a golden file says of the members of a layout; padding that no header names is zero."""
    found = {}
    for field in item.fields:
        name = OLD_NAMES.get(field.c_name, field.c_name)
        fallback = bytes(field.size).hex() if field.reserved else None
        found[field.c_name] = fields.get(name, fields.get(field.c_name, fallback))
    assert None not in found.values(), (item.c_name, extension["name"])
    return found


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("name", DIALECTS)
class TestGoldenMessages:
    def test_headers(self, name: str, byteorder: ByteOrder) -> None:
        for message in golden(name, byteorder):
            raw = bytes.fromhex(message["hex"])
            assert through_dtype(MSG, raw, byteorder) == message["header"]
            assert through_struct(MSG, raw, byteorder) == message["header"]

    def test_fixed_parts(self, name: str, byteorder: ByteOrder) -> None:
        seen = set()
        for message in golden(name, byteorder):
            raw = bytes.fromhex(message["hex"])
            for item in message["extensions"]:
                chosen = variant(dialect(name).by_number[item["type"]], item)
                part = raw[item["offset"] : item["offset"] + item["length"]]
                expected = told(chosen, item["fields"], item)
                assert through_dtype(chosen, part, byteorder) == expected
                assert through_struct(chosen, part, byteorder) == expected
                seen.add(item["type"])
        assert seen == dialect(name).by_number.keys()

    def test_records(self, name: str, byteorder: ByteOrder) -> None:
        for message in golden(name, byteorder):
            raw = bytes.fromhex(message["hex"])
            for item in message["extensions"]:
                (rows,) = [item["tail"][key] for key in RECORDS if key in item["tail"]] or [[]]
                if not rows:
                    continue
                extension = dialect(name).by_number[item["type"]]
                (tail,) = extension.tails
                assert isinstance(tail, Records)
                if tail.count:
                    assert item["fields"][extension.layout[tail.count].c_name] == len(rows)
                start = item["offset"] + extension.minimum
                for i, row in enumerate(rows):
                    part = raw[start + i * tail.layout.size :]
                    assert through_dtype(tail.layout, part, byteorder) == told(tail.layout, row, item)


def variant(extension: Extension, item: Json) -> Layout:
    chosen = extension.variant(item["length"])
    assert chosen.c_name == item["struct"]
    return chosen


def test_the_longest_variant_that_fits_is_meant() -> None:
    extension = dialect("macos").by_type[ExtensionType.SA]
    assert [extension.variant(length).size for length in (8, 16, 23, 24, 32)] == [16, 16, 16, 24, 24]


class TestNotation:
    def test_members_follow_each_other(self) -> None:
        item = layout("s", "s_", "a u8\n b=other n16\n c b8[5]\n d u64[2] \n e u8 <<3 state\n f u8 >>3")
        assert item.size == 1 + 2 + 5 + 16 + 1 + 1
        assert [(field.name, field.c_name, field.offset, field.size) for field in item.fields] == [
            ("a", "s_a", 0, 1),
            ("b", "other", 1, 2),
            ("c", "s_c", 3, 5),
            ("d", "s_d", 8, 16),
            ("e", "s_e", 24, 1),
            ("f", "s_f", 25, 1),
        ]
        assert [field.order for field in item.fields[1:4]] == [Order.NETWORK, Order.HOST, Order.HOST]
        assert (item["e"].shift, item["e"].terms, item["f"].shift, item["f"].terms) == (3, "state", -3, "")

    @pytest.mark.parametrize("line", ["a", "a x8", "a u8 <<", "u8", "a u8 state more"])
    def test_what_cannot_be_read_is_named(self, line: str) -> None:
        with pytest.raises(ValueError, match="s: cannot read member"):
            layout("s", "s_", line)

    def test_reserved_members_are_told_by_their_name(self) -> None:
        assert [field.name for field in KEY.fields if field.reserved] == ["reserved"]
        assert not any(field.reserved for field in SA.fields)

    def test_a_layout_finds_its_members(self) -> None:
        assert SA["spi"].offset == 4
        assert MSG.size == HEADER_SIZE
        with pytest.raises(KeyError):
            SA["reqid"]
