"""From the numbers of a structure to typed values and back: one pair of functions for each kind of field.

Reading never fails: any number has a meaning, if only that of an unknown term. Writing raises `MisfitError` without a
field's name, which the structure adds.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from ..spec.model import Dialect
from ..spec.term_tables import TermTable
from ..spec.terms import UNKNOWN, Term
from .faults import MisfitError


class Conversion(NamedTuple):
    """How one kind of field is read and written. What is read is an int, or bytes for an array."""

    read: Callable[[Any], object] | None
    """None where the number or the bytes are the value."""
    write: Callable[[object], int | bytes]


def as_number(value: object) -> int:
    """The integer that a value is; true and false are none."""
    if type(value) is int:  # as nearly all are
        return value
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise MisfitError(f"a number is needed, not {type(value).__name__}")
    return number


def to_bytes(number: int, width: int, byteorder: Literal["little", "big"]) -> bytes:
    """A number in `width` bytes."""
    try:
        return number.to_bytes(width, byteorder)
    except OverflowError:
        what = number if number.bit_length() <= 128 else f"a number of {number.bit_length()} bits"
        raise MisfitError(f"{what} does not fit {width * 8} bits") from None


def as_bytes(value: object) -> bytes:
    """The bytes that a value is."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise MisfitError(f"bytes are needed, not {type(value).__name__}")
    return bytes(value)


def to_text(raw: bytes) -> str:
    """Text up to its NUL; bytes that are no UTF-8 survive as lone surrogates."""
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def from_text(value: object) -> bytes:
    """The bytes of text, which may contain no NUL."""
    if not isinstance(value, str):
        raise MisfitError(f"text is needed, not {type(value).__name__}")
    try:
        raw = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise MisfitError("the text cannot be written as UTF-8") from None
    if b"\0" in raw:
        raise MisfitError("the text contains a NUL")
    return raw


def plain() -> Conversion:
    """A number that stands for itself."""
    return Conversion(None, as_number)


def shifted(shift: int) -> Conversion:
    """A number that the wire holds in units of 2 ** shift; with a negative shift, one that the wire holds finer."""
    if shift < 0:
        return Conversion(lambda number: number >> -shift, lambda value: as_number(value) << -shift)

    def write(value: object) -> int:
        number = as_number(value)
        if number % (1 << shift):
            raise MisfitError(f"the number is no multiple of {1 << shift}")
        return number >> shift

    return Conversion(lambda number: number << shift, write)


def term(dialect: Dialect, name: str) -> Conversion:
    """A number of the dialect's term table of this name."""
    table = dialect.terms[name]
    known = dict(table.canonical)

    def read(number: int) -> Term:
        found = known.get(number)
        return table.kind.unknown(number) if found is None else found

    return Conversion(read, lambda value: term_number(dialect, table, value))


def term_number(dialect: Dialect, table: TermTable, value: object) -> int:
    """The wire number of a term. The codes 0 of all kinds are one: nothing chosen."""
    code = as_number(value)
    if isinstance(value, Term) and code and not isinstance(value, table.kind):
        raise MisfitError(f"{type(value).__name__}.{value.name} is no {table.kind.__name__}")
    known = table.codes.get(code)
    if known is not None:
        return known
    try:
        return table.number(code)
    except (KeyError, ValueError):
        label = value.name if isinstance(value, Term) else "of this number"
        raise MisfitError(f"{dialect.name} has no {table.kind.__name__} {label}") from None


def family(dialect: Dialect) -> Conversion:
    """An AF_ number of the system, as canonical family: 4, 6, 0 for AF_UNSPEC, 0x8000 + number for others."""

    def write(value: object) -> int:
        code = as_number(value)
        if code in (4, 6):
            return dialect.sockaddr.version(code).number
        if code == 0 or code >= UNKNOWN:
            return max(code - UNKNOWN, 0)
        raise MisfitError("a family is 4, 6, 0 for none, or 0x8000 + AF number")

    return Conversion(lambda number: canonical_family(dialect, number), write)


def canonical_family(dialect: Dialect, number: int) -> int:
    """The canonical family of an AF_ number."""
    known = dialect.sockaddr.family(number)
    if known is not None:
        return known.version
    return UNKNOWN + min(number, UNKNOWN - 1) if number else 0


def octets(size: int) -> Conversion:
    """An array of bytes."""

    def write(value: object) -> bytes:
        raw = as_bytes(value)
        if len(raw) != size:
            raise MisfitError(f"{len(raw)} bytes where {size} are needed")
        return raw

    return Conversion(None, write)


def text(size: int) -> Conversion:
    """An array of bytes that holds text, padded with NULs."""

    def write(value: object) -> bytes:
        raw = from_text(value)
        if len(raw) > size:
            raise MisfitError(f"{len(raw)} bytes of text do not fit {size}")
        return raw.ljust(size, b"\0")

    return Conversion(to_text, write)


def numbers(array: struct.Struct) -> Conversion:
    """An array of numbers, as a tuple."""

    def write(value: object) -> bytes:
        try:
            return array.pack(*value)  # type: ignore[misc]
        except (struct.error, TypeError):
            raise MisfitError(f"as many numbers as {array.size} bytes hold are needed") from None

    return Conversion(array.unpack, write)
