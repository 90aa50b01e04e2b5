"""The way in: a buffer of any kind, of a dialect that is named or found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..spec import dialect as find_dialect
from ..spec.model import Dialect
from ..spec.plan import ByteOrder
from .batch import Batch, read
from .detect import detect
from .dialects import codec, host_order
from .memory import byte_view
from .recovery import OnError

if TYPE_CHECKING:
    from typing_extensions import Buffer


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
    `byteorder` is that of the system that wrote the messages. With dialect="auto" both are what `detect` is certain of;
    a byte order other than "native" is then taken as known.

    A fault is what makes bytes unreadable: see `WireError`. With on_error="raise" the first one is raised, and tells
    the number of good messages before it; "stop" returns those with the fault in `Batch.fault`; "skip" also goes on
    behind the faulty message, as long as its length tells where that is, and counts what it left out. Extensions of
    unknown type are kept, as Linux does; with `strict` they are a fault.

    Raises WireError, TypeError or BufferError for a buffer without contiguous bytes, ValueError for an unknown dialect,
    byte order or on_error, DetectionError where "auto" is not certain.
    """
    memory = byte_view(buffer)
    if dialect == "auto":
        detection = detect(memory, None if byteorder == "native" else host_order(byteorder))
        dialect, byteorder = detection.dialect, detection.byteorder
    return read(memory, codec(find_dialect(dialect), host_order(byteorder)), on_error, strict)
