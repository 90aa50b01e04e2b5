"""What a system supports, as columns: the algorithms that REGISTER replies list, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..spec import tables
from ..spec.model import Dialect
from ..spec.model import Records as RecordTail
from ..spec.plan import ByteOrder
from ..spec.tables import Column
from ..spec.terms import ExtensionType
from ..wire.recovery import OnError
from .messages import How, MessageTable
from .records import Records
from .room import Array
from .source import Source
from .table import Table

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ..wire.batch import Batch

KINDS = {
    ExtensionType.SUPPORTED_AUTH: "auth",
    ExtensionType.SUPPORTED_ENCRYPT: "encrypt",
    ExtensionType.SUPPORTED_COMP: "compress",
}
"""The extensions that list algorithms, and the term table that names those in each."""

ALGORITHMS = tables.Table(
    "AlgorithmTable",
    (
        Column("message", "u4", "number of the message, from 0"),
        Column("satype", "u2", "SA type that the reply is for, canonical", terms="satype"),
        Column("kind", "u2", "extension that lists it, canonical: SUPPORTED_AUTH, SUPPORTED_ENCRYPT or SUPPORTED_COMP"),
        Column("id", "u2", "algorithm, canonical code of its kind"),
        Column(
            "ivlen", "u1", "length of the initialization vector, bytes on all known systems; 0 for none", unit="bytes"
        ),
        Column("minbits", "u2", "shortest key in bits", unit="bits"),
        Column("maxbits", "u2", "longest key in bits", unit="bits"),
    ),
    (),
)
"""struct sadb_alg (RFC 2367, 2.3.8)."""


class Registrations(MessageTable):
    """Where in REGISTER replies the algorithms lie, one row a message."""

    schema = tables.REGISTRATIONS
    _internal = frozenset()

    @classmethod
    def of(cls, source: Source, on_error: OnError, strict: bool) -> Self:
        """Decode the messages of a source."""
        how = How(None, on_error=on_error, strict=strict)
        decoded = cls._decode(source, how, (), None)
        return cls(decoded.arrays, decoded.names, source.origin)._finish(decoded, how, None)


class AlgorithmTable(Table):
    """Supported algorithms, one row each, by message and in the order of the kinds auth, encrypt, compress.

    Columns, their types and units are those of `ALGORITHMS`. What a code in `id` means depends on `kind`: an
    AuthAlgorithm, an EncryptAlgorithm or a CompressAlgorithm.
    """

    schema = ALGORITHMS

    @classmethod
    def from_buffer(
        cls,
        buffer: Buffer,
        dialect: str | Dialect = "host",
        byteorder: ByteOrder = "native",
        on_error: OnError = "raise",
        strict: bool = False,
    ) -> Self:
        """Decode the algorithms of all messages of a buffer; arguments and errors as in `SATable.from_buffer`."""
        return cls._make(Source.of_buffer(buffer, dialect, byteorder), on_error, strict)

    @classmethod
    def from_batch(cls, batch: Batch) -> Self:
        """Decode the algorithms of the messages of a batch, in its dialect and byte order."""
        return cls._make(Source.of_batch(batch), "raise", False)

    @classmethod
    def _make(cls, source: Source, on_error: OnError, strict: bool) -> Self:
        replies = Registrations.of(source, on_error, strict)
        records = Records(source.buffer, source.dialect, source.byteorder)
        lists = [_algorithms(records, replies, kind) for kind in KINDS if kind in source.dialect.by_type]
        arrays = {item.name: np.concatenate([found[item.name] for found in lists]) for item in ALGORITHMS.columns}
        order = np.argsort(arrays["message"], kind="stable")
        columns = {name: array[order] for name, array in arrays.items()}
        table = cls(columns, tuple(columns), source.origin)
        table.faults, table.skipped = replies.faults, replies.skipped
        return table

    def _coded(self, name: str) -> tuple[Array, list[str]] | None:
        if name not in ("kind", "id"):
            return super()._coded(name)
        labels, places = np.unique(np.array(self._values(name), np.str_), return_inverse=True)
        return places.astype(np.int32), labels.tolist()

    def _values(self, name: str) -> list[Any]:
        if name not in ("kind", "id"):
            return super()._values(name)
        kinds = [ExtensionType(code) for code in self["kind"].tolist()]
        if name == "kind":
            return [KINDS[kind] for kind in kinds]
        terms = self.dialect.terms
        pairs = zip(kinds, self["id"].tolist(), strict=True)
        return [terms[KINDS[kind]].kind(code).label for kind, code in pairs]


def _algorithms(records: Records, replies: Registrations, kind: ExtensionType) -> dict[str, Array]:
    """The algorithms of one kind in all messages, in the order of messages."""
    tails = records.dialect.by_type[kind].tails
    layout = next(tail.layout for tail in tails if isinstance(tail, RecordTail))
    counts = replies[f"{kind.name.lower()}_length"].astype(np.int64) // layout.size
    begins = replies[f"{kind.name.lower()}_offset"].astype(np.int64)
    message = np.repeat(np.arange(len(replies)), counts)
    place = np.arange(len(message)) - np.repeat(np.cumsum(counts) - counts, counts)
    at = begins[message] + place * layout.size
    found = {name: records.field(at, layout[name]) for name in ("ivlen", "minbits", "maxbits")}
    return found | {
        "message": message.astype(np.uint32),
        "satype": replies["satype"][message],
        "kind": np.full(len(message), kind, np.uint16),
        "id": records.field(at, layout["id"], KINDS[kind]),
    }
