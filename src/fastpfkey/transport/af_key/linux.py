"""Linux's key socket: many messages with one system call, and signs of the losses of which it says nothing."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import TransportError
from ...hotpath import pack
from .. import header
from ..endpoint import Role
from . import batches
from .plain import SLOT, PlainEndpoint

if TYPE_CHECKING:
    from typing_extensions import Buffer

SLOTS = {Role.REQUESTS: 64, Role.DUMPS: 1024, Role.EVENTS: 256}
"""Messages that one call receives at most. The call itself is no faster with more than 256, what is done behind it is;
Linux takes 1,024."""

STRIDE = 576
"""Bytes that one slot has at hand: enough for any association and most of all else, and no power of two, so that the
heads of all slots do not compete for the same cache lines."""

BATCH = 256
"""Messages that one call sends at most."""

SO_MEMINFO = 55
_MEMINFO = struct.Struct("=II")
"""What a socket has queued, and what it may queue."""

_idle: dict[Role, list[batches.Slots]] = {role: [] for role in Role}
"""Slots that closed endpoints have left, wiped: each dump opens a socket, and memory that was in use is faster."""
MOST_IDLE = 2


class LinuxEndpoint(PlainEndpoint):
    """A key socket that is read and written in batches.

    A dump cannot lose messages, because the kernel waits for its reader. Everything else is dropped in silence while
    the buffer is full; a full buffer is all that can be seen of that, and is looked for before each batch.
    """

    def __init__(self, sock: socket.socket, role: Role) -> None:
        super().__init__(sock)
        try:
            self._slots = _idle[role].pop()
        except IndexError:
            self._slots = batches.Slots(SLOTS[role], STRIDE, SLOT - STRIDE)
        self._next = self._count = 0
        self._role = role

    def close(self) -> None:
        """Close the socket, and keep the memory for the next one."""
        if self.fileno() < 0:
            return
        super().close()
        self._slots.wipe()
        if len(_idle[self._role]) < MOST_IDLE:
            _idle[self._role].append(self._slots)

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        """Send the messages that begin at these offsets; return how many went, which is all unless one was refused."""
        self._check_process()
        view = memoryview(messages).cast("B")
        sent = 0
        while sent < len(offsets):
            begins = offsets[sent : sent + BATCH]
            try:
                sent += batches.send(self.fileno(), view, begins, [header.length(view, begin) for begin in begins])
            except OSError as error:
                if sent:
                    break
                raise TransportError(error.errno or 0, f"the message is refused: {error.strerror}") from error
        return sent

    def _read(self, view: memoryview) -> int:
        """Give what is in the slots; when there is nothing more, fill them."""
        if self._next == self._count and not self._fill():
            return 0
        slots, used = self._slots, 0
        while True:
            self._next, size = pack(slots.memory, STRIDE, slots.lengths[: self._count], self._next, view[used:])
            used += size
            if self._next == self._count:
                return used
            # One that is long, or odd, or for which there is no room any more.
            message = slots.whole(self._next)
            if len(message) > len(view) - used:
                return used
            if self._admit(memoryview(message), slots.lengths[self._next], SLOT):
                view[used : used + len(message)] = message
                used += len(message)
            self._next += 1

    def _fill(self) -> bool:
        if self._role is not Role.DUMPS:
            queued, limit = _MEMINFO.unpack_from(self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size))
            if queued > limit:
                self._lost = f"messages may have been dropped: {queued} bytes are queued, of {limit} that may be"
        self._next = self._count = 0
        try:
            self._count = self._slots.fill(self.fileno())
        except BlockingIOError:
            return False
        except OSError as error:
            raise TransportError(error.errno or errno.EIO, f"nothing can be read: {error.strerror}") from error
        return True
