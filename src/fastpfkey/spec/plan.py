"""Plans: a dialect's facts in the only form that the hot path understands, rows of small integers.

A `Frame` says how to validate: per extension number the fixed part and the checks of what follows it. A `ColumnPlan`
adds, per column, where its value lies and how it is copied. Neither names a dialect; byte order is folded in as `swap`
flags, so a capture from a big-endian host is the same plan with the flags flipped.

Rows are named tuples; `pack` lays them out as one array of int32, which the compiled twin reads as an array of C
structs with the same members in the same order.
"""

from __future__ import annotations

import functools
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal, NamedTuple

from . import rfc2367, tables
from .layouts import Field, Layout, Order
from .model import (
    EXTENSION_HEADER_SIZE,
    Choice,
    Counted,
    Dialect,
    Extension,
    KeyBits,
    Records,
    Requests,
    Sized,
    Sockaddrs,
    Source,
    Tail,
    Take,
    Text,
    When,
)
from .terms import UNKNOWN, MessageType

ByteOrder = Literal["little", "big", "native"]

MAX_NUMBER = 63
"""Largest wire number of an extension that a frame can describe: presence is tracked in 64-bit masks."""


class CheckOp(IntEnum):
    """What a check looks at behind the fixed part of an extension."""

    SOCKADDRS = 0
    """`count` sockaddrs from `start`, back to back."""
    BITS = 1
    """Bytes from `start`, as many as the u16 at `field` says in bits."""
    SIZED = 2
    """`unit` times the number of `width` bytes at `field`, plus the same at `second`, from `start`."""
    RECORDS = 3
    """Whole records of `unit` bytes from `start` to the end."""
    REQUESTS = 4
    """Nested requests with a fixed part of `unit` bytes from `start`; a u16 first in each is its length in bytes."""
    COUNTED = 5
    """As many items as the u16 at `field` says: `unit` bytes, then `count` times the byte at `second` in the item."""


class Rule(NamedTuple):
    """One extension number of a frame."""

    bit: int
    """Bit in the presence mask; -1: the dialect does not know this number."""
    minimum: int
    """Bytes of the fixed part."""
    repeats: int
    first_check: int
    checks: int


class Check(NamedTuple):
    """One check of a rule. Offsets are from the start of the extension, sizes in bytes."""

    op: int
    start: int
    field: int
    width: int
    unit: int
    second: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks
    condition: int
    """Offset of a number that has to equal `condition_value` for the check to apply; -1: always."""
    condition_width: int
    condition_value: int


class Family(NamedTuple):
    """One address family: `scope` is -1 where there is none."""

    number: int
    version: int
    size: int
    address: int
    port: int
    scope: int


class ColumnOp(IntEnum):
    """What a column row copies. `width` is the bytes read, `column_width` the bytes of one row of the column."""

    COPY = 0
    """A number or bytes at `source`, swapped if `swap`, shifted left by `shift`."""
    MAP = 1
    """A number of 1 or 2 bytes at `source` through lookup table `lookup`."""
    IP = 2
    """The address of the sockaddr at `source` as 16 bytes; zeros for an unknown family."""
    FAMILY = 3
    """4 or 6; 0 for AF_UNSPEC, 0x8000 + number for an unknown family."""
    PORT = 4
    SCOPE = 5
    TAIL_OFFSET = 6
    """Offset in the buffer of the byte at `source` of the extension."""
    TAIL_LENGTH = 7
    """Bytes of the extension behind `source`."""
    MESSAGE_OFFSET = 8
    MESSAGE_LENGTH = 9
    PRESENT = 10
    OTHERS = 11
    PREFIX = 12
    """Leading one bits of the address of the sockaddr at `source`; 0 for an unknown family."""


class ColumnRow(NamedTuple):
    """One source of one column. A later row that applies replaces an earlier one of the same column."""

    op: int
    extension: int
    """Wire number; -1: offsets are from the start of the message."""
    source: int
    width: int
    swap: int
    shift: int
    column: int
    column_width: int
    lookup: int
    minimum: int
    """The extension has to be at least this long (bytes) for the row to apply."""
    satype: int
    """Wire number of the SA type for which alone the row applies; -1: all."""


def pack(rows: Iterable[Sequence[int]]) -> array[int]:
    """Rows of integers as one flat array of int32."""
    return array("i", [number for row in rows for number in row])


@dataclass(frozen=True)
class Frame:
    """How to walk and validate the messages of one dialect in one byte order."""

    swap: bool
    """Whether host-order fields of the capture are the reverse of this machine's."""
    family_offset: int
    family_width: int
    rules: tuple[Rule, ...]
    """Indexed by wire number; numbers beyond the end are unknown."""
    checks: tuple[Check, ...]
    families: tuple[Family, ...]
    wrapper: int = -1
    """Wire number of the message type whose body is a message, not extensions; -1 for none."""

    @cached_property
    def packed(self) -> tuple[array[int], array[int], array[int]]:
        """Rules, checks and families for the compiled twin."""
        return pack(self.rules), pack(self.checks), pack(self.families)


@dataclass(frozen=True)
class ColumnPlan:
    """How to decode messages into columns."""

    frame: Frame
    columns: tuple[tables.Column, ...]
    rows: tuple[ColumnRow, ...]
    lookups: tuple[array[int], ...]
    """Tables of 256 uint16; a number above 255 maps to 0x8000 + itself, as an unknown term does."""
    uses_satype: bool
    """Whether a row depends on the SA type, which then is part of a shape."""

    @cached_property
    def packed(self) -> tuple[array[int], array[int], array[int]]:
        """Rows, concatenated lookups and widths of the columns for the compiled twin."""
        flat = array("H")
        for table in self.lookups:
            flat.extend(table)
        return pack(self.rows), flat, array("i", [item.width for item in self.columns])


def swapped(byteorder: ByteOrder) -> bool:
    """Whether a capture of this byte order is the reverse of this machine's."""
    if byteorder not in ("little", "big", "native"):
        raise ValueError(f"byteorder is little, big or native, not {byteorder!r}")
    return byteorder not in ("native", sys.byteorder)


@functools.cache
def frame(dialect: Dialect, byteorder: ByteOrder = "native") -> Frame:
    """The frame of a dialect for captures of this byte order."""
    checks: list[Check] = []
    rules: list[Rule] = []
    for number in range(max(dialect.by_number) + 1):
        extension = dialect.by_number.get(number)
        if extension is None:
            rules.append(Rule(-1, EXTENSION_HEADER_SIZE, 1, 0, 0))
            continue
        first = len(checks)
        checks.extend(check for tail in extension.tails for check in _checks(extension, tail))
        rules.append(Rule(extension.type.bit, extension.minimum, int(extension.repeats), first, len(checks) - first))
    if len(rules) > MAX_NUMBER + 1:
        raise ValueError(f"dialect {dialect.name}: extension numbers end at {MAX_NUMBER}")
    families = tuple(
        Family(item.number, item.version, item.size, item.address, item.port, -1 if item.scope is None else item.scope)
        for item in dialect.sockaddr.families
    )
    has_length = dialect.sockaddr.has_length
    return Frame(
        swap=swapped(byteorder),
        family_offset=int(has_length),
        family_width=1 if has_length else 2,
        rules=tuple(rules),
        checks=tuple(checks),
        families=families,
        wrapper=dialect.terms["message"].numbers.get(MessageType.PROMISC, -1) if dialect.wraps else -1,
    )


def _checks(extension: Extension, tail: Tail) -> Iterable[Check]:
    fixed = extension.layout
    when = getattr(tail, "when", None)
    condition = (-1, 0, 0) if when is None else _condition(fixed[when.field], when)
    start = fixed.size
    match tail:
        case Sockaddrs(count=count):
            yield Check(CheckOp.SOCKADDRS, start, 0, 0, 0, -1, count, *condition)
        case KeyBits(bits=bits):
            yield Check(CheckOp.BITS, start, fixed[bits].offset, 2, 0, -1, 0, *condition)
        case Sized(fields=names, unit=unit):
            first = fixed[names[0]]
            second = fixed[names[1]].offset if len(names) > 1 else -1
            yield Check(CheckOp.SIZED, start, first.offset, first.width, unit, second, 0, *condition)
        case Records(layout=record, count=count_field) if count_field:
            counter = fixed[count_field]
            yield Check(CheckOp.SIZED, start, counter.offset, counter.width, record.size, -1, 0, *condition)
        case Records(layout=record, exact=True):
            yield Check(CheckOp.RECORDS, start, 0, 0, record.size, -1, 0, *condition)
        case Requests(layout=request):
            yield Check(CheckOp.REQUESTS, start, 0, 2, request.size, -1, 0, *condition)
        case Counted(count=count_field, layout=item, sub_count=sub_count, sub_layout=sub):
            yield Check(
                CheckOp.COUNTED,
                start,
                fixed[count_field].offset,
                2,
                item.size,
                item[sub_count].offset,
                sub.size,
                *condition,
            )
        case Text() | Records():
            pass


def _condition(item: Field, when: When) -> tuple[int, int, int]:
    return item.offset, item.width, int(when.value)


def column_plan(
    dialect: Dialect, table: tables.Table, columns: Iterable[str] | None = None, byteorder: ByteOrder = "native"
) -> ColumnPlan:
    """The plan that fills these columns of a table, all of them if None, in the order given.

    Raises KeyError for a column that the table does not have.
    """
    names = tuple(item.name for item in table.columns) if columns is None else tuple(columns)
    return _column_plan(dialect, table, names, byteorder)


@functools.lru_cache(maxsize=256)
def _column_plan(dialect: Dialect, table: tables.Table, names: tuple[str, ...], byteorder: ByteOrder) -> ColumnPlan:
    chosen = tuple(table.column(name) for name in names)
    places = {item.name: place for place, item in enumerate(chosen)}
    lookups: dict[str, array[int]] = {}
    rows = tuple(
        row
        for source in tables.sources(table, dialect)
        if source.column in places
        for row in _rows(dialect, source, places[source.column], chosen[places[source.column]], lookups, byteorder)
    )
    uses_satype = any(row.satype >= 0 for row in rows)
    return ColumnPlan(frame(dialect, byteorder), chosen, rows, tuple(lookups.values()), uses_satype)


_PARTS = {
    Take.IP: (ColumnOp.IP, 16),
    Take.FAMILY: (ColumnOp.FAMILY, 2),
    Take.PORT: (ColumnOp.PORT, 2),
    Take.SCOPE: (ColumnOp.SCOPE, 4),
    Take.PREFIX: (ColumnOp.PREFIX, 1),
    Take.TAIL_OFFSET: (ColumnOp.TAIL_OFFSET, 8),
    Take.TAIL_LENGTH: (ColumnOp.TAIL_LENGTH, 4),
    Take.MESSAGE_OFFSET: (ColumnOp.MESSAGE_OFFSET, 8),
    Take.MESSAGE_LENGTH: (ColumnOp.MESSAGE_LENGTH, 4),
    Take.PRESENT: (ColumnOp.PRESENT, 8),
    Take.OTHERS: (ColumnOp.OTHERS, 2),
}


def _rows(
    dialect: Dialect,
    source: Source,
    place: int,
    column: tables.Column,
    lookups: dict[str, array[int]],
    byteorder: ByteOrder,
) -> Iterable[ColumnRow]:
    number = -1
    layouts: tuple[Layout, ...] = (rfc2367.MSG,)
    if source.extension is not None:
        extension = dialect.by_type[source.extension]
        number, layouts = extension.number, extension.layouts
    satype = -1 if source.satype is None else dialect.satype(source.satype)
    if source.take is not Take.FIELD:
        op, width = _PARTS[source.take]
        swap = swapped(byteorder) if op is ColumnOp.SCOPE else op is ColumnOp.PORT and sys.byteorder == "little"
        start = layouts[0].size if number >= 0 else 0
        yield ColumnRow(op, number, start, width, int(swap), 0, place, column.width, -1, 0, satype)
        return
    item, minimum = next(
        (variant[source.field], variant.size) for variant in layouts if source.field in variant.by_name
    )
    if source.choice is not None:
        at, lookups[f"{column.name} in flags"] = _flags(dialect, source.choice, item, byteorder)
        lookup = list(lookups).index(f"{column.name} in flags")
        yield ColumnRow(ColumnOp.MAP, number, at, 1, 0, 0, place, column.width, lookup, minimum, satype)
        return
    swap = item.count == 1 and _swaps(item, byteorder)
    terms = (source.terms or item.terms) if source.translate else ""
    lookup = -1
    if terms:
        lookups.setdefault(terms, _lookup(dialect, terms))
        lookup = list(lookups).index(terms)
    op = ColumnOp.MAP if terms else ColumnOp.COPY
    yield ColumnRow(
        op, number, item.offset, item.size, int(swap), item.shift, place, column.width, lookup, minimum, satype
    )


def _swaps(item: Field, byteorder: ByteOrder) -> bool:
    if item.width == 1 or item.order is Order.BYTES:
        return False
    return sys.byteorder == "little" if item.order is Order.NETWORK else swapped(byteorder)


def _flags(dialect: Dialect, choice: Choice, item: Field, byteorder: ByteOrder) -> tuple[int, array[int]]:
    """Offset of the byte that has the bits of a choice, and what its values mean."""
    mask = dialect.mask(choice.flags)
    low = ((mask & -mask).bit_length() - 1) // 8
    bits = mask >> 8 * low
    if bits > 0xFF:
        raise ValueError(f"dialect {dialect.name}: {', '.join(choice.flags)} are not in one byte")
    little = swapped(byteorder) != (sys.byteorder == "little")
    table = array("H", [int(choice.chosen if number & bits else choice.otherwise) for number in range(256)])
    return item.offset + (low if little else item.width - 1 - low), table


def _lookup(dialect: Dialect, terms: str) -> array[int]:
    known = dialect.terms[terms].canonical
    return array("H", [int(known.get(number, UNKNOWN + number)) for number in range(256)])
