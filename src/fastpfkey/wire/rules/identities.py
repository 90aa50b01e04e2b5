"""Rules about identities and sensitivity labels (RFC 2367, 2.3.5, 2.3.6 and 3.7)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from ...spec.terms import ExtensionType as Ext
from ...spec.terms import IdentityType
from ..extensions import Identity, Sensitivity
from ..tails_nested import padded
from .rule import Finding, rule, rules_in
from .subject import Subject

OWNERS = {Ext.IDENTITY_SRC: Ext.ADDRESS_SRC, Ext.IDENTITY_DST: Ext.ADDRESS_DST}
"""Whose identity it is."""


@rule("R-2.3.5-03", about=(Identity,))
def text_ends_with_a_nul(subject: Subject) -> Iterator[Finding]:
    """The text of an identity is a C string, padded to the next word and no further."""
    for identity, data in subject.bytes_of(Identity):
        start = subject.dialect.by_type[identity.exttype].minimum
        if identity.text is None or identity.sockaddr is not None:
            continue
        text, nul, _ = data[start:].partition(b"\0")
        if not nul:
            yield Finding(f"the text of {identity.exttype.name} has no NUL", identity.exttype)
        elif len(data) > len(padded(data[:start] + text + nul)):
            yield Finding(f"{identity.exttype.name} has more padding than its text needs", identity.exttype)


@rule("R-2.3.6-01", about=(Sensitivity,))
def labels_are_as_long_as_they_say(subject: Subject) -> Iterator[Finding]:
    """Behind the bitmaps of a sensitivity there is nothing."""
    for label, data in subject.bytes_of(Sensitivity):
        words = len(label.sens_bitmap) + len(label.integ_bitmap)
        size = subject.dialect.by_type[label.exttype].minimum + 8 * words
        if len(data) != size:
            yield Finding(f"{label.exttype.name} has {len(data)} bytes, its bitmaps make {size}", label.exttype)


@rule("R-3.7-01", about=(Identity,))
def identities_have_a_type(subject: Subject) -> Iterator[Finding]:
    """Identity type 0 is reserved."""
    for identity in subject.of(Identity):
        if identity.type == IdentityType.RESERVED:
            yield Finding(f"{identity.exttype.name} has the reserved type 0", identity.exttype)


@rule("R-3.7-02", about=(Identity,))
def prefixes_read_address_and_length(subject: Subject) -> Iterator[Finding]:
    """A PREFIX is an address, a slash and a decimal number of bits."""
    for identity in _of_type(subject, IdentityType.PREFIX):
        if prefix_of(identity) is None:
            yield Finding(f"the PREFIX in {identity.exttype.name} does not read address/length", identity.exttype)


@rule("R-3.7-03", about=(Identity,))
def prefixes_have_no_host_bits(subject: Subject) -> Iterator[Finding]:
    """Bits behind the length of a PREFIX are zero."""
    for identity in _of_type(subject, IdentityType.PREFIX):
        prefix = prefix_of(identity)
        if prefix is not None and prefix.ip != prefix.network.network_address:
            sentence = f"{prefix} in {identity.exttype.name} has bits behind its length; {prefix.network} has none"
            yield Finding(sentence, identity.exttype)


@rule("R-3.7-05", about=(Identity,))
def ends_lie_in_their_prefix(subject: Subject) -> Iterator[Finding]:
    """The address of the end with a PREFIX is one of its addresses."""
    for identity in _of_type(subject, IdentityType.PREFIX):
        prefix, owner = prefix_of(identity), subject.address(OWNERS[identity.exttype])
        if prefix is None or owner is None or owner.ip is None or owner.ip in prefix.network:
            continue
        yield Finding(f"{owner.exttype.name} {owner.ip} is outside {prefix.network}", identity.exttype)


@rule("R-3.7-06", about=(Identity,))
def names_have_no_number(subject: Subject) -> Iterator[Finding]:
    """PREFIX and FQDN identities have the id 0; only a user can be told by number."""
    for identity in _of_type(subject, IdentityType.PREFIX, IdentityType.FQDN, empty=True):
        if identity.id:
            yield Finding(
                f"a {IdentityType(identity.type).name} has id 0, {identity.exttype.name} has another", identity.exttype
            )


@rule("R-3.7-07", about=(Identity,))
def users_have_a_domain(subject: Subject) -> Iterator[Finding]:
    """A USERFQDN is a user, an at sign and a domain."""
    for identity in _of_type(subject, IdentityType.USERFQDN):
        user, at, domain = (identity.text or "").partition("@")
        if not (user and at and domain) or "@" in domain:
            yield Finding(f"the USERFQDN in {identity.exttype.name} does not read user@domain", identity.exttype)


def _of_type(subject: Subject, *types: IdentityType, empty: bool = False) -> Iterator[Identity]:
    """Identities of these types, those without text only if wanted: any identity may do without (R-2.3.5-04)."""
    for identity in subject.of(Identity, *OWNERS):
        if identity.type in types and (empty or identity.text is not None):
            yield identity


def prefix_of(identity: Identity) -> IPv4Interface | IPv6Interface | None:
    """The address and network of a PREFIX identity, however its address is spelt (R-3.7-04); None if it has none."""
    address, slash, length = (identity.text or "").partition("/")
    if not (slash and length.isascii() and length.isdigit()) or "%" in address:
        return None
    try:
        return ip_interface(f"{address}/{int(length)}")
    except ValueError:
        return None


RULES = rules_in(globals())
"""The rules of this module."""
