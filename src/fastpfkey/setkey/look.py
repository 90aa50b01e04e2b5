"""How text is wanted: which program's, when and where it is printed, and what of it is shown."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..hotpath import render
from ..spec.tables import Column
from ..spec.template import UTC, Part, Zone, date, decimal, literal, template
from .words import IPSEC_TOOLS, Variant


@dataclass(frozen=True)
class Look:
    """How text is wanted."""

    variant: Variant = IPSEC_TOOLS
    now: int = field(default_factory=lambda: int(time.time()))
    """Unix time of printing."""
    pid: int | None = None
    """Process that is shown as the asking one; None for the one in each message."""
    zones: tuple[Zone, ...] = UTC
    ports: bool = False
    """-p: show the ports of addresses."""
    dead: bool = False
    """-a: show associations in state DEAD too."""
    sockets: bool = True
    """Show policies of sockets, which -N hides."""
    redact: bool = False
    """Show the length of a key instead of the key."""
    protocols: Mapping[int, str] = field(default_factory=dict)
    """Names of IP protocols by number."""
    interfaces: Mapping[int, str] = field(default_factory=dict)
    """Names of interfaces by number."""

    def process(self, column: str) -> Part:
        """The process id."""
        return decimal(column) if self.pid is None else literal(str(self.pid))

    def moment(self, seconds: int) -> str:
        """Unix time as a local date of 20 characters."""
        out = bytearray(20)
        form = template([Column("moment", "u8", "Unix time")], [date("moment")], self.zones)
        render(form, [array("Q", [seconds])], 0, 1, b"", out)
        return out.decode()
