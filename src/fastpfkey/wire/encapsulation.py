"""Where a dialect says that ESP travels in UDP: the one fact that almost every system puts somewhere else.

Linux, FreeBSD and NetBSD have an extension for each number, OpenBSD one for the peer's port and a flag, macOS members
of its longer association and a flag, illumos addresses with ports and two flags. RFC 2367 knows nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from ..spec.model import Dialect
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import NATTType
from .extensions import SA, Address
from .extensions_ipsec import NATTEncapsulation, NATTFragment, NATTPort
from .facts import choice
from .sockaddr import SocketAddress
from .value import ExtensionValue


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """ESP in UDP (RFC 3948)."""

    type: NATTType = NATTType.ESPINUDP
    sport: int = 0
    """The source's port."""
    dport: int = 0
    oa: Address | None = None
    """Address that the NAT changed; that of the initiator where there are two."""
    oar: Address | None = None
    """The responder's."""
    fraglen: int = 0
    """Largest fragment that passes the NAT."""


class Placed(NamedTuple):
    """An encapsulation in the places that a dialect has for it."""

    sa: SA
    """The association with what belongs into it, but for the flags."""
    flags: frozenset[str]
    """C names of the flags that say so."""
    extensions: tuple[ExtensionValue, ...]
    homeless: tuple[str, ...]
    """What the dialect cannot say."""


def placed(natt: Encapsulation, sa: SA, ends: tuple[SocketAddress, SocketAddress] | None, dialect: Dialect) -> Placed:
    """The encapsulation of an association between two ends, in this dialect."""
    if Ext.NATT_DPORT in dialect.by_type:
        return _extensions(natt, sa, dialect)
    bits = choice(dialect, "natt_type")
    told = ends if Ext.NATT_REMOTE in dialect.by_type else None
    homeless = [
        name
        for name, said in (
            ("natt-type", natt.type != (NATTType.NONE if bits is None else bits.chosen)),
            ("natt-oa", natt.oa and not told),
            ("natt-oar", natt.oar),
            ("natt-frag", natt.fraglen),
        )
        if said
    ]
    added: tuple[ExtensionValue, ...] = ()
    if told is not None:
        # What the NAT changed is the address of the remote end behind it.
        local, remote = told[0], natt.oa.sockaddr if natt.oa else told[1]
        added = (
            Address(Ext.NATT_LOCAL, replace(local, port=natt.sport)),
            Address(Ext.NATT_REMOTE, replace(remote, port=natt.dport)),
        )
    elif Ext.UDPENCAP in dialect.by_type:
        added = (NATTPort(Ext.UDPENCAP, natt.dport),)
        homeless += ["natt-sport"] if natt.sport else []
    elif "natt_port" in dialect.by_type[Ext.SA].layouts[-1].by_name:
        sa = replace(sa, natt_port=natt.dport, natt_src_port=natt.sport, natt_interval=0, natt_offload_interval=0)
    else:
        homeless += ["natt-sport", "natt-dport"]
    return Placed(sa, frozenset(bits.flags if bits else ()), added, tuple(homeless))


def _extensions(natt: Encapsulation, sa: SA, dialect: Dialect) -> Placed:
    wanted = (
        NATTEncapsulation(natt.type),
        NATTPort(Ext.NATT_SPORT, natt.sport),
        NATTPort(Ext.NATT_DPORT, natt.dport),
        natt.oa,
        natt.oar,
        NATTFragment(natt.fraglen) if natt.fraglen else None,
    )
    said = [item for item in wanted if item is not None]
    kept = tuple(item for item in said if item.exttype in dialect.by_type)
    return Placed(sa, frozenset(), kept, tuple(item.exttype.label for item in said if item not in kept))
