"""What `decode` and `dump` have in common: messages of sources, read and written window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple, TextIO

from ..interop.records import JSONArray, JSONLines, Record, Writer
from .choosing import EVERYTHING, Choice
from .reading import How, Portion, Reader
from .rendering import row_writer
from .rows import TABLES, Rows, about
from .sources import Source
from .text import Messages


class View(NamedTuple):
    """How the user wants messages shown."""

    form: str = "text"
    table: str | None = None
    """Whose rows; None for what the first message is about."""
    columns: Sequence[str] | None = None
    show_keys: bool = False


def show_messages(sources: Sequence[Source], how: How, view: View, out: TextIO) -> bool:
    """Write whole messages; False if something was bad."""
    reader = Reader(how)
    writer: Writer
    if view.form == "text":
        writer = Messages(out, how.dialect)
    else:
        writer = JSONArray(out) if view.form == "json" else JSONLines(out)
    for portion in reader.portions(sources):
        writer.write(_named(_messages(portion, view.show_keys), portion, sources))
        out.flush()
    writer.end()
    return not reader.failed


def show_rows(sources: Sequence[Source], how: How, view: View, out: TextIO, choice: Choice = EVERYTHING) -> bool:
    """Write rows of a table; False if something was bad. Raises KeyError for a column that the table does not have."""
    reader = Reader(how, choice)
    portions = reader.portions(sources)
    first = next(portions, None)
    rows = _rows(view, how, first)
    names = ("file", *rows.names) if len(sources) > 1 else rows.names
    writer = row_writer(view.form, out, names)
    for portion in chain([first] if first else [], portions):
        writer.write(_named(rows.of(portion), portion, sources))
        out.flush()
    writer.end()
    return not reader.failed


def _rows(view: View, how: How, first: Portion | None) -> Rows:
    kind = TABLES[view.table or about(first.batch if first else None)]
    columns = view.columns
    if columns is None and view.form == "text":
        columns = (*kind.telling, *kind.added(view.show_keys))
    return kind(columns, how.dialect, view.show_keys)


def _messages(portion: Portion, show_keys: bool) -> Iterator[Record]:
    for number, message in zip(portion.numbers, portion.batch, strict=True):
        place = {"message": number, "offset": message.offset + portion.offset, "length": message.length}
        yield {**place, **message.to_dict(show_keys=show_keys)}


def _named(records: Iterator[Record], portion: Portion, sources: Sequence[Source]) -> Iterator[Record]:
    """The records, with the name of their source where there are several."""
    return ({"file": portion.source, **record} for record in records) if len(sources) > 1 else records
