"""The command line in a process of its own, and captures to give it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CORPUS = Path(__file__).parents[1] / "vectors" / "corpus"

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `fastpfkey` with arguments and, if given, standard input."""

    def call(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "fastpfkey", *map(str, arguments)]
        return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=300)

    return call


@pytest.fixture(scope="session")
def mixed() -> bytes:
    """The dump of 53 associations from a Linux kernel."""
    return (CORPUS / "linux-mixed.bin").read_bytes()
