"""What a client does, apart from waiting: programs that a blocking and an asynchronous client run alike.

A program is a generator. It talks to endpoints itself, for that never blocks; only when there is nothing to do does it
yield a `Wait`, and gets sent whether the endpoint became readable. So the whole client is written once, and the two
kinds of client differ in how they wait.
"""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from ..errors import NoReplyError, TransportError
from ..session.pending import Numbers
from ..session.scan import Scanner
from ..wire.dialects import codec, host_order
from ..wire.extensions import Supported
from ..wire.pool import BufferPool
from .endpoint import Endpoint, Role, Source
from .memory import Memory

if TYPE_CHECKING:
    from .watching import Watch

T = TypeVar("T")

TIMEOUT = 5.0
"""Seconds of silence that a client puts up with, unless told."""

SLAB = 1 << 18
"""Bytes that are received at once, at most."""


class Wait(NamedTuple):
    """Wait until an endpoint is readable, at most so many seconds; without an endpoint, just so long."""

    endpoint: Endpoint | None
    seconds: float | None


Program: TypeAlias = Generator[Wait, bool, T]


class Context:
    """What the programs of one client share."""

    def __init__(self, source: Source, timeout: float | None) -> None:
        self.source = source
        self.dialect = source.dialect
        self.codec = codec(self.dialect, host_order("native"))
        self.timeout = timeout
        # Drawn, so that two clients of one process do not take each other's replies.
        self.numbers = Numbers(random.randrange(1 << 31))
        self.pool = BufferPool(SLAB, slabs=1, max_slabs=8)
        self.memory = Memory()
        """Where dumps go."""
        self.scanner = Scanner(self.codec)
        self.supported: tuple[Supported, ...] = ()
        """The lists of algorithms that an engine sent last."""
        self.watch: Watch | None = None
        """What hears events, if anything does."""
        self.clock: Callable[[], float] = time.monotonic
        self.calendar: Callable[[], float] = time.time
        self._kept: dict[Role, Endpoint] = {}
        self._closed = False

    def endpoint(self, role: Role) -> Endpoint:
        """The endpoint for this role, which is opened when it is first needed and stays. Raises TransportError."""
        if role not in self._kept:
            self._kept[role] = self.open(role)
        return self._kept[role]

    def open(self, role: Role) -> Endpoint:
        """An endpoint that the caller closes. Raises TransportError."""
        if self._closed:
            raise TransportError(errno.EBADF, "the client is closed")
        return self.source.open_endpoint(role)

    def stop_watching(self) -> None:
        """Close the endpoint for events, which ends all registrations."""
        self.watch = None
        self._close(Role.EVENTS)

    def close(self) -> None:
        """Close all endpoints, and open no more."""
        self._closed = True
        self.stop_watching()
        self._close(Role.REQUESTS)

    def _close(self, role: Role) -> None:
        if endpoint := self._kept.pop(role, None):
            endpoint.close()


class Deadline:
    """Until when silence is put up with; whatever is heard puts it off."""

    def __init__(self, context: Context, seconds: float | None) -> None:
        self._clock = context.clock
        self.seconds = seconds
        self.extend()

    def extend(self) -> None:
        """Begin anew."""
        self._end = None if self.seconds is None else self._clock() + self.seconds

    @property
    def remaining(self) -> float | None:
        """Seconds left, 0 or more; None for no end."""
        return None if self._end is None else max(self._end - self._clock(), 0.0)

    def wait(self, endpoint: Endpoint, what: str) -> Program[None]:
        """Wait for an endpoint. Raises NoReplyError, which says what did not come, if nothing does."""
        remaining = self.remaining
        if remaining == 0.0 or not (yield Wait(endpoint, remaining)):
            raise NoReplyError.after(self.seconds or 0.0, what)


def pause(seconds: float) -> Program[None]:
    """Let time pass."""
    yield Wait(None, seconds)
