"""The other side of the table: protocols that use associations, wear them out, and ask for new ones.

RFC 2367 presumes them (1.2): a lookup by SPI for packets that come in, a lookup by addresses for packets that go out,
which asks key managers where nothing fits, and an account of what was used. `Association` is a consumer's hold of one
association: it stays valid however the table moves, and says so when the association is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from math import inf

from ..spec.delivery import MAPPING, Audience
from ..spec.terms import Direction, SAState, SAType
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..wire.extensions import SA, Identity, Proposal, Sensitivity
from ..wire.extensions_ipsec import NATTPort
from ..wire.faults import told_of
from ..wire.sockaddr import IPAddress
from ..wire.value import ExtensionValue
from . import acquires
from .acquires import Pending
from .core import Core
from .identity import ends_of
from .lifetimes import look, reached, schedule, set_state, show_counters, tell
from .records import MOST, MOST_ALLOCATIONS

USABLE = (SAState.MATURE, SAState.DYING)

MOST_SPI = 0xFFFFFFFF


@dataclass(frozen=True)
class Association:
    """A consumer's hold of an association."""

    satype: SAType
    spi: int
    src: IPAddress
    dst: IPAddress
    serial: int
    """Tells it from others that had its SPI before or after."""


@dataclass(frozen=True)
class Session:
    """What a consumer needs an association for, and what an ACQUIRE says about it."""

    satype: SAType
    src: IPAddress
    dst: IPAddress
    proto: int = 0
    """Transport protocol, where ports tell the session."""
    sport: int = 0
    dport: int = 0
    proxy: IPAddress | None = None
    identities: tuple[Identity, ...] = ()
    sensitivity: Sensitivity | None = None
    proposal: Proposal | None = None
    """What the consumer would take, the best first; None for all that the engine offers."""
    unique: object = None
    """Consumers that differ here do not share an association."""

    @classmethod
    def of(cls, satype: SAType, src: str | IPAddress, dst: str | IPAddress, proxy: object, **more: object) -> Session:
        """With addresses as text too. Raises ValueError for what is no address, and ends of different families."""
        via = None if proxy is None else ip_address(proxy)  # type: ignore[arg-type]
        one, other = ip_address(src), ip_address(dst)
        if one.version != other.version:
            raise ValueError(f"{one} and {other} are of different families")
        return cls(satype, one, other, proxy=via, **more)  # type: ignore[arg-type]

    def extensions(self, core: Core) -> list[ExtensionValue]:
        """What an ACQUIRE says, in the RFC's order."""
        found: list[ExtensionValue] = [
            acquires.host(core, Ext.ADDRESS_SRC, self.src, self.sport, self.proto),
            acquires.host(core, Ext.ADDRESS_DST, self.dst, self.dport, self.proto),
        ]
        if self.proxy is not None:
            found.append(acquires.host(core, Ext.ADDRESS_PROXY, self.proxy))
        found += self.identities
        if self.sensitivity is not None:
            found.append(self.sensitivity)
        policy = core.policies.for_packet(Direction.OUT, self.src, self.dst, self.proto, self.sport, self.dport)
        if policy is not None:
            found.append(replace(policy.policy, requests=()))
        found.append(self.proposal or acquires.proposal(core, self.satype))
        return found


def held(core: Core, slot: int) -> Association:
    """A hold of a stored association."""
    sa, src, dst = ends_of(core.records.values(core.store.record(slot)))
    row = core.store.rows[slot]
    satype = SAType(core.dialect.terms["satype"].term(int(row["satype"])))
    return Association(satype, sa.spi, src, dst, int(row["serial"]))


def inbound(core: Core, satype: SAType, dst: IPAddress, spi: int) -> Association | None:
    """The usable association of a packet that came in. Raises ValueError for an SPI that no packet has."""
    if not 0 <= spi <= MOST_SPI:
        raise ValueError(f"{spi} is no SPI, which has 32 bits")
    slot = core.find(core.framing.satype_number(satype), None, dst, spi)
    return held(core, slot) if slot >= 0 and core.state(slot) in USABLE else None


def outbound(core: Core, session: Session) -> Association | Pending:
    """An association for packets that go out, one that is not dying if there is one; else a request for it.

    Raises RefusedError("EPROTONOSUPPORT") if there is none and no key manager to ask.
    """
    slots = core.pairs.find(core.framing.satype_number(session.satype), session.src, session.dst)
    fit = [slot for slot in slots if core.state(slot) in USABLE and _is_for(core, slot, session)]
    if fit:
        slot = max(fit, key=lambda item: (core.state(item) == SAState.MATURE, item))
        found = held(core, slot)
        _allocate(core, slot)
        return found
    return acquires.request(core, session.satype, session.extensions(core), session)


def _is_for(core: Core, slot: int, session: Session) -> bool:
    """Whether an association may be given to a session: one that another consumer waited for is that one's alone."""
    if core.owners.get(int(core.store.rows[slot]["serial"])) != session.unique:
        return False
    if session.proxy is None:
        return True
    values = core.records.values(core.store.record(slot))
    return getattr(values.get(Ext.ADDRESS_PROXY), "ip", None) == session.proxy


def _allocate(core: Core, slot: int) -> None:
    """Count that an association was given to a session, and when it was used first (R-1.2-02)."""
    row = core.store.rows[slot]
    if not core.profile.allocations_are_packets:
        row["allocations"] = min(int(row["allocations"]) + 1, MOST_ALLOCATIONS)
    _first_use(core, slot)
    show_counters(core, slot)
    look(core, slot)


def _first_use(core: Core, slot: int) -> None:
    row = core.store.rows[slot]
    if float(row["used"]) == inf:
        row["used"] = core.now
        schedule(core, slot)


def account(core: Core, association: Association, packets: int, octets: int) -> bool:
    """Count what went through an association; False if it is gone or was ended by this.

    Raises ValueError for less than nothing.
    """
    if packets < 0 or octets < 0:
        raise ValueError("packets and bytes are counted up, never down")
    slot = core.store.place(association.serial)
    if slot < 0 or core.state(slot) not in USABLE:
        return False
    if core.profile.reached_by_next:
        look(core, slot)
        if core.store.place(association.serial) < 0:
            return False
    row = core.store.rows[slot]
    row["bytes"] = min(int(row["bytes"]) + octets, MOST)
    if core.profile.allocations_are_packets:
        row["allocations"] = min(int(row["allocations"]) + packets, MOST_ALLOCATIONS)
    _first_use(core, slot)
    show_counters(core, slot)
    if core.profile.reached_by_next:
        return True
    ended = reached(core, slot, "hard")
    look(core, slot)
    return not ended


def exhausted(core: Core, association: Association) -> None:
    """The sequence numbers of an association run out: it is dying, and key managers hear so."""
    slot = core.store.place(association.serial)
    if slot >= 0 and core.state(slot) == SAState.MATURE:
        core.store.rows[slot]["warned"] = True
        set_state(core, slot, SAState.DYING)
        tell(core, slot, Ext.LIFETIME_SOFT)


def peer_moved(core: Core, association: Association, ip: IPAddress, port: int) -> None:
    """Packets of an association in UDP come from elsewhere: key managers hear from where. Nothing else changes.

    Raises ValueError for one that is not in UDP, and for a system without a message for that.
    """
    if Msg.NAT_T_NEW_MAPPING not in core.framing.types.values():
        raise ValueError(f"{core.dialect.name} has no message that says so")
    slot = core.store.place(association.serial)
    if slot < 0:
        return
    old = core.records.values(core.store.record(slot)).get(Ext.NATT_SPORT)
    if not isinstance(old, NATTPort):
        raise ValueError("the association is not in UDP")
    said = [
        SA(association.spi),
        acquires.host(core, Ext.ADDRESS_SRC, association.src),
        old,
        acquires.host(core, Ext.ADDRESS_DST, ip),
        NATTPort(Ext.NATT_DPORT, port),
    ]
    row = core.store.rows[slot]
    satype = int(row["satype"])
    with told_of("new mapping"):
        body = core.framing.body(said, satype)
    message = core.framing.message(Msg.NAT_T_NEW_MAPPING, satype, body, seq=int(row["seq"]))
    core.say(message, core.deliveries.news[MAPPING], None)


def passive_change(core: Core, session: Session, proposal: bool) -> None:
    """Tell key managers that the services which a passive endpoint needs have changed (RFC 2367, B)."""
    satype = core.framing.satype_number(session.satype)
    said = session.extensions(core) if proposal else session.extensions(core)[:-1]
    audience: Audience = core.deliveries.news["PCHANGE"]
    with told_of("pchange"):
        message = core.framing.message(Msg.PCHANGE, satype, core.framing.body(said, satype))
    core.say(message, audience, None)


def obtained(core: Core, pending: Pending) -> Association | None:
    """The association that a request has brought, if it has and it is still there."""
    slot = core.store.place(pending.serial) if pending.state == "done" else -1
    return held(core, slot) if slot >= 0 else None
