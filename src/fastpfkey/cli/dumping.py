"""`fastpfkey dump` on a terminal: what is in a table, counted, and how long it took to decode."""

from __future__ import annotations

import time
from collections import Counter

from .. import hotpath
from ..columns.associations import SATable
from ..columns.summary import counts
from .choosing import EVERYTHING, Choice
from .reading import Faults, How
from .sources import Source

COUNTED = ("satype", "state", "encrypt", "auth", "mode")


def show_summary(source: Source, how: How, choice: Choice = EVERYTHING) -> bool:
    """Decode all columns of a source, and show what there is of each kind; False if something was bad."""
    found: Counter[tuple[object, ...]] = Counter()
    table: SATable | None = None
    faults = Faults(source.name)
    messages, others, size, seconds = 0, 0, 0, 0.0
    for window in source.windows():
        begin = time.perf_counter()
        table = SATable.from_buffer(
            window.messages,
            how.dialect,
            byteorder=how.byteorder,
            out=table,
            on_error=how.within,
            strict=how.strict,
        )
        seconds += time.perf_counter() - begin
        absent = table.null("spi")
        others += int(absent.sum())
        found += counts(choice.of(table[~absent]), *COUNTED)
        if table.faults:
            faults.tell(table.faults, table.skipped, window.offset, messages)
        messages += len(table) + table.skipped
        size += len(window.messages)
        if table.faults and how.on_error != "skip":
            break
    faults.sum_up()
    title = f"{found.total():,} associations from {source.name} ({how.dialect.name}, {_size(size)})"
    shown = found.total() + others
    speed = f", {shown / seconds:,.0f} messages/s" if shown else ""
    lines = [f"decoded in {seconds * 1e3:,.1f} ms by the {hotpath.BACKEND} backend{speed}"]
    if others:
        lines.insert(0, f"messages that are about no association: {others:,} (--format jsonl shows them)")
    _show(found, title, lines)
    return not faults.count


def _size(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e6:,.1f} MB"


def _show(found: Counter[tuple[object, ...]], title: str, lines: list[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in COUNTED:
        shown.add_column(name)
    shown.add_column("count", justify="right")
    for labels, count in found.most_common():
        shown.add_row(*("-" if label is None else str(label) for label in labels), f"{count:,}")
    console = Console(highlight=False)
    if found:
        console.print(shown)
    else:
        console.print(title)
    console.print("\n".join(lines))
