"""`tcpmd5`: where the password comes from, and that it is seen nowhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey.engine.engine import Engine
from fastpfkey.transport.serving import Server

from .conftest import Invoke, Run

PEER, LOCAL = "192.0.2.2", "192.0.2.1"
PASSWORD = "correct horse"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[str]:
    """A FreeBSD that is served at a socket."""
    path = tmp_path / "socket"
    server = Server(Engine("freebsd"), path)
    serving = threading.Thread(target=server.run)
    serving.start()
    yield f"unix:{path}"
    server.stop()
    serving.join()


def passwords(source: str) -> set[bytes]:
    with pf.Client.open(source) as client:
        return set(client.dump("tcpsignature", keys=True).key_bytes("auth"))


def test_set_list_and_delete(invoke: Invoke, source: str) -> None:
    done = invoke("tcpmd5", "set", PEER, LOCAL, "--source", source, stdin=f"{PASSWORD}\n".encode())
    assert (done.exit_code, done.output) == (0, "")
    assert passwords(source) == {PASSWORD.encode()}
    assert invoke("tcpmd5", "list", "--source", source).stdout.splitlines()[1].split() == [LOCAL, PEER, "True"]
    assert invoke("tcpmd5", "list", "--source", source, "--format", "jsonl").stdout == (
        f'{{"one": "{LOCAL}", "other": "{PEER}", "both": true}}\n'
    )
    assert invoke("tcpmd5", "delete", PEER, LOCAL, "--source", source).exit_code == 0
    assert invoke("tcpmd5", "delete", PEER, LOCAL, "--source", source).exit_code == 1
    assert passwords(source) == set()


def test_a_password_in_a_file(invoke: Invoke, source: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"two words\r\nand no more")
    assert invoke("tcpmd5", "set", PEER, LOCAL, "--source", source, "--password-file", file).exit_code == 0
    assert passwords(source) == {b"two words"}


def test_a_password_in_the_environment(invoke: Invoke, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGP_PASSWORD", PASSWORD)
    assert invoke("tcpmd5", "set", PEER, LOCAL, "--source", source, "--password-env", "BGP_PASSWORD").exit_code == 0
    assert passwords(source) == {PASSWORD.encode()}


def test_a_password_behind_a_descriptor(invoke: Invoke, source: str) -> None:
    here, there = os.pipe()
    os.write(there, PASSWORD.encode())
    os.close(there)
    assert invoke("tcpmd5", "set", PEER, LOCAL, "--source", source, "--password-fd", str(here)).exit_code == 0
    os.close(here)
    assert passwords(source) == {PASSWORD.encode()}


def test_a_password_from_a_terminal(source: str) -> None:
    """It is asked for twice, and not echoed."""
    import pty
    import sys

    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "fastpfkey", "tcpmd5", "set", PEER, LOCAL, "--source", source])
    seen = b""
    for _ in range(2):
        while b": " not in seen.rpartition(b"\n")[2]:
            seen += os.read(terminal, 1024)
        os.write(terminal, f"{PASSWORD}\n".encode())
        seen += b"\n"
    try:
        while piece := os.read(terminal, 1024):
            seen += piece
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, seen
    assert PASSWORD.encode() not in seen
    assert passwords(source) == {PASSWORD.encode()}


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (("--password-file", "/nowhere"), b"", "/nowhere: No such file or directory"),
        (("--password-env", "NOT_THERE"), b"", "there is no variable NOT_THERE"),
        (("--password-fd", "999"), b"", "descriptor 999: Bad file descriptor"),
        ((), b"", "a password has 1 to 80 bytes, not 0"),
        ((), b"secret" * 14, "a password has 1 to 80 bytes, not 84"),
    ],
)
def test_what_is_no_password(invoke: Invoke, source: str, arguments: tuple[str, ...], stdin: bytes, told: str) -> None:
    done = invoke("tcpmd5", "set", PEER, LOCAL, "--source", source, *arguments, stdin=stdin)
    assert done.exit_code == 1
    assert told in done.stderr
    assert "secretsecret" not in done.output


def test_one_place_only(invoke: Invoke, source: str) -> None:
    done = invoke("tcpmd5", "set", PEER, LOCAL, "--password-file", "a", "--password-env", "B", "--source", source)
    assert (done.exit_code, "name one place" in done.stderr) == (2, True)


def test_linux(run: Run) -> None:
    done = run("tcpmd5", "list", "--source", "engine", "--dialect", "linux")
    assert done.returncode == 1
    assert b"fastpfkey: tcpmd5: linux keeps no passwords in PF_KEY" in done.stderr
    assert b"TCP_MD5SIG" in done.stderr
