"""The commands that read and write setkey's scripts and text: their arguments."""

from __future__ import annotations

import sys

import click

from ..spec import dialect as find_dialect
from . import completing
from .ending import finish
from .options import examples, system_option, variant_option


@click.command(epilog=examples("fastpfkey save unix:engine.sock --with-keys -o table.conf"))
@click.argument("source", default="kernel", shell_complete=completing.sources)
@system_option
@click.option(
    "--output", "-o", required=True, metavar="FILE", help="The script; nobody else can read it. - is standard output."
)
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


@click.command(epilog=examples("fastpfkey load table.conf --source unix:engine.sock"))
@click.argument("file")
@click.option("--source", default="kernel", show_default=True, help="The key engine to load it into.")
@system_option
@variant_option
def load(file: str, source: str, dialect: str, variant: str) -> None:
    """Run the script FILE that save wrote, or any of setkey's; - is standard input.

    It is read whole before anything is sent. The exit status is 1 if a request was refused.
    """
    from .saving import load_script

    finish(lambda: load_script(file, source, find_dialect(dialect), variant))


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
    options_metavar="[OPTIONS OF SETKEY]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def setkey(arguments: tuple[str, ...]) -> None:
    """Stand in for the program of this name: its arguments, scripts and text; --help tells them."""
    from .setkeying import main

    sys.exit(main(arguments))


COMMANDS = (save, load, setkey)
