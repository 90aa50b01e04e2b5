"""What tells associations apart: their addresses in one form, and the values of a record that name it."""

from __future__ import annotations

from ipaddress import IPv4Address

from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import SA, Address
from ..wire.sockaddr import IPAddress
from .records import Values

_MAPPED = bytes(10) + b"\xff\xff"


def packed(ip: IPAddress) -> bytes:
    """An address as 16 bytes, IPv4 as v4-mapped IPv6."""
    return _MAPPED + ip.packed if isinstance(ip, IPv4Address) else ip.packed


def place_key(acquire: int) -> bytes:
    """The identity, which no association has, of what stands for a request of this number."""
    return b"acquire" + acquire.to_bytes(4, "big")


def ends_of(values: Values) -> tuple[SA, IPAddress, IPAddress]:
    """Association, source and destination of a record, which has them."""
    sa, src, dst = values[Ext.SA], values[Ext.ADDRESS_SRC], values[Ext.ADDRESS_DST]
    if not (isinstance(sa, SA) and isinstance(src, Address) and isinstance(dst, Address)):
        raise TypeError("this is no record of an association")
    if src.ip is None or dst.ip is None:
        raise TypeError("a stored association has IP addresses")
    return sa, src.ip, dst.ip
