"""Serves a key engine to many clients at a Unix socket: one loop, one thread, nothing that waits for a client.

What clients have sent is taken in batches, what it changed is kept, and only then is anything answered. What a client
does not read stays in its port of the engine, whose bounds keep a slow one from costing more than them.
"""

from __future__ import annotations

import errno
import os
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.engine import Engine
from ..engine.port import Port
from ..errors import LimitError
from ..spec.model import HEADER_SIZE
from . import header, notices
from .keeping import Keeper
from .listening import Peer, listen, peer

MAX_MESSAGE = 1 << 16
"""Bytes of a request that are taken unless the server was told otherwise."""

BATCH = 256
"""Requests that are taken from one client before the others have their turn."""

CHUNK = 1 << 16
"""Bytes of answers that are taken from a port at once."""

MOST_WAITING = CHUNK // HEADER_SIZE + 1024
"""Packets that wait for a client beside its port: those that were taken from there, and some refusals."""

RESERVE = 8
"""Files that clients leave to this process: for snapshots, and for modules that are loaded when they are needed."""

_NO_MORE_FILES = (errno.EMFILE, errno.ENFILE)


@dataclass(eq=False)
class Connection:
    """One client."""

    socket: socket.socket
    port: Port
    peer: Peer
    wants_notices: bool = False
    told: int = 0
    """Lost messages that the client was told of."""
    outgoing: list[bytes] = field(default_factory=list)
    """Packets that were taken from the port and not sent yet, the next one last."""
    blocked: bool = False
    """Whether the system takes no more at the moment."""


@dataclass(frozen=True)
class Limits:
    """What clients may use."""

    clients: int = 1024
    message: int = MAX_MESSAGE
    uids: frozenset[int] = frozenset()
    """Users beside the server's own and root who may connect."""


class Server:
    """An engine behind a socket. `run` serves until `stop`; both may be called from different threads."""

    def __init__(
        self,
        engine: Engine,
        path: Path,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        keeper: Keeper | None = None,
    ) -> None:
        """Listen at `path`. `clock` is the engine's. Raises TransportError if that cannot be.

        `keeper` keeps the engine's state; what it raises when it cannot ends `run`, with nothing answered since.
        """
        self.engine = engine
        self.path = path
        self.limits = Limits() if limits is None else limits
        self.refused = 0
        """Connections that were closed because their users may not, or there were too many."""
        self._clock = clock
        self._keeper = keeper
        self._listener = listen(path)
        self._connections: dict[socket.socket, Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._due: list[Callable[[], None]] = []
        self._stopping = False
        self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)  # is given up when there are no more files

    @property
    def clients(self) -> int:
        """Connections at the moment."""
        return len(self._connections)

    def stop(self) -> None:
        """End `run` after what it is doing. May be called from a signal handler or another thread."""
        self._stopping = True
        self.call()

    def call(self, function: Callable[[], None] | None = None) -> None:
        """Have the serving thread call a function between two batches."""
        if function is not None:
            self._due.append(function)
        with suppress(OSError):
            self._wake.send(b"\0")

    def run(self) -> None:
        """Serve until `stop`, then close everything and remove the socket."""
        try:
            while not self._stopping:
                self._turn(self._selector.select(self._patience()))
        finally:
            self.close()

    def close(self) -> None:
        """Close all connections and the socket."""
        self.path.unlink(missing_ok=True)
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._selector.close()
        for each in (self._listener, self._wake, self._woken):
            each.close()
        os.close(self._spare)

    def _patience(self) -> float | None:
        deadline = self.engine.next_deadline()
        waits = [] if deadline is None else [max(0.0, deadline - self._clock())]
        if self._keeper is not None and (wait := self._keeper.patience()) is not None:
            waits.append(wait)
        return min(waits, default=None)

    def _turn(self, ready: Iterable[tuple[selectors.SelectorKey, int]]) -> None:
        for key, events in ready:
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._woken:
                self._woken.recv(1 << 12)
            elif (connection := self._connections.get(key.fileobj)) is not None:  # type: ignore[call-overload]
                if events & selectors.EVENT_WRITE:
                    connection.blocked = False
                if events & selectors.EVENT_READ:
                    self._read(connection)
        while self._due:
            self._due.pop(0)()
        self.engine.advance()
        if self._keeper is not None:
            self._keeper.commit()
        for connection in list(self._connections.values()):
            self._write(connection)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError as error:
            if error.errno in _NO_MORE_FILES:
                self._turn_away()
            return
        accepted.setblocking(False)
        if self.limits.message > CHUNK:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * self.limits.message)
        who = peer(accepted)
        if self._is_full(accepted) or not self._may(who):
            self.refused += 1
            accepted.close()
            return
        port = self.engine.connect(who.pid, name=f"{self.path.name}, user {who.uid}")
        self._connections[accepted] = Connection(accepted, port, who)
        self._selector.register(accepted, selectors.EVENT_READ)

    def _turn_away(self) -> None:
        """Close a connection for which this process may have no more files; it would stay at the door for ever."""
        os.close(self._spare)
        with suppress(OSError):
            self._listener.accept()[0].close()
            self.refused += 1
        self._spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _is_full(self, accepted: socket.socket) -> bool:
        """Whether there is no place for this client. The system gives the lowest number that is free."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        no_file = files != resource.RLIM_INFINITY and accepted.fileno() >= files - RESERVE
        return no_file or len(self._connections) >= self.limits.clients

    def _may(self, who: Peer) -> bool:
        return who.uid in (0, os.geteuid()) or who.uid in self.limits.uids

    def _read(self, connection: Connection) -> None:
        """Take a batch of requests and hand them to the engine, the sound ones together."""
        batch = bytearray()
        for _ in range(BATCH):
            try:
                packet = connection.socket.recv(self.limits.message + 1)
            except BlockingIOError:
                break
            except OSError:
                packet = b""
            if not packet:
                self._handle_many(connection, batch)
                self._drop(connection)
                return
            if packet == notices.HELLO:
                connection.wants_notices = True
                self._tell(connection, notices.pack(notices.WELCOME, self.engine.dialect.name))
            elif self._is_whole(packet):
                batch += packet
            else:
                self._handle_many(connection, batch)
                self._refuse(connection, packet, errno.EMSGSIZE)
        self._handle_many(connection, batch)

    def _is_whole(self, packet: bytes) -> bool:
        size = len(packet)
        return HEADER_SIZE <= size <= self.limits.message and size == header.length(memoryview(packet))

    def _handle_many(self, connection: Connection, batch: bytearray) -> None:
        if batch:
            requests = bytes(batch)
            batch.clear()
            failures = dict(self.engine.handle_many(connection.port, requests).failures)
            if failures:
                for index, request in enumerate(_apart(requests)):
                    if index in failures:
                        self._refuse(connection, request, failures[index])

    def _refuse(self, connection: Connection, packet: bytes, number: int) -> None:
        """Tell a client what a kernel would have told it in send()."""
        if connection.wants_notices:
            self._tell(connection, notices.pack(notices.REFUSED, number))
        elif len(packet) >= HEADER_SIZE:
            self._tell(connection, header.error(memoryview(packet), number))

    def _tell(self, connection: Connection, packet: bytes) -> None:
        """Send a packet of the server's own, which is lost and counted if the client reads nothing."""
        if len(connection.outgoing) < MOST_WAITING:
            connection.outgoing.insert(0, packet)
        else:
            connection.port.dropped += 1

    def _write(self, connection: Connection) -> None:
        """Send what waits, as far as the system takes it."""
        port = connection.port
        while not connection.blocked and (connection.outgoing or port.queued or port.dropped > connection.told):
            if not connection.outgoing:
                connection.outgoing = self._taken(connection)
                continue
            try:
                connection.socket.send(connection.outgoing[-1])
            except BlockingIOError:
                connection.blocked = True
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    self._drop(connection)
                    return
                connection.outgoing.pop()
                port.dropped += 1
            else:
                connection.outgoing.pop()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.blocked else 0)
        if self._selector.get_key(connection.socket).events != events:
            self._selector.modify(connection.socket, events)

    def _taken(self, connection: Connection) -> list[bytes]:
        """Packets from the port, last one first: messages, or behind the last of them how many were lost."""
        port = connection.port
        if port.queued:
            try:
                found = list(_apart(port.receive(CHUNK)))
            except LimitError:  # a record or a copy of a long message is longer still
                found = [port.receive_one()]
        else:
            lost, connection.told = port.dropped - connection.told, port.dropped
            found = [notices.pack(notices.LOST, lost)] if connection.wants_notices else []
        return found[::-1]

    def _drop(self, connection: Connection) -> None:
        del self._connections[connection.socket]
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self.engine.disconnect(connection.port)


def _apart(messages: bytes) -> Iterator[bytes]:
    """Messages that lie back to back, one by one."""
    start, view = 0, memoryview(messages)
    while start < len(messages):
        size = header.length(view, start)
        yield messages[start : start + size]
        start += size
