"""What associations carry per second, from two tables of them, and how long each has to live.

Rows belong together by what tells associations apart. One that was made anew under the same SPI begins at nothing, and
so does one whose counters went back: what it carried since is all that is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .associations import SATable
from .comparing import Associations
from .matching import matched
from .room import Array

Floats = npt.NDArray[np.float64]

LIMITS = tuple(
    f"{when}_{what}" for when in ("current", "hard") for what in ("allocations", "bytes", "addtime", "usetime")
)

COLUMNS = ("satype", "spi", "src", "dst", "state", *LIMITS)
"""What has to be known of associations."""


@dataclass(frozen=True, eq=False)
class Rates:
    """What each row of a table carries per second; NaN where nothing tells, because the row is older than its sight."""

    octets: Floats
    packets: Floats
    """Allocations, which systems count by the packet."""
    came: int = 0
    """Rows that were not there before."""
    went: int = 0
    """Rows that are there no longer."""
    restarted: int = 0
    """Rows that were made anew, or whose counters went back."""

    @property
    def total(self) -> tuple[float, float]:
        """Bytes and packets per second of all rows that tell."""
        return float(np.nansum(self.octets)), float(np.nansum(self.packets))


def rates(old: SATable | None, new: SATable, seconds: float, now: int) -> Rates:
    """Rates of the rows of a table, which was taken `seconds` after another one, at this Unix time.

    Raises ValueError unless some time has passed.
    """
    if old is None:
        unknown = np.full(len(new), np.nan)
        return Rates(unknown, unknown)
    if not seconds > 0:
        raise ValueError(f"a rate needs a time above 0 between two tables, not {seconds}")
    how = Associations(old, new)
    before, after = matched(how.identities(), how.parts(how.finer))
    partner = np.full(len(new), -1, np.int64)
    partner[after] = before
    fresh = partner < 0
    restarted = np.zeros(len(new), np.bool_)
    for name in ("current_addtime", "current_bytes", "current_allocations"):
        earlier = old[name][partner[after]]
        changed = new[name][after] != earlier if name == "current_addtime" else new[name][after] < earlier
        restarted[after] |= changed
    made = new["current_addtime"]
    # A row that nobody saw may have carried for years what it has carried, unless it is younger than the other table.
    unknown = fresh & ~((made > 0) & (made + np.ceil(seconds).astype(np.uint64) >= now))
    found = []
    for name in ("current_bytes", "current_allocations"):
        since = np.where(fresh | restarted, 0, old[name][partner]) if len(old) else np.zeros(len(new), np.uint64)
        gained = (new[name] - since.astype(new[name].dtype)).astype(np.float64)
        gained[unknown] = np.nan
        found.append(gained / seconds)
    came = int(fresh.sum())
    return Rates(found[0], found[1], came, len(old) - len(before), int(restarted.sum()))


def seconds_left(table: SATable, now: int, speed: Rates | None = None) -> Floats:
    """Seconds until each row meets a hard limit: of time, or of volume if it goes on as fast; infinite without one."""
    found = np.full(len(table), np.inf)
    for what in ("addtime", "usetime"):
        begin, limit = table[f"current_{what}"], table[f"hard_{what}"]
        there = (begin > 0) & (limit > 0)
        ends = begin[there].astype(np.float64) + limit[there].astype(np.float64)
        found[there] = np.minimum(found[there], ends - now)
    if speed is not None:
        for what, each in (("bytes", speed.octets), ("allocations", speed.packets)):
            current, limit = table[f"current_{what}"].astype(np.float64), table[f"hard_{what}"].astype(np.float64)
            there = (limit > 0) & (each > 0)
            found[there] = np.minimum(found[there], (limit[there] - current[there]) / each[there])
    left: Floats = np.maximum(found, 0.0)
    return left


def ages(table: SATable, now: int) -> Floats:
    """Seconds since each row was made; NaN where that is not known."""
    made = table["current_addtime"]
    return np.where(made > 0, now - made.astype(np.float64), np.nan)


def first(values: Array, count: int, descending: bool) -> npt.NDArray[np.int64]:
    """Numbers of the `count` rows with the largest or smallest values; NaN comes last, and rows that agree in order."""
    keys = -values.astype(np.float64) if descending else values.astype(np.float64)
    rows = np.arange(len(keys))
    if 0 < count < len(keys):
        bound = np.partition(keys, count - 1)[count - 1]  # NaN counts as the largest
        rows = rows if np.isnan(bound) else np.flatnonzero(keys <= bound)
    found: npt.NDArray[np.int64] = rows[np.argsort(keys[rows], kind="stable")][:count]
    return found
