"""What an UPDATE changes: a larval association becomes one in use, one in use gets other lifetimes."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from ..spec.terms import ExtensionType as Ext
from ..spec.terms import SAState
from ..wire.extensions import SA, Lifetime
from ..wire.faults import MisfitError
from ..wire.sockaddr import IPAddress
from ..wire.value import ExtensionValue
from .core import Core
from .framing import KEYS
from .identity import ends_of, packed
from .lifetimes import limit_fields, schedule, show_counters
from .refusal import RefusedError
from .request import Request

PORTS = (Ext.NATT_SPORT, Ext.NATT_DPORT)

_LIMITS = (Ext.LIFETIME_CURRENT, Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT)


def complete(core: Core, request: Request, slot: int) -> int:
    """Make a larval association what the request says, apart from source, destination and SPI. Returns its slot."""
    old = core.records.values(core.store.record(slot))
    kept = {item: old[item] for item in (Ext.ADDRESS_SRC, Ext.ADDRESS_DST)}
    values = {**request.values, **kept}
    normal = core.records.normal({**values, **_own(request)}, SAState.MATURE)
    record = _encoded(core, request, normal)
    key = core.key_at(slot)
    core.store.replace(slot, record)
    row = core.store.rows[slot]
    row["state"], row["warned"], row["pid"], row["seq"] = (
        SAState.MATURE,
        False,
        request.header.pid,
        request.header.seq,
    )
    row["added"], row["used"] = core.now, inf
    _set_limits(core, slot, limit_fields(normal))
    if core.profile.update_sets_current:
        _set_current(core, slot, request.values.get(Ext.LIFETIME_CURRENT))
    if core.profile.update_moves:
        slot = core.store.renew(slot, key)
    show_counters(core, slot)
    schedule(core, slot)
    return slot


def _own(request: Request) -> dict[Ext, ExtensionValue]:
    """A current lifetime in a request is a number of counters, not something to store."""
    current = request.values.get(Ext.LIFETIME_CURRENT)
    return {} if current is None else {Ext.LIFETIME_CURRENT: Lifetime(Ext.LIFETIME_CURRENT)}


def renew(core: Core, request: Request, slot: int) -> bytes:
    """Give an association in use the lifetimes of the request. Returns the record that the answer shows."""
    record = core.store.record(slot)
    old = core.records.values(record)
    if core.profile.update_live == "strict":
        _same(core, request, old)
    elif core.profile.update_live == "keyless" and any(item in request.values for item in KEYS):
        raise RefusedError
    if core.profile.update_ports and old.get(Ext.NATT_TYPE) != request.values.get(Ext.NATT_TYPE):
        raise RefusedError
    given: dict[Ext, ExtensionValue] = {
        item: request.values[item] for item in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT) if item in request.values
    }
    if core.profile.update_ports:
        given |= {item: request.values[item] for item in PORTS if item in request.values}
    base = {item: value for item, value in old.items() if item in core.records.order}
    if core.profile.update_resets_limits:
        base = {item: value for item, value in base.items() if item not in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT)}
    normal = core.records.normal({**base, **given}, SAState.MATURE)
    core.store.replace(slot, _encoded(core, request, normal))
    row = core.store.rows[slot]
    row["state"], row["warned"] = SAState.MATURE, False
    _set_limits(core, slot, limit_fields(normal))
    if core.profile.update_sets_current:
        _set_current(core, slot, request.values.get(Ext.LIFETIME_CURRENT))
    show_counters(core, slot)
    schedule(core, slot)
    return core.store.record(slot)


def _same(core: Core, request: Request, old: dict[Ext, ExtensionValue]) -> None:
    """Nothing but lifetimes may differ from what is stored (R-3.1.2-10). Raises RefusedError."""
    for item, value in request.values.items():
        if item in _LIMITS or item == Ext.KMPRIVATE:
            continue
        known = old.get(item)
        if isinstance(value, SA) and isinstance(known, SA):
            value = replace(value, state=known.state)
        if item in core.records.order and value != known:
            raise RefusedError


def _encoded(core: Core, request: Request, values: dict[Ext, ExtensionValue]) -> bytes:
    try:
        return core.records.record(request.header.satype, values)
    except MisfitError:
        raise RefusedError from None


def _set_limits(core: Core, slot: int, limits: dict[str, int]) -> None:
    row = core.store.rows[slot]
    for name, value in limits.items():
        row[name] = value


def _set_current(core: Core, slot: int, value: ExtensionValue | None) -> None:
    """Count on from what the request says. Its times are Unix times, 0 for none."""
    if not isinstance(value, Lifetime):
        return
    row = core.store.rows[slot]
    row["allocations"], row["bytes"] = value.allocations, value.bytes
    if value.addtime:
        row["added"] = value.addtime - core.epoch
    if value.usetime:
        row["used"] = value.usetime - core.epoch


def between(core: Core, satype: int, src: IPAddress, dst: IPAddress) -> list[int]:
    """The associations of a type from one address to another that are not larval."""
    found = []
    for slot in core.store.matching(0, core.store.count, satype).tolist():
        if core.state(slot) == SAState.LARVAL:
            continue
        _, one, other = ends_of(core.records.values(core.store.record(slot)))
        if (packed(one), packed(other)) == (packed(src), packed(dst)):
            found.append(slot)
    return found
