"""The associations: ready dump records in one arena, their state in rows of one array, and an index by identity.

A slot is the place of a row. Slots are given in the order of creation and never again, so dumps walk them in order and
a cursor is a number; rows and bytes of what is gone are swept up when they are more than half. Whoever keeps slots is
told then where they went; whoever must not be surprised keeps serial numbers, which stay.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from ..hotpath import copy_records
from ..spec.terms import SAState
from .columns import Octets

LIMITS = ("allocations", "bytes", "addtime", "usetime")

ROW = np.dtype(
    [
        ("offset", "u8"),  # of the record in the arena
        ("serial", "u8"),
        ("added", "f8"),
        ("used", "f8"),  # infinity before the first use
        ("died", "f8"),  # when it became DEAD, if it is
        ("bytes", "u8"),
        ("hard_bytes", "u8"),
        ("hard_addtime", "u8"),
        ("hard_usetime", "u8"),
        ("soft_bytes", "u8"),
        ("soft_addtime", "u8"),
        ("soft_usetime", "u8"),
        ("length", "u4"),
        ("allocations", "u4"),
        ("hard_allocations", "u4"),
        ("soft_allocations", "u4"),
        ("acquire", "u4"),  # number of the ACQUIRE that it stands for, 0 for none
        ("creator", "u4"),  # number of the port that made it
        ("pid", "u4"),
        ("seq", "u4"),
        ("satype", "u1"),  # wire number
        ("state", "u1"),  # canonical
        ("warned", "?"),  # whether its soft lifetime was told
        ("alive", "?"),
    ],
    align=True,  # searches copy a column that is not
)

BLANK: dict[str, Any] = {name: inf if name == "used" else 0 for name in ROW.names or ()}
"""What a row says of an association of which nothing is known."""

FIRST = 1024
"""Rows at the start."""

GROWTH = 1.125
"""What is allocated for each byte or row that is needed: more would break the promise about memory."""

Rows = npt.NDArray[np.void]
Slots = npt.NDArray[np.int64]


class Store:
    """All associations of one engine."""

    def __init__(self) -> None:
        self.rows: Rows = np.zeros(FIRST, ROW)
        self.count = 0
        """Slots given out."""
        self.arena: npt.NDArray[np.uint8] = np.zeros(FIRST, np.uint8)
        self.used = 0
        """Bytes of the arena in use or to be swept up."""
        self.alive = 0
        self._wasted = 0
        self.serial = 0
        """The highest serial number that was given. None is given twice."""
        self.index: dict[bytes, int] = {}
        self.moved: list[Callable[[Slots], None]] = []
        """Who is told when slots move."""
        self.watchers: list[set[int]] = []
        """Who collects the serial numbers of what is added, changed or removed."""

    def add(self, key: bytes, record: bytes, fields: Mapping[str, Any]) -> int:
        """Store a record under an identity that is free. Returns its slot."""
        self.reserve(1, len(record))
        slot, end = self.count, self.used + len(record)
        self.arena[self.used : end] = np.frombuffer(record, np.uint8)
        self.serial += 1
        own = {"offset": self.used, "length": len(record), "serial": self.serial, "alive": True}
        self.rows[slot] = tuple({**BLANK, **fields, **own}.values())
        self.index[key] = slot
        self.count, self.used = slot + 1, end
        self.alive += 1
        for watcher in self.watchers:
            watcher.add(self.serial)
        return slot

    def add_many(self, keys: list[bytes], records: Octets, lengths: npt.NDArray[Any]) -> Slots:
        """Store records that lie back to back, with rows of which only place and serial are set. Returns the slots."""
        return self._append(keys, records, lengths, np.arange(self.serial + 1, self.serial + 1 + len(keys)))

    def fill(self, keys: list[bytes], records: Octets, rows: Rows) -> Slots:
        """The same with rows that are known but for their place; their serial numbers are in order, and new."""
        slots = self._append(keys, records, rows["length"], rows["serial"])
        for name in ROW.names or ():
            if name not in ("offset", "alive"):
                self.rows[name][slots] = rows[name]
        return slots

    def _append(
        self, keys: list[bytes], records: Octets, lengths: npt.NDArray[Any], serials: npt.NDArray[Any]
    ) -> Slots:
        self.reserve(len(keys), len(records))
        first, last = self.count, self.count + len(keys)
        self.arena[self.used : self.used + len(records)] = records
        rows = self.rows[first:last]
        rows[:] = np.zeros(1, ROW)
        ends = np.cumsum(lengths)
        rows["offset"] = self.used + ends - lengths
        rows["length"] = lengths
        rows["serial"] = serials
        rows["used"] = inf
        rows["alive"] = True
        self.index.update(zip(keys, range(first, last), strict=True))
        self.count, self.used = last, self.used + len(records)
        self.alive += len(keys)
        for watcher in self.watchers:
            watcher.update(serials.tolist())
        if len(keys):
            self.serial = int(serials[-1])
        return np.arange(first, last)

    def find(self, key: bytes) -> int:
        """The slot of an identity; -1 if nobody has it."""
        return self.index.get(key, -1)

    def record(self, slot: int) -> bytes:
        """The dump record of a slot."""
        row = self.rows[slot]
        start = int(row["offset"])
        return self.arena[start : start + int(row["length"])].tobytes()

    def records(self, slots: Slots) -> Octets:
        """The dump records of many, back to back."""
        return gathered(self.arena, self.rows[slots])

    def replace(self, slot: int, record: bytes) -> None:
        """Give a slot another record."""
        row = self.rows[slot]
        if len(record) != row["length"]:
            self._wipe(row)
            self.reserve(0, len(record))
            row = self.rows[slot]
            row["offset"], row["length"] = self.used, len(record)
            self.used += len(record)
        self.patch(slot, 0, record)

    def patch(self, slot: int, position: int, data: bytes) -> None:
        """Overwrite a part of a record."""
        start = int(self.rows[slot]["offset"]) + position
        self.arena[start : start + len(data)] = np.frombuffer(data, np.uint8)
        self._mark(slot)

    def remove(self, slot: int, key: bytes) -> None:
        """Forget an association; its bytes are overwritten."""
        row = self.rows[slot]
        self._mark(slot)
        self._wipe(row)
        row["alive"] = False
        self.alive -= 1
        if self.index.get(key) == slot:
            del self.index[key]

    def renew(self, slot: int, key: bytes, new_key: bytes | None = None, record: bytes | None = None) -> int:
        """Make an association the newest of all, with another identity and record if given. Returns its new slot."""
        row = self.rows[slot].copy()
        record = self.record(slot) if record is None else record
        self.remove(slot, key)
        kept = {name: row[name] for name in ROW.names or () if name not in ("offset", "length", "serial")}
        return self.add(key if new_key is None else new_key, record, kept)

    def _mark(self, slot: int) -> None:
        for watcher in self.watchers:
            watcher.add(int(self.rows[slot]["serial"]))

    def slot_of(self, serial: int) -> int:
        """The slot of a serial number, or the first behind it where it is gone."""
        # NumPy's own search copies a column of a structured array first.
        return bisect_left(self.rows["serial"], serial, 0, self.count)

    def place(self, serial: int) -> int:
        """The slot of a serial number; -1 if its association is gone."""
        slot = self.slot_of(serial)
        if slot >= self.count or int(self.rows[slot]["serial"]) != serial or not self.rows[slot]["alive"]:
            return -1
        return slot

    def places(self, serials: npt.NDArray[np.uint64]) -> Slots:
        """The same for many."""
        known = self.rows[: self.count]
        slots = np.searchsorted(known["serial"], serials)
        inside = np.minimum(slots, max(self.count - 1, 0))
        found = (slots < self.count) & (self.rows["serial"][inside] == serials) & self.rows["alive"][inside]
        return np.where(found, slots, -1)

    def matching(self, start: int, stop: int, satype: int | None, dead: bool = True) -> Slots:
        """The slots from `start` up to `stop` that are alive and of an SA type, None for all."""
        rows = self.rows[start:stop]
        wanted = rows["alive"] if satype is None else rows["alive"] & (rows["satype"] == satype)
        if not dead:
            wanted = wanted & (rows["state"] != SAState.DEAD)
        return start + np.flatnonzero(wanted)

    def clear(self, slots: Slots, keys_of: Callable[[Slots], list[bytes]]) -> None:
        """Forget many associations at once."""
        for watcher in self.watchers:
            watcher.update(self.rows["serial"][slots].tolist())
        if len(slots) == self.alive:
            self.index.clear()
            self.arena[: self.used] = 0
            self._wasted = self.used
        else:
            for key in keys_of(slots):
                self.index.pop(key, None)
            for slot in slots.tolist():
                self._wipe(self.rows[slot])
        self.rows["alive"][slots] = False
        self.alive -= len(slots)

    def sweep(self) -> None:
        """Give back what the dead leave behind, if it is more than half."""
        if self.alive * 2 >= self.count and self._wasted * 2 <= self.used:
            return
        if self.count <= FIRST and self.used <= FIRST:
            return
        kept = np.flatnonzero(self.rows["alive"][: self.count])
        places = np.full(self.count, -1, np.int64)
        places[kept] = np.arange(len(kept))
        rows = self.rows[kept]
        sizes = rows["length"].astype(np.int64)
        ends = np.cumsum(sizes)
        arena = np.zeros(max(FIRST, int(ends[-1]) if len(kept) else 0), np.uint8)
        begins = rows["offset"].tolist()
        for begin, end, size in zip(begins, ends.tolist(), sizes.tolist(), strict=True):
            arena[end - size : end] = self.arena[begin : begin + size]
        rows["offset"] = ends - sizes
        self.arena[:] = 0
        self.arena, self.used, self._wasted = arena, int(ends[-1]) if len(kept) else 0, 0
        self.rows = np.zeros(max(FIRST, len(kept)), ROW)
        self.rows[: len(kept)] = rows
        self.count = len(kept)
        slots = places[np.fromiter(self.index.values(), np.int64, len(self.index))].tolist()
        self.index = dict(zip(self.index, slots, strict=True))
        for tell in self.moved:
            tell(places)

    def _wipe(self, row: np.void) -> None:
        start, length = int(row["offset"]), int(row["length"])
        self.arena[start : start + length] = 0
        self._wasted += length

    def reserve(self, rows: int, size: int) -> None:
        """Have room for so many rows and bytes more."""
        if self.count + rows > len(self.rows):
            self.rows = _larger(self.rows, self.count, self.count + rows)
        if self.used + size > len(self.arena):
            self.arena = _larger(self.arena, self.used, self.used + size)


def gathered(octets: Octets, rows: Rows) -> Octets:
    """The records that rows say where to find, back to back and without number."""
    found = np.empty(int(rows["length"].sum()), np.uint8)
    ends = np.empty(len(rows), np.uint64)
    copy_records(octets.data, np.ascontiguousarray(rows["offset"]).data, found.data, 0, 0, 0, ends.data)
    return found


def _larger(array: npt.NDArray[Any], kept: int, needed: int) -> npt.NDArray[Any]:
    """A copy of the first elements in an array with room for more. What is not touched costs no memory yet."""
    larger = np.zeros(int(needed * GROWTH) + FIRST, array.dtype)
    larger[:kept] = array[:kept]
    return larger
