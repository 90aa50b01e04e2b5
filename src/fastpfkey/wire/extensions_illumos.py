"""The typed extensions of illumos: pairs, extended proposals and registrations, key management cookies.

Source: illumos's <net/pfkeyv2.h>.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spec.terms import ExtensionType, SAType
from .extensions import Algorithm
from .value import HEX, ExtensionValue, Value


@dataclass(frozen=True, slots=True, repr=False)
class ExtendedRegister(ExtensionValue):
    """SA types that a key manager registers for all at once."""

    satypes: tuple[SAType, ...] = ()
    exttype: ExtensionType = field(default=ExtensionType.EXTENDED_REGISTER, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class AlgorithmDescription(Value):
    """One algorithm of an extended combination, with its range of key lengths in bits."""

    satype: SAType = SAType.UNSPEC
    algtype: int = 0
    """What `alg` is: 1 authentication, 2 encryption, 3 compression."""
    alg: Algorithm | int = 0
    saltbits: int = 0
    minbits: int = 0
    maxbits: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class ExtendedCombination(Value):
    """One combination of an extended proposal: algorithms for several SA types, and limits."""

    flags: int = field(default=0, metadata=HEX)
    soft_allocations: int = 0
    hard_allocations: int = 0
    soft_bytes: int = 0
    hard_bytes: int = 0
    soft_addtime: int = 0
    hard_addtime: int = 0
    soft_usetime: int = 0
    hard_usetime: int = 0
    algorithms: tuple[AlgorithmDescription, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class ExtendedProposal(ExtensionValue):
    """Extended proposal: combinations, the preferred one first."""

    replay: int = 0
    """Replay window in packets."""
    combinations: tuple[ExtendedCombination, ...] = ()
    exttype: ExtensionType = field(default=ExtensionType.EXTENDED_PROPOSAL, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class KMCookie(ExtensionValue):
    """Key management protocol of an association, and its cookie."""

    proto: int = 0
    cookie: int = field(default=0, metadata=HEX)
    exttype: ExtensionType = field(default=ExtensionType.KM_COOKIE, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class Pair(ExtensionValue):
    """SPI of the other association of a pair."""

    spi: int = field(metadata=HEX)
    exttype: ExtensionType = field(default=ExtensionType.PAIR, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class ExtendedDump(ExtensionValue):
    """Which associations a DUMP wants: those idle for no longer than this."""

    timeout: int
    """Seconds."""
    exttype: ExtensionType = field(default=ExtensionType.EXTENDED_DUMP, kw_only=True)
