"""An engine behind a socket: real clients of a server that runs in a thread."""

from __future__ import annotations

import os
import socket
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.errors import OverrunError, TransportError
from fastpfkey.spec import dialect
from fastpfkey.transport import listening, notices
from fastpfkey.transport.af_key.plain import PlainEndpoint
from fastpfkey.transport.endpoint import ROOM, Role
from fastpfkey.transport.loopback import Loopback
from fastpfkey.transport.serving import MOST_WAITING, Limits, Server
from fastpfkey.transport.unix import UnixEndpoint, UnixSource

SRC, DST = "192.0.2.1", "192.0.2.2"
KEY = bytes(range(100, 116))

Start = Callable[..., Server]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Start a server in a thread; it is stopped behind the test."""
    running: list[tuple[Server, threading.Thread]] = []

    def serve(engine: Engine | None = None, **arguments: object) -> Server:
        server = Server(Engine("linux") if engine is None else engine, path, **arguments)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        return server

    yield serve
    for server, thread in running:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()


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


class TestNotices:
    def test_what_a_kernel_would_refuse_in_send(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        endpoint.send(add(0x3000)[:-8])
        with pytest.raises(TransportError) as refused:
            endpoint.receive(bytearray(ROOM), 5)
        assert refused.value.errno == 90
        endpoint.send(add(0x3000))
        assert received(endpoint)[0].errno == 0
        endpoint.close()

    def test_a_type_that_there_is_not_between_good_messages(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        strange = bytearray(add(0x3001))
        strange[1] = 255
        messages = [add(0x3000, seq=1), bytes(strange), add(0x3002, seq=2)]
        size = len(strange)
        assert endpoint.send_many(b"".join(messages), range(0, 3 * size, size)) == 3
        refusals: list[int | None] = []
        answers: list[pf.Message] = []
        while len(answers) < 2 or not refusals:
            try:
                answers += received(endpoint)
            except TransportError as refused:
                refusals.append(refused.errno)
        assert [(answer.seq, answer.errno) for answer in answers] == [(1, 0), (2, 0)]
        assert refusals == [22]
        endpoint.close()

    def test_a_client_that_knows_no_notices_gets_pf_key(self, start: Start, path: Path) -> None:
        start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as plain:
            plain.settimeout(5)
            plain.connect(str(path))
            plain.send(add(0x3000)[:-8])
            (answer,) = pf.decode(plain.recv(ROOM), "linux")
            assert (answer.type, answer.errno, answer.extensions) == (pf.MessageType.ADD, 90, ())

    def test_a_client_that_does_not_read_is_told_what_it_lost(self, start: Start, path: Path) -> None:
        """R-1.5-4 leaves messages unreliable; that they were lost is no secret here."""
        engine = Engine("linux", queue_limit=4096)
        start(engine)
        idle, busy = UnixEndpoint(path), UnixEndpoint(path)
        for number in range(800):
            busy.send(add(0x4000 + number))
            received(busy)
        heard = 0
        told = ""
        while not told:
            buffer = bytearray(4 * ROOM)
            try:
                heard += len(pf.decode(bytes(buffer[: idle.receive(buffer, 5)]), "linux"))
            except OverrunError as overrun:
                told = str(overrun)
        assert 0 < heard < 800
        assert f"dropped {800 - heard} messages" in told
        idle.close()
        busy.close()

    def test_words(self) -> None:
        assert notices.unpack(notices.pack("lost", 12)) == ("lost", "12")
        assert notices.unpack(add(1)) is None
        assert notices.unpack(b"") is None
        assert notices.Notice("lost", "many").number == 0


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


class TestInProcess:
    def test_what_the_engine_refuses_is_a_transport_error(self) -> None:
        endpoint = Loopback(dialect("linux")).open_endpoint(Role.REQUESTS)
        with pytest.raises(TransportError) as refused:
            endpoint.send(add(0x6000)[:-8])
        assert refused.value.errno == 90
        assert KEY.hex() not in str(refused.value)
        endpoint.close()


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


class TestHostileClients:
    """What one client does costs the others nothing."""

    def test_records_and_copies_longer_than_what_is_taken_at_once(self, start: Start, path: Path) -> None:
        start(Engine("rfc2367"))
        one, other = connected(path), connected(path)
        other.send(bytes([2, 11, 0, 1]) + struct.pack("=HHII", 2, 0, 1, 2))
        assert [len(other.recv(64)), len(other.recv(64)), len(one.recv(64))] == [32, 16, 16]
        unknown = struct.pack("=HH", (65536 - 16) // 8, 200).ljust(65536 - 16, b"x")
        one.send(bytes([2, 9, 0, 3]) + struct.pack("=HHII", 65536 // 8, 0, 7, 1) + unknown)
        assert len(one.recv(1 << 17)) == 16
        assert sorted(len(other.recv(1 << 17)) for _ in range(3)) == [16, 32, 65536 + 16]
        one.close()
        other.close()

    @pytest.mark.requirement("R-1.4-04")
    @pytest.mark.parametrize("packet", [b"x" * 16, notices.HELLO], ids=["bad", "hello"])
    def test_refusals_that_nobody_reads(self, start: Start, path: Path, packet: bytes) -> None:
        server = start()
        client = connected(path)
        flood(client, packet, 3 * MOST_WAITING)
        answered = connected(path)
        answered.send(requests.dump(dialect="linux").encode())
        assert answered.recv(64)
        (waiting, dropped) = max((len(item.outgoing), item.port.dropped) for item in server._connections.values())
        assert waiting <= MOST_WAITING
        assert dropped > 0
        client.close()
        answered.close()

    def test_more_clients_than_there_are_files(self, path: Path) -> None:
        """Those that do not fit are turned away at once; the others go on."""
        code = f"""
import resource
from pathlib import Path
from fastpfkey import Engine
from fastpfkey.transport.serving import Server
server = Server(Engine("linux"), Path({os.fspath(path)!r}))
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
print("ready", flush=True)
server.run()
"""
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            clients = [connected(path) for _ in range(40)]
            try:
                assert clients[-1].recv(64) == b""
                clients[0].send(requests.dump(dialect="linux").encode())
                assert clients[0].recv(64)
                for client in clients[1:]:
                    client.close()
                late = connected(path)
                late.send(requests.dump(dialect="linux").encode())
                assert late.recv(64)
                late.close()
            finally:
                for client in clients:
                    client.close()
                server.kill()
