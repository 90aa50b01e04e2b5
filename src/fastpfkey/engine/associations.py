"""Requests about one association: GETSPI, ADD, UPDATE, DELETE, GET (RFC 2367, 3.1.1 to 3.1.5)."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..spec.terms import SAState, SAType
from ..wire.extensions import SA, Lifetime, SPIRange
from ..wire.faults import MisfitError
from ..wire.value import ExtensionValue
from . import acquires, algorithms, changes, spis
from .core import Core
from .identity import ends_of
from .lifetimes import limit_fields, schedule, show_counters
from .port import Port
from .records import Values
from .refusal import RefusedError
from .request import Request


def getspi(core: Core, port: Port, request: Request) -> None:
    """Reserve an SPI as a larval association."""
    src, dst = request.ends()
    low, high = _range(core, request)
    satype = request.header.satype
    pending = core.pending.get(request.header.seq) if request.header.seq else None
    if core.profile.acquire_same_spi:
        spi = acquires.same_spi(core, request, dst)
        if spi is not None:
            slot = core.find(satype, None, dst, spi)
            _answer(core, port, request, core.store.record(slot), "GETSPI")
            return
    spi = spis.choose(low, high, core.random, lambda number: core.store.find(core.key(satype, dst, number, src)) >= 0)
    if spi is None or (spi == 0 and low == high):
        raise RefusedError(core.profile.exhausted)
    if core.full:
        raise RefusedError(core.profile.table_full)
    values: dict[Ext, ExtensionValue] = {**request.values, Ext.SA: SA(spi)}
    for item in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        values.pop(item, None)
    if core.profile.larval_limit:
        values[Ext.LIFETIME_HARD] = Lifetime(Ext.LIFETIME_HARD, addtime=int(core.profile.larval_lifetime))
    if pending is not None:
        acquires.drop_placeholder(core, pending)
    slot = install(core, port, request, values, SAState.LARVAL)
    if pending is not None:
        acquires.bind(core, pending, slot)
    _answer(core, port, request, core.store.record(slot), "GETSPI")


def _range(core: Core, request: Request) -> tuple[int, int]:
    """The SPIs that a GETSPI may get."""
    profile = core.profile
    wanted = request.values.get(Ext.SPIRANGE)
    ipcomp = request.satype == SAType.IPCOMP
    if isinstance(wanted, SPIRange):
        low, high = wanted.min, wanted.max
    else:
        default = (profile.default_range_ipcomp if ipcomp else None) or profile.default_range
        if default is None:
            raise RefusedError
        low, high = default
    if low > high or (ipcomp and high > spis.LARGEST_CPI):
        raise RefusedError
    if low == 0 < high:
        low = 1  # 0 is for local use, and nobody's to give (R-3.1.1-04)
    if low != high and not profile.reserved_spis and request.satype in (SAType.AH, SAType.ESP):
        low = max(low, spis.LOWEST)
        if low > high:
            raise RefusedError(profile.exhausted)
    return low, high


def add(core: Core, port: Port, request: Request) -> None:
    """Install an association whole."""
    src, dst = request.ends()
    sa = request.sa()
    _check_spi(core, request, sa)
    algorithms.check(core, request)
    satype = request.header.satype
    if core.store.find(core.key(satype, dst, sa.spi, src)) >= 0:
        raise RefusedError("EEXIST")
    if core.full:
        raise RefusedError(core.profile.table_full)
    values: dict[Ext, ExtensionValue] = {
        kind: value for kind, value in request.values.items() if kind != Ext.LIFETIME_CURRENT
    }
    if satype in core.by_ends and core.profile.unique == "spi":
        values[Ext.SA] = replace(sa, spi=_fresh(core, satype, sa.spi))
    slot = install(core, port, request, values, SAState.MATURE)
    acquires.close_larval(core, request, dst)
    _answer(core, port, request, core.store.record(slot), "ADD")
    acquires.satisfy(core, request, slot)


def update(core: Core, port: Port, request: Request) -> None:
    """Complete a larval association, or give one in use other lifetimes."""
    src, dst = request.ends()
    sa = request.sa()
    slot = core.find(request.header.satype, src, dst, sa.spi)
    if slot < 0:
        known = core.store.find(core.key(request.header.satype, dst, sa.spi, src)) >= 0
        raise RefusedError("ESRCH" if known else core.profile.update_unknown)
    _check_creator(core, port, request, slot)
    state = core.state(slot)
    if state == SAState.DEAD:
        raise RefusedError
    if state == SAState.LARVAL:
        _check_spi(core, request, sa)
        algorithms.check(core, request)
        slot = changes.complete(core, request, slot)
        _answer(core, port, request, core.store.record(slot), "UPDATE")
    else:
        if core.profile.update_live == "lenient":
            algorithms.check(core, request)
        body = changes.renew(core, request, slot)
        _answer(core, port, request, body, "UPDATE")
    acquires.satisfy(core, request, slot)


def delete(core: Core, port: Port, request: Request) -> None:
    """Remove one association, or where the system does that all between two addresses."""
    src, dst = request.ends()
    if Ext.SA not in request.values and core.profile.delete_pairs:
        for slot in changes.between(core, request.header.satype, src, dst):
            core.store.remove(slot, core.key_at(slot))
        body = core.framing.body([request.values[Ext.ADDRESS_SRC], request.values[Ext.ADDRESS_DST]], 0)
        core.answer(port, Msg.DELETE, request.reply(body))
        return
    slot = core.find(request.header.satype, src, dst, request.sa().spi)
    if slot < 0:
        raise RefusedError("ESRCH")
    record = core.records.with_state(core.store.record(slot), SAState.DEAD)
    core.store.remove(slot, core.key(request.header.satype, dst, request.sa().spi, src))
    _answer(core, port, request, record, "DELETE")


def get(core: Core, port: Port, request: Request) -> None:
    """Show an association, keys and all, to who asks."""
    if not core.authorize(port, "read_keys"):
        raise RefusedError("EPERM")
    src, dst = request.ends()
    slot = core.find(request.header.satype, src, dst, request.sa().spi)
    if slot < 0:
        raise RefusedError("ESRCH")
    _answer(core, port, request, core.store.record(slot), "GET")


def install(core: Core, port: Port | None, request: Request, values: Values, state: SAState) -> int:
    """Store a new association. Returns its slot."""
    satype = request.header.satype
    normal = core.records.normal(values, state)
    try:
        record = core.records.record(satype, normal)
    except MisfitError:
        raise RefusedError from None
    sa, src, dst = ends_of(normal)
    fields = {
        "added": core.now,
        "used": inf,
        "satype": satype,
        "state": state,
        "creator": port.number if port is not None else 0,
        "pid": request.header.pid,
        "seq": request.header.seq,
    }
    limits = limit_fields(normal) if state != SAState.LARVAL else {}
    slot = core.store.add(core.key(satype, dst, sa.spi, src), record, fields | limits)
    show_counters(core, slot)
    schedule(core, slot)
    return slot


def _fresh(core: Core, satype: int, wanted: int) -> int:
    """An SPI that no association has: the wanted one, if nobody has it."""
    slots = core.store.matching(0, core.store.count, satype).tolist()
    taken = {ends_of(core.records.values(core.store.record(slot)))[0].spi for slot in slots}

    def used(spi: int) -> bool:
        return spi in taken or core.store.find(spi.to_bytes(4, "big")) >= 0

    if not used(wanted):
        return wanted
    low, high = core.profile.default_range or (1, 0xFFFFFFFF)
    spi = spis.choose(low, high, core.random, used)
    if spi is None:
        raise RefusedError("EEXIST")
    return spi


def _check_spi(core: Core, request: Request, sa: SA) -> None:
    lowest, highest = core.spi_bounds(request.satype)
    if request.type != Msg.ADD and lowest < highest:
        lowest = min(lowest, 1)
    if not lowest <= sa.spi <= highest:
        raise RefusedError


def _check_creator(core: Core, port: Port, request: Request, slot: int) -> None:
    row = core.store.rows[slot]
    rule = core.profile.creator
    stranger = (rule == "socket" and int(row["creator"]) != port.number) or (
        rule == "pid" and int(row["pid"]) != request.header.pid
    )
    if stranger:
        raise RefusedError(core.profile.creator_errno)


def _answer(core: Core, port: Port, request: Request, record: bytes, kind: str) -> None:
    core.answer(port, request.type, request.reply(core.records.shown(record, kind)))
