"""Both clients behind one face, so that every test is made of both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastpfkey as pf

from .fake import FakeEngine


class Awaited:
    """An asynchronous client or monitor as a blocking one: whatever has to be awaited is."""

    def __init__(self, subject: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.subject, self.loop = subject, loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.subject, name)
        if name == "bursts":
            return lambda: self._each(found())
        return self._call(found) if callable(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("subject", "loop"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.subject, name, value)

    def _call(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            if inspect.iscoroutine(found):
                return self.loop.run_until_complete(found)
            return Awaited(found, self.loop) if isinstance(found, pf.aio.Monitor) else found

        return call

    def _each(self, found: Any) -> Iterator[Any]:
        try:
            while True:
                yield self.loop.run_until_complete(anext(found))
        except StopAsyncIteration:
            return

    def __iter__(self) -> Any:
        return self._each(aiter(self.subject))

    def __next__(self) -> Any:
        return next(iter(self))

    def __enter__(self) -> Any:
        self.loop.run_until_complete(self.subject.__aenter__())
        return self

    def __exit__(self, *exception: Any) -> None:
        self.loop.run_until_complete(self.subject.__aexit__(*exception))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Opens clients of a source, which are closed at the end; nothing that they opened stays open."""
    clients = []
    loop = asyncio.new_event_loop()

    def open_client(source: Any, **options: Any) -> Any:
        blocking = request.param == "blocking"
        client = pf.Client.open(source, **options) if blocking else pf.aio.Client.open(source, **options)
        clients.append(client if blocking else Awaited(client, loop))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()
    loop.close()


@pytest.fixture
def client(connect: Callable[..., Any], engine: FakeEngine) -> Any:
    """A client of the engine of this test."""
    return connect(engine, timeout=0.2)
