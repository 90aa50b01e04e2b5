"""Templates: how rows of columns become text, in the only form that the hot path understands.

A template is written as parts (literals, numbers, addresses, tables of words, dates, conditions, repetitions) that name
columns; `template` turns them into steps, rows of small integers that name columns by their place. What the words are,
and which system prints them, is the business of whoever writes the parts.

Numbers are unsigned and 64 bits wide while they are worked with: differences below 0 wrap, as C's do.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

from .tables import Column


class TextOp(IntEnum):
    """What a step writes, or decides."""

    LITERAL = 0
    """`second` bytes of the template's text from `first`."""
    DECIMAL = 1
    """The number less `first`; `second` is a least width, negative to set it flush left."""
    REST = 2
    """`first` less the number, in the same way."""
    SHIFTED = 3
    """The number shifted right by `first`, in the same way."""
    JOINED = 4
    """The number shifted left by `first` and the number of the other column, in the same way."""
    ROUNDED = 5
    """The number as a C double holds it, in the same way."""
    HEXADECIMAL = 6
    """The low `first` digits of the number."""
    LOOKUP = 7
    """The word of the number in a table of `second` words that begins at `first`; without one the number itself."""
    ADDRESS = 8
    """16 bytes as an IP address of the version that the other column says.

    For another version, `second` bytes of the template's text from `first`.
    """
    DATE = 9
    """Unix time as 20 characters, as in ``Nov  3 07:04:14 2026``; 0 as 20 spaces; behind year 9999 the number."""
    OCTETS = 10
    """Bytes from the offset in the column, as many as the bits in the other column make whole, in hexadecimal.

    A space stands before each `first` bytes and a line feed before each `second`.
    """
    STRING = 11
    """Text from `first` bytes before the offset in the column up to a NUL.

    It is at most as long as the other column says, or `second` without one. What is not printable ASCII is written as
    a question mark.
    """
    EQUAL = 12
    """Leave out the next `skip` steps unless the number's bits in `first` are `second`.

    They are compared with the other column's number instead if there is another column.
    """
    DIFFERENT = 13
    """Leave out the next `skip` steps if they are."""
    BELOW = 14
    """Leave out the next `skip` steps unless the number less `first` is below `second`."""
    EACH = 15
    """Do the next `skip` steps for each row from the number in this row up to that in the next one."""


class TextStep(NamedTuple):
    """One step. Widths are the bytes that a row of the column has."""

    op: int
    column: int = 0
    width: int = 0
    other: int = 0
    other_width: int = 0
    first: int = 0
    second: int = 0
    skip: int = 0


class Word(NamedTuple):
    """A word of a table: where it lies in the template's text; `start` is -1 for a number without a word."""

    start: int
    length: int


class Zone(NamedTuple):
    """From a Unix time on, local time is this many seconds ahead of UTC."""

    since: int
    offset: int


UTC = (Zone(0, 0),)


@dataclass(frozen=True)
class Template:
    """Steps, the text that they quote, and the clock of the place that dates are for."""

    columns: tuple[Column, ...]
    steps: tuple[TextStep, ...]
    text: bytes
    words: tuple[Word, ...]
    zones: tuple[Zone, ...]

    @cached_property
    def packed(self) -> tuple[array[int], array[int], array[int]]:
        """Steps, words and zones for the compiled twin, as int64."""
        steps, words, zones = (
            array("q", [number for row in rows for number in row]) for rows in (self.steps, self.words, self.zones)
        )
        return steps, words, zones

    @cached_property
    def inner(self) -> frozenset[int]:
        """Places of the columns whose rows are those of repetitions."""
        return self._places(within=True)

    @cached_property
    def outer(self) -> frozenset[int]:
        """Places of the columns whose rows are those of the template."""
        return self._places(within=False)

    def _places(self, within: bool) -> frozenset[int]:
        found: set[int] = set()
        end = 0
        for number, step in enumerate(self.steps):
            if (number < end) == within:
                found.update(_columns(step))
            if step.op == TextOp.EACH:
                end = number + 1 + step.skip
        return frozenset(found)


def _columns(step: TextStep) -> Iterator[int]:
    if step.width:
        yield step.column
    if step.other_width:
        yield step.other


@dataclass(frozen=True)
class Part:
    """A part of a template before columns have places. The functions below make them."""

    op: TextOp
    column: str = ""
    other: str = ""
    first: int = 0
    second: int = 0
    text: bytes = b""
    words: Mapping[int, str] | None = None
    body: tuple[Part, ...] = ()


def literal(text: str) -> Part:
    """This text."""
    return Part(TextOp.LITERAL, text=text.encode())


def decimal(column: str, width: int = 0, less: int = 0) -> Part:
    """A number, less another, with spaces before it up to a width, or behind it if that is negative."""
    return Part(TextOp.DECIMAL, column, first=less, second=width)


def rest(number: int, column: str, width: int = 0) -> Part:
    """What is left of a number when the column's is taken from it."""
    return Part(TextOp.REST, column, first=number, second=width)


def shifted(column: str, bits: int) -> Part:
    """A number shifted right."""
    return Part(TextOp.SHIFTED, column, first=bits)


def joined(high: str, bits: int, low: str) -> Part:
    """One number of two columns, the first shifted left."""
    return Part(TextOp.JOINED, high, low, first=bits)


def rounded(column: str) -> Part:
    """A number that has been through a C double."""
    return Part(TextOp.ROUNDED, column)


def hexadecimal(column: str, digits: int) -> Part:
    """The low digits of a number in hexadecimal, lower case, with leading zeros."""
    return Part(TextOp.HEXADECIMAL, column, first=digits)


def lookup(column: str, words: Mapping[int, str]) -> Part:
    """The word for a number; the number itself where there is none."""
    return Part(TextOp.LOOKUP, column, words=words)


def address(column: str, family: str, otherwise: str = "") -> Part:
    """An IP address as inet_ntop writes it; `otherwise` where the family column says neither 4 nor 6."""
    return Part(TextOp.ADDRESS, column, family, text=otherwise.encode())


def date(column: str) -> Part:
    """Unix time as a local date."""
    return Part(TextOp.DATE, column)


def octets(offset: str, bits: str, group: int, line: int) -> Part:
    """Bytes in hexadecimal, in groups and lines of so many bytes."""
    return Part(TextOp.OCTETS, offset, bits, max(group, 1), max(line, 1))


def string(offset: str, length: str = "", before: int = 0, most: int = 0) -> Part:
    """Text from so many bytes before an offset up to a NUL; of the length in a column, or at most a fixed one."""
    return Part(TextOp.STRING, offset, length, before, most)


def when(column: str, equal: int, *body: Part, mask: int = -1) -> Part:
    """The body where the column's number, of which only the bits of the mask count, is this one."""
    return Part(TextOp.EQUAL, column, first=mask, second=equal, body=body)


def unless(column: str, equal: int, *body: Part, mask: int = -1) -> Part:
    """The body where it is not."""
    return Part(TextOp.DIFFERENT, column, first=mask, second=equal, body=body)


def alike(column: str, other: str, *body: Part) -> Part:
    """The body where two columns have the same number."""
    return Part(TextOp.EQUAL, column, other, -1, body=body)


def different(column: str, other: str, *body: Part) -> Part:
    """The body where they have not."""
    return Part(TextOp.DIFFERENT, column, other, -1, body=body)


def within(column: str, start: int, size: int, *body: Part) -> Part:
    """The body where the column's number is one of so many from a start."""
    return Part(TextOp.BELOW, column, first=start, second=size, body=body)


def each(offsets: str, *body: Part) -> Part:
    """The body for each inner row from the number in this row of the column up to the number in its next row."""
    return Part(TextOp.EACH, offsets, body=body)


def template(columns: Sequence[Column], parts: Iterable[Part], zones: tuple[Zone, ...] = UTC) -> Template:
    """The template that these parts make of these columns. Raises KeyError for a column that there is not."""
    return _Compiler(columns).template(parts, zones)


def _all(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _all(part.body)


class _Compiler:
    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.places = {item.name: (place, item.width) for place, item in enumerate(columns)}
        self.text = bytearray()
        self.words: list[Word] = []

    def template(self, parts: Iterable[Part], zones: tuple[Zone, ...]) -> Template:
        steps = self.steps(parts)
        found = Template(self.columns, tuple(steps), bytes(self.text), tuple(self.words), zones)
        if found.inner & found.outer:
            names = ", ".join(self.columns[place].name for place in sorted(found.inner & found.outer))
            raise ValueError(f"{names}: used within a repetition and outside of it")
        return found

    def steps(self, parts: Iterable[Part]) -> list[TextStep]:
        """The steps of parts; literals that follow each other become one."""
        found: list[TextStep] = []
        open_literal = False
        for part in parts:
            step = self.step(part)
            body = self.steps(part.body)
            if step.op == TextOp.LITERAL and open_literal and sum(found[-1][5:7]) == step.first:
                found[-1] = found[-1]._replace(second=found[-1].second + step.second)
            else:
                found += [step._replace(skip=len(body)), *body]
            open_literal = step.op == TextOp.LITERAL
        return found

    def step(self, part: Part) -> TextStep:
        if part.op is TextOp.EACH and any(item.op is TextOp.EACH for item in _all(part.body)):
            raise ValueError("a repetition within a repetition")
        column, width = self.places[part.column] if part.column else (0, 0)
        other, other_width = self.places[part.other] if part.other else (0, 0)
        first, second = part.first, part.second
        if part.op in (TextOp.LITERAL, TextOp.ADDRESS):
            word = self.quote(part.text)
            first, second = word
        elif part.words is not None:
            first, second = len(self.words), max(part.words, default=-1) + 1
            self.words += [
                self.quote(part.words[number].encode()) if number in part.words else Word(-1, 0)
                for number in range(second)
            ]
        return TextStep(part.op, column, width, other, other_width, first, second)

    def quote(self, text: bytes) -> Word:
        word = Word(len(self.text), len(text))
        self.text += text
        return word
