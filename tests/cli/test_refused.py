"""Recorded dumps of tables that were empty, and dumps that were refused: what is no row."""

from __future__ import annotations

import json

import pytest

from .conftest import CORPUS, LINUX, Invoke, Run

EMPTY = CORPUS / "linux-sad-empty.bin"


@pytest.mark.parametrize("name", ["linux-sad-empty.bin", "linux-policies-empty.bin"])
def test_an_empty_table_has_no_rows(run: Run, name: str) -> None:
    """What the kernel answers then is a message with an errno, and no association or policy."""
    done = run("dump", *LINUX, CORPUS / name, "--format", "json")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"[]\n", b"")
    assert len(json.loads(run("decode", *LINUX, CORPUS / name, "--format", "json").stdout)) == 1


def test_a_dump_that_was_refused_is_told_and_no_row(run: Run) -> None:
    path = CORPUS / "linux-policies-with-ro.bin"
    done = run("dump", *LINUX, path, "--format", "jsonl")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"fastpfkey: {path}: SPDDUMP: EINVAL (22)".encode())


def test_rows_behind_a_refusal_keep_their_numbers(run: Run, mixed: bytes) -> None:
    refused = (CORPUS / "linux-sad-empty.bin").read_bytes()
    rows = run("dump", *LINUX, "-", "--format", "jsonl", stdin=refused + mixed).stdout.splitlines()
    assert [json.loads(row)["message_offset"] for row in rows[:2]] == [16, 16 + 272]
    assert len(rows) == 53


SYSTEM = ("--dialect", "linux")


def test_a_table_that_was_empty_can_be_compared(invoke: Invoke) -> None:
    done = invoke("diff", CORPUS / "linux-mixed.bin", EMPTY, *SYSTEM)
    assert (done.exit_code, done.stdout.count("\n- ")) == (1, 52)
    assert done.stderr == "fastpfkey: associations: 53 removed\n"
    done = invoke("diff", EMPTY, CORPUS / "linux-mixed.bin", *SYSTEM)
    assert (done.exit_code, done.stderr) == (1, "fastpfkey: associations: 53 added\n")
    assert invoke("diff", EMPTY, EMPTY, *SYSTEM).exit_code == 0
    done = invoke("diff", CORPUS / "linux-policies.bin", CORPUS / "linux-policies-empty.bin", *SYSTEM)
    assert (done.exit_code, done.stderr) == (1, "fastpfkey: policies: 42 removed\n")


def test_what_was_refused_is_no_empty_table(invoke: Invoke) -> None:
    done = invoke("diff", CORPUS / "linux-policies.bin", CORPUS / "linux-policies-with-ro.bin", *SYSTEM)
    assert done.exit_code == 2
    assert "no kind of table in common" in done.stderr


def test_nothing_is_deleted_because_a_recorded_table_was_empty(invoke: Invoke) -> None:
    done = invoke("apply", EMPTY, "--source", "demo:5", "--check", *SYSTEM)
    assert done.exit_code == 2


def test_a_table_that_is_asked_for_has_no_rows_of_the_other(invoke: Invoke) -> None:
    assert invoke("dump", "demo:3", "--table", "policies", "--format", "json").stdout == "[]\n"
    both = (CORPUS / "linux-mixed.bin").read_bytes() + (CORPUS / "linux-policies.bin").read_bytes()
    for table, count in (("associations", 53), ("policies", 42)):
        shown = invoke("dump", *LINUX, "-", "--table", table, "--format", "json", stdin=both)
        assert len(json.loads(shown.stdout)) == count
