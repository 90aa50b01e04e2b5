"""The typed extensions of RFC 2367, section 2.3. Those of single systems are in modules beside this one.

Field names are those of the C structures without their prefix, so that header, RFC and attribute grep alike; numbers
that name something are canonical terms, whatever number the dialect has for them. `exttype` is what RFC 2367 calls
sadb_ext_type, because `type` is a field of some extensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, field
from typing import Any

from ..spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, ExtensionType, IdentityType, SAState
from .sockaddr import IPAddress, SocketAddress
from .value import HEX, HIDDEN, ExtensionValue, Secret, Value

Algorithm = AuthAlgorithm | EncryptAlgorithm | CompressAlgorithm


@dataclass(frozen=True, slots=True, repr=False)
class SA(ExtensionValue):
    """Security association (2.3.1)."""

    spi: int = field(metadata=HEX)
    replay: int = 0
    """Replay window in packets, whatever unit the system has."""
    state: SAState = SAState.LARVAL
    auth: AuthAlgorithm = AuthAlgorithm.NONE
    encrypt: EncryptAlgorithm | CompressAlgorithm = EncryptAlgorithm.NONE
    """Compression algorithm in a message whose SA type is IPCOMP."""
    flags: int = field(default=0, metadata=HEX)
    """The dialect's own bits."""
    natt_port: int | None = None
    """Peer's UDP encapsulation port; this and what follows are in the longer association of macOS only."""
    natt_interval: int | None = None
    """Seconds between keepalives."""
    natt_offload_interval: int | None = None
    natt_src_port: int | None = None
    """The system's own UDP encapsulation port."""
    exttype: ExtensionType = field(default=ExtensionType.SA, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Lifetime(ExtensionValue):
    """Lifetime current, hard or soft (2.3.2): what was used so far, or limits, 0 for none."""

    exttype: ExtensionType
    allocations: int = 0
    bytes: int = 0
    addtime: int = 0
    """Seconds since creation; of a current lifetime, Unix time of the creation."""
    usetime: int = 0
    """Seconds since first use; of a current lifetime, Unix time of the first use."""


@dataclass(frozen=True, slots=True, repr=False)
class Address(ExtensionValue):
    """Address (2.3.3): a socket address with the upper-layer protocol and the prefix length that it selects."""

    exttype: ExtensionType
    sockaddr: SocketAddress
    proto: int = 0
    prefixlen: int = 0

    @property
    def ip(self) -> IPAddress | None:
        """The IP address; None for another family."""
        return self.sockaddr.ip

    @property
    def port(self) -> int:
        """Port in native order."""
        return self.sockaddr.port

    @property
    def family(self) -> int:
        """Canonical family: 4, 6, 0 for AF_UNSPEC, 0x8000 + AF number for another."""
        return self.sockaddr.family

    @property
    def scope(self) -> int:
        """Number of the interface that an IPv6 address belongs to."""
        return self.sockaddr.scope

    @property
    def flowinfo(self) -> int:
        """IPv6 flow information."""
        return self.sockaddr.flowinfo

    def items(self) -> Iterator[tuple[str, object, Field[Any] | None]]:
        """The fields, with those of the socket address in place of it."""
        for name, value, item in super(Address, self).items():
            if name == "sockaddr":
                yield from self.sockaddr.items()
            else:
                yield name, value, item


@dataclass(frozen=True, slots=True, repr=False)
class Key(ExtensionValue):
    """Key (2.3.4). Its bytes show nowhere but in what `reveal` returns."""

    exttype: ExtensionType
    bits: int
    material: Secret
    extra_bits: int | None = None
    """illumos's encryption keys only: in requests IV bits, which `bits` covers; else salt bits behind the key."""
    extra: Secret | None = None
    """The salt, where it stands behind the key."""

    @classmethod
    def of(cls, exttype: ExtensionType, material: bytes) -> Key:
        """A key of whole bytes."""
        return cls(exttype, len(material) * 8, Secret(material))

    def reveal(self) -> bytes:
        """The bytes of the key: as many as hold its bits."""
        return self.material.reveal()


@dataclass(frozen=True, slots=True, repr=False)
class Identity(ExtensionValue):
    """Identity (2.3.5)."""

    exttype: ExtensionType
    type: IdentityType = IdentityType.RESERVED
    id: int = 0
    text: str | None = None
    """None if there is none, which is not the same as an empty one. Bytes that are no UTF-8 are lone surrogates."""
    sockaddr: SocketAddress | None = None
    """What stands in place of the text in a KAME identity of type ADDRESS."""


@dataclass(frozen=True, slots=True, repr=False)
class Sensitivity(ExtensionValue):
    """Sensitivity (2.3.6); on illumos that of the outer header is another one."""

    dpd: int = 0
    sens_level: int = 0
    integ_level: int = 0
    sens_bitmap: tuple[int, ...] = ()
    """64-bit words."""
    integ_bitmap: tuple[int, ...] = ()
    flags: int | None = None
    """illumos only: 1 implicit label, 2 unlabeled peer."""
    exttype: ExtensionType = field(default=ExtensionType.SENSITIVITY, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Combination(Value):
    """One combination of a proposal (2.3.7): algorithms with ranges of key lengths in bits, and limits."""

    auth: AuthAlgorithm = AuthAlgorithm.NONE
    encrypt: EncryptAlgorithm | CompressAlgorithm = EncryptAlgorithm.NONE
    flags: int = field(default=0, metadata=HEX)
    auth_minbits: int = 0
    auth_maxbits: int = 0
    encrypt_minbits: int = 0
    encrypt_maxbits: int = 0
    encrypt_saltbits: int | None = None
    """illumos only."""
    soft_allocations: int = 0
    hard_allocations: int = 0
    soft_bytes: int = 0
    hard_bytes: int = 0
    soft_addtime: int = 0
    hard_addtime: int = 0
    soft_usetime: int = 0
    hard_usetime: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Proposal(ExtensionValue):
    """Proposal (2.3.7): combinations, the preferred one first."""

    replay: int = 0
    """Replay window in packets."""
    num: int | None = None
    """OpenBSD only."""
    combinations: tuple[Combination, ...] = ()
    exttype: ExtensionType = field(default=ExtensionType.PROPOSAL, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class AlgorithmInfo(Value):
    """One supported algorithm (2.3.8)."""

    id: Algorithm
    ivlen: int = 0
    """Length of the initialisation vector in bytes."""
    minbits: int = 0
    maxbits: int = 0
    increment: int | None = None
    """illumos only: bits from one legal key length to the next."""
    saltbits: int | None = None
    """illumos only."""


@dataclass(frozen=True, slots=True, repr=False)
class Supported(ExtensionValue):
    """Supported algorithms of one kind (2.3.8)."""

    exttype: ExtensionType
    algorithms: tuple[AlgorithmInfo, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class SPIRange(ExtensionValue):
    """SPI range (2.3.9), both ends included."""

    min: int = field(metadata=HEX)
    max: int = field(metadata=HEX)
    exttype: ExtensionType = field(default=ExtensionType.SPIRANGE, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Opaque(ExtensionValue):
    """An extension of unknown structure: its number, and what follows its header, which may be secret."""

    number: int
    """Wire number of the type."""
    data: bytes = field(default=b"", metadata=HIDDEN)
    exttype: ExtensionType = ExtensionType.RESERVED
    """Given only for a type whose number the dialect knows, but no more."""

    def __post_init__(self) -> None:
        if self.exttype is ExtensionType.RESERVED:
            object.__setattr__(self, "exttype", ExtensionType.unknown(self.number))
