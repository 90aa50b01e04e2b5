"""The socket of an engine in the file system: its owner's alone, and never somebody else's by mistake.

A Unix socket keeps message boundaries as PF_KEY sockets do, and the system tells who is at the other end.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import NamedTuple

from ..errors import TransportError

BACKLOG = 128
MODE = 0o600

LONGEST_PATH = 107
"""Bytes that the path of a Unix socket may have."""

_CREDENTIALS = struct.Struct("=iii")
"""struct ucred."""


class Peer(NamedTuple):
    """Who is at the other end of a connection."""

    pid: int
    uid: int


def settled(path: Path) -> Path:
    """The one spelling of a socket's path by which both ends know it, whoever looks from wherever."""
    return path.parent.resolve() / path.name


def listen(path: Path, *, mode: int = MODE) -> socket.socket:
    """A listening socket at this path, in place of one that nobody listens at any more.

    Raises TransportError if somebody listens there, or if what is there is no socket.
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    before = os.umask(0o777 & ~mode)  # so that there is no moment in which others may connect
    try:
        whole = settled(path)
        listener.bind(os.fspath(whole if len(os.fsencode(whole)) <= LONGEST_PATH else path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise TransportError(error.errno, f"{path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    listener.setblocking(False)
    return listener


def _clear(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise TransportError(errno.EEXIST, f"{path} is there, and no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as attempt:
        try:
            attempt.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
        except OSError as error:
            raise TransportError(error.errno, f"{path}: {error.strerror}") from error
        else:
            raise TransportError(errno.EADDRINUSE, f"{path}: an engine listens there already")


def peer(connection: socket.socket) -> Peer:
    """Process and user that opened a connection. Where the system does not tell the process it is 0."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is not None:
        pid, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
        return Peer(pid, uid)
    return Peer(0, _effective_uid(connection))


def _effective_uid(connection: socket.socket) -> int:
    """The peer's user on systems with getpeereid(3), which Python does not have."""
    import ctypes

    uid, gid = ctypes.c_uint32(), ctypes.c_uint32()
    if ctypes.CDLL(None, use_errno=True).getpeereid(connection.fileno(), ctypes.byref(uid), ctypes.byref(gid)):
        raise OSError(ctypes.get_errno(), "the peer's user is unknown")
    return uid.value
