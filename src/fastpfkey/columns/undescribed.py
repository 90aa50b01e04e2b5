"""Extensions that no column describes: where they lie in the buffer that a table was decoded from.

Identities, labels and security contexts are as long as they like, so a table has only their bits. To write its rows
again they are found once more, and copied as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..spec import tables
from ..spec.building import described
from ..spec.model import Source as Taken
from ..spec.model import Take
from ..spec.plan import column_plan
from ..spec.terms import ExtensionType as Ext
from ..wire.recovery import Recovery
from ..wire.structs import HostOrder
from .associations import SATable
from .fill import Job, fill
from .room import Array, Room


class Found(NamedTuple):
    """An extension of all rows."""

    kind: Ext
    text: memoryview
    """The buffer."""
    starts: Array
    """Offset of its header, 0 where a row has none (uint64)."""
    sizes: Array
    """Bytes of it, 0 where a row has none (uint32)."""


def undescribed(table: SATable, wanted: frozenset[Ext]) -> Iterator[Found]:
    """Those of some extensions that are in the rows of a table and not in its columns, as far as it has a buffer.

    Raises ValueError if the buffer has other messages now.
    """
    origin = table._origin
    if origin.buffer is None or origin.byteorder is None or "message_offset" not in table.columns or not len(table):
        return
    seen = int(np.bitwise_or.reduce(table["present"]))
    for kind in sorted(wanted):
        extension = table.dialect.by_type.get(kind)
        if extension is None or not seen >> kind.bit & 1 or described(table.dialect, table.schema, extension):
            continue
        offsets, starts, sizes = _locate(table, origin.buffer, origin.byteorder, kind)
        place = np.minimum(np.searchsorted(offsets, table["message_offset"]), max(len(offsets) - 1, 0))
        there = table["present"] >> np.uint64(kind.bit) & np.uint64(1) != 0
        if not len(offsets) or (offsets[place] != table["message_offset"])[there].any():
            raise ValueError("the buffer of the table has other messages than it was decoded from")
        yield Found(
            kind,
            origin.buffer,
            np.where(there, starts[place] - np.uint64(extension.minimum), 0).astype(np.uint64),
            np.where(there, sizes[place] + np.uint32(extension.minimum), 0).astype(np.uint32),
        )


def _locate(table: SATable, buffer: memoryview, byteorder: HostOrder, kind: Ext) -> tuple[Array, Array, Array]:
    """Of the messages from a table's first on: offset of each, and of an extension's tail, and the bytes of that."""
    plan = column_plan(table.dialect, _places(kind), None, byteorder)
    room, recovery = Room(plan.columns), Recovery(buffer, len(buffer), byteorder, "skip")
    fill(Job(buffer, plan, False, 1), int(table["message_offset"].min()), room, recovery)
    found = room.rows(recovery.good)
    return found["offset"], found["tail"], found["size"]


@functools.cache
def _places(kind: Ext) -> tables.Table:
    """A table of where an extension lies."""
    return tables.Table(
        f"places of {kind.label}",
        (
            tables.Column("offset", "u8", "of the message"),
            tables.Column("tail", "u8", "of what follows the fixed part", kind),
            tables.Column("size", "u4", "bytes of what follows the fixed part", kind),
        ),
        (
            Taken("offset", None, take=Take.MESSAGE_OFFSET),
            Taken("tail", kind, take=Take.TAIL_OFFSET),
            Taken("size", kind, take=Take.TAIL_LENGTH),
        ),
    )
