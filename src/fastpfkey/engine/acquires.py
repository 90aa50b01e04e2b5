"""ACQUIRE: requests for associations from consumers and programs, and what becomes of them (RFC 2367, 3.1.6).

A consumer that misses an association opens a `Pending` request. The ACQUIRE goes out once; GETSPI, ADD and UPDATE find
their way back by its number, so that nobody takes another's association.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..spec.delivery import FAILURE
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..spec.terms import SAState, SAType
from ..wire.extensions import SA, Address, Combination, Lifetime, Proposal
from ..wire.faults import told_of
from ..wire.sockaddr import IPAddress, SocketAddress
from ..wire.value import ExtensionValue
from .core import Core
from .identity import packed, place_key
from .lifetimes import show_counters
from .port import Port
from .refusal import RefusedError
from .request import Request

MANY = 1024
"""Owners of associations that are remembered without looking whether these are still there."""


@dataclass(eq=False)
class Pending:
    """A consumer's wait for an association."""

    seq: int
    satype: SAType
    asked: Hashable
    """What the consumer wants, for others that want the same."""
    ends: tuple[bytes, bytes]
    deadline: float
    state: Literal["pending", "done", "failed"] = "pending"
    errno: int = 0
    """Why it failed, as the dialect numbers errors."""
    serial: int = 0
    """Serial number of the association that it got."""
    larval: int = 0
    """Serial number of the larval association that a GETSPI made for it."""
    placeholder: int = 0
    """Serial number of the larval association that stands for it until then."""
    misses: int = 0
    message: bytes = field(default=b"", repr=False)


def request(core: Core, satype: SAType, extensions: Sequence[ExtensionValue], asked: Hashable) -> Pending:
    """Ask key managers for an association, unless somebody has done so and waits.

    Raises RefusedError("EPROTONOSUPPORT") if no key manager has registered for the type.
    """
    number = core.framing.satype_number(satype)
    audience = core.deliveries.news["ACQUIRE"]
    if not any(core.audience(audience, None, number)):
        raise RefusedError("EPROTONOSUPPORT")
    known = core.asked.get(asked)
    if known is not None:
        known.misses += 1
        if core.profile.acquire_misses and known.misses % core.profile.acquire_misses == 0:
            core.say(known.message, audience, None)
        return known
    core.acquire_seq = core.acquire_seq % 0xFFFFFFFF + 1
    seq = core.acquire_seq
    with told_of("acquire"):
        message = core.framing.message(Msg.ACQUIRE, number, core.framing.body(extensions, number), seq=seq)
    ends = tuple(
        packed(item.ip)
        for item in extensions
        if isinstance(item, Address) and item.ip is not None and item.exttype != Ext.ADDRESS_PROXY
    )
    pending = Pending(seq, satype, asked, (ends[0], ends[1]), core.now + core.profile.acquire_lifetime, message=message)
    core.pending[seq] = core.asked[asked] = pending
    core.say(message, audience, None)
    if core.profile.acquire_placeholder and not core.full:
        _hold_place(core, pending, extensions)
    return pending


def _hold_place(core: Core, pending: Pending, extensions: Sequence[ExtensionValue]) -> None:
    """Show the pending request as a larval association of SPI 0, as Linux does."""
    satype = core.framing.satype_number(pending.satype)
    values: dict[Ext, ExtensionValue] = {
        item.exttype: item for item in extensions if item.exttype in (Ext.ADDRESS_SRC, Ext.ADDRESS_DST)
    }
    values[Ext.SA] = SA(0)
    values[Ext.LIFETIME_HARD] = Lifetime(Ext.LIFETIME_HARD, addtime=int(core.profile.larval_lifetime))
    record = core.records.record(satype, core.records.normal(values, SAState.LARVAL))
    fields = {
        "added": core.now,
        "satype": satype,
        "state": SAState.LARVAL,
        "seq": pending.seq,
        "acquire": pending.seq,
    }
    slot = core.store.add(place_key(pending.seq), record, fields)
    show_counters(core, slot)
    core.wheel.add(slot, core.now + core.profile.larval_lifetime)
    pending.placeholder = int(core.store.rows[slot]["serial"])


def drop_placeholder(core: Core, pending: Pending) -> None:
    """The place is not needed any more."""
    slot = core.store.place(pending.placeholder)
    if slot >= 0:
        core.store.remove(slot, core.key_at(slot))
    pending.placeholder = 0


def bind(core: Core, pending: Pending, slot: int) -> None:
    """A GETSPI with a request's number made this larval association."""
    pending.larval = int(core.store.rows[slot]["serial"])


def same_spi(core: Core, asked: Request, dst: IPAddress) -> int | None:
    """The SPI that an earlier GETSPI with the number of this ACQUIRE was given, if it is still larval."""
    pending = core.pending.get(asked.header.seq)
    if pending is None or not pending.larval or pending.ends[1] != packed(dst):
        return None
    slot = core.store.place(pending.larval)
    if slot < 0:
        return None
    values = core.records.values(core.store.record(slot))
    sa = values[Ext.SA]
    return sa.spi if isinstance(sa, SA) and core.state(slot) == SAState.LARVAL else None


def close_larval(core: Core, asked: Request, dst: IPAddress) -> None:
    """An ADD that answers an ACQUIRE takes the place of what stood for it."""
    pending = core.pending.get(asked.header.seq)
    if pending is None or not core.profile.add_closes_larval or pending.ends[1] != packed(dst):
        return
    drop_placeholder(core, pending)
    slot = core.store.place(pending.larval)
    if slot >= 0 and core.state(slot) == SAState.LARVAL:
        core.store.remove(slot, core.key_at(slot))
    pending.larval = 0


def satisfy(core: Core, answered: Request, slot: int) -> None:
    """An ADD or UPDATE with a pending request's number gives its consumer the association (R-3.1.6-05)."""
    pending = core.pending.get(answered.header.seq)
    if pending is None or pending.state != "pending" or pending.satype != answered.satype:
        return
    drop_placeholder(core, pending)
    pending.state, pending.serial = "done", int(core.store.rows[slot]["serial"])
    unique = getattr(pending.asked, "unique", None)
    if unique is not None:
        core.owners[pending.serial] = unique
        if len(core.owners) > 2 * core.store.alive + MANY:
            core.owners = {serial: owner for serial, owner in core.owners.items() if core.store.place(serial) >= 0}
    _forget(core, pending)


def _forget(core: Core, pending: Pending) -> None:
    del core.pending[pending.seq], core.asked[pending.asked]


def handle(core: Core, port: Port, asked: Request) -> None:
    """ACQUIRE from a program: a key manager's failure, or a request of a consumer in user space."""
    if asked.bare or asked.header.errno:
        _failure(core, port, asked)
        return
    satype = asked.header.satype
    audience = core.deliveries.news["ACQUIRE"]
    if not any(core.audience(audience, port, satype)):
        raise RefusedError("EPROTONOSUPPORT")
    core.say(asked.raw, audience, port)


def _failure(core: Core, port: Port, asked: Request) -> None:
    """A key manager gives up."""
    if not asked.header.errno:
        if core.profile.acquire_bare == "refuse":
            raise RefusedError
        return
    pending = core.pending.get(asked.header.seq)
    if pending is None:
        return
    _forget(core, pending)
    pending.state, pending.errno = "failed", asked.header.errno
    slot = core.store.place(pending.placeholder)
    if slot >= 0:
        core.store.replace(slot, core.records.with_state(core.store.record(slot), SAState.DEAD))
    echo = core.framing.relabelled(asked.raw[:16], asked.header, asked.header.errno)
    core.say(echo, core.deliveries.news[FAILURE], port)


def expire(core: Core) -> None:
    """Requests that nobody answered in time fail. All have the same time, so the oldest is the first."""
    while core.pending and (pending := next(iter(core.pending.values()))).deadline <= core.now:
        _forget(core, pending)
        pending.state, pending.errno = "failed", core.errno("ETIMEDOUT")


def combinations(core: Core, satype: SAType) -> tuple[Combination, ...]:
    """What the engine would take, the best first: every authentication with every encryption that it offers."""
    lists = core.algorithms.extensions(satype)
    auth = [item for found in lists if found.exttype == Ext.SUPPORTED_AUTH for item in found.algorithms]
    encrypt = [item for found in lists if found.exttype == Ext.SUPPORTED_ENCRYPT for item in found.algorithms]
    limits = {"hard_addtime": 86400, "soft_addtime": 72000, "hard_usetime": 28800, "soft_usetime": 25200}
    strong_auth = sorted((item for item in auth if item.maxbits), key=lambda item: -item.maxbits)
    strong = sorted((item for item in encrypt if item.maxbits), key=lambda item: -item.maxbits)
    if satype == SAType.AH or not strong:
        return tuple(
            Combination(item.id, auth_minbits=item.minbits, auth_maxbits=item.maxbits, **limits)  # type: ignore[arg-type]
            for item in strong_auth
        )
    return tuple(
        Combination(
            auth=one.id,  # type: ignore[arg-type]
            encrypt=other.id,  # type: ignore[arg-type]
            auth_minbits=one.minbits,
            auth_maxbits=one.maxbits,
            encrypt_minbits=other.minbits,
            encrypt_maxbits=other.maxbits,
            **limits,
        )
        for other in strong
        for one in strong_auth
    )


def proposal(core: Core, satype: SAType) -> Proposal:
    """The proposal of an ACQUIRE whose consumer has none of its own."""
    return Proposal(replay=32, combinations=combinations(core, satype))


def host(core: Core, exttype: Ext, ip: IPAddress, port: int = 0, proto: int = 0) -> Address:
    """The address of one host, with all its bits where the dialect counts them."""
    known = core.dialect.by_type.get(exttype)
    counted = known is not None and "prefixlen" in known.layout.by_name
    return Address(exttype, SocketAddress(ip, port), proto, ip.max_prefixlen if counted else 0)
