"""Messages as rows of a table: what the tables give, and what only the command line adds.

Added are the keys of associations or their fingerprints, if they are asked for, and the requests of policies. Offsets
and numbers of messages become those of the whole source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from ..columns import where
from ..columns.algorithms import AlgorithmTable
from ..columns.associations import SATable
from ..columns.policies import PolicyTable
from ..columns.table import Table
from ..interop.records import FINGERPRINTS, KEYS
from ..spec.model import Dialect
from ..spec.terms import MessageType
from ..wire.batch import Batch
from .reading import Portion
from .viewing import View

OFFSET = "message_offset"


class Rows(ABC):
    """Rows of one kind of table."""

    table: ClassVar[type[AlgorithmTable | PolicyTable | SATable]]
    telling: ClassVar[tuple[str, ...]]
    """Columns that say most about a row, for text."""

    def __init__(self, view: View, dialect: Dialect) -> None:
        """Rows as they are wanted. Raises KeyError for a column that there is not, and QueryError."""
        self.empty = self.none(dialect)
        added = self.added(view)
        known = (*self.empty.columns, *added)
        names = view.columns
        if names is None:
            names = (*self.telling, *added) if view.form == "text" else known
        self.names = tuple(dict.fromkeys(names))
        by = tuple(name.removeprefix("-") for name in view.sort)
        for name, those in [*((name, known) for name in self.names), *((name, self.empty.columns) for name in by)]:
            if name not in those:
                raise KeyError(f"no column {name!r}; known are {', '.join(those)}")
        asked: tuple[str, ...] = ()
        if view.where is not None:
            where.rows(self.empty, view.where)
            asked = view.where.columns
        own = (name for name in (*self.names, *asked, *by) if name not in added)
        self.decoded = tuple(dict.fromkeys(own)) or (OFFSET,)
        """Columns of the table itself that are needed."""

    @classmethod
    def added(cls, view: View) -> tuple[str, ...]:
        """Columns that the table itself does not have."""
        return ()

    def none(self, dialect: Dialect) -> Table:
        """What is shown of no message."""
        return self.table.from_buffer(b"", dialect)

    @abstractmethod
    def of(self, portion: Portion) -> Table:
        """The rows of some messages."""


class Associations(Rows):
    """A row for each message, and what it says about an association."""

    table = SATable
    telling = (
        *("satype", "spi", "src", "dst", "state", "mode", "encrypt", "auth", "reqid"),
        *("current_bytes", "current_addtime", "hard_addtime"),
    )

    @classmethod
    def added(cls, view: View) -> tuple[str, ...]:
        """The keys, in hexadecimal, and their fingerprints."""
        return (*(KEYS if view.show_keys else ()), *(FINGERPRINTS if view.salt is not None else ()))

    def none(self, dialect: Dialect) -> SATable:
        """A table that has keys, as far as it has any rows."""
        return SATable.from_buffer(b"", dialect, keys=True)

    def of(self, portion: Portion) -> Table:
        """The rows of some messages."""
        keys = not set(self.names).isdisjoint((*KEYS, *FINGERPRINTS))
        return _placed(SATable.from_batch(portion.batch, self.decoded, keys=keys), portion)


class Policies(Rows):
    """A row for each message, and what it says about a policy."""

    table = PolicyTable
    telling = (
        *("spid", "dir", "type", "src", "src_prefixlen", "src_port", "dst", "dst_prefixlen", "dst_port", "src_proto"),
        "priority",
    )

    @classmethod
    def added(cls, view: View) -> tuple[str, ...]:
        """The list of requests."""
        return ("requests",)

    def of(self, portion: Portion) -> Table:
        """The rows of some messages."""
        return _placed(PolicyTable.from_batch(portion.batch, self.decoded), portion)


class Algorithms(Rows):
    """A row for each algorithm that a message lists."""

    table = AlgorithmTable
    telling = ("message", "satype", "kind", "id", "ivlen", "minbits", "maxbits")

    def of(self, portion: Portion) -> Table:
        """The rows of some messages."""
        table = AlgorithmTable.from_batch(portion.batch)
        numbers = table["message"]
        numbers[:] = [portion.numbers[number] for number in numbers.tolist()]
        return table


TABLES: Mapping[str, type[Rows]] = {"associations": Associations, "policies": Policies, "algorithms": Algorithms}
"""Kinds of rows by name."""


def about(batch: Batch | None) -> str:
    """The name of the table that the first message of a batch belongs in."""
    kind = batch[0].type if batch else None
    if kind is MessageType.REGISTER:
        return "algorithms"
    return "policies" if kind is not None and kind.name.startswith("SPD") else "associations"


def _placed(table: Table, portion: Portion) -> Table:
    if OFFSET in table.columns:
        table[OFFSET][:] += portion.offset
    return table
