"""Fills the columns of a plan from a buffer: room that grows, recovery from faults, parts in parallel.

There is one loop, and it has one thread. Several threads only give it a head start: each decodes a part of the buffer
to the rows where it belongs, and the loop goes on behind the last part before the first fault. So whatever the number
of threads, rows and faults are the same.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from ..hotpath import Outcome, decode, hop
from ..spec.model import HEADER_SIZE
from ..spec.plan import ColumnPlan
from ..wire.recovery import Recovery
from .room import SPARE, Room, estimate

AFTER_FAULT = 64
"""Rows that may be decoded at once behind a fault, growing again: where faults come thick, little is decoded twice."""


class Part(NamedTuple):
    """Messages to decode in one go, and the rows for them."""

    start: int
    stop: int
    row: int
    rows: int
    """Row behind the last that may be written."""


@dataclass(frozen=True)
class Job:
    """What to decode, and how."""

    buffer: memoryview
    plan: ColumnPlan
    strict: bool
    threads: int

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"threads is 1 or more, not {self.threads}")


def fill(job: Job, start: int, room: Room, recovery: Recovery) -> None:
    """Decode the messages from `start` to `recovery.stop` into `room`, behind the `recovery.good` rows that it has.

    Raises WireError where `recovery` does.
    """
    stop, swap = recovery.stop, job.plan.frame.swap
    position: int | None = start
    if job.threads > 1:
        position = _head_start(job, start, room, recovery)
    limit = stop
    while position is not None and position < stop:
        row = recovery.good
        if row == room.capacity:
            expected = max(estimate(job.buffer, position, stop, swap), row // 2)
            # One row more than headers fit, so that a rest too short for a header is looked at and found to be a fault.
            room.grow(row + min(expected, (stop - position) // HEADER_SIZE) + 1, row)
        outcome = _decode(job, room, Part(position, stop, row, min(room.capacity, row + limit)))
        position = recovery.after(outcome)
        limit = AFTER_FAULT if outcome.fault else limit * 2


def _decode(job: Job, room: Room, part: Part) -> Outcome:
    return decode(job.buffer, part.start, part.stop, job.plan, job.strict, room.buffers, part.row, part.rows)


def _head_start(job: Job, start: int, room: Room, recovery: Recovery) -> int:
    """Decode all parts at once and return where to go on; what lies behind the first fault counts as not decoded."""
    parts = _parts(job, start, recovery.stop, recovery.good, room)
    with ThreadPoolExecutor(job.threads) as pool:
        outcomes = list(pool.map(lambda part: _decode(job, room, part), parts))
    position = start
    for part, outcome in zip(parts, outcomes, strict=True):
        recovery.good += outcome.count
        position = outcome.next
        if position < part.stop:
            break
    return position


def _parts(job: Job, start: int, stop: int, row: int, room: Room) -> list[Part]:
    """Parts of about the same size and room for them, up to the first message whose length is impossible.

    The messages of all but the last are counted, so that each part knows its rows. The last takes what room there is.
    """
    parts: list[Part] = []
    begin, first = start, row
    for number in range(1, job.threads):
        target = start + (stop - start) * number // job.threads
        seen = hop(job.buffer, begin, stop, job.plan.frame.swap, target)
        if seen.count:
            parts.append(Part(begin, seen.next, row, row + seen.count))
            begin, row = seen.next, row + seen.count
    if parts and room.capacity <= row:
        room.grow(row + int((row - first) * (stop - begin) / (begin - start) * SPARE) + 1, first)
    return [*parts, Part(begin, stop, row, room.capacity)]
