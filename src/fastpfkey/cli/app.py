"""The commands and their options. What they do stands in a module each, imported when the command runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import spec
from ..errors import PFKeyError
from .sources import SourceUnavailable

F = TypeVar("F", bound=Callable[..., Any])


class Group(click.Group):
    """Turns the errors that users can mend into one line, and a closed pipe into silence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except (PFKeyError, SourceUnavailable, OSError) as error:
            click.echo(f"fastpfkey: {error}", err=True)
            sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("fastpfkey"), message="%(prog)s %(version)s")
def cli() -> None:
    """PF_KEY version 2 (RFC 2367): decode, dump and measure IPsec security associations and policies."""


def reading(command: F) -> F:
    """The options that say how bytes are to be read."""
    dialects = ("host", *spec.DIALECTS)
    for option in (
        click.option("--dialect", type=click.Choice(dialects), default="host", help="Whose PF_KEY the bytes are."),
        click.option(
            "--byteorder", type=click.Choice(("native", "little", "big")), default="native", help="Of the capture."
        ),
    ):
        command = option(command)
    return command


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="FILE...")
@reading
@click.option("--format", "form", type=click.Choice(("text", "json", "jsonl", "csv")), default="text")
@click.option("--columns", help="Columns of the association table, separated by commas, instead of whole messages.")
@click.option("--on-error", type=click.Choice(("raise", "stop", "skip")), default="raise", help="At a bad message.")
@click.option("--strict", is_flag=True, help="Refuse extension types that the dialect does not know.")
@click.option("--show-keys", is_flag=True, help="Show key material, which is never shown otherwise.")
def decode(
    files: tuple[Path, ...],
    dialect: str,
    byteorder: str,
    form: str,
    columns: str | None,
    on_error: str,
    strict: bool,
    show_keys: bool,
) -> None:
    """Decode files of PF_KEY messages, back to back; - is standard input.

    text and JSON show whole messages, csv and --columns the rows of the association table. A bad message ends the
    output with one line that tells where it is, after everything before it; with --on-error skip the rest follows.
    """
    from .decoding import Reading, decode_files

    names = None if columns is None else [name.strip() for name in columns.split(",")]
    how = Reading(spec.dialect(dialect), byteorder, on_error, strict, show_keys)  # type: ignore[arg-type]
    try:
        good = decode_files(files, how, form, names)
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None
    if not good:
        sys.exit(1)


@cli.command()
@click.argument("source", default="kernel")
@reading
@click.option("--format", "form", type=click.Choice(("text", "json", "jsonl", "csv")), help="Rows, not a summary.")
@click.option("--columns", help="Columns of the rows, separated by commas.")
def dump(source: str, dialect: str, byteorder: str, form: str | None, columns: str | None) -> None:
    """Dump the associations of SOURCE: demo:N is a made-up table of N.

    A terminal sees a summary, a pipe the rows as text; --format chooses.
    """
    from .dumping import dump_source

    names = None if columns is None else [name.strip() for name in columns.split(",")]
    try:
        dump_source(source, spec.dialect(dialect), byteorder, form, names)  # type: ignore[arg-type]
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None


@cli.command()
@click.argument("source", default="demo:1000000")
@reading
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each line of the table.")
def bench(source: str, dialect: str, byteorder: str, as_json: bool) -> None:
    """Measure both backends over SOURCE (demo:N or a file), beside memcpy of the same bytes.

    Times are the best of several runs; on a busy machine read the ratios.
    """
    from .benching import bench_source

    bench_source(source, spec.dialect(dialect), byteorder, as_json)  # type: ignore[arg-type]


@cli.command()
def doctor() -> None:
    """Tell the version, the live backend and why it is that, and whether AF_KEY is available."""
    from .doctoring import report

    for name, value in report():
        click.echo(f"{name + ':':<18}{value}")
