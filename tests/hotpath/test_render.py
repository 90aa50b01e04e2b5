"""Templates through both twins: what each step writes, what fits, and that nothing outside the inputs is read."""

from __future__ import annotations

import os
import socket
import time
from array import array
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import HotPath, Rendered
from fastpfkey.setkey.clock import zones
from fastpfkey.spec import template as t
from fastpfkey.spec.tables import Column

from .twins import COMPILED, PATTERN, Fence, needs_compiled

pytestmark = pytest.mark.fuzz

U1, U2, U4, U8 = (Column(name, name, "a number") for name in ("u1", "u2", "u4", "u8"))
ADDRESS = Column("address", "16u1", "an address")
MOST = (1 << 64) - 1


def numbers(code: str, *values: int) -> array[int]:
    return array(code, values)


def render(
    twin: HotPath,
    columns: Sequence[Column],
    data: Sequence[Any],
    *parts: t.Part,
    buffer: bytes = b"",
    rows: int = 1,
    zones: tuple[t.Zone, ...] = t.UTC,
) -> str:
    out = bytearray([PATTERN]) * 8000
    found = twin.render(t.template(columns, parts, zones), data, 0, rows, buffer, out)
    assert found.rows == rows
    return out[: found.size].decode()


def one(twin: HotPath, number: int, *parts: t.Part) -> str:
    """The text of one number of 64 bits."""
    return render(twin, [U8], [numbers("Q", number)], *parts)


class TestNumbers:
    @pytest.mark.parametrize("number", [0, 9, 10, 99, 100, 12345, 10**19, MOST])
    def test_decimal(self, twin: HotPath, number: int) -> None:
        assert one(twin, number, t.decimal("u8")) == str(number)

    @pytest.mark.parametrize("width", [0, 1, 3, 5, -3, -5, 30])
    def test_decimal_with_a_width(self, twin: HotPath, width: int) -> None:
        assert one(twin, 123, t.decimal("u8", width)) == f"{123:{'<' if width < 0 else '>'}{abs(width)}}"

    def test_differences_wrap_as_those_of_c(self, twin: HotPath) -> None:
        assert one(twin, 5, t.decimal("u8", less=7)) == str(MOST - 1)
        assert one(twin, 7, t.rest(5, "u8")) == str(MOST - 1)
        assert one(twin, 5, t.rest(7, "u8")) == "2"

    def test_shifted_and_joined(self, twin: HotPath) -> None:
        assert one(twin, 256, t.shifted("u8", 3)) == "32"
        columns = [numbers("H", 0x102), numbers("I", 0x304)]
        assert render(twin, [U2, U4], columns, t.joined("u2", 16, "u4")) == str(0x1020304)

    @pytest.mark.parametrize("number", [0, 1, 2**53, 2**53 + 1, 2**53 + 3, 2**63, MOST - 1024, MOST - 1023, MOST])
    def test_rounded_as_a_double(self, twin: HotPath, number: int) -> None:
        assert one(twin, number, t.rounded("u8")) == f"{float(number):.0f}"

    @pytest.mark.parametrize("digits", [1, 2, 8, 16])
    def test_hexadecimal(self, twin: HotPath, digits: int) -> None:
        assert one(twin, 0xFEDCBA9876543210, t.hexadecimal("u8", digits)) == "fedcba9876543210"[-digits:]

    def test_words(self, twin: HotPath) -> None:
        texts = {0: "zero", 1: "1", 2: "", 3: "three", 4: "4", MOST: str(MOST)}
        words = t.lookup("u8", {0: "zero", 2: "", 3: "three"})
        assert {number: one(twin, number, words) for number in texts} == texts

    def test_a_table_without_words(self, twin: HotPath) -> None:
        assert one(twin, 0, t.lookup("u8", {})) == "0"

    @pytest.mark.parametrize(("column", "code", "largest"), [(U1, "B", 255), (U2, "H", 65535), (U4, "I", 2**32 - 1)])
    def test_columns_of_every_width(self, twin: HotPath, column: Column, code: str, largest: int) -> None:
        text = render(twin, [column], [numbers(code, 1, largest)], t.decimal(column.name), t.literal(";"), rows=2)
        assert text == f"1;{largest};"


class TestAddresses:
    @pytest.mark.parametrize(
        "groups",
        [
            *("0:0:0:0:0:0:0:0", "0:0:0:0:0:0:0:1", "0:0:0:0:0:0:1:2", "0:0:0:0:0:ffff:c000:201", "0:0:0:0:0:fffe:1:2"),
            *("1:0:0:2:0:0:0:3", "1:0:0:2:0:0:3:4", "1:0:2:3:4:5:6:7", "0:0:1:2:3:4:5:6", "1:2:3:4:5:6:0:0"),
            *("fe80:0:0:0:0:0:0:0", "1:2:3:4:5:6:7:8", "abcd:ef01:100:20:3:0:0:ffff", "0:1:0:0:0:0:0:0"),
        ],
    )
    def test_ipv6_as_inet_ntop_writes_it(self, twin: HotPath, groups: str) -> None:
        raw = b"".join(int(group, 16).to_bytes(2, "big") for group in groups.split(":"))
        text = render(twin, [ADDRESS, U2], [raw, numbers("H", 6)], t.address("address", "u2"))
        assert text == socket.inet_ntop(socket.AF_INET6, raw)

    @given(raw=st.binary(min_size=16, max_size=16), zeros=st.sets(st.integers(0, 15)))
    @settings(max_examples=60)
    def test_any_ipv6(self, raw: bytes, zeros: set[int]) -> None:
        raw = bytes(0 if place in zeros else octet for place, octet in enumerate(raw))
        for twin in twins():
            text = render(twin, [ADDRESS, U2], [raw, numbers("H", 6)], t.address("address", "u2"))
            assert text == socket.inet_ntop(socket.AF_INET6, raw)

    @pytest.mark.parametrize("quad", [(0, 0, 0, 0), (255, 255, 255, 255), (1, 10, 100, 9), (99, 199, 20, 7)])
    def test_ipv4(self, twin: HotPath, quad: tuple[int, ...]) -> None:
        raw = bytes(12) + bytes(quad)
        text = render(twin, [ADDRESS, U2], [raw, numbers("H", 4)], t.address("address", "u2"), t.literal("|"))
        assert text == ".".join(map(str, quad)) + "|"

    @pytest.mark.parametrize("family", [0, 5, 0x8000])
    def test_another_family(self, twin: HotPath, family: int) -> None:
        columns = [bytes(16), numbers("H", family)]
        assert render(twin, [ADDRESS, U2], columns, t.address("address", "u2", "none")) == "none"


class TestDates:
    def test_zero_and_what_no_calendar_has(self, twin: HotPath) -> None:
        assert one(twin, 0, t.date("u8")) == " " * 20
        assert one(twin, 253402300800, t.date("u8")) == f"{253402300800:20}"
        assert one(twin, MOST, t.date("u8")) == str(MOST)

    @pytest.mark.parametrize("seconds", [1, 86399, 86400, 951782400, 951868799, 4107542400, 253402300799, 1795417456])
    def test_dates_of_utc(self, twin: HotPath, seconds: int) -> None:
        moment = time.gmtime(seconds)
        expected = time.strftime(f"%b {moment.tm_mday:2d} %H:%M:%S %Y", moment)
        assert one(twin, seconds, t.date("u8")) == expected

    @pytest.mark.parametrize("place", ["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia", "UTC"])
    def test_dates_of_places(self, twin: HotPath, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(os.environ, "TZ", place)
        time.tzset()
        try:
            moments = [*range(100_000, 1 << 32, 31_556_952 // 7)][:200]
            moments += [zone.since + step for zone in zones()[1:40] for step in (-1, 0)]
            text = render(twin, [U8], [array("Q", moments)], t.date("u8"), rows=len(moments), zones=zones())
            for number, seconds in enumerate(moments):
                moment = time.localtime(seconds)
                expected = time.strftime(f"%b {moment.tm_mday:2d} %H:%M:%S %Y", moment)
                assert text[20 * number : 20 * number + 20] == expected
        finally:
            monkeypatch.undo()
            time.tzset()


class TestBytes:
    @pytest.mark.parametrize("size", [0, 1, 4, 5, 32, 33, 64, 65])
    def test_groups_and_lines(self, twin: HotPath, size: int) -> None:
        data = bytes(range(100, 100 + size))
        expected = ""
        for place, octet in enumerate(data):
            expected += ("\n" if place and place % 32 == 0 else "") + (" " if place % 4 == 0 else "") + f"{octet:02x}"
        columns = [numbers("Q", 3), numbers("H", size * 8 + 7)]
        assert render(twin, [U8, U2], columns, t.octets("u8", "u2", 4, 32), buffer=b"???" + data) == expected

    def test_lines_that_are_no_whole_groups(self, twin: HotPath) -> None:
        columns = [numbers("Q", 0), numbers("H", 64)]
        text = render(twin, [U8, U2], columns, t.octets("u8", "u2", 3, 4), buffer=b"abcdefgh")
        assert text == " 616263 64\n6566 6768"

    @pytest.mark.parametrize("offset", [1, 4, 5, MOST, MOST - 3])
    def test_what_is_not_all_there_is_left_out(self, twin: HotPath, offset: int) -> None:
        columns = [numbers("Q", offset), numbers("H", 32)]
        parts = (t.octets("u8", "u2", 4, 32), t.literal("."))
        assert render(twin, [U8, U2], columns, *parts, buffer=b"abcd") == "."
        columns = [numbers("Q", offset), numbers("H", 4)]
        assert render(twin, [U8, U2], columns, t.string("u8", "u2"), t.literal("."), buffer=b"abcd") == "."

    def test_text_ends_at_a_nul_and_shows_no_control_characters(self, twin: HotPath) -> None:
        columns = [numbers("Q", 0), numbers("H", 9)]
        assert render(twin, [U8, U2], columns, t.string("u8", "u2"), buffer=b"a\x1b[b\xff\x7f~\0z") == "a?[b??~"

    def test_text_of_fixed_length_before_an_offset(self, twin: HotPath) -> None:
        text = render(twin, [U8], [numbers("Q", 6)], t.string("u8", before=4, most=3), buffer=b"??abcdef")
        assert text == "abc"


class TestConditions:
    def test_equal_and_different(self, twin: HotPath) -> None:
        parts = (
            t.when("u8", 3, t.literal("three")),
            t.unless("u8", 3, t.literal("another")),
            t.when("u8", 2, t.literal(", has 2"), mask=2),
        )
        assert one(twin, 3, *parts) == "three, has 2"
        assert one(twin, 5, *parts) == "another"

    def test_within(self, twin: HotPath) -> None:
        part = t.within("u8", 10, 5, t.literal("in"))
        assert [one(twin, number, part) for number in (9, 10, 14, 15)] == ["", "in", "in", ""]

    def test_two_columns(self, twin: HotPath) -> None:
        parts = (t.alike("u2", "u4", t.literal("=")), t.different("u2", "u4", t.literal("#")))
        columns = [numbers("H", 1, 2), numbers("I", 1, 3)]
        assert render(twin, [U2, U4], columns, *parts, rows=2) == "=#"

    def test_within_each_other_and_literals_behind_them(self, twin: HotPath) -> None:
        inner = t.when("u8", 1, t.literal("b"), mask=1)
        parts = (t.literal("a"), t.when("u8", 2, inner, t.literal("c"), mask=2), t.literal("d"), t.literal("e"))
        assert [one(twin, number, *parts) for number in range(4)] == ["ade", "ade", "acde", "abcde"]


class TestRepetitions:
    COLUMNS = (Column("offsets", "u8", "offsets"), U1, U2)

    def test_each_row_has_its_own(self, twin: HotPath) -> None:
        parts = (t.decimal("u1"), t.each("offsets", t.literal(" "), t.decimal("u2")), t.literal("\n"))
        data = [numbers("Q", 0, 2, 2, 3), numbers("B", 1, 2, 3), numbers("H", 10, 20, 30)]
        assert render(twin, self.COLUMNS, data, *parts, rows=3) == "1 10 20\n2\n3 30\n"

    @pytest.mark.parametrize("offsets", [(0, 9), (2, MOST), (3, 1), (MOST, 5), (MOST, 0)])
    def test_rows_that_are_not_there_are_left_out(self, twin: HotPath, offsets: tuple[int, int]) -> None:
        data = [numbers("Q", *offsets), numbers("B", 1), numbers("H", 10, 20, 30)]
        text = render(twin, self.COLUMNS, data, t.each("offsets", t.decimal("u2"), t.literal(" ")))
        assert text.split() == ["10", "20", "30"][offsets[0] : offsets[1]]

    def test_one_within_another_is_refused(self) -> None:
        with pytest.raises(ValueError, match="within a repetition"):
            t.template(self.COLUMNS, [t.each("offsets", t.each("offsets"))])

    def test_a_column_has_rows_of_one_kind(self) -> None:
        with pytest.raises(ValueError, match="u2: used within a repetition and outside"):
            t.template(self.COLUMNS, [t.decimal("u2"), t.each("offsets", t.decimal("u2"))])


class TestRoom:
    PARTS = (t.decimal("u8"), t.when("u8", 77, t.literal("seven"), t.date("u8")), t.literal(";"))
    DATA = (1, 77, 123456, 0, 77)

    def test_whole_rows_only(self, twin: HotPath) -> None:
        form = t.template([U8], self.PARTS)
        data = [array("Q", self.DATA)]
        texts = [one(twin, number, *self.PARTS) for number in self.DATA]
        for room in range(sum(map(len, texts)) + 3):
            memory = bytearray([PATTERN]) * (room + 8)
            found = twin.render(form, data, 0, len(texts), b"", memoryview(memory)[:room])
            fitting = next(n for n in range(len(texts), -1, -1) if len("".join(texts[:n])) <= room)
            expected = "".join(texts[:fitting])
            assert found == Rendered(fitting, len(expected))
            assert memory[: found.size].decode() == expected
            assert memory[room:] == bytes([PATTERN]) * 8

    def test_rows_from_the_middle(self, twin: HotPath) -> None:
        out = bytearray(100)
        found = twin.render(t.template([U8], self.PARTS), [array("Q", self.DATA)], 2, 4, b"", out)
        assert (found.rows, out[: found.size]) == (2, b"123456;0;")

    @pytest.mark.parametrize("window", [(0, 0), (3, 3), (5, 5), (4, 2)])
    def test_no_rows(self, twin: HotPath, window: tuple[int, int]) -> None:
        found = twin.render(t.template([U8], self.PARTS), [array("Q", self.DATA)], *window, b"", bytearray(9))
        assert found == Rendered(0, 0)

    def test_rows_without_text_fit_anywhere(self, twin: HotPath) -> None:
        form = t.template([U8], [t.when("u8", 77, t.literal("x"))])
        assert twin.render(form, [array("Q", (1, 2, 77, 1))], 0, 4, b"", bytearray()) == Rendered(2, 0)

    def test_columns_are_counted(self, twin: HotPath) -> None:
        form = t.template([U8], self.PARTS)
        with pytest.raises(ValueError, match="the template has 1 columns, not 2"):
            twin.render(form, [array("Q", (1,)), b""], 0, 1, b"", bytearray(9))
        with pytest.raises(ValueError, match="column u8 has fewer than 2 rows"):
            twin.render(form, [array("Q", (1,))], 0, 2, b"", bytearray(9))
        with pytest.raises(ValueError, match="column u8 has fewer than 1 rows"):
            twin.render(
                t.template([U8, U1], [t.each("u8", t.decimal("u1"))]), [array("Q", (1,)), b""], 0, 1, b"", bytearray()
            )

    def test_a_column_that_no_step_names_may_be_empty(self, twin: HotPath) -> None:
        assert render(twin, [U8, U1], [array("Q", (5,)), b""], t.decimal("u8")) == "5"


def twins() -> list[HotPath]:
    """Both, where there are both."""
    return [load(name) for name in ("reference", *(["compiled"] if COMPILED else []))]


COLUMNS = (U1, U2, U4, U8, ADDRESS, Column("offsets", "u8", "offsets"), Column("inner", "u2", "inner rows"))
NAMES = st.sampled_from(["u1", "u2", "u4", "u8"])
WORDS = st.dictionaries(st.integers(0, 12), st.text("abc", max_size=3), max_size=4)
LEAF = st.one_of(
    st.builds(t.literal, st.text("xyz", max_size=4)),
    st.builds(t.decimal, NAMES, st.integers(-25, 25), st.integers(0, MOST >> 1)),
    st.builds(t.rest, st.integers(0, MOST >> 1), NAMES),
    st.builds(t.shifted, NAMES, st.integers(0, 63)),
    st.builds(t.joined, NAMES, st.integers(0, 40), NAMES),
    st.builds(t.rounded, NAMES),
    st.builds(t.hexadecimal, NAMES, st.integers(0, 16)),
    st.builds(t.lookup, NAMES, WORDS),
    st.builds(t.address, st.just("address"), st.just("u1"), st.just("?")),
    st.builds(t.date, NAMES),
    st.builds(t.octets, st.just("u8"), NAMES, st.integers(1, 5), st.integers(1, 9)),
    st.builds(t.string, st.just("u8"), st.just("u1"), st.integers(0, 3)),
    st.builds(t.each, st.just("offsets"), st.just(t.decimal("inner")), st.just(t.literal(","))),
)
PARTS = st.recursive(
    LEAF,
    lambda parts: st.one_of(
        st.builds(t.when, NAMES, st.integers(0, 5), parts, parts, mask=st.integers(-1, 7)),
        st.builds(t.unless, NAMES, st.integers(0, 5), parts),
        st.builds(t.alike, NAMES, NAMES, parts),
        st.builds(t.within, NAMES, st.integers(0, 9), st.integers(0, MOST >> 1), parts),
    ),
    max_leaves=8,
)


@needs_compiled
@given(
    parts=st.lists(PARTS, max_size=5),
    small=st.lists(st.integers(0, 8), min_size=8, max_size=8),
    large=st.lists(st.integers(0, MOST), min_size=2, max_size=2),
    offsets=st.lists(st.integers(0, 6), min_size=3, max_size=3),
    buffer=st.binary(max_size=40),
    room=st.integers(0, 400),
)
@settings(max_examples=150)
def test_the_twins_agree_on_any_template(
    parts: list[t.Part], small: list[int], large: list[int], offsets: list[int], buffer: bytes, room: int
) -> None:
    """On memory that ends at a page nobody may touch, too."""
    form = t.template(COLUMNS, parts, (t.Zone(0, 3600), t.Zone(1 << 20, -7200)))
    data = [bytes(small[:2]), numbers("H", *small[2:4]), numbers("I", *small[4:6])]
    data += [numbers("Q", small[6], large[1]), bytes(32), numbers("Q", *offsets), numbers("H", *range(5))]
    columns = [bytes(memoryview(item).cast("B")) for item in data]
    fences = [Fence(len(item) or 1) for item in columns]
    fenced = [fence.put(item) for fence, item in zip(fences, columns, strict=True)]
    expected = bytearray([PATTERN]) * room
    told = load("reference").render(form, columns, 0, 2, buffer, expected)
    for inputs, source in ((columns, buffer), (fenced, Fence(64).put(buffer))):
        out = Fence(512).room(room)
        out[:] = bytes([PATTERN]) * room
        assert load("compiled").render(form, inputs, 0, 2, source, out) == told
        assert out[: told.size] == expected[: told.size]
