"""Local time as data: since when this place is how far ahead of UTC, so that a template can print a million dates."""

from __future__ import annotations

import time
from functools import lru_cache

from ..spec.template import Zone

STEP = 14 * 86400
"""Clocks are changed at most once in this time."""

LAST = 1 << 32
"""Behind this second, in 2106, the last offset stands."""


def zones() -> tuple[Zone, ...]:
    """The offsets of the zone that the process is set to."""
    return _zones(time.tzname, time.timezone, time.altzone)


@lru_cache(maxsize=4)
def _zones(*setting: object) -> tuple[Zone, ...]:
    found = [Zone(0, _offset(0))]
    for end in range(STEP, LAST, STEP):
        offset = _offset(end)
        if offset != found[-1].offset:
            found.append(Zone(_change(end - STEP, end, offset), offset))
    return tuple(found)


def _offset(seconds: int) -> int:
    return time.localtime(seconds).tm_gmtoff


def _change(low: int, high: int, offset: int) -> int:
    """The first second that has this offset."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle) == offset else (middle, high)
    return high
