"""What both twins provide: the signatures, the outcome they return, and the limits they keep.

The caller allocates every output and owns every buffer; nothing here raises a domain error or allocates in proportion
to what the wire says. A function stops at the first fault and says where; what to do about it (raise, stop, skip) is
decided above.

Positions and offsets are bytes from the start of `buffer`, which is any object with a C-contiguous buffer. Outputs are
writable C-contiguous buffers. Both twins write the same bytes to them and leave the same bytes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..spec.plan import ColumnPlan, Frame

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Outcome(NamedTuple):
    """What a hot-path function did."""

    count: int  # type: ignore[assignment]  # tuple has a method of this name, which nobody needs here
    """Good messages written."""
    fault: int
    """`errors.Fault`; 0 if the end, or the room of the output, was reached without one."""
    position: int
    """Byte that shows the fault; equal to `next` without a fault."""
    next: int
    """Where to go on: behind the last good message, which with a fault is the start of the faulty one."""


class HotPath(Protocol):
    """The functions that `reference` and the compiled modules have in common."""

    def walk(self, buffer: Buffer, start: int, stop: int, frame: Frame, strict: bool, offsets: Buffer) -> Outcome:
        """Validate messages from `start` up to `stop`, and write their offsets (uint64) until `offsets` is full."""
        ...

    def decode(
        self,
        buffer: Buffer,
        start: int,
        stop: int,
        plan: ColumnPlan,
        strict: bool,
        columns: Sequence[Buffer],
        row: int,
        rows: int,
    ) -> Outcome:
        """Validate messages from `start` up to `stop` and write one row each into `columns`, from `row` up to `rows`.

        `columns` are in the plan's order, `rows * column.width` bytes or more each, native byte order. Every column of
        every row from `row` to `row + count` is written, with 0 where a message lacks the extension.
        """
        ...

    def hop(self, buffer: Buffer, start: int, stop: int, swap: bool, target: int) -> Outcome:
        """Count messages from header to header, trusting lengths alone, until one begins at or behind `target`.

        No fault: a length that is impossible ends the hop before its message.
        """
        ...

    def gather(self, buffer: Buffer, offsets: Buffer, bits: Buffer, store: Buffer) -> int:
        """Copy byte strings back to back into `store` and return how many bytes were written.

        `offsets` (uint64) says where each begins, `bits` (uint16) how many bits it has, rounded up to bytes.
        Raises IndexError, having written nothing, if a string or the store is too short.
        """
        ...
