"""Requests about policies: which traffic is transformed, and how."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Unpack

from ...spec.terms import Direction, Level, MessageType, Mode, PolicyType, SAType
from ...spec.terms import ExtensionType as Ext
from ..conversions import as_number, to_bytes
from ..extensions import SA, Lifetime
from ..extensions_ipsec import KMAddress, Policy, PolicyRequest
from ..faults import named, told_of
from ..message import MessageValue
from ..sockaddr import SocketAddress
from . import values
from .building import Builder, Common, building
from .making import Part
from .values import End, Host, Limit, Name, Protocol


def transform(
    proto: SAType | str | int,
    *,
    mode: Name = Mode.TRANSPORT,
    src: Host | None = None,
    dst: Host | None = None,
    level: Name = Level.REQUIRE,
    reqid: int = 0,
) -> PolicyRequest:
    """One transformation of a policy: esp, ah or ipcomp; in tunnel mode between two ends."""
    with told_of("transform"):
        with named("proto"):
            number = values.transformation(proto)
        with named("mode"):
            found = values.term(Mode, mode)
        with named("level"):
            strength = values.term(Level, level)
        ends = _end("src", src), _end("dst", dst)
        return PolicyRequest(number, found, strength, values.number("reqid", reqid), *ends)


def _end(name: str, value: Host | None) -> SocketAddress | None:
    with named(name):
        return None if value is None else values.end(value).sockaddr


def policy(
    direction: Name,
    type: Name = PolicyType.IPSEC,
    transforms: Iterable[PolicyRequest] = (),
    *,
    priority: int = 0,
    id: int = 0,
    scope: int | None = None,
) -> Policy:
    """A policy for traffic that goes in, out or through (fwd): ipsec with its transformations in the order of
    application, none to let the traffic pass, discard.

    A smaller `priority` counts more. `id` is the index that the engine gave, `scope` FreeBSD's.
    """
    with told_of("policy"):
        with named("type"):
            kind = values.term(PolicyType, type)
        with named("transforms"):
            rows = values.several(PolicyRequest, transforms, "what transform makes")
        index, weight = values.number("id", id), values.number("priority", priority)
        where = None if scope is None else values.number("scope", scope)
        return Policy(kind, _direction(direction), index, weight, where, requests=rows)


def _direction(value: Name) -> Direction:
    with named("direction"):
        return values.term(Direction, value)


class Stored(Common, total=False):
    """What a policy that is stored takes: `proto` for one upper-layer protocol, `hard` and `soft` lifetimes."""

    proto: Protocol
    hard: Limit
    soft: Limit


def spdadd(src: End, dst: End, policy: Policy, **stored: Unpack[Stored]) -> MessageValue:
    """SPDADD: a new policy, for the traffic between two prefixes.

    Ends are prefixes with ports, such as 10.0.0.0/8[443]; macOS takes ranges too, such as 10.0.0.1-10.0.0.9.
    """
    return _store(MessageType.SPDADD, src, dst, policy, stored)


def spdupdate(src: End, dst: End, policy: Policy, **stored: Unpack[Stored]) -> MessageValue:
    """SPDUPDATE: a policy in place of the one for the same traffic."""
    return _store(MessageType.SPDUPDATE, src, dst, policy, stored)


def spdsetidx(src: End, dst: End, policy: Policy, **stored: Unpack[Stored]) -> MessageValue:
    """SPDSETIDX: like SPDADD on Linux; on the KAME systems a policy that waits for SPDUPDATE."""
    return _store(MessageType.SPDSETIDX, src, dst, policy, stored)


def _store(type: MessageType, src: End, dst: End, policy: Policy, stored: Stored) -> MessageValue:
    with building(type, stored, Stored) as build:
        ends = _traffic(build, src, dst, stored.get("proto"))
        hard, soft = (
            build.lifetime(exttype, stored.get(name))  # type: ignore[arg-type]
            for exttype, name in ((Ext.LIFETIME_HARD, "hard"), (Ext.LIFETIME_SOFT, "soft"))
        )
        return build.message(SAType.UNSPEC, [hard, soft, *ends, _policy(policy)])


def _policy(value: Policy) -> Policy:
    with named(Ext.POLICY.label):
        return values.one(Policy, value, "what policy makes")


def spddelete(src: End, dst: End, direction: Name, *, proto: Protocol = None, **common: Unpack[Common]) -> MessageValue:
    """SPDDELETE: the policy for this traffic in this direction."""
    with building(MessageType.SPDDELETE, common) as build:
        return build.message(SAType.UNSPEC, [*_traffic(build, src, dst, proto), Policy(dir=_direction(direction))])


def _traffic(build: Builder, src: End, dst: End, proto: Protocol) -> list[Part]:
    with named("proto"):
        number = values.protocol(proto, build.any_protocol())
    return [
        *_side(build, Ext.ADDRESS_SRC, (Ext.RANGE_SRC_START, Ext.RANGE_SRC_END), src, number),
        *_side(build, Ext.ADDRESS_DST, (Ext.RANGE_DST_START, Ext.RANGE_DST_END), dst, number),
    ]


def _side(build: Builder, whole: Ext, bounds: tuple[Ext, Ext], value: End, proto: int) -> list[Part]:
    """One side of the traffic: a prefix, or both ends of a range."""
    if isinstance(value, str) and "-" in value:
        return [build.address(exttype, text, proto) for exttype, text in zip(bounds, value.split("-", 1), strict=True)]
    return [build.address(whole, value, proto)]


def spdget(id: int, **common: Unpack[Common]) -> MessageValue:
    """SPDGET: the policy with this index."""
    return _indexed(MessageType.SPDGET, id, common)


def spddelete2(id: int, **common: Unpack[Common]) -> MessageValue:
    """SPDDELETE2: delete the policy with this index."""
    return _indexed(MessageType.SPDDELETE2, id, common)


def spdenable(id: int, **common: Unpack[Common]) -> MessageValue:
    """SPDENABLE of macOS: the policy with this index is in force."""
    return _indexed(MessageType.SPDENABLE, id, common)


def spddisable(id: int, **common: Unpack[Common]) -> MessageValue:
    """SPDDISABLE of macOS: the policy with this index is suspended."""
    return _indexed(MessageType.SPDDISABLE, id, common)


def _indexed(type: MessageType, id: int, common: Common) -> MessageValue:
    with building(type, common) as build:
        return build.message(SAType.UNSPEC, [Policy(id=id)])


def spdflush(**common: Unpack[Common]) -> MessageValue:
    """SPDFLUSH: delete all policies."""
    with building(MessageType.SPDFLUSH, common) as build:
        return build.message(SAType.UNSPEC, [])


def spddump(*, scope: int = 0, **common: Unpack[Common]) -> MessageValue:
    """SPDDUMP: tell all policies. `scope` is FreeBSD's: 1 for global ones, 2 for those of interfaces, 0 for all."""
    with building(MessageType.SPDDUMP, common) as build:
        with named("scope"):
            (number,) = to_bytes(as_number(scope), 1, "big")
        return build.message(build.dialect.terms["satype"].term(number), [])


def spdacquire(**common: Unpack[Common]) -> MessageValue:
    """SPDACQUIRE: an engine asks for a policy (KAME)."""
    with building(MessageType.SPDACQUIRE, common) as build:
        return build.message(SAType.UNSPEC, [])


def spdexpire(
    src: End,
    dst: End,
    policy: Policy,
    current: Lifetime,
    hard: Limit,
    *,
    proto: Protocol = None,
    **common: Unpack[Common],
) -> MessageValue:
    """SPDEXPIRE: an engine tells that a policy's lifetime has passed (KAME)."""
    with building(MessageType.SPDEXPIRE, common) as build:
        limits = [build.lifetime(Ext.LIFETIME_CURRENT, current), build.lifetime(Ext.LIFETIME_HARD, hard)]
        return build.message(SAType.UNSPEC, [*limits, *_traffic(build, src, dst, proto), _policy(policy)])


def migrate(
    src: End,
    dst: End,
    direction: Name,
    moves: Iterable[tuple[PolicyRequest, PolicyRequest]],
    *,
    proto: Protocol = None,
    key_manager: tuple[Host, Host] | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """MIGRATE of Linux: the policy for this traffic and its associations get new ends.

    `moves` are pairs of transformations, as they are and as they shall be, that differ in their ends alone.
    `key_manager` is where the key manager itself moves: its own address and its peer's.
    """
    with building(MessageType.MIGRATE, common) as build:
        with named("moves"):
            pairs = (values.pair(move, "a pair of transformations") for move in values.listed(moves))
            rows = values.several(PolicyRequest, chain.from_iterable(pairs), "what transform makes")
        return build.message(
            SAType.UNSPEC,
            [
                *_traffic(build, src, dst, proto),
                Policy(PolicyType.IPSEC, _direction(direction), requests=rows),
                None if key_manager is None else _key_manager(key_manager),
            ],
        )


def _key_manager(ends: tuple[Host, Host]) -> KMAddress:
    with named(Ext.KMADDRESS.label):
        local, remote = (values.end(item).sockaddr for item in values.pair(ends, "a pair of addresses"))
        return KMAddress(local, remote)


def migrate_sa(
    satype: Name, spi: int, src: End, dst: End, new_src: End, new_dst: End, **common: Unpack[Common]
) -> MessageValue:
    """MIGRATE of macOS: an association gets new ends."""
    with building(MessageType.MIGRATE, common) as build:
        return build.message(
            satype,
            [
                SA(spi, natt_port=0),  # the kernel takes the longer structure alone
                *build.ends(src, dst),
                build.address(Ext.NEW_ADDRESS_SRC, new_src),
                build.address(Ext.NEW_ADDRESS_DST, new_dst),
            ],
        )
