"""The commands that answer questions about a table as a whole: their arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .ending import finish
from .options import reading_options, salt_option, where_option

if TYPE_CHECKING:
    from ..spec.plan import ByteOrder
    from ..wire.recovery import OnError


@click.command()
@click.argument("source", default="kernel")
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


COMMANDS = (stats,)
