"""What `decode` and `dump` have in common: messages of sources, read and written window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TextIO

from ..columns.table import Table
from ..interop.records import JSONArray, JSONLines, Record, Writer
from .choosing import EVERYTHING, Choice
from .errors import SourceError
from .reading import How, Portion, Reader
from .rows import TABLES, Rows, about
from .sources import Source
from .text import Messages
from .viewing import View
from .writing import FILE, Sheet, opened, write_tables


def show_messages(sources: Sequence[Source], how: How, view: View, out: TextIO) -> bool:
    """Write whole messages; False if something was bad. Raises SourceError for a file that was not written."""
    reader = Reader(how)
    with _target(view, reader, out) as to:
        writer: Writer
        if view.form == "text":
            writer = Messages(to, how.dialect)
        else:
            writer = JSONArray(to) if view.form == "json" else JSONLines(to)
        for portion in reader.portions(sources):
            writer.write(_named(_messages(portion, view.show_keys), portion, sources))
            to.flush()
        writer.end()
    return not reader.failed


def show_rows(
    sources: Sequence[Source],
    how: How,
    view: View,
    out: TextIO,
    choice: Choice = EVERYTHING,
    *,
    table: bool = False,
) -> bool:
    """Write rows of a table; False if something was bad.

    With `table`, the sources are taken for dumps, in which an engine's answer that there is nothing is no row.

    A file that was to be written is left as it was if something bad ended the reading. Raises KeyError for a column
    that the table does not have, QueryError, and SourceError for the file that was not written.
    """
    reader = Reader(how, choice, table=table)
    portions = reader.portions(sources)
    first = next(portions, None)
    if first is None and reader.failed:
        return False  # the names of columns would look like an empty table
    rows = TABLES[view.table or about(first.batch if first else None)](view, how.dialect)
    files = tuple(source.name for source in sources) if len(sources) > 1 else ()
    tables = _tables(rows, chain([first] if first else [], portions), files)
    with _target(view, reader, out) as to:
        write_tables(tables, Sheet(rows.names, files), view, to)
    return not reader.failed


@contextmanager
def _target(view: View, reader: Reader, out: TextIO) -> Iterator[TextIO]:
    """Where to write. A file is left as it was if something bad ended the reading, which raises SourceError."""
    with opened(view, out) as to:
        yield to
        if view.output is not None and reader.failed and reader.how.on_error == "raise":
            raise SourceError(f"{view.output}: not written", "--on-error stop or skip writes what could be read")


def _tables(rows: Rows, portions: Iterator[Portion], files: Sequence[str]) -> Iterator[Table]:
    """The rows of messages, one table for each portion, and one without rows where there is none."""
    nothing = True
    for portion in portions:
        nothing = False
        table = rows.of(portion)
        if files:
            table = table.noted(FILE, files.index(portion.source))
        yield table
    if nothing:
        yield rows.empty.noted(FILE, 0)


def _messages(portion: Portion, show_keys: bool) -> Iterator[Record]:
    for number, message in zip(portion.numbers, portion.batch, strict=True):
        place = {"message": number, "offset": message.offset + portion.offset, "length": message.length}
        yield {**place, **message.to_dict(show_keys=show_keys)}


def _named(records: Iterator[Record], portion: Portion, sources: Sequence[Source]) -> Iterator[Record]:
    """The records, with the name of their source where there are several."""
    return ({"file": portion.source, **record} for record in records) if len(sources) > 1 else records
