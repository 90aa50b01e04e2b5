"""What has to be done to an engine so that its tables say what is wanted: as little as possible, and in an order in
which traffic finds what it needs.

A plan is made of differences. What an UPDATE may change by the rules of the system is updated; what has a successor is
deleted when that is there; what can be changed in no other way is deleted and added at once. What the wanted tables
could not have told of is left alone: associations that are being negotiated, those whose keys the engine does not show,
policies of sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..spec.profiles import profile
from ..spec.terms import Direction, MessageType, SAType
from .associations import SATable
from .build import build_add
from .comparing import Mask
from .difference import Difference, diff
from .messages import MessageTable
from .policies import PolicyTable
from .records import Positions
from .submitting import submittable

LIMITS = tuple(
    f"{limit}_{what}" for limit in ("hard", "soft") for what in ("allocations", "bytes", "addtime", "usetime")
)
"""Columns that an UPDATE of an association in use may change (R-3.1.2-10)."""


class Step(NamedTuple):
    """Requests of one kind."""

    kind: MessageType
    table: MessageTable
    """What they are made of."""
    rows: Positions
    after: int | None = None
    """Number of the step on whose requests these depend; None for none."""
    needs: Positions | None = None
    """Which request of that step has to be carried out before each of these."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What has to be done. True if that is anything."""

    associations: Difference[SATable] | None = None
    """None if nothing is wanted of associations."""
    policies: Difference[PolicyTable] | None = None
    """None if nothing is wanted of policies."""
    spared: Mapping[str, Positions] = field(default_factory=dict)
    """Rows of the live associations that are left alone, by reason."""

    def __bool__(self) -> bool:
        return bool(self.associations) or bool(self.policies)

    @cached_property
    def updatable(self) -> Mask:
        """Which of the changed associations an UPDATE can make what they shall be."""
        if self.associations is None:
            return np.zeros(0, np.bool_)
        changed, rules = self.associations.changed, profile(self.associations.new.dialect.name)
        found = np.full(len(changed), rules.creator == "anyone")
        for name, mask in changed.columns.items():
            if name not in LIMITS:
                found &= ~mask
            elif not rules.update_resets_limits:  # a limit that is left out would stay
                found &= ~(mask & self.associations.new.null(name)[changed.new])
        return found

    @cached_property
    def colliding(self) -> Positions:
        """New associations that cannot be there beside those that they take the SPI of: FreeBSD has each SPI once."""
        found = self.associations
        if found is None or profile(found.new.dialect.name).unique != "spi":
            return np.zeros(0, np.int64)
        new = np.concatenate([found.added, found.rekeyed.new])
        for_tcp = found.new["satype"][new] == SAType.TCPSIGNATURE
        taken: Positions = new[np.isin(found.new["spi"][new], found.old["spi"]) & ~for_tcp]
        return taken

    def steps(self) -> Iterator[Step]:
        """What is sent, in order: new associations before policies that want them, and what is old last."""
        steps = [step for part in (self._begin(), self._policies(), self._end()) for step in part]
        kept = [number for number, step in enumerate(steps) if len(step.rows)]
        for number in kept:
            after = steps[number].after
            yield steps[number]._replace(after=kept.index(after) if after in kept else None)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The differences as `Difference.rows` gives them, each with `how` it is done: add, delete, update, replace
        (deleted and added at once) or rekey (added, then the old one deleted).
        """
        plain = {"added": "add", "removed": "delete", "rekeyed": "rekey", "changed": "update"}
        updatable = iter(self.updatable.tolist())
        for row in self.associations.rows() if self.associations is not None else ():
            replaced = row["what"] == "changed" and not next(updatable)
            yield {"how": "replace" if replaced else plain[row["what"]], **row}
        for row in self.policies.rows() if self.policies is not None else ():
            yield {"how": plain[row["what"]], **row}

    def _begin(self) -> Iterator[Step]:
        """What changes, and what comes. Numbers of steps, on which others depend, count from here."""
        found = self.associations
        if found is None:
            return
        changed, new = found.changed, np.concatenate([found.added, found.rekeyed.new])
        yield Step(MessageType.UPDATE, found.new, changed.new[self.updatable])
        yield Step(MessageType.ADD, self._submitted, new[~np.isin(new, self.colliding)])
        replaced = np.flatnonzero(~self.updatable)
        yield Step(MessageType.DELETE, found.old, changed.old[replaced])
        yield Step(MessageType.ADD, self._submitted, changed.new[replaced], 2, np.arange(len(replaced)))

    def _policies(self) -> Iterator[Step]:
        found = self.policies
        if found is not None:
            yield Step(MessageType.SPDUPDATE, found.new, found.changed.new)
            yield Step(MessageType.SPDADD, found.new, found.added)
            yield Step(MessageType.SPDDELETE, found.old, found.removed)

    def _end(self) -> Iterator[Step]:
        """What goes; and what had to wait for that."""
        found = self.associations
        if found is None:
            return
        late = np.isin(found.rekeyed.new, self.colliding)
        new = np.concatenate([found.added, found.rekeyed.new])
        places = np.cumsum(~np.isin(new, self.colliding))[len(found.added) :] - 1
        yield Step(MessageType.DELETE, found.old, found.rekeyed.old[~late], 1, places[~late])
        yield Step(MessageType.DELETE, found.old, np.concatenate([found.rekeyed.old[late], found.removed]))
        yield Step(MessageType.ADD, self._submitted, self.colliding)

    @cached_property
    def _submitted(self) -> SATable:
        """The wanted associations as ADD has to have them."""
        assert self.associations is not None
        return submittable(self.associations.new)


def plan(
    live: SATable | None,
    wanted: SATable | None,
    live_policies: PolicyTable | None = None,
    wanted_policies: PolicyTable | None = None,
    *,
    keep: bool = False,
) -> Plan:
    """What turns the live tables into the wanted ones. A wanted table of None says nothing, and nothing is done.

    Associations need their keys in both tables (`keys=True`). With `keep`, nothing is deleted that has no successor.
    Raises ValueError and KeyError as `diff` does, and ValueError for tables without keys.
    """
    associations, policies = None, None
    spared: dict[str, Positions] = {}
    if live is not None and wanted is not None:
        if live.keys is None or wanted.keys is None:
            raise ValueError("associations are compared with their keys: decode both tables with keys=True")
        associations, spared = _spared(live, wanted)
    if live_policies is not None and wanted_policies is not None:
        policies = diff(_without_sockets(live_policies), _without_sockets(wanted_policies))
    if keep:
        associations, policies = (None if found is None else _kept(found) for found in (associations, policies))
    return Plan(associations, policies, spared)


def _spared(live: SATable, wanted: SATable) -> tuple[Difference[SATable], dict[str, Positions]]:
    """The difference without what no ADD could have made."""
    found = diff(live, wanted)
    touched = np.concatenate([found.removed, found.rekeyed.old, found.changed.old])
    with build_add(live[touched], on_error="skip") as lease:
        left_out = {reason: touched[rows] for reason, rows in (lease.left_out or {}).items()}
    if not left_out:
        return found, {}
    mask = np.ones(len(live), np.bool_)
    for rows in left_out.values():
        mask[rows] = False
    return diff(live[mask], wanted), left_out


def _without_sockets(table: PolicyTable) -> PolicyTable:
    """Linux shows the policies of sockets too, whose numbers are 3 to 7 modulo 8."""
    if Direction.FWD not in table.dialect.terms["direction"].numbers:
        return table
    return table[(table["spid"] & 7) < 3]


def _kept(found: Difference[Any]) -> Difference[Any]:
    return Difference(found.old, found.new, found.added, found.removed[:0], found.changed, found.rekeyed)
