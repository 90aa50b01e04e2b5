"""Dumps of kernels that count them down and drop what does not fit (FreeBSD, NetBSD, macOS).

The idea: such a kernel queues a whole dump while it takes the request, and what the socket cannot hold is gone, the end
included. But the first message tells how many there are, and those that did fit tell how much room each takes: once the
queue is empty the loss is known, without waiting for an end that will never come, and so is the room that the next
attempt needs.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from ...spec.model import Dialect
from ...spec.terms import MessageType
from .. import header
from .plain import PlainEndpoint

SPARE = 1.25
"""How much more room than reckoned: associations are added meanwhile, and some take more than those that came first."""


@dataclass
class Room:
    """Bytes that the socket of a dump should be able to hold, which dumps that did not fit have told."""

    size: int


class CountDownEndpoint(PlainEndpoint):
    """A socket for dumps that are counted down."""

    def __init__(self, sock: socket.socket, dialect: Dialect, room: Room) -> None:
        super().__init__(sock)
        types = dialect.terms["message"]
        self._types = [types.numbers[each] for each in (MessageType.DUMP, MessageType.SPDDUMP) if each in types.numbers]
        self._room = room
        self._total = self._seen = 0

    def _admit(self, datagram: memoryview, size: int, room: int) -> bool:
        admitted = super()._admit(datagram, size, room)
        if admitted and header.get(datagram, "type") in self._types and not header.get(datagram, "errno"):
            seq = header.get(datagram, "seq")
            if not self._seen:
                self._total = seq + 1
            self._seen = self._seen + 1 if seq else 0
        return admitted

    def _read(self, view: memoryview) -> int:
        used = super()._read(view)
        if not used and self._seen:
            held = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            self._room.size = max(self._room.size, int(held * self._total / self._seen * SPARE))
            self._lost = (
                f"{self._total - self._seen} of the {self._total} messages of the dump were dropped, because the socket"
                f" holds {held} bytes; the next one will ask for {self._room.size}, if the system lets it"
                " (kern.ipc.maxsockbuf)"
            )
            self._seen = 0
        return used
