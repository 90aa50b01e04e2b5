"""Facts of an association that systems put into different places, found where the tables' column sources find them.

A mode is a number on some systems and a bit on others; a port of UDP encapsulation is an extension, a field of the
association, or part of an address. What a column of `SATable` says of a message, `fact` says too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ..spec import tables
from ..spec.model import Choice, Dialect, Source, Take
from .value import ExtensionValue

if TYPE_CHECKING:
    from .message import Message


@cache
def places(dialect: Dialect, column: str) -> tuple[Source, ...]:
    """Where a dialect has the fact that a column of `SATable` holds, the strongest place first."""
    found = (source for source in tables.sources(tables.ASSOCIATIONS, dialect) if source.column == column)
    return tuple(reversed(tuple(found)))


def choice(dialect: Dialect, column: str) -> Choice | None:
    """The flags by which a dialect says a fact; None if it says it otherwise, or not at all."""
    return next((source.choice for source in places(dialect, column) if source.choice is not None), None)


def fact(message: Message, column: str) -> object:
    """What a message says of a fact; None if it says nothing."""
    for source in places(message.dialect, column):
        extension = None if source.extension is None else message.get(source.extension)
        found = None if extension is None else _taken(message.dialect, extension, source)
        if found is not None:
            return found
    return None


def _taken(dialect: Dialect, extension: ExtensionValue, source: Source) -> object:
    if source.choice is not None:
        flags: int = getattr(extension, source.field)
        return source.choice.chosen if flags & dialect.mask(source.choice.flags) else source.choice.otherwise
    name = source.field if source.take is Take.FIELD else source.take.value
    return getattr(extension, name, None)
