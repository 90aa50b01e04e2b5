"""Security policies as columns: SADB_X_SPDDUMP and the other messages that are about a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..spec import tables
from ..spec.model import Dialect
from ..spec.plan import ByteOrder
from ..spec.terms import PolicyType
from ..wire.pool import BufferPool
from ..wire.recovery import OnError
from .messages import How, MessageTable
from .records import Positions
from .requests import RequestTable, decode_requests, offsets_of
from .room import Array, Selector
from .source import Source
from .table import Origin, Table

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ..wire.batch import Batch


class PolicyTable(MessageTable):
    """Security policies, one row a message, and their requests.

    Columns, their types and units are those of `spec.tables.POLICIES`; see `SATable` for what all columns have in
    common.

    `requests` is one flat table of the requests of all policies: those of row i are `requests[request_offsets[i] :
    request_offsets[i + 1]]`. Only policies of type IPSEC have requests.
    """

    schema = tables.POLICIES
    _internal = frozenset({"requests_offset", "requests_length"})
    _preview = ("spid", "dir", "type", "src", "src_prefixlen", "dst", "dst_prefixlen", "src_proto", "priority")

    def __init__(
        self,
        arrays: Mapping[str, Array],
        columns: tuple[str, ...],
        origin: Origin,
        requests: RequestTable,
        request_offsets: Positions,
    ) -> None:
        super().__init__(arrays, columns, origin)
        self.requests = requests
        """The requests of all policies, in order."""
        self.request_offsets = request_offsets
        """Row of the first request of each policy, and at the end the number of all requests (int64)."""

    @classmethod
    def from_buffer(
        cls,
        buffer: Buffer,
        dialect: str | Dialect = "host",
        columns: Sequence[str] | None = None,
        byteorder: ByteOrder = "native",
        out: Self | BufferPool | None = None,
        threads: int = 1,
        on_error: OnError = "raise",
        strict: bool = False,
    ) -> Self:
        """Decode all messages of a buffer. Arguments and errors are those of `SATable.from_buffer`.

        What `out` has is for the columns of the policies; their requests are decoded into new memory.
        """
        source = Source.of_buffer(buffer, dialect, byteorder)
        return cls._make(source, How(columns, threads, on_error, strict), out)

    @classmethod
    def from_batch(
        cls, batch: Batch, columns: Sequence[str] | None = None, out: Self | BufferPool | None = None, threads: int = 1
    ) -> Self:
        """Decode the messages of a batch, in its dialect and byte order."""
        return cls._make(Source.of_batch(batch), How(columns, threads), out)

    @classmethod
    def _make(cls, source: Source, how: How, out: Self | BufferPool | None) -> Self:
        decoded = cls._decode(source, how, ("present", "type", "requests_offset", "requests_length"), out)
        arrays = decoded.arrays
        begins = arrays["requests_offset"].astype(np.int64)
        lengths = np.where(arrays["type"] == PolicyType.IPSEC, arrays["requests_length"].astype(np.int64), 0)
        requests = decode_requests(source, begins, begins + lengths)
        return cls(arrays, decoded.names, source.origin, *requests)._finish(decoded, how, out)

    def _carried(self, rows: Selector) -> dict[str, Any]:
        begins = self.request_offsets[:-1][rows]
        offsets = offsets_of(self.request_offsets[1:][rows] - begins)
        chosen = np.repeat(begins - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
        return {"requests": self.requests[chosen], "request_offsets": offsets}

    def detached(self) -> Self:
        """The same table, and requests, without the buffer that they were decoded from."""
        found = super().detached()
        found.requests = found.requests.detached()
        return found

    def lists(self) -> Mapping[str, tuple[Table, Array]]:
        """The requests of each policy."""
        return {"requests": (self.requests, self.request_offsets)}

    @classmethod
    def _joined(cls, parts: Sequence[Self]) -> dict[str, Any]:
        counts = np.concatenate([np.diff(part.request_offsets) for part in parts])
        return {
            "requests": RequestTable.concat([part.requests for part in parts]),
            "request_offsets": offsets_of(counts),
        }
