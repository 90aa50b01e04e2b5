"""Events as they come: registered or not, in bursts, with losses told and, if wanted, made good by a dump."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..columns.associations import SATable
from ..errors import OverrunError, ReplyError
from ..session.events import Event, EventKind, EventReader
from ..session.pending import Pending
from ..spec.terms import MessageType
from ..wire import requests
from ..wire.message import Message
from ..wire.requests.values import Name
from .endpoint import Endpoint, Role
from .exchange import raise_refusal, reply_of, send
from .programs import Context, Deadline, Program, Wait
from .reading import dump


@dataclass(frozen=True, slots=True)
class Resync(Event):
    """The table after messages were lost; what comes behind may tell of changes that it shows already."""

    table: SATable | None = None


class Watch:
    """The endpoint for events of one client, and what was heard on it but not yet asked for."""

    def __init__(self, context: Context, endpoint: Endpoint) -> None:
        self._context = context
        self._endpoint = endpoint
        self._reader = EventReader(context.codec)
        self._backlog: deque[Sequence[Event]] = deque()

    @property
    def unreadable(self) -> int:
        """Messages that could not be read and are in no burst."""
        return self._reader.unreadable

    def register(self, satype: Name, timeout: float | None) -> Program[Message]:
        """Register for an SA type, and return the lists of algorithms; events that come meanwhile are kept."""
        message = requests.register(satype, dialect=self._context.dialect)
        pending = send(self._context, self._endpoint, message)
        deadline = Deadline(self._context, timeout)
        while not pending.done:
            burst = self._hear([pending])
            if burst:
                self._backlog.append(burst)
            if burst is None and not pending.done:
                yield from deadline.wait(self._endpoint, f"the reply to {MessageType.REGISTER.name}")
        raise_refusal(self._context, message, pending)
        return reply_of(self._context, pending)

    def read(self, timeout: float | None) -> Program[Sequence[Event]]:
        """What came next, all at once; nothing if nothing does within the timeout."""
        if self._backlog:
            return self._backlog.popleft()
        deadline = Deadline(self._context, timeout)
        while True:
            burst = self._hear()
            if burst:
                return burst
            if burst is None:
                remaining = deadline.remaining
                if remaining == 0.0 or not (yield Wait(self._endpoint, remaining)):
                    return ()

    def _hear(self, pending: Iterable[Pending] = ()) -> Sequence[Event] | None:
        """The events among what has come; None if nothing has."""
        context = self._context
        with context.pool.acquire() as lease, memoryview(lease) as view:
            lease.holds_keys = True
            try:
                size = self._endpoint.receive(view, 0)
            except OverrunError:
                return (Event(EventKind.OVERRUN, context.calendar()),)
            return self._reader.read(bytes(view[:size]), context.calendar(), pending) if size else None


def watch(context: Context) -> Watch:
    """The watch of a client, which begins when it is first asked for."""
    if context.watch is None:
        context.watch = Watch(context, context.endpoint(Role.EVENTS))
    return context.watch


@dataclass(frozen=True)
class Wanted:
    """What a monitor was asked for."""

    register: tuple[Name, ...]
    """SA types to register for, so that the engine tells of what expires and what is needed."""
    resync: bool
    """Whether losses are made good by a dump."""
    timeout: float | None
    """Seconds of silence after which the events end."""


def begin(context: Context, wanted: Wanted) -> Program[None]:
    """Register. That a type is registered for already is fine."""
    for satype in wanted.register:
        try:
            yield from watch(context).register(satype, context.timeout)
        except ReplyError as error:
            if error.name != "EEXIST":
                raise


def next_burst(context: Context, wanted: Wanted) -> Program[Sequence[Event]]:
    """What came next, and behind a loss, if that is wanted, the table as it is then; nothing at the end."""
    burst = yield from watch(context).read(wanted.timeout)
    if wanted.resync and burst and burst[0].kind is EventKind.OVERRUN:
        table = yield from dump(context)
        burst = (*burst, Resync(EventKind.RESYNC, context.calendar(), table=table))
    return burst
