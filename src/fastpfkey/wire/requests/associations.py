"""Requests about one association: add, update, delete, get, and an SPI for one to come."""

from __future__ import annotations

from typing import Unpack

from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType, SAState, SAType
from ..encapsulation import Encapsulation
from ..extensions import SA, Sensitivity, SPIRange
from ..extensions_illumos import Pair
from ..extensions_openbsd import SecondSAType
from ..message import MessageValue
from .building import Builder, Common, building
from .making import Flags, Part
from .values import End, KeyLike, Limit, Name, Who

FREE_SPIS = (0x100, 0xFFFFFFFF)
"""SPIs that are not reserved (RFC 4303, 2.1)."""

FREE_CPIS = (0x100, 0xEFFF)
"""CPIs to negotiate (RFC 3173, 3.3): below are well-known ones, above private ones."""


class Association(Common, total=False):
    """What any message tells of an association, each under a keyword: optional, and absent unless given.

    Algorithms are `auth`, `encrypt`, and `compress` for IPCOMP. `replay` is the window in packets. `mode`, `reqid` and
    `natt` (what the function of this name makes) go to where the system has them.
    """

    auth: Name
    encrypt: Name
    compress: Name
    replay: int
    state: Name
    flags: Flags
    mode: Name
    reqid: int
    natt: Encapsulation


class NewAssociation(Association, total=False):
    """What ADD and UPDATE take beside that.

    `hard` and `soft` are lifetimes: seconds, or what `limits` makes; a system that takes both or neither gets both,
    the missing one without limits. `idle` is illumos's. `private` is what a key manager keeps with an association.
    `new_src` and `new_dst` are where FreeBSD moves one to.
    """

    auth_key: KeyLike
    encrypt_key: KeyLike
    hard: Limit
    soft: Limit
    idle: Limit
    proxy: End
    src_identity: Who
    dst_identity: Who
    sensitivity: Sensitivity
    private: bytes
    new_src: End
    new_dst: End


def add(satype: Name, spi: int, src: End, dst: End, **association: Unpack[NewAssociation]) -> MessageValue:
    """ADD (RFC 2367, 3.1.3): a new association. It is MATURE unless `state` says otherwise."""
    return _submit(MessageType.ADD, satype, spi, src, dst, association)


def update(satype: Name, spi: int, src: End, dst: End, **association: Unpack[NewAssociation]) -> MessageValue:
    """UPDATE (RFC 2367, 3.1.2): what GETSPI has begun becomes an association, or one in use gets other lifetimes.

    Linux wants algorithms and keys in either case, and changes no more than lifetimes; the KAME systems and OpenBSD
    refuse keys for an association in use.
    """
    return _submit(MessageType.UPDATE, satype, spi, src, dst, association)


def _submit(type: MessageType, satype: Name, spi: int, src: End, dst: End, given: NewAssociation) -> MessageValue:
    with building(type, given, NewAssociation) as build:
        kind = build.satype(satype)
        sa, more = described(build, kind, spi, src, dst, given, SAState.MATURE)
        return build.message(
            kind,
            [
                sa,
                *build.limits(given.get("hard"), given.get("soft")),
                build.lifetime(Ext.LIFETIME_IDLE, given.get("idle")),
                *build.ends(src, dst),
                build.maybe(Ext.ADDRESS_PROXY, given.get("proxy")),
                build.key(Ext.KEY_AUTH, given.get("auth_key")),
                build.cipher_key(kind, sa.encrypt, given.get("encrypt_key")),
                build.identity(Ext.IDENTITY_SRC, given.get("src_identity")),
                build.identity(Ext.IDENTITY_DST, given.get("dst_identity")),
                build.sensitivity(given.get("sensitivity")),
                build.private(given.get("private")),
                *more,
                build.maybe(Ext.NEW_ADDRESS_SRC, given.get("new_src")),
                build.maybe(Ext.NEW_ADDRESS_DST, given.get("new_dst")),
            ],
        )


def described(
    build: Builder, satype: SAType, spi: int, src: End, dst: End, given: Association, state: SAState
) -> tuple[SA, list[Part]]:
    """An association, and what RFC 2367 has no place for in it."""
    sa = SA(
        spi,
        state=build.state(given.get("state", state)),
        auth=build.auth(given.get("auth")),
        encrypt=build.encrypt(satype, given.get("encrypt"), given.get("compress")),
        flags=build.flags(given.get("flags", 0)),
    )
    sa, replay = build.with_replay(sa, given.get("replay", 0))
    sa, sa2 = build.with_mode(sa, given.get("mode"), given.get("reqid"))
    sa, natt = build.with_natt(sa, given.get("natt"), src, dst)
    return sa, [sa2, replay, *natt]


def delete(satype: Name, spi: int | None, src: End, dst: End, **common: Unpack[Common]) -> MessageValue:
    """DELETE (RFC 2367, 3.1.4): one association; without an SPI all between two addresses, where a system has that."""
    return _one(MessageType.DELETE, satype, spi, src, dst, common)


def get(satype: Name, spi: int, src: End, dst: End, **common: Unpack[Common]) -> MessageValue:
    """GET (RFC 2367, 3.1.5): what the engine knows of one association."""
    return _one(MessageType.GET, satype, spi, src, dst, common)


def delpair(satype: Name, spi: int, src: End, dst: End, **common: Unpack[Common]) -> MessageValue:
    """DELPAIR of illumos: an association and the other one of its pair."""
    return _one(MessageType.DELPAIR, satype, spi, src, dst, common)


def delpair_state(satype: Name, spi: int, src: End, dst: End, **common: Unpack[Common]) -> MessageValue:
    """DELPAIR_STATE of illumos: a pair, if its associations are in a state that allows it."""
    return _one(MessageType.DELPAIR_STATE, satype, spi, src, dst, common)


def _one(type: MessageType, satype: Name, spi: int | None, src: End, dst: End, common: Common) -> MessageValue:
    with building(type, common) as build:
        return build.message(satype, [None if spi is None else SA(spi), *build.ends(src, dst)])


def getspi(
    satype: Name,
    src: End,
    dst: End,
    min: int | None = None,
    max: int | None = None,
    *,
    mode: Name | None = None,
    reqid: int | None = None,
    proxy: End | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """GETSPI (RFC 2367, 3.1.1): an SPI out of a range, both ends included, or else of all that IANA leaves free."""
    with building(MessageType.GETSPI, common) as build:
        kind = build.satype(satype)
        lowest, highest = FREE_CPIS if kind is SAType.IPCOMP else FREE_SPIS
        return build.message(
            kind,
            [
                *build.ends(src, dst),
                build.maybe(Ext.ADDRESS_PROXY, proxy),
                SPIRange(lowest if min is None else min, highest if max is None else max),
                build.sa2(mode, reqid),
            ],
        )


def updatepair(
    satype: Name,
    spi: int,
    src: End,
    dst: End,
    *,
    pair: int | None = None,
    hard: Limit | None = None,
    soft: Limit | None = None,
    idle: Limit | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """UPDATEPAIR of illumos: lifetimes for both associations of a pair, or the SPI of the one to pair with."""
    with building(MessageType.UPDATEPAIR, common) as build:
        return build.message(
            satype,
            [
                SA(spi),
                *build.limits(hard, soft),
                build.lifetime(Ext.LIFETIME_IDLE, idle),
                *build.ends(src, dst),
                None if pair is None else Pair(pair),
            ],
        )


def grpspis(
    satype: Name, spi: int, dst: End, satype2: Name, spi2: int, dst2: End, **common: Unpack[Common]
) -> MessageValue:
    """GRPSPIS of OpenBSD: two associations whose packets go through both, the first one's first."""
    with building(MessageType.GRPSPIS, common) as build:
        second = [
            SA(spi2, exttype=Ext.SECOND_SA),
            build.address(Ext.SECOND_DST, dst2),
            SecondSAType(build.satype(satype2)),
        ]
        return build.message(satype, [SA(spi), build.address(Ext.ADDRESS_DST, dst), *second])
