"""A key socket that is read message by message: what every system can do, and what the faster ways are built on.

The idea: the socket never blocks, and poll(2) is asked only when there was nothing to read; while messages are there,
each costs one system call and not two. Losses are noted where they show, and told when the messages before them have
been read.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import OverrunError, TransportError
from ...spec.model import HEADER_SIZE, WORD
from .. import header
from ..endpoint import check_room

if TYPE_CHECKING:
    from typing_extensions import Buffer

SLOT = 1 << 14
"""Bytes of room for one message: an ACQUIRE with proposals for all algorithms may have 8 KiB, a dumped SA has 400."""


class _Process:
    """The running process, without asking the system each time."""

    def __init__(self) -> None:
        self.look()
        os.register_at_fork(after_in_child=self.look)

    def look(self) -> None:
        """Ask the system."""
        self.id = os.getpid()


_process = _Process()


class PlainEndpoint:
    """A key socket, as `endpoint.Endpoint`."""

    room_for_one = SLOT
    """Bytes of room that there has to be for another message."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._owner = _process.id
        self._lost = ""
        """What is known of a loss that has not been told."""
        self._ended = False
        """Whether nothing more is read until what is known has been told."""

    @property
    def pid(self) -> int:
        """What requests have to carry as sadb_msg_pid."""
        return self._owner

    def fileno(self) -> int:
        """The socket's file descriptor."""
        return self._socket.fileno()

    def send(self, message: Buffer) -> None:
        """Send one message. Raises TransportError with the system's errno if it is refused."""
        self._check_process()
        while True:
            try:
                self._socket.send(message)
            except BlockingIOError:
                self._wait(select.POLLOUT, None)
            except OSError as error:
                raise self._failed("the message is refused", error) from error
            else:
                return

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        """Send the messages that begin at these offsets; return how many went, which is all unless one was refused."""
        view = memoryview(messages).cast("B")
        for count, offset in enumerate(offsets):
            try:
                self.send(view[offset : offset + header.length(view, offset)])
            except TransportError:
                if count:
                    return count
                raise
        return len(offsets)

    def receive(self, buffer: Buffer, timeout: float | None = None) -> int:
        """Write messages that have come into `buffer`, back to back, and return how many bytes they are."""
        self._check_process()
        view = check_room(buffer)
        deadline = time.monotonic() + timeout if timeout else None
        while not (got := self._read(view)):
            self._tell()
            if timeout == 0:
                return 0
            remaining = None if deadline is None else deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return 0
            self._wait(select.POLLIN, remaining)
        return got

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _read(self, view: memoryview) -> int:
        """Read what is there, without waiting, until room gets short."""
        used = 0
        while len(view) - used >= self.room_for_one and not self._ended:
            try:
                size = self._socket.recv_into(view[used:])
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise self._failed("nothing can be read", error) from error
                self._lost = "the system dropped messages, because the buffer of the socket was full"
                break
            if self._admit(view[used : used + size], size, len(view) - used):
                used += size
        return used

    def _admit(self, datagram: memoryview, size: int, room: int) -> bool:
        """Whether a datagram of `size` bytes, for which there was this room, is a whole message.

        The system's word counts, not the message's: NetBSD and macOS write two words too many into the headers of
        messages that carry others.
        """
        told = header.length(datagram)
        if HEADER_SIZE <= size <= room and not size % WORD and (told == size or size < room):
            if told != size:
                header.put(datagram, "len", size // WORD)
            return True
        self._lost = f"a message of {max(size, told)} bytes is not whole: there was room for {room}"
        return False

    def _tell(self) -> None:
        """Raise what is known and was not told yet, once the messages before it have been read."""
        if self._lost:
            reason, self._lost = self._lost, ""
            raise OverrunError(errno.ENOBUFS, reason)

    def _failed(self, what: str, error: OSError) -> TransportError:
        return TransportError(error.errno or 0, f"{what}: {error.strerror}")

    def _check_process(self) -> None:
        """A socket that two processes read gives each of them some of the replies and neither all of its own."""
        if self._owner != _process.id:
            raise TransportError(errno.EBADF, f"process {self._owner} opened this endpoint; a fork opens its own")

    def _wait(self, event: int, timeout: float | None) -> None:
        if self._socket.fileno() < 0:
            raise TransportError(errno.EBADF, "the endpoint is closed")
        poll = select.poll()
        poll.register(self._socket, event)
        poll.poll(None if timeout is None else timeout * 1000)
