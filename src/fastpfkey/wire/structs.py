"""One C structure in one dialect and byte order: bytes to typed fields and back, derived from its `Layout`.

Nothing here is written for a particular structure. A field is a number, a term, bytes or text because its `Field` says
so; members that only hold the structure together (its length and type, counts of what follows, reserved bytes) are no
fields.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from ..spec.layouts import Field, Layout, Order
from ..spec.model import Dialect
from . import conversions
from .conversions import Conversion, as_number, to_bytes
from .faults import MisfitError, named

if TYPE_CHECKING:
    from typing_extensions import Buffer

HostOrder: TypeAlias = Literal["little", "big"]
Numbers: TypeAlias = tuple[int | bytes, ...]
"""The members of a structure as `struct` gives them: network-order numbers and arrays are bytes."""


class Origin(NamedTuple):
    """Where a decoded value comes from: its structure and the bytes of it, without those that follow."""

    codec: StructCodec
    fixed: bytes
    size: int
    """Bytes on the wire of the structure with all that follows it."""


class Member(NamedTuple):
    """A member of the layout that is a field of the value."""

    name: str
    place: int
    """Place in the unpacked numbers."""
    read: Callable[[Any], object] | None
    write: Callable[[object], int | bytes]


class Choice(NamedTuple):
    """A member whose term table depends on another member."""

    by: str
    """The other member."""
    tables: Mapping[int, str]
    """Term tables by its number; with any other number the member stands for itself."""


class StructCodec:
    """Reads and writes one layout.

    `skip` names members that something else takes care of, `optional` those that are written as zeros where the value
    is None. `terms` names term tables that replace those of the layout, `text` arrays that hold text.
    """

    def __init__(
        self,
        layout: Layout,
        dialect: Dialect,
        byteorder: HostOrder,
        skip: Collection[str] = (),
        optional: Collection[str] = (),
        terms: Mapping[str, str] | None = None,
        text: Collection[str] = (),
        choices: Mapping[str, Choice] | None = None,
    ) -> None:
        self.layout = layout
        self.size = layout.size
        self.byteorder = byteorder
        self.optional = frozenset(optional)
        self._struct = struct.Struct(layout.struct_format(byteorder))
        self._blank = self._struct.unpack(bytes(self.size))
        self._places = {item.name: place for place, item in enumerate(layout.fields)}
        self.members = tuple(
            self._member(item, _conversion(item, dialect, byteorder, terms or {}, text))
            for item in layout.fields
            if not item.reserved and item.name not in skip
        )
        self.names = frozenset(member.name for member in self.members)
        self.reserved = tuple(
            (item.c_name, item.offset, item.offset + item.size) for item in layout.fields if item.reserved
        )
        """Members that are to be zero: C name, start and end."""
        self._choices = {
            name: (choice.by, {key: conversions.term(dialect, table) for key, table in choice.tables.items()})
            for name, choice in (choices or {}).items()
        }

    def unpack(self, data: Buffer, start: int = 0) -> Numbers:
        """The members of the structure at `start`, which has to be there."""
        return self._struct.unpack_from(data, start)

    def fields(self, numbers: Numbers) -> dict[str, Any]:
        """The typed fields by name."""
        found = {
            name: numbers[place] if read is None else read(numbers[place]) for name, place, read, _ in self.members
        }
        for name, (by, options) in self._choices.items():
            option = options.get(self.number(numbers, by))
            if option is not None and option.read is not None:
                found[name] = option.read(found[name])
        return found

    def number(self, numbers: Numbers, name: str) -> int:
        """The member of this name as a number, untranslated."""
        return _number(self.layout[name], numbers[self._places[name]], self.byteorder)

    def namespace(self, data: bytes) -> SimpleNamespace:
        """All members by their C names: numbers, untranslated but in native byte order, tuples of them, or bytes."""
        pairs = zip(self.layout.fields, self.unpack(data), strict=True)
        return SimpleNamespace(**{item.c_name: self._untranslated(item, raw) for item, raw in pairs})

    def _untranslated(self, item: Field, raw: int | bytes) -> object:
        if not _is_array(item):
            return _number(item, raw, self.byteorder)
        read = _array(item, self.byteorder).read
        return raw if read is None else read(raw)

    def pack(self, value: object, numbers: Mapping[str, int]) -> bytearray:
        """The structure of a value's fields, with wire numbers for members that are no fields, and zeros elsewhere.

        Raises MisfitError for a field that does not fit.
        """
        found = list(self._blank)
        for name, place, _, write in self.members:
            part = getattr(value, name)
            if part is None and name in self.optional:
                continue
            if self._choices and name in self._choices:
                write = self._chosen(name, value).write
            try:
                raw = write(part)
                found[place] = self._raw(name, raw) if type(found[place]) is bytes else raw
            except MisfitError as misfit:
                raise misfit.inside(name) from None
        try:
            data = bytearray(self._struct.pack(*found))
        except struct.error:
            data = self._put_each(found)
        for name, number in numbers.items():
            with named(name):
                self.put(data, name, number)
        return data

    def _put_each(self, numbers: Iterable[int | bytes]) -> bytearray:
        """The same, one after the other, which finds the one that does not fit."""
        data = bytearray(self.size)
        for item, raw in zip(self.layout.fields, numbers, strict=True):
            with named(item.name):
                self.put(data, item.name, raw)
        return data

    def _chosen(self, name: str, value: object) -> Conversion:
        """How to write a member whose term table depends on another one."""
        by, options = self._choices[name]
        with named(by):
            return options.get(as_number(getattr(value, by)), conversions.plain())

    def put(self, data: bytearray, name: str, raw: int | bytes) -> None:
        """Write one member. Raises MisfitError for a number that is too large or negative."""
        item = self.layout[name]
        data[item.offset : item.offset + item.size] = self._raw(name, raw)

    def _raw(self, name: str, raw: int | bytes) -> bytes:
        """The bytes of one member. Raises MisfitError."""
        if not isinstance(raw, int):
            return raw
        item = self.layout[name]
        return to_bytes(raw, item.size, "big" if item.order is Order.NETWORK else self.byteorder)

    def _member(self, item: Field, conversion: Conversion) -> Member:
        read = conversion.read
        if item.order is Order.NETWORK and not _is_array(item):
            read = _from_network if read is None else _after_network(read)
        return Member(item.name, self._places[item.name], read, conversion.write)


def _conversion(
    item: Field, dialect: Dialect, byteorder: HostOrder, terms: Mapping[str, str], text: Collection[str]
) -> Conversion:
    table = terms.get(item.name, item.terms)
    if item.name in text:
        return conversions.text(item.size)
    if _is_array(item):
        return _array(item, byteorder)
    if table:
        return conversions.term(dialect, table)
    if item.name == "family":
        return conversions.family(dialect)
    return conversions.shifted(item.shift) if item.shift else conversions.plain()


def _array(item: Field, byteorder: HostOrder) -> Conversion:
    if item.width == 1 or item.order is Order.BYTES:
        return conversions.octets(item.size)
    prefix = "<" if item.order is Order.HOST and byteorder == "little" else ">"
    return conversions.numbers(struct.Struct(prefix + {2: "H", 4: "I", 8: "Q"}[item.width] * item.count))


def _is_array(item: Field) -> bool:
    return item.count > 1 or item.order is Order.BYTES


def _number(item: Field, raw: int | bytes, byteorder: HostOrder) -> int:
    if isinstance(raw, int):
        return raw
    return int.from_bytes(raw, "big" if item.order is Order.NETWORK else byteorder)


def _from_network(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _after_network(read: Callable[[Any], object]) -> Callable[[bytes], object]:
    return lambda raw: read(int.from_bytes(raw, "big"))
