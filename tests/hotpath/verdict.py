"""What both functions that validate say of a buffer."""

from __future__ import annotations

from fastpfkey.hotpath.contract import HotPath, Outcome
from fastpfkey.spec.plan import ColumnOp, ColumnPlan, ColumnRow, Frame
from fastpfkey.spec.tables import Column

from .made_up import Builder
from .twins import decode_all, walk_all


def plan_of(frame: Frame) -> ColumnPlan:
    """The offset of each message, which shows that only good ones become rows."""
    row = ColumnRow(ColumnOp.MESSAGE_OFFSET, -1, 0, 8, 0, 0, 0, 8, -1, 0, -1)
    return ColumnPlan(frame, (Column("offset", "u8", ""),), (row,), (), False)


def verdict(twin: HotPath, data: bytes, build: Builder, strict: bool = False) -> tuple[Outcome, list[int]]:
    """What walking says of a buffer, and where its good messages begin; decoding says the same."""
    outcome, offsets = walk_all(twin, data, build.frame, strict=strict)
    decoded, outputs = decode_all(twin, data, plan_of(build.frame), strict=strict)
    assert decoded == outcome
    assert outputs.numbers()[: outcome.count] == offsets
    assert outputs.untouched_outside(0, outcome.count)
    return outcome, offsets
