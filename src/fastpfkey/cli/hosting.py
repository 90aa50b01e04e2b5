"""The commands that serve a key engine to other programs: their arguments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..spec import DIALECTS
from ..spec.model import HEADER_SIZE, LONGEST_MESSAGE
from .options import examples

PATH = click.Path(path_type=Path)


@click.command(
    epilog=examples(
        "fastpfkey serve --listen engine.sock",
        "fastpfkey serve --listen engine.sock --snapshot engine.state --journal",
    )
)
@click.option("--listen", "path", required=True, type=PATH, help="Where the socket is made.")
@click.option("--dialect", type=click.Choice(DIALECTS), default="linux", show_default=True, help="What it speaks.")
@click.option("--allow-uid", "uids", type=int, multiple=True, help="A user beside you and root who may connect.")
@click.option("--max-clients", type=click.IntRange(1), default=1024, show_default=True, help="Clients at once.")
@click.option(
    "--max-message",
    type=click.IntRange(HEADER_SIZE, LONGEST_MESSAGE),
    default=65536,
    show_default=True,
    help="Bytes of a request.",
)
@click.option("--max-associations", type=click.IntRange(1), help="Associations, unless memory is the limit.")
@click.option("--load", metavar="FILE", type=PATH, help="A recorded dump, a script or a snapshot to begin with.")
@click.option("--snapshot", metavar="FILE", type=PATH, help="Where the state is kept over restarts.")
@click.option("--snapshot-every", type=click.FloatRange(0, min_open=True), metavar="SECONDS", help="Keep it so often.")
@click.option("--journal", is_flag=True, help="Keep each change before it is answered, beside the snapshot.")
def serve(
    path: Path,
    dialect: str,
    uids: Sequence[int],
    max_clients: int,
    max_message: int,
    max_associations: int | None,
    load: Path | None,
    snapshot: Path | None,
    snapshot_every: float | None,
    journal: bool,
) -> None:
    """Serve a key engine at a Unix socket, for clients that name it unix:PATH and for programs started by run.

    The socket is yours alone (mode 0600), and so is what is kept: it holds keys. A snapshot is taken when SIGTERM or
    SIGINT ends the engine, and at SIGHUP; with --journal nothing is lost either when it is killed. What --load names is
    for an engine without a state: where a snapshot was found it is not loaded again.
    """
    from ..transport.serving import Limits
    from .serving import State
    from .serving import serve as serve_engine

    for name, given in (("--journal", journal), ("--snapshot-every", snapshot_every)):
        if given and snapshot is None:
            raise click.UsageError(f"{name} needs --snapshot FILE, which says where")
    limits = Limits(max_clients, max_message, frozenset(uids))
    serve_engine(path, dialect, limits, max_associations, State(load, snapshot, snapshot_every, journal))


@click.command(
    epilog=examples("fastpfkey run --engine unix:engine.sock -- fastpfkey dump kernel"),
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--engine", metavar="unix:PATH", help="An engine that is served there.")
@click.option("--private", is_flag=True, help="An engine of its own, which ends with the program.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- PROGRAM ARGS...")
def run(engine: str | None, private: bool, command: Sequence[str]) -> None:
    """Run an unmodified Linux program with its PF_KEY sockets leading to a key engine.

    The exit status is the program's. Programs that are linked statically, or run with the rights of their file, cannot
    be run so.
    """
    from .serving import run as run_program

    if private == (engine is not None):
        raise click.UsageError("name an engine with --engine, or ask for one with --private")
    sys.exit(run_program(engine, command))


COMMANDS = (serve, run)
