"""`fastpfkey serve` and `fastpfkey run`: a key engine for other programs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ..engine.engine import Engine
from ..transport import preloading
from ..transport.keeping import Keeper
from ..transport.serving import Limits, Server
from .errors import SourceError
from .signals import acting
from .telling import note, tell

UNIX = "unix:"

LINUX = "linux"
"""The dialect of programs that are run: they were compiled for this system."""


def socket_path(source: str) -> Path:
    """The path in `unix:PATH`. Raises SourceError for anything else."""
    if not source.startswith(UNIX) or source == UNIX:
        raise SourceError(f"{source}: an engine is named unix:PATH")
    return Path(source.removeprefix(UNIX))


class State(NamedTuple):
    """What a served engine begins with, and what is left of it."""

    load: Path | None
    snapshot: Path | None
    every: float | None
    journal: bool


def serve(path: Path, dialect: str, limits: Limits, most: int | None, state: State) -> None:
    """Serve an engine with `most` associations at most until SIGTERM or SIGINT.

    Raises TransportError, StateFileError, SourceError and OSError.
    """
    engine = Engine(dialect, most_associations=most or 0)
    with ExitStack() as held:
        keeper = None
        if state.snapshot is not None:
            keeper = Keeper(engine, state.snapshot, journal=state.journal, every=state.every, tell=tell)
            held.callback(keeper.close)
        if state.load is not None:
            _load(engine, state.load, keeper)
        server = Server(engine, path, limits=limits, keeper=keeper)
        actions = {signal.SIGTERM: server.stop, signal.SIGINT: server.stop}
        if keeper is not None:
            save = keeper.save
            actions[signal.SIGHUP] = lambda: server.call(save)
        with acting(actions):
            held_now = f" with {len(engine):,} associations" if len(engine) else ""
            note(f"{engine.dialect.name} engine at unix:{path}{held_now}")
            server.run()
            if keeper is not None:
                keeper.finish()


def _load(engine: Engine, path: Path, keeper: Keeper | None) -> None:
    """Give an engine without a state another one's."""
    if keeper is not None and keeper.found:
        tell(f"{path} is not loaded: the engine goes on from {keeper.path}")
        return
    from .filling import fill

    fill(engine, path)
    if keeper is not None:
        keeper.commit()


def run(engine: str | None, command: Sequence[str]) -> int:
    """Run a program with an engine, its own one if none is named, and return its exit status.

    A program that a signal ended has 128 and the signal's number. Raises SourceError and TransportError.
    """
    program = preloading.program(command[0])
    if engine is not None:
        environment = preloading.environment(socket_path(engine), os.environ)
        os.execve(program, list(command), environment)
    with tempfile.TemporaryDirectory(prefix="fastpfkey-") as folder:  # 0700
        server = Server(Engine(LINUX), Path(folder) / "engine")
        serving = threading.Thread(target=server.run)
        serving.start()
        try:
            environment = preloading.environment(server.path, os.environ)
            return _run(program, command, environment)
        finally:
            server.stop()
            serving.join()


def _run(program: Path, command: Sequence[str], environment: dict[str, str]) -> int:
    """What a shell does: signals that end a session are for the program."""
    with subprocess.Popen(list(command), executable=program, env=environment) as child:

        def forward(number: int) -> Callable[[], None]:
            return lambda: child.send_signal(number)

        with acting({signal.SIGTERM: forward(signal.SIGTERM), signal.SIGINT: lambda: None}):
            status = child.wait()
    return 128 - status if status < 0 else status
