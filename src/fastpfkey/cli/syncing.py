"""The commands that compare and bring into line: their arguments. What they do stands in modules of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ..errors import PFKeyError
from ..spec import dialect as find_dialect
from .ending import leave
from .errors import SourceError
from .options import comma_separated, examples, options, system_option, variant_option

FORMATS = ("text", "json", "jsonl", "csv")

TABLES = ("associations", "policies")

DIFFERENT = 1
"""Exit status: there are differences."""
TROUBLE = 2
"""Exit status: what differs cannot be told."""

compared_tables = options(
    system_option,
    variant_option,
    click.option(
        "--forward",
        is_flag=True,
        help="In scripts, policies for incoming packets count for forwarded ones too, as to setkey on Linux.",
    ),
    click.option(
        "--table",
        type=click.Choice(TABLES),
        help="Only these; else whatever both have.",
    ),
    click.option(
        "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write."
    ),
)


class Answering(click.Command):
    """A command whose exit status 1 is an answer: what goes wrong ends with 2, as in diff(1)."""

    def invoke(self, ctx: click.Context) -> object:
        """Run it."""
        from .reading import reason

        try:
            return super().invoke(ctx)
        except (PFKeyError, SourceError) as error:
            leave(TROUBLE, str(error), error, error.hint if isinstance(error, SourceError) else "")
        except BrokenPipeError:
            raise
        except OSError as error:
            leave(TROUBLE, reason(error), error)


@click.command(epilog=examples("fastpfkey diff table.conf unix:engine.sock"), cls=Answering)
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@compared_tables
@click.option("--columns", callback=comma_separated, metavar="A,B,...", help="Compare only these.")
def diff(
    old: str,
    new: str,
    dialect: str,
    variant: str,
    forward: bool,
    table: str | None,
    form: str,
    columns: Sequence[str] | None,
) -> None:
    """Show what is different in B: associations and policies that were added, removed, changed or rekeyed.

    A and B are kernel, unix:PATH, engine, demo:N, or files: recorded dumps, scripts of save or setkey, the text of
    setkey -D; - is standard input. Of keys no more is told than that they differ.

    Exit status: 0 if A and B say the same, 1 if they do not, 2 if that cannot be told.
    """
    from .differing import show_differences
    from .tables import Scripts

    scripts = Scripts(variant, forward)
    tables = TABLES if table is None else (table,)
    if show_differences((old, new), find_dialect(dialect), scripts, tables, columns, form, sys.stdout):
        sys.exit(DIFFERENT)


@click.command(
    epilog=examples(
        "fastpfkey apply table.conf --source unix:engine.sock --check",
        "fastpfkey apply table.conf --source unix:engine.sock",
    ),
    cls=Answering,
)
@click.argument("file")
@click.option("--source", default="kernel", show_default=True, help="The key engine to bring into line.")
@compared_tables
@click.option("--check", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--keep", is_flag=True, help="Delete nothing but what has a successor.")
def apply(
    file: str,
    source: str,
    dialect: str,
    variant: str,
    forward: bool,
    table: str | None,
    form: str,
    check: bool,
    keep: bool,
) -> None:
    """Make associations and policies what FILE says, with as few requests as possible; never by a flush.

    FILE is a script of save or setkey, a recorded dump, or text of setkey -D; - is standard input. What it says nothing
    of is left alone, and so are associations that are being negotiated. First each difference is shown: + is added,
    - deleted, ~ updated, ! deleted and added at once, > added with another SPI before the old one is deleted.

    Exit status: 0 if all was done, or nothing was to do, 1 if a request was refused, 2 if nothing could be tried. With
    --check: 1 if something is to do.
    """
    from .applying import Order, carry_out, show_plan
    from .tables import Scripts

    tables = TABLES if table is None else (table,)
    order = Order(file, source, find_dialect(dialect), Scripts(variant, forward), tables, keep, form)
    if show_plan(order, sys.stdout) if check else not carry_out(order, sys.stdout):
        sys.exit(DIFFERENT)


COMMANDS = (diff, apply)
