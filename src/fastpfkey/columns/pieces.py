"""The bytes of single extensions, as far as the rows of a shape have them in common.

They come from the codec that makes single messages: what a dialect does with a value, its unit, its number and its
place, is said there alone. What a plan writes over them is zero here.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from dataclasses import MISSING, fields
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from ..spec.building import BuildPlan
from ..spec.model import Extension, KeyBits, Sockaddrs, Source, Take
from ..spec.tables import ASSOCIATIONS, sources
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import SAState
from ..wire.derived import recipe_of
from ..wire.dialects import codec
from ..wire.faults import MisfitError
from ..wire.sockaddr import SocketAddress
from ..wire.value import ExtensionValue, Secret
from .forms import Kind, Values
from .material import Material, size_name

IPS: dict[int, IPv4Address | IPv6Address] = {4: IPv4Address(0), 6: IPv6Address(0)}
"""What stands where addresses are written."""


class Pieces:
    """Makes extensions, each as often as the values that concern it differ."""

    def __init__(self, kind: Kind, plan: BuildPlan, material: Material) -> None:
        self.kind, self.material = kind, material
        self.codec = codec(kind.dialect, material.byteorder)
        self._sources: dict[Ext, list[tuple[Source, int]]] = {}
        told = sources(ASSOCIATIONS, kind.dialect)
        for place, item in enumerate(told):
            if item.extension is not None:
                self._sources.setdefault(item.extension, []).append((item, _stronger(item, told[place + 1 :])))
        self._shaping = frozenset(plan.shape)
        self._concern: dict[Ext, tuple[int, tuple[str, ...]]] = {}
        self._made: dict[tuple[Ext, tuple[int, ...]], bytes] = {}

    def bytes_of(self, kind: Ext, values: Values, satype: int, row: int) -> bytes:
        """An extension of the rows with these values, of which `row` is one. Raises MisfitError."""
        if kind in self.material.whole:
            return self._whole(kind, values, satype, row)
        if kind not in self._concern:
            self._concern[kind] = self._concerning(kind)
        present, names = self._concern[kind]
        key = (kind, (satype, values["present"] & present, *[values[name] for name in names]))
        if key not in self._made:
            self._made[key] = self._described(self.kind.dialect.by_type[kind], values, satype)
        return self._made[key]

    def version(self, kind: Ext, values: Values) -> int:
        """IP version of an extension's address, 0 if there is none."""
        found = values.get(self._family_name(kind), 0)
        return found if found in IPS else 0

    def _concerning(self, kind: Ext) -> tuple[int, tuple[str, ...]]:
        """What an extension depends on: bits of `present`, and columns."""
        found = self._sources.get(kind, ())
        own = [item.column for item, _ in found if item.take is Take.FIELD]
        present = functools.reduce(operator.or_, [stronger for _, stronger in found], 1 << kind.bit)
        return present, tuple(self._shaping.intersection({*own, self._family_name(kind)}))

    def _described(self, extension: Extension, values: Values, satype: int) -> bytes:
        """An extension from columns."""
        recipe = recipe_of(extension)
        if recipe is None or not self._told(extension, values):
            raise MisfitError("it is in no column, and not in a buffer that the table has")
        known: dict[str, Any] = {item.name: 0 for item in fields(recipe.value) if item.default is MISSING}
        known.update(self._fields(extension, values))
        for tail in extension.tails:
            if isinstance(tail, KeyBits):
                known["material"] = Secret(bytes((known[tail.bits] + 7) // 8))
            if isinstance(tail, Sockaddrs):
                version = self.version(extension.type, values)
                if not version:
                    raise MisfitError("its address is of no IP family, or in no column")
                known["sockaddr"] = SocketAddress(IPS[version])
        known["exttype"] = extension.type
        value: ExtensionValue = recipe.value(**known)
        return self.codec.write(value, satype)

    def _whole(self, kind: Ext, values: Values, satype: int, row: int) -> bytes:
        """An extension as it stood in the buffer. A key is zeros, for the plan writes over all of it."""
        if any(isinstance(tail, KeyBits) for tail in self.kind.dialect.by_type[kind].tails):
            return bytes(values[size_name(kind)])
        text, starts = self.material.strings[kind]
        begin = int(starts[row])
        found = bytes(memoryview(text)[begin : begin + values[size_name(kind)]])
        if self._family_name(kind) in values:
            there = self.codec.read(self.kind.dialect.by_type[kind].number, found, satype)
            if getattr(there, "family", None) != values[self._family_name(kind)]:
                raise MisfitError("its address is of another family than in the buffer")
        return found

    def _told(self, extension: Extension, values: Values) -> bool:
        """Whether the material says anything about an extension. Of one that the row has not, nothing is to be said."""
        if not values["present"] >> extension.type.bit & 1:
            return True
        if any(isinstance(tail, KeyBits) for tail in extension.tails):
            return extension.type in self.material.strings
        return any(item.column in self.material.arrays for item, _ in self._sources.get(extension.type, ()))

    def _fields(self, extension: Extension, values: Values) -> dict[str, int]:
        """What a shape says of an extension's fields."""
        found: dict[str, int] = {}
        for item, stronger in self._sources.get(extension.type, ()):
            if item.take is not Take.FIELD or item.choice is not None or item.column not in self._shaping:
                continue
            number = values[item.column]
            field = next(layout[item.field] for layout in extension.layouts if item.field in layout.by_name)
            if field.name not in extension.layout.by_name and not number:
                continue  # what only a longer variant has room for is not there
            if values["present"] & stronger:  # another has the column whole, so this one gives what it has room for
                number = min(number >> field.shift, (1 << 8 * field.width) - 1) << field.shift
            found[item.field] = number
        if extension.type is Ext.SA and self.kind.submits:
            found["state"] = SAState.MATURE
        return found

    def _family_name(self, kind: Ext) -> str:
        """The column with the family of an extension's address."""
        for item, _ in self._sources.get(kind, ()):
            if item.take is Take.FAMILY:
                return item.column
            if item.take is Take.IP:
                return f"{item.column}_family"
        return ""


def _stronger(source: Source, others: Iterable[Source]) -> int:
    """Bits in `present` of the extensions that tell of the same column, and are believed rather than this one."""
    bits = 0
    for item in others:
        if item.column == source.column and item.extension not in (None, source.extension):
            bits |= 1 << item.extension.bit
    return bits
