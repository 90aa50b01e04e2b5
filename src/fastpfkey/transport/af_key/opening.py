"""Opening an endpoint to the running kernel: which way of reading and how much room each role gets on each system."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from ...errors import TransportError
from ...spec.model import Dialect
from ...spec.replies import Counting, Ending
from ..endpoint import Endpoint, Role
from ..probe import open_socket
from .countdown import CountDownEndpoint, Room
from .plain import PlainEndpoint

ROOM = {Role.REQUESTS: 4 << 20, Role.DUMPS: 1 << 20, Role.EVENTS: 16 << 20}
"""Bytes to ask for. Linux's dumps are as fast with 4 KiB as with 128 MiB, but fill the buffer with all changes of the
table held off; each echo and event takes some 1,280 bytes, and finds a full buffer if nobody reads for long."""

SMALLEST = 1 << 14
"""Bytes below which a kernel would rather hang than answer (Linux: 3,840)."""

SO_RCVBUFFORCE = 33
"""Linux: beyond the system's limit, for who may."""

SO_RERROR = {"freebsd": 0x0002_0000, "netbsd": 0x4000}
"""With it recv(2) tells that messages were dropped; by dialect, other systems do not have it."""


def open_endpoint(dialect: Dialect, role: Role, dumps: Room) -> Endpoint:
    """An endpoint to the running kernel, which is of this dialect. Raises TransportError.

    `dumps` is what earlier dumps have told of the room that they need, and is told by this one.
    """
    if role is Role.DUMPS and dialect.replies.ending is Ending.NOTHING:
        from . import sysctl

        return sysctl.endpoint(dialect)
    opened = open_socket(dialect)
    try:
        options = (SO_RCVBUFFORCE, socket.SO_RCVBUF) if dialect.name == "linux" else (socket.SO_RCVBUF,)
        widen(opened, max(ROOM[role], dumps.size if role is Role.DUMPS else 0), options)
        return _endpoint(opened, dialect, role, dumps)
    except BaseException:
        opened.close()
        raise


def _endpoint(opened: socket.socket, dialect: Dialect, role: Role, dumps: Room) -> Endpoint:
    if dialect.name == "linux":
        from .linux import LinuxEndpoint

        return LinuxEndpoint(opened, role)
    if dialect.name in SO_RERROR:
        opened.setsockopt(socket.SOL_SOCKET, SO_RERROR[dialect.name], 1)
    if role is Role.DUMPS and dialect.replies.counting is Counting.DOWN:
        return CountDownEndpoint(opened, dialect, dumps)
    return PlainEndpoint(opened)


def widen(opened: socket.socket, wanted: int, options: Sequence[int] = (socket.SO_RCVBUF,)) -> None:
    """Give a socket room for `wanted` bytes, or as many as the system lets it have.

    Raises TransportError if that is too little to be answered at all.
    """
    size = wanted
    while size >= SMALLEST and not any(_set(opened, option, size) for option in options):
        size //= 2
    found = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    if found < SMALLEST:
        raise TransportError(0, f"the system gives a socket room for {found} bytes only, which is less than {SMALLEST}")


def _set(opened: socket.socket, option: int, size: int) -> bool:
    try:
        opened.setsockopt(socket.SOL_SOCKET, option, size)
    except OSError:
        return False
    return True
