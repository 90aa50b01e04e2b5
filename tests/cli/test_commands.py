"""`dump`, `bench`, `doctor`, and what all commands have in common."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys

import fastpfkey

from .conftest import CORPUS, Run


def test_dump_of_a_made_up_table(run: Run) -> None:
    done = run("dump", "demo:500", "--format", "csv", "--columns", "seq,satype")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [int(row["seq"]) for row in rows] == [*range(1, 500), 0]  # a Linux dump counts up and ends at 0
    assert {row["satype"] for row in rows} == {"ah", "esp", "ipcomp"}


def test_dump_of_a_file_has_the_rows_of_the_table(run: Run) -> None:
    out = run("dump", CORPUS / "linux-mixed.bin", "--dialect", "linux").stdout.decode().splitlines()
    assert out[0].split()[:3] == ["satype", "spi", "src"]
    assert len(out) == 1 + 53


def test_a_terminal_sees_a_summary() -> None:
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "fastpfkey", "dump", "demo:2000"]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(command, stdout=child, env=environment) as process:
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(parent, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    os.close(parent)
    text = shown.decode()
    assert process.returncode == 0
    assert "2,000 associations" in text
    assert "messages/s" in text
    assert "aes-cbc" in text


def test_the_kernel_is_an_error_with_a_hint_and_never_an_empty_table(run: Run) -> None:
    done = run("dump")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"demo:100000" in done.stderr


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


def test_doctor_names_the_live_backend(run: Run) -> None:
    text = run("doctor").stdout.decode()
    assert f"{fastpfkey.BACKEND}: " in text
    assert "AF_KEY " in text
    assert fastpfkey.__version__ in text


def test_a_closed_pipe_is_no_error(run: Run) -> None:
    command = f"{sys.executable} -m fastpfkey dump demo:20000 | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""


def test_what_was_not_understood_has_status_2(run: Run) -> None:
    assert run("decode", "--dialect", "plan9", "-").returncode == 2
    assert run("nonsense").returncode == 2
