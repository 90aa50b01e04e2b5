"""Timers of many associations without looking at all of them: seconds as buckets, and a heap for the current ones.

An entry is a slot and a time. Nobody takes entries out: whose association was changed or removed meanwhile fires in
vain, and its owner looks at what is really due. So an entry costs twelve bytes until its second comes.
"""

from __future__ import annotations

import heapq
from array import array
from math import floor, inf
from typing import Any

import numpy as np
import numpy.typing as npt

Slots = npt.NDArray[np.int64]

FARTHEST = 2.0**62
"""Seconds; what is due later is counted to the same bucket."""


class Bucket:
    """The entries of one second."""

    __slots__ = ("low", "slots", "times")

    def __init__(self) -> None:
        self.slots = array("I")
        self.times = array("d")
        self.low = inf
        """The earliest time."""


class Wheel:
    """Slots by the time at which they are due."""

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}
        self._seconds: list[int] = []
        self._near: list[tuple[float, int]] = []
        self._horizon = -(1 << 62)
        """Buckets up to this second are in the heap."""

    def add(self, slot: int, when: float) -> None:
        """Make a slot due at a time; never, if that is infinite."""
        if when == inf:
            return
        second = floor(when)
        if second <= self._horizon:
            heapq.heappush(self._near, (when, slot))
            return
        bucket = self._bucket(second)
        bucket.slots.append(slot)
        bucket.times.append(when)
        bucket.low = min(bucket.low, when)

    def add_many(self, slots: npt.NDArray[Any], times: npt.NDArray[np.float64]) -> None:
        """The same for many slots at once."""
        finite = np.isfinite(times)
        if not finite.all():
            slots, times = slots[finite], times[finite]
        if not len(slots):
            return
        seconds = np.floor(np.minimum(times, FARTHEST)).astype(np.int64)
        order = np.argsort(seconds, kind="stable")
        slots, times, seconds = slots[order].astype(np.uint32), times[order], seconds[order]
        starts = np.flatnonzero(np.diff(seconds, prepend=seconds[:1] - 1)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(seconds)], strict=True):
            second = int(seconds[start])
            if second <= self._horizon:
                for when, slot in zip(times[start:stop].tolist(), slots[start:stop].tolist(), strict=True):
                    heapq.heappush(self._near, (when, slot))
                continue
            bucket = self._bucket(second)
            bucket.slots.frombytes(slots[start:stop].tobytes())
            bucket.times.frombytes(times[start:stop].tobytes())
            bucket.low = min(bucket.low, float(times[start:stop].min()))

    def _bucket(self, second: int) -> Bucket:
        bucket = self._buckets.get(second)
        if bucket is None:
            bucket = self._buckets[second] = Bucket()
            heapq.heappush(self._seconds, second)
        return bucket

    def next(self) -> float:
        """When the first entry is due; infinity without any."""
        far = self._buckets[self._seconds[0]].low if self._seconds else inf
        return min(self._near[0][0], far) if self._near else far

    def due(self, now: float) -> list[int]:
        """Take the slots that are due by now, in the order of their times."""
        while self._seconds and self._seconds[0] <= now:
            second = heapq.heappop(self._seconds)
            bucket = self._buckets.pop(second)
            self._near.extend(zip(bucket.times, bucket.slots, strict=True))
            heapq.heapify(self._near)
            self._horizon = max(self._horizon, second)
        found = []
        while self._near and self._near[0][0] <= now:
            found.append(heapq.heappop(self._near)[1])
        return found

    def remap(self, places: Slots) -> None:
        """Slots have moved: `places` says where to, -1 for those that are gone."""
        self._near = [(when, int(places[slot])) for when, slot in self._near if places[slot] >= 0]
        heapq.heapify(self._near)
        for bucket in self._buckets.values():
            moved = places[np.frombuffer(bucket.slots, np.uint32)]
            kept = moved >= 0
            times = np.frombuffer(bucket.times, np.float64)[kept]
            bucket.slots = array("I", moved[kept].astype(np.uint32).tobytes())
            bucket.times = array("d", times.tobytes())
