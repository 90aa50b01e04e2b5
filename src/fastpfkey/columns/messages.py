"""Tables with one row a message: decoded from a buffer, kept beside it, and decoded anew into the same memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..errors import ReplyError
from ..spec.model import Dialect
from ..spec.plan import column_plan
from ..spec.tables import Column, sources
from ..spec.tables import Table as Schema
from ..spec.terms import ExtensionType
from ..wire.batch import Batch
from ..wire.dialects import codec
from ..wire.pool import BufferPool
from ..wire.recovery import OnError, Recovery
from ..wire.value import ExtensionValue
from .fill import Job, fill
from .room import Array, Room
from .source import Source
from .table import Origin, Table, names_of


class How(NamedTuple):
    """How a caller wants messages decoded, as `SATable.from_buffer` explains."""

    columns: Sequence[str] | None
    """Names of the columns wanted, None for all."""
    threads: int = 1
    on_error: OnError = "raise"
    strict: bool = False


@dataclass(frozen=True, eq=False)
class Decoded:
    """Messages decoded into columns."""

    names: tuple[str, ...]
    """The columns that the caller wanted."""
    room: Room
    recovery: Recovery

    @property
    def arrays(self) -> dict[str, Array]:
        """All decoded rows: the columns wanted, `present`, and internal ones."""
        return self.room.rows(self.recovery.good)


class MessageTable(Table):
    """A table with one row a message."""

    _internal: ClassVar[frozenset[str]]
    """Columns of the schema that are no columns of the table: what it carries beside its columns is made from these."""

    complete: bool = True
    """Whether the dump that was decoded is known to be whole; a selection does not say."""
    missing: int | None = 0
    """Messages that this dump is known to lack; None if some may be missing, but nothing tells how many."""
    error: ReplyError | None = None
    """The error that ended this dump before its end."""

    _room: Room | None = None
    """The memory of the columns, if this table was decoded into it and not made from another."""

    def __init__(self, arrays: Mapping[str, Array], columns: tuple[str, ...], origin: Origin) -> None:
        super().__init__({name: array for name, array in arrays.items() if name not in self._internal}, columns, origin)

    def extensions(self, name: str) -> Iterator[tuple[int, ExtensionValue]]:
        """(row, typed value) of each message that carries the extension of this name: for all that has no column.

        The name is that of the ExtensionType in lower case, such as "identity_src" or "proposal". Values are read from
        the buffer that the table was decoded from, which it keeps for that; raises WireError should that have changed.

        Raises KeyError for a name that is none, or if `message_offset` was not decoded, and ValueError for a table put
        together from several buffers.
        """
        if name.upper() not in ExtensionType.__members__:
            raise KeyError(f"no extension {name!r}")
        buffer, byteorder = self._origin.buffer, self._origin.byteorder
        if buffer is None or byteorder is None:
            raise ValueError("rows of several buffers were put together: ask the tables that they came from")
        kind = ExtensionType[name.upper()]
        rows = np.flatnonzero(self["present"] & np.uint64(1 << kind.bit))
        offsets = self["message_offset"][rows]
        messages = Batch(buffer, offsets.data, codec(self.dialect, byteorder))
        found = ((row, message.get(kind)) for row, message in zip(rows.tolist(), messages, strict=True))
        return ((row, value) for row, value in found if value is not None)

    @classmethod
    def _decode(cls, source: Source, how: How, internal: Sequence[str], out: Self | BufferPool | None) -> Decoded:
        """Decode messages into new memory, or into what `out` has."""
        names = cls._wanted(how.columns)
        columns = tuple(dict.fromkeys((*names, *_companions(cls.schema, source.dialect, names), *internal)))
        plan = column_plan(source.dialect, cls.schema, columns, source.byteorder)
        room = cls._room_in(out, plan.columns)
        job = Job(source.buffer, plan, how.strict, how.threads)
        # What "raise" raises is kept until the good rows are a table, so that `out` never shows half of a decoding.
        on_error: OnError = "stop" if how.on_error == "raise" else how.on_error
        recovery = Recovery(source.buffer, 0, source.byteorder, on_error)
        for start, stop in source.runs:
            recovery.stop = stop
            fill(job, start, room, recovery)
        return Decoded(names, room, recovery)

    def _finish(self, decoded: Decoded, how: How, out: Self | BufferPool | None) -> Self:
        """This new table, or `out` turned into it. Raises the fault if the caller wants that."""
        self._room = decoded.room
        self.faults = tuple(decoded.recovery.faults)
        self.skipped = decoded.recovery.skipped
        earlier = out if isinstance(out, MessageTable) else None
        if earlier is not None:
            vars(earlier).clear()
            vars(earlier).update(vars(self))
        if self.fault is not None and how.on_error == "raise":
            raise self.fault
        return self if earlier is None else earlier

    @classmethod
    def _wanted(cls, columns: Sequence[str] | None) -> tuple[str, ...]:
        public = tuple(item.name for item in cls.schema.columns if item.name not in cls._internal)
        if columns is None:
            return public
        names = tuple(dict.fromkeys(names_of(columns)))
        for name in names:
            if name not in public:
                raise KeyError(f"no column {name!r} in {cls.__name__}; known are {', '.join(public)}")
        return names

    @classmethod
    def _room_in(cls, out: Self | BufferPool | None, columns: tuple[Column, ...]) -> Room:
        if out is None or isinstance(out, BufferPool):
            return Room(columns, out)
        if not isinstance(out, cls):
            raise TypeError(f"out= takes an earlier {cls.__name__} or a BufferPool, not {type(out).__name__}")
        return out._lend(columns)

    def _lend(self, columns: tuple[Column, ...]) -> Room:
        """The memory of this table, for the same columns."""
        if self._room is None:
            raise ValueError(
                "out= takes a table that was decoded; one made by selection or concat has no memory to lend"
            )
        if self._room.columns != columns:
            raise ValueError(f"out= has other columns: {', '.join(self.columns)}")
        return self._room


def _companions(schema: Schema, dialect: Dialect, names: Sequence[str]) -> list[str]:
    """Columns without which a column cannot be labelled: what an algorithm number means depends on the SA type."""
    special = {source.column for source in sources(schema, dialect) if source.satype is not None}
    return ["satype"] if special.intersection(names) else []
