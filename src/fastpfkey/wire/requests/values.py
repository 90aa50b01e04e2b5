"""Natural values as the typed fields that messages are made of: addresses, names, keys, seconds.

Whatever people write where a field is meant is understood here and nowhere else. A value that means nothing raises
MisfitError without a field's name, which whoever holds the field adds; numbers that are too large for the wire are
found by the encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ...errors import presentable
from ...spec.protocols import PROTOCOLS, TRANSFORMS
from ...spec.terms import UNKNOWN, ExtensionType, IdentityType, SAType, Term
from ..conversions import as_bytes, as_number
from ..extensions import Identity, Key, Lifetime
from ..faults import MisfitError, named
from ..sockaddr import IPAddress, SocketAddress
from ..value import Secret

T = TypeVar("T", bound=Term)
V = TypeVar("V")

Network: TypeAlias = IPv4Network | IPv6Network
Host: TypeAlias = str | IPAddress | IPv4Interface | IPv6Interface | SocketAddress
"""An address: an object of ipaddress, or text such as 192.0.2.1, 2001:db8::1, fe80::1%3 (a number of an interface)."""
End: TypeAlias = Host | Network | tuple[Host | Network, int]
"""An address with a prefix length and a port where a message takes them: 10.0.0.0/8[443], or a pair with the port."""
Name: TypeAlias = str | int
"""A term, its label in lower or upper case (aes-cbc), or its canonical number."""
KeyLike: TypeAlias = bytes | bytearray | memoryview | str | Secret | Key
"""A key: bytes, or hexadecimal digits with or without 0x."""
Seconds: TypeAlias = int | timedelta
Limit: TypeAlias = Seconds | Lifetime
"""A lifetime: since the association was added, or what `limits` makes."""
Who: TypeAlias = str | tuple[Name, str] | IPAddress | Network | Identity
"""An identity: a prefix, user@domain or a domain name; or its type with the text; or an Identity."""
Protocol: TypeAlias = str | int | None
"""An IP protocol by number or name; None or any for all."""

_END = re.compile(r"(?P<ip>[0-9A-Fa-f:.]+)(%(?P<scope>\d+))?(/(?P<prefix>\d+))?(\[(?P<port>\d+|any)\])?", re.ASCII)
_DOMAIN = re.compile(r"[^\s/:%\[\]\0]+")
"""What may be the name of a host: nothing that would rather be an address with a slip in it."""


class Selected(NamedTuple):
    """Addresses that an end selects."""

    sockaddr: SocketAddress
    prefixlen: int | None
    """None for one host."""


def end(value: object) -> Selected:
    """Which address, port and prefix a value means."""
    match value:
        case SocketAddress():
            return Selected(value, None)
        case IPv4Interface() | IPv6Interface():  # before addresses, which they are too
            return _selected(value.ip, value.network.prefixlen)
        case IPv4Network() | IPv6Network():
            return _selected(value.network_address, value.prefixlen)
        case IPv4Address() | IPv6Address():
            return _selected(value)
        case (host, port):
            found = end(host)
            return Selected(replace(found.sockaddr, port=as_number(port)), found.prefixlen)
        case str():
            return _read(value)
    raise MisfitError(f"an address is needed, not {type(value).__name__}")


def _read(text: str) -> Selected:
    match = _END.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        ip = ip_address(match["ip"])
        prefixlen = None if match["prefix"] is None else int(match["prefix"])
        if prefixlen is not None and prefixlen > ip.max_prefixlen:
            raise ValueError
    except ValueError:
        raise MisfitError(f"'{presentable(text)}' is no ADDRESS, ADDRESS/BITS or ADDRESS[PORT]") from None
    port = match["port"] or "any"
    found = _selected(ip, prefixlen, int(match["scope"] or 0))
    return Selected(replace(found.sockaddr, port=0 if port == "any" else int(port)), found.prefixlen)


def _selected(ip: IPAddress, prefixlen: int | None = None, scope: int = 0) -> Selected:
    zone = ip.scope_id if isinstance(ip, IPv6Address) else None
    if zone is not None:
        if not _is_number(zone):
            raise MisfitError(f"{ip} names an interface; its number is needed")
        ip, scope = IPv6Address(ip.packed), int(zone)
    return Selected(SocketAddress(ip, scope=scope), None if prefixlen == ip.max_prefixlen else prefixlen)


def term(kind: type[T], value: object) -> T:
    """The term of this kind that a value means. A term of another kind is none of this one."""
    if isinstance(value, str):
        name = value.strip().upper().replace("-", "_")
        if name in kind.__members__:
            return kind[name]
        prefix, _, number = name.rpartition("_")
        if prefix == "UNKNOWN" and _is_number(number) and int(number) < UNKNOWN:
            return kind.unknown(int(number))
        known = ", ".join(item.label for item in kind)
        raise MisfitError(f"there is no {kind.__name__} '{presentable(value)}'; known are {known}")
    if isinstance(value, Term) and not isinstance(value, kind):
        raise MisfitError(f"{type(value).__name__}.{value.name} is no {kind.__name__}")
    try:
        return kind(as_number(value))
    except ValueError:
        raise MisfitError(f"there is no {kind.__name__} of this number") from None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def one(kind: type[V], value: object, what: str) -> V:
    """A value that is of this kind already; `what` is how people call it."""
    if not isinstance(value, kind):
        raise MisfitError(f"{what} is needed, not {type(value).__name__}")
    return value


def several(kind: type[V], value: object, what: str) -> tuple[V, ...]:
    """Values of this kind. The first that is none is told before the next is asked for: there may be no end."""
    return tuple(one(kind, item, what) for item in listed(value))


def listed(value: Any) -> Iterator[object]:
    """The items of whatever has some."""
    try:
        return iter(value)
    except TypeError:
        raise MisfitError(f"a list is needed, not {type(value).__name__}") from None


def pair(value: Any, what: str) -> tuple[object, object]:
    """Two values; `what` says which."""
    try:
        first, second = value
    except (TypeError, ValueError):
        raise MisfitError(f"{what} is needed") from None
    return first, second


def number(name: str, value: object) -> int:
    """A number for the field of this name."""
    with named(name):
        return as_number(value)


def numbers(name: str, value: object) -> tuple[int, int]:
    """Two of them."""
    with named(name):
        first, second = pair(value, "a pair of numbers")
        return as_number(first), as_number(second)


def key(exttype: ExtensionType, value: object) -> Key:
    """The key extension that a value means. What it is shows in no error."""
    if isinstance(value, Key):
        return Key(exttype, value.bits, value.material, value.extra_bits, value.extra)
    if isinstance(value, Secret):
        return Key.of(exttype, value.reveal())
    if not isinstance(value, str):
        return Key.of(exttype, as_bytes(value))
    try:
        return Key.of(exttype, bytes.fromhex(value.strip().removeprefix("0x")))
    except ValueError:
        raise MisfitError("the text is no even number of hexadecimal digits") from None


def seconds(value: object) -> int:
    """Whole seconds."""
    if not isinstance(value, timedelta):
        return as_number(value)
    whole, rest = divmod(value, timedelta(seconds=1))
    if rest:
        raise MisfitError("whole seconds are needed")
    return whole


def lifetime(exttype: ExtensionType, value: object) -> Lifetime:
    """The lifetime extension that a value means."""
    if isinstance(value, Lifetime):
        return Lifetime(exttype, value.allocations, value.bytes, value.addtime, value.usetime)
    return Lifetime(exttype, addtime=seconds(value))


def identity(exttype: ExtensionType, value: object) -> Identity:
    """The identity extension that a value means."""
    match value:
        case Identity():
            return Identity(exttype, value.type, value.id, value.text, value.sockaddr)
        case (kind, str() as text):
            return Identity(exttype, term(IdentityType, kind), text=text)
        case IPv4Interface() | IPv6Interface():  # before addresses, which they are too
            return _prefix(exttype, value)
        case IPv4Address() | IPv6Address() | IPv4Network() | IPv6Network():
            return _prefix(exttype, ip_network(value))
        case str():
            return _told(exttype, value)
    raise MisfitError(f"an identity is needed, not {type(value).__name__}")


def _told(exttype: ExtensionType, text: str) -> Identity:
    """The identity whose type the text shows."""
    if "@" in text:
        return Identity(exttype, IdentityType.USERFQDN, text=text)
    try:
        found = ip_interface(text)
    except ValueError:
        if _DOMAIN.fullmatch(text):
            return Identity(exttype, IdentityType.FQDN, text=text)
        raise MisfitError(
            f"'{presentable(text)}' is no prefix, user@domain or domain name; with its type it may be any"
        ) from None
    return _prefix(exttype, found)


def _prefix(exttype: ExtensionType, value: Network | IPv4Interface | IPv6Interface) -> Identity:
    text = str(value)
    if "%" in text:
        raise MisfitError(f"{text} names an interface, which means nothing to a peer")
    return Identity(exttype, IdentityType.PREFIX, text=text)


def protocol(value: Protocol, any_protocol: int) -> int:
    """The number of an IP protocol; `any_protocol` is how the system says that any will do."""
    if value is None or value == "any":
        return any_protocol
    return as_number(_named(value, PROTOCOLS))


def transformation(value: object) -> int:
    """The number of the IP protocol that an SA type, or the name of one, stands for."""
    if isinstance(value, SAType):
        if value not in TRANSFORMS:
            raise MisfitError(f"{value.name} transforms no packets")
        return TRANSFORMS[value]
    return as_number(_named(value, {item.label: number for item, number in TRANSFORMS.items()}))


def _named(value: object, numbers: Mapping[str, int]) -> object:
    if not isinstance(value, str):
        return value
    try:
        return numbers[value.lower()]
    except KeyError:
        raise MisfitError(
            f"no IP protocol '{presentable(value)}'; known are {', '.join(numbers)}, and numbers"
        ) from None
