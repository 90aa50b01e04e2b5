"""What follows the fixed part of an extension: one class a kind, each giving bytes and the same facts as plain data."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Protocol

from maker.tables import Order, Table

Packed = tuple[bytes, dict[str, Any]]
Values = dict[str, Any]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


class Tail(Protocol):
    def pack(self, table: Table, host: Order) -> Packed: ...


@dataclass(frozen=True)
class Sockaddr:
    address: str
    port: int = 0
    flowinfo: int = 0
    scope_id: int = 0

    @property
    def family(self) -> str:
        return "ipv6" if ":" in self.address else "ipv4"

    @property
    def bits(self) -> int:
        return 128 if self.family == "ipv6" else 32

    def size(self, table: Table) -> int:
        return table.size("sockaddr_in6" if self.family == "ipv6" else "sockaddr_in")

    def to_bytes(self, table: Table, host: Order) -> bytes:
        raw = ipaddress.ip_address(self.address).packed
        number = table.families[self.family]
        if self.family == "ipv4":
            values: Values = {"sin_family": number, "sin_port": self.port, "sin_addr": raw}
            if table.has_sa_len:
                values["sin_len"] = self.size(table)
            return table.pack("sockaddr_in", host, values)
        values = {"sin6_family": number, "sin6_port": self.port, "sin6_flowinfo": self.flowinfo, "sin6_addr": raw}
        if table.has_sa_len:
            values["sin6_len"] = self.size(table)
        return table.pack("sockaddr_in6", host, values | {"sin6_scope_id": self.scope_id})

    def describe(self, table: Table) -> Values:
        said: Values = {"family": self.family, "wire_family": table.families[self.family]}
        if table.has_sa_len:
            said["sa_len"] = self.size(table)
        said |= {"port": self.port, "address": self.address}
        if self.family == "ipv6":
            said |= {"flowinfo": self.flowinfo, "scope_id": self.scope_id}
        return said

    def pack(self, table: Table, host: Order) -> Packed:
        return self.to_bytes(table, host), {"sockaddr": self.describe(table)}


@dataclass(frozen=True)
class AddressPair:
    local: Sockaddr
    remote: Sockaddr

    def pack(self, table: Table, host: Order) -> Packed:
        data = self.local.to_bytes(table, host) + self.remote.to_bytes(table, host)
        return data, {"local": self.local.describe(table), "remote": self.remote.describe(table)}


@dataclass(frozen=True)
class Key:
    key: bytes
    salt: bytes = b""
    iv: bytes = b""

    def pack(self, table: Table, host: Order) -> Packed:
        said: Values = {"key": self.key.hex()}
        if self.salt:
            said["salt"] = self.salt.hex()
        if self.iv:
            said["iv"] = self.iv.hex()
        return self.key + self.salt + self.iv, said


@dataclass(frozen=True)
class Text:
    """Text with its NUL; no text at all is not the same as an empty one."""

    text: str | None

    def pack(self, table: Table, host: Order) -> Packed:
        return b"" if self.text is None else self.text.encode("ascii") + b"\0", {"text": self.text}


@dataclass(frozen=True)
class Data:
    """Bytes that carry no structure: KMPRIVATE, a security context, a number whose structure is gone."""

    data: bytes
    name: str = "data"

    def pack(self, table: Table, host: Order) -> Packed:
        return self.data, {self.name: self.data.hex()}


@dataclass(frozen=True)
class Bitmaps:
    """The sensitivity bitmap, then the integrity bitmap, in 64-bit words of the host's order."""

    sens: tuple[int, ...] = ()
    integ: tuple[int, ...] = ()

    def pack(self, table: Table, host: Order) -> Packed:
        data = b"".join(word.to_bytes(8, host) for word in self.sens + self.integ)
        return data, {"bitmaps": {"sens": list(self.sens), "integ": list(self.integ)}}


@dataclass(frozen=True)
class Records:
    """A run of one structure to the end of the extension."""

    name: str
    struct: str
    rows: tuple[Values, ...]

    def pack(self, table: Table, host: Order) -> Packed:
        packed = [table.pack(self.struct, host, row) for row in self.rows]
        return b"".join(packed), {self.name: [table.unpack(self.struct, host, data) for data in packed]}


@dataclass(frozen=True)
class ExtendedCombinations:
    """illumos: each combination is followed by its own algorithm descriptions."""

    rows: tuple[tuple[Values, tuple[Values, ...]], ...]

    def pack(self, table: Table, host: Order) -> Packed:
        data, said = b"", []
        for values, algorithms in self.rows:
            head = table.pack("sadb_x_ecomb", host, values | {"sadb_x_ecomb_numalgs": len(algorithms)})
            tail, algdescs = Records("algdescs", "sadb_x_algdesc", algorithms).pack(table, host)
            data += head + tail
            said.append({"fields": table.unpack("sadb_x_ecomb", host, head)} | algdescs)
        return data, {"ecombs": said}


@dataclass(frozen=True)
class Request:
    """One sadb_x_ipsecrequest; its length is in bytes and covers the two addresses, which sit back to back."""

    values: Values
    src: Sockaddr | None = None
    dst: Sockaddr | None = None


@dataclass(frozen=True)
class Requests:
    rows: tuple[Request, ...] = field(default=())

    def pack(self, table: Table, host: Order) -> Packed:
        struct, data, said = "sadb_x_ipsecrequest", b"", []
        for row in self.rows:
            ends = [end for end in (row.src, row.dst) if end is not None]
            body = padded(b"".join(end.to_bytes(table, host) for end in ends))
            length = table.size(struct) + len(body)
            head = table.pack(struct, host, row.values | {"sadb_x_ipsecrequest_len": length})
            said.append(
                {
                    "length": length,
                    "fields": table.unpack(struct, host, head),
                    "src": row.src.describe(table) if row.src else None,
                    "dst": row.dst.describe(table) if row.dst else None,
                }
            )
            data += head + body
        return data, {"requests": said}


@dataclass(frozen=True)
class SATypes:
    """illumos EREG: the list starts inside the fixed part, in its last four bytes, and runs on from there."""

    numbers: tuple[int, ...]

    def pack(self, table: Table, host: Order) -> Packed:
        return bytes((*self.numbers, 0))[4:], {"satypes": list(self.numbers)}
