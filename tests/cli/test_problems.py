"""What is wrong, told in one line with a hint or as an object; helps and their examples; completion."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from fastpfkey.cli import completing
from fastpfkey.cli.app import cli
from fastpfkey.columns.associations import SATable
from fastpfkey.columns.policies import PolicyTable
from fastpfkey.spec import DIALECTS

from .conftest import CORPUS, LINUX, Invoke, Run

MIXED = CORPUS / "linux-mixed.bin"
PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
COMMANDS = [
    part if command is one else f"{name} {part}"
    for name, command in cli.commands.items()
    for part, one in (command.commands.items() if isinstance(command, click.Group) else [(name, command)])
    if name != "setkey"
]
"""All but the one that has another program's arguments."""


def told(invoke: Invoke, *arguments: object) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and objects; whatever is no object is an error."""
    done = invoke("--json", *arguments)
    return done.exit_code, [json.loads(line) for line in done.stderr.splitlines()]


class TestLines:
    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (("dump", "--lim", "3"), "No such option '--lim'"),
            (("dmp",), "No such command 'dmp'"),
            (("dump", "--format", "xml", "demo:5"), "Invalid value for '--format': 'xml' is not one of"),
            (
                ("dump", "--where", "1", "demo:5"),
                "--where '1', character 1: a comparison is needed here",
            ),
            (("dump", "--columns", "colour", "demo:5"), "no column 'colour'; known are "),
            (("save", "kernel"), "Missing option '--output'"),
        ],
    )
    def test_a_command_that_is_not_understood(self, invoke: Invoke, arguments: tuple[str, ...], line: str) -> None:
        done = invoke(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert line in done.stderr
        assert done.stderr.endswith(" --help tells what there is\n")

    def test_a_source_that_there_is_not(self, invoke: Invoke, tmp_path: Path) -> None:
        done = invoke("dump", tmp_path / "kernl")
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.endswith(
            ": No such file or directory; a source is kernel, unix:PATH, engine, demo:N or a file\n"
        )

    def test_no_command_gets_the_help(self, invoke: Invoke) -> None:
        done = invoke()
        assert done.exit_code == 2
        assert "Commands:" in done.stderr

    def test_an_argument_commands_no_terminal(self, invoke: Invoke) -> None:
        done = invoke("dump", "--format", "\x1b[2J")
        assert "\x1b" not in done.stderr
        assert done.stderr.count("\n") == 1


class TestObjects:
    def test_a_bad_message(self, invoke: Invoke, tmp_path: Path, mixed: bytes) -> None:
        path = tmp_path / "bad.bin"
        data = bytearray(mixed)
        data[272] = 1
        path.write_bytes(data)
        status, objects = told(invoke, "decode", *LINUX, path)
        assert (status, objects) == (
            1,
            [
                {
                    "kind": "MalformedError",
                    "message": f"{path}: message 1, byte 272: the version is not 2 (PF_KEY_V2)",
                    "source": str(path),
                    "status": 1,
                    "fault": "version",
                    "offset": 272,
                    "message_index": 1,
                }
            ],
        )

    def test_a_reply(self, invoke: Invoke) -> None:
        status, [found] = told(invoke, "get", "esp", "7", "192.0.2.1", "192.0.2.2", "--source", "engine")
        assert (status, found["status"], found["kind"]) == (1, 1, "ReplyError")
        assert (found["errno"], found["name"], found["message_type"]) == (3, "ESRCH", "get")

    @pytest.mark.parametrize("question", ["colour == 1", "state == 'matur'"])
    def test_a_question(self, invoke: Invoke, question: str) -> None:
        status, [found] = told(invoke, "dump", "demo:5", "--where", question)
        assert (status, found["status"], found["kind"], found["text"]) == (2, 2, "QueryError", question)
        assert found["reason"] in found["message"]
        assert isinstance(found["position"], int)

    def test_usage(self, invoke: Invoke) -> None:
        status, [found] = told(invoke, "dump", "--limit", "many")
        assert (status, found["status"], found["kind"], found["parameter"]) == (2, 2, "UsageError", "--limit")
        assert found["hint"].endswith("dump --help tells what there is")
        status, [found] = told(invoke, "dump", "--lim")
        assert (status, found["kind"], found["parameter"]) == (2, "UsageError", "--lim")

    def test_a_file(self, invoke: Invoke, tmp_path: Path) -> None:
        status, [found] = told(invoke, "dump", tmp_path / "none")
        assert (status, found["status"], found["kind"], found["errno"]) == (1, 1, "OSError", 2)
        assert found["source"] == str(tmp_path / "none")

    def test_a_source(self, invoke: Invoke) -> None:
        status, [found] = told(invoke, "dump", "demo:none")
        assert (status, found["kind"]) == (1, "SourceError")

    def test_a_script(self, invoke: Invoke, tmp_path: Path) -> None:
        path = tmp_path / "script"
        path.write_text("add 192.0.2.1 192.0.2.2 esp 0x1000\n  -E nonsense;\n")
        status, [found] = told(invoke, "load", path, "--source", "engine")
        assert (status, found["kind"]) == (1, "ScriptError")
        assert found["line"] == 2

    def test_a_status_that_is_an_answer(self, invoke: Invoke, tmp_path: Path) -> None:
        """Of diff, where 1 says that there are differences."""
        status, [found] = told(invoke, "diff", tmp_path / "none", "demo:3")
        assert (status, found["status"], found["kind"], found["errno"]) == (2, 2, "OSError", 2)

    def test_what_is_no_error(self, invoke: Invoke) -> None:
        status, [found] = told(invoke, "dump", "--dialect", "auto", "--format", "csv", MIXED)
        assert (status, found["kind"]) == (0, "Note")
        assert found["message"].startswith(f"{MIXED}: linux, little-endian: ")

    def test_what_was_done(self, invoke: Invoke, tmp_path: Path) -> None:
        path = tmp_path / "script"
        status, [found] = told(invoke, "save", "demo:0001", "--with-keys", "-o", path)
        assert (status, found["kind"]) == (0, "Note")
        assert found["message"].endswith(f" written to {path}")
        status, [found] = told(invoke, "load", path, "--source", "engine")
        assert (status, found["kind"]) == (0, "Note")
        assert found["message"].endswith(" requests done")

    def test_a_command_that_there_is_not(self, run: Run) -> None:
        """In a process of its own, and with the option where it belongs: before the command."""
        done = run("--json", "dmp")
        assert (done.returncode, done.stdout) == (2, b"")
        assert json.loads(done.stderr)["kind"] == "UsageError"
        done = run("dmp", "--json")
        assert done.stderr.startswith(b"fastpfkey: ")


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_examples_are_run_by_the_page(self, invoke: Invoke, name: str) -> None:
        """Every command has some, and the page, whose blocks are run, has them all."""
        shown = invoke(*name.split(), "--help").stdout
        _, _, below = shown.partition("\n  Examples:\n")
        examples = [line.strip() for line in below.splitlines()]
        assert examples
        for line in examples:
            assert line.startswith(f"fastpfkey {name} ") or line == f"fastpfkey {name}"
            assert re.search(rf"^{re.escape(line)}( &)?$", PAGE, re.MULTILINE), line

    def test_every_exit_status_is_on_the_page(self) -> None:
        for status in ("0", "1", "2", "130, 141"):
            assert re.search(rf"^\| {status} \| ", PAGE, re.MULTILINE)

    def test_every_option_about_rows_is_on_the_page(self) -> None:
        own = {"--dialect", "--byteorder", "--on-error", "--strict", "--satype", "--filter"}
        for option in cli.commands["dump"].params:
            if isinstance(option, click.Option) and own.isdisjoint(option.opts):
                assert any(f"`{name}" in PAGE for name in option.opts), option.opts

    def test_it_is_quick_because_it_loads_nothing(self) -> None:
        code = (
            "import sys\nfrom fastpfkey.cli import main\ntry: main(['dump', '--help'])\n"
            "except SystemExit: print(sorted({'numpy', 'rich', 'pyarrow', 'socket', 'asyncio'} & sys.modules.keys()))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


def offered(*words: str, last: str = "") -> list[str]:
    """What bash is told to offer behind some words."""
    environment = {
        **os.environ,
        completing.VARIABLE: "bash_complete",
        "COMP_WORDS": " ".join(("fastpfkey", *words, last)),
        "COMP_CWORD": str(len(words) + 1),
    }
    command = [sys.executable, "-c", "from fastpfkey.cli import main; main()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line]


class TestCompletion:
    def test_commands_and_options(self) -> None:
        assert "plain,stats" in offered(last="st")
        assert "plain,--where" in offered("dump", last="--w")

    def test_dialects_and_formats(self) -> None:
        assert {f"plain,{name}" for name in DIALECTS} <= set(offered("decode", "--dialect"))
        assert offered("dump", "--format", last="p") == ["plain,parquet"]

    @pytest.mark.parametrize("command", ["decode", "dump"])
    def test_columns_behind_those_that_are_there(self, command: str) -> None:
        assert offered(command, "--columns", last="spi,src_p") == [
            "plain,spi,src_port",
            "plain,spi,src_prefixlen",
            "plain,spi,src_proto",
        ]
        assert offered(command, "--sort", last="spi,-hard_b") == ["plain,spi,-hard_bytes"]
        assert offered(command, "--table", "policies", "--columns", last="prio") == ["plain,priority"]
        assert offered(command, "--columns", last="spi,spi") == []

    @pytest.mark.parametrize(("table", "kind"), [("associations", SATable), ("policies", PolicyTable)])
    def test_all_columns_and_no_others(self, table: str, kind: type[SATable | PolicyTable]) -> None:
        names = [line.removeprefix("plain,") for line in offered("dump", "--table", table, "--columns")]
        assert names == list(kind.from_buffer(b"", "linux").columns)

    def test_sources(self) -> None:
        assert offered("dump", last="k") == ["file,k", "plain,kernel"]
        assert offered("decode", last="k") == ["file,k"]

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_scripts(self, invoke: Invoke, shell: str) -> None:
        done = invoke("completion", shell)
        assert done.exit_code == 0
        assert f"{completing.VARIABLE}={shell}_complete" in done.stdout
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=done.stdout.encode(), check=True)

    def test_bash_completes(self, invoke: Invoke, tmp_path: Path) -> None:
        (tmp_path / "fastpfkey").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fastpfkey "$@"\n')
        (tmp_path / "fastpfkey").chmod(0o755)
        text = invoke("completion", "bash").stdout
        text += "COMP_WORDS=(fastpfkey dump --columns spi,sta); COMP_CWORD=3; _fastpfkey_completion fastpfkey\n"
        text += 'echo "${COMPREPLY[@]}"\n'
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run(["bash"], input=text, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["spi,state"]
