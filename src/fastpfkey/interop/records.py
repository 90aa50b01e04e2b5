"""Rows as JSON, one object a row, with nothing that a table holds left out unless it is a key.

Labels stand for terms, text for addresses, and null for what a message lacks. A policy's requests are a list of
objects; keys, if they are asked for, are hexadecimal.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TextIO

from ..columns.keys import KINDS, fingerprints
from ..columns.table import Table

Record = dict[str, Any]

KEYS = tuple(f"key_{kind}" for kind in KINDS)
"""Names under which keys are given."""

FINGERPRINTS = tuple(f"{key}_fingerprint" for key in KEYS)
"""Names under which their fingerprints are given."""


def records(table: Table, columns: Sequence[str], fingerprint: bytes | None = None) -> Iterator[Record]:
    """Rows with these columns: the table's, the names of its lists, `KEYS` and, with a salt, `FINGERPRINTS`."""
    added = {**_lists(table, columns), **_keys(table, columns, fingerprint)}
    rows = table.rows([name for name in columns if name not in added] or table.columns[:1])
    if not added:
        return rows
    return (
        {name: added[name][number] if name in added else row[name] for name in columns}
        for number, row in enumerate(rows)
    )


def write_json(
    tables: Table | Iterable[Table],
    out: TextIO,
    *,
    lines: bool = True,
    keys: bool = False,
    fingerprint: bytes | None = None,
) -> int:
    """Write an object a line, or with `lines=False` an array of them, and return the number of rows.

    `keys` and `fingerprint` are as in `Table.to_arrow`, with the same errors.
    """
    writer = JSONLines(out) if lines else JSONArray(out)
    count = 0
    for table in [tables] if isinstance(tables, Table) else tables:
        names = (*table.columns, *table.lists(), *(KEYS if keys else ()), *(FINGERPRINTS if fingerprint else ()))
        writer.write(records(table, names, fingerprint))
        count += len(table)
    writer.end()
    return count


class Writer(ABC):
    """Writes records in one format, as they come, and keeps none of them."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    @abstractmethod
    def write(self, records: Iterable[Record]) -> None:
        """Write some more records."""

    def end(self) -> None:
        """Write what belongs behind the last record, and hand everything on."""
        self.out.flush()


class JSONLines(Writer):
    """An object a line."""

    def write(self, records: Iterable[Record]) -> None:
        """Write some more records."""
        self.out.writelines(f"{encode(record)}\n" for record in records)


class JSONArray(Writer):
    """One array, an object a line."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        self.before = "[\n"

    def write(self, records: Iterable[Record]) -> None:
        """Write some more records."""
        for record in records:
            self.out.write(self.before + encode(record))
            self.before = ",\n"

    def end(self) -> None:
        """Close the array."""
        self.out.write("[]\n" if self.before == "[\n" else "\n]\n")
        super().end()


encode = json.JSONEncoder(check_circular=False).encode


def _lists(table: Table, columns: Sequence[str]) -> Mapping[str, Sequence[Any]]:
    found = {}
    for name, (items, offsets) in table.lists().items():
        if name in columns:
            every = list(items.rows())
            found[name] = [every[begin:end] for begin, end in pairwise(offsets.tolist())]
    return found


def _keys(table: Table, columns: Sequence[str], salt: bytes | None) -> Mapping[str, Sequence[Any]]:
    found: dict[str, Sequence[Any]] = {}
    for kind, key, print_ in zip(KINDS, KEYS, FINGERPRINTS, strict=True):
        if key in columns:
            found[key] = [material.hex() or None for material in table.key_bytes(kind)]
        if print_ in columns and salt is not None:
            found[print_] = fingerprints(table.key_bytes(kind), salt)
    return found
