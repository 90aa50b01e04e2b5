"""The command line, in a process of its own or in this one, and captures to give it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

CORPUS = Path(__file__).parents[1] / "vectors" / "corpus"
LINUX = ("--dialect", "linux", "--byteorder", "little")

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
Invoke = Callable[..., Result]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `fastpfkey` with arguments and, if given, standard input."""

    def call(
        *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "fastpfkey", *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300, env=env)

    return call


@pytest.fixture(scope="session")
def invoke() -> Invoke:
    """The same in this process, which is quicker; what is no exit of the program's own is raised."""

    def call(*arguments: str | Path, stdin: bytes = b"") -> Result:
        from fastpfkey.cli.app import cli

        return CliRunner(catch_exceptions=False).invoke(cli, [*map(str, arguments)], input=stdin)

    return call


@pytest.fixture(scope="session")
def mixed() -> bytes:
    """The dump of 53 associations from a Linux kernel."""
    return (CORPUS / "linux-mixed.bin").read_bytes()
