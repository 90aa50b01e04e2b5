"""Fields of many small structures at once, wherever in a buffer they lie: for lists, which no plan reaches.

The positions come from a decoded plan, whose frame has validated what lies there; a buffer that its owner changes
meanwhile gives other numbers or an IndexError, never a read past its end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..spec.layouts import Field, Order
from ..spec.model import Dialect
from ..spec.terms import UNKNOWN
from .readable import V4_MAPPED
from .room import Array

Positions = npt.NDArray[np.int64]


class Sockaddrs(NamedTuple):
    """Socket addresses in table form; where there is none, all is 0."""

    ip: Array
    """(n, 16) bytes, IPv4 as v4-mapped."""
    family: Array
    """uint16: 4, 6, 0, or 0x8000 + AF number."""
    port: Array
    after: Positions
    """Where each ends."""


class Records:
    """Reads structures of a dialect in one byte order."""

    def __init__(self, buffer: memoryview, dialect: Dialect, byteorder: str) -> None:
        self.octets = np.frombuffer(buffer, np.uint8)
        self.dialect = dialect
        self.host = "<" if byteorder == "little" else ">"

    def field(self, at: Positions, field: Field, terms: str = "") -> Array:
        """A number of each structure, as a canonical code (uint16) if the field or `terms` name a term table."""
        order = ">" if field.order is Order.NETWORK else self.host
        numbers = self.number(at + field.offset, field.width, order)
        terms = terms or field.terms
        if not terms:
            return numbers
        known = self.dialect.terms[terms].canonical
        codes, places = np.unique(numbers, return_inverse=True)
        mapped = [int(known.get(code, UNKNOWN + min(code, UNKNOWN - 1))) for code in codes.tolist()]
        return np.array(mapped, np.uint16)[places]

    def number(self, at: Positions, width: int, order: str) -> Array:
        """Unsigned integers of `width` bytes, in native order."""
        return self.bytes_at(at, width).view(f"{order}u{width}")[:, 0].astype(f"=u{width}")

    def bytes_at(self, at: Positions, size: int) -> Array:
        """(n, size) bytes."""
        found: Array = self.octets[at[:, None] + np.arange(size)]
        return found

    def sockaddrs(self, at: Positions, ends: Positions) -> Sockaddrs:
        """The sockaddrs that begin at `at`, if there is room for one before `ends`.

        Behind a sockaddr of unknown family nothing can be found, so it reaches up to the end.
        """
        rules = self.dialect.sockaddr
        width, count = 1 if rules.has_length else 2, len(at)
        ip, family, port = np.zeros((count, 16), np.uint8), np.zeros(count, np.uint16), np.zeros(count, np.uint16)
        after = ends.copy()
        there = np.flatnonzero(ends - at >= 2)
        numbers = self.number(at[there] + rules.has_length, width, self.host).astype(np.uint32)
        family[there] = np.where(numbers, UNKNOWN + np.minimum(numbers, UNKNOWN - 1), 0)
        for known in rules.families:
            fits = there[(numbers == known.number) & (ends[there] - at[there] >= known.size)]
            place = at[fits]
            if known.version == 4:
                ip[fits, :12] = V4_MAPPED
            ip[fits, 16 - known.address_size :] = self.bytes_at(place + known.address, known.address_size)
            port[fits] = self.number(place + known.port, 2, ">")
            family[fits] = known.version
            after[fits] = place + known.size
        return Sockaddrs(ip, family, port, after)
