"""What building a message takes: its header, and its extensions in order.

A function for one message opens a `Builder`, makes its extensions in the RFC's order, and closes it with `message`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypedDict

from ...spec import dialect as find_dialect
from ...spec.model import Dialect
from ...spec.terms import MessageType
from ..conversions import term_number
from ..faults import named, told_of
from ..keywords import only
from ..message import Message, MessageValue
from ..value import ExtensionValue
from . import values
from .making import Maker, Part


class Common(TypedDict, total=False):
    """What every message takes.

    `seq` and `pid` go into the header. `extra` are typed extensions beyond those that have a keyword; one of a type
    that the message has already stands in its place.
    """

    seq: int
    pid: int
    dialect: str | Dialect
    extra: Iterable[ExtensionValue]


class Builder(Maker):
    """One message under construction."""

    def __init__(self, type: MessageType, common: Common) -> None:
        super().__init__(find_dialect(common.get("dialect", "host")))
        self.type = type
        self.common = common
        with named("type"):
            term_number(self.dialect, self.dialect.terms["message"], type)

    def message(
        self, satype: object, parts: Iterable[Part], *, errno: int = 0, payload: Message | None = None
    ) -> MessageValue:
        """The message of these extensions, without those that are None, and of the extra ones."""
        found = {part.exttype: part for part in parts if part is not None}
        with named("extra"):
            extra = values.several(ExtensionValue, self.common.get("extra", ()), "an extension")
        found.update((part.exttype, part) for part in extra)
        return MessageValue(
            self.type,
            self.satype(satype),
            errno=errno,
            seq=self.common.get("seq", 0),
            pid=self.common.get("pid", 0),
            extensions=tuple(found.values()),
            payload=payload,
            dialect=self.dialect,
        )


@contextmanager
def building(type: MessageType, common: Common, takes: builtins.type = Common) -> Iterator[Builder]:
    """A builder for one message; what does not fit its fields is an EncodeError.

    `takes` is the typed dictionary that `common` is. Raises TypeError for a keyword that is not in it.
    """
    only(takes, common, type.label)
    with told_of(type.label):
        yield Builder(type, common)
