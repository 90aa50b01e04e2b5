"""The typed extensions of OpenBSD: flows, pairs of associations, packet filter tags and what else its kernel tells.

Source: OpenBSD's <net/pfkeyv2.h>.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spec.terms import Direction, ExtensionType, FlowType, SAType
from .value import TEXT, ExtensionValue


@dataclass(frozen=True, slots=True, repr=False)
class Protocol(ExtensionValue):
    """Upper-layer protocol that a flow selects."""

    proto: int
    direction: int = 0
    flags: int = 0
    exttype: ExtensionType = field(default=ExtensionType.PROTOCOL, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Flow(ExtensionValue):
    """What a flow does with the traffic it selects."""

    type: FlowType
    direction: Direction
    flags: int = 0
    """1: a static policy."""
    exttype: ExtensionType = field(default=ExtensionType.FLOW_TYPE, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class SecondSAType(ExtensionValue):
    """SA type of the second association of a pair."""

    satype: SAType
    direction: int = 0
    flags: int = 0
    exttype: ExtensionType = field(default=ExtensionType.SATYPE2, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class PolicySequence(ExtensionValue):
    """Which ACQUIRE an ASKPOLICY asks about."""

    seq: int
    exttype: ExtensionType = field(default=ExtensionType.POLICY_SEQ, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Tag(ExtensionValue):
    """Packet filter tag."""

    tag: bytes = field(default=b"", metadata=TEXT)
    """The text with its terminating NUL."""
    exttype: ExtensionType = field(default=ExtensionType.TAG, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Tap(ExtensionValue):
    """Unit of the enc(4) interface that shows the packets."""

    unit: int
    exttype: ExtensionType = field(default=ExtensionType.TAP, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Counters(ExtensionValue):
    """Packets and bytes in and out, drops, and bytes before compression."""

    ipackets: int = 0
    opackets: int = 0
    ibytes: int = 0
    obytes: int = 0
    idrops: int = 0
    odrops: int = 0
    idecompbytes: int = 0
    ouncompbytes: int = 0
    exttype: ExtensionType = field(default=ExtensionType.COUNTER, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class RoutingDomains(ExtensionValue):
    """Routing domains of the association and of its encapsulated packets."""

    dom1: int
    dom2: int = 0
    exttype: ExtensionType = field(default=ExtensionType.RDOMAIN, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class MTU(ExtensionValue):
    """Path MTU that the kernel found."""

    mtu: int
    exttype: ExtensionType = field(default=ExtensionType.MTU, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Interface(ExtensionValue):
    """Unit of the sec(4) interface that an association belongs to, and the direction it serves."""

    unit: int
    direction: Direction
    exttype: ExtensionType = field(default=ExtensionType.INTERFACE, kw_only=True)
