"""Parts that several messages take: lifetimes of more than one kind, ESP in UDP, and any address."""

from __future__ import annotations

from ...spec import dialect as find_dialect
from ...spec.model import Dialect
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import NATTType
from ..encapsulation import Encapsulation
from ..extensions import Address, Lifetime
from ..faults import MisfitError, named, told_of
from . import values
from .making import Maker
from .values import End, Host, Name, Protocol, Seconds


def limits(*, allocations: int = 0, bytes: int = 0, addtime: Seconds = 0, usetime: Seconds = 0) -> Lifetime:
    """A lifetime, 0 for no limit: flows or packets (RFC 2367, 2.3.2), bytes, seconds since it was added or first used.

    Of a current lifetime the times are those of Unix.
    """
    with told_of("limits"):
        with named("addtime"):
            added = values.seconds(addtime)
        with named("usetime"):
            used = values.seconds(usetime)
        uses, octets = values.number("allocations", allocations), values.number("bytes", bytes)
        return Lifetime(Ext.LIFETIME_HARD, uses, octets, added, used)


def natt(
    sport: int = 4500,
    dport: int = 4500,
    *,
    type: Name = NATTType.ESPINUDP,
    original: Host | None = None,
    original_dst: Host | None = None,
    fragment: int = 0,
) -> Encapsulation:
    """ESP in UDP, from one port to another (RFC 3948).

    `original` is the address that the NAT changed, that of the initiator on systems that have both ends'. `fragment`
    is the largest that passes the NAT. What a system has no place for is an error where the message is built; OpenBSD
    has none for the source's port, so give 0 there.
    """
    with told_of("natt"):
        with named("type"):
            kind = values.term(NATTType, type)
        places = ((Ext.NATT_OA, original), (Ext.NATT_OAR, original_dst))
        oa, oar = (None if host is None else _original(place, host) for place, host in places)
        ports = values.number("sport", sport), values.number("dport", dport)
        return Encapsulation(kind, *ports, oa, oar, values.number("fragment", fragment))


def _original(place: Ext, host: Host) -> Address:
    with named(place.label):
        sockaddr = values.end(host).sockaddr
        if sockaddr.ip is None:
            raise MisfitError("an IP address is needed")
        return Address(place, sockaddr, prefixlen=sockaddr.ip.max_prefixlen)


def address(place: Name, value: End, *, proto: Protocol = None, dialect: str | Dialect = "host") -> Address:
    """An address extension of any type, such as inner-dst, for `extra=`."""
    with told_of("address"):
        with named("place"):
            exttype = values.term(Ext, place)
        with named("proto"):
            number = values.protocol(proto, 0)
        return Maker(find_dialect(dialect)).address(exttype, value, number)
