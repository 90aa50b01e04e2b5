"""Rules about an association's own values: SPI, algorithms, state, lifetimes, mode, UDP encapsulation."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.grammar import LIMIT_TYPES
from ...spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, Mode, NATTType, SAState, SAType
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType as Msg
from ..extensions import SA, Combination, Lifetime, Proposal, SPIRange
from ..extensions_ipsec import SA2, NATTEncapsulation, ReplayCounter
from ..facts import choice, places
from .rule import TO_ENGINE, Finding, rule, rules_in
from .subject import Subject

LARGEST_CPI = 0xFFFF
"""An IPComp CPI has 16 bits (RFC 3173)."""

LOWEST_SPI = 256
"""SPIs below are reserved by IANA (RFC 4302, 4303)."""

LIMITS = ("allocations", "bytes", "addtime", "usetime")


@rule("R-2.3.1-02", about=(SA, SPIRange))
def short_identifiers_have_leading_zeros(subject: Subject) -> Iterator[Finding]:
    """The CPI of an IPComp association is in the low 16 bits of the SPI."""
    if not subject.compresses:
        return
    for sa in subject.of(SA, Ext.SA):
        if sa.spi > LARGEST_CPI:
            yield Finding(f"an IPComp CPI has 16 bits, 0x{sa.spi:x} has more", Ext.SA)
    for wanted in subject.of(SPIRange):
        if wanted.max > LARGEST_CPI:
            yield Finding(f"an IPComp CPI has 16 bits, 0x{wanted.max:x} has more", Ext.SPIRANGE)


@rule("R-2.3.1-07", way=TO_ENGINE, about=(SA,))
def algorithms_make_sense(subject: Subject) -> Iterator[Finding]:
    """AH authenticates, and the algorithms are some that the dialect has and that can be set."""
    sa = subject.new_sa
    if sa is None:
        return
    if subject.satype == SAType.AH and sa.auth == AuthAlgorithm.NONE:
        yield Finding("AH without an authentication algorithm does nothing", Ext.SA)
    encrypt = subject.encrypt(sa)
    second = ("compression", CompressAlgorithm(sa.encrypt)) if encrypt is None else ("encryption", encrypt)
    for name, algorithm in (("authentication", subject.auth(sa)), second):
        if algorithm.is_unknown:
            yield Finding(f"{subject.dialect.name} has no {name} algorithm {algorithm.wire}", Ext.SA)
    if encrypt in subject.grammar.unsettable:
        yield Finding(f"{subject.dialect.name} sets up no association with {encrypt.name} here", Ext.SA)


@rule("R-2.3.2-02", "warning", way=TO_ENGINE, about=(SA,))
def associations_end_some_day(subject: Subject) -> Iterator[Finding]:
    """A new association has some limit."""
    limits = subject.of(Lifetime, Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT)
    if subject.new_sa is not None and not any(getattr(limit, name) for limit in limits for name in LIMITS):
        yield Finding("the association has no limit, so it never ends")


@rule("R-2.3.9-02", about=(SPIRange,))
def ranges_go_upwards(subject: Subject) -> Iterator[Finding]:
    """The highest SPI is not below the lowest."""
    for wanted in subject.of(SPIRange):
        if wanted.max < wanted.min:
            yield Finding(f"the range ends at 0x{wanted.max:x}, below its start 0x{wanted.min:x}", Ext.SPIRANGE)


@rule("R-3.1.2-06", way=TO_ENGINE, about=(SA,))
def updates_are_mature(subject: Subject) -> Iterator[Finding]:
    """An UPDATE submits an association that is ready for use."""
    if subject.type == Msg.UPDATE and subject.sa is not None and subject.sa.state not in subject.grammar.states:
        yield Finding(f"an UPDATE submits state MATURE, not {SAState(subject.sa.state).name}", Ext.SA)


@rule("R-3.1.3-04", way=TO_ENGINE, about=(SA,))
def additions_are_mature(subject: Subject) -> Iterator[Finding]:
    """An ADD submits an association that is ready for use."""
    if subject.type == Msg.ADD and subject.sa is not None and subject.sa.state != SAState.MATURE:
        yield Finding(f"an ADD submits state MATURE, not {SAState(subject.sa.state).name}", Ext.SA)


@rule("R-3.1.8-11", "warning", about=(Lifetime, Proposal))
def soft_limits_come_first(subject: Subject) -> Iterator[Finding]:
    """A soft limit above the hard one is never reached."""
    level = subject.grammar.soft_above_hard
    pairs = zip(subject.of(Lifetime, Ext.LIFETIME_SOFT), subject.of(Lifetime, Ext.LIFETIME_HARD), strict=False)
    for soft, hard in pairs:
        for name in LIMITS:
            if getattr(soft, name) > getattr(hard, name) > 0:
                yield Finding(f"the soft limit of {name} is above the hard one", Ext.LIFETIME_SOFT, level)
    for proposal in subject.of(Proposal):
        for number, combination in enumerate(proposal.combinations):
            for name in LIMITS:
                if _unreachable(combination, name):
                    sentence = f"in combination {number} the soft limit of {name} is above the hard one"
                    yield Finding(sentence, Ext.PROPOSAL)


def _unreachable(combination: Combination, name: str) -> bool:
    soft: int = getattr(combination, f"soft_{name}")
    hard: int = getattr(combination, f"hard_{name}")
    return soft > hard > 0


@rule("R-3.5-04", way=TO_ENGINE, about=(SA,))
def encryption_is_named_where_there_is_any(subject: Subject) -> Iterator[Finding]:
    """NONE is for types that cannot encrypt; ESP without secrecy uses NULL."""
    sa = subject.new_sa
    if sa is None:
        return
    if subject.satype == SAType.ESP and sa.encrypt == EncryptAlgorithm.NONE:
        yield Finding("ESP has an encryption algorithm, if only NULL", Ext.SA)
    if subject.satype == SAType.AH and sa.encrypt != EncryptAlgorithm.NONE:
        yield Finding("AH cannot encrypt", Ext.SA)


@rule("X-lifetimes", way=TO_ENGINE)
def limits_come_in_pairs(subject: Subject) -> Iterator[Finding]:
    """Linux and the KAME systems take hard and soft lifetime both or neither."""
    if subject.type in (Msg.ADD, Msg.UPDATE):
        for missing in subject.grammar.demanded(subject.by_type.keys()):
            (present,) = LIMIT_TYPES - {missing}
            yield Finding(f"there is {present.name}, but no {missing.name}", missing)


@rule("X-spi", "warning", way=TO_ENGINE, about=(SA, SPIRange))
def reserved_spis_are_left_alone(subject: Subject) -> Iterator[Finding]:
    """SPIs below 256 are IANA's, and FreeBSD refuses them."""
    if subject.satype not in (SAType.AH, SAType.ESP):
        return
    sa = subject.sa
    if sa is not None and subject.type in (Msg.ADD, Msg.UPDATE) and sa.spi < LOWEST_SPI:
        yield Finding(f"SPI {sa.spi} is reserved", Ext.SA, subject.grammar.lowest_spi)
    for wanted in subject.of(SPIRange):
        if wanted.min < LOWEST_SPI:
            yield Finding(f"SPI {wanted.min} is reserved", Ext.SPIRANGE)


@rule("X-mode", way=TO_ENGINE, about=(SA2,))
def mode_is_known(subject: Subject) -> Iterator[Finding]:
    """The mode is one that the kernel has for associations."""
    for sa2 in subject.of(SA2):
        if sa2.mode not in subject.grammar.modes:
            yield Finding(f"{subject.dialect.name} has no mode {Mode(sa2.mode).name} for associations", Ext.SA2)


@rule("X-natt", way=TO_ENGINE, about=(NATTEncapsulation,))
def encapsulation_is_known(subject: Subject) -> Iterator[Finding]:
    """UDP encapsulation is of a kind that the kernel has, and for ESP alone."""
    for natt in subject.of(NATTEncapsulation):
        if natt.type not in subject.grammar.natt_types:
            yield Finding(f"{subject.dialect.name} has no UDP encapsulation {NATTType(natt.type).name}", Ext.NATT_TYPE)
        elif natt.type and subject.satype in (SAType.AH, SAType.IPCOMP):
            yield Finding(f"UDP encapsulates ESP, not {subject.satype.name}", Ext.NATT_TYPE)


@rule("X-natt-ports", way=TO_ENGINE, about=(SA,))
def ports_have_their_room(subject: Subject) -> Iterator[Finding]:
    """On macOS an association that is encapsulated, or moves, is the longer one that has ports."""
    moves = subject.type == Msg.MIGRATE
    sa = subject.by_type.get(Ext.SA) if moves else subject.sa
    place = next(iter(places(subject.dialect, "natt_dport")), None)
    if not isinstance(sa, SA) or place is None or place.extension is not Ext.SA or getattr(sa, place.field) is not None:
        return
    flags = choice(subject.dialect, "natt_type")
    if moves:
        yield Finding("an association that moves needs the structure with ports", Ext.SA)
    elif flags is not None and sa.flags & subject.dialect.mask(flags.flags):
        yield Finding("the flags say UDP encapsulation, but the association has no room for ports", Ext.SA)


@rule("X-replay", way=TO_ENGINE, about=(SA,))
def windows_are_not_too_wide(subject: Subject) -> Iterator[Finding]:
    """The replay window is one that the kernel has: OpenBSD refuses a larger one, Linux makes it smaller."""
    sa, most = subject.new_sa, subject.grammar.largest_window
    if sa is not None and most and sa.replay > most:
        text = f"{subject.dialect.name} has replay windows of up to {most} packets, not {sa.replay}"
        yield Finding(text, Ext.SA, subject.grammar.larger_windows)


@rule("X-counter", way=TO_ENGINE, about=(ReplayCounter,))
def counters_begin_with_their_low_half(subject: Subject) -> Iterator[Finding]:
    """A replay counter of 64 bits comes with one of 32: illumos refuses it alone."""
    for counter in subject.of(ReplayCounter):
        if counter.count64 and not counter.count:
            yield Finding("there is a replay counter of 64 bits, but none of 32", counter.exttype)


@rule("X-reqid", "warning", way=TO_ENGINE, about=(SA2,))
def request_ids_are_not_cut(subject: Subject) -> Iterator[Finding]:
    """The request id of an association has as many bits as the kernel keeps; NetBSD keeps 16."""
    for sa2 in subject.of(SA2):
        if sa2.reqid > subject.grammar.largest_reqid:
            yield Finding(f"{subject.dialect.name} keeps fewer bits of request id {sa2.reqid}", Ext.SA2)


RULES = rules_in(globals())
"""The rules of this module."""
