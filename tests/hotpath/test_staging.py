"""The ways of laying messages: processors have different vectors, and all must make the same bytes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import fastpfkey.hotpath

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SOURCES = Path(fastpfkey.hotpath.__file__).parent


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.skipif(not (SOURCES / "staging.h").exists(), reason="installed without sources")
@pytest.mark.parametrize("optimised", ["-O0", "-O3"])
def test_every_kind_of_this_processor_makes_the_bytes_that_are_expected(tmp_path: Path, optimised: str) -> None:
    assert COMPILER is not None
    program = tmp_path / "probe"
    probe = Path(__file__).with_name("staging_probe.c")
    command = [COMPILER, "-std=c11", optimised, "-Wall", f"-I{SOURCES}", str(probe), "-o", str(program)]
    subprocess.run(command, check=True)
    told = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    kinds, wrong, refused, rounds = map(int, told.split())
    assert kinds >= 1
    assert (wrong, refused) == (0, 1)
    assert rounds >= 1000
