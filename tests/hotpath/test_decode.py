"""What each operation of a plan writes, compared with values worked out by hand.

A number on the wire is given as its bytes, and what it has to be as the integer that these bytes are in one order or
the other: nothing in this file asks a twin, the plans of the library or NumPy what to expect.
"""

from __future__ import annotations

import sys

import pytest

from fastpfkey.hotpath.contract import HotPath
from fastpfkey.spec.plan import ColumnOp, ColumnPlan

from .made_up import (
    ADDRESS,
    BITS,
    GAP,
    KEY,
    LAST,
    NO_SCOPE_V6,
    OPTIONAL,
    PAIR,
    PLAIN,
    REPEATS,
    TYPED,
    Builder,
)
from .plans import HEADER, plan, row
from .twins import decode_all

OTHER = {"little": "big", "big": "little"}
IPV4 = bytes([192, 0, 2, 1])
IPV6 = bytes.fromhex("20010db8112233445566778899aabbcc")
MAPPED = bytes.fromhex("00000000000000000000ffffc0000201")
NOTHING = bytes(16)
LOOKUP = [(17 * number + 300) % 0x8000 for number in range(256)]
RAMP = bytes(range(0xF0, 0x100)) + bytes(range(0x10))


def values(twin: HotPath, data: bytes, made: ColumnPlan) -> list[list[int | bytes]]:
    """The rows that a buffer becomes: integers, and bytes for columns 16 bytes wide."""
    outcome, outputs = decode_all(twin, data, made)
    assert outcome.fault == 0
    assert outputs.untouched_outside(0, outcome.count)
    rows = [outputs.row(number) for number in range(outcome.count)]
    return [[cell if len(cell) == 16 else int.from_bytes(cell, sys.byteorder) for cell in cells] for cells in rows]


class TestCopy:
    @pytest.mark.parametrize("width", [1, 2, 4, 8])
    @pytest.mark.parametrize("swap", [False, True])
    @pytest.mark.parametrize("source", [4, 5, 8, 12])
    def test_numbers(self, twin: HotPath, build: Builder, width: int, swap: bool, source: int) -> None:
        """In the machine's order or the other, at any place. The plan decides that, not the capture's order."""
        data = build.message(build.extension(OPTIONAL, bytes(4)), build.extension(PLAIN, RAMP[:20]))
        made = plan(build.frame, f"u{width}", [row(ColumnOp.COPY, PLAIN, source, width, swap=swap)])
        order = OTHER[sys.byteorder] if swap else sys.byteorder
        expected = int.from_bytes(RAMP[source - 4 : source - 4 + width], order)  # type: ignore[arg-type]
        assert values(twin, data, made) == [[expected]]

    @pytest.mark.parametrize(
        ("width", "into", "shift", "expected"),
        [
            (1, 2, 0, 0x00F1),
            (1, 2, 8, 0xF100),
            (1, 4, 3, 0xF1 * 8),
            (1, 4, 24, 0xF1000000),
            (1, 8, 56, 0xF1 << 56),
            (2, 4, 0, 0xF1F2),
            (2, 4, 12, 0xF1F2000),
            (2, 8, 40, 0xF1F2 << 40),
            (4, 8, 0, 0xF1F2F3F4),
            (4, 8, 32, 0xF1F2F3F4 << 32),
            (1, 1, 3, 0x88),
            (2, 2, 4, 0x1F20),
            (4, 4, 31, 0),
            (4, 4, 30, 0),
            (8, 8, 8, 0xF2F3F4F5F6F7F800),
        ],
    )
    def test_shifted_into_columns_as_wide_or_wider(
        self, twin: HotPath, build: Builder, width: int, into: int, shift: int, expected: int
    ) -> None:
        """Bits that are shifted out are gone."""
        swap = sys.byteorder == "little"
        data = build.message(build.extension(PLAIN, bytes(4) + RAMP[1:13]))
        made = plan(build.frame, f"u{into}", [row(ColumnOp.COPY, PLAIN, 8, width, swap=swap, shift=shift)])
        assert values(twin, data, made) == [[expected]]

    @pytest.mark.parametrize("source", [4, 9, 16])
    def test_sixteen_bytes_as_they_are(self, twin: HotPath, build: Builder, source: int) -> None:
        data = build.message(build.extension(PLAIN, RAMP[:28]))
        made = plan(build.frame, "16u1", [row(ColumnOp.COPY, PLAIN, source, 16)])
        assert values(twin, data, made) == [[RAMP[source - 4 : source + 12]]]

    def test_header_fields(self, twin: HotPath, build: Builder) -> None:
        swap = build.frame.swap
        rows = [
            row(ColumnOp.COPY, HEADER, 1, 1, column=0),
            row(ColumnOp.COPY, HEADER, 6, 2, column=1, swap=swap),
            row(ColumnOp.COPY, HEADER, 8, 4, column=2, swap=swap),
            row(ColumnOp.COPY, HEADER, 12, 4, column=3, swap=swap),
        ]
        data = build.message() + build.message(build.extension(PLAIN, bytes(12)), seq=0xFFFFFFFE)
        found = values(twin, data, plan(build.frame, "u1 u2 u4 u4", rows))
        assert found == [[10, 0x5152, 0x01020304, 0x05060708], [10, 0x5152, 0xFFFFFFFE, 0x05060708]]

    def test_an_absent_extension_is_zero(self, twin: HotPath, build: Builder) -> None:
        rows = [row(ColumnOp.COPY, PLAIN, 4, width, column=place) for place, width in enumerate([1, 2, 4, 8, 16])]
        made = plan(build.frame, "u1 u2 u4 u8 16u1", rows)
        there, elsewhere = build.extension(PLAIN, b"\xff" * 20), build.extension(OPTIONAL, b"\xff" * 20)
        data = b"".join(build.message(item) for item in (elsewhere, there, elsewhere))
        nothing = [0, 0, 0, 0, NOTHING]
        full = [0xFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF, b"\xff" * 16]
        assert values(twin, data, made) == [nothing, full, nothing]

    def test_a_column_without_a_row_is_zero(self, twin: HotPath, build: Builder) -> None:
        made = plan(build.frame, "u1 u2 u4 u8 16u1", [])
        assert values(twin, build.message() * 3, made) == [[0, 0, 0, 0, NOTHING]] * 3

    def test_the_first_of_repeated_extensions(self, twin: HotPath, build: Builder) -> None:
        repeated = [build.extension(REPEATS, bytes([first]) + bytes(3)) for first in (7, 8, 9)]
        made = plan(build.frame, "u1", [row(ColumnOp.COPY, REPEATS, 4, 1)])
        assert values(twin, build.message(*repeated), made) == [[7]]


class TestMap:
    @pytest.mark.parametrize(("number", "expected"), [(0, 300), (1, 317), (200, 3700), (255, 4635)])
    def test_one_byte(self, twin: HotPath, build: Builder, number: int, expected: int) -> None:
        data = build.message(build.extension(PLAIN, bytes([1, 2, 3, 4, number]) + b"\xff" * 7))
        made = plan(build.frame, "u2", [row(ColumnOp.MAP, PLAIN, 8, 1, lookup=0)], [LOOKUP])
        assert values(twin, data, made) == [[expected]]

    @pytest.mark.parametrize(
        ("number", "expected"),
        [
            (0, 300),
            (255, 4635),
            (256, 0x8100),
            (0x0102, 0x8102),
            (0x7FFE, 0xFFFE),
            (0x7FFF, 0xFFFF),
            (0x8000, 0xFFFF),
            (0xFFFF, 0xFFFF),
        ],
    )
    def test_two_bytes(self, twin: HotPath, build: Builder, number: int, expected: int) -> None:
        """A number beyond the table is unknown: 0x8000 + itself, and all above 0x7fff are one."""
        swap = sys.byteorder == "little"
        data = build.message(build.extension(PLAIN, bytes(6) + number.to_bytes(2, "big") + bytes(4)))
        made = plan(build.frame, "u2", [row(ColumnOp.MAP, PLAIN, 10, 2, lookup=0, swap=swap)], [LOOKUP])
        assert values(twin, data, made) == [[expected]]

    def test_each_row_has_its_own_table(self, twin: HotPath, build: Builder) -> None:
        """Also with the high bit set, as unknown numbers within the table are."""
        lookups = [[number] * 256 for number in (1, 0x8003, 0xFFFF)]
        rows = [row(ColumnOp.MAP, PLAIN, 8, 1, column=place, lookup=2 - place) for place in range(3)]
        data = build.message(build.extension(PLAIN, bytes(12)))
        assert values(twin, data, plan(build.frame, "u2 u2 u2", rows, lookups)) == [[0xFFFF, 0x8003, 1]]

    def test_a_header_field(self, twin: HotPath, build: Builder) -> None:
        made = plan(build.frame, "u2", [row(ColumnOp.MAP, HEADER, 3, 1, lookup=0)], [LOOKUP])
        data = build.message(satype=2) + build.message(satype=254)
        assert values(twin, data, made) == [[334], [4618]]


class TestSockaddr:
    """Address, family, port and scope of a sockaddr at the start of an extension's tail."""

    def columns(
        self, build: Builder, extension: int = ADDRESS, swap_port: bool = sys.byteorder == "little"
    ) -> ColumnPlan:
        rows = [
            row(ColumnOp.IP, extension, 8, 16, column=0),
            row(ColumnOp.FAMILY, extension, 8, 2, column=1),
            row(ColumnOp.PORT, extension, 8, 2, column=2, swap=swap_port),
            row(ColumnOp.SCOPE, extension, 8, 4, column=3, swap=build.frame.swap),
        ]
        return plan(build.frame, "16u1 u2 u2 u4", rows)

    def test_all_families_in_one_buffer(self, twin: HotPath, build: Builder) -> None:
        unscoped = build.pack("HH", NO_SCOPE_V6, 0) + IPV6 + bytes.fromhex("0102ffff")
        sockaddrs = [
            (build.v4(IPV4, 0x1194), [MAPPED, 4, 0x1194, 0]),
            (build.v6(IPV6, 500, 0xA1B2C3D4), [IPV6, 6, 500, 0xA1B2C3D4]),
            (unscoped, [IPV6, 6, 0x0102, 0]),
            (bytes(2) + b"\xff" * 26, [NOTHING, 0, 0, 0]),
            (build.pack("H", 99) + b"\xff" * 26, [NOTHING, 0x8063, 0, 0]),
            (build.pack("H", 0x7FFF) + b"\xff" * 26, [NOTHING, 0xFFFF, 0, 0]),
            (build.pack("H", 0xFEDC) + b"\xff" * 26, [NOTHING, 0xFFFF, 0, 0]),
            (build.pack("H", 1) + bytes(6), [NOTHING, 0x8001, 0, 0]),
        ]
        data = b"".join(build.message(build.extension(ADDRESS, bytes(4) + raw)) for raw, _ in sockaddrs)
        assert values(twin, data, self.columns(build)) == [told for _, told in sockaddrs]
        backwards = b"".join(build.message(build.extension(ADDRESS, bytes(4) + raw)) for raw, _ in sockaddrs[::-1])
        assert values(twin, backwards, self.columns(build)) == [told for _, told in sockaddrs[::-1]]

    def test_the_first_of_two(self, twin: HotPath, build: Builder) -> None:
        data = build.message(build.extension(PAIR, bytes(4) + build.v4(IPV4, 1) + build.v6(IPV6, 2, 3)))
        assert values(twin, data, self.columns(build, PAIR)) == [[MAPPED, 4, 1, 0]]

    def test_without_the_extension_there_is_nothing(self, twin: HotPath, build: Builder) -> None:
        assert values(twin, build.message(), self.columns(build)) == [[NOTHING, 0, 0, 0]]

    def test_the_plan_decides_whether_the_port_is_swapped(self, twin: HotPath, build: Builder) -> None:
        data = build.message(build.extension(ADDRESS, bytes(4) + build.v4(IPV4, 0x1234)))
        found = values(twin, data, self.columns(build, swap_port=sys.byteorder != "little"))
        assert found == [[MAPPED, 4, 0x3412, 0]]

    def test_a_family_of_one_byte_behind_a_length(self, twin: HotPath, build: Builder) -> None:
        """As the BSDs have it: the length byte does not matter."""
        frame = type(build.frame)(build.frame.swap, 1, 1, build.frame.rules, build.frame.checks, build.frame.families)
        rows = [row(ColumnOp.IP, ADDRESS, 8, 16), row(ColumnOp.FAMILY, ADDRESS, 8, 2, column=1)]
        data = b"".join(
            build.message(build.extension(ADDRESS, bytes(4) + bytes([length, family, 0, 7]) + IPV4 + bytes(8)))
            for length, family in [(16, 2), (0, 2), (255, 2), (16, 0), (2, 255)]
        )
        known, nothing = [MAPPED, 4], [NOTHING, 0]
        assert values(twin, data, plan(frame, "16u1 u2", rows)) == [known] * 3 + [nothing, [NOTHING, 0x80FF]]


class TestPrefix:
    """Leading one bits of an address that is a mask."""

    def columns(self, build: Builder) -> ColumnPlan:
        return plan(build.frame, "u1", [row(ColumnOp.PREFIX, ADDRESS, 8, 1)])

    def test_of_every_length(self, twin: HotPath, build: Builder) -> None:
        def mask(ones: int, size: int) -> bytes:
            return ((1 << ones) - 1 << size - ones).to_bytes(size // 8, "big")

        masks = [(build.v4(mask(ones, 32), 0xFFFF), ones) for ones in range(33)]
        masks += [(build.v6(mask(ones, 128), 0xFFFF, 0xFFFFFFFF), ones) for ones in range(129)]
        data = b"".join(build.message(build.extension(ADDRESS, bytes(4) + raw)) for raw, _ in masks)
        assert values(twin, data, self.columns(build)) == [[ones] for _, ones in masks]

    def test_ends_at_the_first_zero(self, twin: HotPath, build: Builder) -> None:
        masks = {"ff00ff00": 8, "fffdffff": 14, "7fffffff": 0, "fffffffe": 31}
        sockaddrs = [build.v4(bytes.fromhex(raw)) for raw in masks]
        data = b"".join(build.message(build.extension(ADDRESS, bytes(4) + raw)) for raw in sockaddrs)
        assert values(twin, data, self.columns(build)) == [[ones] for ones in masks.values()]

    def test_without_an_address_it_is_zero(self, twin: HotPath, build: Builder) -> None:
        unknown = build.message(build.extension(ADDRESS, bytes(4) + build.pack("H", 99) + b"\xff" * 26))
        known = build.message(build.extension(ADDRESS, bytes(4) + build.v4(b"\xff" * 4)))
        data = unknown + build.message() + known + unknown
        assert values(twin, data, self.columns(build)) == [[0], [0], [32], [0]]


class TestFacts:
    """What a message is, rather than what it says."""

    def test_offset_and_length_of_message_and_tail(self, twin: HotPath, build: Builder) -> None:
        rows = [
            row(ColumnOp.MESSAGE_OFFSET),
            row(ColumnOp.MESSAGE_LENGTH, column=1),
            row(ColumnOp.TAIL_OFFSET, KEY, 8, column=2),
            row(ColumnOp.TAIL_LENGTH, KEY, 8, column=3),
        ]
        made = plan(build.frame, "u8 u4 u8 u4", rows)
        first = build.message(build.extension(OPTIONAL, bytes(12)), build.extension(KEY, bytes(28)))
        second = build.message(build.extension(KEY, bytes(4)))
        data = first + second + build.message() + first
        assert (len(first), len(second)) == (64, 24)
        assert values(twin, data, made) == [[0, 64, 40, 24], [64, 24, 88, 0], [88, 16, 0, 0], [104, 64, 144, 24]]

    def test_offsets_are_from_the_start_of_the_buffer_not_of_the_window(self, twin: HotPath, build: Builder) -> None:
        rows = [row(ColumnOp.MESSAGE_OFFSET), row(ColumnOp.TAIL_OFFSET, KEY, 8, column=1)]
        made = plan(build.frame, "u8 u8", rows)
        data = bytes(5) + build.message(build.extension(KEY, bytes(4)))
        columns = [memoryview(bytearray(8)).cast("Q") for _ in range(2)]
        assert twin.decode(data, 5, len(data), made, False, columns, 0, 1) == (1, 0, 29, 29)
        assert [column.tolist() for column in columns] == [[5], [29]]

    def test_present_and_others(self, twin: HotPath, build: Builder) -> None:
        """Bits are the rules', not the wire numbers; a repeated extension has one bit, an unknown one none."""
        made = plan(build.frame, "u8 u2", [row(ColumnOp.PRESENT), row(ColumnOp.OTHERS, column=1)])
        sets = {
            (): (0, 0),
            (PLAIN,): (1, 0),
            (LAST,): (1 << 63, 0),
            (OPTIONAL, KEY, TYPED): (1 << BITS[OPTIONAL] | 1 << BITS[KEY] | 1 << BITS[TYPED], 0),
            (REPEATS, REPEATS, REPEATS): (1 << 40, 0),
            (GAP, 0, 255, 256, 0xFFFF): (0, 5),
            (GAP, GAP, GAP, PLAIN): (1, 3),
            (LAST + 1,): (0, 1),
        }
        data = b"".join(build.message(*[build.extension(number, bytes(12)) for number in numbers]) for numbers in sets)
        assert values(twin, data, made) == [list(told) for told in sets.values()]

    def test_thousands_of_others(self, twin: HotPath, build: Builder) -> None:
        made = plan(build.frame, "u2", [row(ColumnOp.OTHERS)])
        data = build.message(*[build.extension(GAP, bytes(4))] * 65533)
        assert values(twin, data, made) == [[65533]]

    def test_numbers_that_a_frame_is_too_short_for_are_unknown(self, twin: HotPath, build: Builder) -> None:
        short = type(build.frame)(build.frame.swap, 0, 2, build.frame.rules[:3], build.frame.checks, ())
        data = build.message(*[build.extension(number, bytes(12)) for number in (PLAIN, ADDRESS, LAST)])
        made = plan(short, "u8 u2", [row(ColumnOp.PRESENT), row(ColumnOp.OTHERS, column=1)])
        assert values(twin, data, made) == [[1, 2]]


class TestPrecedence:
    """Of several rows for one column the last that applies counts."""

    def test_by_presence(self, twin: HotPath, build: Builder) -> None:
        rows = [row(ColumnOp.COPY, PLAIN, 4, 1), row(ColumnOp.COPY, OPTIONAL, 4, 1), row(ColumnOp.COPY, KEY, 6, 1)]
        made = plan(build.frame, "u1", rows)
        weak, middle = build.extension(PLAIN, b"\x11" * 12), build.extension(OPTIONAL, b"\x22" * 4)
        strong = build.extension(KEY, bytes(2) + b"\x33" * 2)
        sets = [
            (weak,),
            (middle,),
            (strong,),
            (weak, middle),
            (middle, weak),
            (strong, weak),
            (strong, middle, weak),
            (),
        ]
        data = b"".join(build.message(*items) for items in sets)
        assert values(twin, data, made) == [[0x11], [0x22], [0x33], [0x22], [0x22], [0x33], [0x33], [0]]

    def test_by_length(self, twin: HotPath, build: Builder) -> None:
        """A field of a longer variant applies where the extension is long enough."""
        rows = [row(ColumnOp.COPY, OPTIONAL, 4, 1), row(ColumnOp.COPY, OPTIONAL, 16, 1, minimum=24)]
        made = plan(build.frame, "u1", rows)
        body = bytes([1, 2, 3, 4]) + bytes(8) + bytes([5]) + bytes(15)
        data = b"".join(build.message(build.extension(OPTIONAL, body[:size])) for size in (4, 12, 20, 28))
        assert values(twin, data, made) == [[1], [1], [5], [5]]

    def test_by_length_alone(self, twin: HotPath, build: Builder) -> None:
        made = plan(build.frame, "u1", [row(ColumnOp.COPY, OPTIONAL, 16, 1, minimum=24)])
        data = b"".join(build.message(build.extension(OPTIONAL, b"\x77" * size)) for size in (4, 12, 20))
        assert values(twin, data, made) == [[0], [0], [0x77]]

    @pytest.mark.parametrize("satypes", [[9, 3, 9], [3, 9, 3], [9, 9, 200], [255, 9, 0]])
    def test_by_sa_type(self, twin: HotPath, build: Builder, satypes: list[int]) -> None:
        """Messages that differ in nothing but their SA type."""
        lookups = [[1] * 256, [2] * 256]
        rows = [
            row(ColumnOp.MAP, PLAIN, 4, 1, lookup=0),
            row(ColumnOp.MAP, PLAIN, 4, 1, lookup=1, satype=9),
            row(ColumnOp.MAP, PLAIN, 4, 1, lookup=0, satype=200, column=1),
            row(ColumnOp.COPY, HEADER, 3, 1, satype=0, column=1),
        ]
        made = plan(build.frame, "u2 u2", rows, lookups)
        data = b"".join(build.message(build.extension(PLAIN, bytes(12)), satype=satype) for satype in satypes)
        assert values(twin, data, made) == [[2 if satype == 9 else 1, int(satype == 200)] for satype in satypes]

    def test_a_later_constant_replaces_a_copied_value(self, twin: HotPath, build: Builder) -> None:
        rows = [row(ColumnOp.COPY, PLAIN, 4, 4), row(ColumnOp.MESSAGE_LENGTH), row(ColumnOp.TAIL_LENGTH, TYPED, 8)]
        made = plan(build.frame, "u4", rows)
        plain, typed = build.extension(PLAIN, b"\xff" * 12), build.extension(TYPED, bytes(20))
        data = build.message(plain) + build.message(plain, typed) + build.message()
        assert values(twin, data, made) == [[32], [16], [16]]
