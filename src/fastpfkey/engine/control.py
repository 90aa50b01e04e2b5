"""Requests about sockets and tables: REGISTER, FLUSH, PROMISC, and what programs tell each other through the engine."""

from __future__ import annotations

from ..spec.delivery import QUERY
from ..spec.model import HEADER_SIZE
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType as Msg
from ..spec.terms import SAState, SAType
from ..wire.extensions import Lifetime
from . import acquires
from .core import Core
from .lifetimes import set_state
from .port import Port
from .refusal import RefusedError
from .request import Request


def register(core: Core, port: Port, request: Request) -> None:
    """Register a port for an SA type, and tell the algorithms of that."""
    satype = request.header.satype
    if satype or not core.profile.register_query:
        if satype in port.registered and core.profile.register_again:
            raise RefusedError(core.profile.register_again)
        port.registered.add(satype)
        core.answer(port, Msg.REGISTER, _lists(core, request.satype, request))
        return
    core.say(_lists(core, request.satype, request), core.deliveries.answers[QUERY], port)


def _lists(core: Core, satype: SAType, request: Request) -> bytes:
    return request.reply(core.framing.body(core.algorithms.extensions(satype), request.header.satype))


def announce(core: Core, satype: SAType) -> None:
    """Algorithms have come or gone: tell the complete list once more (R-3.1.7-06)."""
    number = core.framing.satype_number(satype)
    body = core.framing.body(core.algorithms.extensions(satype), number)
    core.say(core.framing.message(Msg.REGISTER, number, body), core.deliveries.news["REGISTER"], None)


def flush(core: Core, port: Port, request: Request) -> None:
    """Remove the associations of one type, or all."""
    if not core.authorize(port, "flush"):
        raise RefusedError("EPERM")
    slots = core.store.matching(0, core.store.count, request.header.satype or None)
    core.store.clear(slots, core.keys_of)
    if len(slots) or core.profile.flush_told_empty:
        core.answer(port, Msg.FLUSH, request.reply())
    else:
        port_only(core, port, request.reply())


def port_only(core: Core, port: Port, message: bytes) -> None:
    """Answer one port, whoever hears such answers otherwise."""
    core.say(message, core.deliveries.answers["DUMP"], port)


def expire(core: Core, port: Port, request: Request) -> None:
    """EXPIRE of a protocol in user space: told on, and applied where the association is stored here (R-3.1.8-03)."""
    which = Ext.LIFETIME_HARD if isinstance(request.values.get(Ext.LIFETIME_HARD), Lifetime) else Ext.LIFETIME_SOFT
    src, dst = request.ends()
    if request.satype not in (SAType.AH, SAType.ESP, SAType.IPCOMP):
        slot = core.find(request.header.satype, src, dst, request.sa().spi)
        if slot >= 0 and which == Ext.LIFETIME_HARD:
            core.store.remove(slot, core.key_at(slot))
        elif slot >= 0:
            set_state(core, slot, SAState.DYING)
    core.say(request.raw, core.deliveries.news["EXPIRE"], port)


def pchange(core: Core, port: Port, request: Request) -> None:
    """PCHANGE of a program goes to registered sockets (RFC 2367, B)."""
    core.say(request.raw, core.deliveries.news["PCHANGE"], port)


def acquire(core: Core, port: Port, request: Request) -> None:
    """ACQUIRE of a program."""
    acquires.handle(core, port, request)


def promisc(core: Core, port: Port, raw: bytes) -> None:
    """Turn promiscuous receiving on or off, or carry a message from one program to others (RFC 2367, A)."""
    header = core.framing.header(raw)
    carries = len(raw) > HEADER_SIZE
    if carries and core.wraps:
        _carry(core, port, raw)
        return
    if header.satype > 1:
        raise RefusedError
    if header.satype and not core.authorize(port, "promisc_receive"):
        raise RefusedError("EPERM")
    port.promiscuous = bool(header.satype)
    core.answer(port, Msg.PROMISC, core.framing.relabelled(raw, header))


def _carry(core: Core, port: Port, raw: bytes) -> None:
    """Deliver what is behind the header to the process that its number names, or to all, unchecked (R-A-07)."""
    if not core.profile.promisc_data or len(raw) < 2 * HEADER_SIZE:
        raise RefusedError
    if not core.authorize(port, "promisc_send"):
        raise RefusedError("EPERM")
    target = core.framing.header(raw).seq
    receivers = [item for item in core.ports.values() if not target or item.pid == target]
    if not receivers:
        raise RefusedError("ESRCH")
    for receiver in receivers:
        receiver.put(raw[HEADER_SIZE:])
