"""What messages are built from: columns, keys, and extensions that no column describes, in one form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..spec.model import Dialect, Take
from ..spec.tables import ASSOCIATIONS, sources
from ..spec.terms import ExtensionType as Ext
from ..wire.structs import HostOrder
from .readable import V4_MAPPED
from .room import Array

if TYPE_CHECKING:
    from typing_extensions import Buffer

KEYS = {"auth": Ext.KEY_AUTH, "encrypt": Ext.KEY_ENCRYPT}
"""The extension of each kind of key."""

ADDRESSES = tuple(item.column for item in ASSOCIATIONS.sources if item.take is Take.IP)
"""Columns of addresses."""


ENDS = ("src", "dst")
"""Those that every association has."""


class Strings(NamedTuple):
    """Bytes of all rows, and where in them those of each row begin (uint64)."""

    text: Buffer
    starts: Array


@dataclass(frozen=True, eq=False)
class Material:
    """What rows there are to write."""

    dialect: Dialect
    byteorder: HostOrder
    arrays: Mapping[str, Array]
    """Columns of the table, `present` and the family of each address among them, and sizes of extensions."""
    strings: Mapping[Ext, Strings]
    """Keys, and whole extensions."""
    kept: object = None
    """What keeps keys from being wiped as long as they are needed here."""

    def __len__(self) -> int:
        return len(self.arrays["present"])

    @cached_property
    def whole(self) -> frozenset[Ext]:
        """Extensions that are there as they stood in a buffer."""
        return frozenset(self.strings) - frozenset(KEYS.values())

    def take(self, rows: Array) -> Material:
        """The same of some rows."""
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        strings = {kind: Strings(text, starts[rows]) for kind, (text, starts) in self.strings.items()}
        return Material(self.dialect, self.byteorder, arrays, strings, self.kept)


def size_name(kind: Ext) -> str:
    """Name of the array with the sizes of an extension."""
    return f"{kind.label} size"


def bits_name(kind: Ext) -> str:
    """Name of the column with the bits of a key."""
    return f"{kind.name.lower()}_bits"


def add_families(arrays: dict[str, Array]) -> None:
    """Conclude the families that are not told from the addresses. An end is always one, another is none if all zero."""
    for name in ADDRESSES:
        if name not in arrays or f"{name}_family" in arrays:
            continue
        words = arrays[name].view(np.uint32)
        families = np.zeros(len(words), np.uint16)
        if name in ENDS or words.any():
            mapped = (words[:, :3] == V4_MAPPED.view(np.uint32)).all(axis=1)
            families[:] = np.where(mapped, 4, 6) * (words.any(axis=1) | (name in ENDS))
        arrays[f"{name}_family"] = families


def set_flags(dialect: Dialect, arrays: dict[str, Array]) -> None:
    """Let flags say what other columns do, on systems that have nothing but flags for it."""
    for item in sources(ASSOCIATIONS, dialect):
        if item.choice is None or item.column not in arrays:
            continue
        mask = np.uint32(dialect.mask(item.choice.flags))
        told, flags = arrays[item.column], arrays.get("flags")
        if flags is None:
            flags = np.zeros(len(told), np.uint32)
        flags = np.where((told == item.choice.chosen) & (flags & mask == 0), flags | mask, flags)
        arrays["flags"] = np.where(told == item.choice.otherwise, flags & ~mask, flags)
