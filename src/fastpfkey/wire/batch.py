"""Many messages in one buffer: where they lie, and a view of each on demand.

A batch keeps the caller's buffer and eight bytes for each message, its offset. A view is made when it is asked for and
kept by no one, so that several million messages are not several million objects.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from ..errors import WireError
from ..hotpath import walk
from ..spec.model import HEADER_SIZE, Dialect
from .dialects import MessageCodec
from .message import MessageView
from .recovery import OnError, Recovery
from .structs import HostOrder

CHUNK = 65536
"""Offsets that one call of the hot path may write."""

AFTER_FAULT = 64
"""The same for the first call behind a fault: where faults come thick, little is read twice."""


def read(memory: memoryview, messages: MessageCodec, on_error: OnError, strict: bool) -> Batch:
    """The messages of one dialect and byte order. Raises WireError and ValueError as `decode` does."""
    recovery = Recovery(memory, len(memory), messages.byteorder, on_error)
    offsets = array("Q")
    room = array("Q", bytes(8 * min(CHUNK, len(memory) // HEADER_SIZE + 1)))
    limit = len(room)
    position: int | None = 0 if len(memory) else None
    while position is not None:
        outcome = walk(memory, position, len(memory), messages.frame, strict, memoryview(room)[:limit])
        offsets.extend(room[: outcome.count])
        position = recovery.after(outcome)
        limit = min(AFTER_FAULT if outcome.fault else limit * 2, len(room))
    return Batch(memory, memoryview(offsets), messages, tuple(recovery.faults), recovery.skipped)


class Batch(Sequence[MessageView]):
    """The messages of one buffer. Indexing makes a view; slicing makes a batch that shares buffer and offsets."""

    __slots__ = ("buffer", "codec", "faults", "offsets", "skipped")

    def __init__(
        self,
        buffer: memoryview,
        offsets: memoryview[int],
        codec: MessageCodec,
        faults: tuple[WireError, ...] = (),
        skipped: int = 0,
    ) -> None:
        self.buffer = buffer
        """The bytes that were decoded, read-only."""
        self.offsets = offsets
        """Where each message begins: uint64, bytes from the start of the buffer."""
        self.codec = codec
        self.faults = faults
        """What was wrong with messages that are not in the batch, in order; when skipping, the first 100 of them."""
        self.skipped = skipped
        """Number of messages that were left out by on_error="skip"."""

    @property
    def dialect(self) -> Dialect:
        """The dialect that the messages were decoded with."""
        return self.codec.dialect

    @property
    def byteorder(self) -> HostOrder:
        """Byte order of the system that wrote the messages, "little" or "big"."""
        return self.codec.byteorder

    @property
    def fault(self) -> WireError | None:
        """The first fault that on_error="stop" or "skip" met; None without one, and for a slice."""
        return self.faults[0] if self.faults else None

    def __len__(self) -> int:
        return len(self.offsets)

    @overload
    def __getitem__(self, index: int) -> MessageView: ...
    @overload
    def __getitem__(self, index: slice) -> Batch: ...
    def __getitem__(self, index: int | slice) -> MessageView | Batch:
        if isinstance(index, slice):
            return Batch(self.buffer, self.offsets[index], self.codec)
        return MessageView(self, self.offsets[index])

    def __iter__(self) -> Iterator[MessageView]:
        for offset in self.offsets:
            yield MessageView(self, offset)

    def __repr__(self) -> str:
        lost = f", {self.skipped} skipped" if self.skipped else f", fault at {self.fault}" if self.fault else ""
        return f"<Batch of {len(self)} messages, {self.dialect.name}, {self.byteorder}-endian{lost}>"
