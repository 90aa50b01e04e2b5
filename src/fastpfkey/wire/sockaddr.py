"""Socket addresses: the one structure whose size and layout depend on a number inside it, and on the system.

Source: each system's <netinet/in.h>, as `SockaddrRules` of the dialect tell it. A known family takes its fixed size
whatever sa_len says; of an unknown one nothing can be said but that its bytes reach to the end of what holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from ..errors import Fault
from ..spec.model import Dialect
from ..spec.terms import UNKNOWN
from .conversions import as_bytes, as_number, to_bytes
from .faults import MisfitError, MisreadError
from .structs import HostOrder
from .value import HIDDEN, Value

IPAddress: TypeAlias = IPv4Address | IPv6Address

HEAD = 2
"""Bytes of a sockaddr up to and including its family, in the BSD and in the System V shape."""


@dataclass(frozen=True, slots=True, repr=False)
class SocketAddress(Value):
    """An IP address with port and, for IPv6, scope and flow information; or the bytes of another family."""

    ip: IPAddress | None = None
    """None for a family that is not IP."""
    port: int = 0
    scope: int = 0
    """sin6_scope_id: number of an interface."""
    flowinfo: int = 0
    """sin6_flowinfo as a number in native order."""
    af: int = 0
    """The system's AF_ number where `ip` is None: 0 for AF_UNSPEC."""
    data: bytes = field(default=b"", metadata=HIDDEN)
    """What follows the family where `ip` is None."""

    @property
    def family(self) -> int:
        """Canonical family: 4, 6, 0 for AF_UNSPEC, 0x8000 + AF number for another."""
        if self.ip is not None:
            return self.ip.version
        return UNKNOWN + min(self.af, UNKNOWN - 1) if self.af else 0


def ip_of(family: int, raw: bytes) -> IPAddress | None:
    """The address of this canonical family that some bytes begin with; None for a family that is not IP."""
    if family == 4:
        return IPv4Address(raw[:4])
    return IPv6Address(raw[:16]) if family == 6 else None


class SockaddrCodec:
    """Reads and writes the sockaddrs of one dialect in one byte order."""

    def __init__(self, dialect: Dialect, byteorder: HostOrder) -> None:
        self.rules = dialect.sockaddr
        self.dialect = dialect
        self.byteorder = byteorder

    def read(self, data: bytes, start: int, end: int) -> tuple[SocketAddress, int]:
        """The sockaddr at `start` of what ends at `end`, and where it ends. Raises MisreadError if it does not fit."""
        if end - start < HEAD:
            raise MisreadError(Fault.SOCKADDR_OVERRUN, start)
        number = data[start + 1] if self.rules.has_length else self._number(data, start, HEAD)
        family = self.rules.family(number)
        if family is None:
            length = data[start] if self.rules.has_length else 0
            stop = start + length if HEAD <= length <= end - start else end
            return SocketAddress(af=number, data=data[start + HEAD : stop]), end
        if family.size > end - start:
            raise MisreadError(Fault.SOCKADDR_OVERRUN, start)
        raw = data[start + family.address : start + family.address + family.address_size]
        ip = IPv4Address(raw) if family.version == 4 else IPv6Address(raw)
        port = int.from_bytes(data[start + family.port : start + family.port + 2], "big")
        scope = 0 if family.scope is None else self._number(data, start + family.scope, 4)
        flow = 0 if family.flowinfo is None else start + family.flowinfo
        flowinfo = int.from_bytes(data[flow : flow + 4], "big") if flow else 0
        return SocketAddress(ip, port, scope, flowinfo), start + family.size

    def write(self, value: object) -> bytes:
        """The bytes of a sockaddr. Raises MisfitError for a field that does not fit."""
        if not isinstance(value, SocketAddress):
            raise MisfitError(f"a SocketAddress is needed, not {type(value).__name__}")
        if value.ip is None:
            return self._unknown(value)
        if not isinstance(value.ip, IPAddress):
            raise MisfitError(f"an IP address is needed, not {type(value.ip).__name__}", "ip")
        family = self.rules.version(value.ip.version)
        data = bytearray(family.size)
        self._head(data, family.number)
        data[family.address : family.address + family.address_size] = _packed(value.ip)
        _put(data, family.port, 2, "port", value.port, "big")
        _put(data, family.scope, 4, "scope", value.scope, self.byteorder)
        _put(data, family.flowinfo, 4, "flowinfo", value.flowinfo, "big")
        return bytes(data)

    def _unknown(self, value: SocketAddress) -> bytes:
        number = as_number(value.af)
        if self.rules.family(number) is not None:
            raise MisfitError(f"there is no IP address, but {self.dialect.name} has IP under this AF number", "af")
        data = bytearray(HEAD) + as_bytes(value.data)
        if any((value.port, value.scope, value.flowinfo)):
            raise MisfitError("only an IP address has port, scope and flowinfo", "port")
        if number or any(data):
            self._head(data, number)
        return bytes(data)

    def _head(self, data: bytearray, number: int) -> None:
        """Length and family, or family alone. An address of no family at all has no length either, so it stays zero."""
        if self.rules.has_length:
            _put(data, 0, 1, "data", len(data), "big")
            _put(data, 1, 1, "af", number, "big")
        else:
            _put(data, 0, HEAD, "af", number, self.byteorder)

    def _number(self, data: bytes, start: int, width: int) -> int:
        return int.from_bytes(data[start : start + width], self.byteorder)


def _packed(ip: IPAddress) -> bytes:
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        raise MisfitError("a zone in the address has no place; an interface number goes into scope", "ip")
    return ip.packed


def _put(data: bytearray, offset: int | None, width: int, name: str, value: object, byteorder: HostOrder) -> None:
    try:
        number = as_number(value)
        if offset is not None:
            data[offset : offset + width] = to_bytes(number, width, byteorder)
        elif number:
            raise MisfitError("an IPv4 address has none")
    except MisfitError as misfit:
        raise misfit.inside(name) from None
