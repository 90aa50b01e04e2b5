"""Where messages come from: a buffer, what it is written in, and the runs of back-to-back messages in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import spec
from ..spec.model import WORD, Dialect
from ..spec.plan import ByteOrder
from ..spec.rfc2367 import MSG
from ..wire.dialects import host_order
from ..wire.structs import HostOrder
from .room import Array
from .table import Origin

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ..wire.batch import Batch


@dataclass(frozen=True, eq=False)
class Source:
    """Messages to decode."""

    buffer: memoryview
    dialect: Dialect
    byteorder: HostOrder
    runs: Sequence[tuple[int, int]]
    """Where each run begins and ends."""

    @property
    def origin(self) -> Origin:
        """What a table keeps of it."""
        return Origin(self.dialect, self.byteorder, self.buffer)

    @classmethod
    def of_buffer(cls, buffer: Buffer, dialect: str | Dialect, byteorder: ByteOrder) -> Source:
        """All messages of a buffer. Raises BufferError if it is not contiguous."""
        view = as_bytes(buffer)
        return cls(view, spec.dialect(dialect), host_order(byteorder), [(0, len(view))])

    @classmethod
    def of_batch(cls, batch: Batch) -> Source:
        """The messages of a batch, which may be some of those in its buffer and in any order."""
        view = as_bytes(batch.buffer)
        begins = np.asarray(batch.offsets, np.int64)
        ends = begins + _lengths(np.frombuffer(view, np.uint8), begins, batch.byteorder)
        gaps = np.flatnonzero(begins[1:] != ends[:-1]) + 1
        first, last = np.append(begins[:1], begins[gaps]), np.append(ends[gaps - 1], ends[-1:])
        return cls(view, batch.dialect, batch.byteorder, list(zip(first.tolist(), last.tolist(), strict=True)))


def as_bytes(buffer: Buffer) -> memoryview:
    """A flat byte view of any C-contiguous buffer. Raises BufferError for one that is not contiguous."""
    view = memoryview(buffer)
    if not view.c_contiguous:
        raise BufferError("the bytes of the buffer are not contiguous; decode a copy of it")
    return view.cast("B") if view.nbytes else memoryview(b"")


def _lengths(octets: Array, begins: Array, byteorder: HostOrder) -> Array:
    """What the headers at these offsets give as length, in bytes."""
    first = MSG["len"].offset
    low, high = (first, first + 1) if byteorder == "little" else (first + 1, first)
    found: Array = (octets[begins + low].astype(np.int64) | octets[begins + high].astype(np.int64) << 8) * WORD
    return found
