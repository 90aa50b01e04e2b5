"""`fastpfkey setkey`: its arguments, exit statuses and streams, over recorded messages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from .conftest import CORPUS, Invoke, Run

MIXED = CORPUS / "linux-mixed.bin"
POLICIES = CORPUS / "linux-policies.bin"
LINUX = ("--dialect", "linux")
NEW = "add 192.0.2.1 192.0.2.2 esp 256 -E null;\n"
BAD = "flush;\nadd 192.0.2.1 192.0.2.2 esp 256 -E bad;\n"


def text_of(name: str) -> str:
    """A recorded text without what depends on when and by whom it was printed."""
    return timeless((CORPUS / name).read_text())


def timeless(text: str) -> str:
    text = re.sub(r"\tcurrent: [A-Z].{19}", "\tcurrent: NOW", text)
    return re.sub(r"\tdiff: \d+|pid=\d+", "", text)


@pytest.mark.parametrize(
    ("flags", "source", "name"),
    [
        ("-Da", MIXED, "linux-mixed.setkey.txt"),
        ("-DP", POLICIES, "linux-policies.setkey.txt"),
        ("-PpD", POLICIES, "linux-policies.setkey-p.txt"),
    ],
)
def test_dumps(run: Run, flags: str, source: Path, name: str) -> None:
    done = run("setkey", flags, "--source", source, *LINUX, env={"TZ": "UTC", "PATH": ""})
    assert (done.returncode, done.stderr) == (0, b"")
    assert timeless(done.stdout.decode()) == text_of(name)


def test_ages_of_a_made_up_table_are_within_its_lifetimes(invoke: Invoke) -> None:
    text = invoke("setkey", "-D", "--source", "demo:300", *LINUX).stdout
    ages = [tuple(map(int, found)) for found in re.findall(r"diff: (\d+)\(s\)\thard: (\d+)\(s\)", text)]
    assert len(ages) == 300
    assert [age for age, hard in ages if age > hard] == []


def test_the_console_script_is_the_command() -> None:
    script = Path(sysconfig.get_path("scripts")) / "fastpfkey-setkey"
    command = [sys.executable, str(script), "-D", "--source", str(MIXED), *LINUX, "--redact"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.stdout.count(b" bits>\n") > 20
    assert done.returncode == 0


def test_empty_tables(invoke: Invoke) -> None:
    for source in (CORPUS / "linux-sad-empty.bin", "/dev/null"):
        assert invoke("setkey", "-D", "--source", source, *LINUX).stdout == "No SAD entries.\n"
    assert (
        invoke("setkey", "-DP", "--source", CORPUS / "linux-policies-empty.bin", *LINUX).stdout == "No SPD entries.\n"
    )


def test_a_table_in_which_all_is_hidden_is_not_empty(invoke: Invoke, tmp_path: Path) -> None:
    message = bytearray(MIXED.read_bytes()[:1000])
    length = int.from_bytes(message[4:6], "little") * 8
    dead = message[:length]
    dead[16 + 9] = 3  # sadb_sa_state
    (tmp_path / "dead.bin").write_bytes(dead)
    assert invoke("setkey", "-D", "--source", tmp_path / "dead.bin", *LINUX).stdout == ""
    assert "state=dead" in invoke("setkey", "-Da", "--source", tmp_path / "dead.bin", *LINUX).stdout


@pytest.mark.parametrize("arguments", ["", "-h", "-d", "-D -F", "-Q", "--variant bsd -D", "-t -D"])
def test_usage(invoke: Invoke, arguments: str) -> None:
    done = invoke("setkey", *arguments.split())
    assert (done.exit_code, done.stdout) == (1, "")
    assert "usage: setkey [-vrk] file ...\n       setkey [-nvrk] -c\n" in done.stderr


def test_help_and_version(invoke: Invoke) -> None:
    assert invoke("setkey", "--help").exit_code == 0
    version = invoke("setkey", "-V")
    assert (version.exit_code, version.stdout[:20]) == (1, "setkey @(#) fastpfke")


class TestScripts:
    def test_reading_alone_says_nothing(self, invoke: Invoke, tmp_path: Path) -> None:
        (tmp_path / "a.conf").write_text(NEW)
        for arguments, stdin in ((("-n", "-f", tmp_path / "a.conf"), b""), (("-nvc",), NEW.encode())):
            done = invoke("setkey", *LINUX, *arguments, stdin=stdin)
            assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")

    def test_a_mistake_in_a_file(self, invoke: Invoke, tmp_path: Path) -> None:
        (tmp_path / "a.conf").write_text(BAD)
        name = str(tmp_path / "a.conf")
        done = invoke("setkey", *LINUX, "-n", "-f", name)
        assert done.exit_code == 1
        assert done.stderr == f"setkey: {name},2,36: syntax error at `bad'\nsetkey: {name},2: parse failed\n"
        done = invoke("setkey", *LINUX, "-n", "--compat", "-f", name)
        assert done.exit_code == 1
        assert done.stderr == f"setkey: {name},2: syntax error at `bad'\nsetkey: {name},2: parse failed\n"

    def test_a_mistake_on_standard_input(self, invoke: Invoke) -> None:
        done = invoke("setkey", *LINUX, "-nc", stdin=BAD.encode())
        assert (done.exit_code, done.stderr.splitlines()[0]) == (1, "setkey: -,2,36: syntax error at `bad'")
        done = invoke("setkey", *LINUX, "-nc", "--compat", stdin=BAD.encode())
        assert (done.exit_code, done.stderr) == (0, "syntax error at `bad'")

    def test_freebsd_says_it_otherwise(self, invoke: Invoke) -> None:
        done = invoke("setkey", "--dialect", "freebsd", "--variant", "freebsd", "-nc", stdin=BAD.encode())
        assert done.stderr.splitlines() == ["setkey: line 2: syntax error at [bad]", "setkey: parse failed, line 2."]

    def test_a_file_that_is_not_there(self, invoke: Invoke) -> None:
        done = invoke("setkey", "-f", "/nosuch")
        assert (done.exit_code, done.stderr) == (1, "setkey: Can't open `/nosuch': No such file or directory\n")

    def test_a_dump_within_a_script(self, invoke: Invoke) -> None:
        done = invoke("setkey", *LINUX, "-c", "--source", MIXED, stdin=b"dump ipcomp;")
        assert set(re.findall(r"^\t(\w+) mode", done.stdout, re.MULTILINE)) == {"ipcomp"}

    def test_recorded_messages_take_no_requests(self, invoke: Invoke) -> None:
        done = invoke("setkey", *LINUX, "-F", "--source", MIXED)
        assert done.exit_code == 1
        assert "take no flush; dumps alone" in done.stderr


def test_requests_are_shown_with_the_process_that_they_are_of(invoke: Invoke) -> None:
    text = invoke("setkey", *LINUX, "-vc", "--source", "engine", stdin=NEW.encode()).stdout
    assert re.findall(r"pid=(\d+) }", text) == [str(os.getpid())] * 2


def test_watching_and_files(invoke: Invoke) -> None:
    events = CORPUS / "linux-events.bin"
    watched = invoke("setkey", *LINUX, "-xx", "--source", events).stdout
    shown = invoke("setkey", *LINUX, events).stdout
    assert re.sub(r"^\d+\.\d{6} \n", "", watched, flags=re.MULTILINE) == shown
    assert shown.count("sadb_msg{ version=2 ") == 68
    stamped = invoke("setkey", *LINUX, "-xH", "--source", events).stdout
    assert re.match(r"\d\d:\d\d:\d\d\.\d{6} \n00000000: 02 ", stamped)
