"""What a shell offers when a command line is completed: names of columns and of sources, beside options and choices.

Nothing here loads more than the names, because a shell asks at every press of a key.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem, get_completion_class

from ..spec import tables

SCHEMAS = {"associations": tables.ASSOCIATIONS, "policies": tables.POLICIES}
INTERNAL = ("_offset", "_length")
"""Ends of the names of columns that tables keep to themselves, but for those of messages."""

ENGINES = ("kernel", "engine", "demo:", "unix:")
VARIABLE = "_FASTPFKEY_COMPLETE"


def columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of columns behind those that stand there already, each with a minus if it begins with one."""
    before, comma, last = incomplete.rpartition(",")
    minus = "-" if last.startswith("-") else ""
    there = {name.removeprefix("-") for name in before.split(",")}
    names = (name for name in _names(ctx.params.get("table")) if name not in there)
    return [CompletionItem(f"{before}{comma}{minus}{name}") for name in names if name.startswith(last[len(minus) :])]


def _names(table: str | None) -> Iterator[str]:
    for name, schema in SCHEMAS.items():
        if name == (table or "associations"):
            for column in schema.columns:
                if column.name.startswith("message_") or not column.name.endswith(INTERNAL):
                    yield column.name


def sources(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Engines by name, and files."""
    files = CompletionItem(incomplete, type="file")
    return [files, *(CompletionItem(name) for name in ENGINES if name.startswith(incomplete))]


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files."""
    return [CompletionItem(incomplete, type="file")]


def script(shell: str, root: click.Command) -> str:
    """What a shell has to read to complete the command lines of this program."""
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(root, {}, "fastpfkey", VARIABLE).source()
