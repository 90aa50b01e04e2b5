"""One dialect table (dialects/*.json): numbers by symbol, C structures to bytes and back.

The table is the only source of numbers, sizes, offsets and byte orders. A structure is packed from the fields that are
named and read back whole, so that a description shows what the bytes say, every name for an overlapping field included.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Order = Literal["little", "big"]
Value = int | str | list[int]

_SCALARS = {"u8": 1, "char": 1, "u16": 2, "u32": 4, "u64": 8}
_FIELD_TYPE = re.compile(r"(u8|char|u16|u32|u64)(?:\[(\d+)\])?")


@dataclass(frozen=True)
class Field:
    name: str
    offset: int
    width: int
    count: int | None
    order: str

    def byteorder(self, host: Order) -> Order:
        return "big" if self.order == "network" else host

    @property
    def is_raw(self) -> bool:
        """Arrays of bytes, and arrays of words that the table calls network order: bytes that are never swapped."""
        return self.count is not None and (self.width == 1 or self.order == "network")

    @property
    def size(self) -> int:
        return self.width * (self.count or 1)

    def write(self, target: bytearray, value: Any, host: Order) -> None:
        if self.is_raw:
            data = bytes(value).ljust(self.size, b"\0")
        else:
            words = [value] if self.count is None else value
            data = b"".join(word.to_bytes(self.width, self.byteorder(host)) for word in words)
        if len(data) != self.size:
            raise ValueError(f"{self.name}: {value!r} does not fill {self.size} bytes")
        target[self.offset : self.offset + self.size] = data

    def read(self, data: bytes, host: Order) -> Value:
        part = data[self.offset : self.offset + self.size]
        if self.is_raw:
            return part.hex()
        words = [
            int.from_bytes(part[at : at + self.width], self.byteorder(host)) for at in range(0, self.size, self.width)
        ]
        return words[0] if self.count is None else words


class Table:
    def __init__(self, path: Path) -> None:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        self.dialect: str = raw["dialect"]
        self.version: int = raw["pfkey_v2"]
        self.message_types: dict[str, int] = raw["message_types"]
        self.extension_types: dict[str, int] = raw["extension_types"]
        self.sa_types: dict[str, int] = raw["sa_types"]
        self.auth_algorithms: dict[str, int] = raw["auth_algorithms"]
        self.encrypt_algorithms: dict[str, int] = raw["encrypt_algorithms"]
        self.compress_algorithms: dict[str, int] = raw.get("compress_algorithms", {})
        self.has_sa_len: bool = raw["sockaddr"]["has_sa_len"]
        self.families = {"ipv4": raw["sockaddr"]["af_inet"], "ipv6": raw["sockaddr"]["af_inet6"]}
        self._extension_struct: dict[str, str] = raw["extension_struct"]
        self._structs = raw["structs"] | {name: raw["sockaddr"][name] for name in ("sockaddr_in", "sockaddr_in6")}
        self._fields: dict[str, list[Field]] = {}
        self._numbers: dict[str, int] = {}
        for section in raw.values():
            if isinstance(section, dict):
                self._numbers |= {name: value for name, value in section.items() if isinstance(value, int)}

    def number(self, symbol: str) -> int:
        return self._numbers[symbol]

    def first(self, *symbols: str) -> int:
        """The number of whichever of these names the dialect has: systems spell the same algorithm differently."""
        return next(self._numbers[symbol] for symbol in symbols if symbol in self._numbers)

    def has(self, symbol: str) -> bool:
        return symbol in self._numbers

    def struct_of(self, extension: str) -> str:
        """The structure that opens an extension; only numbers without a structure are a bare extension header."""
        words = self._extension_struct[extension].split()
        if words[0] == "alias":
            same = self.extension_types[extension]
            other = next(n for n, v in self.extension_types.items() if v == same and self._is_described(n))
            return self.struct_of(other)
        return words[0] if words[0] in self._structs else "sadb_ext"

    def _is_described(self, extension: str) -> bool:
        return self._extension_struct.get(extension, "alias").split()[0] in self._structs

    def size(self, struct: str) -> int:
        return int(self._structs[struct]["size"])

    def fields(self, struct: str) -> list[Field]:
        if struct not in self._fields:
            self._fields[struct] = [field for entry in self._structs[struct]["fields"] for field in self._expand(entry)]
        return self._fields[struct]

    def has_field(self, struct: str, name: str) -> bool:
        return any(field.name == name for field in self.fields(struct))

    def _expand(self, entry: dict[str, Any]) -> list[Field]:
        if entry["type"].startswith("struct "):
            inner = self.fields(entry["type"].removeprefix("struct "))
            return [Field(f.name, entry["offset"] + f.offset, f.width, f.count, f.order) for f in inner]
        match = _FIELD_TYPE.fullmatch(entry["type"])
        if match is None:
            raise ValueError(f"{self.dialect}: unknown field type {entry['type']}")
        count = int(match[2]) if match[2] else None
        return [Field(entry["name"], entry["offset"], _SCALARS[match[1]], count, entry["order"])]

    def pack(self, struct: str, host: Order, values: dict[str, Any]) -> bytes:
        data = bytearray(self.size(struct))
        known = {field.name: field for field in self.fields(struct)}
        for name, value in values.items():
            known[name].write(data, value, host)
        return bytes(data)

    def unpack(self, struct: str, host: Order, data: bytes) -> dict[str, Value]:
        return {field.name: field.read(data, host) for field in self.fields(struct)}
