"""What clients of a served engine send and receive in these tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.transport.endpoint import ROOM
from fastpfkey.transport.serving import Server
from fastpfkey.transport.unix import UnixEndpoint

SRC, DST = "192.0.2.1", "192.0.2.2"
KEY = bytes(range(100, 116))


Start = Callable[..., Server]


def add(spi: int, seq: int = 1) -> bytes:
    return requests.add(
        "ah", spi, SRC, DST, auth="md5-hmac", auth_key=KEY, seq=seq, pid=os.getpid(), dialect="linux"
    ).encode()


def received(endpoint: UnixEndpoint, count: int = 1) -> list[pf.Message]:
    """The next messages of an endpoint."""
    data = b""
    buffer = bytearray(2 * ROOM)
    while len(pf.decode(data, "linux")) < count:
        size = endpoint.receive(buffer, 5)
        assert size, f"only {len(pf.decode(data, 'linux'))} messages came"
        data += buffer[:size]
    return list(pf.decode(data, "linux"))


def connected(path: Path) -> socket.socket:
    """A client that speaks PF_KEY and nothing else."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(os.fspath(path))
    return client


def flood(client: socket.socket, packet: bytes, count: int) -> None:
    """Send a packet again and again, and read nothing."""
    for _ in range(count):
        client.send(packet)
