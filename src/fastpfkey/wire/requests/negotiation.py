"""Between engine and key managers: what is needed, what could not be had, what has expired or moved.

Which of these go to an engine and which come from one differs between systems; `check` tells for a direction.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from ...spec.model import Dialect
from ...spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, MessageType, SAState
from ...spec.terms import ExtensionType as Ext
from ..extensions import SA, Combination, Lifetime, Proposal, Sensitivity
from ..extensions_illumos import ExtendedProposal
from ..extensions_ipsec import NATTPort
from ..faults import named, told_of
from ..message import MessageValue
from . import values
from .associations import Association, described
from .building import Builder, Common, building
from .making import Part
from .values import End, Limit, Name, Protocol, Who

Proposed = Proposal | ExtendedProposal | Iterable[Combination]
"""Combinations of algorithms, the preferred one first."""

REPLAY_WINDOW = 32
"""Packets that a proposal asks for unless it says otherwise, as every kernel's does."""


def combination(
    auth: Name = AuthAlgorithm.NONE,
    encrypt: Name = EncryptAlgorithm.NONE,
    *,
    compress: Name | None = None,
    auth_bits: tuple[int, int] = (0, 0),
    encrypt_bits: tuple[int, int] = (0, 0),
    hard: Limit = 0,
    soft: Limit = 0,
    flags: int = 0,
) -> Combination:
    """One combination of a proposal: algorithms, the shortest and longest keys in bits, and lifetimes.

    `compress` is for IPCOMP, in place of the encryption.
    """
    with told_of("combination"):
        with named("auth"):
            authentication = values.term(AuthAlgorithm, auth)
        with named("encrypt"):
            second = values.term(*((EncryptAlgorithm, encrypt) if compress is None else (CompressAlgorithm, compress)))
        with named("hard"):
            last = values.lifetime(Ext.LIFETIME_HARD, hard)
        with named("soft"):
            first = values.lifetime(Ext.LIFETIME_SOFT, soft)
        numbers = (
            values.number("flags", flags),
            *values.numbers("auth_bits", auth_bits),
            *values.numbers("encrypt_bits", encrypt_bits),
        )
    return Combination(
        authentication,
        second,
        *numbers,
        soft_allocations=first.allocations,
        hard_allocations=last.allocations,
        soft_bytes=first.bytes,
        hard_bytes=last.bytes,
        soft_addtime=first.addtime,
        hard_addtime=last.addtime,
        soft_usetime=first.usetime,
        hard_usetime=last.usetime,
    )


def acquire(
    satype: Name,
    src: End,
    dst: End,
    proposal: Proposed,
    *,
    proto: Protocol = None,
    proxy: End | None = None,
    src_identity: Who | None = None,
    dst_identity: Who | None = None,
    sensitivity: Sensitivity | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """ACQUIRE (RFC 2367, 3.1.6): associations are needed between two ends, with one of these combinations."""
    with building(MessageType.ACQUIRE, common) as build:
        parts = _session(build, src, dst, proto, proxy, src_identity, dst_identity, sensitivity)
        return build.message(satype, [*parts, _proposal(proposal)])


def pchange(
    satype: Name,
    src: End,
    dst: End,
    proposal: Proposed | None = None,
    *,
    proto: Protocol = None,
    src_identity: Who | None = None,
    dst_identity: Who | None = None,
    sensitivity: Sensitivity | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """PCHANGE (RFC 2367, B): the demands of a socket have changed."""
    with building(MessageType.PCHANGE, common) as build:
        parts = _session(build, src, dst, proto, None, src_identity, dst_identity, sensitivity)
        return build.message(satype, [*parts, None if proposal is None else _proposal(proposal)])


def _session(
    build: Builder,
    src: End,
    dst: End,
    proto: Protocol,
    proxy: End | None,
    src_identity: Who | None,
    dst_identity: Who | None,
    sensitivity: Sensitivity | None,
) -> list[Part]:
    with named("proto"):
        number = values.protocol(proto, 0)
    return [
        *build.ends(src, dst, number),
        build.maybe(Ext.ADDRESS_PROXY, proxy),
        build.identity(Ext.IDENTITY_SRC, src_identity),
        build.identity(Ext.IDENTITY_DST, dst_identity),
        build.sensitivity(sensitivity),
    ]


def _proposal(value: Proposed) -> Proposal | ExtendedProposal:
    if isinstance(value, Proposal | ExtendedProposal):
        return value
    with named(Ext.PROPOSAL.label):
        return Proposal(REPLAY_WINDOW, combinations=values.several(Combination, value, "a combination"))


def acquire_failure(
    satype: Name, errno: int, *, seq: int, pid: int = 0, dialect: str | Dialect = "host"
) -> MessageValue:
    """ACQUIRE (RFC 2367, 3.1.6): a key manager could not serve the request with this sequence number."""
    with building(MessageType.ACQUIRE, {"seq": seq, "pid": pid, "dialect": dialect}) as build:
        return build.message(satype, [], errno=errno)


def inverse_acquire(
    src: End,
    dst: End,
    *,
    proto: Protocol = None,
    inner_src: End | None = None,
    inner_dst: End | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """INVERSE_ACQUIRE of illumos: what would an ACQUIRE between these ends ask for?"""
    with building(MessageType.INVERSE_ACQUIRE, common) as build:
        with named("proto"):
            number = values.protocol(proto, 0)
        inner = [build.maybe(Ext.ADDRESS_PROXY, inner_src, number), build.maybe(Ext.INNER_DST, inner_dst, number)]
        return build.message(0, [*build.ends(src, dst, number), *inner])


def expire(
    satype: Name,
    spi: int,
    src: End,
    dst: End,
    current: Lifetime,
    *,
    hard: Limit | None = None,
    soft: Limit | None = None,
    **association: Unpack[Association],
) -> MessageValue:
    """EXPIRE (RFC 2367, 3.1.8): the hard or soft lifetime of an association has passed; give the one that has.

    The state is DEAD after the hard one and DYING after the soft one, unless given.
    """
    with building(MessageType.EXPIRE, association, Association) as build:
        kind = build.satype(satype)
        state = SAState.DYING if hard is None else SAState.DEAD
        sa, more = described(build, kind, spi, src, dst, association, state)
        limits = [
            build.lifetime(Ext.LIFETIME_CURRENT, current),
            build.lifetime(Ext.LIFETIME_HARD, hard),
            build.lifetime(Ext.LIFETIME_SOFT, soft),
        ]
        return build.message(kind, [sa, *limits, *build.ends(src, dst), *more])


def nat_t_new_mapping(
    satype: Name, spi: int, src: End, sport: int, dst: End, dport: int, **common: Unpack[Common]
) -> MessageValue:
    """NAT_T_NEW_MAPPING: the peer behind a NAT is seen at another address or port."""
    with building(MessageType.NAT_T_NEW_MAPPING, common) as build:
        old, new = build.ends(src, dst)
        return build.message(
            satype, [SA(spi), old, NATTPort(Ext.NATT_SPORT, sport), new, NATTPort(Ext.NATT_DPORT, dport)]
        )
