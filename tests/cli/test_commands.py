"""`dump`, `bench`, `doctor`, and what all commands have in common."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import pytest

import fastpfkey
from fastpfkey.cli.options import TABLES
from fastpfkey.cli.rows import TABLES as ROWS

from .conftest import CORPUS, LINUX, Invoke, Run


def test_dump_of_a_made_up_table(run: Run) -> None:
    done = run("dump", "demo:500", "--format", "csv", "--columns", "seq,satype")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [int(row["seq"]) for row in rows] == [*range(1, 500), 0]  # a Linux dump counts up and ends at 0
    assert {row["satype"] for row in rows} == {"ah", "esp", "ipcomp"}


def test_dump_of_a_file_has_the_rows_of_the_table(run: Run) -> None:
    out = run("dump", CORPUS / "linux-mixed.bin", "--dialect", "linux").stdout.decode().splitlines()
    assert out[0].split()[:3] == ["satype", "spi", "src"]
    assert len(out) == 1 + 53


def terminal(*arguments: str | Path) -> str:
    """What `fastpfkey` shows on a terminal, without colours and emphasis."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "fastpfkey", *map(str, arguments)]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=child, env=environment) as process:
        os.close(child)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while piece := os.read(parent, 65536):
                shown += piece
    os.close(parent)
    assert process.returncode == 0
    return re.sub(r"\x1b\[\d*m", "", shown.decode()).replace("\r\n", "\n")


def test_a_terminal_sees_a_summary(run: Run) -> None:
    names = ("satype", "state", "encrypt", "auth", "mode")
    text = terminal("dump", "demo:2000")
    lines = [line.split() for line in text.splitlines()]
    shown = {tuple(words[:5]): int(words[5]) for words in lines if len(words) == 6 and words[5].isdigit()}
    rows = run("dump", "demo:2000", "--format", "csv", "--columns", ",".join(names)).stdout.decode()
    assert [*names, "count"] in lines
    assert shown == Counter(tuple(row.values()) for row in csv.DictReader(io.StringIO(rows)))
    assert list(shown.values()) == sorted(shown.values(), reverse=True)
    assert "2,000 associations from demo:2000 (linux, " in text
    assert re.search(rf"decoded in [\d.]+ ms by the {fastpfkey.BACKEND} backend, [\d,]+ messages/s", text)


def test_a_summary_counts_associations_only() -> None:
    """The kernel's answer for an empty table is a message with an errno, and no association."""
    text = terminal("dump", *LINUX, CORPUS / "linux-sad-empty.bin")
    assert "0 associations from " in text
    assert "about no association: 1 " in text


def test_a_terminal_gets_rows_on_request() -> None:
    lines = terminal("dump", *LINUX, "--columns", "spi", CORPUS / "linux-mixed.bin").splitlines()
    assert lines[:2] == ["spi", "0x00008003"]


def test_a_demo_of_no_number(run: Run) -> None:
    for name in ("demo:", "demo:0", "demo:x", "demo:1e9"):
        done = run("dump", name)
        assert done.returncode == 1
        assert b"demo:N needs a number" in done.stderr


def test_bench_measures_both_backends(run: Run) -> None:
    lines = json.loads(run("bench", "demo:300", "--json").stdout)
    assert {line["backend"] for line in lines} == {"compiled", "reference"}
    assert {line["what"] for line in lines} == {
        "memcpy",
        "walk",
        "8 columns, fresh",
        "8 columns, warm",
        "55 columns, fresh",
        "55 columns, warm",
    }
    assert all(line["messages"] == 300 and line["nanoseconds"] > 0 and line["ratio"] > 0 for line in lines)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no message to measure with"),
        (bytes(16), "byte 0: the version is not 2"),
        (b"short", "byte 0: fewer than 16 bytes are left"),
    ],
)
def test_bench_needs_good_messages(invoke: Invoke, tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "dump.bin"
    path.write_bytes(data)
    done = invoke("bench", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"fastpfkey: {path}: ")
    assert told in done.stderr


def test_bench_shows_the_same_as_a_table() -> None:
    text = terminal("bench", *LINUX, CORPUS / "linux-mixed.bin")
    lines = [words for line in text.splitlines() if (words := line.split())[1:] and words[-3:-2] == ["53"]]
    assert {words[0] for words in lines} == {"compiled", "reference"}
    assert len(lines) == 12


def test_doctor_names_the_live_backend(run: Run) -> None:
    text = run("doctor").stdout.decode()
    found = json.loads(run("doctor", "--json").stdout)
    assert found["fastpfkey"] == fastpfkey.__version__
    assert found["backend"].startswith(f"{fastpfkey.BACKEND}: ")
    assert found["AF_KEY"].startswith(("available: ", "not available: "))
    assert [line.split("  ")[0] for line in text.splitlines()] == list(found)
    assert all(value in text for value in found.values())


@pytest.mark.parametrize("backend", ["compiled", "reference"])
def test_both_backends_show_the_same(run: Run, backend: str) -> None:
    environment = {**os.environ, "FASTPFKEY_BACKEND": backend}
    for arguments in (("decode", *LINUX), ("dump", *LINUX, "--format", "csv")):
        done = run(*arguments, CORPUS / "linux-mixed.bin", env=environment)
        assert done.returncode == 0
        assert done.stdout == run(*arguments, CORPUS / "linux-mixed.bin").stdout
    assert backend in run("doctor", env=environment).stdout.decode()


def test_a_backend_that_there_is_not(run: Run) -> None:
    """Is an error in one line, but not where it could keep one from finding out."""
    environment = {**os.environ, "FASTPFKEY_BACKEND": "quantum"}
    reason = "FASTPFKEY_BACKEND is compiled or reference, not 'quantum'"
    done = run("dump", "demo:3", env=environment)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"fastpfkey: {reason}\n")
    done = run("doctor", "--json", env=environment)
    assert (done.returncode, done.stderr) == (1, b"")
    assert json.loads(done.stdout)["backend"] == f"none: {reason}"
    assert run("dump", "--help", env=environment).returncode == 0


def test_what_is_not_used_is_not_loaded() -> None:
    code = """
import atexit, sys
heavy = ("numpy", "rich")
atexit.register(lambda: print(*(name for name in heavy if name in sys.modules), file=sys.stderr))
from fastpfkey.cli import main
main()
"""

    def loaded(*arguments: str) -> list[str]:
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        return done.stderr.split()

    assert loaded("--version") == []
    assert loaded("--help") == []
    assert loaded("dump", "demo:3") == ["numpy"]


def test_the_console_script() -> None:
    script = Path(sysconfig.get_path("scripts")) / "fastpfkey"
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"fastpfkey {fastpfkey.__version__}\n")


def test_every_table_that_can_be_asked_for_is_there() -> None:
    assert set(TABLES) == ROWS.keys()


@pytest.mark.parametrize("arguments", [("dump",), ("decode",), ("bench",)], ids=" ".join)
def test_every_command_explains_itself(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    done = invoke(*arguments, "--help")
    assert done.exit_code == 0
    assert "--dialect [host|auto|rfc2367|linux|freebsd|netbsd|openbsd|macos|illumos]" in done.stdout


def test_what_was_not_understood_has_status_2(run: Run) -> None:
    assert run("decode").returncode == 2
    assert run("decode", "--columns", "spi,,src", "-").returncode == 2
    assert run("decode", "--dialect", "plan9", "-").returncode == 2
    assert run("nonsense").returncode == 2
