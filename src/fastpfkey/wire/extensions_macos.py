"""The typed extensions of macOS: sessions, statistics and interfaces.

Source: xnu's bsd/net/pfkeyv2.h with its private parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spec.terms import Direction, ExtensionType
from .value import HEX, ExtensionValue, Value


@dataclass(frozen=True, slots=True, repr=False)
class SessionID(ExtensionValue):
    """Identifier of a client's session."""

    v: tuple[int, ...] = (0, 0)
    """Two 64-bit words."""
    exttype: ExtensionType = field(default=ExtensionType.SESSION_ID, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class SAStatistic(Value):
    """One association of a statistics list, with its current lifetime."""

    spi: int = field(metadata=HEX)
    created: int = 0
    allocations: int = 0
    bytes: int = 0
    addtime: int = 0
    usetime: int = 0
    len: int = 0
    """Length of the lifetime in words: 4 in replies."""
    exttype: int = 0
    """Wire number of the lifetime: 2 in replies."""


@dataclass(frozen=True, slots=True, repr=False)
class SAStatistics(ExtensionValue):
    """Use of many associations of one direction."""

    dir: Direction = Direction.ANY
    associations: tuple[SAStatistic, ...] = ()
    exttype: ExtensionType = field(default=ExtensionType.SASTAT, kw_only=True)


@dataclass(frozen=True, slots=True, repr=False)
class IPsecInterface(ExtensionValue):
    """Interfaces that a policy, or an association that moves, belongs to."""

    exttype: ExtensionType
    internal_if: str = ""
    outgoing_if: str = ""
    ipsec_if: str = ""
    init_disabled: int = 0
