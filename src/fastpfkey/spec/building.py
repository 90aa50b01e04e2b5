"""Build plans: how columns become messages, a column plan turned round.

Messages that have the same extensions of the same lengths, and the same numbers wherever a number is translated, have
one *shape*. Of each shape there is a template, the bytes that all its messages have in common; a plan says which
columns make the shape, and which are written over the template. A place in a template is known by a *part*, such as
the fixed part of the association or the IPv6 address of the source. Templates hold for each shape where its parts lie,
so a step needs no more than a part and a distance from it.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from . import tables
from .grammar import KEY_TYPES
from .model import Dialect, Extension, KeyBits, Take
from .plan import ByteOrder, ColumnOp, ColumnRow, column_plan, pack
from .terms import ExtensionType

MESSAGE, HEAD, IPV4, IPV6, PORT, SCOPE, SIZE = "message", "head", "ipv4", "ipv6", "port", "scope", "size"
"""Kinds of parts. A size is no place, but how many bytes are copied."""


class BuildOp(IntEnum):
    """What a step copies to `distance` behind its part; nothing in messages that lack the part."""

    NUMBER = 0
    """A number of `width` bytes from column `source`, its bytes reversed if `swap`."""
    IPV4 = 1
    """The last 4 bytes of 16 in column `source`."""
    IPV6 = 2
    """All 16."""
    BYTES = 3
    """As many bytes as part `width` says, from string `source`."""


class BuildStep(NamedTuple):
    """One row of a build plan."""

    op: int
    part: int
    distance: int
    width: int
    swap: int
    source: int


class Part(NamedTuple):
    """A place in messages that each shape may have elsewhere."""

    extension: ExtensionType | None
    kind: str


@dataclass(frozen=True)
class BuildPlan:
    """How to write the messages of a table."""

    shape: tuple[str, ...]
    """Columns that make the shape: those that are translated, and those that decide how long an extension is."""
    columns: tuple[tables.Column, ...]
    """Columns that are written as they are."""
    strings: tuple[ExtensionType, ...]
    """Extensions that are copied as bytes: of keys what is behind the fixed part, of others all."""
    parts: tuple[Part, ...]
    steps: tuple[BuildStep, ...]

    @cached_property
    def packed(self) -> tuple[array[int], array[int], int]:
        """Steps, widths of the columns, and the number of parts for the compiled twin."""
        return pack(self.steps), array("i", [item.width for item in self.columns]), len(self.parts)


@dataclass(frozen=True)
class Templates:
    """The bytes of each shape, and where its parts lie."""

    octets: bytes
    """All templates, one behind the other."""
    lengths: array[int]
    """Bytes of each (int32)."""
    places: array[int]
    """For each shape the offset in the message of each part, -1 where it is absent; or a size (int32)."""


def in_order(dialect: Dialect, extensions: Iterable[ExtensionType]) -> list[ExtensionType]:
    """Extensions in the order in which the dialect's kernel writes them, by number where that is unknown."""
    known = {item: place for place, item in enumerate(dialect.order)}
    return sorted(extensions, key=lambda item: (known.get(item, len(known)), dialect.by_type[item].number))


def described(dialect: Dialect, table: tables.Table, extension: Extension) -> bool:
    """Whether the columns of a table, or the keys beside it, say all that an extension does."""
    if extension.type in KEY_TYPES:
        return True
    found = [item for item in tables.sources(table, dialect) if item.extension is extension.type]
    members = {item.name for item in extension.layouts[-1].fields if not item.reserved} - {"len", "exttype"}
    tail = not extension.tails or any(item.take is Take.FAMILY for item in found)
    return tail and members <= {item.field for item in found}


@functools.lru_cache(maxsize=64)
def build_plan(
    dialect: Dialect,
    table: tables.Table,
    columns: tuple[str, ...],
    extensions: frozenset[ExtensionType],
    whole: frozenset[ExtensionType],
    byteorder: ByteOrder = "native",
) -> BuildPlan:
    """The plan that writes these columns of a table into messages that have some of these extensions.

    Those in `whole` come as bytes, over which the columns are written.
    """
    maker = _Maker(dialect, [table.column(name) for name in columns])
    for kind in in_order(dialect, extensions):
        if kind in whole:
            maker.string(kind, 0)
        elif kind in KEY_TYPES:
            maker.string(kind, dialect.by_type[kind].minimum)
    numbers = {dialect.by_type[kind].number for kind in extensions}
    for row in column_plan(dialect, table, columns, byteorder).rows:
        if row.extension < 0 or row.extension in numbers:
            maker.row(row)
    return maker.plan()


class _Maker:
    """Collects the steps of a plan."""

    def __init__(self, dialect: Dialect, columns: list[tables.Column]) -> None:
        self.dialect = dialect
        self.available = columns
        self.shape: dict[str, None] = {"present": None}
        self.columns: dict[tables.Column, int] = {}
        self.strings: list[ExtensionType] = []
        self.parts: dict[Part, int] = {Part(None, MESSAGE): 0}
        self.steps: list[BuildStep] = []

    def plan(self) -> BuildPlan:
        """What was collected."""
        return BuildPlan(
            tuple(self.shape), tuple(self.columns), tuple(self.strings), tuple(self.parts), tuple(self.steps)
        )

    def string(self, kind: ExtensionType, distance: int) -> None:
        """Copy a string into an extension."""
        step = BuildStep(
            BuildOp.BYTES, self._part(Part(kind, HEAD)), distance, self._part(Part(kind, SIZE)), 0, len(self.strings)
        )
        self.steps.append(step)
        self.strings.append(kind)

    def row(self, row: ColumnRow) -> None:
        """Write a column to where a column plan reads it."""
        column = self.available[row.column]
        extension = self.dialect.by_number.get(row.extension)
        kind = None if extension is None else extension.type
        families = self.dialect.sockaddr.families
        match row.op:
            case ColumnOp.COPY if self._written(row, column, extension):
                self._number(Part(kind, MESSAGE if kind is None else HEAD), row.source, row, column)
            case ColumnOp.COPY | ColumnOp.MAP | ColumnOp.FAMILY:
                self.shape[column.name] = None
            case ColumnOp.IP:
                self.shape[f"{column.name}_family"] = None
                self._step(BuildOp.IPV4, Part(kind, IPV4), 0, 4, 0, column)
                self._step(BuildOp.IPV6, Part(kind, IPV6), 0, 16, 0, column)
            case ColumnOp.PORT if len({item.port for item in families}) == 1:
                self._number(Part(kind, HEAD), row.source + families[0].port, row, column)
            case ColumnOp.PORT:
                self._number(Part(kind, PORT), 0, row, column)
            case ColumnOp.SCOPE:
                self._number(Part(kind, SCOPE), 0, row, column)

    @staticmethod
    def _written(row: ColumnRow, column: tables.Column, extension: Extension | None) -> bool:
        """Whether the number stands in every message as it does in the column, and nothing depends on it."""
        fixed = row.width == column.width and row.shift == 0 and row.satype < 0
        if extension is None:
            return fixed
        counts = [extension.layout[tail.bits].offset for tail in extension.tails if isinstance(tail, KeyBits)]
        return fixed and row.minimum <= extension.minimum and row.source not in counts

    def _number(self, part: Part, distance: int, row: ColumnRow, column: tables.Column) -> None:
        self._step(BuildOp.NUMBER, part, distance, row.width, row.swap, column)

    def _step(self, op: BuildOp, part: Part, distance: int, width: int, swap: int, column: tables.Column) -> None:
        source = self.columns.setdefault(column, len(self.columns))
        self.steps.append(BuildStep(op, self._part(part), distance, width, swap, source))

    def _part(self, part: Part) -> int:
        return self.parts.setdefault(part, len(self.parts))
