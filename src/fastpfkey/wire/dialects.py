"""Messages of one dialect in one byte order: the base header, and the codec of every extension number.

`codec` makes each of them once; a million messages share it.
"""

from __future__ import annotations

import struct
import sys
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

from ..spec import rfc2367
from ..spec.layouts import layout
from ..spec.model import EXTENSION_HEADER_SIZE, WORD, Dialect
from ..spec.plan import ByteOrder, Frame, frame
from ..spec.terms import ExtensionType, SAType
from .codec import COMPRESSING, ExtensionCodec
from .conversions import as_bytes, as_number, to_bytes
from .derived import recipe_of
from .extensions import Opaque
from .faults import MisfitError, named
from .structs import HostOrder, StructCodec
from .tails_nested import padded, remember
from .value import ExtensionValue

if TYPE_CHECKING:
    from typing_extensions import Buffer

EXT = layout("sadb_ext", "sadb_ext_", "len u16\ntype u16")  # RFC 2367, 2.2


class Header(NamedTuple):
    """The base header as it stands on the wire (RFC 2367, 2.1), numbers untranslated."""

    version: int
    type: int
    errno: int
    satype: int
    len: int
    """In 8-byte words."""
    reserved: int
    seq: int
    pid: int


class MessageCodec:
    """Everything that turns bytes of one dialect and byte order into values and back."""

    def __init__(self, dialect: Dialect, byteorder: HostOrder) -> None:
        self.dialect = dialect
        self.byteorder: HostOrder = byteorder
        self._header = struct.Struct(rfc2367.MSG.struct_format(byteorder))
        self.extension_header = struct.Struct(EXT.struct_format(byteorder)).unpack_from
        """Length in words and wire number of the extension at an offset of a buffer, which has to be there."""
        self._base = StructCodec(rfc2367.MSG, dialect, byteorder, skip=rfc2367.MSG.by_name)
        self._ext = StructCodec(EXT, dialect, byteorder, skip=EXT.by_name)
        self._extensions: dict[tuple[int, bool], ExtensionCodec] = {}
        ipcomp = dialect.terms["satype"].numbers.get(SAType.IPCOMP) if "compress" in dialect.terms else None
        self._ipcomp = -1 if ipcomp is None else ipcomp

    @property
    def frame(self) -> Frame:
        """What the hot path validates messages with."""
        return frame(self.dialect, self.byteorder)

    def header(self, buffer: Buffer, offset: int) -> Header:
        """The base header at an offset, which has to be there."""
        return Header(*self._header.unpack_from(buffer, offset))

    def header_namespace(self, header: bytes) -> SimpleNamespace:
        """The members of a base header by their C names."""
        return self._base.namespace(header)

    def write_header(self, header: Header) -> bytes:
        """The bytes of a base header. Raises MisfitError."""
        try:
            return self._header.pack(*header)
        except struct.error:
            for item, number in zip(rfc2367.MSG.fields, header, strict=True):
                with named(item.name):
                    to_bytes(number, item.size, "big")
            raise

    def number(self, exttype: ExtensionType) -> int | None:
        """The wire number of an extension type; None if the dialect has none."""
        known = self.dialect.by_type.get(exttype)
        if known is not None:
            return known.number
        return exttype.wire if exttype.is_unknown else None

    def exttype(self, number: int) -> ExtensionType:
        """The canonical type of a wire number."""
        known = self.dialect.by_number.get(number)
        return ExtensionType.unknown(number) if known is None else known.type

    def read(self, number: int, data: bytes, satype: int) -> ExtensionValue:
        """The value of an extension's bytes, in a message whose SA type has this wire number. Raises MisreadError."""
        codec = self._codec(number, satype)
        if codec is not None:
            return codec.read(data)
        value = Opaque(number, data[EXTENSION_HEADER_SIZE:], self.exttype(number))
        remember(value, self._ext, data, 0, len(data))
        return value

    def write(self, value: ExtensionValue, satype: int) -> bytes:
        """The bytes of an extension, in a message whose SA type has this wire number. Raises MisfitError."""
        number = self.number(value.exttype)
        if number is None:
            raise MisfitError(f"{self.dialect.name} has no such extension")
        codec = self._codec(number, satype)
        if codec is None:
            return self._write_opaque(value, number)
        return codec.write(value)

    def _write_opaque(self, value: ExtensionValue, number: int) -> bytes:
        if not isinstance(value, Opaque):
            raise MisfitError(f"{self.dialect.name} has only a number for it, so it has to be Opaque")
        with named("data"):
            data = bytearray(padded(bytes(EXTENSION_HEADER_SIZE) + as_bytes(value.data)))
            self._ext.put(data, "len", len(data) // WORD)
        with named("number"):
            self._ext.put(data, "type", as_number(value.number) if value.exttype.is_unknown else number)
        return bytes(data)

    def _codec(self, number: int, satype: int) -> ExtensionCodec | None:
        """The codec of a wire number; None where the bytes behind the extension's header have no known structure."""
        key = (number, satype == self._ipcomp)
        found = self._extensions.get(key)
        if found is None:
            extension = self.dialect.by_number.get(number)
            recipe = None if extension is None else recipe_of(extension)
            if extension is None or recipe is None:
                return None
            terms = COMPRESSING if key[1] else {}
            found = ExtensionCodec(extension, recipe, self.dialect, self.byteorder, terms)
            self._extensions[key] = found
        return found


def host_order(byteorder: ByteOrder) -> HostOrder:
    """The byte order with "native" resolved. Raises ValueError for a name that is none of the three."""
    if byteorder == "native":
        return sys.byteorder
    if byteorder not in ("little", "big"):
        raise ValueError(f"byteorder is little, big or native, not {byteorder!r}")
    return byteorder


@cache
def codec(dialect: Dialect, byteorder: HostOrder) -> MessageCodec:
    """The codec of a dialect and byte order, the same object each time."""
    return MessageCodec(dialect, byteorder)
