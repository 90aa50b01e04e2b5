"""Security associations as columns: SADB_DUMP, and any other message that is about an association."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from ..spec import tables
from ..spec.model import Dialect
from ..spec.plan import ByteOrder
from ..wire.pool import BufferPool
from ..wire.recovery import OnError
from .keys import KINDS, KeyStore, Span
from .messages import How, MessageTable
from .room import Array, Selector
from .source import Source
from .table import Origin

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from ..wire.batch import Batch


class SATable(MessageTable):
    """Security associations, one row a message.

    Columns, their types and units are those of `spec.tables.ASSOCIATIONS`: `table["spi"]` is a contiguous array in
    native byte order, addresses are (rows, 16) bytes, enumerations are canonical codes (`pf.SAType.ESP` whatever the
    system), and the fields of an extension that a message lacks are 0. `table["present"]` has one bit for each
    extension that is there, and is decoded whether asked for or not. Tables are made by `from_buffer` and
    `from_batch`.
    """

    schema = tables.ASSOCIATIONS
    _internal = frozenset({"key_auth_offset", "key_encrypt_offset"})
    _preview = (
        "satype",
        "spi",
        "src",
        "dst",
        "state",
        "mode",
        "encrypt",
        "auth",
        "reqid",
        "current_bytes",
        "hard_addtime",
    )

    def __init__(
        self, arrays: Mapping[str, Array], columns: tuple[str, ...], origin: Origin, keys: KeyStore | None = None
    ) -> None:
        super().__init__(arrays, columns, origin)
        self._keys = keys

    @classmethod
    def from_buffer(
        cls,
        buffer: Buffer,
        dialect: str | Dialect = "host",
        columns: Sequence[str] | None = None,
        byteorder: ByteOrder = "native",
        keys: bool = False,
        out: Self | BufferPool | None = None,
        threads: int = 1,
        on_error: OnError = "raise",
        strict: bool = False,
    ) -> Self:
        """Decode all messages of a buffer, which stays referenced by the table and is not copied.

        `columns` names what to decode, None everything; the fewer, the faster. `keys=True` copies the keys to memory
        of their own, see `key_bytes`. `strict=True` makes an extension that the dialect does not know a fault.

        `out` is an earlier table with the same columns: its memory is used again, it grows only if it is too small
        for the rows, and `out` itself is returned with its new content. Arrays and slices taken from it before then
        show the new rows. Or it is a BufferPool, and the columns lie in a slab of it, the keys in another, so that
        decoding again and again takes no memory: each slab is lent until the table and all that was taken from it, be
        it a column or a slice, are gone. What a slab has no room for gets memory of its own, as every lease does. A
        table of a pool that is given as `out` itself keeps its slab.

        `threads` decodes that many parts at once; rows and faults do not depend on it.

        `on_error="raise"` raises WireError at the first fault; "stop" returns the good messages before it, and `fault`
        tells it; "skip" also goes on behind the faulty message, as long as its length tells where that is, and
        counts in `skipped` what it left out.

        Raises ValueError for an unknown dialect, byte order or on_error, KeyError for an unknown column, BufferError
        for a buffer that is not contiguous, and LeaseError for a pool whose slabs are all lent.
        """
        source = Source.of_buffer(buffer, dialect, byteorder)
        return cls._make(source, How(columns, threads, on_error, strict), keys, out)

    @classmethod
    def from_batch(
        cls,
        batch: Batch,
        columns: Sequence[str] | None = None,
        keys: bool = False,
        out: Self | BufferPool | None = None,
        threads: int = 1,
    ) -> Self:
        """Decode the messages of a batch, in its dialect and byte order. Everything else is as in `from_buffer`."""
        return cls._make(Source.of_batch(batch), How(columns, threads), keys, out)

    @classmethod
    def _make(cls, source: Source, how: How, keys: bool, out: Self | BufferPool | None) -> Self:
        internal = [f"key_{kind}_{what}" for kind in KINDS for what in ("offset", "bits")] if keys else []
        decoded = cls._decode(source, how, ["present", *internal], out)
        arrays = decoded.arrays
        store = None
        if keys:
            places = {kind: Span(arrays[f"key_{kind}_offset"], arrays[f"key_{kind}_bits"]) for kind in KINDS}
            store = KeyStore.copy([(source.buffer, places)], decoded.room.pool)
        return cls(arrays, decoded.names, source.origin, store)._finish(decoded, how, out)

    @property
    def keys(self) -> KeyStore | None:
        """The keys, which show nowhere; None if the table was decoded without. For `build_add` from a mapping."""
        return self._keys

    def key_bytes(self, kind: str) -> list[bytes]:
        """The "auth" or "encrypt" keys, a row each, b"" where an association has none: copies, which nobody wipes.

        Raises ValueError if the table was decoded without `keys=True`, or its keys were wiped.
        """
        return self._key_store().key_bytes(kind)

    def wipe(self) -> None:
        """Overwrite the table's keys with zeros now.

        All tables that were selected from it, or that it was selected from, lose them too. The buffer that was
        decoded is the caller's, and not touched. Without keys there is nothing to do.
        """
        if self._keys is not None:
            self._keys.wipe()

    def _key_store(self) -> KeyStore:
        if self._keys is None:
            raise ValueError("this table has no keys: it was decoded without keys=True")
        return self._keys

    def _carried(self, rows: Selector) -> dict[str, Any]:
        return {"keys": None if self._keys is None else self._keys.take(rows)}

    @classmethod
    def _joined(cls, parts: Sequence[Self]) -> dict[str, Any]:
        stores = [part._keys for part in parts if part._keys is not None]
        if 0 < len(stores) < len(parts):
            raise ValueError("cannot put tables with and without keys together")
        return {"keys": KeyStore.concat(stores) if stores else None}
