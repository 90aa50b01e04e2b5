"""What is different between two tables: rows that came, rows that went, rows that changed, and associations that were
rekeyed.

Rows of both are numbered by what identifies them, so that a number that both tables have is one and the same
association or policy; of those, everything is compared that a key manager says, and nothing that an engine counts. That
keys differ is all that is told of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from .associations import SATable
from .comparing import Associations, Comparison, Mask, Policies, Rows
from .matching import matched
from .messages import MessageTable
from .policies import PolicyTable
from .records import Positions

T = TypeVar("T", bound=MessageTable)

KINDS = ("added", "removed", "changed", "rekeyed")

NAMING: Mapping[type, tuple[str, ...]] = {
    SATable: ("satype", "spi", "src", "dst", "mode", "reqid"),
    PolicyTable: (
        *("dir", "src", "src_prefixlen", "src_port", "dst", "dst_prefixlen", "dst_port", "src_proto"),
        *("type", "priority"),
    ),
}
"""Columns that tell people which row is meant."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of two tables that belong together, and where they differ."""

    old: Positions
    """Their numbers in the old table."""
    new: Positions
    """Their numbers in the new one."""
    columns: Mapping[str, Mask]
    """In which pairs each column differs; columns that differ nowhere are not there. `key_auth` and `key_encrypt` are
    the keys; other names that are no columns are a policy's `requests`, and extensions that have no column."""

    def __len__(self) -> int:
        return len(self.old)

    @property
    def different(self) -> Mask:
        """Pairs that differ in anything."""
        found = np.zeros(len(self), np.bool_)
        for mask in self.columns.values():
            found |= mask
        return found

    def among(self, chosen: Mask | Positions) -> Pairs:
        """Some of them, by mask or number."""
        columns = {name: mask[chosen] for name, mask in self.columns.items()}
        return Pairs(self.old[chosen], self.new[chosen], {name: mask for name, mask in columns.items() if mask.any()})


@dataclass(frozen=True, eq=False)
class Difference(Generic[T]):
    """What became of the rows of one table in another. True if anything did."""

    old: T
    new: T
    added: Positions
    """Rows of the new table that the old one does not have."""
    removed: Positions
    """Rows of the old table that the new one does not have."""
    changed: Pairs
    """Rows that both have, and that say different things."""
    rekeyed: Pairs
    """Associations that have a successor with another SPI: same SA type, ends, mode and request id. They are neither
    removed nor added."""

    def __bool__(self) -> bool:
        return any(len(getattr(self, kind)) for kind in KINDS)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each difference as a dict for people and JSON.

        `what` is added, removed, changed or rekeyed, then come the columns that name a row, `old_spi` of what was
        rekeyed, `changes` with the old and the new value of columns, and in `differ` the names of what is not shown.
        """
        common = set(self.old.columns).intersection(self.new.columns)
        naming = [name for name in NAMING[type(self.new)] if name in common]
        nothing: dict[str, Any] = {"changes": {}, "differ": []}
        old_spi: dict[str, Any] = {"old_spi": None} if isinstance(self.new, SATable) else {}
        for what, table, chosen in (("added", self.new, self.added), ("removed", self.old, self.removed)):
            for row in table[chosen].rows(naming):
                yield {"what": what, **row, **old_spi, **nothing}
        for what, pairs in (("changed", self.changed), ("rekeyed", self.rekeyed)):
            shown = [name for name in pairs.columns if name in common]
            wanted = list(dict.fromkeys([*naming, *shown]))
            both = zip(self.old[pairs.old].rows(wanted), self.new[pairs.new].rows(wanted), strict=True)
            for place, (earlier, row) in enumerate(both):
                differ = [name for name, mask in pairs.columns.items() if mask[place]]
                yield {
                    "what": what,
                    **{name: row[name] for name in naming},
                    **({"old_spi": earlier["spi"] if what == "rekeyed" else None} if old_spi else {}),
                    "changes": {name: [earlier[name], row[name]] for name in differ if name in shown},
                    "differ": [name for name in differ if name not in shown],
                }

    def __repr__(self) -> str:
        told = ", ".join(f"{len(getattr(self, kind)):,} {kind}" for kind in KINDS)
        return f"<{type(self.new).__name__}: {told}>"


def _comparison(old: MessageTable, new: MessageTable) -> Comparison:
    if isinstance(old, SATable) and isinstance(new, SATable):
        return Associations(old, new)
    if isinstance(old, PolicyTable) and isinstance(new, PolicyTable):
        return Policies(old, new)
    raise ValueError(f"a {type(old).__name__} cannot be compared with a {type(new).__name__}")


def diff(old: T, new: T, columns: Sequence[str] | None = None) -> Difference[T]:
    """What is different in `new`: two SATables or two PolicyTables of one dialect.

    An association is identified by SA type, SPI and destination (those for TCP-MD5 by their source as well), a policy
    by direction and selectors. Compared is what an ADD carries, or an SPDADD, as far as both tables have it: no states,
    counters or numbers that the engine chose. Keys are compared if both tables were decoded with them, and otherwise
    their lengths. `columns` restricts what is compared, by the names in `Pairs.columns`.

    Raises ValueError for tables of different kinds or dialects, KeyError for one without the columns that identify.
    """
    if old.dialect is not new.dialect:
        raise ValueError(f"a table of {old.dialect.name} cannot be compared with one of {new.dialect.name}")
    wanted = None if columns is None else frozenset(columns)
    comparison = _comparison(old, new)
    rows = Rows(*matched(comparison.identities(), comparison.parts(comparison.finer)))
    removed, added = _others(len(old), rows.old), _others(len(new), rows.new)
    replaced = Rows(removed[:0], added[:0])
    if comparison.successor:
        alike = [(one[removed], other[added]) for one, other in comparison.parts(comparison.successor)]
        gone, come = matched(alike)
        replaced = Rows(removed[gone], added[come])
        removed, added = np.delete(removed, gone), np.delete(added, come)
    both = _pairs(comparison, rows, wanted)
    return Difference(
        old, new, added, removed, both.among(both.different), _pairs(comparison, replaced, wanted, secrets=False)
    )


def _pairs(comparison: Comparison, rows: Rows, wanted: frozenset[str] | None, secrets: bool = True) -> Pairs:
    """Rows and where they differ; that keys do need not be told of what was rekeyed."""
    unlike = comparison.unlike(rows, wanted)
    return Pairs(*rows, {name: mask for name, mask in unlike.items() if secrets or not name.startswith("key_")})


def _others(count: int, rows: Positions) -> Positions:
    """The rows of a table that are not among these."""
    mask = np.ones(count, np.bool_)
    mask[rows] = False
    return np.flatnonzero(mask)
