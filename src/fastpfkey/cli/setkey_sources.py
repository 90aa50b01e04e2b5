"""What setkey's requests go to: a key engine by its name, or recorded messages that answer dumps alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

from ..errors import OverrunError
from ..setkey.running import Engine
from ..spec.model import Dialect
from ..spec.terms import MessageType, SAType
from ..transport.client import Client
from ..transport.endpoint import ROOM, Role
from ..transport.endpoint import Source as Engines
from ..transport.sources import source
from ..wire import requests
from ..wire.decode import decode
from ..wire.message import Message, MessageValue, MessageView
from .errors import SourceError
from .sources import Source, parse
from .telling import tell

LIVE = re.compile(r"kernel|engine|unix:.*", re.DOTALL)
"""The names of key engines."""


class Watchable(Engine, Protocol):
    """An engine that can be watched."""

    def watched(self) -> Iterator[MessageView]:
        """Every message that anybody gets."""
        ...

    def close(self) -> None:
        """Give the sockets back."""
        ...


@dataclass(frozen=True)
class Recorded:
    """Messages that were recorded, or made up: they can be dumped and nothing else."""

    source: Source
    dialect: Dialect

    @property
    def pid(self) -> int:
        """What setkey's requests carry; here none is sent."""
        return os.getpid()

    def request(self, message: MessageValue) -> Message:
        """Refuse it."""
        raise SourceError(f"{self.source.name}: recorded messages take no {message.type.label}; dumps alone")

    def dump(self, message: MessageValue) -> Iterator[memoryview]:
        """The messages, a window at a time, of one SA type if the request names one."""
        for window in self.source.windows():
            if message.type is MessageType.DUMP and message.satype is not SAType.UNSPEC:
                batch = decode(window.messages, self.dialect)
                yield memoryview(b"".join(view.raw for view in batch if view.satype is message.satype))
            else:
                yield window.messages

    def watched(self) -> Iterator[MessageView]:
        """All of them, one after the other."""
        for window in self.source.windows():
            yield from decode(window.messages, self.dialect)

    def close(self) -> None:
        """Nothing is open."""


class Live:
    """A key engine."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self.dialect = engines.dialect
        self.client = Client(engines)

    @property
    def pid(self) -> int:
        """What requests carry."""
        return self.client.pid

    def request(self, message: MessageValue) -> Message:
        """Send a request and return its reply."""
        return self.client.request(message)

    def dump(self, message: MessageValue) -> Iterator[memoryview]:
        """The messages of a dump. One that is not whole is told of."""
        if message.type is MessageType.DUMP:
            table = self.client.dump(message.satype, columns=["spi"])
        else:
            table = self.client.dump_policies(columns=["spid"])  # type: ignore[assignment]
        if not table.complete:
            missing = "some" if table.missing is None else f"{table.missing:,}"
            tell(f"{self.engines.name}: {missing} messages of the dump were lost")
        if len(table) and table.buffer is not None:
            yield table.buffer

    def close(self) -> None:
        """Give the sockets back."""
        self.client.close()

    def watched(self) -> Iterator[MessageView]:
        """Every message, for ever: the engine is asked for copies of all."""
        endpoint = self.engines.open_endpoint(Role.EVENTS)
        buffer = memoryview(bytearray(4 * ROOM))
        try:
            endpoint.send(requests.promisc(True, seq=1, pid=endpoint.pid, dialect=self.dialect).encode())
            while True:
                try:
                    size = endpoint.receive(buffer)
                except OverrunError as error:
                    tell(f"{self.engines.name}: {error}")
                    continue
                for message in decode(bytes(buffer[:size]), self.dialect, on_error="skip"):
                    yield message.payload or message
        finally:
            endpoint.close()


@contextmanager
def engine_of(text: str, dialect: Dialect) -> Iterator[Watchable]:
    """What a name on the command line stands for, for the time that it is needed.

    Raises SourceError for a name that there is not.
    """
    with closing(_engine_of(text, dialect)) as engine:
        yield engine


def _engine_of(text: str, dialect: Dialect) -> Watchable:
    if not LIVE.fullmatch(text):
        return Recorded(parse(text, dialect, "native"), dialect)
    try:
        return Live(source(text, dialect))
    except ValueError as error:
        raise SourceError(str(error)) from None
