"""C structures as data: members with widths, byte orders and terms, read from a notation of a line a member.

Offsets are in bytes from the start of the structure.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType


class Order(enum.Enum):
    """Byte order of a field: that of the capturing host, network order always, or bytes that are no number."""

    HOST = "host"
    NETWORK = "network"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a C structure."""

    name: str
    """Plain word, as attributes and columns use it."""
    c_name: str
    offset: int
    width: int
    """Bytes of one element."""
    count: int = 1
    """Number of elements; above 1 the field is an array."""
    order: Order = Order.HOST
    terms: str = ""
    """Name of the dialect's term table that translates this number; empty where the number stands for itself."""
    shift: int = 0
    """The value is the number on the wire shifted left, or right if negative: 3 turns bytes of bitmap into packets."""

    @property
    def size(self) -> int:
        """Bytes of the whole field."""
        return self.width * self.count

    @property
    def reserved(self) -> bool:
        """Whether senders have to write zero here."""
        return self.name.startswith("reserved")


@dataclass(frozen=True)
class Layout:
    """A C structure: name, members in order, and its size in bytes."""

    c_name: str
    fields: tuple[Field, ...]
    size: int

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by plain name."""
        return MappingProxyType({item.name: item for item in self.fields})

    def __getitem__(self, name: str) -> Field:
        return self.by_name[name]

    def struct_format(self, byteorder: str) -> str:
        """`struct` format for a host of this byte order ("little" or "big"); network fields come out as byte strings.

        A network-order field cannot share one format string with little-endian neighbours, so it is `4s` here and its
        reader converts; arrays are `Ns` too.
        """
        codes = {1: "B", 2: "H", 4: "I", 8: "Q"}
        text = "<" if byteorder == "little" else ">"
        position = 0
        for item in self.fields:
            if item.offset > position:
                text += f"{item.offset - position}x"
            text += codes[item.width] if item.count == 1 and item.order is Order.HOST else f"{item.size}s"
            position = item.offset + item.size
        return text + (f"{self.size - position}x" if self.size > position else "")

    def dtype(self, byteorder: str) -> dict[str, object]:
        """NumPy structured dtype description (a dict for `numpy.dtype`) with C names and declared byte orders."""
        host = "<" if byteorder == "little" else ">"
        formats = []
        for item in self.fields:
            if item.order is Order.BYTES or item.width == 1:
                formats.append(f"({item.size},)u1" if item.size > 1 else "u1")
            else:
                number = (">" if item.order is Order.NETWORK else host) + f"u{item.width}"
                formats.append(number if item.count == 1 else f"({item.count},){number}")
        return {
            "names": [item.c_name for item in self.fields],
            "formats": formats,
            "offsets": [item.offset for item in self.fields],
            "itemsize": self.size,
        }


_MEMBER = re.compile(
    r"(?P<name>\w+)(=(?P<c_name>\w+))?\s+(?P<kind>[unb])(?P<bits>\d+)(\[(?P<count>\d+)\])?"
    r"(\s+(?P<way><<|>>)(?P<shift>\d))?(\s+(?P<terms>\w+))?"
)


def layout(c_name: str, prefix: str, members: str) -> Layout:
    """Read a structure from a small notation, a member a line: `name[=c_name] kind[count] [<<shift | >>shift] [terms]`.

    The kind is `u` (host order), `n` (network order) or `b` (bytes) with the bits of one element. Members follow each
    other without holes; a hole in the C structure is written as a reserved member. Unless given, the C name is prefix +
    name.
    """
    fields: list[Field] = []
    offset = 0
    orders = {"u": Order.HOST, "n": Order.NETWORK, "b": Order.BYTES}
    for line in filter(None, (text.strip() for text in members.splitlines())):
        match = _MEMBER.fullmatch(line)
        if match is None:
            raise ValueError(f"{c_name}: cannot read member {line!r}")
        width = int(match["bits"]) // 8
        item = Field(
            name=match["name"],
            c_name=match["c_name"] or prefix + match["name"],
            offset=offset,
            width=width,
            count=int(match["count"] or 1),
            order=orders[match["kind"]] if width > 1 else Order.HOST,
            terms=match["terms"] or "",
            shift=int(match["shift"] or 0) * (-1 if match["way"] == ">>" else 1),
        )
        fields.append(item)
        offset += item.size
    return Layout(c_name, tuple(fields), offset)
