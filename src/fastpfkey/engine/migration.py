"""MIGRATE: the tunnels of a policy, and their associations, get other ends (Linux's SADB_X_MIGRATE).

A policy names the ends of its tunnels itself, and associations are found by theirs. So both move at once, or nothing
does.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import NamedTuple

from ..spec.protocols import TRANSFORMS
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..spec.terms import Mode, SAType
from ..wire.extensions import Address
from ..wire.extensions_ipsec import SA2, KMAddress, PolicyRequest
from ..wire.sockaddr import IPAddress, SocketAddress
from .core import Core
from .identity import ends_of
from .lifetimes import schedule, show_counters
from .policies import any_protocol, selectors
from .policy import selector
from .port import Port
from .refusal import RefusedError
from .request import Request

SATYPES = {number: satype for satype, number in TRANSFORMS.items()}
TUNNELS = (Mode.TUNNEL, Mode.BEET)


class Move(NamedTuple):
    """A transformation as it was, and as it is to be."""

    old: PolicyRequest
    new: PolicyRequest

    def concerns(self, item: PolicyRequest) -> bool:
        """Whether a transformation of a policy is meant. Only those in tunnels have ends of their own."""
        if (item.proto, item.mode) != (self.old.proto, self.old.mode) or self.old.reqid not in (0, item.reqid):
            return False
        return item.mode not in TUNNELS or (_ip(item.src), _ip(item.dst)) == (_ip(self.old.src), _ip(self.old.dst))

    @property
    def satype(self) -> SAType:
        """The type of the associations that move."""
        if self.old.proto not in SATYPES:
            raise RefusedError
        return SATYPES[self.old.proto]


def migrate(core: Core, port: Port, request: Request) -> None:
    """Move what a policy and its associations have as ends. Raises RefusedError."""
    src, dst, policy = selectors(request)
    stored = core.policies.by_selector.get(selector(policy.dir, any_protocol(src), any_protocol(dst)))
    if stored is None:
        raise RefusedError("ENOENT")
    moves = [Move(old, new) for old, new in zip(policy.requests[::2], policy.requests[1::2], strict=True)]
    if not any(move.concerns(item) for move in moves for item in stored.policy.requests):
        raise RefusedError("ENODATA")
    found = [(move, slot) for move in moves if (slot := _association(core, move)) is not None]
    for move, slot in found:
        _, _, old = ends_of(core.records.values(core.store.record(slot)))
        if old != _ip(move.new.dst) and core.store.find(_key(core, move, slot)) >= 0:
            raise RefusedError("ENODATA")
    for move, slot in found:
        _move(core, move, slot)
    requests = tuple(_moved(item, moves) for item in stored.policy.requests)
    core.policies.change(stored, replace(stored.policy, requests=requests))
    manager = request.values.get(Ext.KMADDRESS)
    ends = (replace(src, proto=0), replace(dst, proto=0))
    said = [*([manager] if isinstance(manager, KMAddress) else []), *ends, policy]
    satype = core.framing.satype_number(moves[0].satype)
    core.answer(port, Msg.MIGRATE, core.framing.message(Msg.MIGRATE, satype, core.framing.body(said, 0)))


def _ip(address: SocketAddress | None) -> IPAddress:
    if address is None or address.ip is None:
        raise RefusedError
    return address.ip


def _association(core: Core, move: Move) -> int | None:
    """The slot of the newest association that moves."""
    slots = core.pairs.find(core.framing.satype_number(move.satype), _ip(move.old.src), _ip(move.old.dst))
    for slot in reversed(slots):
        kind = core.records.values(core.store.record(slot)).get(Ext.SA2)
        if isinstance(kind, SA2) and kind.mode == move.old.mode and move.old.reqid in (0, kind.reqid):
            return slot
    return None


def _key(core: Core, move: Move, slot: int) -> bytes:
    """The identity that an association will have."""
    sa, _, _ = ends_of(core.records.values(core.store.record(slot)))
    return core.key(int(core.store.rows[slot]["satype"]), _ip(move.new.dst), sa.spi, _ip(move.new.src))


def _move(core: Core, move: Move, slot: int) -> None:
    """Give an association its new ends; it is new, but for its age."""
    values = core.records.values(core.store.record(slot))
    for exttype, ip in ((Ext.ADDRESS_SRC, _ip(move.new.src)), (Ext.ADDRESS_DST, _ip(move.new.dst))):
        address = values[exttype]
        assert isinstance(address, Address)
        values[exttype] = replace(address, sockaddr=SocketAddress(ip), prefixlen=ip.max_prefixlen)
    satype = int(core.store.rows[slot]["satype"])
    slot = core.store.renew(slot, core.key_at(slot), _key(core, move, slot), core.records.record(satype, values))
    row = core.store.rows[slot]
    row["bytes"], row["allocations"], row["used"] = 0, 0, inf
    show_counters(core, slot)
    schedule(core, slot)


def _moved(item: PolicyRequest, moves: list[Move]) -> PolicyRequest:
    for move in moves:
        if item.mode in TUNNELS and move.concerns(item):
            return replace(item, src=move.new.src, dst=move.new.dst)
    return item
