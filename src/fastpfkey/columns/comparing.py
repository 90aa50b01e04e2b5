"""Where rows of two tables that belong together say different things, column by column.

Compared is what a key manager says: what an ADD or an SPDADD carries by the grammar of the dialect. What stands in no
column is compared as it lies in the buffers, keys among it; copies of these are wiped at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from ..hotpath import wipe
from ..spec.grammar import LIMIT_TYPES, grammar
from ..spec.model import Dialect
from ..spec.profiles import profile
from ..spec.tables import ASSOCIATIONS, POLICIES, sources
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, SAType
from .associations import SATable
from .forms import OWN, Kind
from .keys import KINDS
from .mapping import COLUMNS
from .matching import Parts
from .policies import PolicyTable
from .records import Positions
from .requests import REQUESTS
from .room import Array
from .table import Table
from .undescribed import undescribed

Mask = npt.NDArray[np.bool_]

AT_ONCE = 1 << 16
"""Rows whose keys are compared at once."""

OTHERWISE = frozenset({"seq", "spi", "sa2_seq", "key_auth_bits", "key_encrypt_bits"})
"""Columns that a message carries, but not as something that a key manager says of the association."""

TRAFFIC = tuple(f"{end}{what}" for end in ("src", "dst") for what in ("", "_family", "_port", "_prefixlen", "_scope"))


class Rows(NamedTuple):
    """Rows that belong together: their numbers in both tables."""

    old: Positions
    new: Positions


class Comparison(ABC):
    """How the rows of two tables are compared."""

    identity: ClassVar[tuple[str, ...]]
    """Columns that tell rows apart."""
    finer: ClassVar[tuple[str, ...]] = ()
    """Columns that tell those apart that are alike in these."""
    successor: ClassVar[tuple[str, ...]] = ()
    """Columns in which a row agrees with the one that it was replaced by; none if there is no such thing."""

    def __init__(self, old: Table, new: Table) -> None:
        self.old, self.new = old, new
        self.dialect = new.dialect

    def parts(self, names: tuple[str, ...]) -> Parts:
        """Some columns of both, as far as both have them."""
        common = set(self.old.columns).intersection(self.new.columns)
        return [(self.old[name], self.new[name]) for name in names if name in common]

    def identities(self) -> Parts:
        """What tells rows apart. Raises KeyError if a table lacks that."""
        return [(self.old[name], self.new[name]) for name in self.identity]

    @abstractmethod
    def compared(self) -> Iterator[str]:
        """Columns that are compared."""

    @abstractmethod
    def beyond(self, rows: Rows) -> Iterator[tuple[str, Mask]]:
        """What differs that is in no column, by name."""

    def unlike(self, rows: Rows, wanted: frozenset[str] | None) -> dict[str, Mask]:
        """In which of the rows each column differs; only columns that do anywhere, and of these the wanted ones."""
        found: dict[str, Mask] = {}
        common = set(self.old.columns).intersection(self.new.columns)
        for name in self.compared():
            if name in common and (wanted is None or name in wanted):
                one, other = _taken(self.old[name], rows.old), _taken(self.new[name], rows.new)
                found[name] = (one != other) if one.ndim == 1 else (one != other).any(axis=1)
        found |= {name: mask for name, mask in self.beyond(rows) if wanted is None or name in wanted}
        return {name: mask for name, mask in found.items() if mask.any()}


class Associations(Comparison):
    """Of associations."""

    identity = ("satype", "spi", "dst")
    finer = ("src",)
    successor = ("satype", "src", "dst", "src_port", "dst_port", "src_proto", "dst_proto", "mode", "reqid")
    old: SATable
    new: SATable

    def identities(self) -> Parts:
        """Several associations for TCP may have the same SPI and destination: their sources tell them apart. Where that
        is all that does, the SPI is the system's to choose.
        """
        chosen = SAType.TCPSIGNATURE in profile(self.dialect.name).ends_identify
        spis, ends = [], []
        for side in (self.old, self.new):
            for_tcp = side["satype"] == SAType.TCPSIGNATURE
            spis.append(np.where(for_tcp & chosen, 0, side["spi"]).astype(np.uint32))
            ends.append(np.where(for_tcp[:, None], side["src"], 0).astype(np.uint8))
        satypes, _, destinations = super().identities()
        return [satypes, (spis[0], spis[1]), destinations, (ends[0], ends[1])]

    def compared(self) -> Iterator[str]:
        """What an ADD carries. Whether the lengths of keys count, `beyond` says."""
        yield from submitted(self.dialect)

    def beyond(self, rows: Rows) -> Iterator[tuple[str, Mask]]:
        """Keys, and extensions that are in no column."""
        one, other = self.old.keys, self.new.keys
        for kind in KINDS:
            if one is not None and other is not None:
                sides = []
                for store, chosen in ((one, rows.old), (other, rows.new)):
                    text, span = store.places(kind)
                    sides.append(_Strings(text, span.starts[chosen], span.sizes[chosen]))
                yield f"key_{kind}", _different(*sides)
            elif f"key_{kind}_bits" in self.old.columns and f"key_{kind}_bits" in self.new.columns:
                bits = f"key_{kind}_bits"
                yield f"key_{kind}", self.old[bits][rows.old] != self.new[bits][rows.new]
        yield from self.extensions(rows)

    def extensions(self, rows: Rows) -> Iterator[tuple[str, Mask]]:
        """Identities, labels and the like, where they can be read."""
        wanted = Kind(MessageType.ADD, self.dialect).copied
        sides = [{item.kind: item for item in undescribed(table, wanted)} for table in (self.old, self.new)]
        for kind in sorted(sides[0].keys() | sides[1].keys()):
            strings = []
            for side, chosen in zip(sides, rows, strict=True):
                found = side.get(kind)
                if found is None:
                    nothing = np.zeros(len(chosen), np.int64)
                    strings.append(_Strings(memoryview(b""), nothing, nothing))
                else:
                    strings.append(_Strings(found.text, found.starts[chosen], found.sizes[chosen]))
            yield kind.name.lower(), _different(*strings)


class Policies(Comparison):
    """Of policies."""

    identity = ("dir", *TRAFFIC, "src_proto")
    finer = ("priority",)
    old: PolicyTable
    new: PolicyTable

    def compared(self) -> Iterator[str]:
        """What an SPDADD carries of what is no selector."""
        form = grammar(self.dialect).form(MessageType.SPDADD, to_engine=True, bare=False)
        carried = {Ext.POLICY, *LIMIT_TYPES} if form is None else form.known
        for column in POLICIES.columns:
            told = {item.extension for item in sources(POLICIES, self.dialect) if item.column == column.name}
            if column.name not in ("spid", "dir", "requests_offset", "requests_length") and told & carried & SAID:
                yield column.name

    @property
    def chosen_by_hand(self) -> int:
        """The largest request id that a key manager may choose; those above are the engine's, and one like another."""
        return self.dialect.constants.get("IPSEC_MANUAL_REQID_MAX", 0x3FFF)

    def beyond(self, rows: Rows) -> Iterator[tuple[str, Mask]]:
        """The requests."""
        sides = [_Listed.of(self.old, rows.old), _Listed.of(self.new, rows.new)]
        differ = sides[0].counts != sides[1].counts
        alike = np.flatnonzero(~differ)
        one, other = (side.places(alike) for side in sides)
        owners = np.repeat(alike, sides[0].counts[alike])
        for column in REQUESTS.columns:
            first, second = self.old.requests[column.name][one], self.new.requests[column.name][other]
            if column.name == "reqid":
                first, second = (np.minimum(ids, self.chosen_by_hand + 1) for ids in (first, second))
            unlike = (first != second) if first.ndim == 1 else (first != second).any(axis=1)
            differ[owners[unlike]] = True
        yield "requests", differ


SAID = frozenset({Ext.POLICY, *LIMIT_TYPES})
"""Extensions that tell what a policy does."""


def submitted(dialect: Dialect) -> tuple[str, ...]:
    """Columns of associations that an ADD carries, beside the SPI and the keys."""
    kind = Kind(MessageType.ADD, dialect)
    found = []
    for name in COLUMNS:
        told = {item.extension for item in sources(ASSOCIATIONS, dialect) if item.column == name}
        carried = told.intersection(OWN) or told.intersection(kind.extensions)
        if carried and kind.takes(name) and name not in OTHERWISE:
            found.append(name)
    return tuple(found)


class _Strings(NamedTuple):
    """Bytes of some rows."""

    text: memoryview
    starts: Array
    sizes: Array

    def part(self, rows: Array) -> Array:
        """Those of some rows, back to back in memory of their own."""
        starts, sizes = self.starts[rows].astype(np.int64), self.sizes[rows].astype(np.int64)
        ends = np.cumsum(sizes)
        places = np.repeat(starts - (ends - sizes), sizes) + np.arange(sizes.sum())
        found: Array = np.frombuffer(self.text, np.uint8)[places]
        return found


def _different(one: _Strings, other: _Strings) -> Mask:
    """Rows whose bytes are not the same. What was copied for that is wiped."""
    differ: Mask = one.sizes.astype(np.int64) != other.sizes
    alike = np.flatnonzero(~differ & (one.sizes != 0))
    for begin in range(0, len(alike), AT_ONCE):
        rows = alike[begin : begin + AT_ONCE]
        first, second = one.part(rows), other.part(rows)
        ends = np.cumsum(one.sizes[rows].astype(np.int64))
        differ[rows[np.searchsorted(ends, np.flatnonzero(first != second), "right")]] = True
        wipe(first.data)
        wipe(second.data)
    return differ


class _Listed(NamedTuple):
    """Where the requests of some policies are in the table of all."""

    begins: Positions
    counts: Positions

    @classmethod
    def of(cls, table: PolicyTable, rows: Positions) -> _Listed:
        begins = table.request_offsets[:-1][rows]
        return cls(begins, table.request_offsets[1:][rows] - begins)

    def places(self, chosen: Positions) -> Positions:
        """The rows of all requests of the chosen policies."""
        counts = self.counts[chosen]
        ends = np.cumsum(counts)
        return np.repeat(self.begins[chosen] - (ends - counts), counts) + np.arange(counts.sum())


def _taken(column: Array, rows: Positions) -> Array:
    """Some rows of a column; the column itself if they are all of it, in order."""
    if len(rows) == len(column) and (not len(rows) or (rows == np.arange(len(rows))).all()):
        return column
    return column[rows]
