"""What follows the fixed part of an extension: one codec for each kind of tail that a dialect can be made of.

A codec fills the fields of the value that `names` lists, and takes care of the members of the fixed part in `counts`,
most of which tell how much of it there is. All start where the smallest fixed part ends. Reading never goes beyond the
bytes of the extension.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeAlias

from ..errors import Fault
from ..spec.layouts import Layout
from ..spec.model import KeyBits, Sized
from .conversions import as_bytes, from_text, to_text
from .faults import MisfitError, MisreadError, named
from .sockaddr import SockaddrCodec
from .structs import HostOrder, Numbers, StructCodec
from .value import Secret

Fields: TypeAlias = dict[str, Any]
Written: TypeAlias = tuple[bytes, Mapping[str, int | bytes]]
"""The bytes of a tail, and the members of the fixed part that belong to it."""


class TailCodec(ABC):
    """Base of the codecs: one kind of tail of one extension in one dialect."""

    counts: tuple[str, ...] = ()

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.name = names[0]

    @abstractmethod
    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The fields that the tail at `start` of the extension's bytes makes. Raises MisreadError."""

    @abstractmethod
    def write(self, value: Any) -> Written:
        """The tail of a value. Raises MisfitError."""


class SockaddrsCodec(TailCodec):
    """Sockaddrs back to back, a field for each."""

    def __init__(self, names: tuple[str, ...], sockaddrs: SockaddrCodec) -> None:
        super().__init__(names)
        self.sockaddrs = sockaddrs

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """All of them; behind one of unknown family there is nothing."""
        return read_sockaddrs(self.sockaddrs, self.names, data, start, len(data))

    def write(self, value: Any) -> Written:
        """All of them."""
        return write_sockaddrs(self.sockaddrs, self.names, value), {}


def read_sockaddrs(codec: SockaddrCodec, names: tuple[str, ...], data: bytes, start: int, end: int) -> Fields:
    """Sockaddrs by field name; None for those behind one of unknown family, whose end nobody knows."""
    found: Fields = dict.fromkeys(names)
    for name in names:
        found[name], start = codec.read(data, start, end)
        if found[name].ip is None:
            break
    return found


def write_sockaddrs(codec: SockaddrCodec, names: tuple[str, ...], value: Any) -> bytes:
    """Sockaddrs back to back, up to one of unknown family if there is one."""
    parts = []
    for name in names:
        part = getattr(value, name)
        with named(name):
            parts.append(codec.write(part))
        if part.ip is None:
            break
    return b"".join(parts)


class KeyCodec(TailCodec):
    """Key material, as many bytes as hold the bits that a field of the value tells, and perhaps more behind it."""

    def __init__(self, names: tuple[str, ...], tail: KeyBits, fixed: Layout) -> None:
        super().__init__(names if tail.extra else names[:1])
        self.bits = tail.bits
        self.extra = tail.extra
        self.position = fixed[tail.bits].offset

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The key as a Secret; what is behind it only if the extension has room for that."""
        end = start + _octets(fixed.number(numbers, self.bits))
        if end > len(data):
            raise MisreadError(Fault.KEY_OVERRUN, self.position)
        found: Fields = {self.name: Secret(data[start:end])}
        if self.extra:
            size = _octets(fixed.number(numbers, self.extra))
            found[self.names[1]] = Secret(data[end : end + size]) if 0 < size <= len(data) - end else None
        return found

    def write(self, value: Any) -> Written:
        """The bytes of the key, which have to be as many as its bits need, and of what is behind it."""
        material = self._material(value, self.name, self.bits)
        if self.extra and getattr(value, self.names[1]) is not None:
            material += self._material(value, self.names[1], self.extra)
        return material, {}

    def _material(self, value: Any, name: str, count: str) -> bytes:
        material, bits = getattr(value, name), getattr(value, count)
        if not isinstance(material, Secret):
            raise MisfitError(f"a Secret is needed, not {type(material).__name__}", name)
        if not isinstance(bits, int) or _octets(bits) != len(material):
            raise MisfitError(f"the number of bits does not go with {len(material)} bytes", count)
        return material.reveal()


def _octets(bits: int) -> int:
    return (bits + 7) // 8


class SizedCodec(TailCodec):
    """Data with its length in a member: bytes, or words as a tuple of numbers where the unit is above 1."""

    def __init__(self, names: tuple[str, ...], tail: Sized, fixed: Layout, byteorder: HostOrder) -> None:
        super().__init__(names)
        self.counts = tail.fields
        self.unit = tail.unit
        self.positions = tuple(fixed[name].offset for name in tail.fields)
        self.byteorder = byteorder

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """A field for each length, in order."""
        found: Fields = {}
        for name, count, position in zip(self.names, self.counts, self.positions, strict=True):
            size = fixed.number(numbers, count) * self.unit
            if size > len(data) - start:
                raise MisreadError(Fault.DATA_OVERRUN, position)
            found[name] = self._value(data[start : start + size])
            start += size
        return found

    def write(self, value: Any) -> Written:
        """The data, and the lengths in units."""
        parts = []
        for name in self.names:
            with named(name):
                parts.append(self._bytes(getattr(value, name)))
        lengths = {count: len(part) // self.unit for count, part in zip(self.counts, parts, strict=True)}
        return b"".join(parts), lengths

    def _value(self, raw: bytes) -> object:
        if self.unit == 1:
            return raw
        words = range(0, len(raw), self.unit)
        return tuple(int.from_bytes(raw[at : at + self.unit], self.byteorder) for at in words)

    def _bytes(self, value: Any) -> bytes:
        if self.unit == 1:
            return as_bytes(value)
        try:
            return b"".join(word.to_bytes(self.unit, self.byteorder) for word in value)
        except (AttributeError, TypeError, OverflowError):
            raise MisfitError(f"numbers of {self.unit * 8} bits are needed") from None


class TextCodec(TailCodec):
    """Text with a terminating NUL; None where there is not even that."""

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The text up to its NUL, or to the end of the extension if it has none."""
        return {self.name: to_text(data[start:]) if len(data) > start else None}

    def write(self, value: Any) -> Written:
        """The text and a NUL."""
        text = getattr(value, self.name)
        with named(self.name):
            return b"" if text is None else from_text(text) + b"\0", {}


class RestCodec(TailCodec):
    """All bytes to the end of the extension, for extensions without a described tail."""

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The bytes, padding included, because nobody knows where it begins."""
        return {self.name: data[start:]}

    def write(self, value: Any) -> Written:
        """The bytes."""
        with named(self.name):
            return as_bytes(getattr(value, self.name)), {}
