"""How each kind of message is built of sound values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.message import MessageValue

from .sound import Sound


def add(sound: Sound) -> MessageValue:
    satype, *rest = sound.one()
    proxy = sound.maybe(Ext.ADDRESS_PROXY, sound.host)
    private = sound.maybe(Ext.KMPRIVATE, lambda: b"private!")
    some = {name: value for name, value in (("proxy", proxy), ("private", private)) if value is not None}
    make = requests.add if sound.type is Msg.ADD else requests.update
    return make(
        satype,
        *rest,
        **sound.algorithms(satype),
        **sound.association(satype),
        **sound.labels(),
        **sound.limits(),
        **some,
        **sound.header(),
    )


def delete(sound: Sound) -> MessageValue:
    satype, spi, *ends = sound.one()
    if sound.type is Msg.DELETE and all(Ext.SA not in line.required for line in sound.lines):
        spi = sound.pick((spi, None))
    return getattr(requests, sound.type.name.lower())(satype, spi, *ends, **sound.header())


def getspi(sound: Sound) -> MessageValue:
    mode = sound.maybe(Ext.SA2, lambda: sound.named(sound.pick(sorted(sound.grammar.modes))))
    bounds = sound.pick(((), (0x100, 0x200), (0xFFF, 0xFFF)))
    return requests.getspi(sound.satype(), sound.host(), sound.host(), *bounds, mode=mode, **sound.header())


def register(sound: Sound) -> MessageValue:
    several = sound.maybe(Ext.EXTENDED_REGISTER, lambda: ["ah", pf.SAType.ESP])
    satype = sound.satype() if several is None else "unspec"
    if several is None and satype is pf.SAType.UNSPEC and any(line.needs_satype for line in sound.lines):
        satype = pf.SAType.ESP
    return requests.register(satype, satypes=several, **sound.header())


def dump(sound: Sound) -> MessageValue:
    wanted = sound.maybe(Ext.FILTER, lambda: sound.pick(((sound.host(), None), (sound.net(), sound.net()))))
    idle = sound.maybe(Ext.EXTENDED_DUMP, lambda: 60)
    return requests.dump(sound.satype(), filter=wanted, timeout=idle, **sound.header())


def acquire(sound: Sound) -> MessageValue:
    make = requests.acquire if sound.type is Msg.ACQUIRE else requests.pchange
    satype = sound.satype()
    ends = (
        ((sound.ip(), 25), sound.host())
        if "proto" in sound.dialect.by_type[Ext.ADDRESS_SRC].layout.by_name
        else sound.one()[2:]
    )
    proto = "tcp" if isinstance(ends[0], tuple) else None
    return make(satype, *ends, sound.proposal(satype), proto=proto, **sound.labels(), **sound.header())


def acquire_failure(sound: Sound) -> MessageValue:
    return requests.acquire_failure(sound.satype(), sound.draw(st.integers(1, 255)), **sound.header())


def expire(sound: Sound) -> MessageValue:
    satype, *rest = sound.one()
    which = {sound.pick(("hard", "soft")): 60}
    told = {name: value for name, value in sound.algorithms(satype).items() if not name.endswith("key")}
    return requests.expire(
        satype,
        *rest,
        requests.limits(addtime=1, usetime=2),
        **which,
        **told,
        **sound.association(satype),
        **sound.header(),
    )


def spdadd(sound: Sound) -> MessageValue:
    limits = {name: value for name, value in sound.limits().items() if Ext[f"LIFETIME_{name.upper()}"] in sound.known}
    make = getattr(requests, sound.type.name.lower())
    return make(
        sound.net(), sound.net(), sound.policy(), proto=sound.pick(("tcp", 17, "any")), **limits, **sound.header()
    )


def indexed(sound: Sound) -> MessageValue:
    return getattr(requests, sound.type.name.lower())(sound.draw(st.integers(0, 2**32 - 1)), **sound.header())


def bare(sound: Sound) -> MessageValue:
    return getattr(requests, sound.type.name.lower())(**sound.header())


def spddelete(sound: Sound) -> MessageValue:
    way = sound.named(sound.pick(sorted(sound.grammar.directions & set(pf.Direction))))
    return requests.spddelete(sound.net(), sound.net(), way, proto="udp", **sound.header())


def spddump(sound: Sound) -> MessageValue:
    scope = sound.pick((0, 1, 2)) if sound.dialect.name == "freebsd" else 0
    return requests.spddump(scope=scope, **sound.header())


def spdexpire(sound: Sound) -> MessageValue:
    current = requests.limits(addtime=1, usetime=2)
    return requests.spdexpire(sound.net(), sound.net(), sound.policy(), current, 60, **sound.header())


def migrate(sound: Sound) -> MessageValue:
    if Ext.NEW_ADDRESS_SRC in sound.known:
        return requests.migrate_sa(*sound.one(), sound.host(), sound.host(), **sound.header())
    ends = sound.maybe(Ext.KMADDRESS, lambda: (sound.host(), sound.host()))
    moves = [sound.pair() for _ in range(sound.draw(st.integers(1, 2)))]
    return requests.migrate(sound.net(), sound.net(), "out", moves, key_manager=ends, **sound.header())


def flow(sound: Sound) -> MessageValue:
    make: Any = requests.addflow if sound.type is Msg.ADDFLOW else requests.delflow
    facts = {"direction": sound.pick(("in", "out")), "type": sound.pick(("use", "acquire", "deny"))}
    ends = {"local": sound.host(), "peer": sound.host()} if sound.type is Msg.ADDFLOW else {}
    proto = sound.pick((None, "tcp"))
    return make(sound.net(), sound.net(), proto=proto, satype=sound.satype(), **facts, **ends, **sound.header())


def grpspis(sound: Sound) -> MessageValue:
    first, second = sound.one(), sound.one()
    return requests.grpspis(*first[:2], first[2], *second[:2], second[2], **sound.header())


def updatepair(sound: Sound) -> MessageValue:
    pair = sound.maybe(Ext.PAIR, sound.spi)
    return requests.updatepair(*sound.one(), pair=pair, idle=sound.pick((None, 60)), **sound.limits(), **sound.header())


def getsastat(sound: Sound) -> MessageValue:
    spis = sound.draw(st.lists(st.integers(1, 2**32 - 1), max_size=3))
    return requests.getsastat((1, 2), "out", spis, **sound.header())


def inverse_acquire(sound: Sound) -> MessageValue:
    inner = {"inner_src": sound.net(), "inner_dst": sound.net()} if sound.draw(st.booleans()) else {}
    return requests.inverse_acquire(sound.host(), sound.host(), proto="tcp", **inner, **sound.header())


def promisc(sound: Sound) -> MessageValue:
    return requests.promisc(sound.draw(st.booleans()), **sound.header())


def mapping(sound: Sound) -> MessageValue:
    src, dst = sound.host(), sound.host()
    return requests.nat_t_new_mapping("esp", sound.spi(), src, 4500, dst, 1025, **sound.header())


def askpolicy(sound: Sound) -> MessageValue:
    return requests.askpolicy(7, **sound.header())


MAKERS: dict[Msg, Sequence[Callable[[Sound], MessageValue]]] = {
    Msg.GETSPI: [getspi],
    Msg.UPDATE: [add],
    Msg.ADD: [add],
    Msg.DELETE: [delete],
    Msg.GET: [delete],
    Msg.ACQUIRE: [acquire, acquire_failure],
    Msg.REGISTER: [register],
    Msg.EXPIRE: [expire],
    Msg.FLUSH: [lambda sound: requests.flush(sound.satype(), **sound.header())],
    Msg.DUMP: [dump],
    Msg.PROMISC: [promisc],
    Msg.PCHANGE: [acquire],
    Msg.SPDUPDATE: [spdadd],
    Msg.SPDADD: [spdadd],
    Msg.SPDDELETE: [spddelete],
    Msg.SPDGET: [indexed],
    Msg.SPDACQUIRE: [bare],
    Msg.SPDDUMP: [spddump],
    Msg.SPDFLUSH: [bare],
    Msg.SPDSETIDX: [spdadd],
    Msg.SPDEXPIRE: [spdexpire],
    Msg.SPDDELETE2: [indexed],
    Msg.NAT_T_NEW_MAPPING: [mapping],
    Msg.MIGRATE: [migrate],
    Msg.ADDFLOW: [flow],
    Msg.DELFLOW: [flow],
    Msg.GRPSPIS: [grpspis],
    Msg.ASKPOLICY: [askpolicy],
    Msg.GETSASTAT: [getsastat],
    Msg.SPDENABLE: [indexed],
    Msg.SPDDISABLE: [indexed],
    Msg.INVERSE_ACQUIRE: [inverse_acquire],
    Msg.UPDATEPAIR: [updatepair],
    Msg.DELPAIR: [delete],
    Msg.DELPAIR_STATE: [delete],
}
