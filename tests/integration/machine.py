"""A Linux kernel with AF_KEY as an ordinary process: Debian's user-mode Linux, which sees the host's file system.

The idea: the tests in `inside/` are collected like any others, and when the first of them would run, the machine is
booted, runs all that were selected with the same interpreter and the same extension modules, and writes pytest's
reports to a file. They are replayed outside, so each test passes, fails or is skipped under its own name.

FASTPFKEY_KERNEL=require, as continuous integration has it, turns what is otherwise skipped into a failure; =never
skips.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
FOLDER = HERE / "inside"

IS_INSIDE = "FASTPFKEY_INSIDE" in os.environ
CHOICE = os.environ.get("FASTPFKEY_KERNEL", "")
REQUIRED = CHOICE == "require"

KERNELS = Path("/usr/lib/uml/modules")
PACKAGES = {"linux.uml": "user-mode-linux", "modprobe": "kmod", "ip": "iproute2"}
"""Debian's packages, by the program for which each is needed."""

MEMORY = "768M"
LIMIT = 900
"""Seconds until a machine that has not ended is taken for hung."""

REPORTS = "reports.jsonl"
"""What comes back: a line for each report of pytest."""


@dataclass
class Run:
    """What a machine did."""

    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What pytest reported, by test."""
    seconds: float = 0.0
    console: str = ""
    """The last that it said."""

    @property
    def ran(self) -> int:
        """Number of tests that came to an end of their own, good or bad; a skipped one did not."""
        calls = [report for each in self.reports.values() for report in each if report["when"] == "call"]
        return sum(report["outcome"] != "skipped" for report in calls)

    @property
    def figures(self) -> list[tuple[str, object]]:
        """What the tests measured, in order."""
        reports = [report for each in self.reports.values() for report in each if report["when"] == "teardown"]
        return [(name, value) for report in reports for name, value in report["figures"]]


def missing() -> str:
    """Why there is no machine here; empty if there is one."""
    if CHOICE == "never":
        return "FASTPFKEY_KERNEL=never"
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return f"there is no user-mode Linux for {sys.platform} on {platform.machine()}"
    path = os.environ.get("PATH", os.defpath) + os.pathsep + os.pathsep.join(("/usr/sbin", "/sbin"))
    wanted = [package for program, package in PACKAGES.items() if not shutil.which(program, path=path)]
    return f"not installed: {', '.join(wanted)}" if wanted else ""


def refuse(reason: str) -> NoReturn:
    """Skip the running test, or fail it where that is not allowed."""
    if REQUIRED:
        pytest.fail(f"FASTPFKEY_KERNEL=require, but {reason}", pytrace=False)
    pytest.skip(reason)


def boot(tests: Sequence[str], work: Path) -> Run:
    """Run these tests in a new machine, with `work` as the folder for what goes in and comes out."""
    (work / "tests").write_text("\n".join(tests), encoding="utf-8")
    version = max(KERNELS.iterdir()).name
    modules = work / "lib" / "modules"
    modules.mkdir(parents=True)
    (modules / version).symlink_to(KERNELS / version)
    settings = {
        "mem": MEMORY,
        "root": "/dev/root",
        "rootfstype": "hostfs",
        "rootflags": "/",
        "init": HERE / "init.sh",
        "OUT": work,
        "MODULES": "/run/out",
        "PYTHON": sys.executable,
        "TREE": TREE,
        "con": "null",
        "con0": "fd:0,fd:1",
    }
    command = ["linux.uml", "ro", "quiet", *(f"{name}={value}" for name, value in settings.items())]
    begun = time.monotonic()
    with (work / "console").open("wb") as console:
        # A session of its own, so that what the machine leaves behind can be ended with it.
        machine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=work, start_new_session=True
        )
        try:
            machine.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(machine.pid, signal.SIGKILL)
            machine.wait()
    run = Run(seconds=time.monotonic() - begun, console=_tail(work / "console"))
    for line in _lines(work / REPORTS):
        report = json.loads(line)
        run.reports.setdefault(report["test"], []).append(report)
    return run


def write(report: pytest.TestReport) -> None:
    """Inside: add a report to the file, so that a crash loses none but the last."""
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    captured = [f"{title}\n{content}" for title, content in report.sections]
    line = {
        "test": report.nodeid,
        "when": report.when,
        "outcome": report.outcome,
        "text": "\n".join([said.removeprefix("Skipped: "), *captured]),
        "figures": report.user_properties,
    }
    with (Path(os.environ["FASTPFKEY_INSIDE"]) / REPORTS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-40:])


def _lines(path: Path) -> list[str]:
    """The whole lines; a machine that crashed may have left half of one."""
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")]
