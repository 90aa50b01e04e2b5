"""Records in the formats that programs read, and rows as text.

A record is a message or a row of a table as plain data. Writers take records as they come and keep none of them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any, TextIO

from ..interop.records import JSONArray, JSONLines, Record, Writer

HEXADECIMAL = frozenset({"spi", "flags"})
"""Numbers that people compare in hexadecimal."""

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 50: "esp", 51: "ah", 58: "icmpv6", 108: "ipcomp", 255: "any"}
"""Upper-layer protocols by number (IANA); 255 selects any."""

ALIGNED = 1000
"""Rows from which the width of text columns is taken; wider values further down move their line only."""


class CSV(Writer):
    """The names, then a line for each row; what is absent is empty."""

    def __init__(self, out: TextIO, names: Sequence[str]) -> None:
        super().__init__(out)
        self.rows = csv.writer(out, lineterminator="\n")
        self.rows.writerow(names)
        self.lists = tuple(name for name in names if name in LISTS)

    def write(self, records: Iterable[Record]) -> None:
        """Write some more records."""
        if self.lists:
            records = ({**record, **{name: LISTS[name](record[name]) for name in self.lists}} for record in records)
        self.rows.writerows(map(dict.values, records))


class Aligned(Writer):
    """The names, then a line for each row, in columns that stand below each other."""

    def __init__(self, out: TextIO, names: Sequence[str]) -> None:
        super().__init__(out)
        self.names = names
        self.layout: list[tuple[int, bool]] = []
        """Width of each column, and whether it is set flush right."""

    def write(self, records: Iterable[Record]) -> None:
        """Write some more rows."""
        rows = iter(records)
        if not self.layout and (first := list(islice(rows, ALIGNED))):
            self._begin(first)
            rows = chain(first, rows)
        self.out.writelines(self._line(self._cells(row), self.layout) for row in rows)

    def end(self) -> None:
        """Write the names even if there was no row."""
        if not self.layout:
            self._begin([])
        super().end()

    def _begin(self, rows: Sequence[Record]) -> None:
        columns = zip(self.names, *map(self._cells, rows), strict=True)
        widths = [max(map(len, column)) for column in columns]
        right = [
            bool(rows) and all(isinstance(row[name], int) and name not in HEXADECIMAL for row in rows)
            for name in self.names
        ]
        self.layout = list(zip(widths, right, strict=True))
        self.out.write(self._line(self.names, self.layout))

    def _cells(self, row: Record) -> list[str]:
        return [_cell(name, row[name]) for name in self.names]

    @staticmethod
    def _line(cells: Sequence[str], layout: Sequence[tuple[int, bool]]) -> str:
        placed = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, (width, right) in zip(cells, layout, strict=True)
        )
        return "  ".join(placed).rstrip() + "\n"


def row_writer(form: str, out: TextIO, names: Sequence[str]) -> Writer:
    """The writer of a format for rows with these names."""
    if form == "csv":
        return CSV(out, names)
    if form == "text":
        return Aligned(out, names)
    return JSONArray(out) if form == "json" else JSONLines(out)


def request(value: Record) -> str:
    """A policy request as people write it: protocol/mode/source-destination/level."""
    proto = PROTOCOLS.get(value["proto"], str(value["proto"]))
    path = "-".join(filter(None, (_end(value, name) for name in ("src", "dst"))))
    level = f"{value['level']}:{value['reqid']}" if value["reqid"] else value["level"]
    return f"{proto}/{value['mode']}/{path}/{level}"


def _end(value: Record, name: str) -> str:
    """An end of a tunnel, with its port if it has one; of a table's row or of a message."""
    end = value.get(name)
    ip, port = (end.get("ip"), end.get("port")) if isinstance(end, dict) else (end, value.get(f"{name}_port"))
    return f"{ip}[{port}]" if ip and port else ip or ""


def _requests(values: Sequence[Record]) -> str:
    return " ".join(map(request, values))


LISTS = {"requests": _requests}
"""How columns that hold a list are written into one cell."""


def _cell(name: str, value: Any) -> str:
    if name in LISTS:
        return LISTS[name](value) or "-"
    if value is None:
        return "-"
    return f"0x{value:08x}" if name in HEXADECIMAL else str(value)
