"""Records as text, JSON or CSV, written one by one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

Record = dict[str, Any]

UNNAMED = ("message", "offset", "length", "type", "satype", "errno", "seq", "pid", "reserved")
"""What stands in the first line of a message as text."""


class Writer(Protocol):
    """Writes records in one format."""

    def write(self, record: Record) -> None:
        """Write one record."""
        ...


class JSONLines:
    """An object a line."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def write(self, record: Record) -> None:
        """Write one record."""
        self.out.write(json.dumps(record) + "\n")


class JSONArray:
    """One array."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.separator = "["

    def write(self, record: Record) -> None:
        """Write one record."""
        self.out.write(f"{self.separator}\n{json.dumps(record)}")
        self.separator = ","

    def end(self) -> None:
        """Close the array."""
        self.out.write("[]\n" if self.separator == "[" else "\n]\n")


class CSV:
    """A header line with the names, then values; what is absent is empty."""

    def __init__(self, out: TextIO) -> None:
        self.out = csv.writer(out, lineterminator="\n")
        self.began = False

    def write(self, record: Record) -> None:
        """Write one record."""
        if not self.began:
            self.out.writerow(record)
            self.began = True
        self.out.writerow(record.values())


class Rows:
    """Values separated by tabs below their names, for rows as text."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.began = False

    def write(self, record: Record) -> None:
        """Write one record."""
        if not self.began:
            self.out.write("\t".join(record) + "\n")
            self.began = True
        self.out.write("\t".join("-" if value is None else str(value) for value in record.values()) + "\n")


class Messages:
    """A message as a line of its header and an indented line for each extension."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def write(self, record: Record) -> None:
        """Write one message."""
        known = {name: record.get(name) for name in UNNAMED}
        head = f"{known['message']} {known['type']} {known['satype']} seq {known['seq']} pid {known['pid']}"
        if known["errno"]:
            head += f" errno {known['errno']}"
        if known["reserved"]:
            head += f" reserved {known['reserved']}"
        self.out.write(f"{head}, {known['length']} bytes at {known['offset']}\n")
        for name, value in record.items():
            if name not in UNNAMED:
                self.out.write(f"    {name:<18}{_text(value)}\n")


def _text(value: object) -> str:
    """A value as people write it: members by name, lists one after the other, numbers of an SPI in hexadecimal."""
    if isinstance(value, dict):
        return " ".join(f"{name} {f'0x{item:08x}' if name == 'spi' else _text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return "[" + "; ".join(map(_text, value)) + "]"
    return "-" if value is None else str(value)


@contextmanager
def writer_for(form: str, out: TextIO, rows: bool) -> Iterator[Writer]:
    """The writer of a format, for rows of a table or for messages."""
    if form == "json":
        array = JSONArray(out)
        yield array
        array.end()
    elif form == "jsonl":
        yield JSONLines(out)
    elif form == "csv":
        yield CSV(out)
    else:
        yield Rows(out) if rows else Messages(out)
