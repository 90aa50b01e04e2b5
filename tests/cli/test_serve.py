"""`fastpfkey serve` as a service: what it begins with and what it keeps, however it ends."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.cli.filling import fill
from fastpfkey.engine.engine import Engine
from fastpfkey.errors import StateFileError, TransportError
from fastpfkey.transport.endpoint import ROOM
from fastpfkey.transport.keeping import journal_of
from fastpfkey.transport.unix import UnixEndpoint

from .conftest import CORPUS, Invoke, Run

SRC, DST = "192.0.2.1", "192.0.2.2"
PATIENCE = 30.0
ROUNDS = 20

Serve = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "socket"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "engine.state"


@pytest.fixture
def serve(socket: Path) -> Iterator[Serve]:
    """Start `fastpfkey serve`, and return when it listens."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fastpfkey", "serve", "--listen", str(socket), *map(str, arguments)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        running.append(process)
        said: list[bytes] = []
        assert process.stderr is not None
        for line in process.stderr:
            if b" engine at unix:" in line:
                break
            said.append(line)
        else:
            raise AssertionError(b"".join(said).decode())
        process.said = b"".join([*said, line]).decode()  # type: ignore[attr-defined]
        return process

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        assert process.stderr is not None
        process.stderr.close()


def stop(process: subprocess.Popen[bytes]) -> str:
    """End a service; what it said."""
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    assert process.wait(PATIENCE) == 0, said
    return said


def key(spi: int) -> bytes:
    """The key of an association, each its own."""
    return spi.to_bytes(16, "big")


def table(socket: Path) -> dict[int, bytes]:
    """The SPIs of an engine, with their keys."""
    with pf.Client.open(f"unix:{socket}") as client:
        found = client.dump(keys=True)
    assert found.complete
    return dict(zip(found["spi"].tolist(), found.key_bytes("auth"), strict=True))


def add(socket: Path, *spis: int) -> None:
    with pf.Client.open(f"unix:{socket}") as client:
        for spi in spis:
            client.add("ah", spi, SRC, DST, auth="md5-hmac", auth_key=key(spi))


class TestKept:
    def test_at_the_end(self, serve: Serve, socket: Path, state: Path) -> None:
        process = serve("--snapshot", state)
        add(socket, 1000, 1001)
        assert not state.exists()
        stop(process)
        assert not socket.exists()
        process = serve("--snapshot", state)
        assert process.said == f"linux engine at unix:{socket} with 2 associations\n"  # type: ignore[attr-defined]
        assert table(socket) == {1000: key(1000), 1001: key(1001)}

    def test_at_sighup(self, serve: Serve, socket: Path, state: Path) -> None:
        process = serve("--snapshot", state)
        add(socket, 1000)
        process.send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE
        while not state.exists() and time.monotonic() < end:
            time.sleep(0.01)
        add(socket, 1001)
        process.kill()
        process.wait()
        serve("--snapshot", state)
        assert table(socket) == {1000: key(1000)}

    def test_every_so_often(self, serve: Serve, socket: Path, state: Path) -> None:
        process = serve("--snapshot", state, "--snapshot-every", "0.05")
        add(socket, 1000)
        end = time.monotonic() + PATIENCE
        while not state.exists() and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        process.wait()
        serve("--snapshot", state)
        assert table(socket) == {1000: key(1000)}

    def test_a_damaged_state_is_one_line(self, run: Run, socket: Path, state: Path) -> None:
        state.write_bytes(b"fastpfkey state\n" + bytes(40))
        done = run("serve", "--listen", socket, "--snapshot", state)
        assert done.returncode == 1
        assert (
            done.stderr.decode()
            == f"fastpfkey: {state}, byte 16: it was written on a machine of the other byte order\n"
        )
        assert not socket.exists()

    def test_two_of_them(self, serve: Serve, run: Run, socket: Path, state: Path, tmp_path: Path) -> None:
        serve("--snapshot", state)
        done = run("serve", "--listen", tmp_path / "other", "--snapshot", state)
        assert (done.returncode, done.stderr.decode()) == (
            1,
            f"fastpfkey: {state}: another engine keeps its state there\n",
        )

    @pytest.mark.parametrize("option", [("--journal",), ("--snapshot-every", "5")])
    def test_options_that_need_another(self, invoke: Invoke, socket: Path, option: tuple[str, ...]) -> None:
        done = invoke("serve", "--listen", socket, *option)
        assert done.exit_code == 2
        assert f"{option[0]} needs --snapshot FILE, which says where" in done.stderr


class TestLoad:
    def test_recorded_dumps(self, capsys: pytest.CaptureFixture[str]) -> None:
        recorded = (CORPUS / "linux-mixed.bin").read_bytes()
        whole = pf.SATable.from_buffer(recorded, "linux", keys=True)
        engine = Engine("linux")
        fill(engine, CORPUS / "linux-mixed.bin")
        assert 40 <= len(engine) < len(whole)
        said = capsys.readouterr().err
        left = sum(
            int(line.rsplit(": ", 1)[1]) for line in said.splitlines() if "left out" in line or "refused" in line
        )
        assert len(engine) == len(whole) - left
        port = engine.connect(1)
        engine.handle(port, requests.dump(dialect="linux").encode())
        there = pf.SATable.from_buffer(port.receive(), "linux", keys=True)
        difference = pf.diff(whole, there)
        assert (len(difference.removed), len(difference.added), len(difference.changed)) == (left, 0, 0)
        fill(engine, CORPUS / "linux-policies.bin")
        done = re.search(r"^(\d+) of \d+ requests done$", capsys.readouterr().err, re.MULTILINE)
        assert done is not None
        assert len(engine._core.policies.by_id) == int(done[1]) > 5

    def test_a_made_up_one(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        from fastpfkey.columns.synthetic import synthetic

        recorded = tmp_path / "dump"
        recorded.write_bytes(synthetic(5000).tobytes())
        engine = Engine("linux")
        fill(engine, recorded)
        assert len(engine) > 3000
        assert "left out" in capsys.readouterr().err

    def test_a_script(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        script = tmp_path / "a.conf"
        script.write_text(
            "add 192.0.2.1 192.0.2.2 esp 256 -E null;\n"
            "spdadd 10.0.0.0/24 10.1.0.0/24 any -P out ipsec esp/transport//require;\n"
        )
        engine = Engine("linux")
        fill(engine, script)
        assert (len(engine), len(engine._core.policies.by_id)) == (1, 1)
        assert capsys.readouterr().err == "2 of 2 requests done\n"

    def test_what_cannot_be_read(self, run: Run, socket: Path, tmp_path: Path) -> None:
        for text, reason in (
            (b"add nobody;", "line 1"),
            (bytes([2, 10, 0, 3]) + bytes(30), "byte "),
            (b"fastpfkey state\n", "this is no state of an engine"),
        ):
            bad = tmp_path / "bad"
            bad.write_bytes(text)
            done = run("serve", "--listen", socket, "--load", bad)
            (line,) = done.stderr.decode().splitlines()
            assert done.returncode == 1
            assert line.startswith(f"fastpfkey: {bad}")
            assert reason in line
        done = run("serve", "--listen", socket, "--load", tmp_path / "nothing")
        assert done.stderr.decode() == f"fastpfkey: {tmp_path / 'nothing'}: No such file or directory\n"

    def test_it_is_kept_and_not_loaded_again(self, serve: Serve, socket: Path, state: Path, tmp_path: Path) -> None:
        script = tmp_path / "a.conf"
        script.write_text("add 192.0.2.1 192.0.2.2 ah 256 -A hmac-md5 0x000102030405060708090a0b0c0d0e0f;\n")
        options = ("--load", script, "--snapshot", state, "--journal")
        process = serve(*options)
        add(socket, 1000)
        process.kill()
        process.wait()
        process = serve(*options)
        assert f"{script} is not loaded: the engine goes on from {state}\n" in process.said  # type: ignore[attr-defined]
        assert table(socket) == {256: bytes(range(16)), 1000: key(1000)}
        stop(process)
        copy = tmp_path / "copy"
        copy.write_bytes(state.read_bytes())
        serve("--load", copy)
        assert table(socket).keys() == {256, 1000}

    def test_a_snapshot_of_another_dialect(self, tmp_path: Path, serve: Serve, socket: Path, state: Path) -> None:
        stop(serve("--snapshot", state))
        with pytest.raises(StateFileError, match="its dialect is linux, that of this engine freebsd"):
            fill(Engine("freebsd"), state)


class Load:
    """A client that asks for one change after the other, and knows which were acknowledged."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.there: set[int] = set()
        """SPIs that have to be there."""
        self.unknown: set[int] = set()
        """SPIs whose last change was not acknowledged."""
        self.next = 1000
        self.acknowledged = 0

    def run(self, endpoint: UnixEndpoint) -> None:
        """Go on until the engine is gone."""
        buffer = bytearray(4 * ROOM)
        with suppress(TransportError):
            while True:
                asked = self.ask(endpoint)
                while asked:
                    size = endpoint.receive(buffer, PATIENCE)
                    assert size
                    for answer in pf.decode(bytes(buffer[:size]), "linux"):
                        assert (answer.errno, answer.pid) == (0, os.getpid())
                        self.note(*asked.pop(answer.seq))

    def ask(self, endpoint: UnixEndpoint) -> dict[int, tuple[bool, int]]:
        """Ask for some changes; what each was, by its number."""
        asked: dict[int, tuple[bool, int]] = {}
        for _ in range(self.random.randint(1, 40)):
            spis = sorted(self.there - self.unknown)
            adds = not spis or self.random.random() < 0.8
            spi = self.next if adds else self.random.choice(spis)
            self.next += adds
            self.unknown.add(spi)
            header = {"seq": len(asked) + 1, "pid": os.getpid(), "dialect": "linux"}
            asked[len(asked) + 1] = (adds, spi)
            if adds:
                request = requests.add("ah", spi, SRC, DST, auth="md5-hmac", auth_key=key(spi), **header)  # type: ignore[arg-type]
            else:
                request = requests.delete("ah", spi, SRC, DST, **header)  # type: ignore[arg-type]
            endpoint.send(request.encode())
        return asked

    def note(self, added: bool, spi: int) -> None:
        self.acknowledged += 1
        self.unknown.discard(spi)
        (self.there.add if added else self.there.discard)(spi)

    def check(self, found: dict[int, bytes]) -> None:
        """Compare with what is there, which settles what was unknown."""
        assert self.there - self.unknown <= found.keys() <= self.there | self.unknown
        assert all(found[spi] == key(spi) for spi in found)
        self.there, self.unknown = set(found), set()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kill_9(serve: Serve, socket: Path, state: Path) -> None:
    """Twenty times under load, at any moment, with snapshots on their way."""
    load = Load(7)
    options = ("--snapshot", state, "--journal", "--snapshot-every", "0.03")
    for _ in range(ROUNDS):
        process = serve(*options)
        if load.acknowledged:
            load.check(table(socket))
        before = load.acknowledged
        endpoint = UnixEndpoint(socket)
        killer = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import os, time; time.sleep({load.random.uniform(0.05, 0.3)}); os.kill({process.pid}, 9)",
            ]
        )
        load.run(endpoint)
        endpoint.close()
        assert killer.wait(PATIENCE) == 0
        assert process.wait(PATIENCE) == -signal.SIGKILL
        assert load.acknowledged > before
    serve(*options)
    load.check(table(socket))
    assert load.acknowledged > 20 * ROUNDS
    assert journal_of(state).exists()
