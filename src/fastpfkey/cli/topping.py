"""`fastpfkey top`: a key engine's associations by what they carry, dumped again and again.

A view needs two dumps. Between them nothing is asked. An engine that is busy with somebody else's dump is asked again
at the next turn, and the last view stays.
"""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from ..columns import where
from ..columns.associations import SATable
from ..columns.rates import COLUMNS, Rates, ages, first, rates, seconds_left
from ..columns.readable import text_table
from ..columns.summary import counts
from ..columns.where import Question
from ..errors import ReplyError
from ..spec.model import Dialect
from .choosing import Choice
from .drawing import rate, remaining
from .live import connect

if TYPE_CHECKING:
    from ..transport.client import Client

SHOWN = ("satype", "spi", "src", "dst", "state")
"""Columns of an association that are shown before its numbers."""

HEADINGS = (*SHOWN, "bytes/s", "packets/s", "bytes", "left")
RIGHT = range(len(SHOWN), len(HEADINGS))

ROOM = 4
"""Lines of a terminal that are not for associations."""

ROWS = 20
"""Associations that are shown where there is no terminal."""


class Asked(NamedTuple):
    """What the user wants to see."""

    interval: float
    iterations: int | None
    """Views after which it ends; None for never."""
    sort: str
    rows: int | None
    """How many associations; None for as many as the terminal has lines for."""
    form: str
    choice: Choice
    where: Question | None


class View(NamedTuple):
    """What is known after a dump."""

    table: SATable
    rates: Rates
    left: Any
    now: float
    note: str = ""
    """What is wrong with it."""


SORTS: dict[str, tuple[Callable[[View], Any], bool]] = {
    "bytes": (lambda view: view.rates.octets, True),
    "packets": (lambda view: view.rates.packets, True),
    "total": (lambda view: view.table["current_bytes"], True),
    "left": (lambda view: view.left, False),
    "age": (lambda view: ages(view.table, int(view.now)), True),
}
"""What rows can be ordered by, and whether the largest comes first."""


def show_top(source: str, dialect: Dialect, asked: Asked, out: TextIO) -> None:
    """Show views until there were enough. Raises SourceError, TransportError and ReplyError."""
    if asked.where is not None:
        where.rows(SATable.from_buffer(b"", dialect), asked.where)
    terminal = out.isatty() and asked.form == "text"
    with connect(source, dialect) as client, _screen() if terminal else nullcontext(None) as screen:
        for number, view in enumerate(views(client, asked, time.sleep)):
            if number or screen is not None:
                _show(view, asked, screen, out)
            if number == asked.iterations:
                return


def views(client: Client, asked: Asked, wait: Callable[[float], None]) -> Iterator[View]:
    """A view for each dump, the first one without rates; an engine that is busy has the last one shown again."""
    columns = tuple(dict.fromkeys((*COLUMNS, *(asked.where.columns if asked.where is not None else ()))))
    before: tuple[SATable, float] | None = None
    view: View | None = None
    while True:
        begun = time.monotonic()
        try:
            table = _dumped(client, asked, columns)
        except ReplyError as error:
            if error.name != client.dialect.replies.busy or view is None:
                raise
            view = view._replace(note=str(error))
        else:
            # What a dump says was so at some time between its beginning and its end.
            taken, now = (begun + time.monotonic()) / 2, time.time()
            speed = rates(before[0] if before else None, table, taken - before[1] if before else 0, int(now))
            note = "" if table.complete else "the dump is not whole"
            view = View(table, speed, seconds_left(table, int(now), speed), now, note)
            before = table, taken
        yield view
        wait(max(asked.interval - (time.monotonic() - begun), 0))


def _dumped(client: Client, asked: Asked, columns: tuple[str, ...]) -> SATable:
    networks: dict[str, Any] = dict(asked.choice.networks)
    found = client.dump(asked.choice.satype or "unspec", columns=columns, **networks)
    table = found if asked.where is None else found[where.rows(found, asked.where)]
    table.complete = found.complete
    return table


def _screen() -> AbstractContextManager[Any]:
    """The whole of a terminal, given back as it was."""
    from rich.live import Live

    return Live(screen=True, auto_refresh=False)


def _show(view: View, asked: Asked, screen: Any, out: TextIO) -> None:
    lines = shutil.get_terminal_size((80, ROWS + ROOM)).lines
    count = asked.rows if asked.rows is not None else max(lines - ROOM, 1) if screen is not None else ROWS
    of, descending = SORTS[asked.sort]
    rows = first(of(view), count, descending)
    if asked.form == "jsonl":
        out.writelines(f"{json.dumps(record)}\n" for record in _records(view, rows))
        out.flush()
        return
    text = [*_heading(view), *text_table([HEADINGS, *_cells(view, rows)], RIGHT)]
    if screen is None:
        out.writelines(f"{line}\n" for line in [*text, ""])
        out.flush()
    else:
        from rich.text import Text

        screen.update(Text("\n".join(text), no_wrap=True, overflow="crop"), refresh=True)


def _heading(view: View) -> Iterator[str]:
    when = datetime.fromtimestamp(view.now, UTC)
    told = ", ".join(f"{count:,} {state}" for (state,), count in counts(view.table, "state").most_common())
    changes = ", ".join(
        f"{count:,} {what}"
        for what, count in (("new", view.rates.came), ("gone", view.rates.went), ("begun anew", view.rates.restarted))
        if count
    )
    yield f"{when:%H:%M:%S} UTC  {len(view.table):,} associations{': ' if told else ''}{told}"
    octets, packets = view.rates.total
    speed = f"{rate(octets, 'B/s')}, {rate(packets)} packets/s"
    yield "; ".join(filter(None, (speed, changes, view.note)))


def _cells(view: View, rows: Any) -> Iterator[list[str]]:
    table = view.table[rows]
    numbers = zip(
        view.rates.octets[rows].tolist(),
        view.rates.packets[rows].tolist(),
        table["current_bytes"].tolist(),
        view.left[rows].tolist(),
        strict=True,
    )
    for row, (octets, packets, total, left) in zip(table.rows(SHOWN), numbers, strict=True):
        cells = [
            f"0x{row[name]:08x}" if name == "spi" and row[name] is not None else str(row[name] or "-") for name in SHOWN
        ]
        yield [*cells, rate(octets), rate(packets), rate(total), remaining(left)]


def _records(view: View, rows: Any) -> Iterator[dict[str, Any]]:
    """The rows for programs; what is not known, or never ends, is null."""
    table = view.table[rows]
    numbers = {
        "bytes_per_second": view.rates.octets,
        "packets_per_second": view.rates.packets,
        "left": view.left,
    }
    lists = {name: values[rows].tolist() for name, values in numbers.items()}
    for place, row in enumerate(table.rows((*SHOWN, "current_bytes", "current_allocations"))):
        found = {name: values[place] for name, values in lists.items()}
        yield {"time": view.now, **row, **{name: each if math.isfinite(each) else None for name, each in found.items()}}
