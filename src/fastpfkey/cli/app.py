"""The commands and their arguments. What they do stands in a module each, imported when the command runs."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..errors import PFKeyError
from ..spec import DIALECTS
from ..spec import dialect as find_dialect
from .engines import COMMANDS
from .errors import SourceError
from .options import (
    FORMATS,
    choice_options,
    dialect_options,
    reading_options,
    system_option,
    variant_option,
    view_options,
)

if TYPE_CHECKING:
    from ..spec.plan import ByteOrder
    from ..wire.recovery import OnError
    from .reading import How
    from .sources import Source

FAILURE = 1
"""Exit status: the input is bad, or a source unavailable."""
USAGE = 2
"""Exit status: the command was not understood."""


class Group(click.Group):
    """Turns errors that are not this program's into one line, and a closed pipe into silence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _leave(128 + signal.SIGPIPE)
        except KeyboardInterrupt:
            _leave(128 + signal.SIGINT)
        except MemoryError:
            _leave(FAILURE, "not enough memory")
        except (PFKeyError, SourceError) as error:
            _leave(FAILURE, str(error))
        except OSError as error:
            _leave(FAILURE, ": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        return result


def _leave(status: int, line: str = "") -> NoReturn:
    """End with this status and a line that says why, behind what was printed before."""
    try:
        sys.stdout.flush()
    except OSError:
        # What cannot be written is dropped here, so that Python does not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if line:
        click.echo(f"fastpfkey: {line}", err=True)
    sys.exit(status)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fastpfkey", message="%(prog)s %(version)s")
def cli() -> None:
    """PF_KEY version 2 (RFC 2367): decode, dump and measure IPsec security associations and policies.

    Exit status: 0 if all is well, 1 if some input was bad or a source is unavailable, 2 if the command was not
    understood. What is wrong stands on standard error, a line each.
    """


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@reading_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write.")
@view_options
def decode(
    files: tuple[str, ...],
    dialect: str,
    byteorder: ByteOrder,
    on_error: OnError,
    strict: bool,
    form: str,
    table: str | None,
    columns: Sequence[str] | None,
    show_keys: bool,
) -> None:
    """Show the messages that lie back to back in files; - is standard input.

    text, json and jsonl show whole messages; csv, and any format with --table or --columns, the rows of a table. Files
    may be larger than memory. A bad message is told in one line, behind all that was before it.
    """
    from .decoding import View, show_messages, show_rows

    how, sources = _captures(files, dialect, byteorder, on_error, strict)
    view = View(form, table, columns, show_keys)
    rows = form == "csv" or table is not None or columns is not None
    _run(lambda: (show_rows if rows else show_messages)(sources, how, view, sys.stdout))


@cli.command()
@click.argument("source", default="kernel")
@reading_options
@click.option("--format", "form", type=click.Choice(FORMATS), help="Rows in this format; a pipe gets text.")
@choice_options
@view_options
def dump(
    source: str,
    dialect: str,
    byteorder: ByteOrder,
    on_error: OnError,
    strict: bool,
    form: str | None,
    satype: str | None,
    networks: dict[str, Any],
    table: str | None,
    columns: Sequence[str] | None,
    show_keys: bool,
) -> None:
    """Show the table of SOURCE: the running kernel's, unless something else is named.

    demo:N is a made-up table of N associations, anything else a file. A terminal gets a summary, unless --format,
    --table or --columns ask for the rows.
    """
    from .choosing import Choice
    from .decoding import View, show_rows
    from .dumping import show_summary
    from .live import Live
    from .reading import How, tell
    from .sources import is_engine

    choice = Choice(satype, networks)
    if choice.question and table not in (None, "associations"):
        raise click.UsageError(f"--satype and --filter choose associations, not {table}")
    engine: Live | None = None
    named: Source
    if is_engine(source):
        how = How(find_dialect("host" if dialect == "auto" else dialect), byteorder, on_error, strict)
        named = engine = Live(source, how.dialect, table or "associations", choice)
        engine.ask()  # before anything is written: a kernel that cannot be asked has no empty table
    else:
        how, named = _source(source, dialect, byteorder, on_error, strict)

    def show() -> bool:
        if sys.stdout.isatty() and form is None and table is None and columns is None:
            good = show_summary(named, how, choice)
        else:
            kind = table or ("associations" if choice.question else None)
            good = show_rows([named], how, View(form or "text", kind, columns, show_keys), sys.stdout, choice)
        if engine and engine.incomplete:
            tell(f"{source}: {engine.incomplete}")
        return good and not (engine and engine.incomplete)

    _run(show)


@cli.command()
@click.argument("source", default="demo:1000000")
@dialect_options
@click.option("--json", "as_json", is_flag=True, help="An array with an object for each line of the table.")
def bench(source: str, dialect: str, byteorder: ByteOrder, as_json: bool) -> None:
    """Measure both backends over SOURCE (demo:N or a file), beside memcpy of the same bytes.

    Times are the best of several runs; on a busy machine read the ratios.
    """
    from .benching import show_measurements

    how, named = _source(source, dialect, byteorder, "raise", strict=False)
    show_measurements(named, how, as_json)


@cli.command()
@click.option("--listen", "path", required=True, type=click.Path(path_type=Path), help="Where the socket is made.")
@click.option("--dialect", type=click.Choice(DIALECTS), default="linux", show_default=True, help="What it speaks.")
@click.option("--allow-uid", "uids", type=int, multiple=True, help="A user beside you and root who may connect.")
@click.option("--max-clients", type=click.IntRange(1), default=1024, show_default=True, help="Clients at once.")
@click.option("--max-message", type=click.IntRange(16), default=65536, show_default=True, help="Bytes of a request.")
def serve(path: Path, dialect: str, uids: Sequence[int], max_clients: int, max_message: int) -> None:
    """Serve a key engine at a Unix socket, for clients that name it unix:PATH and for programs started by run.

    The socket is yours alone (mode 0600). SIGTERM ends the engine.
    """
    from ..transport.serving import Limits
    from .serving import serve as serve_engine

    serve_engine(path, dialect, Limits(max_clients, max_message, frozenset(uids)))


@cli.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
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


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="An object with the same findings.")
def doctor(as_json: bool) -> None:
    """Tell the version, which backend is live and why, and whether AF_KEY is available.

    The exit status is 0 if messages can be decoded.
    """
    from .doctoring import examine

    report = examine()
    if as_json:
        click.echo(json.dumps(report.findings, indent=1))
    else:
        for name, value in report.findings.items():
            click.echo(f"{name:<18}{value}")
    if not report.usable:
        sys.exit(FAILURE)


@cli.command()
@click.argument("source", default="kernel")
@system_option
@click.option("--output", "-o", required=True, metavar="FILE", help="The script; nobody else can read it.")
@click.option("--with-keys", is_flag=True, help="Say that keys are to be written. Without them there is no script.")
@variant_option
def save(source: str, dialect: str, output: str, with_keys: bool, variant: str) -> None:
    """Write the associations and policies of SOURCE as a script that makes them again: for load, and mostly for setkey.

    Left out, and listed on standard error and in the file, are associations that no ADD can make (larval ones, those
    whose algorithms or keys the dump does not show), policies of sockets, and parts that no statement has.
    """
    from .saving import save_table

    if not with_keys:
        raise click.UsageError("the script holds keys: say so with --with-keys")
    save_table(source, find_dialect(dialect), output, variant)


@cli.command()
@click.argument("file")
@click.option("--source", default="kernel", show_default=True, help="The key engine to load it into.")
@system_option
@variant_option
def load(file: str, source: str, dialect: str, variant: str) -> None:
    """Run the script FILE that save wrote, or any of setkey's; - is standard input.

    It is read whole before anything is sent. The exit status is 1 if a request was refused.
    """
    from .saving import load_script

    _run(lambda: load_script(file, source, find_dialect(dialect), variant))


@cli.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
    options_metavar="[OPTIONS OF SETKEY]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def setkey(arguments: tuple[str, ...]) -> None:
    """Stand in for the program of this name: its arguments, scripts and text; --help tells them."""
    from .setkeying import main

    sys.exit(main(arguments))


for _command in COMMANDS:
    cli.add_command(_command)


def _captures(
    names: Sequence[str], dialect: str, byteorder: ByteOrder, on_error: OnError, strict: bool
) -> tuple[How, list[Source]]:
    """How files are to be read, and the files."""
    from .reading import How
    from .sources import capture

    if dialect == "auto":
        from .detecting import found_out

        found = found_out(names, byteorder)
        return How(found.dialect, found.byteorder, on_error, strict), found.sources
    how = How(find_dialect(dialect), byteorder, on_error, strict)
    return how, [capture(name, byteorder) for name in names]


def _source(name: str, dialect: str, byteorder: ByteOrder, on_error: OnError, strict: bool) -> tuple[How, Source]:
    """How a source of any kind is to be read, and the source."""
    from .reading import How
    from .sources import parse

    if dialect == "auto":
        from .detecting import found_source

        found = found_source(name, byteorder)
        return How(found.dialect, found.byteorder, on_error, strict), found.sources[0]
    how = How(find_dialect(dialect), byteorder, on_error, strict)
    return how, parse(name, how.dialect, byteorder)


def _run(show: Callable[[], bool]) -> None:
    """Do it, and let the exit status tell whether something was bad."""
    try:
        good = show()
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None
    if not good:
        sys.exit(FAILURE)
