"""`--dialect auto`: what wrote the messages is found out and said, and what cannot be told is never guessed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from fastpfkey.spec import DIALECTS, host_dialect

from .conftest import CORPUS, Invoke, Run

GOLDEN = Path(__file__).parents[1] / "vectors" / "golden"
SYSTEMS = [name for name in DIALECTS if name != "rfc2367"]


def golden(name: str, byteorder: str) -> bytes:
    """All golden messages of a system."""
    messages = json.loads((GOLDEN / f"{name}-{byteorder}.json").read_text(encoding="utf-8"))
    return b"".join(bytes.fromhex(message["hex"]) for message in messages)


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_the_system_is_found_and_told(invoke: Invoke, tmp_path: Path, name: str, byteorder: str) -> None:
    """The output is that of the dialect given by name."""
    path = tmp_path / "capture"
    path.write_bytes(golden(name, byteorder))
    done = invoke("decode", "--dialect", "auto", "--format", "jsonl", path)
    named = invoke("decode", "--dialect", name, "--byteorder", byteorder, "--format", "jsonl", path)
    assert done.exit_code == named.exit_code == 0
    assert done.stdout == named.stdout != ""
    assert done.stderr.startswith(f"fastpfkey: {path}: {name}, {byteorder}-endian: ")
    assert " messages can be read" in done.stderr


@pytest.mark.parametrize("command", ["decode", "dump", "bench"])
def test_ambiguity_is_an_error_with_the_candidates(invoke: Invoke, tmp_path: Path, command: str) -> None:
    """A bare FLUSH is the same on every system."""
    path = tmp_path / "flush"
    path.write_bytes(bytes([2, 9, 0, 3, 2, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0]))
    done = invoke(command, "--dialect", "auto", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "linux (little-endian), freebsd (little-endian)" in done.stderr
    assert done.stderr.endswith("; name it with --dialect\n")


def test_bytes_that_fit_no_system(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"no message at all")
    done = invoke("decode", "--dialect", "auto", path)
    assert done.exit_code == 1
    assert "no dialect fits" in done.stderr


def test_files_of_different_systems(invoke: Invoke, tmp_path: Path) -> None:
    """They are told, and not read with the dialect of one of them."""
    paths = []
    for name in ("linux", "openbsd"):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(golden(name, "little"))
    done = invoke("decode", "--dialect", "auto", *paths)
    assert (done.exit_code, done.stdout) == (1, "")
    assert [line.split(": ")[2].split(",")[0] for line in done.stderr.splitlines()[:2]] == ["linux", "openbsd"]
    assert "different systems" in done.stderr


def test_a_byte_order_that_is_known_is_not_guessed(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(golden("linux", "big"))
    done = invoke("decode", "--dialect", "auto", "--byteorder", "little", path)
    assert done.exit_code == 1
    assert "big" not in done.stderr


@pytest.mark.parametrize("size", [53, 20_000])
def test_standard_input(run: Run, mixed: bytes, size: int) -> None:
    """The bytes that were looked at are shown too, also where there are more than are looked at."""
    data = mixed * (size // 53)
    done = run("decode", "--dialect", "auto", "--format", "csv", "--columns", "spi", "-", stdin=data)
    named = run("decode", "--dialect", "linux", "--format", "csv", "--columns", "spi", "-", stdin=data)
    assert done.returncode == 0, done.stderr
    assert done.stdout == named.stdout
    assert done.stderr.startswith(b"fastpfkey: -: linux, little-endian: ")


def test_a_pipe_that_has_a_name(invoke: Invoke, tmp_path: Path, mixed: bytes) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[mixed])
    writer.start()
    done = invoke("dump", "--dialect", "auto", "--format", "csv", path)
    writer.join()
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 1 + 53


def test_an_empty_file_and_one_that_is_missing(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    assert invoke("decode", "--dialect", "auto", path).exit_code == 1
    path.touch()
    done = invoke("decode", "--dialect", "auto", path)
    assert done.exit_code == 1
    assert "no dialect fits" in done.stderr


def test_a_made_up_table_is_of_this_system(invoke: Invoke) -> None:
    done = invoke("dump", "--dialect", "auto", "--format", "csv", "--columns", "spi", "demo:5")
    assert len(done.stdout.splitlines()) == 1 + 5
    assert done.stderr.startswith(f"fastpfkey: demo:5: {host_dialect()}, ")


def test_dump_and_bench_of_a_capture(invoke: Invoke) -> None:
    path = CORPUS / "linux-mixed.bin"
    done = invoke("dump", "--dialect", "auto", "--format", "csv", path)
    assert len(done.stdout.splitlines()) == 1 + 53
    measured = invoke("bench", "--dialect", "auto", "--json", path)
    assert json.loads(measured.stdout)
    assert measured.stderr == done.stderr
