"""The commands that talk to a key engine: what they send, and what they show of the answer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from transport.fake import EBUSY, FakeEndpoint, FakeEngine
from transport.test_dump import fill

import fastpfkey as pf
from fastpfkey.cli import live
from fastpfkey.transport.endpoint import Role
from fastpfkey.wire.extensions import SA
from fastpfkey.wire.message import Message

from .conftest import Invoke
from .test_commands import terminal

Type = pf.MessageType
ENDS = ("192.0.2.1", "192.0.2.2")
KEY = "000102030405060708090a0b0c0d0e0f"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What `kernel` is in these tests."""
    fake = FakeEngine("kernel")
    monkeypatch.setattr("fastpfkey.transport.base.find_source", lambda name, dialect: fake)
    return fake


def test_dump_shows_the_kernels_table_unless_told_otherwise(invoke: Invoke, engine: FakeEngine) -> None:
    fill(engine, 5)
    done = invoke("dump", "--dialect", "linux", "--format", "csv", "--columns", "spi,satype")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (done.exit_code, done.stderr) == (0, "")
    assert [(int(row["spi"]), row["satype"]) for row in rows] == [(0x1000 + place, "ah") for place in range(5)]
    assert engine.live == []


def test_dump_asks_the_kernel_for_what_is_wanted(invoke: Invoke, engine: FakeEngine) -> None:
    fill(engine, 8)
    arguments = ("--satype", "ah", "--filter", "src=10.0.0.0/8,dst=10.0.1.0/24")
    done = invoke("dump", "--dialect", "linux", *arguments, "--columns", "spi", "--format", "jsonl")
    (_, request), *_ = engine.requests
    assert (request.satype, request.filter.splen, request.filter.dplen) == (pf.SAType.AH, 8, 24)
    # This engine does not choose by networks, so what it sent too much is left out.
    assert [json.loads(line)["spi"] for line in done.stdout.splitlines()] == [0x1001, 0x1005]


def test_dump_of_policies(invoke: Invoke, engine: FakeEngine) -> None:
    policy = pf.requests.policy("in", "none")
    engine.policies[8] = pf.requests.spdadd("10.0.0.0/8", "10.1.0.0/16", policy, dialect="linux")
    done = invoke("dump", "--dialect", "linux", "--table", "policies", "--format", "jsonl")
    assert json.loads(done.stdout)["dir"] == "in"
    assert engine.requests[0][1].type is Type.SPDDUMP
    done = invoke("dump", "--table", "policies", "--satype", "esp")
    assert done.exit_code == 2
    assert "choose associations, not policies" in done.stderr


def test_a_dump_that_is_not_whole_shows_what_came_and_says_so(invoke: Invoke, engine: FakeEngine) -> None:
    fill(engine, 5)

    def drop(endpoint: FakeEndpoint, request: Message) -> bool:
        engine.on_dump(endpoint, request)
        del endpoint.queue[2]
        return True

    engine.before = drop
    done = invoke("dump", "--dialect", "linux", "--columns", "spi", "--format", "csv")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1 + 4
    assert done.stderr == "fastpfkey: kernel: the dump is not whole: messages that are missing: 1\n"


def test_no_kernel_is_an_error_with_a_hint_and_never_an_empty_table(
    invoke: Invoke, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(role: Role) -> FakeEndpoint:
        raise pf.TransportError(1, "not permitted: run as root")

    monkeypatch.setattr(engine, "open_endpoint", refuse)
    for command in (["dump"], ["monitor"], ["flush"], ["register"], ["get", "esp", "1", *ENDS]):
        done = invoke(*command)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == "fastpfkey: not permitted: run as root\n"


def test_a_refused_dump_is_an_error(invoke: Invoke, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastpfkey.transport.dumping.BUSY", 0.001)
    engine.before = lambda endpoint, request: bool(engine.tell(request.replace(errno=EBUSY), [endpoint])) or True
    done = invoke("dump", "--dialect", "linux")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "DUMP: EBUSY (16): another dump is under way" in done.stderr


def test_an_engine_that_is_none(invoke: Invoke) -> None:
    done = invoke("flush", "--source", "elsewhere")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "elsewhere" in done.stderr
    done = invoke("bench", "kernel")
    assert done.exit_code == 1
    assert "name a file or demo:N" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--satype", "ipcomp"], lambda row: row["satype"] == "ipcomp"),
        (["--filter", "src=10.0.0.0/8"], lambda row: (row["src"] or "").startswith("10.")),
        (
            ["--filter", "src=2001:db8::/32", "--satype", "esp"],
            lambda row: ":" in row["src"] and row["satype"] == "esp",
        ),
    ],
)
def test_elsewhere_what_is_wanted_is_kept_of_all(
    invoke: Invoke, arguments: list[str], expected: Callable[[dict[str, str]], bool]
) -> None:
    asked = ("dump", "demo:500", "--format", "csv", "--columns", "seq,satype,spi,src,dst,state,current_bytes")
    everything = list(csv.DictReader(io.StringIO(invoke(*asked).stdout)))
    some = list(csv.DictReader(io.StringIO(invoke(*asked, *arguments).stdout)))
    assert some == [row for row in everything if expected(row)]
    assert 0 < len(some) < len(everything)


def test_a_summary_is_of_what_is_wanted() -> None:
    assert re.search(r"\b[1-9]\d associations from demo:2000", terminal("dump", "demo:2000", "--satype", "ipcomp"))


@pytest.mark.parametrize(
    "text", ["10.0.0.0/8", "src=x", "src=10.0.0.1/8", "src=10.0.0.0/8,src=10.0.0.0/8", "src=::/0,dst=0.0.0.0/0"]
)
def test_a_filter_that_is_none_is_not_understood(invoke: Invoke, text: str) -> None:
    done = invoke("dump", "demo:5", "--filter", text)
    assert done.exit_code == 2
    assert "--filter" in done.stderr


class TestRequests:
    def test_add_get_and_delete(self, invoke: Invoke, engine: FakeEngine, tmp_path: Path) -> None:
        """Keys come from the command line or, unseen by others, from a file, and are shown only on request."""
        file = tmp_path / "key"
        file.write_text(KEY + "\n")
        options = ("--encrypt", "aes-cbc", "--encrypt-key", f"@{file}", "--auth", "md5-hmac", "--auth-key", KEY)
        done = invoke("add", "esp", "0x2000", *ENDS, *options, "--hard", "3600", "--reqid", "0x10", "--mode", "tunnel")
        assert (done.exit_code, done.stderr) == (0, "")
        assert re.match(r"0 add esp seq \d+ pid \d+, \d+ bytes", done.stdout)
        added = engine.table[pf.SAType.ESP, 0x2000]
        assert added.key_encrypt is not None
        assert added.key_encrypt.reveal().hex() == KEY
        assert (added.lifetime_hard.addtime, added.sa2.reqid, added.sa2.mode) == (3600, 16, pf.Mode.TUNNEL)  # type: ignore[union-attr]
        assert KEY not in done.stdout
        shown = invoke("get", "esp", "8192", *ENDS, "--format", "json", "--show-keys")
        assert KEY in json.dumps(json.loads(shown.stdout))
        assert KEY not in invoke("get", "esp", "8192", *ENDS, "--format", "json").stdout
        assert invoke("delete", "esp", "8192", *ENDS).exit_code == 0
        gone = invoke("delete", "esp", "8192", *ENDS)
        assert (gone.exit_code, gone.stdout) == (1, "")
        assert gone.stderr.startswith("fastpfkey: DELETE: ESRCH (3): there is no such association")

    def test_a_key_file_that_is_none(self, invoke: Invoke, engine: FakeEngine, tmp_path: Path) -> None:
        for name, content in (("absent", None), ("binary", b"\xff")):
            if content:
                (tmp_path / name).write_bytes(content)
            done = invoke("add", "esp", "1", *ENDS, "--encrypt", "aes-cbc", "--encrypt-key", f"@{tmp_path / name}")
            assert done.exit_code == 1
            assert name in done.stderr
        assert engine.requests == []

    def test_getspi_and_flush(self, invoke: Invoke, engine: FakeEngine) -> None:
        assert invoke("getspi", "esp", *ENDS, "--min", "0x3000", "--max", "0x3fff").stdout == "0x00003000\n"
        assert invoke("flush").exit_code == 0
        assert engine.table == {}
        assert invoke("getspi", "esp", "x", "y").exit_code == 1
        assert invoke("getspi", "esp", *ENDS, "--min", "x").exit_code == 2

    def test_register_shows_algorithms_and_registers_no_longer(self, invoke: Invoke, engine: FakeEngine) -> None:
        done = invoke("register", "esp", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert {"kind": "encrypt", "id": "aes-cbc", "minbits": "128", "maxbits": "256"}.items() <= next(
            row for row in rows if row["id"] == "aes-cbc"
        ).items()
        assert engine.live == []


class TestMonitor:
    @pytest.fixture(autouse=True)
    def events(self, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        """Something happens as soon as somebody listens."""
        opened = engine.open_endpoint

        def open_endpoint(role: Role) -> FakeEndpoint:
            endpoint = opened(role)
            if role is Role.EVENTS:
                source, target = pf.requests.get("esp", 1, *ENDS, dialect="linux").extensions[1:]
                engine.event(Type.ADD, SA(0x2001), source, target)
                endpoint.push(None)
                engine.event(Type.FLUSH)
            return endpoint

        monkeypatch.setattr(engine, "open_endpoint", open_endpoint)

    def test_a_line_for_each_event(self, invoke: Invoke) -> None:
        lines = invoke("monitor", "--timeout", "0.01").stdout.splitlines()
        stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
        assert len(lines) == 3
        assert re.fullmatch(stamp + r" added esp spi 0x00002001 192\.0\.2\.1 > 192\.0\.2\.2 by 815", lines[0])
        assert re.fullmatch(stamp + " overrun", lines[1])
        assert re.fullmatch(stamp + " flushed esp by 815", lines[2])

    def test_the_same_for_programs(self, invoke: Invoke, engine: FakeEngine) -> None:
        fill(engine, 3)
        done = invoke("monitor", "--format", "jsonl", "--timeout", "0.01", "--resync", "--register", "esp,ah")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        assert [record["event"] for record in records] == ["added", "overrun", "resync", "flushed"]
        assert records[0]["sa"]["spi"] == 0x2001
        assert (records[2]["associations"], records[2]["complete"]) == (3, True)
        assert [request.satype for _, request in engine.requests[:2]] == [pf.SAType.ESP, pf.SAType.AH]

    def test_so_many_and_no_more(self, invoke: Invoke) -> None:
        assert len(invoke("monitor", "--count", "2").stdout.splitlines()) == 2


def test_progress_is_shown_only_if_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    progress = live.Progress()
    progress(10)
    progress.end()
    assert capsys.readouterr().err == ""
    now[0] = live.PATIENCE
    progress(1234)
    progress(1300)
    progress.end()
    assert capsys.readouterr().err == f"\r1,234 messages\r{'':30}\r"
