"""The typed extensions that IPsec stacks added to RFC 2367: policies, modes, UDP encapsulation and more.

Source: <net/pfkeyv2.h> and <netinet6/ipsec.h> of KAME, <linux/pfkeyv2.h> and <linux/ipsec.h>.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spec import terms
from ..spec.terms import Direction, ExtensionType, Level, Mode, PolicyType
from .sockaddr import IPAddress, SocketAddress, ip_of
from .value import ADDRESS, HIDDEN, TEXT, ExtensionValue, Value


@dataclass(frozen=True, slots=True, repr=False)
class KMPrivate(ExtensionValue):
    """Private data of a key manager, which may be secret."""

    data: bytes = field(default=b"", metadata=HIDDEN)
    exttype: ExtensionType = field(default=ExtensionType.KMPRIVATE, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class SA2(ExtensionValue):
    """What an association needs beyond the RFC's: mode and request id."""

    mode: Mode = Mode.ANY
    reqid: int = 0
    sequence: int = 0
    """Replay counter on KAME systems, 0 on Linux."""
    alwaysexpire: int | None = None
    """macOS only."""
    flags: int | None = None
    """macOS only."""
    exttype: ExtensionType = field(default=ExtensionType.SA2, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class PolicyRequest(Value):
    """One transformation that a policy asks for, in the order of application."""

    proto: int
    """IP protocol: 50 ESP, 51 AH, 108 IPComp."""
    mode: Mode = Mode.ANY
    level: Level = Level.DEFAULT
    reqid: int = 0
    src: SocketAddress | None = None
    """Ends of the tunnel, both or none."""
    dst: SocketAddress | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Policy(ExtensionValue):
    """Policy, with its requests where its type is IPSEC."""

    type: PolicyType = PolicyType.DISCARD
    dir: Direction = Direction.ANY
    id: int = 0
    priority: int = 0
    """Smaller first; the interface, where the scope of a FreeBSD policy is one."""
    scope: int | None = None
    """FreeBSD only."""
    flags: int | None = None
    """NetBSD only."""
    requests: tuple[PolicyRequest, ...] = ()
    exttype: ExtensionType = field(default=ExtensionType.POLICY, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class NATTEncapsulation(ExtensionValue):
    """How ESP is put into UDP (RFC 3948)."""

    type: terms.NATTType = terms.NATTType.NONE
    exttype: ExtensionType = field(default=ExtensionType.NATT_TYPE, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class NATTPort(ExtensionValue):
    """Source or destination port of the UDP encapsulation; OpenBSD has the peer's alone."""

    exttype: ExtensionType
    port: int


@dataclass(frozen=True, slots=True, repr=False)
class NATTFragment(ExtensionValue):
    """Largest fragment that passes the NAT."""

    fraglen: int
    exttype: ExtensionType = field(default=ExtensionType.NATT_FRAG, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class ReplayWindow(ExtensionValue):
    """Replay window of FreeBSD in packets, stronger than what the association says."""

    replay: int
    exttype: ExtensionType = field(default=ExtensionType.SA_REPLAY, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class ReplayCounter(ExtensionValue):
    """Replay counter of OpenBSD and illumos."""

    count: int = 0
    """32 bits on illumos, 64 on OpenBSD."""
    count64: int | None = None
    """illumos only."""
    exttype: ExtensionType = field(default=ExtensionType.REPLAY_COUNTER, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class HardwareOffload(ExtensionValue):
    """Interface that does the work of an association on FreeBSD."""

    interface: str = ""
    flags: int = 0
    exttype: ExtensionType = field(default=ExtensionType.IF_HW_OFFLOAD, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class SecurityContext(ExtensionValue):
    """Security context of a Linux security module."""

    algorithm: int = 0
    doi: int = 0
    context: bytes = field(default=b"", metadata=TEXT)
    """The label as the kernel has it, usually with a terminating NUL."""
    exttype: ExtensionType = field(default=ExtensionType.SEC_CTX, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class KMAddress(ExtensionValue):
    """Where the key manager itself moves to in a MIGRATE."""

    local: SocketAddress
    remote: SocketAddress | None
    """None only behind a local address of unknown family."""
    exttype: ExtensionType = field(default=ExtensionType.KMADDRESS, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Filter(ExtensionValue):
    """Which associations a DUMP wants: those whose addresses lie in both prefixes."""

    family: int = 0
    """Canonical family: 4, 6, 0 for none."""
    saddr: bytes = field(default=bytes(16), metadata=ADDRESS)
    """Source address in network order; an IPv4 address takes the first four bytes."""
    splen: int = 0
    daddr: bytes = field(default=bytes(16), metadata=ADDRESS)
    dplen: int = 0
    exttype: ExtensionType = field(default=ExtensionType.FILTER, kw_only=True)

    @property
    def src(self) -> IPAddress | None:
        """Source address; None if the family is not IP."""
        return ip_of(self.family, self.saddr)

    @property
    def dst(self) -> IPAddress | None:
        """Destination address; None if the family is not IP."""
        return ip_of(self.family, self.daddr)
