"""An engine behind a socket: real clients of a server that runs in a thread."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.errors import OverrunError, TransportError
from fastpfkey.spec import dialect
from fastpfkey.transport.af_key.plain import PlainEndpoint
from fastpfkey.transport.endpoint import ROOM, Role
from fastpfkey.transport.loopback import Loopback
from fastpfkey.transport.unix import UnixEndpoint, UnixSource

from .support import KEY, Start, add, received


class TestClients:
    def test_requests_are_answered(self, start: Start, path: Path) -> None:
        start()
        with_socket = UnixSource(path).open_endpoint(Role.REQUESTS)
        with_socket.send(add(0x1000, seq=3))
        (answer,) = received(with_socket)
        assert (answer.type, answer.errno, answer.seq, answer.pid) == (pf.MessageType.ADD, 0, 3, os.getpid())
        with_socket.close()

    def test_the_source_knows_the_dialect(self, start: Start, path: Path) -> None:
        start(Engine("freebsd"))
        assert UnixSource(path).dialect.name == "freebsd"
        assert UnixSource(path).name == f"unix:{path}"

    def test_others_hear_and_see_no_key(self, start: Start, path: Path) -> None:
        start()
        one, other = UnixEndpoint(path), UnixEndpoint(path)
        one.send(add(0x1001))
        (heard,) = received(other)
        assert heard.sa is not None
        assert heard.sa.spi == 0x1001
        assert KEY not in heard.raw
        one.close()
        other.close()

    def test_many_at_once_and_a_dump_that_is_longer_than_any_buffer(self, start: Start, path: Path) -> None:
        server = start()
        endpoint = UnixEndpoint(path)
        wire = b"".join(add(0x2000 + number, seq=number + 1) for number in range(1000))
        size = len(add(1))
        sent = 0
        spis: set[int] = set()
        while sent < 1000:
            sent += endpoint.send_many(wire[sent * size :], range(0, (1000 - sent) * size, size))
            received(endpoint)
        dump = UnixEndpoint(path)
        dump.send(requests.dump(dialect="linux", pid=os.getpid()).encode())
        buffer = bytearray(2 * ROOM)
        last = None
        while last is None or last.seq:
            got = dump.receive(buffer, 5)
            messages = pf.decode(bytes(buffer[:got]), "linux")
            spis |= {message.sa.spi for message in messages if message.type == pf.MessageType.DUMP and message.sa}
            last = next((message for message in reversed(messages) if message.type == pf.MessageType.DUMP), last)
        assert len(spis) == len(server.engine) == 1000
        endpoint.close()
        dump.close()

    def test_a_client_that_leaves_is_forgotten(self, start: Start, path: Path) -> None:
        server = start()
        first = UnixEndpoint(path)
        first.send(add(1 << 12))
        received(first)
        first.close()
        second = UnixEndpoint(path)
        second.send(add(1 << 13))
        received(second)
        assert server.clients == 1
        assert len(server.engine) == 2
        second.close()

    def test_the_engine_goes(self, start: Start, path: Path) -> None:
        server = start()
        endpoint = UnixEndpoint(path)
        server.stop()
        with pytest.raises(TransportError, match="gone"):
            endpoint.receive(bytearray(ROOM), 5)
        endpoint.close()
        assert not path.exists()


class TestAsAKernelsSocket:
    """A connection keeps the promises of `Endpoint`, as a socket to a kernel does."""

    def test_the_last_of_many_ends_where_its_header_says(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        messages = add(0x5000, seq=1) + add(0x5001, seq=2)
        assert endpoint.send_many(messages + bytes(800), [0, len(messages) // 2]) == 2
        assert [(answer.seq, answer.errno) for answer in received(endpoint, 2)] == [(1, 0), (2, 0)]
        endpoint.close()

    def test_a_message_that_was_cut_off_is_told_behind_the_rest(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        endpoint = UnixEndpoint.__new__(UnixEndpoint)
        endpoint._path, endpoint._refused, endpoint._gone = Path("there"), 0, False
        PlainEndpoint.__init__(endpoint, ours)
        with theirs:
            whole = add(0x5000)
            theirs.send(whole)
            theirs.send(whole[:4] + struct.pack("=H", ROOM // 8 + 1) + bytes(ROOM + 2))
            buffer = bytearray(ROOM)
            assert endpoint.receive(buffer, 5) == len(whole)
            with pytest.raises(OverrunError, match="is not whole"):
                endpoint.receive(bytearray(ROOM), 5)
        endpoint.close()

    def test_a_fork_does_not_share_it(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        endpoint._owner += 1
        with pytest.raises(TransportError, match="a fork opens its own"):
            endpoint.send(add(0x5000))
        endpoint.close()

    def test_once_closed(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        endpoint.close()
        with pytest.raises(TransportError):
            endpoint.receive(bytearray(ROOM), 0)


class TestInProcess:
    def test_what_the_engine_refuses_is_a_transport_error(self) -> None:
        endpoint = Loopback(dialect("linux")).open_endpoint(Role.REQUESTS)
        with pytest.raises(TransportError) as refused:
            endpoint.send(add(0x6000)[:-8])
        assert refused.value.errno == 90
        assert KEY.hex() not in str(refused.value)
        endpoint.close()
