"""iter_tables: whatever an input is and however it is cut, its tables are those of the whole, a batch at a time."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.columns import stream
from fastpfkey.columns.synthetic import synthetic

CORPUS = Path(__file__).resolve().parents[1] / "vectors" / "corpus"
MIXED = (CORPUS / "linux-mixed.bin").read_bytes()
LINUX: dict[str, Any] = {"dialect": "linux", "byteorder": "little"}
COLUMNS = ("spi", "src", "dst", "satype", "seq", "present")


def in_pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The bytes in chunks of these sizes, over and over."""
    file = io.BytesIO(data)
    for size in itertools.cycle(sizes):
        if not (chunk := file.read(size)):
            return
        yield chunk


def same(tables: list[pf.SATable], whole: pf.SATable) -> None:
    """The rows of the tables, one after the other, are those of one table."""
    joined = pf.SATable.concat(tables) if tables else whole[:0]
    for name in whole.columns:
        if name != "message_offset":
            np.testing.assert_array_equal(joined[name], whole[name])


@pytest.mark.parametrize("batch", [1, 7, 52, 53, 54, 100_000])
def test_every_kind_of_input(batch: int, tmp_path: Path) -> None:
    path = tmp_path / "dump.bin"
    path.write_bytes(MIXED)

    class Raw(io.RawIOBase):
        """A file that has no buffer of its own."""

        def __init__(self) -> None:
            self.data = io.BytesIO(MIXED)

        def read(self, size: int = -1, /) -> bytes:
            return self.data.read(min(size, 1000))

    inputs: list[Callable[[], Any]] = [
        lambda: path,
        lambda: str(path),
        lambda: opened.enter_context(path.open("rb")),
        lambda: io.BytesIO(MIXED),
        lambda: Raw(),
        lambda: MIXED,
        lambda: np.frombuffer(MIXED, "<u8"),
        lambda: [MIXED[:100], bytearray(MIXED[100:5000]), memoryview(MIXED)[5000:]],
        lambda: in_pieces(MIXED, [1]),
    ]
    whole = pf.SATable.from_buffer(MIXED, "linux", byteorder="little")
    with contextlib.ExitStack() as opened:
        for make in inputs:
            tables = list(pf.iter_tables(make(), batch, **LINUX))
            assert [len(table) for table in tables] == [batch] * (53 // batch) + [53 % batch] * (53 % batch > 0)
            same(tables, whole)


damaged = st.lists(st.tuples(st.integers(0, len(MIXED) - 1), st.integers(0, 255)), max_size=4)


@given(
    damaged,
    st.integers(0, 600),
    st.lists(st.integers(1, 3000), min_size=1, max_size=4),
    st.integers(1, 60),
    st.sampled_from(["stop", "skip"]),
)
def test_cuts_change_nothing(
    places: list[tuple[int, int]], cut: int, sizes: list[int], batch: int, on_error: Literal["stop", "skip"]
) -> None:
    data = bytearray(MIXED)
    for place, value in places:
        data[place] = value
    data = data[: len(data) - cut]
    whole = pf.SATable.from_buffer(data, "linux", COLUMNS, "little", on_error=on_error)
    for source in (data, in_pieces(bytes(data), sizes)):
        tables = list(pf.iter_tables(source, batch, columns=COLUMNS, on_error=on_error, **LINUX))
        same(tables, whole)
        assert all(len(table) + table.skipped <= batch for table in tables)
        faults = [fault for table in tables for fault in table.faults]
        assert [fault.args for fault in faults] == [fault.args for fault in whole.faults]
        assert sum(table.skipped for table in tables) == whole.skipped


def test_a_fault_is_raised_behind_the_good_messages() -> None:
    data = bytearray(MIXED * 3)
    data[len(MIXED)] = data[2 * len(MIXED)] = 9
    tables = pf.iter_tables(data, 20, **LINUX)
    assert [len(table) for table in itertools.islice(tables, 3)] == [20, 20, 13]
    with pytest.raises(pf.WireError) as caught:
        next(tables)
    assert (caught.value.offset, caught.value.message_index, caught.value.good) == (len(MIXED), 53, 53)
    stopped = list(pf.iter_tables(data, 20, on_error="stop", **LINUX))
    assert [table.fault is not None for table in stopped] == [False, False, True]
    assert stopped[-1].fault is not None
    assert stopped[-1].fault.args == caught.value.args


def test_numbers_behind_a_skipped_message_count_it() -> None:
    data = bytearray(MIXED * 3)
    data[len(MIXED)] = data[2 * len(MIXED)] = 9
    tables = list(pf.iter_tables(data, 20, on_error="skip", **LINUX))
    faults = [fault for table in tables for fault in table.faults]
    assert [(fault.message_index, fault.good) for fault in faults] == [(53, 53), (106, 105)]
    assert sum(map(len, tables)) == 157


def test_a_batch_ends_early_when_its_messages_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LARGEST", 1000)
    tables = list(pf.iter_tables(MIXED, **LINUX))
    assert 10 < len(tables) < 53
    same(tables, pf.SATable.from_buffer(MIXED, "linux", byteorder="little"))


def test_keys_and_threads() -> None:
    octets = synthetic(3000, seed=1)
    whole = pf.SATable.from_buffer(octets, "linux", keys=True)
    tables = list(pf.iter_tables(octets, 1000, "linux", keys=True, threads=2))
    assert [key for table in tables for key in table.key_bytes("auth")] == whole.key_bytes("auth")
    assert [len(table) for table in tables] == [1000] * 3


def test_a_length_that_leads_nowhere_ends_a_stream() -> None:
    endless = itertools.chain([MIXED, bytes(16)], itertools.repeat(MIXED))
    *good, last = pf.iter_tables(endless, 20, on_error="skip", **LINUX)
    assert [len(table) for table in (*good, last)] == [20, 20, 13]
    assert last.fault is not None
    assert last.fault.offset == len(MIXED)


@pytest.mark.parametrize(
    ("arguments", "error", "complaint"),
    [
        ({"batch": 0}, ValueError, "a batch has 1 message or more, not 0"),
        ({"columns": ["colour"]}, KeyError, "no column 'colour'"),
        ({"dialect": "plan9"}, ValueError, "unknown dialect"),
        ({"byteorder": "middle"}, ValueError, "byteorder is little, big or native"),
        ({"on_error": "ignore"}, ValueError, "on_error is raise, stop or skip"),
        ({"threads": 0}, ValueError, "threads is 1 or more"),
    ],
)
def test_arguments_are_judged_at_once(arguments: dict[str, Any], error: type[Exception], complaint: str) -> None:
    with pytest.raises(error, match=complaint):
        pf.iter_tables(MIXED, **(LINUX | arguments))


def test_a_path_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(pf.iter_tables(tmp_path / "nothing"))
    (tmp_path / "empty").touch()
    assert list(pf.iter_tables(tmp_path / "empty")) == []


def test_names_of_columns_are_taken_once() -> None:
    tables = pf.iter_tables(MIXED, 20, columns=(name for name in COLUMNS), **LINUX)  # type: ignore[arg-type]
    assert [table.columns for table in tables] == [COLUMNS] * 3
