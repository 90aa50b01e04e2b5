"""Rows that are asked for, sorted, counted off, and written as text or as files of data frames."""

from __future__ import annotations

import csv
import io
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet
from transport.fake import FakeEndpoint, FakeEngine
from transport.test_dump import fill

import fastpfkey as pf
from fastpfkey.columns.keys import fingerprints
from fastpfkey.wire.message import Message

from .conftest import CORPUS, LINUX, Invoke, Run
from .test_commands import terminal

MIXED = CORPUS / "linux-mixed.bin"
QUESTION = "state == 'mature' and dst in '10.1.0.0/16' and encrypt != 'null'"
SALT = bytes(range(32))


def table(keys: bool = False) -> pf.SATable:
    return pf.SATable.from_buffer(MIXED.read_bytes(), "linux", byteorder="little", keys=keys)


def spis(text: str) -> list[int]:
    """The column spi of CSV or lines of JSON."""
    if text.startswith("{"):
        return [json.loads(line)["spi"] for line in text.splitlines()]
    return [int(row["spi"]) for row in csv.DictReader(io.StringIO(text))]


@pytest.fixture
def salt(tmp_path: Path) -> Path:
    path = tmp_path / "salt"
    path.write_bytes(SALT)
    return path


@pytest.mark.parametrize("command", ["decode", "dump"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
class TestPicking:
    def test_a_question(self, invoke: Invoke, command: str, form: str) -> None:
        """Columns that it needs are decoded, and not shown."""
        arguments = (command, *LINUX, "--format", form, "--columns", "spi", "--where", QUESTION, MIXED)
        done = invoke(*arguments)
        expected = table().where(QUESTION)["spi"].tolist()
        assert spis(done.stdout) == expected
        assert 0 < len(expected) < 53

    def test_an_order_and_a_limit(self, invoke: Invoke, command: str, form: str) -> None:
        arguments = (command, *LINUX, "--format", form, "--columns", "spi,src", "--sort", "satype,-spi")
        expected = table().sort("satype", "-spi")["spi"].tolist()
        assert spis(invoke(*arguments, MIXED).stdout) == expected
        assert spis(invoke(*arguments, "--limit", "7", MIXED).stdout) == expected[:7]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--where", "stat == 1"), "'stat == 1', character 1: there is no column 'stat'; is 'state' meant?"),
        (("--where", "state == 'matur'"), "character 10: state is never 'matur'; is 'mature' meant?"),
        (("--where", "state =="), "'state ==', character 1: this cannot be read"),
        (("--where", "open('/etc/passwd')"), "character 1: a comparison is needed here"),
        (("--sort", "-colour"), "no column 'colour'; known are message_offset, "),
        (("--sort", ""), "names separated by commas are needed"),
        (("--limit", "-1"), "-1"),
        (("--addresses", "text"), "--addresses is for arrow and parquet"),
    ],
)
def test_what_cannot_be_asked(invoke: Invoke, arguments: tuple[str, ...], told: str) -> None:
    """It is told before anything is read or written, and nothing is shown."""
    done = invoke("dump", *LINUX, *arguments, MIXED)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr


def test_sorting_over_several_files_keeps_what_row_came_from_which(invoke: Invoke, tmp_path: Path) -> None:
    other = tmp_path / "other.bin"
    other.write_bytes(MIXED.read_bytes()[:2000])
    done = invoke(
        "decode", *LINUX, "--format", "csv", "--columns", "spi,message_offset", "--sort", "-spi", MIXED, other
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    alone = csv.DictReader(
        io.StringIO(invoke("decode", *LINUX, "--format", "csv", "--columns", "spi,message_offset", other).stdout)
    )
    assert [int(row["spi"]) for row in rows] == sorted((int(row["spi"]) for row in rows), reverse=True)
    assert sorted(row["message_offset"] for row in rows if row["file"] == str(other)) == sorted(
        row["message_offset"] for row in alone
    )


def test_policies_and_algorithms(invoke: Invoke) -> None:
    done = invoke(
        "dump", *LINUX, CORPUS / "linux-policies.bin", "--format", "jsonl", "--where", "dir == 'out'", "--sort", "-spid"
    )
    policies = pf.PolicyTable.from_buffer((CORPUS / "linux-policies.bin").read_bytes(), "linux", byteorder="little")
    wanted = policies.where("dir == 'out'").sort("-spid")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["spid"] for row in rows] == wanted["spid"].tolist()
    assert [len(row["requests"]) for row in rows] == (wanted.request_offsets[1:] - wanted.request_offsets[:-1]).tolist()
    done = invoke("register", "--source", "engine", "--format", "csv", "--where", "minbits >= 256", "--columns", "id")
    assert done.stdout.splitlines() == ["id", "sha2-256-hmac", "sha2-384-hmac", "sha2-512-hmac"]


def test_a_terminal_that_asks_for_rows_sees_rows() -> None:
    lines = terminal("dump", "demo:100", "--limit", "3").splitlines()
    assert lines[0].split()[:3] == ["satype", "spi", "src"]
    assert len(lines) == 4


def prepared(first: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, after a statement."""
    code = f"import sys; {first}; from fastpfkey.cli import main; main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False, text=True)


def read_parquet(data: bytes) -> pa.Table:
    return parquet.read_table(io.BytesIO(data))


def read_arrow(data: bytes) -> pa.Table:
    return ipc.open_stream(data).read_all()


READERS: dict[str, Callable[[bytes], Any]] = {"parquet": read_parquet, "arrow": read_arrow}


@pytest.mark.parametrize("form", READERS)
class TestDataFrames:
    def test_all_columns(self, run: Run, form: str) -> None:
        """On a pipe, which cannot be asked how much was written to it."""
        done = run("dump", *LINUX, "--format", form, MIXED)
        found = READERS[form](done.stdout)
        expected = table().to_arrow()
        assert found.schema.metadata[b"dialect"] == b"linux"
        assert found.schema.field("hard_addtime").metadata[b"unit"] == b"seconds"
        assert found.to_pylist() == expected.to_pylist()
        assert isinstance(found.to_pylist()[0]["src"], bytes)

    def test_chosen_columns_and_addresses_as_text(self, run: Run, form: str, tmp_path: Path) -> None:
        path = tmp_path / "out"
        done = run(
            *("decode", *LINUX, "--format", form, "--columns", "dst,spi", "--addresses", "text"),
            *("--where", QUESTION, "--sort", "-spi", "--output", path, MIXED),
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        wanted = table().where(QUESTION).sort("-spi")
        assert READERS[form](path.read_bytes()).to_pylist() == list(wanted.rows(["dst", "spi"]))

    def test_several_files(self, run: Run, form: str) -> None:
        done = run("decode", *LINUX, "--format", form, "--columns", "spi", MIXED, MIXED)
        assert READERS[form](done.stdout)["file"].to_pylist() == [str(MIXED)] * 106

    def test_nothing_has_a_schema(self, run: Run, form: str) -> None:
        found = READERS[form](run("decode", *LINUX, "--format", form, "--columns", "spi,src", "-").stdout)
        assert (found.num_rows, found.schema.names) == (0, ["spi", "src"])
        shown = READERS[form](run("decode", *LINUX, "--format", form, "--show-keys", "-").stdout)
        assert {"key_auth", "key_encrypt"} <= set(shown.schema.names)

    def test_policies_have_their_requests(self, run: Run, form: str) -> None:
        path = CORPUS / "linux-policies.bin"
        found = READERS[form](run("dump", *LINUX, "--format", form, path).stdout)
        expected = pf.PolicyTable.from_buffer(path.read_bytes(), "linux", byteorder="little").to_arrow()
        assert found["requests"].to_pylist() == expected["requests"].to_pylist()

    def test_many_windows(self, run: Run, form: str) -> None:
        done = run("dump", "demo:60000", "--dialect", "linux", "--format", form, "--columns", "spi,state,seq")
        found = READERS[form](done.stdout)
        assert found["seq"].to_pylist() == [*range(1, 60000), 0]

    def test_nothing_for_a_terminal(self, form: str) -> None:
        done = prepared("sys.stdout.isatty = lambda: True", "dump", "demo:5", "--format", form)
        assert (done.returncode, done.stdout) == (2, "")
        assert "name a file with --output" in done.stderr

    def test_without_pyarrow(self, form: str) -> None:
        """A hint, and nothing else."""
        done = prepared("sys.modules['pyarrow'] = None", "dump", "demo:5", "--format", form)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"fastpfkey: {form} needs pyarrow, which is not installed; pip install 'fastpfkey[arrow]'\n"
        )


@pytest.mark.parametrize("form", ["text", "csv", "json", "jsonl", "arrow", "parquet"])
class TestFiles:
    def test_the_file_is_what_a_pipe_gets(self, run: Run, form: str, tmp_path: Path) -> None:
        path = tmp_path / "rows"
        arguments = ("dump", *LINUX, "--format", form, "--columns", "spi,src,state", MIXED)
        assert run(*arguments, "--output", path).stdout == b""
        assert path.read_bytes() == run(*arguments).stdout
        assert [each.name for each in tmp_path.iterdir()] == ["rows"]

    def test_keys_make_it_private(self, run: Run, form: str, tmp_path: Path, salt: Path) -> None:
        modes = []
        keys = [key for key in table(keys=True).key_bytes("auth") if len(set(key)) > 8]  # not those of zeros
        for number, more in enumerate(((), ("--show-keys",), ("--key-fingerprint", salt))):
            path = tmp_path / f"rows{number}"
            run("dump", *LINUX, "--format", form, *more, "--output", path, MIXED)
            modes.append(stat.S_IMODE(path.stat().st_mode) & 0o077)
            shown = any(key in path.read_bytes() or key.hex().encode() in path.read_bytes() for key in keys)
            assert shown is (number == 1)
        assert modes[1] == 0
        assert modes[0] == modes[2] != 0

    @pytest.mark.parametrize(("on_error", "written"), [("raise", False), ("stop", True), ("skip", True)])
    def test_bad_input_leaves_the_old_file(
        self, run: Run, form: str, tmp_path: Path, mixed: bytes, on_error: str, written: bool
    ) -> None:
        path, source = tmp_path / "rows", tmp_path / "bad.bin"
        path.write_bytes(b"old")
        source.write_bytes(mixed[:-1])
        done = run("dump", *LINUX, "--on-error", on_error, "--format", form, "--output", path, source)
        assert done.returncode == 1
        assert (path.read_bytes() != b"old") is written
        lines = done.stderr.decode().splitlines()
        assert lines[0].startswith(f"fastpfkey: {source}: message 52, ")
        assert lines[1:] == (
            [] if written else [f"fastpfkey: {path}: not written; --on-error stop or skip writes what could be read"]
        )


@pytest.mark.parametrize("form", ["text", "json", "jsonl"])
def test_whole_messages_in_a_file(run: Run, form: str, tmp_path: Path, mixed: bytes) -> None:
    """A file's name does not make rows of them."""
    path = tmp_path / "messages"
    arguments = ("decode", *LINUX, "--format", form)
    done = run(*arguments, "--output", path, MIXED)
    assert (done.returncode, done.stdout) == (0, b"")
    assert path.read_bytes() == run(*arguments, MIXED).stdout
    assert b"lifetime" in path.read_bytes()
    source = tmp_path / "bad.bin"
    source.write_bytes(mixed[:-1])
    path.write_bytes(b"old")
    done = run(*arguments, "--output", path, source)
    assert (done.returncode, path.read_bytes()) == (1, b"old")


def test_fingerprints_are_those_of_the_library_and_the_same_on_another_host(
    invoke: Invoke, salt: Path, tmp_path: Path
) -> None:
    other = tmp_path / "copy of the salt"
    other.write_bytes(SALT)
    names = ("key_auth_fingerprint", "key_encrypt_fingerprint")
    arguments = ("dump", *LINUX, "--format", "jsonl", "--columns", ",".join(names), MIXED, "--key-fingerprint")
    done = invoke(*arguments, salt)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for kind, name in zip(("auth", "encrypt"), names, strict=True):
        assert [row[name] for row in rows] == fingerprints(table(keys=True).key_bytes(kind), SALT)
    assert invoke(*arguments, other).stdout == done.stdout


@pytest.mark.parametrize(("size", "told"), [(15, "this file 15 bytes"), (5000, "this file more")])
def test_a_salt_that_is_none(invoke: Invoke, tmp_path: Path, size: int, told: str) -> None:
    path = tmp_path / "salt"
    path.write_bytes(bytes(size))
    done = invoke("dump", *LINUX, "--key-fingerprint", path, MIXED)
    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr
    done = invoke("dump", *LINUX, "--key-fingerprint", tmp_path / "none", MIXED)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "No such file" in done.stderr


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What `kernel` is in these tests."""
    fake = FakeEngine("kernel")
    monkeypatch.setattr("fastpfkey.transport.base.find_source", lambda name, dialect: fake)
    return fake


def test_a_dump_that_is_not_whole_makes_no_file_unless_asked_to(
    invoke: Invoke, engine: FakeEngine, tmp_path: Path
) -> None:
    fill(engine, 5)

    def drop(endpoint: FakeEndpoint, request: Message) -> bool:
        engine.on_dump(endpoint, request)
        del endpoint.queue[2]
        return True

    engine.before = drop
    path = tmp_path / "rows.parquet"
    arguments = ("dump", "--dialect", "linux", "--format", "parquet", "--output", path)
    done = invoke(*arguments)
    assert done.exit_code == 1
    assert not path.exists()
    assert done.stderr.endswith("was not written; --on-error stop writes what came\n")
    assert invoke(*arguments, "--on-error", "stop").exit_code == 1
    assert parquet.read_table(path).num_rows == 4


WATCHED = r"""
import re, sys, threading
from pathlib import Path

def anonymous():
    return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10

peak, done = 0, threading.Event()
def watch():
    global peak
    while not done.wait(0.005):
        peak = max(peak, anonymous())
watching = threading.Thread(target=watch)
watching.start()
from fastpfkey.cli import main
try:
    main(sys.argv[1:])
finally:
    done.set()
    watching.join()
    print(peak, file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells how much memory was used")
@pytest.mark.parametrize("way", ["csv", "arrow", "parquet", "top"])
def test_memory_does_not_grow_with_the_input(tmp_path: Path, way: str) -> None:
    """224 MB more to read, and about the same anonymous memory: from a pipe, so that nothing is mapped."""
    from fastpfkey.columns.synthetic import synthetic

    piece = synthetic(100_000, seed=3).tobytes()
    arguments = ["decode", "--dialect", "linux", "--output", str(tmp_path / "rows"), "--where", "seq >= 0"]
    if way == "top":
        arguments += ["--format", "csv", "--sort", "-current_bytes,spi", "--limit", "100"]
    else:
        arguments += ["--format", way]
    if way in ("csv", "top"):
        arguments += ["--columns", "spi,src,dst,state,current_bytes"]
    peaks = []
    for times in (6, 14):
        with subprocess.Popen(
            [sys.executable, "-c", WATCHED, *arguments, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            for _ in range(times):
                process.stdin.write(piece)
            process.stdin.close()
            told = process.stderr.read()
        assert process.returncode == 0, told
        peaks.append(int(told))
    assert peaks[1] < peaks[0] + 2 * len(piece)  # what allocators keep; 8 pieces more were read


def test_keys_of_nothing(run: Run) -> None:
    done = run("decode", *LINUX, "--format", "csv", "--columns", "spi,key_auth", "--show-keys", "-")
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [b"spi,key_auth"], b"")
