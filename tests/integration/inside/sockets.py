"""The kernel's side of scripts: AF_KEY sockets, packets into a network that swallows them, and time as it passes."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path

from fastpfkey.spec import dialect
from fastpfkey.transport.probe import open_socket

from .conftest import HERE

LARGEST = 1 << 20
PAYLOAD = bytes(84 - 20 - 8)
"""What makes of a UDP datagram a packet of 84 bytes."""

SETTLING = 0.1
"""Seconds in which what packets have brought about is told: the end of an association is left to a timer."""

LARVAL = Path("/proc/sys/net/core/xfrm_acq_expires")
_RCVBUFFORCE = 33


class KernelSockets:
    """Sockets of the running kernel."""

    def __init__(self, larval: int = 30) -> None:
        self._sockets: dict[str, socket.socket] = {}
        LARVAL.write_text(str(larval), encoding="ascii")

    def open(self, name: str, room: int) -> None:
        """Open a socket."""
        opened = open_socket(dialect("linux"))
        opened.setblocking(False)
        if room:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room // 2)  # which the kernel doubles
        else:
            opened.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, 1 << 24)
        self._sockets[name] = opened

    def close(self, name: str) -> None:
        """Close one."""
        self._sockets.pop(name).close()

    def send(self, name: str, message: bytes) -> int:
        """Have a socket send a message."""
        try:
            self._sockets[name].send(message)
        except OSError as error:
            return error.errno or 0
        return 0

    def read(self, name: str) -> list[bytes]:
        """Read one message after the other."""
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(self._sockets[name].recv(LARGEST))
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def packets(self, count: int, satype: str, dst: str) -> None:
        """Send datagrams, which go through the associations that policies ask for."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((HERE, 0))
            for _ in range(count):
                with suppress(OSError):  # which says that there is no association for it, or not any more
                    sender.sendto(PAYLOAD, (dst, 9))
        time.sleep(SETTLING)
