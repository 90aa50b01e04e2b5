"""Who may connect to a served engine, and where it listens."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from fastpfkey.engine.engine import Engine
from fastpfkey.errors import TransportError
from fastpfkey.transport import listening
from fastpfkey.transport.endpoint import ROOM
from fastpfkey.transport.serving import Limits, Server
from fastpfkey.transport.unix import UnixEndpoint

from .support import Start, add


class TestAccess:
    def test_the_socket_is_its_owners(self, start: Start, path: Path) -> None:
        start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_users_who_may_not(self, start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fastpfkey.transport.serving.peer", lambda _: listening.Peer(1, 4321))
        server = start()
        with pytest.raises(TransportError, match="refuses this user"):
            UnixEndpoint(path)
        assert server.refused == 1

    def test_users_who_were_allowed(self, start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fastpfkey.transport.serving.peer", lambda _: listening.Peer(1, 4321))
        start(limits=Limits(uids=frozenset({4321})))
        UnixEndpoint(path).close()

    def test_too_many_clients(self, start: Start, path: Path) -> None:
        start(limits=Limits(clients=1))
        first = UnixEndpoint(path)
        with pytest.raises(TransportError):
            UnixEndpoint(path)
        first.close()

    def test_a_message_that_is_too_long(self, start: Start, path: Path) -> None:
        start(limits=Limits(message=64))
        endpoint = UnixEndpoint(path)
        endpoint.send(add(1))
        with pytest.raises(TransportError):
            endpoint.receive(bytearray(ROOM), 5)
        endpoint.close()

    def test_the_peer_is_known(self) -> None:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with one, other:
            assert listening.peer(one) == (os.getpid(), os.geteuid())


class TestPath:
    def test_somebody_listens_there(self, start: Start, path: Path) -> None:
        start()
        with pytest.raises(TransportError, match="listens there already"):
            Server(Engine("linux"), path)

    def test_somebody_listened_there_once(self, start: Start, path: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left_behind:
            left_behind.bind(str(path))
        start()
        UnixEndpoint(path).close()

    def test_something_else_is_there(self, path: Path) -> None:
        path.write_text("precious")
        with pytest.raises(TransportError, match="no socket"):
            Server(Engine("linux"), path)
        assert path.read_text() == "precious"

    def test_nobody_listens(self, path: Path) -> None:
        with pytest.raises(TransportError, match="fastpfkey serve"):
            UnixEndpoint(path)
