"""A table for an engine that has none: the messages of a dump as its associations.

They come into the arena as they are, many at once and unjudged, so this is for tables that are known to be good. What
is loaded from elsewhere is better asked for with ADD.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from ..spec.rfc2367 import MSG
from ..spec.terms import SAState
from ..wire.memory import byte_view
from .columns import columns
from .store import LIMITS, ROW, gathered

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from .engine import Engine

_TIMES = ("current_addtime", "current_usetime", "current_bytes", "current_allocations")


def adopt(engine: Engine, messages: Buffer, count: int) -> None:
    """Have an empty engine show these `count` messages, back to back, in answer to a DUMP.

    Nothing happens to them by itself: they do not age, whatever their lifetimes say, until an UPDATE gives them others.
    Where two have the same identity, requests find the one that is dumped first by engines that show the newest first.
    Raises ValueError for what are no records of associations.
    """
    core, store = engine._core, engine._core.store
    octets = np.frombuffer(byte_view(messages), np.uint8)
    limits = [f"{prefix}_{name}" for prefix in ("hard", "soft") for name in LIMITS]
    found = columns(core.framing, octets, count, ("message_offset", "message_length", "state", *_TIMES, *limits))
    if found is None:
        raise ValueError("these are no records of associations")
    order = slice(None, None, -1) if core.profile.newest_first else slice(None)
    begins = found["message_offset"][order]
    rows = np.zeros(count, ROW)
    rows["offset"], rows["length"] = begins, found["message_length"][order]
    rows["serial"] = np.arange(store.serial + 1, store.serial + 1 + count)
    rows["added"] = found["current_addtime"][order] - core.epoch
    used = found["current_usetime"][order]
    rows["used"] = np.where(used > 0, used - core.epoch, inf)
    rows["bytes"], rows["allocations"] = found["current_bytes"][order], found["current_allocations"][order]
    for name in limits:
        rows[name] = found[name][order]
    rows["satype"] = octets[begins.astype(np.int64) + MSG["satype"].offset]
    rows["state"] = found["state"][order]
    rows["warned"] = rows["state"] == SAState.DYING
    records = gathered(octets, rows)
    keys = core.keys_in(rows["satype"], records)
    if keys is None:
        raise ValueError("these are no records of associations")
    store.fill(keys, records, rows)
