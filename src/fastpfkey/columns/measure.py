"""How fast decoding is, beside copying the same bytes.

Times on a busy machine mean little, so each is the best of several runs and stands beside memcpy of the same buffer:
the ratio is what to read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .. import hotpath
from ..errors import BackendError
from ..spec import plan, tables
from ..spec.model import Dialect
from .associations import SATable
from .room import Room
from .source import Source, as_bytes

EIGHT = ("spi", "src", "dst", "satype", "state", "auth", "encrypt", "present")
"""The columns that most questions about associations need."""

ALL = SATable.from_buffer(b"").columns
"""All public columns of the table."""

SLOW = 100_000
"""Messages at most for the reference backend, which needs microseconds for each."""


class Measurement(NamedTuple):
    """One line of the comparison."""

    backend: str
    what: str
    messages: int
    nanoseconds: float
    """Best time a message."""
    ratio: float
    """The same, as a multiple of copying the message's bytes into warm memory."""


def measure(buffer: object, dialect: str | Dialect, byteorder: plan.ByteOrder, runs: int = 5) -> Iterator[Measurement]:
    """Measure the backends over a buffer of messages: memcpy, walk, 8 columns, all columns, fresh and warm.

    Measures up to the first bad message; a backend that is not installed is left out.
    """
    source = Source.of_buffer(as_bytes(buffer), dialect, byteorder)  # type: ignore[arg-type]
    for backend in hotpath.BACKENDS:
        try:
            twin = hotpath.load(backend)
        except BackendError:
            continue
        size = len(source.buffer)
        frame = plan.frame(source.dialect, source.byteorder)
        counted = twin.hop(source.buffer, 0, size, frame.swap, size)
        if backend == "reference" and counted.count > SLOW:
            size = twin.hop(source.buffer, 0, size, frame.swap, size * SLOW // counted.count).next
        yield from _measure(twin, backend, source, size, runs)


def _measure(twin: hotpath.HotPath, backend: str, source: Source, size: int, runs: int) -> Iterator[Measurement]:
    octets = np.frombuffer(source.buffer, np.uint8)[:size]
    copy = octets.copy()
    frame = plan.frame(source.dialect, source.byteorder)
    messages = twin.hop(source.buffer, 0, size, frame.swap, size).count
    offsets = np.zeros(messages, np.uint64)
    floor = _best(lambda: np.copyto(copy, octets), runs)

    def line(what: str, seconds: float) -> Measurement:
        return Measurement(backend, what, messages, seconds / max(messages, 1) * 1e9, seconds / floor)

    yield line("memcpy", floor)
    yield line("walk", _best(lambda: twin.walk(source.buffer, 0, size, frame, False, offsets.data), runs))
    for what, names in (("8 columns", EIGHT), (f"{len(ALL)} columns", ALL)):
        wanted = plan.column_plan(source.dialect, tables.ASSOCIATIONS, names, source.byteorder)

        def fresh(wanted: plan.ColumnPlan = wanted) -> Room:
            room = Room(wanted.columns)
            room.grow(messages, 0)
            twin.decode(source.buffer, 0, size, wanted, False, room.buffers, 0, messages)
            return room

        yield line(f"{what}, fresh", _best(fresh, runs))
        room = fresh()
        yield line(f"{what}, warm", _best(_decoding(twin, source, size, wanted, room, messages), runs))


def _decoding(
    twin: hotpath.HotPath, source: Source, size: int, wanted: plan.ColumnPlan, room: Room, messages: int
) -> Callable[[], object]:
    return lambda: twin.decode(source.buffer, 0, size, wanted, False, room.buffers, 0, messages)


def _best(call: Callable[[], object], runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best
