"""The commands that answer questions about a table as a whole: their arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .ending import finish
from .options import choice_options, examples, reading_options, salt_option, system_option, where_option

if TYPE_CHECKING:
    from ..spec.plan import ByteOrder
    from ..wire.recovery import OnError


SORTS = ("bytes", "packets", "total", "left", "age")
"""What `top` can sort by; `topping` has each."""


@click.command(
    epilog=examples(
        "fastpfkey stats demo:1000", "fastpfkey stats --dialect linux sad.bin --policies spd.bin --format json"
    )
)
@click.argument("source", default="kernel", shell_complete=completing.sources)
@reading_options
@where_option
@click.option("--policies", metavar="FILE", help="A dump of policies, where SOURCE is a file without them.")
@salt_option
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="What to write."
)
def stats(
    source: str,
    dialect: str,
    byteorder: ByteOrder,
    on_error: OnError,
    strict: bool,
    where: Any,
    policies: str | None,
    salt_file: str | None,
    form: str,
) -> None:
    """Tell what the associations of SOURCE are made of, and what should worry.

    Counted are types, states, modes, algorithms, families, ages and traffic; found are weak algorithms, keys that occur
    more than once, associations past their soft limit, and policies that no association serves. Times in a file are
    compared with the latest one in it.
    """
    from .inputs import for_engine
    from .inputs import source as find_source
    from .sources import Source, is_engine
    from .surveying import Asked, show_survey
    from .viewing import salt_of

    salt = None if salt_file is None else salt_of(salt_file)
    asked = Asked(where, salt, policies, form)
    named: Source | None = None
    if is_engine(source):
        how = for_engine(dialect, byteorder, on_error, strict)
    else:
        how, named = find_source(source, dialect, byteorder, on_error, strict)
    finish(lambda: show_survey(source, named, how, asked, sys.stdout))


@click.command(
    epilog=examples(
        "fastpfkey top unix:engine.sock --once --interval 0.1",
        "fastpfkey top demo:1000 --sort left --rows 3 --iterations 1 --interval 0.1",
    )
)
@click.argument("source", default="kernel", shell_complete=completing.sources)
@system_option
@choice_options
@where_option
@click.option(
    "--interval",
    type=click.FloatRange(0.01),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Time from one dump to the next.",
)
@click.option("--sort", type=click.Choice(SORTS), default="bytes", show_default=True, help="What comes first.")
@click.option("--rows", type=click.IntRange(1), metavar="N", help="How many; else what fits, or 20.")
@click.option("--iterations", type=click.IntRange(1), metavar="N", help="End after so many views.")
@click.option("--once", is_flag=True, help="End after one view, as without a terminal.")
@click.option("--format", "form", type=click.Choice(("text", "jsonl")), default="text", help="What to write.")
def top(
    source: str,
    dialect: str,
    satype: str | None,
    networks: dict[str, Any],
    where: Any,
    interval: float,
    sort: str,
    rows: int | None,
    iterations: int | None,
    once: bool,
    form: str,
) -> None:
    """Show which associations of a key engine carry most, and how long each has to live, until interrupted.

    Rates are those between two dumps. Without a terminal there is one view, unless --iterations asks for more.
    """
    from ..spec import dialect as find_dialect
    from .choosing import Choice
    from .topping import Asked, show_top

    if once and iterations is not None:
        raise click.UsageError("--once is --iterations 1; give one of the two")
    if once or (iterations is None and not sys.stdout.isatty()):
        iterations = 1
    asked = Asked(interval, iterations, sort, rows, form, Choice(satype, networks), where)

    def show() -> bool:
        show_top(source, find_dialect(dialect), asked, sys.stdout)
        return True

    finish(show)


COMMANDS = (stats, top)
