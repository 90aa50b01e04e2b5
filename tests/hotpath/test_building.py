"""Rows that are alike, and messages from templates and columns: plans made by hand, both twins against each other."""

from __future__ import annotations

import random
from array import array
from typing import Any

import numpy as np
import pytest

from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import HotPath
from fastpfkey.spec.building import BuildOp, BuildPlan, BuildStep, Part, Templates
from fastpfkey.spec.tables import Column

from .twins import needs_compiled

pytestmark = pytest.mark.fuzz

GUARD = 0xA5


def classify(twin: HotPath, *columns: Any, rows: int | None = None) -> tuple[list[int], list[int]]:
    """Number of each row, and the first row of each number."""
    arrays = [np.asarray(column) for column in columns]
    count = len(arrays[0]) if rows is None else rows
    shapes, firsts = np.full(count, 99, np.uint32), np.full(count, 99, np.uint32)
    octets = [item.reshape(-1).view(np.uint8).data for item in arrays]
    found = twin.classify(octets, [item.itemsize for item in arrays], count, shapes.data, firsts.data)
    assert (firsts[found:] == 99).all()
    return shapes.tolist(), firsts[:found].tolist()


class TestClassify:
    def test_numbers_count_up_as_combinations_appear(self, twin: HotPath) -> None:
        small, large = np.array([7, 1, 7, 1, 7], np.uint8), np.array([5, 5, 5, 9, 5], np.uint64)
        assert classify(twin, small, large) == ([0, 1, 0, 2, 0], [0, 1, 3])
        assert classify(twin, small) == ([0, 1, 0, 1, 0], [0, 1])

    def test_without_columns_all_rows_are_alike(self, twin: HotPath) -> None:
        assert classify(twin, rows=3) == ([0, 0, 0], [0])

    def test_one_bit_that_varies_beside_words_that_are_full(self, twin: HotPath) -> None:
        full = np.random.default_rng(0).integers(0, 1 << 64, 100, np.uint64)
        assert classify(twin, full, (np.arange(100) % 2).astype(np.uint8))[0] == list(range(100))

    @pytest.mark.parametrize("strange", [1, 700, 9_000, 19_999])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
    def test_a_bit_that_varies_in_one_row_of_many(self, twin: HotPath, dtype: type, strange: int) -> None:
        """Which bits vary is guessed from some rows, of which these are or are not."""
        usual, rare = (np.arange(20_000) % 3).astype(np.uint16), np.full(20_000, 5, dtype)
        rare[strange] ^= dtype(1 << 7)
        seen: dict[tuple[int, int], int] = {}
        expected = [seen.setdefault(row, len(seen)) for row in zip(usual.tolist(), rare.tolist(), strict=True)]
        assert classify(twin, usual, rare) == (expected, [expected.index(number) for number in range(4)])

    def test_without_rows_there_is_nothing(self, twin: HotPath) -> None:
        assert classify(twin, np.zeros(0, np.uint16)) == ([], [])

    def test_many_combinations(self, twin: HotPath) -> None:
        numbers = (np.arange(5000) * 7919 % 3001).astype(np.uint32)
        assert classify(twin, numbers)[1] == list(range(3001))

    @pytest.mark.parametrize("short", ["column", "shapes", "firsts"])
    def test_what_is_too_short_is_refused(self, twin: HotPath, short: str) -> None:
        sizes = {"column": 8, "shapes": 4, "firsts": 4}
        column, shapes, firsts = (bytearray((3 - (short == name)) * size) for name, size in sizes.items())
        with pytest.raises(IndexError, match="too short"):
            twin.classify([column], [8], 3, memoryview(shapes).cast("I"), memoryview(firsts).cast("I"))

    @pytest.mark.parametrize("bit", [0, 7, 63, 64, 100, 159])
    def test_one_bit_makes_a_difference(self, twin: HotPath, bit: int) -> None:
        column = bytearray(b"\xa5" * 60)
        column[20 + bit // 8] ^= 1 << bit % 8
        shapes, firsts = array("I", [9] * 3), array("I", [9] * 3)
        found = twin.classify([column], [20], 3, memoryview(shapes), memoryview(firsts))
        assert (found, shapes.tolist(), firsts[:2].tolist()) == (2, [0, 1, 0], [0, 1])

    @needs_compiled
    @pytest.mark.parametrize("width", [1, 3, 7, 8, 16, 23])
    def test_twins_agree_on_values_of_any_width(self, width: int) -> None:
        rng = np.random.default_rng(width)
        rows = 3000
        some = rng.integers(0, 256, (700, width)).astype(np.uint8)
        column, other = some[rng.integers(0, 700, rows)].tobytes(), rng.integers(0, 9, rows).astype(np.uint8).tobytes()
        found = []
        for backend in ("compiled", "reference"):
            shapes, firsts = np.zeros(rows, np.uint32), np.zeros(rows, np.uint32)
            count = load(backend).classify([column, other], [width, 1], rows, shapes.data, firsts.data)
            found.append((count, shapes.tolist(), firsts[:count].tolist()))
        assert found[0] == found[1]

    @needs_compiled
    def test_twins_agree(self) -> None:
        rng = np.random.default_rng(1)
        for _ in range(20):
            rows = int(rng.integers(0, 2000))
            columns = [rng.integers(0, 5, rows).astype(f"u{1 << int(rng.integers(0, 4))}") for _ in range(6)]
            assert classify(load("compiled"), *columns, rows=rows) == classify(load("reference"), *columns, rows=rows)


def plan(*steps: BuildStep, columns: str = "", strings: int = 0, parts: int = 1) -> BuildPlan:
    """A plan whose columns have these types."""
    made = tuple(Column(f"column {k}", dtype, "made up") for k, dtype in enumerate(columns.split()))
    return BuildPlan((), made, (None,) * strings, (Part(None, ""),) * parts, steps)  # type: ignore[arg-type]


def templates(*pairs: tuple[bytes, list[int]]) -> Templates:
    """Templates and the places of their parts."""
    places = [place for _, found in pairs for place in found]
    return Templates(
        b"".join(octets for octets, _ in pairs), array("i", map(len, (o for o, _ in pairs))), array("i", places)
    )


def build(
    twin: HotPath,
    plan: BuildPlan,
    made: Templates,
    shapes: list[int],
    columns: list[Any] = [],  # noqa: B006 - nobody changes it
    strings: list[tuple[bytes, list[int]]] = [],  # noqa: B006
    room: int | None = None,
) -> tuple[bytes, list[int]]:
    """The messages and their offsets, with a guard behind both."""
    total = sum(made.lengths[shape] for shape in shapes) if room is None else room
    out = bytearray([GUARD]) * (total + 64)
    offsets = array("Q", [GUARD]) * (len(shapes) + 1)
    octets = [np.asarray(column).reshape(-1).view(np.uint8).data for column in columns]
    texts = [(text, memoryview(array("Q", starts))) for text, starts in strings]
    numbers = memoryview(array("I", shapes))
    room_for = memoryview(offsets)[: len(shapes)], memoryview(out)[:total]
    count = twin.build(plan, made, numbers, octets, texts, *room_for)
    assert set(out[total:]) == {GUARD}
    assert offsets[-1] == GUARD
    return bytes(out[:count]), offsets[:-1].tolist()


NUMBER, IPV4, IPV6, BYTES = BuildOp
PLAIN = templates((b"a" * 16, [0, 2]), (b"b" * 24, [8, -1]))
ONE = templates((b"a" * 16, [0]))


class TestBuild:
    def test_templates_are_laid_back_to_back(self, twin: HotPath) -> None:
        found = build(twin, plan(parts=2), PLAIN, [1, 0, 1])
        assert found == (b"b" * 24 + b"a" * 16 + b"b" * 24, [0, 24, 40])

    def test_no_rows_are_no_bytes(self, twin: HotPath) -> None:
        assert build(twin, plan(parts=2), PLAIN, []) == (b"", [])

    @pytest.mark.parametrize("width", [1, 2, 4, 8])
    @pytest.mark.parametrize("swap", [False, True])
    def test_numbers(self, twin: HotPath, width: int, swap: bool) -> None:
        values = np.array([0x0102030405060708, 0, 0xFFFEFDFCFBFAF9F8], np.uint64).astype(f"u{width}")
        step = BuildStep(NUMBER, 0, 1, width, int(swap), 0)
        found, _ = build(twin, plan(step, columns=f"u{width}"), ONE, [0, 0, 0], [values])
        expected = values.byteswap() if swap else values
        parts = [b"a" + item.tobytes() + b"a" * (15 - width) for item in expected]
        assert found == b"".join(parts)

    def test_zeros_are_written_over_what_is_none(self, twin: HotPath) -> None:
        step = BuildStep(NUMBER, 0, 4, 4, 0, 0)
        found, _ = build(twin, plan(step, columns="u4"), ONE, [0], [np.zeros(1, np.uint32)])
        assert found == b"aaaa" + bytes(4) + b"a" * 8

    def test_zeros_are_written_over_earlier_steps(self, twin: HotPath) -> None:
        steps = BuildStep(BYTES, 0, 0, 1, 0, 0), BuildStep(NUMBER, 0, 4, 4, 0, 0)
        made = templates((bytes(16), [0, 16]))
        text = [(b"k" * 16, [0])]
        found, _ = build(twin, plan(*steps, columns="u4", strings=1, parts=2), made, [0], [np.zeros(1, "u4")], text)
        assert found == b"kkkk" + bytes(4) + b"k" * 8

    def test_addresses(self, twin: HotPath) -> None:
        step4, step6 = BuildStep(IPV4, 0, 0, 4, 0, 0), BuildStep(IPV6, 1, 0, 16, 0, 0)
        made = templates((bytes(16), [4, -1]), (bytes(24), [-1, 8]))
        column = np.arange(32, dtype=np.uint8).reshape(2, 16)
        found, _ = build(twin, plan(step4, step6, columns="16u1", parts=2), made, [0, 1], [column])
        assert found == bytes(4) + bytes([12, 13, 14, 15]) + bytes(8) + bytes(8) + bytes(range(16, 32))

    @pytest.mark.parametrize("place", [0, 3, 12, 20])
    def test_an_address_changes_nothing_before_it(self, twin: HotPath, place: int) -> None:
        """Although it is the end of 16 bytes in its column; not even if it begins its message."""
        made = templates((b"a" * 24, [place]))
        column = np.arange(16, dtype=np.uint8)
        found, _ = build(
            twin, plan(BuildStep(IPV4, 0, 0, 4, 0, 0), columns="16u1"), made, [0, 0], [np.tile(column, (2, 1))]
        )
        assert found == 2 * (b"a" * place + bytes([12, 13, 14, 15]) + b"a" * (20 - place))

    @pytest.mark.parametrize("swaps", [(0, 0), (0, 1), (1, 0)])
    @pytest.mark.parametrize("distance", [8, 4, 16])
    @pytest.mark.parametrize("places", [(8, 8), (8, 0), (0, -1), (-1, -1)])
    @pytest.mark.parametrize("rows", [2, 40])
    def test_two_numbers(
        self, twin: HotPath, swaps: tuple[int, int], distance: int, places: tuple[int, int], rows: int
    ) -> None:
        """Neighbours, one over the other, and apart; at one place in all messages, and not."""
        first = np.arange(1, rows + 1, dtype=np.uint64) * 0x0102030405060708
        second = ~first
        steps = BuildStep(NUMBER, 0, 0, 8, swaps[0], 0), BuildStep(NUMBER, 0, distance, 8, swaps[1], 1)
        made = templates(*((b"a" * 32, [place]) for place in places))
        shapes = [k % 2 for k in range(rows)]
        found, _ = build(twin, plan(*steps, columns="u8 u8"), made, shapes, [first, second])
        expected = bytearray()
        for shape, *values in zip(shapes, first, second, strict=True):
            message = bytearray(b"a" * 32)
            for value, swap, at in zip(values, swaps, (0, distance), strict=True):
                if places[shape] >= 0:
                    begin = places[shape] + at
                    message[begin : begin + 8] = (value.byteswap() if swap else value).tobytes()
            expected += message
        assert found == expected

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    @pytest.mark.parametrize("places", [(8, 40), (8, 20), (40, 8), (8, 8), (8, -1), (-1, 8)])
    def test_strings_leave_each_other_alone(
        self, twin: HotPath, order: tuple[int, int], places: tuple[int, int]
    ) -> None:
        """Wherever they are: keys of 16 bytes in front of others, behind them, half over them."""
        made = templates((b"a" * 96, [*places, 16]))
        texts = [(bytes(range(100, 200)), [4, 9]), (bytes(range(200)), [1, 2])]
        steps = [BuildStep(BYTES, part, 0, 2, 0, part) for part in order]
        found, _ = build(twin, plan(*steps, strings=2, parts=3), made, [0, 0], [], texts)
        expected = bytearray()
        for row in range(2):
            message = bytearray(b"a" * 96)
            for part in order:
                text, starts = texts[part]
                if places[part] >= 0:
                    message[places[part] : places[part] + 16] = text[starts[row] : starts[row] + 16]
            expected += message
        assert found == expected

    def test_a_part_that_is_absent_is_not_written(self, twin: HotPath) -> None:
        step = BuildStep(NUMBER, 1, 0, 2, 0, 0)
        found, _ = build(twin, plan(step, columns="u2", parts=2), PLAIN, [0, 1], [np.full(2, 0x7878, np.uint16)])
        assert found == b"aaxx" + b"a" * 12 + b"b" * 24

    @pytest.mark.parametrize("rows", [1, 3, 40, 1500])
    def test_strings_of_every_size(self, twin: HotPath, rows: int) -> None:
        """Longer and shorter than a line, at the end of their buffer, and none."""
        sizes = [0, 1, 7, 8, 63, 64, 65, 200]
        made = templates(*((bytes([k]) * (208 + 8 * k), [4, size]) for k, size in enumerate(sizes)))
        text = bytes(range(1, 201))
        shapes = [k % len(sizes) for k in range(rows)]
        starts = [200 - sizes[shape] if k % 2 else 0 for k, shape in enumerate(shapes)]
        step = BuildStep(BYTES, 0, 0, 1, 0, 0)
        found, offsets = build(twin, plan(step, strings=1, parts=2), made, shapes, [], [(text, starts)])
        for offset, shape, start in zip(offsets, shapes, starts, strict=True):
            template = bytearray([shape]) * (208 + 8 * shape)
            template[4 : 4 + sizes[shape]] = text[start : start + sizes[shape]]
            assert found[offset : offset + len(template)] == template

    def test_a_string_of_no_bytes_may_begin_anywhere(self, twin: HotPath) -> None:
        made = templates((b"a" * 16, [0, 0]))
        text = [(b"", [2**64 - 1])]
        assert (
            build(twin, plan(BuildStep(BYTES, 0, 0, 1, 0, 0), strings=1, parts=2), made, [0], [], text)[0] == b"a" * 16
        )

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"shapes": [0, 2], "room": 40}, "no template"),
            ({"room": 39}, "too short"),
            ({"columns": [np.zeros(1, np.uint32)]}, "too short"),
            ({"strings": [(b"text", [0])]}, "too short"),
            ({"strings": [(b"text", [1, 0])]}, "past the end"),
            ({"strings": [(b"text", [2**64 - 2, 0])]}, "past the end"),
            ({"step": BuildStep(NUMBER, 0, 13, 4, 0, 0)}, "leaves its message"),
            ({"step": BuildStep(BYTES, 0, 14, 1, 0, 0)}, "leaves its message"),
        ],
    )
    def test_nothing_is_written_or_read_outside(self, twin: HotPath, change: dict[str, Any], reason: str) -> None:
        made = templates((b"a" * 16, [0, 4]), (b"b" * 24, [0, 4]))
        given = {
            "shapes": [0, 1],
            "columns": [np.zeros(2, np.uint32)],
            "strings": [(b"text", [0, 0])],
            "step": BuildStep(BYTES, 0, 0, 1, 0, 0),
        } | change
        with pytest.raises(IndexError, match=reason):
            build(twin, plan(given.pop("step"), columns="u4", strings=1, parts=2), made, **given)


@needs_compiled
def test_twins_agree() -> None:
    """Plans, templates and columns at random, in which steps write over each other and many columns are zero."""
    draw = random.Random(1)
    for _ in range(60):
        rows, parts, shapes = draw.choice([0, 1, 5, 700]), draw.randint(2, 5), draw.randint(1, 6)
        columns = [np.zeros((rows, 16), np.uint8), *(np.zeros(rows, f"u{width}") for width in (1, 2, 4, 8))]
        for column in columns:
            if draw.random() < 0.6:
                column[:] = np.random.default_rng(draw.randint(0, 99)).integers(0, 255, column.shape, np.uint8)
        steps = []
        for _ in range(draw.randint(0, 8)):
            width = draw.choice([1, 2, 4, 8])
            part, distance = draw.randrange(parts - 1), draw.randint(0, 8)
            steps.append(
                draw.choice(
                    [
                        BuildStep(NUMBER, part, distance, width, draw.randint(0, 1), {1: 1, 2: 2, 4: 3, 8: 4}[width]),
                        BuildStep(IPV4, part, distance, 4, 0, 0),
                        BuildStep(IPV6, part, distance, 16, 0, 0),
                        BuildStep(BYTES, part, distance, parts - 1, 0, 0),
                    ]
                )
            )
        made = templates(
            *(
                (
                    draw.choice([bytes, draw.randbytes])(160 + 8 * k),
                    [*(draw.choice([-1, 0, 8, 24]) for _ in range(parts - 1)), draw.choice([0, 16, 20, 64, 100])],
                )
                for k in range(shapes)
            )
        )
        told = plan(*steps, columns="16u1 u1 u2 u4 u8", strings=1, parts=parts)
        which = [draw.randrange(shapes) for _ in range(rows)]
        strings = [(draw.randbytes(300), [draw.randint(0, 200) for _ in which])]
        results = [build(load(name), told, made, which, columns, strings) for name in ("reference", "compiled")]
        assert results[0] == results[1]


@needs_compiled
@pytest.mark.parametrize("lead", [0, 1, 8, 63])
def test_what_is_too_large_for_the_cache(lead: int) -> None:
    """Written in lines, wherever the output begins; messages of a few bytes among long ones."""
    rows, sizes = 4000, [8, 16, 64, 511, 512, 520, 9000, 30000]
    places = [[0 if size > 8 else -1, min(9 * k, size - 4)] for k, size in enumerate(sizes)]
    made = templates(*((bytes([k + 1]) * size, places[k]) for k, size in enumerate(sizes)))
    shapes = [k * 7 % len(sizes) for k in range(rows)]
    numbers, text = np.arange(rows, dtype=np.uint32), bytes(range(256))
    starts = [k % (256 - 60) for k in range(rows)]
    steps = BuildStep(BYTES, 0, 2, 1, 0, 0), BuildStep(NUMBER, 0, 4, 4, 1, 0)
    expected = bytearray()
    begins = []
    for number, shape in enumerate(shapes):
        message = bytearray([shape + 1]) * sizes[shape]
        there, size = places[shape]
        if there >= 0:
            message[2 : 2 + size] = text[starts[number] : starts[number] + size]
            message[4:8] = number.to_bytes(4, "big" if np.little_endian else "little")
        begins.append(len(expected))
        expected += message
    assert len(expected) > 16 << 20
    out = np.full(len(expected) + lead + 64, GUARD, np.uint8)
    offsets = array("Q", [0]) * rows
    told = plan(*steps, columns="u4", strings=1, parts=2)
    strings = [(text, memoryview(array("Q", starts)))]
    place = out[lead : lead + len(expected)].data
    columns = [numbers.view(np.uint8).data]
    count = load("compiled").build(told, made, memoryview(array("I", shapes)), columns, strings, offsets, place)
    assert count == len(expected)
    assert offsets.tolist() == begins
    assert out[lead : lead + count].tobytes() == expected
    assert (out[:lead] == GUARD).all()
    assert (out[lead + count :] == GUARD).all()
