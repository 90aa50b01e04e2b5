"""What every transport gives: a place that takes PF_KEY requests and from which messages come.

The idea: a kernel's socket, a socket to an engine in another process and an engine in this one differ in how bytes
travel and in nothing else, so whatever speaks PF_KEY is written against `Endpoint`. Messages come back to back in the
caller's own buffer, many at a time, so that they are decoded without an object for each of them.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ..spec.model import Dialect

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Role(enum.Enum):
    """What an endpoint is for, which decides how much room it keeps and whether a loss can happen there."""

    REQUESTS = "requests"
    """Requests and their replies, with the echoes of everybody's changes between them."""
    DUMPS = "dumps"
    """One dump: fresh, never registered, and closed behind it."""
    EVENTS = "events"
    """Registered, and read for as long as events are wanted."""


class Endpoint(Protocol):
    """One end of a conversation with a key engine. For one thread at a time, in the process that opened it."""

    @property
    def pid(self) -> int:
        """What requests have to carry as sadb_msg_pid."""
        ...

    def fileno(self) -> int:
        """A file descriptor that polls as readable when `receive` has something to give."""
        ...

    def send(self, message: Buffer) -> None:
        """Send one message. Raises TransportError with the system's errno if it is refused."""
        ...

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        """Send the messages that begin at these offsets, each as long as its header says, and return how many went.

        Fewer than all means that the next one was refused: `send` says why. Raises TransportError if already the first
        was.
        """
        ...

    def receive(self, buffer: Buffer, timeout: float | None = None) -> int:
        """Write messages that have come into `buffer`, whole and back to back, and return how many bytes they are.

        Waits `timeout` seconds for the first one, for ever without, and not at all with 0; 0 bytes mean that none came.
        Raises OverrunError, once for each time that it happened and never instead of messages that are there, if
        messages were or may have been lost; ValueError for a buffer with less than `ROOM` bytes of room.
        """
        ...

    def close(self) -> None:
        """Give the socket back. May be called again."""
        ...


class Source(Protocol):
    """Something that endpoints can be opened to."""

    @property
    def name(self) -> str:
        """What errors call it, as the user wrote it."""
        ...

    @property
    def dialect(self) -> Dialect:
        """What its messages are written in."""
        ...

    def open_endpoint(self, role: Role) -> Endpoint:
        """A new endpoint. Raises TransportError, whose text says what would have to change, if there is none."""
        ...


ROOM = 1 << 16
"""Bytes that a buffer given to `receive` has at least: no message that a system makes by itself is longer."""


def check_room(buffer: Buffer) -> memoryview:
    """The bytes of a buffer to receive in. Raises ValueError if it has less than `ROOM`."""
    view = memoryview(buffer).cast("B")
    if len(view) < ROOM:
        raise ValueError(f"a buffer to receive in has {ROOM} bytes or more, not {len(view)}")
    return view
