"""Requests about policies, which RFC 2367 leaves to its extensions: those of Linux and of KAME."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..spec.terms import Direction, Level, Mode, PolicyType
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..wire.extensions import Address, Lifetime
from ..wire.extensions_ipsec import Policy, PolicyRequest, SecurityContext
from ..wire.faults import MisfitError
from ..wire.value import ExtensionValue
from . import dumps
from .core import Core
from .policy import Stored, selector
from .port import Block, Port
from .records import ANY_PROTO
from .refusal import RefusedError
from .request import Request

NUMBERS = {Direction.IN: 0, Direction.OUT: 1, Direction.FWD: 2}
"""The direction in the low bits of an id."""


def add(core: Core, port: Port, request: Request) -> None:
    """Store a policy that there is none like (SPDADD, SPDSETIDX)."""
    stored = _read(core, request)
    if stored.selector in core.policies.by_selector:
        raise RefusedError("EEXIST")
    _store(core, stored, core.policies.new_id(NUMBERS.get(stored.policy.dir, 0)))
    kind = Msg.SPDADD if core.profile.policies == "linux" else request.type
    core.answer(port, request.type, _reply(core, request, stored, "change", kind))


def update(core: Core, port: Port, request: Request) -> None:
    """Store a policy in place of one like it, if there is one; it keeps the id."""
    stored = _read(core, request)
    old = core.policies.by_selector.get(stored.selector)
    _store(core, stored, old.id if old else core.policies.new_id(NUMBERS.get(stored.policy.dir, 0)), old)
    core.answer(port, request.type, _reply(core, request, stored, "change"))


def delete(core: Core, port: Port, request: Request) -> None:
    """Remove the policy with these selectors."""
    src, dst, policy = selectors(request)
    stored = core.policies.by_selector.get(selector(policy.dir, any_protocol(src), any_protocol(dst)))
    if stored is None:
        raise RefusedError(core.profile.policy_missing)
    core.policies.remove(stored)
    core.answer(port, request.type, _reply(core, request, stored, "delete"))


def delete_by_id(core: Core, port: Port, request: Request) -> None:
    """Remove the policy with this id."""
    stored = core.policies.by_id.get(_id(core, request))
    if stored is None:
        raise RefusedError(core.profile.policy_missing)
    core.policies.remove(stored)
    core.answer(port, request.type, _reply(core, request, stored, "delete by id"))


def get(core: Core, port: Port, request: Request) -> None:
    """Show the policy with this id."""
    stored = core.policies.by_id.get(_id(core, request))
    if stored is None:
        raise RefusedError("ENOENT")
    core.answer(port, request.type, _reply(core, request, stored, "show"))


def flush(core: Core, port: Port, request: Request) -> None:
    """Remove all policies."""
    removed = core.policies.clear()
    if removed or core.profile.flush_told_empty:
        core.answer(port, request.type, request.reply())
    else:
        core.say(request.reply(), core.deliveries.answers["SPDDUMP"], port)


def dump(core: Core, port: Port, request: Request) -> None:
    """Show all policies, the newest first."""
    newest = reversed(core.policies.by_id) if core.profile.newest_first else iter(core.policies.by_id)
    dumps.begin(core, port, Rest(request, list(newest)))


HANDLERS: Mapping[Msg, Callable[[Core, Port, Request], None]] = {
    Msg.SPDADD: add,
    Msg.SPDSETIDX: add,
    Msg.SPDUPDATE: update,
    Msg.SPDDELETE: delete,
    Msg.SPDDELETE2: delete_by_id,
    Msg.SPDGET: get,
    Msg.SPDDUMP: dump,
    Msg.SPDFLUSH: flush,
}


def expire(core: Core) -> None:
    """Policies whose time is up go, in silence on Linux, with an SPDEXPIRE on KAME systems."""
    for stored in core.policies.due(core.now):
        core.policies.remove(stored)
        if core.profile.policies == "kame":
            body = core.framing.body([_current(core, stored), stored.hard, stored.src, stored.dst, stored.policy], 0)
            core.say(core.framing.message(Msg.SPDEXPIRE, 0, body), core.deliveries.news["SPDEXPIRE"], None)


@dataclass
class Rest:
    """The policies that a dump has yet to show."""

    request: Request
    ids: list[int]

    def take(self, core: Core, count: int, seq: int, step: int) -> Block:
        """The next messages."""
        chosen, self.ids = self.ids[:count], self.ids[count:]
        parts: list[bytes] = []
        ends = array("Q")
        for number in chosen:
            stored = core.policies.by_id.get(number)
            if stored is not None:
                pid = self.request.header.pid
                place = seq + step * len(parts)
                parts.append(core.framing.message(Msg.SPDDUMP, 0, _body(core, stored, "show"), seq=place, pid=pid))
                ends.append((ends[-1] if ends else 0) + len(parts[-1]))
        if not parts and self.ids:
            return self.take(core, count, seq, step)
        return Block(b"".join(parts), ends)

    def left(self, core: Core) -> int:
        """Policies yet to come."""
        return sum(number in core.policies.by_id for number in self.ids)


def selectors(request: Request) -> tuple[Address, Address, Policy]:
    """What a request says of a policy: source, destination and the rest. Raises RefusedError."""
    src, dst = request.values.get(Ext.ADDRESS_SRC), request.values.get(Ext.ADDRESS_DST)
    policy = request.values.get(Ext.POLICY)
    if not (isinstance(src, Address) and isinstance(dst, Address) and isinstance(policy, Policy)):
        raise RefusedError
    request.ends()
    return src, dst, policy


def any_protocol(address: Address) -> Address:
    """An address that selects any protocol as kernels tell it."""
    return address if address.proto else replace(address, proto=ANY_PROTO)


def _read(core: Core, request: Request) -> Stored:
    """The policy of a request, in the form in which it is stored."""
    src, dst, policy = selectors(request)
    src = any_protocol(src)
    limits = []
    for item in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        limit = request.values.get(item)
        limits.append(limit if isinstance(limit, Lifetime) else Lifetime(item))
    context = request.values.get(Ext.SEC_CTX)
    stored_type = PolicyType.NONE if policy.type == PolicyType.IPSEC and not policy.requests else policy.type
    requests = policy.requests if policy.type == PolicyType.IPSEC else ()
    kept = replace(policy, type=stored_type, requests=tuple(_request(core, item) for item in requests))
    return Stored(
        0,
        kept,
        src,
        replace(dst, proto=src.proto),
        limits[0],
        limits[1],
        context if isinstance(context, SecurityContext) else None,
        core.now,
    )


def _request(core: Core, item: PolicyRequest) -> PolicyRequest:
    """A request of a policy as it is told: only unique ones have an id, of their own if need be."""
    level = item.level if item.level in (Level.USE, Level.UNIQUE) else Level.REQUIRE
    reqid = 0
    if level == Level.UNIQUE:
        most = core.dialect.constants.get("IPSEC_MANUAL_REQID_MAX", 0x3FFF)
        reqid = item.reqid if 0 < item.reqid <= most else core.policies.new_reqid(most)
    tunnel = item.mode != Mode.TRANSPORT
    return replace(item, level=level, reqid=reqid, src=item.src if tunnel else None, dst=item.dst if tunnel else None)


def _store(core: Core, stored: Stored, number: int, old: Stored | None = None) -> None:
    """Take a policy in, in place of another one, if the dialect can express it. Raises RefusedError."""
    stored.id = number
    stored.policy = replace(stored.policy, id=number)
    try:
        _body(core, stored, "show")
    except MisfitError:
        raise RefusedError from None
    if old is not None:
        core.policies.remove(old)
    core.policies.add(stored)


def _body(core: Core, stored: Stored, what: str) -> bytes:
    """What a message shows of a policy."""
    values: list[ExtensionValue]
    if core.profile.policies == "linux":
        values = [stored.src, stored.dst, stored.hard, stored.soft, _current(core, stored), stored.policy]
        values += [stored.context] if stored.context is not None else []
    elif what == "delete by id":
        values = [stored.policy]
    elif what == "show":
        values = [stored.src, stored.dst, stored.policy, _current(core, stored), stored.hard]
    else:
        values = [stored.policy, stored.hard, stored.src, stored.dst]
    return core.framing.body(values, 0)


def _reply(core: Core, request: Request, stored: Stored, what: str, type: Msg | None = None) -> bytes:
    """An answer about a policy, which has no SA type."""
    header = request.header
    return core.framing.message(type or request.type, 0, _body(core, stored, what), seq=header.seq, pid=header.pid)


def _current(core: Core, stored: Stored) -> Lifetime:
    return Lifetime(
        Ext.LIFETIME_CURRENT, stored.packets, stored.octets, core.wall(stored.added), core.wall(stored.used)
    )


def _id(core: Core, request: Request) -> int:
    policy = request.values.get(Ext.POLICY)
    if not isinstance(policy, Policy):
        raise RefusedError
    if core.profile.policies == "linux" and policy.id & 7 not in NUMBERS.values():
        raise RefusedError
    return policy.id
