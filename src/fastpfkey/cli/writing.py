"""Tables written as the user wants them: as text for people and programs, or as files of data frames.

A file that is named is written beside its place and renamed when all is in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from ..columns.arrow import Export, record_batch
from ..columns.picking import gathered, pick
from ..columns.table import Table
from ..interop.files import write_batches
from ..interop.records import Record, records
from ..transport.files import replacing
from .rendering import row_writer
from .signals import leaving_nothing
from .viewing import BINARY, View

FILE = "file"
"""The column that names the source of a row, where there are several."""

GROUP = 100_000
"""Rows that Parquet and Arrow hold together."""


class Sheet(NamedTuple):
    """Which columns are written, and of what."""

    names: Sequence[str]
    files: Sequence[str] = ()
    """Names of the sources, if there are several; tables then tell the number of theirs."""


def write_tables(tables: Iterable[Table], sheet: Sheet, view: View, out: TextIO) -> None:
    """Write the rows that are wanted, as they come if they need not be sorted. Raises QueryError and OSError."""
    picked = pick(tables, view.where, view.sort, view.limit)
    if view.form in BINARY:
        _write_batches(picked, sheet, view, cast(BinaryIO, _Counted(out.buffer)))
        return
    names = (FILE, *sheet.names) if sheet.files else sheet.names
    writer = row_writer(view.form, out, names)
    for table in picked:
        writer.write(_named(records(table, sheet.names, view.salt), table, sheet.files))
        out.flush()
    writer.end()


def _named(rows: Iterator[Record], table: Table, files: Sequence[str]) -> Iterator[Record]:
    if not files:
        return rows
    return ({FILE: files[place], **row} for place, row in zip(table[FILE].tolist(), rows, strict=True))


def _write_batches(tables: Iterable[Table], sheet: Sheet, view: View, out: BinaryIO) -> None:
    noted = {FILE: sheet.files} if sheet.files else {}
    export = Export(view.addresses, True, view.show_keys, view.salt, sheet.names, noted)
    batches = (record_batch(table, export) for table in gathered(tables, GROUP))
    write_batches(batches, out, private=False, compression="zstd" if view.form == "parquet" else None)


@contextmanager
def opened(view: View, out: TextIO) -> Iterator[TextIO]:
    """Where to write: `out`, or the file that was named, which has its place when all went well.

    It is its owner's alone if keys are in it.
    """
    if view.output is None:
        yield out
        return
    with leaving_nothing(), replacing(Path(view.output), private=view.show_keys) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")
        try:
            yield text
            text.flush()
        finally:
            text.detach()


class _Counted(io.RawIOBase):
    """A stream that knows how much was written, as writers of Parquet ask, whether or not it can be asked itself."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._count = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        """Hand on all."""
        self._stream.write(data)
        self._count += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        """Bytes so far."""
        return self._count

    def flush(self) -> None:
        """Hand on."""
        if not self._stream.closed:
            self._stream.flush()
