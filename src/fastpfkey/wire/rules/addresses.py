"""Rules about addresses (RFC 2367, 2.3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from ...spec.sockaddrs import SockaddrFamily
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType as Msg
from ..extensions import Address
from ..sockaddr import IPAddress
from .rule import TO_ENGINE, Finding, rule, rules_in
from .subject import ENDS, Subject

BROADCAST = IPv4Address("255.255.255.255")

WITH_PORTS = (Msg.ACQUIRE, Msg.PCHANGE)
"""Messages about a session rather than an association."""


@rule("R-2.3.3-02", about=(Address,))
def families_are_known(subject: Subject) -> Iterator[Finding]:
    """An address is IPv4 or IPv6, numbered as the system does."""
    for address in subject.of(Address):
        free = address.family == 0 and subject.satype in subject.grammar.unspecified_family
        if address.ip is None and not free:
            what = f"family {address.sockaddr.af}" if address.family else "no family"
            yield Finding(f"{address.exttype.name} is of {what}, neither IPv4 nor IPv6", address.exttype)


@rule("R-2.3.3-03", about=(Address,))
def sockaddrs_tell_their_length(subject: Subject) -> Iterator[Finding]:
    """Where a sockaddr begins with its length, this is the length."""
    if not subject.dialect.sockaddr.has_length:
        return
    for address, data in subject.bytes_of(Address):
        start, family = _layout(subject, address)
        if family is not None and data[start] != family.size:
            name = address.exttype.name
            yield Finding(f"sa_len of {name} is {data[start]}, its sockaddr has {family.size} bytes", address.exttype)


@rule("R-2.3.3-05", about=(Address,))
def what_is_no_address_is_zero(subject: Subject) -> Iterator[Finding]:
    """sin_zero, sin6_flowinfo and whatever else a sockaddr has."""
    for address in subject.of(Address):
        if address.flowinfo:
            yield Finding(f"sin6_flowinfo of {address.exttype.name} is not 0", address.exttype)
    for address, data in subject.bytes_of(Address):
        start, family = _layout(subject, address)
        if family is None:
            continue
        end = family.address + family.address_size if family.scope is None else family.scope + 4
        if any(data[start + end : start + family.size]):
            name = "sin_zero" if family.version == 4 else "the end of sockaddr_in6"
            yield Finding(f"{name} of {address.exttype.name} is not 0", address.exttype)


def _layout(subject: Subject, address: Address) -> tuple[int, SockaddrFamily | None]:
    """Where in the extension the sockaddr begins, and how it is laid out; None for a family that is not IP."""
    start = subject.dialect.by_type[address.exttype].minimum
    return start, subject.dialect.sockaddr.version(address.ip.version) if address.ip is not None else None


@rule("R-2.3.3-06", way=TO_ENGINE, implies=("R-2.3.3-08",), about=(Address,))
def associations_have_no_ports(subject: Subject) -> Iterator[Finding]:
    """Ports are for ACQUIRE and PCHANGE, and for systems that tell NAT-T by them."""
    natted = Ext.NATT_SPORT in subject.by_type or Ext.NATT_DPORT in subject.by_type
    allowed = {"never": False, "with NAT-T": natted, "always": True}[subject.grammar.ports]
    if allowed or not subject.of_rfc or subject.type in WITH_PORTS:
        return
    for address in subject.hosts:
        if address.port:
            name = address.exttype.name
            yield Finding(f"{name} has port {address.port}, and an association has none", address.exttype)


@rule("R-2.3.3-08", about=(Address,))
def ports_have_a_protocol(subject: Subject) -> Iterator[Finding]:
    """An address with a port says whose port it is."""
    for address in subject.hosts:
        known = subject.dialect.by_type.get(address.exttype)
        if known is not None and "proto" in known.layout.by_name and address.port and not address.proto:
            yield Finding(f"{address.exttype.name} has a port and no protocol", address.exttype)


@rule("R-2.3.3-09", about=(Address,))
def prefixes_fit_their_family(subject: Subject) -> Iterator[Finding]:
    """A prefix has no more bits than the address."""
    for address in subject.of(Address):
        if address.ip is not None and address.prefixlen > address.ip.max_prefixlen:
            what = f"a prefix of {address.prefixlen} bits in an IPv{address.ip.version} address"
            yield Finding(f"{address.exttype.name} has {what}", address.exttype)


@rule("R-2.3.3-10", about=(Address,))
def ends_are_of_one_family(subject: Subject) -> Iterator[Finding]:
    """Source and destination are both IPv4 or both IPv6; a proxy may differ."""
    src, dst = (subject.address(item) for item in ENDS)
    if src is None or dst is None or src.ip is None or dst.ip is None or src.ip.version == dst.ip.version:
        return
    yield Finding(f"the source is IPv{src.ip.version} and the destination IPv{dst.ip.version}", Ext.ADDRESS_DST)


@rule("R-2.3.3-14", about=(Address,))
def sources_are_unicast(subject: Subject) -> Iterator[Finding]:
    """A packet comes from one host, or from who knows where."""
    src = subject.address(Ext.ADDRESS_SRC)
    if src is not None and subject.of_rfc and not _unicast(src.ip):
        yield Finding(f"the source {src.ip} is no unicast address", Ext.ADDRESS_SRC)


@rule("R-2.3.3-16", "warning", about=(Address,))
def proxies_are_unicast(subject: Subject) -> Iterator[Finding]:
    """A proxy is one host as well."""
    proxy = subject.address(Ext.ADDRESS_PROXY)
    if proxy is not None and not _unicast(proxy.ip):
        yield Finding(f"the proxy {proxy.ip} is no unicast address", Ext.ADDRESS_PROXY)


def _unicast(ip: IPAddress | None) -> bool:
    return ip is None or not (ip.is_multicast or ip == BROADCAST)


RULES = rules_in(globals())
"""The rules of this module."""
