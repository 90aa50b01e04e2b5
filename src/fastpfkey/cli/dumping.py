"""`fastpfkey dump`: the associations of a source, as a summary for people or as rows for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from ..columns.associations import SATable
from ..spec.model import Dialect
from ..spec.plan import ByteOrder
from .rendering import writer_for
from .sources import open_source

LEADING = ("satype", "spi", "src", "dst", "state", "mode", "encrypt", "auth", "reqid", "current_bytes")
"""Columns of the rows, unless others are asked for."""

SUMMARY = ("satype", "state", "encrypt", "auth", "mode")


def dump_source(
    source: str, dialect: Dialect, byteorder: ByteOrder, form: str | None, columns: Sequence[str] | None
) -> None:
    """Decode the dump of a source, and print a summary on a terminal or rows elsewhere.

    Raises KeyError for a column that is none, SourceUnavailable if there is no such source.
    """
    with open_source(source, dialect, byteorder) as buffer:
        if form is None and columns is None and sys.stdout.isatty():
            begin = time.perf_counter()
            table = SATable.from_buffer(buffer, dialect, byteorder=byteorder)
            _summarise(table, time.perf_counter() - begin)
            return
        names = columns or LEADING
        table = SATable.from_buffer(buffer, dialect, names, byteorder)
        with writer_for(form or "text", sys.stdout, rows=True) as writer:
            for row in table.rows(names):
                writer.write(row)


def _summarise(table: SATable, seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..columns.summary import counts

    shown = Table(title=f"{len(table):,} associations, {table.dialect.name}")
    for name in SUMMARY:
        shown.add_column(name)
    shown.add_column("count", justify="right")
    for labels, count in counts(table, *SUMMARY).most_common():
        shown.add_row(*map(str, labels), f"{count:,}")
    console = Console(highlight=False)
    console.print(shown)
    console.print(f"decoded in {seconds * 1e3:.1f} ms, {len(table) / seconds:,.0f} messages/s")
