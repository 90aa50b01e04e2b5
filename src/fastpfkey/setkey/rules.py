"""What a script is read by, and what its statements become."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..spec.model import Dialect
from ..spec.terms import Direction, SAType
from ..wire.message import MessageValue
from ..wire.sockaddr import SocketAddress
from .names import Names, Numeric
from .words import IPSEC_TOOLS, Variant


@dataclass(frozen=True)
class Rules:
    """How a script is read."""

    dialect: Dialect
    """Of the system that the messages are for."""
    variant: Variant = IPSEC_TOOLS
    compat: bool = False
    """Whether what setkey gets wrong is done as setkey does it, instead of being refused."""
    forward: bool = True
    """Whether a policy for incoming packets is sent a second time for forwarded ones: -r, and not -k."""
    extended: bool = False
    """Whether lines that begin with ``#:`` are read, in which `saving` writes what setkey has no words for."""
    names: Names = field(default_factory=Numeric)

    @property
    def forwards(self) -> bool:
        """Whether that is to be done on this system."""
        directions = self.dialect.terms.get("direction")
        if directions is None or self.variant.freebsd:
            return False
        return self.forward and Direction.FWD in directions.numbers


@dataclass(frozen=True)
class Command:
    """A statement: what is sent for it."""

    verb: str
    line: int
    messages: tuple[MessageValue, ...] = ()
    """Requests in order."""
    warnings: tuple[str, ...] = ()
    between: tuple[SAType, tuple[tuple[SocketAddress, SocketAddress], ...]] | None = None
    """For deleteall on a system that has no request for it: delete what the dump shows of this SA type between any of
    these pairs of ends."""
