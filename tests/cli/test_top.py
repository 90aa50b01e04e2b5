"""`fastpfkey top`: views of engines whose associations carry something between two dumps."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from transport.fake import EBUSY, EINVAL, FakeEndpoint, FakeEngine
from transport.test_dump import fill

import fastpfkey as pf
from fastpfkey.cli import drawing, topping
from fastpfkey.cli.questions import SORTS
from fastpfkey.spec import dialect
from fastpfkey.transport.loopback import Loopback
from fastpfkey.transport.serving import Server
from fastpfkey.wire.message import Message

from .conftest import Invoke

SPIS = (0x1001, 0x1002, 0x1003)
Account = Callable[[int, int, int], object]


class Clock:
    """Time that passes when somebody waits, and is that of the engine too."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.between: list[Callable[[], object]] = []

    def monotonic(self) -> float:
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.between:
            self.between.pop(0)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(topping, "time", found)
    return found


def add(client: pf.Client, spi: int, **more: Any) -> None:
    client.add("ah", spi, "192.0.2.1", "192.0.2.2", auth="sha1-hmac", auth_key=bytes(20), **more)


@pytest.fixture
def account(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Account:
    """What carries bytes and packets through an association of the engine that `kernel` is in these tests."""
    source = Loopback(dialect("linux"))
    source._engine = engine = pf.Engine("linux", clock=clock.monotonic, wall=clock.time)
    monkeypatch.setattr("fastpfkey.transport.base.find_source", lambda name, dialect: source)
    with pf.Client.open("kernel") as client:
        for spi in SPIS:
            add(client, spi, hard=1000 * (spi - 0x1000))

    def carry(spi: int, packets: int, octets: int) -> None:
        found = engine.find_inbound(pf.SAType.AH, "192.0.2.2", spi)
        assert found is not None
        for _ in range(packets):
            engine.account(found, 1, octets // packets)

    return carry


def views(invoke: Invoke, *arguments: str) -> list[list[dict[str, Any]]]:
    """What programs get, by view."""
    done = invoke("top", "--dialect", "linux", "--format", "jsonl", *arguments)
    assert done.exit_code == 0, done.stderr
    found: dict[float, list[dict[str, Any]]] = {}
    for record in map(json.loads, done.stdout.splitlines()):
        found.setdefault(record["time"], []).append(record)
    return list(found.values())


def test_rates_between_two_dumps(invoke: Invoke, clock: Clock, account: Account) -> None:
    clock.between = [lambda: (account(0x1002, 4, 4000), account(0x1003, 10, 1000))]
    [rows] = views(invoke, "--interval", "2")
    assert [(row["spi"], row["bytes_per_second"], row["packets_per_second"]) for row in rows] == [
        (0x1002, 2000, 2),
        (0x1003, 500, 5),
        (0x1001, 0, 0),
    ]
    assert [row["left"] for row in rows] == [2000 - 2, 3000 - 2, 1000 - 2]
    assert rows[0]["current_bytes"] == 4000


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("bytes", [0x1002, 0x1003, 0x1001]),
        ("packets", [0x1003, 0x1002, 0x1001]),
        ("total", [0x1002, 0x1003, 0x1001]),
        ("left", [0x1001, 0x1002, 0x1003]),
        ("age", [0x1003, 0x1002, 0x1001]),  # all the same, so as they are dumped
    ],
)
def test_what_comes_first(invoke: Invoke, clock: Clock, account: Account, sort: str, order: list[int]) -> None:
    clock.between = [lambda: (account(0x1002, 4, 4000), account(0x1003, 10, 1000))]
    [rows] = views(invoke, "--sort", sort)
    assert [row["spi"] for row in rows] == order
    clock.between = []
    [rows] = views(invoke, "--sort", sort, "--rows", "1")
    assert len(rows) == 1


def test_every_order_is_there() -> None:
    assert tuple(topping.SORTS) == SORTS


def test_several_views(invoke: Invoke, clock: Clock, account: Account) -> None:
    clock.between = [lambda: account(0x1001, 1, 100), lambda: account(0x1001, 1, 300), lambda: None]
    found = views(invoke, "--iterations", "3", "--interval", "1")
    assert [rows[0]["bytes_per_second"] for rows in found] == [100, 300, 0]


def test_a_rekey_is_never_negative(invoke: Invoke, clock: Clock, account: Account) -> None:
    account(0x1001, 10, 100_000)

    def rekey() -> None:
        with pf.Client.open("kernel") as client:
            client.delete("ah", 0x1001, "192.0.2.1", "192.0.2.2")
            add(client, 0x1001)
        account(0x1001, 1, 500)

    clock.between = [rekey]
    [rows] = views(invoke, "--interval", "5")
    assert (rows[0]["spi"], rows[0]["bytes_per_second"]) == (0x1001, 100)
    assert rows[0]["left"] is None


def test_which_associations(invoke: Invoke, clock: Clock, account: Account) -> None:
    [rows] = views(invoke, "--where", "reqid == 0 and spi > 0x1001")
    assert {row["spi"] for row in rows} == {0x1002, 0x1003}
    assert views(invoke, "--satype", "esp") == []
    done = invoke("top", "--where", "colour == 1")
    assert (done.exit_code, done.stdout) == (2, "")


def test_text_without_a_terminal(invoke: Invoke, clock: Clock, account: Account) -> None:
    """One view, and nothing that commands a terminal."""
    clock.between = [lambda: account(0x1002, 4, 4_000_000)]
    done = invoke("top", "--dialect", "linux", "--interval", "2")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[0].endswith(" UTC  3 associations: 3 mature")
    assert lines[1] == "2 MB/s, 2 packets/s"
    assert lines[2].split() == ["satype", "spi", "src", "dst", "state", "bytes/s", "packets/s", "bytes", "left"]
    assert re.split(r" {2,}", lines[3]) == [
        *("ah", "0x00001002", "192.0.2.1", "192.0.2.2", "mature", "2 M", "2", "4 M", "33 min 18 s")
    ]
    assert "\x1b" not in done.stdout


def test_once_and_iterations(invoke: Invoke) -> None:
    assert invoke("top", "--once", "--iterations", "2").exit_code == 2


@pytest.fixture
def busy(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], FakeEngine]]:
    """An engine that refuses dumps from one to another of their numbers."""
    monkeypatch.setattr("fastpfkey.transport.dumping.TRIES", 0)

    def make(begin: int, errno: int) -> FakeEngine:
        fake, asked = FakeEngine("kernel"), iter(range(100))
        fill(fake, 3)

        def refuse(endpoint: FakeEndpoint, request: Message) -> bool:
            if next(asked) in range(begin, 3):
                fake.tell(request.replace(errno=errno), [endpoint])
                return True
            return False

        fake.before = refuse
        monkeypatch.setattr("fastpfkey.transport.base.find_source", lambda name, dialect: fake)
        return fake

    return make  # type: ignore[return-value]


def test_an_engine_that_is_busy_is_asked_again(invoke: Invoke, busy: Callable[[int, int], FakeEngine]) -> None:
    """The last view stays, with the reason, until there is a new one."""
    busy(1, EBUSY)
    done = invoke("top", "--dialect", "linux", "--iterations", "3")
    assert done.exit_code == 0
    shown = done.stdout.split("\n\n")[:-1]
    assert ["another dump is under way" in view for view in shown] == [True, True, False]
    assert all("3 associations" in view for view in shown)


@pytest.mark.parametrize(("begin", "errno"), [(0, EBUSY), (1, EINVAL)])
def test_errors_that_end_it(invoke: Invoke, busy: Callable[[int, int], FakeEngine], begin: int, errno: int) -> None:
    """An engine that never answered, or refuses for another reason."""
    busy(begin, errno)
    done = invoke("top", "--dialect", "linux", "--iterations", "3")
    assert done.exit_code == 1
    assert done.stderr.startswith("fastpfkey: DUMP: E")


def test_a_terminal(tmp_path: Path) -> None:
    """The screen is taken and given back, and shows what an engine's associations carry meanwhile."""
    path = tmp_path / "socket"
    engine = pf.Engine("linux")
    server = Server(engine, path)
    serving = threading.Thread(target=server.run)
    serving.start()
    parent, child = pty.openpty()
    shown = b""
    try:
        with pf.Client.open(f"unix:{path}") as client:
            add(client, 0x1001)
            command = [sys.executable, "-m", "fastpfkey", "top", f"unix:{path}", "--interval", "0.2"]
            environment = {**os.environ, "COLUMNS": "120", "LINES": "12", "TERM": "xterm"}
            with subprocess.Popen([*command, "--iterations", "4"], stdout=child, env=environment) as process:
                os.close(child)
                with contextlib.suppress(OSError):  # the end of a terminal is an error
                    while piece := os.read(parent, 65536):
                        shown += piece
                        association = engine.find_inbound(pf.SAType.AH, "192.0.2.2", 0x1001)
                        assert association is not None
                        engine.account(association, 1, 1_000_000)
            assert process.returncode == 0
    finally:
        os.close(parent)
        server.stop()
        serving.join()
    assert shown.count(b"\x1b[?1049h") == shown.count(b"\x1b[?1049l") == 1
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.decode())
    assert "1 associations: 1 mature" in text
    assert re.search(r"0x00001001 .* \d[\d.]* M +\d", text)


def test_an_interrupt_gives_the_terminal_back() -> None:
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "fastpfkey", "top", "demo:50", "--interval", "60"]
    shown = b""
    with subprocess.Popen(command, stdout=child, stderr=child, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(child)
        while b"50 associations" not in shown:
            shown += os.read(parent, 65536)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while piece := os.read(parent, 65536):
                shown += piece
    os.close(parent)
    assert process.returncode == 128 + signal.SIGINT
    assert shown.count(b"\x1b[?1049h") == shown.count(b"\x1b[?1049l") == 1
    assert b"Traceback" not in shown


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (12.34, "12.3"),
        (999.4, "999"),
        (999.6, "1 k"),
        (1.5e6, "1.5 M"),
        (2e21, "2000 E"),
        (float("nan"), "-"),
    ],
)
def test_rates_for_people(number: float, text: str) -> None:
    assert drawing.rate(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7200, "2 h"), (90061, "1 d 1 h"), (float("inf"), "-")],
)
def test_times_for_people(seconds: float, text: str) -> None:
    assert drawing.remaining(seconds) == text
