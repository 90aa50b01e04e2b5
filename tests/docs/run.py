"""Runs the blocks of a page, in order, in an empty folder that is gone afterwards.

    python -m tests.docs.run docs/faults.md
    python -m tests.docs.run --show docs/faults.md    to see what blocks print, with no check of it

Python blocks share one namespace; a block for the shell gets a shell of its own, in which the first failure ends it.
The commands of this project are those of the Python that runs this. What a block leaves running, with `&`, goes on
until the page ends, and the output that it is to print is waited for.
"""

import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from .page import Block, PageError, agrees, blocks

COMMANDS = {
    "fastpfkey": '-m fastpfkey "$@"',
    "fastpfkey-setkey": '-m fastpfkey setkey "$@"',
    "python": '"$@"',
}
SHELL = ("bash", "-eu", "-o", "pipefail", "-c")
PATIENCE = 120.0
"""Seconds that a block for the shell may take, and output from the background."""
ENDING = 20.0
"""Seconds that what runs in the background may take to end."""
SETTINGS = {
    "COLUMNS": "100",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONWARNINGS": "error",
    "TERM": "dumb",
    "TZ": "UTC",
}
"""What is the same wherever a page is run, and so in the output that it shows."""


class BlockError(Exception):
    """A block failed, or printed something else than the page shows."""


class Run:
    """One run of a page: what its Python blocks have in common, and what its shells have left running."""

    def __init__(self, page: Path, logs: Path, show: bool) -> None:
        self._page = page
        self._show = show
        self._logs = logs
        self._names: dict[str, object] = {"__name__": "__main__"}
        self._groups: list[int] = []
        # Shells and all that they start inherit the end to write to, so the other one tells when the last is gone.
        self._gone, self._alive = os.pipe()

    def block(self, block: Block) -> None:
        """Run a block. Raises BlockError."""
        printed = self._python(block) if block.language == "python" else self._shell(block)
        if self._show:
            print(f"-- {self._place(block)}\n{printed}", end="")
        elif block.output is not None and not agrees(block.output, printed):
            raise BlockError(f"{self._place(block)} shows\n{block.output}\nbut it prints\n{printed}")

    def end(self) -> None:
        """End what shells have left running, which may write files yet, and wait for that."""
        os.close(self._alive)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for group in self._groups:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, number)
            if select.select([self._gone], [], [], ENDING)[0]:
                break
        os.close(self._gone)

    def _python(self, block: Block) -> str:
        # The empty lines make the numbers in tracebacks those of the page.
        code = compile("\n" * (block.line - 1) + block.text, str(self._page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            try:
                exec(code, self._names)
            except Exception as error:
                raise BlockError(f"{self._place(block)} failed:\n{traceback.format_exc()}") from error
        return printed.getvalue()

    def _shell(self, block: Block) -> str:
        log = self._logs / f"{block.line}.log"
        with (
            log.open("wb") as file,
            subprocess.Popen(
                [*SHELL, block.text],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                process_group=0,
                pass_fds=[self._alive],
            ) as shell,
        ):
            self._groups.append(shell.pid)
            try:
                status: int | str = shell.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                status = f"none after {PATIENCE:g} s"
                os.killpg(shell.pid, signal.SIGKILL)
        if status:
            raise BlockError(f"{self._place(block)} ends with status {status}:\n{log.read_text()}")
        end = time.monotonic() + (PATIENCE if "&\n" in block.text else 0)
        while block.output and not agrees(block.output, log.read_text()) and time.monotonic() < end:
            time.sleep(0.05)
        return log.read_text()

    def _place(self, block: Block) -> str:
        return f"{self._page.name}:{block.line}"


def run(page: Path, show: bool = False) -> None:
    """Run a page in this process, whose folder and environment change. Raises BlockError and PageError."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        commands, here, logs = (Path(name) / part for part in ("bin", "here", "logs"))
        for folder in (commands, here, logs):
            folder.mkdir()
        for command, arguments in COMMANDS.items():
            (commands / command).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}\n')
            (commands / command).chmod(0o755)
        os.environ.update(SETTINGS, HOME=str(here), PATH=f"{commands}:{os.environ['PATH']}")
        time.tzset()
        os.chdir(here)
        running = Run(page, logs, show)
        try:
            for block in blocks(page):
                running.block(block)
        finally:
            running.end()


if __name__ == "__main__":
    warnings.simplefilter("error")
    try:
        run(Path(sys.argv[-1]).resolve(), "--show" in sys.argv)
    except (BlockError, PageError) as error:
        sys.exit(str(error))
