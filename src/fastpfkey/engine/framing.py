"""Messages as an engine handles them: base headers and runs of extensions, as bytes of one dialect in native order.

Requests are decoded to typed values where their content counts. What the engine says is put together from stored
extensions, whose bytes need no decoding.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from ..errors import Fault
from ..hotpath import walk
from ..spec.model import EXTENSION_HEADER_SIZE, HEADER_SIZE, PF_KEY_V2, WORD, Dialect
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, SAType
from ..wire.batch import Batch
from ..wire.dialects import Header, codec
from ..wire.message import MessageView
from ..wire.value import ExtensionValue

KEYS = (Ext.KEY_AUTH, Ext.KEY_ENCRYPT, Ext.STR_AUTH)
SECRETS = (*KEYS, Ext.KMPRIVATE, Ext.LOCAL_AUTH, Ext.REMOTE_AUTH)
"""Extensions that nobody but the association's owner and trusted readers may see."""


REPEATED = frozenset(
    {
        Ext.LIFETIME_CURRENT,
        Ext.LIFETIME_HARD,
        Ext.LIFETIME_SOFT,
        Ext.ADDRESS_SRC,
        Ext.ADDRESS_DST,
        Ext.ADDRESS_PROXY,
        Ext.SA2,
    }
)
"""Extensions that are often written as they were before, and that hold no secret."""

RECENT = 512
"""How many of these are remembered."""


class Span(NamedTuple):
    """Where in a message one extension lies."""

    number: int
    start: int
    stop: int


class Framing:
    """Reads and writes whole messages of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.codec = codec(dialect, sys.byteorder)
        self._recent = lru_cache(RECENT)(self.codec.write)
        self.types: Mapping[int, MessageType] = {
            number: MessageType(term) for number, term in dialect.terms["message"].canonical.items()
        }
        self.secrets = frozenset(
            number for item in SECRETS if (number := self.codec.number(item)) is not None and item in dialect.by_type
        )

    def header(self, raw: bytes) -> Header:
        """The base header of a message of 16 bytes or more."""
        return self.codec.header(raw, 0)

    def type_number(self, type: MessageType) -> int:
        """Wire number of a message type."""
        return self.dialect.terms["message"].number(type)

    def satype_number(self, satype: SAType) -> int:
        """Wire number of an SA type."""
        return self.dialect.satype(satype)

    def number(self, exttype: Ext) -> int:
        """Wire number of an extension type; -1 if the dialect has none."""
        found = self.codec.number(exttype)
        return -1 if found is None else found

    def fault(self, raw: bytes) -> Fault:
        """What makes a message unreadable."""
        return Fault(walk(raw, 0, len(raw), self.codec.frame, False, array("Q", [0])).fault)

    def view(self, raw: bytes) -> MessageView:
        """The typed view of a message that has no fault."""
        return Batch(memoryview(raw), memoryview(array("Q", [0])), self.codec)[0]

    def spans(self, raw: bytes | memoryview) -> list[Span]:
        """The extensions of a message, up to the first whose length is impossible."""
        return list(self._walk(raw))

    def place(self, raw: bytes | memoryview, exttype: Ext) -> int:
        """Where in a message an extension begins; 0 if it has none."""
        number = self.number(exttype)
        return next((start for found, start, _ in self._walk(raw) if found == number), 0)

    def _walk(self, raw: bytes | memoryview) -> Iterator[Span]:
        position, end = HEADER_SIZE, len(raw)
        header = self.codec.extension_header
        while end - position >= EXTENSION_HEADER_SIZE:
            words, number = header(raw, position)
            size = words * WORD
            if not 0 < size <= end - position:
                return
            yield Span(number, position, position + size)
            position += size

    def parts(self, raw: bytes) -> dict[int, bytes]:
        """The extensions of a message as bytes, the first of each number."""
        found: dict[int, bytes] = {}
        for number, start, stop in self.spans(raw):
            found.setdefault(number, raw[start:stop])
        return found

    def message(
        self, type: MessageType, satype: int, body: bytes = b"", *, seq: int = 0, pid: int = 0, errno: int = 0
    ) -> bytes:
        """A message of extensions that are bytes already. `satype` is a wire number."""
        length = (HEADER_SIZE + len(body)) // WORD
        number = self.type_number(type)
        header = Header(PF_KEY_V2, number, errno, satype, length, reserved=0, seq=seq, pid=pid)
        return self.codec.write_header(header) + body

    def extension(self, value: ExtensionValue, satype: int) -> bytes:
        """The bytes of one extension."""
        write = self._recent if value.exttype in REPEATED else self.codec.write
        return write(value, satype)

    def body(self, values: Iterable[ExtensionValue], satype: int) -> bytes:
        """The bytes of some extensions. Raises MisfitError for one that the dialect cannot express."""
        return b"".join(self.extension(value, satype) for value in values)

    def relabelled(self, raw: bytes, header: Header, errno: int = 0) -> bytes:
        """The same extensions behind another header, whose length is set, and whose version is the engine's."""
        changed = header._replace(version=PF_KEY_V2, len=len(raw) // WORD, errno=errno, reserved=0)
        return self.codec.write_header(changed) + raw[HEADER_SIZE:]

    def without_secrets(self, raw: bytes) -> bytes:
        """The message without its keys and private data."""
        spans = self.spans(raw)
        if not any(span.number in self.secrets for span in spans):
            return raw
        kept = b"".join(raw[span.start : span.stop] for span in spans if span.number not in self.secrets)
        return self.relabelled(raw[:HEADER_SIZE] + kept, self.header(raw), self.header(raw).errno)

    def blanked(self, raw: bytes) -> bytes:
        """The message at its full length, with zeros in place of keys and of whatever cannot be read."""
        data = bytearray(raw)
        if self.types.get(raw[1]) == MessageType.PROMISC and len(raw) >= 2 * HEADER_SIZE:
            data[HEADER_SIZE:] = self.blanked(raw[HEADER_SIZE:])
            return bytes(data)
        end = HEADER_SIZE
        for number, start, stop in self.spans(raw):
            if number in self.secrets:
                data[start + WORD : stop] = bytes(stop - start - WORD)
            end = stop
        data[end:] = bytes(len(data) - end)
        return bytes(data)
