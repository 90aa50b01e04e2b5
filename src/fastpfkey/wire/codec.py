"""The extensions of one dialect in one byte order, bytes to values and back, put together from the dialect's data.

An `ExtensionCodec` joins the structure of the fixed part (several variants by length on macOS) with the codecs of its
tails. In messages of SA type IPCOMP what is an encryption algorithm elsewhere is a compression algorithm, so each
extension has two codecs, which differ in that term table alone.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from dataclasses import fields
from functools import partial

from ..errors import Fault
from ..spec.layouts import Layout
from ..spec.model import (
    WORD,
    Counted,
    Dialect,
    Extension,
    KeyBits,
    Records,
    Requests,
    Sized,
    Sockaddrs,
    Tail,
    Text,
    When,
)
from .catalogue import Recipe
from .conversions import to_bytes
from .derived import STRUCTURAL, in_array
from .faults import MisfitError, MisreadError, named
from .sockaddr import SockaddrCodec
from .structs import Choice, HostOrder, Numbers, StructCodec
from .tails import KeyCodec, RestCodec, SizedCodec, SockaddrsCodec, TailCodec, TextCodec
from .tails_nested import BytesCodec, CountedCodec, RecordsCodec, RequestsCodec, padded, remember
from .value import ExtensionValue, Value

MOST_WORDS = 0xFFFF
"""What the length of an extension can say."""

COMPRESSING = {"encrypt": "compress"}
"""Term tables that stand for others in messages of SA type IPCOMP."""


class ExtensionCodec:
    """One extension type. `terms` maps term tables to those that stand for them."""

    def __init__(
        self,
        extension: Extension,
        recipe: Recipe,
        dialect: Dialect,
        byteorder: HostOrder,
        terms: Mapping[str, str],
    ) -> None:
        self.extension = extension
        self.dialect = dialect
        self.value = recipe.value
        self.start = extension.minimum
        self._head = struct.Struct("<HH" if byteorder == "little" else ">HH")
        self.defaults = {item.name: item.default for item in fields(recipe.value)}
        self._struct = partial(_struct, dialect=dialect, byteorder=byteorder, tables=terms, text=recipe.text)
        sockaddrs = SockaddrCodec(dialect, byteorder)
        self.tails = [(_when(tail), self._tail(tail, recipe, byteorder, sockaddrs)) for tail in extension.tails]
        if recipe.rest and not extension.tails:
            self.tails.append((None, RestCodec((recipe.rest,))))
        self._always = self.tails[0][1] if self.tails and self.tails[0][0] is None else None
        """The tail that every value has, whatever its fixed part says."""
        skip = STRUCTURAL | {name for _, tail in self.tails for name in tail.counts}
        self.variants = tuple(self._struct(layout, recipe.value, skip=skip) for layout in extension.layouts)
        self.foreign = tuple(self._foreign(variant) for variant in self.variants)
        self._idle = {
            chosen: frozenset(name for _, tail in self.tails for name in tail.names if tail is not chosen)
            for chosen in (None, *(tail for _, tail in self.tails))
        }
        """Fields that have to say nothing where a tail is chosen."""

    def read(self, data: bytes) -> ExtensionValue:
        """The value of the extension's bytes. Raises MisreadError if they contradict each other."""
        if len(data) < self.start:
            raise MisreadError(Fault.EXTENSION_SHORT, 0)
        fixed = self.variants[0]
        for variant in self.variants[1:]:
            if variant.size <= len(data):
                fixed = variant
        numbers = fixed.unpack(data)
        found = fixed.fields(numbers)
        tail = self._tail_of(fixed, numbers)
        if tail is not None:
            found |= tail.read(data, self.start, fixed, numbers)
        value = self.value(exttype=self.extension.type, **found)  # type: ignore[call-arg]
        remember(value, fixed, data, 0, len(data))
        return value

    def write(self, value: ExtensionValue) -> bytes:
        """The bytes of a value, padded to a word. Raises MisfitError."""
        value = self._adopted(value)
        fixed = self._variant(value)
        data = fixed.pack(value, {})
        body: bytes = b""
        chosen = self._always
        if chosen is None and self.tails:
            chosen = self._tail_of(fixed, fixed.unpack(data))
        if chosen is not None:
            body, members = chosen.write(value)
            for name, number in members.items():
                with named(name):
                    fixed.put(data, name, number)
        idle = self._idle[chosen]
        if idle and (said := self._set(value, idle)):
            raise MisfitError("does not go with the other fields", min(said))
        whole = padded(bytes(data) + body)
        words = len(whole) // WORD
        if words > MOST_WORDS:
            with named("len"):
                to_bytes(words, 2, "big")
        return self._head.pack(words, self.extension.number) + whole[self._head.size :]

    def _adopted(self, value: ExtensionValue) -> ExtensionValue:
        """The value as one of this dialect's class, which may have more fields than the one it was built as."""
        if isinstance(value, self.value):
            return value
        if not issubclass(self.value, type(value)):
            raise MisfitError(f"a {self.value.__name__} is needed, not {type(value).__name__}")
        return self.value(**{item.name: getattr(value, item.name) for item in fields(value)})

    def _tail_of(self, fixed: StructCodec, numbers: Numbers) -> TailCodec | None:
        """The tail that a fixed part calls for: the first that applies."""
        for when, tail in self.tails:
            if when is None or fixed.number(numbers, when.field) == when.value:
                return tail
        return None

    def _tail(self, tail: Tail, recipe: Recipe, byteorder: HostOrder, sockaddrs: SockaddrCodec) -> TailCodec:
        names = recipe.tails[type(tail)]
        fixed = self.extension.layout
        record, (sub_name, sub_record) = recipe.record or Value, recipe.sub or ("", Value)
        match tail:
            case Sockaddrs(count=count):
                return SockaddrsCodec(names[:count], sockaddrs)
            case KeyBits():
                return KeyCodec(names, tail, fixed)
            case Sized():
                return SizedCodec(names, tail, fixed, byteorder)
            case Records(layout=layout) if in_array(self.extension, recipe):
                return BytesCodec(names, fixed, StructCodec(layout, self.dialect, byteorder))
            case Records(layout=layout):
                codec = self._struct(layout, record, terms=recipe.record_terms)
                return RecordsCodec(names, tail, fixed, record, codec)
            case Requests(layout=layout):
                return RequestsCodec(names, record, self._struct(layout, record, skip={"len"}), sockaddrs)
            case Counted(count=counter, layout=item, sub_count=sub_count, sub_layout=sub):
                items = self._struct(item, record, skip={sub_count})
                subs = self._struct(sub, sub_record, choices=recipe.sub_choices)
                return CountedCodec(names, counter, record, items, sub_count, sub_name, sub_record, subs)
            case Text():
                return TextCodec(names)

    def _foreign(self, variant: StructCodec) -> frozenset[str]:
        """The value's fields that this structure has no room for."""
        own = {name for _, tail in self.tails for name in tail.names} | {"exttype"}
        return frozenset(self.defaults) - variant.names - own

    def _variant(self, value: ExtensionValue) -> StructCodec:
        """The smallest variant with room for all fields that are set."""
        if not self.foreign[0]:
            return self.variants[0]
        for variant, foreign in zip(self.variants, self.foreign, strict=True):
            homeless = self._set(value, foreign)
            if not homeless:
                return variant
        raise MisfitError("the dialect has no such field", min(homeless))

    def _set(self, value: ExtensionValue, names: Collection[str]) -> list[str]:
        """Those of the fields that say something."""
        return [name for name in names if getattr(value, name) != self.defaults[name]]


def _struct(
    layout: Layout,
    value: type[Value],
    *,
    dialect: Dialect,
    byteorder: HostOrder,
    tables: Mapping[str, str],
    text: Collection[str],
    skip: Collection[str] = (),
    terms: Mapping[str, str] | None = None,
    choices: Mapping[str, Choice] | None = None,
) -> StructCodec:
    """The codec of one layout, for this class of values."""
    optional = {item.name for item in fields(value) if item.default is None}
    replaced = {item.name: tables[item.terms] for item in layout.fields if item.terms in tables}
    known = {
        name: Choice(choice.by, {key: table for key, table in choice.tables.items() if table in dialect.terms})
        for name, choice in (choices or {}).items()
    }
    return StructCodec(layout, dialect, byteorder, skip, optional, replaced | dict(terms or {}), text, known)


def _when(tail: Tail) -> When | None:
    return getattr(tail, "when", None)
