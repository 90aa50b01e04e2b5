"""`fastpfkey bench`: what decoding costs here, as a table or as JSON."""

from __future__ import annotations

import click

from ..columns.associations import SATable
from ..columns.measure import Measurement, measure
from ..errors import WireError
from ..interop.records import encode
from .errors import SourceError
from .reading import How
from .sources import Source


def show_measurements(source: Source, how: How, as_json: bool) -> None:
    """Measure both backends over a source and show a line each.

    Raises SourceError if a message is bad or there is none.
    """
    buffer = source.whole()
    try:
        messages = len(SATable.from_buffer(buffer, how.dialect, ["spi"], how.byteorder))
    except WireError as error:
        raise SourceError(f"{source.name}: {error}") from None
    if not messages:
        raise SourceError(f"{source.name}: no message to measure with")
    found = list(measure(buffer, how.dialect, how.byteorder))
    if as_json:
        click.echo("[\n" + ",\n".join(encode(line._asdict()) for line in found) + "\n]")
    else:
        _show(found)


def _show(lines: list[Measurement]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(title="best time a message, and as a multiple of memcpy", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("backend", "what"):
        shown.add_column(name)
    for name in ("messages", "ns", "x memcpy"):
        shown.add_column(name, justify="right")
    for line in lines:
        shown.add_row(line.backend, line.what, f"{line.messages:,}", f"{line.nanoseconds:,.1f}", f"{line.ratio:.2f}")
    Console(highlight=False).print(shown)
