"""An engine in this process: its endpoints, in whichever threads they are used, and time that passes for it.

Calls of the engine take turns. After each of them every endpoint with something to give is readable, so that whoever
waits on its descriptor wakes up, whatever it was that brought a message: a request of another endpoint, or time. For
the latter a thread waits for what is due next, as long as an endpoint for events is open; all others see to it
themselves when they are read.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..engine.engine import Engine
from ..engine.port import Port
from ..errors import OverrunError, TransportError
from . import header
from .endpoint import Role, check_room

if TYPE_CHECKING:
    from typing_extensions import Buffer


UNREAD = 1 << 24
"""Bytes of messages that may wait for an endpoint."""

PACE = 1 << 22
"""Bytes of a dump that may wait: enough that its reader works on many messages at once, and few enough for a cache."""


class Host:
    """An engine, and those who use it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Condition()
        self._endpoints: list[PortEndpoint] = []
        self._listening = 0

    def open(self, role: Role) -> PortEndpoint:
        """A new endpoint, with room for all of a dump if the engine does not wait for its reader."""
        engine = self._engine
        with self._turn:
            paced = role is Role.DUMPS and engine.profile.dump == "paced"
            limit = PACE if paced else UNREAD + engine.octets
            endpoint = PortEndpoint(self, engine.connect(pid=os.getpid(), limit=limit), role)
            self._endpoints.append(endpoint)
            if role is Role.EVENTS:
                self._listening += 1
                if self._listening == 1:
                    threading.Thread(target=self._keep_time, name="fastpfkey engine", daemon=True).start()
        return endpoint

    def handle(self, port: Port, message: bytes) -> None:
        """Have the engine act on a message. Raises TransportError if it refuses to."""
        with self._turn:
            try:
                self._engine.handle(port, message)
            except OSError as error:
                number = error.errno or 0
                raise TransportError(number, f"the engine refuses a message: {os.strerror(number)}") from error
            finally:
                self._show()
                self._turn.notify_all()  # something else may be due next

    def receive(self, port: Port, room: memoryview) -> int:
        """Write what waits for a port into `room`, and return how many bytes that is."""
        with self._turn:
            self._engine.advance()
            size = port.receive_into(room)
            self._show()
        return size

    def close(self, endpoint: PortEndpoint) -> None:
        """Forget an endpoint."""
        with self._turn:
            self._endpoints.remove(endpoint)
            self._engine.disconnect(endpoint.port)
            self._listening -= endpoint.role is Role.EVENTS
            self._turn.notify_all()

    def _show(self) -> None:
        for endpoint in self._endpoints:
            endpoint.show()

    def _keep_time(self) -> None:
        with self._turn:
            while self._listening:
                left = self._engine.time_left()
                if left is None or left > 0:
                    self._turn.wait(left)
                else:
                    self._engine.advance()
                    self._show()


class PortEndpoint:
    """A port of an engine in this process, as `endpoint.Endpoint`."""

    def __init__(self, host: Host, port: Port, role: Role) -> None:
        self.port = port
        self.role = role
        self.pid = port.pid
        """What requests have to carry as sadb_msg_pid."""
        self._host = host
        self._told = 0
        """Losses that were told."""
        self._shown = self._closed = False
        # Its outer end is readable for as long as there is something to give, as a socket to a kernel would be.
        self._outer, self._inner = socket.socketpair()

    def fileno(self) -> int:
        """A file descriptor that polls as readable when there are messages."""
        return self._outer.fileno()

    def send(self, message: Buffer) -> None:
        """Send one message. Raises TransportError if it is refused."""
        if self._closed:
            raise TransportError(errno.EBADF, "the endpoint is closed")
        self._host.handle(self.port, bytes(memoryview(message).cast("B")))

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        """Send the messages that begin at these offsets, up to the first that is refused."""
        view = memoryview(messages).cast("B")
        for place, offset in enumerate(offsets):
            try:
                self.send(view[offset : offset + header.length(view, offset)])
            except TransportError:
                if not place:
                    raise
                return place
        return len(offsets)

    def receive(self, buffer: Buffer, timeout: float | None = None) -> int:
        """Write as many messages as fit into `buffer`, back to back, and return how many bytes they are."""
        view = check_room(buffer)
        size = self._host.receive(self.port, view)
        if not size and timeout != 0 and not self._lost():
            poll = select.poll()
            poll.register(self._outer, select.POLLIN)
            poll.poll(None if timeout is None else timeout * 1000)
            size = self._host.receive(self.port, view)
        if not size and (lost := self._lost()):
            self._told = self.port.dropped
            raise OverrunError(errno.ENOBUFS, f"the engine dropped {lost} messages for this client")
        return size

    def _lost(self) -> int:
        return self.port.dropped - self._told

    def show(self) -> None:
        """Be readable if there is something to give, and not otherwise."""
        readable = self.port.queued > 0 or self._lost() > 0
        if readable and not self._shown:
            self._inner.send(b"\0")
        elif self._shown and not readable:
            self._outer.recv(1)
        self._shown = readable

    def close(self) -> None:
        """Close the port, and forget what was not fetched."""
        if not self._closed:
            self._closed = True
            self._host.close(self)
            self._outer.close()
            self._inner.close()
