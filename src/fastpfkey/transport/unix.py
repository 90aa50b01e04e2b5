"""Sources at a Unix socket: an engine that `fastpfkey serve` or another program offers there.

Messages are packets, as they are on a PF_KEY socket. What a kernel's send() refuses at once is told by a notice behind
it, and raised by the next call.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import OverrunError, TransportError
from ..spec import dialect as find_dialect
from ..spec.model import Dialect
from . import notices
from .endpoint import ROOM, Role

if TYPE_CHECKING:
    from typing_extensions import Buffer

PATIENCE = 10.0
"""Seconds in which an engine has to welcome a client."""

NO_WELCOME = "what listens there is no key engine, refuses this user or has too many clients"


@dataclass(frozen=True)
class UnixSource:
    """An engine behind the Unix socket of this path."""

    path: Path

    @property
    def name(self) -> str:
        """As the user writes it."""
        return f"unix:{self.path}"

    @cached_property
    def dialect(self) -> Dialect:
        """What the engine says that it speaks. Raises TransportError if there is none."""
        endpoint = UnixEndpoint(self.path)
        endpoint.close()
        return find_dialect(endpoint.dialect)

    def open_endpoint(self, role: Role) -> UnixEndpoint:
        """A new connection. Raises TransportError."""
        return UnixEndpoint(self.path)


class UnixEndpoint:
    """One connection to an engine in another process; see `Endpoint`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lost = 0
        self._refused = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._socket.settimeout(PATIENCE)
            self._socket.connect(os.fspath(path))
            self._socket.send(notices.HELLO)
            welcome = notices.unpack(self._socket.recv(notices.LONGEST))
        except OSError as error:
            self._socket.close()
            raise TransportError(error.errno or errno.ETIMEDOUT, f"unix:{path}: {_reason(error)}") from error
        if welcome is None or welcome.word != notices.WELCOME:
            self._socket.close()
            raise TransportError(errno.EPROTO, f"unix:{path}: {NO_WELCOME}")

        self.dialect = welcome.value
        """Name of the dialect that the engine speaks."""
        self._socket.setblocking(False)

    @property
    def pid(self) -> int:
        """This process."""
        return os.getpid()

    def fileno(self) -> int:
        """The socket."""
        return self._socket.fileno()

    def send(self, message: Buffer) -> None:
        """Send one message. Raises TransportError, also for one before that the engine refused."""
        self._raise_refusal()
        while True:
            try:
                self._socket.send(message)
            except BlockingIOError:
                self._wait(select.POLLOUT, None)
            except OSError as error:
                raise self._failed(error) from error
            else:
                return

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        """Send the messages that begin at these offsets; how many the engine's socket took before it was full."""
        view = memoryview(messages).cast("B")
        ends = [*offsets[1:], None]
        for count, (begin, end) in enumerate(zip(offsets, ends, strict=True)):
            try:
                self._socket.send(view[begin:end])
            except BlockingIOError:
                if count:
                    return count
                self.send(view[begin:end])
            except OSError as error:
                if count:
                    return count
                raise self._failed(error) from error
        return len(offsets)

    def receive(self, buffer: Buffer, timeout: float | None = None) -> int:
        """Messages that have come, back to back; see `Endpoint.receive`."""
        view = memoryview(buffer).cast("B")
        if len(view) < ROOM:
            raise ValueError(f"a buffer of {ROOM} bytes or more is needed, not {len(view)}")
        taken = self._take(view)
        if not taken and not self._lost and not self._refused and self._wait(select.POLLIN, timeout):
            taken = self._take(view)
        if not taken:
            self._raise_refusal()
            if self._lost:
                lost, self._lost = self._lost, 0
                raise OverrunError(errno.ENOBUFS, f"{self._path}: the engine dropped {lost} messages for this client")
        return taken

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _wait(self, event: int, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self._socket, event)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def _take(self, view: memoryview) -> int:
        taken = 0
        while len(view) - taken >= ROOM and not self._lost and not self._refused:
            try:
                size = self._socket.recv_into(view[taken:])
            except BlockingIOError:
                break
            except OSError as error:
                raise self._failed(error) from error
            if not size:
                if taken:
                    break
                raise TransportError(errno.ECONNRESET, f"{self._path}: the engine has gone")
            notice = notices.unpack(view[taken : taken + size])
            if notice is None:
                taken += size
            elif notice.word == notices.LOST:
                self._lost = notice.number
            elif notice.word == notices.REFUSED:
                self._refused = notice.number
        return taken

    def _raise_refusal(self) -> None:
        if self._refused:
            number, self._refused = self._refused, 0
            raise TransportError(number, f"{self._path}: the engine refuses a message: {os.strerror(number)}")

    def _failed(self, error: OSError) -> TransportError:
        return TransportError(error.errno, f"{self._path}: {error.strerror or error}")


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "what listens there does not answer"
    if isinstance(error, FileNotFoundError):
        return "there is no engine; start one with fastpfkey serve"
    if isinstance(error, ConnectionRefusedError):
        return "no engine listens there any more; start one with fastpfkey serve"
    if isinstance(error, ConnectionError):
        return NO_WELCOME
    return error.strerror or str(error)
