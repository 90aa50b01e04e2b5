"""Names in scripts. Whoever reads a script says how they become numbers; without that there are numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from ..spec.protocols import PROTOCOLS


class Names(Protocol):
    """How names become numbers. Each function raises LookupError for a name that nobody knows."""

    def hosts(self, name: str) -> Sequence[IPv4Address | IPv6Address]:
        """The addresses of a host."""
        ...

    def service(self, name: str) -> int:
        """The port of a service."""
        ...

    def protocol(self, name: str) -> int:
        """The number of an IP protocol."""
        ...

    def interface(self, name: str) -> int:
        """The number of an interface."""
        ...


class Numeric:
    """Numbers, and the protocols that everybody knows."""

    def hosts(self, name: str) -> Sequence[IPv4Address | IPv6Address]:
        """None."""
        raise LookupError(name)

    def service(self, name: str) -> int:
        """None."""
        raise LookupError(name)

    def protocol(self, name: str) -> int:
        """One of `spec.protocols`."""
        return PROTOCOLS[name]

    def interface(self, name: str) -> int:
        """None."""
        raise LookupError(name)
