"""Many messages in one buffer: where they lie, and a view of each on demand.

A batch keeps the caller's buffer and eight bytes for each message, its offset. A view is made when it is asked for and
kept by no one, so that several million messages are not several million objects.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from ..errors import WireError
from ..hotpath import walk
from ..spec import dialect as find_dialect
from ..spec.model import HEADER_SIZE, Dialect
from ..spec.plan import ByteOrder
from .dialects import MessageCodec, codec, host_order
from .memory import byte_view
from .message import MessageView
from .recovery import OnError, Recovery
from .structs import HostOrder

if TYPE_CHECKING:
    from typing_extensions import Buffer

CHUNK = 65536
"""Offsets that one call of the hot path may write."""

AFTER_FAULT = 64
"""The same for the first call behind a fault: where faults come thick, little is read twice."""


def decode(
    buffer: Buffer,
    dialect: str | Dialect = "host",
    byteorder: ByteOrder = "native",
    on_error: OnError = "raise",
    strict: bool = False,
) -> Batch:
    """Find and validate the messages that lie back to back in a buffer.

    The buffer is any object with contiguous bytes (bytes, bytearray, memoryview, mmap, NumPy array); it is not copied,
    and the batch and its views refer to it. `dialect` is a name or a Dialect, "host" that of the running system;
    `byteorder` is that of the system that wrote the messages.

    A fault is what makes bytes unreadable: see `WireError`. With on_error="raise" the first one is raised, and tells
    the number of good messages before it; "stop" returns those with the fault in `Batch.fault`; "skip" also goes on
    behind the faulty message, as long as its length tells where that is, and counts what it left out. Extensions of
    unknown type are kept, as Linux does; with `strict` they are a fault.

    Raises WireError, TypeError or BufferError for a buffer without contiguous bytes, ValueError for an unknown dialect,
    byte order or on_error.
    """
    found = find_dialect(dialect)
    messages = codec(found, host_order(byteorder))
    memory = byte_view(buffer)
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
