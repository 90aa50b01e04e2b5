"""An engine's whole state as the entries of a file, and an engine with the state of one.

A snapshot is taken in blocks while the engine works on: the associations in the order of their creation, and behind
them what has changed since it began. So it is the state of one moment, that of its last block, and costs memory for a
block and not for a copy. A journal has the changes from some moment on. The entries of a journal are numbered for good,
over all restarts, and a snapshot knows the number of the first one that it does not contain: whichever of the two files
was replaced last before a crash, they fit together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..spec.terms import SAState
from .deltas import DeltaError, Watch, apply, delta
from .entries import Entry, Kind, Part, Reader, entry
from .lifetimes import SWEEP, deadlines, time_limits
from .store import ROW

if TYPE_CHECKING:
    from .engine import Engine

BLOCK = 8192
"""Associations in a block."""

Taken = Generator[list[Part], None, None]
"""The entries of a snapshot; closing it gives up."""

SNAPSHOT, JOURNAL = "snapshot", "journal"


class Head(NamedTuple):
    """What a file says of itself."""

    holds: str
    """SNAPSHOT or JOURNAL."""
    lineage: str
    """Of which engine, however often restarted: the snapshot and the journal of one have the same."""
    first: int
    """Number of a journal's first entry."""
    associations: int = 0
    octets: int = 0
    """Bytes of a snapshot's records, roughly."""


def head(engine: Engine, said: Head) -> list[Part]:
    """The first entry of a file."""
    core = engine._core
    text = json.dumps(
        said._asdict()
        | {
            "dialect": core.dialect.name,
            "profile": core.profile.name,
            "row": str(ROW.descr),
            "written": core.wall(core.now),
        }
    )
    return entry(Kind.HEAD, 0, [text.encode()])


def watch(engine: Engine) -> Watch:
    """What changes in an engine from now on."""
    return Watch(engine._core)


def taken(engine: Engine, lineage: str, number: Callable[[], int]) -> Taken:
    """The entries of a snapshot, one or two at a time. The engine may be used between them.

    `number` is asked at the end for the number of the journal's next entry.
    """
    core, store = engine._core, engine._core.store
    count = 0

    def numbered(payload: list[Part]) -> list[Part]:
        nonlocal count
        count += 1
        return entry(Kind.DELTA, count, payload)

    changes = watch(engine)
    try:
        last, cursor = store.serial, 0
        yield head(engine, Head(SNAPSHOT, lineage, number(), store.alive, store.used))
        yield numbered(delta(core, store.matching(0, 0, None), list(core.policies.by_id)))
        while (start := store.slot_of(cursor + 1)) < (end := store.slot_of(last + 1)):
            stop = min(start + BLOCK, end)
            cursor = int(store.rows[stop - 1]["serial"])
            yield numbered(delta(core, store.matching(start, stop, None), ()))
        changed = numbered(changes.take())
        yield [*changed, *_tail(engine, count + 1, number())]
    finally:
        changes.close()


def _tail(engine: Engine, count: int, first: int) -> list[Part]:
    rows = engine._core.store.rows[: engine._core.store.count]
    kept = int((rows["alive"] & (rows["acquire"] == 0)).sum())
    return entry(Kind.END, count, [json.dumps({"associations": kept, "first": first}).encode()])


def read_head(engine: Engine, reader: Reader, found: Entry, holds: str) -> Head:
    """What a file says of itself. Raises StateFileError if it is not for this engine."""
    said = _object(reader, found)
    for name, own in (("dialect", engine.dialect.name), ("profile", engine.profile.name)):
        if said.get(name) != own:
            raise reader.damage(found.offset, f"its {name} is {said.get(name)!s:.20}, that of this engine {own}")
    if found.kind != Kind.HEAD or said.get("holds") != holds:
        raise reader.damage(found.offset, f"this is no {holds}")
    if said.get("row") != str(ROW.descr):
        raise reader.damage(found.offset, "another version wrote it, which knew other things of an association")
    numbers = [said.get(name) for name in ("first", "associations", "octets")]
    if not all(isinstance(item, int) and 0 <= item < 1 << 63 for item in numbers):
        raise reader.damage(found.offset, "its head has no numbers")
    return Head(holds, str(said.get("lineage")), *numbers)  # type: ignore[arg-type]


def _object(reader: Reader, found: Entry) -> dict[str, Any]:
    try:
        said = json.loads(bytes(found.payload))
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise reader.damage(found.offset, "an entry is no JSON object")
    return said


def restore(engine: Engine, reader: Reader) -> Head:
    """Give an empty engine the state of a snapshot; `first` is the number of the journal's entry to go on with.

    Raises StateFileError.
    """
    entries = iter(reader)
    said: Head | None = None
    for count, found in enumerate(entries):
        if found.number != count:
            raise reader.damage(found.offset, f"entry {found.number} stands where {count} should")
        if said is None:
            said = read_head(engine, reader, found, SNAPSHOT)
            size = len(reader)
            # What the head says is worth no more memory than the file has bytes.
            engine._core.store.reserve(min(said.associations, size // ROW.itemsize), min(said.octets, size))
        elif found.kind == Kind.DELTA:
            replay(engine, reader, found)
        elif found.kind == Kind.END:
            ended = _object(reader, found)
            if ended.get("associations") != len(engine) or not isinstance(ended.get("first"), int):
                raise reader.damage(found.offset, "it does not hold what it says at its end")
            if found.end != len(reader):
                raise reader.damage(found.end, "there is something behind its end")
            return said._replace(first=ended["first"])
        else:
            raise reader.damage(found.offset, f"there is no kind {found.kind} of entries")
    raise reader.damage(reader.end, "it ends before its end")


def replay(engine: Engine, reader: Reader, found: Entry) -> None:
    """Do to an engine what an entry says. Raises StateFileError."""
    try:
        apply(engine._core, found.payload)
    except DeltaError as error:
        raise reader.damage(found.offset + error.offset, error.reason) from None


def settle(engine: Engine) -> int:
    """Let time go on after a restart, and return how many associations are gone because theirs was up meanwhile.

    Nobody is there to be told of those. What was soft is told when time goes on, to who listens then. A clock that was
    set back makes nothing younger than new.
    """
    core, store = engine._core, engine._core.store
    core.now = max(core.now, core.clock())
    rows = store.rows[: store.count]
    rows["added"] = np.minimum(rows["added"], core.now)
    rows["used"] = np.where(rows["used"] < inf, np.minimum(rows["used"], core.now), inf)
    for stored in core.policies.by_id.values():
        stored.added = min(stored.added, core.now)
    hard = time_limits(rows, "hard") + (SWEEP if core.profile.limit_exceeded else 0.0)
    larval = rows["state"] == SAState.LARVAL
    hard[larval] = rows["added"][larval] + core.profile.larval_lifetime
    ended = np.flatnonzero(rows["alive"] & ((hard <= core.now) | (rows["state"] == SAState.DEAD)))
    if len(ended):
        store.clear(ended, core.keys_of)
        store.sweep()
    slots = store.matching(0, store.count, None)
    core.wheel.add_many(slots, deadlines(core, slots))
    return len(ended)
