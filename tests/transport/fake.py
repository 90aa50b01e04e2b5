"""A key engine of a few lines, with which a client is tested: it answers as Linux does, and misbehaves on request."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from corpus.groundtruth import capture

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.errors import OverrunError, TransportError
from fastpfkey.spec.model import Dialect
from fastpfkey.transport import header
from fastpfkey.transport.endpoint import Role
from fastpfkey.wire.message import Message, MessageValue

if TYPE_CHECKING:
    from typing_extensions import Buffer

Type = pf.MessageType
LINUX = spec.dialect("linux")
ENOENT, ESRCH, EBUSY, EEXIST, EINVAL = 2, 3, 16, 17, 22
FOREIGN = 815
REGISTERED = capture("linux-register-esp.bin")


class FakeEndpoint:
    """A queue of messages that the engine fills; None in it is a loss."""

    def __init__(self, engine: FakeEngine, role: Role) -> None:
        self.engine, self.role = engine, role
        self.pid = os.getpid()
        self.queue: deque[bytes | None] = deque()
        self.registered: set[pf.SAType] = set()
        self.closed = False
        self._outer, self._inner = socket.socketpair()

    def fileno(self) -> int:
        return self._outer.fileno()

    def push(self, *messages: bytes | None) -> None:
        """Let messages come."""
        if not self.queue:
            self._inner.send(b"\0")
        self.queue.extend(messages)

    def send(self, message: Buffer) -> None:
        (request,) = pf.decode(bytes(message), LINUX)
        self.engine.handle(self, request)

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        view = memoryview(messages)
        for count, offset in enumerate(offsets):
            try:
                self.send(view[offset : offset + header.length(view, offset)])
            except TransportError:
                if count:
                    return count
                raise
        return len(offsets)

    def receive(self, buffer: Buffer, timeout: float | None = None) -> int:
        assert timeout == 0, "a client waits by itself"
        view, used = memoryview(buffer), 0
        while self.queue and used + (1 << 16) <= len(view):
            if self.queue[0] is None and used:
                break
            message = self.queue.popleft()
            if not self.queue:
                self._outer.recv(1)
            if message is None:
                raise OverrunError(105, "lost")
            view[used : used + len(message)] = message
            used += len(message)
        return used

    def close(self) -> None:
        self.closed = True
        self._outer.close()
        self._inner.close()


@dataclass
class FakeEngine:
    """A source whose endpoints lead to a table in memory. `before` may answer a request itself, by returning True."""

    name: str = "fake"
    dialect: Dialect = LINUX
    table: dict[tuple[pf.SAType, int], Message] = field(default_factory=dict)
    policies: dict[int, Message] = field(default_factory=dict)
    endpoints: list[FakeEndpoint] = field(default_factory=list)
    requests: list[tuple[Role, Message]] = field(default_factory=list)
    before: Callable[[FakeEndpoint, Message], bool] = lambda endpoint, request: False

    def open_endpoint(self, role: Role) -> FakeEndpoint:
        self.endpoints.append(FakeEndpoint(self, role))
        return self.endpoints[-1]

    @property
    def live(self) -> list[FakeEndpoint]:
        return [endpoint for endpoint in self.endpoints if not endpoint.closed]

    def tell(self, message: Message, to: Iterable[FakeEndpoint] | None = None) -> None:
        """A message for all, or for some."""
        for endpoint in self.live if to is None else to:
            endpoint.push(message.encode())

    def event(self, kind: Type, *extensions: object, satype: pf.SAType = pf.SAType.ESP) -> None:
        """A change that somebody else made."""
        self.tell(MessageValue(kind, satype, seq=1, pid=FOREIGN, extensions=extensions, dialect=LINUX))  # type: ignore[arg-type]

    def handle(self, endpoint: FakeEndpoint, request: Message) -> None:
        self.requests.append((endpoint.role, request))
        if self.before(endpoint, request):
            return
        answer = getattr(self, f"on_{request.type.name.lower()}", None)
        if answer is None:
            raise TransportError(EINVAL, "no such message")
        errno = answer(endpoint, request)
        if errno:
            self.tell(request.replace(errno=errno, extensions=()), [endpoint])

    def on_add(self, endpoint: FakeEndpoint, request: Message) -> int:
        if request.sa is None:
            return EINVAL
        if (request.satype, request.sa.spi) in self.table:
            return EEXIST
        self.table[request.satype, request.sa.spi] = request
        self.tell(request)
        return 0

    def on_get(self, endpoint: FakeEndpoint, request: Message) -> int:
        if request.sa is None:
            return EINVAL
        found = self.table.get((request.satype, request.sa.spi))
        if found is None:
            return ESRCH
        self.tell(found.replace(type=Type.GET, seq=request.seq, pid=request.pid), [endpoint])
        return 0

    def on_delete(self, endpoint: FakeEndpoint, request: Message) -> int:
        found = request.sa and self.table.pop((request.satype, request.sa.spi), None)
        if not found:
            return ESRCH
        self.tell(found.replace(type=Type.DELETE, seq=request.seq, pid=request.pid))
        return 0

    def on_getspi(self, endpoint: FakeEndpoint, request: Message) -> int:
        assert request.spirange is not None
        for spi in range(request.spirange.min, request.spirange.max + 1):
            if (request.satype, spi) not in self.table:
                sa = pf.requests.get(request.satype, spi, "::", "::", dialect=LINUX).sa
                self.table[request.satype, spi] = request
                self.tell(request.replace(extensions=(sa, request.address_src, request.address_dst)), [endpoint])
                return 0
        return ENOENT

    def on_flush(self, endpoint: FakeEndpoint, request: Message) -> int:
        self.tell(request, [endpoint])
        if self.table:
            self.table.clear()
            self.tell(request)
        return 0

    def on_register(self, endpoint: FakeEndpoint, request: Message) -> int:
        if request.satype in endpoint.registered:
            return EEXIST
        if request.satype is not pf.SAType.UNSPEC:
            endpoint.registered.add(request.satype)
        supported = pf.decode(REGISTERED, LINUX, "little")[0].extensions
        self.tell(request.replace(extensions=supported), {endpoint, *(end for end in self.live if end.registered)})
        return 0

    def on_acquire(self, endpoint: FakeEndpoint, request: Message) -> int:
        return 95 if request.extensions else 0

    def on_dump(self, endpoint: FakeEndpoint, request: Message) -> int:
        return self._dump(endpoint, request, list(self.table.values()))

    def on_spddump(self, endpoint: FakeEndpoint, request: Message) -> int:
        return self._dump(endpoint, request, list(self.policies.values()))

    def on_spdadd(self, endpoint: FakeEndpoint, request: Message) -> int:
        assert request.policy is not None
        number = 8 * (len(self.policies) + 1)
        self.policies[number] = request
        self.tell(request)
        return 0

    def on_spdflush(self, endpoint: FakeEndpoint, request: Message) -> int:
        self.policies.clear()
        self.tell(request, [endpoint])
        return 0

    def _dump(self, endpoint: FakeEndpoint, request: Message, table: list[Message]) -> int:
        for number, message in enumerate(table, 1):
            header = {"type": request.type, "seq": number % len(table), "pid": request.pid}
            self.tell(message.replace(**header), [endpoint])
        return 0 if table else ENOENT
