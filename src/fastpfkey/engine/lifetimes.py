"""Lifetimes: limits read from requests, what is due when, and what happens then.

The first limit that is reached ends an association, a hard one before a soft one (R-3.1.8-10), and the soft one once
for each set of limits. Times run on the engine's clock; the wire shows Unix time.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import numpy as np
import numpy.typing as npt

from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, SAState
from ..wire.extensions import Lifetime
from ..wire.value import ExtensionValue
from .core import Core
from .store import LIMITS, Rows, Slots

SWEEP = 1.0
"""Seconds between the looks of an engine whose limits have to be exceeded: they end a second later."""


def limit_fields(values: Mapping[Ext, ExtensionValue]) -> dict[str, int]:
    """The row's limits as a request sets them; absent ones are 0, which is no limit."""
    found = {}
    for prefix, exttype in (("hard", Ext.LIFETIME_HARD), ("soft", Ext.LIFETIME_SOFT)):
        value = values.get(exttype)
        for name in LIMITS:
            found[f"{prefix}_{name}"] = getattr(value, name) if isinstance(value, Lifetime) else 0
    return found


def deadline(core: Core, slot: int) -> float:
    """When an association has to be looked at next; infinity for never."""
    row = core.store.rows[slot]
    state = int(row["state"])
    if state == SAState.LARVAL:
        return float(row["added"]) + core.profile.larval_lifetime
    if state == SAState.DEAD:
        return float(row["died"]) + core.profile.dead_seconds
    ends = [_end(row, "hard")]
    if not row["warned"]:
        ends.append(_end(row, "soft"))
    return min(ends) + (SWEEP if core.profile.limit_exceeded else 0.0)


def _end(row: np.void, prefix: str) -> float:
    """When a limit of time is reached."""
    add, use = int(row[f"{prefix}_addtime"]), int(row[f"{prefix}_usetime"])
    return min(float(row["added"]) + add if add else inf, float(row["used"]) + use if use else inf)


def deadlines(core: Core, slots: Slots) -> npt.NDArray[np.float64]:
    """The same for many."""
    rows = core.store.rows[slots]
    soft = np.where(rows["warned"], inf, time_limits(rows, "soft"))
    found = np.minimum(time_limits(rows, "hard"), soft) + (SWEEP if core.profile.limit_exceeded else 0.0)
    larval = rows["state"] == SAState.LARVAL
    found[larval] = rows["added"][larval] + core.profile.larval_lifetime
    dead = rows["state"] == SAState.DEAD
    found[dead] = rows["died"][dead] + core.profile.dead_seconds
    return found


def time_limits(rows: Rows, prefix: str) -> npt.NDArray[np.float64]:
    """When each reaches a limit of time."""
    found = np.full(len(rows), inf)
    for limit, since in (("addtime", "added"), ("usetime", "used")):
        seconds = rows[f"{prefix}_{limit}"].astype(np.float64)
        found = np.minimum(found, np.where(seconds > 0, rows[since] + seconds, inf))
    return found


def schedule(core: Core, slot: int) -> None:
    """Have an association looked at when it is due."""
    core.wheel.add(slot, deadline(core, slot))


def reached(core: Core, slot: int, prefix: str) -> bool:
    """Whether one of the hard or soft limits is reached."""
    row = core.store.rows[slot]
    extra = SWEEP if core.profile.limit_exceeded else 0.0
    if _end(row, prefix) + extra <= core.now:
        return True
    for name in ("allocations", "bytes"):
        limit, used = int(row[f"{prefix}_{name}"]), int(row[name])
        if limit and (used > limit if core.profile.limit_exceeded else used >= limit):
            return True
    return False


def look(core: Core, slot: int) -> None:
    """Do what is due for an association."""
    row = core.store.rows[slot]
    if slot >= core.store.count or not row["alive"]:
        return
    state = core.state(slot)
    if state == SAState.LARVAL:
        if deadline(core, slot) <= core.now:
            _end_larval(core, slot)
    elif state == SAState.DEAD:
        if deadline(core, slot) <= core.now:
            core.store.remove(slot, core.key_at(slot))
    elif reached(core, slot, "hard"):
        _kill(core, slot)
    elif not row["warned"] and reached(core, slot, "soft"):
        core.store.rows[slot]["warned"] = True
        set_state(core, slot, SAState.DYING)
        tell(core, slot, Ext.LIFETIME_SOFT)
        schedule(core, slot)
    elif deadline(core, slot) > core.now:
        schedule(core, slot)


def _end_larval(core: Core, slot: int) -> None:
    if core.profile.larval_expires:
        set_state(core, slot, SAState.DEAD)
        tell(core, slot, Ext.LIFETIME_HARD)
    core.store.remove(slot, core.key_at(slot))


def _kill(core: Core, slot: int) -> None:
    """End an association: no consumer finds it any more when its EXPIRE goes out."""
    set_state(core, slot, SAState.DEAD)
    if core.profile.dead_seconds:
        core.store.rows["died"][slot] = core.now
        schedule(core, slot)
        tell(core, slot, Ext.LIFETIME_HARD)
        return
    key = core.key_at(slot)
    message = expiry(core, slot, Ext.LIFETIME_HARD)
    core.store.remove(slot, key)
    core.say(message, core.deliveries.news["EXPIRE"], None)


def set_state(core: Core, slot: int, state: SAState) -> None:
    """Change an association's state, in its record too."""
    core.store.rows[slot]["state"] = state
    core.store.replace(slot, core.records.with_state(core.store.record(slot), state))


def show_counters(core: Core, slot: int) -> None:
    """Write what was used so far into the record."""
    row = core.store.rows[slot]
    start, data = core.records.counters(
        core.store.record(slot),
        int(row["allocations"]),
        int(row["bytes"]),
        core.wall(float(row["added"])),
        core.wall(float(row["used"])),
    )
    if start:
        core.store.patch(slot, start, data)


def expiry(core: Core, slot: int, which: Ext) -> bytes:
    """The EXPIRE of an association for one of its limits (R-3.1.8-04)."""
    record = core.store.record(slot)
    row = core.store.rows[slot]
    if not core.framing.place(record, Ext.LIFETIME_CURRENT):
        raise ValueError("records have a current lifetime in every profile")
    body = core.records.shown(record, "EXPIRE", which)
    seq = int(row["seq"]) if core.profile.expire_seq == "creation" else 0
    return core.framing.message(MessageType.EXPIRE, int(row["satype"]), body, seq=seq)


def tell(core: Core, slot: int, which: Ext) -> None:
    """Say that a limit was reached."""
    core.say(expiry(core, slot, which), core.deliveries.news["EXPIRE"], None)


def run(core: Core) -> None:
    """Do all that is due by now."""
    for slot in core.wheel.due(core.now):
        look(core, slot)
