"""`fastpfkey bench`: what decoding costs here, as a table or as JSON."""

from __future__ import annotations

import json

import click

from ..columns.measure import Measurement, measure
from ..spec.model import Dialect
from ..spec.plan import ByteOrder
from .sources import open_source


def bench_source(source: str, dialect: Dialect, byteorder: ByteOrder, as_json: bool) -> None:
    """Measure both backends over a source and print a line each.

    Raises SourceUnavailable if there is no such source.
    """
    with open_source(source, dialect, byteorder) as buffer:
        found = measure(buffer, dialect, byteorder)
        if as_json:
            click.echo(json.dumps([line._asdict() for line in found], indent=1))
        else:
            _show(list(found))


def _show(lines: list[Measurement]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(title="best time a message, and as a multiple of memcpy")
    for name in ("backend", "what"):
        shown.add_column(name)
    for name in ("messages", "ns", "x memcpy"):
        shown.add_column(name, justify="right")
    for line in lines:
        shown.add_row(line.backend, line.what, f"{line.messages:,}", f"{line.nanoseconds:,.1f}", f"{line.ratio:.2f}")
    Console().print(shown)
