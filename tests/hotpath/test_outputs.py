"""What the caller hands over: buffers of any kind, outputs that are too few or too small, and strings to gather."""

from __future__ import annotations

import mmap
import sys
from array import array
from pathlib import Path
from typing import Any

import pytest

from fastpfkey.hotpath.contract import HotPath
from fastpfkey.spec.plan import ColumnOp

from .made_up import PLAIN, Builder
from .plans import HEADER, plan, row
from .twins import EVERYTHING, PATTERN

TOO_LITTLE = (ValueError, IndexError)


@pytest.fixture
def data(build: Builder) -> bytes:
    """Three messages."""
    return b"".join(build.message(build.extension(PLAIN, bytes(12)), seq=seq) for seq in (1, 2, 3))


def two_columns(build: Builder) -> Any:
    """Four bytes of sequence number, and sixteen of nothing."""
    return plan(build.frame, "u4 16u1", [row(ColumnOp.COPY, HEADER, 8, 4, swap=build.frame.swap)])


class TestColumns:
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_as_many_as_the_plan_has(self, twin: HotPath, build: Builder, data: bytes, count: int) -> None:
        columns = [bytearray(48) for _ in range(count)]
        with pytest.raises(ValueError):  # noqa: PT011  # each twin in its own words: it is the library's own mistake
            twin.decode(data, 0, EVERYTHING, two_columns(build), False, columns, 0, 3)
        assert columns == [bytes(48)] * count

    @pytest.mark.parametrize(("first", "second"), [(11, 48), (12, 47), (8, 48), (0, 48), (12, 33)])
    def test_large_enough(self, twin: HotPath, build: Builder, data: bytes, first: int, second: int) -> None:
        """Nothing is written behind the end of one that is not."""
        memory = [bytearray([PATTERN]) * 100, bytearray([PATTERN]) * 100]
        columns = [memoryview(memory[0])[:first], memoryview(memory[1])[:second]]
        with pytest.raises(TOO_LITTLE):
            twin.decode(data, 0, EVERYTHING, two_columns(build), False, columns, 0, 3)
        assert set(memory[0][first:]) | set(memory[1][second:]) == {PATTERN}

    def test_writable(self, twin: HotPath, build: Builder, data: bytes) -> None:
        with pytest.raises((ValueError, BufferError)):
            twin.decode(data, 0, EVERYTHING, two_columns(build), False, [bytes(12), bytearray(48)], 0, 3)

    def test_larger_ones_are_left_alone_behind_the_rows(self, twin: HotPath, build: Builder, data: bytes) -> None:
        columns = [bytearray([PATTERN]) * 21, bytearray([PATTERN]) * 80]
        outcome = twin.decode(data, 0, EVERYTHING, two_columns(build), False, columns, 1, 5)
        assert outcome.count == 3
        numbers = b"".join(seq.to_bytes(4, sys.byteorder) for seq in (1, 2, 3))
        assert columns[0] == bytes([PATTERN] * 4) + numbers + bytes([PATTERN] * 5)
        assert columns[1] == bytes([PATTERN] * 16) + bytes(48) + bytes([PATTERN] * 16)

    @pytest.mark.parametrize("kind", ["typed", "two-dimensional"])
    def test_of_any_contiguous_kind(self, twin: HotPath, build: Builder, data: bytes, kind: str) -> None:
        wide: Any = bytearray(48)
        if kind == "two-dimensional":
            wide = memoryview(wide).cast("B", (3, 16))
        narrow = array("I", [0, 0, 0])
        twin.decode(data, 0, EVERYTHING, two_columns(build), False, [narrow, wide], 0, 3)
        assert narrow.tolist() == [1, 2, 3]

    def test_no_columns_still_count(self, twin: HotPath, build: Builder, data: bytes) -> None:
        assert twin.decode(data, 0, EVERYTHING, plan(build.frame, "", []), False, [], 0, 3) == (3, 0, 96, 96)

    def test_they_are_let_go(self, twin: HotPath, build: Builder, data: bytes) -> None:
        """Also after a refusal: an array that is still exported could not grow."""
        columns = [bytearray(12), bytearray(48)]
        source = bytearray(data)
        twin.decode(source, 0, EVERYTHING, two_columns(build), False, columns, 0, 3)
        with pytest.raises(TOO_LITTLE):
            twin.decode(source, 0, EVERYTHING, two_columns(build), False, [columns[0], bytearray(1)], 0, 3)
        for used in (*columns, source):
            used.append(0)


class TestInput:
    def test_any_bytes_like_object(self, twin: HotPath, build: Builder, data: bytes, tmp_path: Path) -> None:
        path = tmp_path / "capture"
        path.write_bytes(data)
        expected = None
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            for buffer in (data, bytearray(data), memoryview(data), array("B", data), mapped):
                offsets = array("Q", [9] * 3)
                outcome = twin.walk(buffer, 0, EVERYTHING, build.frame, False, offsets)
                assert (outcome, offsets.tolist()) == ((3, 0, 96, 96), [0, 32, 64])
                columns = [bytearray(12), bytearray(48)]
                twin.decode(buffer, 0, EVERYTHING, two_columns(build), False, columns, 0, 3)
                expected = expected or columns
                assert columns == expected
                assert twin.hop(buffer, 0, EVERYTHING, build.frame.swap, 33) == (2, 0, 64, 64)
                assert twin.follow(buffer, 0, EVERYTHING, build.frame, 10, 0x05060708, 1, 1) == (3, 0, 96, 96)
                assert twin.gather(buffer, array("Q", [0]), array("H", [8]), bytearray(1)) == 1

    def test_what_is_not_contiguous_is_refused(self, twin: HotPath, build: Builder, data: bytes) -> None:
        with pytest.raises((TypeError, BufferError)):
            twin.walk(memoryview(data)[::2], 0, EVERYTHING, build.frame, False, array("Q", [0]))

    def test_a_read_only_buffer_stays_as_it_is(self, twin: HotPath, build: Builder, data: bytes) -> None:
        before = bytes(bytearray(data))
        twin.decode(data, 0, EVERYTHING, two_columns(build), True, [bytearray(12), bytearray(48)], 0, 3)
        assert data == before


class TestGather:
    SOURCE = bytes(range(100))

    def gather(self, twin: HotPath, strings: list[tuple[int, int]], store: bytearray) -> int:
        offsets = array("Q", [offset for offset, _ in strings])
        return twin.gather(self.SOURCE, offsets, array("H", [bits for _, bits in strings]), store)

    def test_back_to_back(self, twin: HotPath) -> None:
        """In the order asked for, overlapping or not, bits rounded up to bytes."""
        store = bytearray([PATTERN]) * 14
        strings = [(90, 16), (10, 24), (11, 8), (50, 0), (0, 9), (98, 15), (10, 1)]
        assert self.gather(twin, strings, store) == 11
        assert store == bytes([90, 91, 10, 11, 12, 11, 0, 1, 98, 99, 10]) + bytes([PATTERN] * 3)

    def test_everything_into_a_store_of_its_size(self, twin: HotPath) -> None:
        store = bytearray(100)
        assert self.gather(twin, [(0, 800)], store) == 100
        assert store == self.SOURCE

    def test_the_most_bits(self, twin: HotPath) -> None:
        source, store = bytes(range(256)) * 32, bytearray(8192)
        assert twin.gather(source, array("Q", [0]), array("H", [0xFFFF]), store) == 8192
        assert store == source

    @pytest.mark.parametrize("offset", [0, 100, 101, 1 << 62, 1 << 63, (1 << 64) - 1])
    def test_an_empty_string_may_be_anywhere(self, twin: HotPath, offset: int) -> None:
        store = bytearray(2)
        assert self.gather(twin, [(5, 8), (offset, 0), (6, 8)], store) == 2
        assert store == bytes([5, 6])

    def test_nothing(self, twin: HotPath) -> None:
        assert self.gather(twin, [], bytearray()) == 0
        assert twin.gather(b"", array("Q", [0, 7]), array("H", [0, 0]), bytearray()) == 0

    @pytest.mark.parametrize(
        ("offset", "bits"),
        [(100, 1), (99, 9), (93, 57), (101, 8), (0, 801), *((far, 8) for far in (1 << 32, (1 << 63) - 1, 1 << 63, ~0))],
    )
    def test_a_string_past_the_end(self, twin: HotPath, offset: int, bits: int) -> None:
        """Nothing is written, not even the good strings before it."""
        store = bytearray([PATTERN]) * 300
        with pytest.raises(IndexError, match="gather: "):
            self.gather(twin, [(0, 80), (offset % (1 << 64), bits), (0, 80)], store)
        assert set(store) == {PATTERN}

    @pytest.mark.parametrize("room", [0, 1, 19])
    def test_a_store_that_is_too_short(self, twin: HotPath, room: int) -> None:
        store = bytearray([PATTERN]) * room
        with pytest.raises(IndexError, match="the store is too short"):
            self.gather(twin, [(0, 80), (10, 80)], store)
        assert set(store) <= {PATTERN}

    @pytest.mark.parametrize(("offsets", "bits"), [([0], []), ([], [8]), ([0, 1], [8]), ([0], [8, 8])])
    def test_offsets_and_bits_in_pairs(self, twin: HotPath, offsets: list[int], bits: list[int]) -> None:
        store = bytearray([PATTERN]) * 10
        with pytest.raises(IndexError, match="offsets and bits differ in number"):
            twin.gather(self.SOURCE, array("Q", offsets), array("H", bits), store)
        assert set(store) == {PATTERN}

    def test_a_store_that_cannot_be_written(self, twin: HotPath) -> None:
        with pytest.raises((ValueError, BufferError)):
            twin.gather(self.SOURCE, array("Q", [0]), array("H", [8]), bytes(1))
