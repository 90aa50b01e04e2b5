"""Which canonical term each number of a dialect means, and what C calls it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from .terms import Term


@dataclass(frozen=True, eq=False)
class TermTable:
    """One kind of number: which canonical term each wire number means, and what C calls it."""

    kind: type[Term]
    entries: Mapping[str, tuple[int, Term]]
    """C name -> (wire number, canonical term). Aliases may repeat a number; the first name is the preferred one."""

    @cached_property
    def canonical(self) -> Mapping[int, Term]:
        """Wire number -> canonical term, known numbers only."""
        table: dict[int, Term] = {}
        for number, term in self.entries.values():
            table.setdefault(number, term)
        return MappingProxyType(table)

    @cached_property
    def numbers(self) -> Mapping[Term, int]:
        """Canonical term -> wire number."""
        table: dict[Term, int] = {}
        for number, term in self.entries.values():
            table.setdefault(term, number)
        return MappingProxyType(table)

    @cached_property
    def codes(self) -> Mapping[int, int]:
        """The same by the plain number of the canonical code."""
        return MappingProxyType({int(term): number for term, number in self.numbers.items()})

    @cached_property
    def c_names(self) -> Mapping[int, str]:
        """Wire number -> preferred C name."""
        table: dict[int, str] = {}
        for name, (number, _) in self.entries.items():
            table.setdefault(number, name)
        return MappingProxyType(table)

    def term(self, number: int) -> Term:
        """The canonical term of a wire number; an unknown one survives as `Term.unknown(number)`."""
        known = self.canonical.get(number)
        return self.kind.unknown(number) if known is None else known

    def number(self, term: int) -> int:
        """The wire number of a canonical term. Raises KeyError if the dialect has none for it."""
        value = self.kind(term)
        known = self.numbers.get(value)
        if known is not None:
            return known
        if value.is_unknown:
            return value.wire
        raise KeyError(value)

    def extended(self, entries: Mapping[str, tuple[int, Term]]) -> TermTable:
        """The same table with more entries; an entry under an existing C name replaces it."""
        return TermTable(self.kind, {**self.entries, **entries})

    def without(self, *c_names: str) -> TermTable:
        """The same table without these entries. Raises KeyError for a name that it does not have."""
        kept = dict(self.entries)
        for name in c_names:
            del kept[name]
        return TermTable(self.kind, kept)


def terms(kind: type[Term], entries: Mapping[str, tuple[int, Term]] | Iterable[tuple[str, int, Term]]) -> TermTable:
    """Make a term table from C names, wire numbers and canonical terms."""
    if not isinstance(entries, Mapping):
        entries = {name: (number, term) for name, number, term in entries}
    return TermTable(kind, dict(entries))
