"""A client that blocks: every operation returns when it is done.

    with pf.Client.open("kernel") as client:
        spi = client.getspi("esp", "192.0.2.1", "192.0.2.2")
        table = client.dump("esp")

What it does stands in `operations`, `reading` and `watching`; here it only waits.
"""

from __future__ import annotations

import errno
import select
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

from ..errors import CancelledError
from ..session.events import Event
from ..wire.requests.values import Name
from . import applying, bulk, operations, reading
from .base import BaseClient
from .dumping import dump_messages
from .endpoint import Source
from .programs import TIMEOUT, Context, Program, Wait
from .watching import Wanted, begin, next_burst, watch

P = ParamSpec("P")
T = TypeVar("T")


class Waiter:
    """Runs programs, and waits for them with poll(2) until somebody cancels that."""

    def __init__(self) -> None:
        self._inner, self._outer = socket.socketpair()
        self._inner.setblocking(False)

    def run(self, program: Program[T]) -> T:
        """Run a program to its end. Raises what it raises, and CancelledError."""
        try:
            wait = next(program)
            while True:
                wait = program.send(self._wait(wait))
        except StopIteration as stop:
            found: T = stop.value
            return found
        finally:
            program.close()

    def cancel(self) -> None:
        """Let whatever waits raise CancelledError; if nothing does, the next to wait."""
        self._outer.send(b"\0")

    def close(self) -> None:
        """Give the sockets back. May be called again."""
        self._inner.close()
        self._outer.close()

    def _wait(self, wait: Wait) -> bool:
        poll = select.poll()
        poll.register(self._inner, select.POLLIN)
        if wait.endpoint is not None:
            poll.register(wait.endpoint, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(None if wait.seconds is None else wait.seconds * 1000)}
        if self._inner.fileno() in ready:
            self._inner.recv(1)
            raise CancelledError(errno.ECANCELED, "another thread cancelled what was being waited for")
        return bool(ready)


def method(operation: Callable[Concatenate[Context, P], Program[T]]) -> Callable[Concatenate[Client, P], T]:
    """An operation as a method; those of one client take turns."""

    @wraps(operation)
    def call(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._turn:
            return self._waiter.run(operation(self._context, *args, **kwargs))

    return call


def _reader(operation: Callable[Concatenate[Context, P], Program[T]]) -> Callable[Concatenate[Client, P], T]:
    """An operation with an endpoint of its own as a method."""

    @wraps(operation)
    def call(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._waiter.run(operation(self._context, *args, **kwargs))

    return call


class Client(BaseClient):
    """A conversation with a key engine. Open it with `Client.open`, and close it or use it in a with statement.

    Requests and events have sockets of their own, which are opened when they are first needed, and so has every dump:
    nothing that only reads registers, and no event is lost for a dump. Threads may share a client; their requests take
    turns.

    Requests take what the function of their name in `requests` does, but for the dialect, and return the reply, or what
    of it is asked for. They raise EncodeError for what cannot be said, ReplyError if the engine refuses, NoReplyError
    if nothing comes in time, CancelledError, and TransportError for all else that sockets do.
    """

    def __init__(self, source: Source, timeout: float | None = TIMEOUT) -> None:
        super().__init__(source, timeout)
        self._turn = threading.Lock()
        self._waiter = Waiter()

    request = method(operations.request)
    add = method(operations.add)
    update = method(operations.update)
    delete = method(operations.delete)
    get = method(operations.get)
    getspi = method(operations.getspi)
    acquire = method(operations.acquire)
    acquire_failure = method(operations.acquire_failure)
    flush = method(operations.flush)
    register = method(operations.register)
    add_many = method(bulk.add_many)
    update_many = method(bulk.update_many)
    delete_many = method(bulk.delete_many)
    apply = method(applying.apply)
    spdadd = method(operations.spdadd)
    spdupdate = method(operations.spdupdate)
    spdsetidx = method(operations.spdsetidx)
    spddelete = method(operations.spddelete)
    spddelete2 = method(operations.spddelete2)
    spdget = method(operations.spdget)
    spdflush = method(operations.spdflush)
    migrate = method(operations.migrate)
    algorithms = _reader(reading.algorithms)
    dump = _reader(reading.dump)
    dump_messages = _reader(dump_messages)
    dump_policies = _reader(reading.dump_policies)

    def monitor(self, register: Iterable[Name] = (), *, resync: bool = False, timeout: float | None = None) -> Monitor:
        """Events from now on: an iterator, which ends after `timeout` seconds of silence, and otherwise never.

        Registering for SA types lets the engine tell what expires and what it needs as well, and wait for associations
        that it asks for; without that nothing is disturbed. Where messages were lost, an OVERRUN event says so, and
        with `resync` a RESYNC event behind it has the table as it is then.
        """
        return Monitor(self, Wanted(tuple(register), resync, timeout))

    def cancel(self) -> None:
        """From another thread: let the operation that waits raise CancelledError, or the next that would."""
        self._waiter.cancel()

    def close(self) -> None:
        """Give all sockets back, which ends registrations. May be called again."""
        super().close()
        self._waiter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Monitor:
    """Events, one by one by iterating, or as they came by `bursts`. A with statement ends the listening."""

    def __init__(self, client: Client, wanted: Wanted) -> None:
        self._client = client
        self._wanted = wanted
        self._begun = False
        self._events: Iterator[Event] | None = None
        watch(client._context)

    def bursts(self) -> Iterator[Sequence[Event]]:
        """What came at one time, all at once: a `Burst` if it is messages, which has them in bulk too."""
        self._begin()
        run, context = self._client._waiter.run, self._client._context
        while burst := run(next_burst(context, self._wanted)):
            yield burst

    def close(self) -> None:
        """Stop listening, which ends all registrations of the client."""
        self._client._context.stop_watching()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if self._events is None:
            self._events = (event for burst in self.bursts() for event in burst)
        return next(self._events)

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _begin(self) -> None:
        if not self._begun:
            self._client._waiter.run(begin(self._client._context, self._wanted))
            self._begun = True
