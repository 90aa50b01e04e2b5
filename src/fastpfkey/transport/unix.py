"""Sources at a Unix socket: an engine that `fastpfkey serve` or another program offers there.

Messages are packets, as they are on a PF_KEY socket. What a kernel's send() refuses at once is told by a notice behind
it, and raised by the next call.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TransportError
from ..spec import dialect as find_dialect
from ..spec.model import PF_KEY_V2, Dialect
from . import notices
from .af_key.plain import PlainEndpoint
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


class UnixEndpoint(PlainEndpoint):
    """One connection to an engine in another process: a key socket on which notices come between the messages."""

    room_for_one = ROOM

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refused = 0
        """The errno of a message that the engine did not take and that was not told yet."""
        self._gone = False
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            connection.settimeout(PATIENCE)
            connection.connect(os.fspath(path))
            connection.send(notices.HELLO)
            welcome = _first_notice(connection)
        except OSError as error:
            connection.close()
            raise TransportError(error.errno or errno.ETIMEDOUT, f"unix:{path}: {_reason(error)}") from error
        if welcome is None or welcome.word != notices.WELCOME:
            connection.close()
            raise TransportError(errno.EPROTO, f"unix:{path}: {NO_WELCOME}")

        self.dialect = welcome.value
        """Name of the dialect that the engine speaks."""
        super().__init__(connection)

    def send(self, message: Buffer) -> None:
        """Send one message. Raises TransportError, also for one before that the engine refused."""
        self._tell_refusal()
        super().send(message)

    def _admit(self, datagram: memoryview, size: int, room: int) -> bool:
        if not size:
            self._gone = self._ended = True
            return False
        notice = notices.unpack(datagram)
        if notice is None:
            return super()._admit(datagram, size, room)
        if notice.word == notices.LOST:
            self._lost = f"{self._path}: the engine dropped {notice.number} messages for this client"
        elif notice.word == notices.REFUSED:
            self._refused, self._ended = notice.number, True
        return False

    def _tell(self) -> None:
        super()._tell()
        self._tell_refusal()
        if self._gone:
            raise TransportError(errno.ECONNRESET, f"{self._path}: the engine has gone")

    def _tell_refusal(self) -> None:
        if self._refused:
            number, self._refused, self._ended = self._refused, 0, self._gone
            raise TransportError(number, f"{self._path}: the engine refuses a message: {os.strerror(number)}")

    def _failed(self, what: str, error: OSError) -> TransportError:
        if isinstance(error, ConnectionError):
            return TransportError(error.errno, f"{self._path}: the engine has gone")
        return TransportError(error.errno or 0, f"{self._path}: {what}: {error.strerror}")


def _first_notice(connection: socket.socket) -> notices.Notice | None:
    """The first notice of an engine; None for what is none.

    An engine tells its clients what others do, and may do so before it has read the first packet of this one.
    """
    until = time.monotonic() + PATIENCE
    while True:
        packet = connection.recv(notices.LONGEST)
        if packet[:1] != bytes([PF_KEY_V2]):
            return notices.unpack(packet)
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)


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
