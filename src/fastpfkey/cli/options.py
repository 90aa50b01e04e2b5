"""Options that several commands have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from .. import spec
from ..spec.terms import SAType
from . import completing

FORMATS = ("text", "json", "jsonl", "csv", "arrow", "parquet")
"""Ways to write messages and rows."""

TABLES = ("associations", "policies", "algorithms")
"""Names of the tables whose rows can be shown; `rows` has each."""

SATYPES = tuple(item.label for item in SAType if item is not SAType.UNSPEC)
"""SA types by name."""


def examples(*lines: str) -> str:
    """Command lines at the end of a command's help."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


F = TypeVar("F", bound=Callable[..., Any])


def comma_separated(ctx: click.Context, param: click.Parameter, value: str | None) -> Sequence[str] | None:
    """Names separated by commas."""
    if value is None:
        return None
    names = tuple(name.strip() for name in value.split(","))
    if not all(names):
        raise click.BadParameter("names separated by commas are needed", ctx, param)
    return names


def options(*several: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator."""

    def add(command: F) -> F:
        for option in reversed(several):
            command = option(command)
        return command

    return add


def _system(meaning: str, *names: str) -> Callable[[F], F]:
    """The option that names a system, with these names beside those of the dialects."""
    choice = click.Choice((*names, *spec.DIALECTS))
    return click.option("--dialect", type=choice, default="host", show_default=True, help=meaning)


system_option = _system("System that wrote the messages; host is this one's.", "host")

dialect_options = options(
    _system("System that wrote the messages; host is this one's, auto finds it out and says so.", "host", "auto"),
    click.option(
        "--byteorder",
        type=click.Choice(("native", "little", "big")),
        default="native",
        show_default=True,
        help="Byte order of that system.",
    ),
)

reading_options = options(
    dialect_options,
    click.option(
        "--on-error",
        type=click.Choice(("raise", "stop", "skip")),
        default="raise",
        show_default=True,
        help="At a bad message: end, go on with the next file, or go on with the next message.",
    ),
    click.option("--strict", is_flag=True, help="An extension that the dialect does not know is bad."),
)


def _question(ctx: click.Context, param: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    from ..columns.where import question
    from ..errors import QueryError

    try:
        return question(value)
    except QueryError as error:
        raise click.BadParameter(str(error), ctx, param) from None


where_option = click.option(
    "--where",
    callback=_question,
    metavar="QUESTION",
    help="Rows that answer it, such as \"state == 'mature' and dst in '10.0.0.0/8'\".",
)

rows_options = options(
    click.option(
        "--columns",
        callback=comma_separated,
        metavar="A,B,...",
        shell_complete=completing.columns,
        help="Rows with these columns only. A wrong name lists the right ones.",
    ),
    where_option,
    click.option(
        "--sort",
        callback=comma_separated,
        metavar="A,-B,...",
        shell_complete=completing.columns,
        help="Order by these columns, turned round behind a minus. All rows, or --limit of them, are in memory.",
    ),
    click.option("--limit", type=click.IntRange(0), metavar="N", help="No more than so many rows."),
    click.option(
        "--addresses",
        type=click.Choice(("binary", "text")),
        help="How arrow and parquet have addresses: 16 bytes each, which is the default, or text.",
    ),
    click.option(
        "--output",
        "-o",
        metavar="FILE",
        shell_complete=completing.files,
        help="Write this file, which is replaced when all is in it; - is standard output.",
    ),
)
"""Which rows of a table are written, in what order, and where."""

salt_option = click.option(
    "--key-fingerprint",
    "salt_file",
    metavar="SALT-FILE",
    shell_complete=completing.files,
    help="Fingerprints of keys, which two hosts that have the same file can compare.",
)

view_options = options(
    click.option("--table", type=click.Choice(TABLES), help="Rows of this table; else the first message decides."),
    rows_options,
    click.option("--show-keys", is_flag=True, help="Show keys, which are hidden otherwise."),
    salt_option,
)

variant_option = click.option(
    "--variant",
    type=click.Choice(("host", "ipsec-tools", "freebsd")),
    default="host",
    show_default=True,
    help="Whose setkey the script is for; host is this system's.",
)


def _networks(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, Any]:
    if value is None:
        return {}
    from .choosing import networks

    try:
        return networks(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


choice_options = options(
    click.option("--satype", type=click.Choice(SATYPES), help="Associations of this type only."),
    click.option(
        "--filter",
        "networks",
        callback=_networks,
        metavar="src=NET,dst=NET",
        help="Associations between these networks only.",
    ),
)
