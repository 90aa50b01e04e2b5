"""`fastpfkey decode`: windows of messages, decoded and written out one after the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..columns.associations import SATable
from ..errors import WireError, wire_error
from ..spec.model import Dialect
from ..spec.plan import ByteOrder, swapped
from ..wire.batch import decode
from ..wire.recovery import OnError
from . import windows
from .rendering import Record, writer_for
from .sources import map_file

KEYS = ("auth", "encrypt")


class Reading(NamedTuple):
    """How the user wants bytes read."""

    dialect: Dialect
    byteorder: ByteOrder
    on_error: OnError
    strict: bool
    show_keys: bool


class Faults:
    """Tells of each fault on standard error, at its place in the whole input."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.messages = 0
        """Messages of earlier windows, good and bad."""
        self.found = False

    def tell(self, fault: WireError, offset: int) -> None:
        """Print one line for a fault in a window that begins at `offset`."""
        self.found = True
        sys.stdout.flush()
        placed = wire_error(fault.fault, fault.offset + offset, fault.message_index + self.messages)
        click.echo(f"{self.name}: {placed}", err=True)


def decode_files(files: Sequence[Path], how: Reading, form: str, columns: Sequence[str] | None) -> bool:
    """Decode files and print them; False if a message was bad.

    Raises KeyError for a column that the association table does not have, OSError for a file that cannot be read.
    """
    good = True
    rows = columns is not None or form == "csv"
    with writer_for(form, sys.stdout, rows) as writer:
        for path in files:
            faults = Faults("standard input" if str(path) == "-" else str(path))
            for window in _windows(path, how):
                for record in _rows(window, how, columns, faults) if rows else _messages(window, how, faults):
                    writer.write(record)
                if faults.found and how.on_error != "skip":
                    break
            good = good and not faults.found
    return good


def _windows(path: Path, how: Reading) -> Iterator[windows.Window]:
    swap = swapped(how.byteorder)
    if str(path) == "-":
        yield from windows.of_stream(sys.stdin.buffer, swap)
        return
    with map_file(path) as buffer:
        yield from windows.of_buffer(buffer, swap)


def _messages(window: windows.Window, how: Reading, faults: Faults) -> Iterator[Record]:
    on_error: OnError = "skip" if how.on_error == "skip" else "stop"
    batch = decode(window.messages, how.dialect, how.byteorder, on_error, how.strict)
    for number, message in enumerate(batch, faults.messages):
        place: dict[str, Any] = {"message": number, "offset": message.offset + window.offset, "length": message.length}
        yield {**place, **message.to_dict(show_keys=how.show_keys)}
    for fault in batch.faults:
        faults.tell(fault, window.offset)
    faults.messages += len(batch) + batch.skipped


def _rows(window: windows.Window, how: Reading, columns: Sequence[str] | None, faults: Faults) -> Iterator[Record]:
    on_error: OnError = "skip" if how.on_error == "skip" else "stop"
    table = SATable.from_buffer(
        window.messages,
        how.dialect,
        columns,
        how.byteorder,
        keys=how.show_keys,
        on_error=on_error,
        strict=how.strict,
    )
    keys = [table.key_bytes(kind) for kind in KEYS] if how.show_keys else []
    for number, row in enumerate(table.rows(columns)):
        if "message_offset" in row:
            row["message_offset"] += window.offset
        row.update((f"key_{kind}", material[number].hex()) for kind, material in zip(KEYS, keys, strict=False))
        yield row
    for fault in table.faults:
        faults.tell(fault, window.offset)
    faults.messages += len(table) + table.skipped
