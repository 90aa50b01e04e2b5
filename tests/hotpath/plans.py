"""Plans by hand: one line for a row, with the defaults that most rows have."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from fastpfkey.spec.plan import ColumnOp, ColumnPlan, ColumnRow, Frame
from fastpfkey.spec.tables import Column

HEADER = -1
"""The "extension" of a row whose offsets are from the start of the message."""


def row(
    op: ColumnOp,
    extension: int = HEADER,
    source: int = 0,
    width: int = 0,
    *,
    column: int = 0,
    swap: bool = False,
    shift: int = 0,
    lookup: int = -1,
    minimum: int = 0,
    satype: int = -1,
) -> ColumnRow:
    """A row for a column, whose width `plan` fills in."""
    return ColumnRow(op, extension, source, width, int(swap), shift, column, 0, lookup, minimum, satype)


def plan(frame: Frame, dtypes: str, rows: Iterable[ColumnRow], lookups: Sequence[Sequence[int]] = ()) -> ColumnPlan:
    """A plan for columns of these types, "u2 u8 16u1"."""
    columns = tuple(Column(f"column {place}", dtype, "") for place, dtype in enumerate(dtypes.split()))
    complete = tuple(item._replace(column_width=columns[item.column].width) for item in rows)
    uses_satype = any(item.satype >= 0 for item in complete)
    return ColumnPlan(frame, columns, complete, tuple(array("H", table) for table in lookups), uses_satype)
