"""Keys of associations, apart from all columns: copied once, shared by tables, wiped when the last of them dies.

A column lives as long as any view of it and is printed, exported and copied without a thought. So key bytes are in
memory of their own; a table knows only where in it each of its keys lies, and nothing here ever shows them unasked.
"""

from __future__ import annotations

import hmac
import secrets
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from ..hotpath import Lease, gather
from ..wire.memory import wipe
from ..wire.pool import BufferPool
from .room import Array, Selector

if TYPE_CHECKING:
    from typing_extensions import Buffer

KINDS = ("auth", "encrypt")
"""The keys of an association."""


SHORTEST_SALT = 16
"""Bytes below which a salt could be guessed, and with it a weak key."""

WORD = 8
"""Bytes that are mixed at once."""

LONGEST = np.iinfo(np.uint16).max // 8 + 1
"""Bytes of the longest key."""

FINGERPRINT = 16
"""Bytes of a fingerprint."""


def fingerprints(keys: Sequence[bytes], salt: bytes) -> list[str | None]:
    """A hash of each key that only who has the salt can make: hexadecimal, None where there is no key.

    Equal keys have equal fingerprints, in whatever table and of whatever kind: HMAC-SHA-256 cut to 16 bytes. Raises
    ValueError for a salt of fewer than 16 bytes.
    """
    if len(salt) < SHORTEST_SALT:
        raise ValueError(f"a salt has {SHORTEST_SALT} bytes or more, not {len(salt)}")
    return [hmac.digest(salt, key, "sha256")[:FINGERPRINT].hex() if key else None for key in keys]


_MULTIPLIERS = np.frombuffer(secrets.token_bytes(-(-LONGEST // WORD) * WORD), np.uint64) | np.uint64(1)


def _mixed(words: Array, size: int) -> Array:
    """A number for each row, equal where rows are.

    Others have the same by chance, one pair in 2**64 or so whoever chose them, because the multipliers are drawn anew
    in every process. A number tells of what it was made from, and must not be shown.
    """
    found = np.full(len(words), size, np.uint64)
    for word, multiplier in zip(words.T, _MULTIPLIERS, strict=False):
        found ^= word
        found *= multiplier
        found ^= found >> np.uint64(32)
    return found


class Secret:
    """Memory that is overwritten with zeros when its last user is gone, and at the end of the program."""

    def __init__(self, size: int, pool: BufferPool | None = None) -> None:
        self.memory: bytearray | Lease
        if pool is None or not size:
            self.memory = bytearray(size)
        else:
            self.memory = pool.acquire(size)
            self.memory.holds_keys = True
        self.wiped = False
        weakref.finalize(self, wipe, self.memory)

    def wipe(self) -> None:
        """Overwrite it now, for every user."""
        wipe(self.memory)
        self.wiped = True


class Span(NamedTuple):
    """Where the keys of one kind lie, one row an association."""

    starts: Array
    """Offset of the first byte in the secret (uint64)."""
    bits: Array
    """Length in bits, 0 where there is none (uint16)."""

    @property
    def sizes(self) -> Array:
        """Length in bytes."""
        return (self.bits.astype(np.int64) + 7) // 8


class KeyStore:
    """The keys of a table's rows."""

    def __init__(self, secret: Secret, spans: Mapping[str, Span]) -> None:
        self._secret = secret
        self._spans = spans

    @classmethod
    def copy(cls, pieces: Sequence[tuple[Buffer, Mapping[str, Span]]], pool: BufferPool | None = None) -> KeyStore:
        """A store with memory of its own, from the places of keys in some buffers, whose rows follow each other.

        The memory is lent by the pool if there is one. Raises LeaseError if that has none.
        """
        lengths = {kind: [int(spans[kind].sizes.sum()) for _, spans in pieces] for kind in KINDS}
        secret = Secret(sum(map(sum, lengths.values())), pool)
        memory = memoryview(secret.memory)
        position = 0
        spans: dict[str, Span] = {}
        for kind in KINDS:
            bits = np.concatenate([piece[kind].bits for _, piece in pieces])
            sizes = Span(bits, bits).sizes
            spans[kind] = Span((position + np.cumsum(sizes) - sizes).astype(np.uint64), bits)
            for (buffer, piece), length in zip(pieces, lengths[kind], strict=True):
                gather(buffer, piece[kind].starts.data, piece[kind].bits.data, memory[position : position + length])
                position += length
        return cls(secret, spans)

    @classmethod
    def concat(cls, stores: Sequence[KeyStore]) -> KeyStore:
        """A store of its own with the keys of all; what the parts share with other tables is left behind."""
        for store in stores:
            store._check()
        return cls.copy([(store._secret.memory, store._spans) for store in stores])

    def take(self, rows: Selector) -> KeyStore:
        """The keys of these rows, in the same memory."""
        spans = {kind: Span(span.starts[rows].copy(), span.bits[rows].copy()) for kind, span in self._spans.items()}
        return KeyStore(self._secret, spans)

    def key_bytes(self, kind: str) -> list[bytes]:
        """Copies of the keys of one kind, b"" where an association has none."""
        if kind not in KINDS:
            raise ValueError(f"keys are {' or '.join(KINDS)}, not {kind!r}")
        self._check()
        span = self._spans[kind]
        memory = memoryview(self._secret.memory)
        pairs = zip(span.starts.tolist(), span.sizes.tolist(), strict=True)
        return [bytes(memory[start : start + size]) for start, size in pairs]

    def marks(self, kind: str) -> npt.NDArray[np.uint64]:
        """A number for each key of one kind, 0 where there is none: the same for the same bytes, in this process."""
        self._check()
        span = self._spans[kind]
        memory = np.frombuffer(memoryview(self._secret.memory), np.uint8)
        sizes = span.sizes
        found = np.zeros(len(sizes), np.uint64)
        for size in np.unique(sizes[sizes > 0]).tolist():
            rows = np.flatnonzero(sizes == size)
            padded = np.zeros((len(rows), -(-size // WORD) * WORD), np.uint8)
            padded[:, :size] = memory[span.starts[rows].astype(np.intp)[:, None] + np.arange(size)]
            found[rows] = _mixed(padded.view(np.uint64), size)
            padded[:] = 0
        return found

    def places(self, kind: str) -> tuple[memoryview, Span]:
        """The memory itself, and where in it the keys of one kind lie: for whoever writes them into messages."""
        self._check()
        return memoryview(self._secret.memory), self._spans[kind]

    def wipe(self) -> None:
        """Overwrite the memory with zeros, for every table that shares it."""
        self._secret.wipe()

    def _check(self) -> None:
        if self._secret.wiped:
            raise ValueError("the keys of this table were wiped")

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are not pickled")
