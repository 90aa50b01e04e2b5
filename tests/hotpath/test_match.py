"""The ways of matching a message with a shape: processors have different ones, and all must give the same answer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import fastpfkey.hotpath

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
SOURCES = Path(fastpfkey.hotpath.__file__).parent


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.skipif(not (SOURCES / "match.h").exists(), reason="installed without sources")
def test_every_way_of_this_processor_answers_like_words_do(tmp_path: Path) -> None:
    assert COMPILER is not None
    program = tmp_path / "probe"
    probe = Path(__file__).with_name("match_probe.c")
    subprocess.run([COMPILER, "-std=c11", "-O2", "-Wall", f"-I{SOURCES}", str(probe), "-o", str(program)], check=True)
    told = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    ways, differ, same, other = map(int, told.split())
    assert ways >= 1
    assert differ == 0
    assert min(same, other) > 1000
