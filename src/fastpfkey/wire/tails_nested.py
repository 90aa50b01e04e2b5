"""Tails that are lists of structures: records, policy requests, and items with sub-records."""

from __future__ import annotations

from typing import Any

from ..errors import Fault
from ..spec.layouts import Layout
from ..spec.model import Records
from .conversions import as_number, to_bytes
from .faults import MisfitError, MisreadError, named
from .sockaddr import SockaddrCodec
from .structs import Numbers, Origin, StructCodec
from .tails import Fields, TailCodec, Written, read_sockaddrs, write_sockaddrs
from .value import Value

ENDS = ("src", "dst")
"""Fields of a policy request that are its sockaddrs."""


class RecordsCodec(TailCodec):
    """Records of one structure to the end of the extension, or as many as a member tells."""

    def __init__(
        self, names: tuple[str, ...], tail: Records, fixed: Layout, record: type[Value], codec: StructCodec
    ) -> None:
        super().__init__(names)
        self.counts = (tail.count,) if tail.count else ()
        self.position = fixed[tail.count].offset if tail.count else 0
        self.exact = tail.exact
        self.record = record
        self.codec = codec

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The records as a tuple."""
        if self.counts:
            end = start + fixed.number(numbers, self.counts[0]) * self.codec.size
            if end > len(data):
                raise MisreadError(Fault.DATA_OVERRUN, self.position)
        else:
            remainder = (len(data) - start) % self.codec.size
            end = len(data) - remainder
            if remainder and self.exact:
                raise MisreadError(Fault.RECORD_PARTIAL, end)
        return {self.name: read_records(self.record, self.codec, data, start, end)}

    def write(self, value: Any) -> Written:
        """The records back to back, and their number where a member tells it."""
        parts = write_records(self.name, value, self.record, self.codec)
        return b"".join(parts), dict.fromkeys(self.counts, len(parts))


class BytesCodec(TailCodec):
    """A list of single bytes with a meaning, which begins in an array of the fixed part and ends with a zero."""

    def __init__(self, names: tuple[str, ...], fixed: Layout, codec: StructCodec) -> None:
        super().__init__(names)
        self.counts = names
        self.array = fixed[self.name]
        self.codec = codec
        (self.member,) = codec.members

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The bytes up to the first zero, as a tuple of what they mean."""
        raw = data[self.array.offset :].partition(b"\0")[0]
        return {self.name: tuple(self.codec.fields((number,))[self.member.name] for number in raw)}

    def write(self, value: Any) -> Written:
        """What the array has no room for, and the array."""
        raw = bytearray()
        for i, part in enumerate(tuple_of(self.name, value)):
            with named(f"{self.name}[{i}]"):
                number = as_number(self.member.write(part))
                if number == 0:
                    raise MisfitError("a zero would end the list")
                raw += to_bytes(number, 1, "big")
        raw += b"\0"
        size = self.array.size
        return bytes(raw[size:]), {self.name: bytes(raw[:size].ljust(size, b"\0"))}


class RequestsCodec(TailCodec):
    """Nested policy requests, each with its own length in bytes and, where it has any, two sockaddrs."""

    def __init__(
        self, names: tuple[str, ...], record: type[Value], codec: StructCodec, sockaddrs: SockaddrCodec
    ) -> None:
        super().__init__(names)
        self.record = record
        self.codec = codec
        self.sockaddrs = sockaddrs

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """Requests while there is room for a fixed part; kernels tolerate less than that at the end."""
        found = []
        while len(data) - start >= self.codec.size:
            raw = self.codec.unpack(data, start)
            length = self.codec.number(raw, "len")
            if length < self.codec.size:
                raise MisreadError(Fault.REQUEST_SHORT, start)
            if length > len(data) - start:
                raise MisreadError(Fault.REQUEST_OVERRUN, start)
            ends: Fields = {}
            if length > self.codec.size:
                ends = read_sockaddrs(self.sockaddrs, ENDS, data, start + self.codec.size, start + length)
            value = self.record(**self.codec.fields(raw), **ends)
            found.append(remember(value, self.codec, data, start, length))
            start += length
        return {self.name: tuple(found)}

    def write(self, value: Any) -> Written:
        """The requests back to back, each padded to a word."""
        rows = rows_of(self.name, value, self.record)
        return b"".join(self._write(f"{self.name}[{i}]", row) for i, row in enumerate(rows)), {}

    def _write(self, name: str, row: Any) -> bytes:
        with named(name):
            absent = row.src is None and row.dst is None
            ends = b"" if absent else write_sockaddrs(self.sockaddrs, ENDS, row)
            ends = padded(ends, self.codec.size)
            return bytes(self.codec.pack(row, {"len": self.codec.size + len(ends)})) + ends


class CountedCodec(TailCodec):
    """Items with sub-records, as many as a member tells (illumos's extended proposal)."""

    def __init__(
        self,
        names: tuple[str, ...],
        count: str,
        record: type[Value],
        codec: StructCodec,
        sub_count: str,
        sub_name: str,
        sub_record: type[Value],
        sub_codec: StructCodec,
    ) -> None:
        super().__init__(names)
        self.counts = (count,)
        self.record, self.codec = record, codec
        self.sub_count, self.sub_name = sub_count, sub_name
        self.sub_record, self.sub_codec = sub_record, sub_codec

    def read(self, data: bytes, start: int, fixed: StructCodec, numbers: Numbers) -> Fields:
        """The items as a tuple, each with the tuple of its sub-records."""
        found = []
        for _ in range(fixed.number(numbers, self.counts[0])):
            if self.codec.size > len(data) - start:
                raise MisreadError(Fault.ITEM_OVERRUN, start)
            raw = self.codec.unpack(data, start)
            first = start + self.codec.size
            end = first + self.codec.number(raw, self.sub_count) * self.sub_codec.size
            if end > len(data):
                raise MisreadError(Fault.ITEM_OVERRUN, start)
            subs = read_records(self.sub_record, self.sub_codec, data, first, end)
            value = self.record(**self.codec.fields(raw), **{self.sub_name: subs})
            found.append(remember(value, self.codec, data, start, end - start))
            start = end
        return {self.name: tuple(found)}

    def write(self, value: Any) -> Written:
        """The items back to back, and their number."""
        rows = rows_of(self.name, value, self.record)
        parts = [self._write(f"{self.name}[{i}]", row) for i, row in enumerate(rows)]
        return b"".join(parts), {self.counts[0]: len(parts)}

    def _write(self, name: str, row: Any) -> bytes:
        with named(name):
            subs = write_records(self.sub_name, row, self.sub_record, self.sub_codec)
            return bytes(self.codec.pack(row, {self.sub_count: len(subs)})) + b"".join(subs)


def padded(data: bytes, before: int = 0) -> bytes:
    """Data with zeros up to the next multiple of 8 bytes, counted from `before` bytes ahead of it."""
    return data + bytes(-(before + len(data)) % 8)


def remember(value: Value, codec: StructCodec, data: bytes, start: int, size: int) -> Value:
    """Let a decoded value know the bytes of its fixed part, and how many there were in all."""
    object.__setattr__(value, "_origin", Origin(codec, data[start : start + codec.size], size))
    return value


def read_records(kind: type[Value], codec: StructCodec, data: bytes, start: int, end: int) -> tuple[Value, ...]:
    """Whole records from `start` to `end`."""
    return tuple(
        remember(kind(**codec.fields(codec.unpack(data, at))), codec, data, at, codec.size)
        for at in range(start, end, codec.size)
    )


def write_records(name: str, value: Any, kind: type[Value], codec: StructCodec) -> list[bytes]:
    """The records of the field of this name."""
    found = []
    for i, row in enumerate(rows_of(name, value, kind)):
        with named(f"{name}[{i}]"):
            found.append(bytes(codec.pack(row, {})))
    return found


def rows_of(name: str, value: Any, kind: type[Value]) -> tuple[Value, ...]:
    """The rows of a field, which have to be of this kind."""
    rows = tuple_of(name, value)
    if not all(isinstance(row, kind) for row in rows):
        raise MisfitError(f"a tuple of {kind.__name__} is needed", name)
    return rows


def tuple_of(name: str, value: Any) -> tuple[Any, ...]:
    """A field that has to be a tuple."""
    rows = getattr(value, name)
    if not isinstance(rows, tuple):
        raise MisfitError(f"a tuple is needed, not {type(rows).__name__}", name)
    return rows
