"""README tells the truth: its example and its commands run, and continuous integration runs its set-up commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the file that README speaks of."""
    shutil.copy(ROOT / "tests" / "vectors" / "corpus" / "linux-mixed.bin", tmp_path / "sad.bin")
    return tmp_path


def test_the_example_runs(folder: Path) -> None:
    [example] = [text for language, text in BLOCKS if language == "python"]
    done = subprocess.run([sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "DUMP ESP 0x8003"  # the first association of linux-mixed.setkey.txt
    assert lines[3] == "53 associations, 1 dying"


COMMANDS = [line.split("#")[0].strip() for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
COMMANDS = [line for line in COMMANDS if line.startswith("fastpfkey ")]


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command: str, folder: Path) -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(
        ["bash", "-c", command.replace("fastpfkey", f"{sys.executable} -m fastpfkey", 1)],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") > 5


@pytest.mark.parametrize("name", ["packages", "run", "test"])
def test_continuous_integration_runs_the_set_up_commands(name: str) -> None:
    assert re.search(rf"^<!-- ci: {name} -->\n```sh\n.+\n```$", README, re.MULTILINE)
    assert name in (ROOT / ".ci" / "run").read_text()
