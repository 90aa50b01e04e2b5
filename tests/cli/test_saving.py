"""`save`, `load` and `setkey` with a key engine behind them, and what becomes of files."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.cli import setkey_sources
from fastpfkey.engine.engine import Engine
from fastpfkey.transport.endpoint import Endpoint, Role
from fastpfkey.transport.loopback import Loopback
from fastpfkey.transport.serving import Server

from .conftest import CORPUS, Invoke

MIXED = CORPUS / "linux-mixed.bin"
LINUX = ("--dialect", "linux")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """What `kernel` means for the time of a test."""
    found = Loopback(spec.dialect("linux"))
    monkeypatch.setattr(setkey_sources, "source", lambda text, dialect: found)
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_script_is_for_its_owner_alone_and_whole(invoke: Invoke, tmp_path: Path) -> None:
    script = tmp_path / "a.conf"
    script.write_text("old")
    script.chmod(0o644)
    done = invoke("save", MIXED, "-o", script, "--with-keys", *LINUX)
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == f"46 associations and 0 policies written to {script}"
    assert stat.S_IMODE(script.stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["a.conf"]
    text = script.read_text()
    assert text.count("\nadd ") + text.count("\n#: add ") == 46
    left = [line.removeprefix("fastpfkey: ") for line in done.stderr.splitlines()[:-1]]
    assert left == re.findall(r"^# (.*left out.*|.*without its.*)$", text, re.MULTILINE)
    assert len(left) >= 53 - 46


def test_a_script_for_standard_output(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    invoke("save", MIXED, "-o", "a.conf", "--with-keys", *LINUX)
    done = invoke("save", MIXED, "-o", "-", "--with-keys", *LINUX)
    assert (done.exit_code, done.stdout, names_in(tmp_path)) == (0, (tmp_path / "a.conf").read_text(), ["a.conf"])
    shown = invoke("dump", "demo:3", "-o", "-", "--columns", "spi")
    assert (shown.stdout, names_in(tmp_path)) == (invoke("dump", "demo:3", "--columns", "spi").stdout, ["a.conf"])


def test_keys_are_written_only_if_that_is_said(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("save", MIXED, "-o", tmp_path / "a.conf", *LINUX)
    assert (done.exit_code, names_in(tmp_path)) == (2, [])
    assert "--with-keys" in done.stderr


def test_a_failure_leaves_the_old_file(invoke: Invoke, tmp_path: Path) -> None:
    script, broken = tmp_path / "a.conf", tmp_path / "broken.bin"
    script.write_text("old")
    broken.write_bytes(MIXED.read_bytes()[:-8])
    done = invoke("save", broken, "-o", script, "--with-keys", *LINUX)
    assert (done.exit_code, script.read_text()) == (1, "old")
    assert names_in(tmp_path) == ["a.conf", "broken.bin"]


def test_saved_loaded_and_dumped(invoke: Invoke, engine: Loopback, tmp_path: Path) -> None:
    script = tmp_path / "a.conf"
    invoke("save", MIXED, "-o", script, "--with-keys", *LINUX)
    done = invoke("load", script, *LINUX)
    (count,) = re.findall(r"^(\d+) of 46 requests done$", done.stderr, re.MULTILINE)
    assert int(count) >= 40
    text = invoke("setkey", "-D", *LINUX).stdout
    assert text.count(" state=mature \n") == int(count)
    again = tmp_path / "b.conf"
    assert invoke("save", "kernel", "-o", again, "--with-keys", *LINUX).exit_code == 0
    keys = [set(re.findall(r"0x[0-9a-f]{32,}", path.read_text())) for path in (script, again)]
    assert keys[1] <= keys[0]
    assert len(keys[1]) > 20


def test_a_refusal_is_told_and_counted(invoke: Invoke, engine: Loopback, tmp_path: Path) -> None:
    script = tmp_path / "a.conf"
    line = "add 192.0.2.1 192.0.2.2 esp 256 -E null ;\n"
    script.write_text(line + line)
    done = invoke("load", script, *LINUX)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [f"fastpfkey: {script},2: File exists", "1 of 2 requests done"]


def test_a_mistake_is_told_and_nothing_is_sent(invoke: Invoke, engine: Loopback, tmp_path: Path) -> None:
    script = tmp_path / "a.conf"
    script.write_text("add 192.0.2.1 192.0.2.2 esp 256 -E null ;\nnonsense;\n")
    done = invoke("load", script, *LINUX)
    assert (done.exit_code, done.stderr) == (1, f"fastpfkey: {script}: line 2, column 1: syntax error at `nonsense'\n")
    assert invoke("setkey", "-D", *LINUX).stdout == "No SAD entries.\n"


class TestSetkey:
    """The program, with an engine."""

    def test_a_script_and_a_dump(self, invoke: Invoke, engine: Loopback, tmp_path: Path) -> None:
        (tmp_path / "a.conf").write_text(
            "flush;\nadd 192.0.2.1 192.0.2.2 ah 256 -A hmac-md5 0x00112233445566778899aabbccddeeff;"
        )
        assert invoke("setkey", "-f", tmp_path / "a.conf", *LINUX).exit_code == 0
        text = invoke("setkey", "-D", *LINUX).stdout
        assert text.startswith(
            "192.0.2.1 192.0.2.2 \n\tah mode=transport spi=256(0x00000100) reqid=0(0x00000000)\n\tA: hmac-md5"
        )
        assert invoke("setkey", "-F", *LINUX).stdout == ""
        assert invoke("setkey", "-D", *LINUX).stdout == "No SAD entries.\n"

    def test_refusals_leave_the_exit_status_alone(self, invoke: Invoke, engine: Loopback) -> None:
        line = b"add 192.0.2.1 192.0.2.2 esp 256 -E null;"
        done = invoke("setkey", "-c", *LINUX, stdin=line + line)
        assert (done.exit_code, done.stdout) == (0, "File exists.\n")

    def test_nothing_is_sent_of_a_script_with_a_mistake(self, invoke: Invoke, engine: Loopback) -> None:
        text = b"add 192.0.2.1 192.0.2.2 esp 256 -E null;\nnonsense;\n"
        assert invoke("setkey", "-c", *LINUX, stdin=text).exit_code == 1
        assert invoke("setkey", "-D", *LINUX).stdout == "No SAD entries.\n"
        assert invoke("setkey", "-c", "--compat", *LINUX, stdin=text).exit_code == 0
        assert "spi=256(" in invoke("setkey", "-D", *LINUX).stdout


def test_what_cannot_be_opened(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(Loopback):
        def open_endpoint(self, role: Role) -> Endpoint:
            raise pf.TransportError(97, "there is no AF_KEY here")

    monkeypatch.setattr(setkey_sources, "source", lambda text, dialect: Closed(dialect))
    done = invoke("setkey", "-D", *LINUX)
    assert done.exit_code == 1
    assert done.stderr.startswith("setkey: pfkey_open: Address family not supported by protocol\n")


def test_names_that_are_no_sources(invoke: Invoke) -> None:
    done = invoke("setkey", "-D", "--source", "unix:")
    assert done.exit_code == 1
    assert "'unix:' is no source: kernel, unix:PATH, engine and demo:N are" in done.stderr


def test_an_engine_that_is_served(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = Server(Engine("linux"), path)
    serving = threading.Thread(target=server.run)
    serving.start()
    try:
        line = b"add 192.0.2.1 192.0.2.2 esp 256 -E null;"
        assert invoke("setkey", "-c", "--source", f"unix:{path}", stdin=line).exit_code == 0
        assert "spi=256(" in invoke("setkey", "-D", "--source", f"unix:{path}").stdout
        watching = (sys.executable, "-m", "fastpfkey", "setkey", "-x", "--source", f"unix:{path}")
        with subprocess.Popen(watching, stdout=subprocess.PIPE) as watcher:
            assert watcher.stdout is not None
            watcher.stdout.readline()  # of the answer to the request to hear all
            invoke("setkey", "-F", "--source", f"unix:{path}")
            heard = watcher.stdout
            assert any(b"sadb_msg{ version=2 type=9 errno=0 satype=0\n" in line for line in iter(heard.readline, b""))
            watcher.terminate()
    finally:
        server.stop()
        serving.join()


def test_a_script_may_be_tried_out(invoke: Invoke, tmp_path: Path) -> None:
    script = tmp_path / "a.conf"
    invoke("save", MIXED, "-o", script, "--with-keys", *LINUX)
    done = invoke("load", script, "--source", "engine", *LINUX)
    assert re.search(r"^\d+ of 46 requests done$", done.stderr, re.MULTILINE)
