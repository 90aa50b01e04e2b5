"""Hostile input and hostile surroundings: never a traceback, never a key unasked, never a command to the terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from corpus.groundtruth import byhand
from corpus.groundtruth.index import EXTENSIONS
from hypothesis import given
from hypothesis import strategies as st

from .conftest import CORPUS, LINUX, Invoke, Run

CAPTURES = sorted(path.name for path in CORPUS.glob("*.bin"))


def keys(name: str) -> list[str]:
    """All keys in a capture, in hexadecimal."""
    messages = byhand.split((CORPUS / name).read_bytes())
    found = (byhand.extension(message, EXTENSIONS[kind]) for message in messages for kind in ("KEY_AUTH", "KEY_ENC"))
    return [byhand.key(ext)[1].hex() for ext in found if ext is not None]


MIXED_KEYS = keys("linux-mixed.bin")
KEYS = [*MIXED_KEYS, *keys("linux-events.bin")]
VIEWS = [
    *([form] for form in ("text", "json", "jsonl", "csv")),
    *(["csv", "--table", table] for table in ("associations", "policies", "algorithms")),
    ["text", "--table", "associations", "--columns", "spi,present,key_auth_bits"],
]
TOLD = re.compile(
    r"fastpfkey: standard input: (message \d+, byte \d+: [a-z0-9 ,()_PFKEYV-]+|[\d,]+ bad messages in all)"
    r"(; --dialect auto finds out what system wrote a file)?"
)


@given(
    name=st.sampled_from(CAPTURES),
    damage=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=5),
    cut=st.integers(0, 100),
    dialect=st.sampled_from(["linux", "freebsd", "netbsd", "openbsd", "macos", "illumos", "rfc2367"]),
    view=st.sampled_from(VIEWS),
    on_error=st.sampled_from(["raise", "stop", "skip"]),
    flags=st.sets(st.sampled_from(["--strict", "--show-keys"])),
)
def test_any_damage_is_a_line_and_a_status(
    invoke: Invoke,
    name: str,
    damage: list[tuple[int, int]],
    cut: int,
    dialect: str,
    view: list[str],
    on_error: str,
    flags: set[str],
) -> None:
    data = bytearray((CORPUS / name).read_bytes()[:3000])
    for place, value in damage:
        data[place % len(data)] = value
    options = ["--dialect", dialect, "--byteorder", "little", "--on-error", on_error, *sorted(flags)]
    done = invoke("decode", *options, "--format", *view, "-", stdin=bytes(data[: len(data) - cut]))
    lines = done.stderr.splitlines()
    assert all(TOLD.fullmatch(line) for line in lines), lines
    assert done.exit_code == bool(lines)
    if on_error != "skip":
        assert len(lines) <= 1
    if view[0] == "json":
        json.loads(done.stdout)


class TestKeys:
    """Keys are shown on request only, whatever is asked for beside them."""

    def test_there_are_keys(self) -> None:
        assert len(KEYS) > 50
        assert all(len(key) >= 16 for key in KEYS)

    @pytest.mark.parametrize("view", VIEWS, ids=" ".join)
    @pytest.mark.parametrize("name", ["linux-mixed.bin", "linux-events.bin"])
    def test_hidden(self, invoke: Invoke, name: str, view: list[str]) -> None:
        done = invoke("decode", *LINUX, "--format", *view, CORPUS / name)
        assert done.exit_code == 0
        assert not [key for key in KEYS if key[:16] in done.output.lower()]

    @pytest.mark.parametrize("view", VIEWS[:4], ids=" ".join)
    def test_shown(self, invoke: Invoke, view: list[str]) -> None:
        out = invoke("decode", *LINUX, "--show-keys", "--format", *view, CORPUS / "linux-mixed.bin").output
        shown = [key for key in MIXED_KEYS if key in out]
        assert shown == MIXED_KEYS

    def test_a_key_column_needs_the_option(self, invoke: Invoke) -> None:
        done = invoke("decode", *LINUX, "--columns", "key_auth", CORPUS / "linux-mixed.bin")
        assert done.exit_code == 2
        assert "no column 'key_auth'" in done.stderr
        done = invoke("dump", *LINUX, "--columns", "key_auth", "--show-keys", CORPUS / "linux-mixed.bin")
        assert done.stdout.splitlines()[1] == KEYS[0]

    @pytest.mark.parametrize("member", [0, 4], ids=["sadb_key_len", "sadb_key_bits"])
    def test_not_in_errors_either(self, invoke: Invoke, mixed: bytes, member: int) -> None:
        """A key whose bits do not fit, or whose length runs out of its message."""
        data = bytearray(mixed)
        data[mixed.index(bytes.fromhex(KEYS[0])) - 8 + member] = 0xFF
        done = invoke("decode", *LINUX, "-", stdin=bytes(data))
        assert done.exit_code == 1
        assert not [key for key in KEYS if key[:16] in done.output.lower()]


def identity(text: bytes) -> bytes:
    """A GET of Linux with a source identity of this text."""
    text = text.ljust((len(text) + 8) // 8 * 8, b"\0")
    body = struct.pack("<HHHxxQ", 2 + len(text) // 8, EXTENSIONS["ID_SRC"], 2, 0) + text
    return struct.pack("<BBBBHHII", 2, 5, 0, 3, 2 + len(body) // 8, 0, 0, 0) + body


class TestTerminals:
    """What a message holds is text, and no command to a terminal."""

    HOSTILE = b"gate\x1b]0;owned\x07\r\nway"

    def test_control_characters_are_escaped(self, invoke: Invoke) -> None:
        done = invoke("decode", *LINUX, "-", stdin=identity(self.HOSTILE))
        assert done.exit_code == 0
        assert "gate\\x1b]0;owned\\x07\\r\\nway" in done.stdout
        assert len(done.stdout.splitlines()) == 2

    @pytest.mark.parametrize("form", ["text", "json", "jsonl"])
    def test_an_output_that_cannot_show_a_character(self, run: Run, form: str) -> None:
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = run("decode", *LINUX, "--format", form, "-", stdin=identity("zürich".encode()), env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        assert rb"z\xfcrich" in done.stdout or rb"z\u00fcrich" in done.stdout

    def test_names_of_files_too(self, invoke: Invoke, tmp_path: Path) -> None:
        path = tmp_path / "a\x1b[2Jb"
        path.write_bytes(b"short")
        assert "\x1b" not in invoke("decode", *LINUX, path).output


class TestSurroundings:
    """Streams that are closed, full or gone."""

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        command = command.replace("fastpfkey", f"{sys.executable} -m fastpfkey")
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)

    def test_a_closed_pipe(self) -> None:
        done = self.shell("fastpfkey dump demo:20000 | head -n 1; echo ${PIPESTATUS[0]}")
        assert done.stdout.splitlines()[1:] == ["141"]  # as any program that a SIGPIPE ended
        assert done.stderr == ""

    def test_closed_output(self) -> None:
        done = self.shell("fastpfkey dump demo:3 >&-")
        assert (done.returncode, done.stderr) == (1, "fastpfkey: standard output is closed\n")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is needed")
    @pytest.mark.parametrize("command", ["dump demo:3", "dump demo:30000", "--help", "--version"])
    def test_full_output(self, command: str) -> None:
        done = self.shell(f"fastpfkey {command} >/dev/full")
        assert (done.returncode, done.stderr) == (1, "fastpfkey: No space left on device\n")

    def test_closed_input(self) -> None:
        done = self.shell("fastpfkey decode - <&-")
        assert (done.returncode, done.stderr) == (1, "fastpfkey: standard input is closed\n")

    def test_a_folder(self, invoke: Invoke, tmp_path: Path) -> None:
        done = invoke("decode", *LINUX, tmp_path)
        assert (done.exit_code, done.stderr) == (1, f"fastpfkey: {tmp_path}: Is a directory\n")

    def test_an_interrupt(self) -> None:
        command = [sys.executable, "-m", "fastpfkey", "decode", *LINUX, "--format", "jsonl", "-"]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin
            assert process.stdout
            assert process.stderr
            process.stdin.write((CORPUS / "linux-register-ah.bin").read_bytes())
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(2)
            assert process.stderr.read() == b""
        assert process.returncode == 130

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_file_under_way_is_taken_away(self, tmp_path: Path, number: int) -> None:
        """It may hold keys."""
        command = [sys.executable, "-m", "fastpfkey", "dump", "demo:2000000", "--format", "csv"]
        command += ["-o", str(tmp_path / "sad.csv"), "--show-keys"]

        def mind() -> None:
            """Under nohup these tests would hand on that hangups are ignored."""
            signal.signal(number, signal.SIG_DFL)

        with subprocess.Popen(command, preexec_fn=mind) as process:
            while not list(tmp_path.iterdir()):
                time.sleep(0.01)
            process.send_signal(number)
        assert process.returncode == 128 + number
        assert list(tmp_path.iterdir()) == []
