"""Messages as rows of a table, ready to be written: what the tables give, and what only the command line adds.

Added are the keys of associations, if they may be shown, and the requests of policies. Offsets and numbers of messages
become those of the whole source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from ..columns.algorithms import AlgorithmTable
from ..columns.associations import SATable
from ..columns.policies import PolicyTable
from ..columns.table import Table
from ..interop.records import KEYS, Record, records
from ..spec.model import Dialect
from ..spec.terms import MessageType
from ..wire.batch import Batch
from .reading import Portion

OFFSET = "message_offset"


class Rows(ABC):
    """Rows of one kind of table."""

    table: ClassVar[type[AlgorithmTable | PolicyTable | SATable]]
    telling: ClassVar[tuple[str, ...]]
    """Columns that say most about a row, for text."""

    def __init__(self, columns: Sequence[str] | None, dialect: Dialect, show_keys: bool) -> None:
        """Rows with these columns, None for all. Raises KeyError for a column that there is not."""
        known = (*self.table.from_buffer(b"", dialect).columns, *self.added(show_keys))
        self.names = known if columns is None else tuple(dict.fromkeys(columns))
        for name in self.names:
            if name not in known:
                raise KeyError(f"no column {name!r}; known are {', '.join(known)}")
        self.plain = tuple(name for name in self.names if name not in self.added(show_keys)) or (OFFSET,)
        """Columns of the table itself."""

    @classmethod
    def added(cls, show_keys: bool) -> tuple[str, ...]:
        """Columns that the table itself does not have."""
        return ()

    @abstractmethod
    def of(self, portion: Portion) -> Iterator[Record]:
        """The rows of some messages."""


class Associations(Rows):
    """A row for each message, and what it says about an association."""

    table = SATable
    telling = (
        *("satype", "spi", "src", "dst", "state", "mode", "encrypt", "auth", "reqid"),
        *("current_bytes", "current_addtime", "hard_addtime"),
    )

    @classmethod
    def added(cls, show_keys: bool) -> tuple[str, ...]:
        """The keys, in hexadecimal."""
        return KEYS if show_keys else ()

    def of(self, portion: Portion) -> Iterator[Record]:
        """The rows of some messages."""
        table = SATable.from_batch(portion.batch, self.plain, keys=not set(KEYS).isdisjoint(self.names))
        _place(table, portion)
        return records(table, self.names)


class Policies(Rows):
    """A row for each message, and what it says about a policy."""

    table = PolicyTable
    telling = (
        *("spid", "dir", "type", "src", "src_prefixlen", "src_port", "dst", "dst_prefixlen", "dst_port", "src_proto"),
        *("priority", "requests"),
    )

    @classmethod
    def added(cls, show_keys: bool) -> tuple[str, ...]:
        """The list of requests."""
        return ("requests",)

    def of(self, portion: Portion) -> Iterator[Record]:
        """The rows of some messages."""
        table = PolicyTable.from_batch(portion.batch, self.plain)
        _place(table, portion)
        return records(table, self.names)


class Algorithms(Rows):
    """A row for each algorithm that a message lists."""

    table = AlgorithmTable
    telling = ("message", "satype", "kind", "id", "ivlen", "minbits", "maxbits")

    def of(self, portion: Portion) -> Iterator[Record]:
        """The rows of some messages."""
        for row in AlgorithmTable.from_batch(portion.batch).rows(self.names):
            if "message" in row:
                row["message"] = portion.numbers[row["message"]]
            yield row


TABLES: Mapping[str, type[Rows]] = {"associations": Associations, "policies": Policies, "algorithms": Algorithms}
"""Kinds of rows by name."""


def about(batch: Batch | None) -> str:
    """The name of the table that the first message of a batch belongs in."""
    kind = batch[0].type if batch else None
    if kind is MessageType.REGISTER:
        return "algorithms"
    return "policies" if kind is not None and kind.name.startswith("SPD") else "associations"


def _place(table: Table, portion: Portion) -> None:
    if OFFSET in table.columns:
        table[OFFSET][:] += portion.offset
