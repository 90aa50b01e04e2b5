"""How a client is let in at a Unix socket where others are at work."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey.engine.engine import Engine
from fastpfkey.transport import notices, unix
from fastpfkey.transport.serving import Server
from fastpfkey.transport.unix import UnixEndpoint

pytestmark = pytest.mark.skipif(not hasattr(socket, "SOCK_SEQPACKET"), reason="needs sockets of packets")

EVENT = pf.requests.flush("esp", dialect="linux").encode()
WELCOME = notices.pack(notices.WELCOME, "linux")


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as found:
        found.bind(str(tmp_path / "engine.sock"))
        found.listen()
        yield found


def answer(listener: socket.socket, *packets: bytes) -> threading.Thread:
    """An engine that sends these to its first client."""

    def run() -> None:
        with suppress(ConnectionError), listener.accept()[0] as client:
            assert client.recv(100) == notices.HELLO
            for packet in packets:
                client.send(packet)
            client.recv(100)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_messages_for_everybody_may_come_before_the_welcome(listener: socket.socket) -> None:
    engine = answer(listener, EVENT, EVENT + bytes(1000), WELCOME)
    endpoint = UnixEndpoint(Path(listener.getsockname()))
    assert endpoint.dialect == "linux"
    endpoint.close()
    engine.join(10)


@pytest.mark.parametrize("packets", [(b"hello",), (EVENT, b"hello"), (notices.pack(notices.LOST, 1),)])
def test_what_is_no_engine(listener: socket.socket, packets: tuple[bytes, ...]) -> None:
    engine = answer(listener, *packets)
    with pytest.raises(pf.TransportError, match="no key engine"):
        UnixEndpoint(Path(listener.getsockname()))
    engine.join(10)


def test_messages_without_end_are_no_welcome(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix, "PATIENCE", 0.0)
    monkeypatch.setattr(socket.socket, "settimeout", lambda *_: None)
    engine = answer(listener, EVENT, EVENT)
    with pytest.raises(pf.TransportError, match="does not answer"):
        UnixEndpoint(Path(listener.getsockname()))
    engine.join(10)


def test_clients_come_while_others_add(tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    server = Server(Engine("linux"), path)
    serving = threading.Thread(target=server.run)
    serving.start()
    failures = []

    def work(first: int) -> None:
        try:
            with pf.Client.open(f"unix:{path}") as client:
                for spi in range(first, first + 20):
                    client.add("esp", spi, "192.0.2.1", "192.0.2.2", encrypt="null")
                    client.dump(columns=["spi"])
        except pf.PFKeyError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(0x1000 * number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    server.stop()
    serving.join(10)
    assert not failures
    assert len(server.engine) == 120
