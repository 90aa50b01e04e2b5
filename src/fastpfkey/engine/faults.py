"""Faults on demand: an engine that loses, repeats, delays and refuses as a test of somebody's client wants it.

A `FaultPlan` is a list of faults, each for the n-th message of a kind, and a clock that stands still until the test
moves it. `Engine(faults=plan)` follows it: faults of requests strike before the engine acts, those of messages on the
way to a port.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal

from ..spec.terms import MessageType
from .port import Block, Port

Action = Literal["drop", "duplicate", "truncate", "delay", "reorder", "send", "answer"]


class VirtualClock:
    """Seconds that pass when a test says so."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass. `Engine.advance` then does what has become due."""
        self.now += seconds


@dataclass(frozen=True)
class Fault:
    """What happens to some messages of a kind: from the n-th on, `times` of them."""

    action: Action
    type: MessageType | None = None
    """None for messages of all types."""
    nth: int = 1
    times: int = 1
    errno: str = ""
    """For "send" and "answer": the error, as C names it."""
    seconds: float = 0.0
    """For "delay"."""
    size: int = 16
    """For "truncate": bytes that are left."""

    def __post_init__(self) -> None:
        if self.nth < 1 or self.times < 1 or self.size < 1 or not self.seconds >= 0:
            raise ValueError("messages are counted from 1, and nothing takes less than no time or room")

    @property
    def of_requests(self) -> bool:
        """Whether it strikes requests, rather than what the engine says."""
        return self.action in ("send", "answer")


def drop(type: MessageType | None = None, nth: int = 1, times: int = 1) -> Fault:
    """A message never arrives."""
    return Fault("drop", type, nth, times)


def duplicate(type: MessageType | None = None, nth: int = 1, times: int = 1) -> Fault:
    """A message arrives twice."""
    return Fault("duplicate", type, nth, times)


def truncate(type: MessageType | None = None, nth: int = 1, times: int = 1, size: int = 16) -> Fault:
    """Of a message the first `size` bytes arrive, as when a buffer was too short."""
    return Fault("truncate", type, nth, times, size=size)


def delay(seconds: float, type: MessageType | None = None, nth: int = 1, times: int = 1) -> Fault:
    """A message arrives when so many seconds have passed on the plan's clock."""
    return Fault("delay", type, nth, times, seconds=seconds)


def reorder(type: MessageType | None = None, nth: int = 1, times: int = 1) -> Fault:
    """A message arrives behind the next one."""
    return Fault("reorder", type, nth, times)


def fail_send(errno: str, type: MessageType | None = None, nth: int = 1, times: int = 1) -> Fault:
    """send() of a request fails, with ENOBUFS for instance, and the engine never sees it."""
    return Fault("send", type, nth, times, errno=errno)


def answer_error(errno: str, type: MessageType | None = None, nth: int = 1, times: int = 1) -> Fault:
    """A request is answered with an error, with EBUSY for instance, and not acted on."""
    return Fault("answer", type, nth, times, errno=errno)


class FaultPlan:
    """Faults in the order in which they are looked for, and the clock of the engine that has them."""

    def __init__(self, *faults: Fault, clock: VirtualClock | None = None) -> None:
        self.faults = faults
        self.clock = clock or VirtualClock()
        self.struck: list[Fault] = []
        """The faults that have happened, in order."""
        self._seen = [0] * len(faults)

    def strikes(self, type: MessageType, of_requests: bool) -> Fault | None:
        """The fault that happens to a message, if one does; counts the message."""
        found = None
        for place, fault in enumerate(self.faults):
            if fault.of_requests == of_requests and fault.type in (None, type):
                self._seen[place] += 1
                if found is None and 0 <= self._seen[place] - fault.nth < fault.times:
                    found = fault
        if found is not None:
            self.struck.append(found)
        return found


class FaultyPort(Port):
    """A port whose messages the plan's faults strike on their way."""

    def __init__(
        self,
        number: int,
        pid: int,
        limit: int,
        name: str,
        on_read: Callable[[Port], None],
        plan: FaultPlan,
        type_of: Callable[[bytes], MessageType],
    ) -> None:
        super().__init__(number, pid, limit, name, on_read)
        self._plan = plan
        self._type_of = type_of
        self._late: list[tuple[float, int, bytes]] = []
        self._order = count()
        self._behind: list[bytes] = []

    def put(self, message: bytes) -> bool:
        """Queue one message, unless a fault has it otherwise."""
        fault = self._plan.strikes(self._type_of(message), of_requests=False)
        action = "" if fault is None else fault.action
        if action == "reorder":
            self._behind.append(message)
            return True
        queued = action == "drop"
        if fault is not None and action == "delay":
            heapq.heappush(self._late, (self._plan.clock() + fault.seconds, next(self._order), message))
            queued = True
        elif fault is not None and action == "truncate":
            queued = super().put(message[: fault.size])
        elif action != "drop":
            queued = super().put(message)
            if action == "duplicate":
                super().put(message)
        behind, self._behind = self._behind, []
        for late in behind:
            super().put(late)
        return queued

    def put_block(self, block: Block, anyway: bool = False) -> int:
        """Queue messages one by one."""
        limit, begins = self.limit, (0, *block.ends)
        if anyway:
            self.limit += len(block.data)
        try:
            return sum(self.put(bytes(block.data[begin:end])) for begin, end in zip(begins, block.ends, strict=False))
        finally:
            self.limit = limit

    def due(self) -> float:
        """When the next delayed message arrives; infinity without any."""
        return self._late[0][0] if self._late else float("inf")

    def release(self, now: float) -> None:
        """Queue what was delayed until now."""
        while self._late and self._late[0][0] <= now:
            super().put(heapq.heappop(self._late)[2])
