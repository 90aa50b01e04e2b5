"""A client whose operations are awaited. What it does stands in `operations`, `reading` and `watching`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from ...session.events import Event
from ...wire.requests.values import Name
from .. import applying, bulk, operations, reading
from ..base import BaseClient
from ..dumping import dump_messages
from ..endpoint import Source
from ..programs import TIMEOUT, Context, Program, Wait
from ..watching import Wanted, begin, next_burst, watch

P = ParamSpec("P")
T = TypeVar("T")


async def run(program: Program[T]) -> T:
    """Run a program to its end; the loop goes on while it waits."""
    try:
        wait = next(program)
        while True:
            wait = program.send(await _wait(wait))
    except StopIteration as stop:
        found: T = stop.value
        return found
    finally:
        program.close()


async def _wait(wait: Wait) -> bool:
    if wait.endpoint is None:
        await asyncio.sleep(wait.seconds or 0.0)
        return False
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    descriptor = wait.endpoint.fileno()
    loop.add_reader(descriptor, readable.set)
    try:
        async with asyncio.timeout(wait.seconds):
            await readable.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
    return True


def method(
    operation: Callable[Concatenate[Context, P], Program[T]],
) -> Callable[Concatenate[Client, P], Coroutine[Any, Any, T]]:
    """An operation as a method; those of one client take turns."""

    @wraps(operation)
    async def call(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._turn:
            return await run(operation(self._context, *args, **kwargs))

    return call


def _reader(
    operation: Callable[Concatenate[Context, P], Program[T]],
) -> Callable[Concatenate[Client, P], Coroutine[Any, Any, T]]:
    """An operation with an endpoint of its own as a method."""

    @wraps(operation)
    async def call(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(operation(self._context, *args, **kwargs))

    return call


class Client(BaseClient):
    """As `fastpfkey.Client`. Tasks may share it; their requests take turns."""

    def __init__(self, source: Source, timeout: float | None = TIMEOUT) -> None:
        super().__init__(source, timeout)
        self._turn = asyncio.Lock()

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
        """As `fastpfkey.Client.monitor`: an asynchronous iterator of events."""
        return Monitor(self, Wanted(tuple(register), resync, timeout))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()


class Monitor:
    """As the blocking client's, with `async for` and `async with`."""

    def __init__(self, client: Client, wanted: Wanted) -> None:
        self._context = client._context
        self._wanted = wanted
        self._begun = False
        self._events: AsyncIterator[Event] | None = None
        watch(self._context)

    async def bursts(self) -> AsyncIterator[Sequence[Event]]:
        """What came at one time, all at once: a `Burst` if it is messages, which has them in bulk too."""
        await self._begin()
        while burst := await run(next_burst(self._context, self._wanted)):
            yield burst

    def close(self) -> None:
        """Stop listening, which ends all registrations of the client."""
        self._context.stop_watching()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._events is None:
            self._events = (event async for burst in self.bursts() for event in burst)
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    async def _begin(self) -> None:
        if not self._begun:
            await run(begin(self._context, self._wanted))
            self._begun = True
