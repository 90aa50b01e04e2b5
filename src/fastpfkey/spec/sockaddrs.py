"""How systems write socket addresses: with a length byte or without, and where each family has its parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SockaddrFamily:
    """How one address family looks in a sockaddr."""

    number: int
    """The system's AF_ number."""
    version: int
    """IP version, which is also the canonical family: 4 or 6."""
    size: int
    """sizeof the sockaddr."""
    address: int
    """Offset of the address bytes."""
    port: int
    """Offset of the port, network order."""
    flowinfo: int | None = None
    """Offset of sin6_flowinfo, network order."""
    scope: int | None = None
    """Offset of sin6_scope_id, host order."""

    @property
    def address_size(self) -> int:
        """Bytes of the address."""
        return 4 if self.version == 4 else 16


@dataclass(frozen=True, slots=True)
class SockaddrRules:
    """How a system writes socket addresses."""

    has_length: bool
    """BSD's sa_len: the first byte is a length, the second the family; otherwise the family is a host-order u16."""
    families: tuple[SockaddrFamily, ...]

    def family(self, number: int) -> SockaddrFamily | None:
        """The family with this AF_ number, None if the dialect does not know it."""
        return next((item for item in self.families if item.number == number), None)

    def version(self, version: int) -> SockaddrFamily:
        """The family of this IP version."""
        return next(item for item in self.families if item.version == version)


def sockaddr_rules(*, has_length: bool, af_inet6: int, size_in6: int = 28) -> SockaddrRules:
    """The rules of a system that has the BSD or the System V shape of sockaddr_in and sockaddr_in6."""
    return SockaddrRules(
        has_length,
        (
            SockaddrFamily(2, 4, 16, address=4, port=2),
            SockaddrFamily(af_inet6, 6, size_in6, address=8, port=2, flowinfo=4, scope=24),
        ),
    )
