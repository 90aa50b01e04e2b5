"""Requests about all associations of a type, and about the socket itself: register, flush, dump, promiscuity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from ...spec.terms import Direction, MessageType, SAType
from ..conversions import as_number
from ..extensions_illumos import ExtendedDump, ExtendedRegister
from ..extensions_ipsec import Filter
from ..extensions_macos import SAStatistic, SAStatistics, SessionID
from ..faults import MisfitError, named
from ..message import Message, MessageValue
from . import values
from .building import Common, building
from .values import End, Name, Seconds


def register(
    satype: Name = SAType.UNSPEC, *, satypes: Iterable[Name] | None = None, **common: Unpack[Common]
) -> MessageValue:
    """REGISTER (RFC 2367, 3.1.7): the socket is a key manager's for an SA type; on illumos for several, `satypes`.

    Linux and the KAME systems answer UNSPEC with their algorithms.
    """
    with building(MessageType.REGISTER, common) as build:
        with named("satypes"):
            several = None if satypes is None else tuple(build.satype(item) for item in values.listed(satypes))
        return build.message(satype, [None if several is None else ExtendedRegister(several)])


def flush(satype: Name = SAType.UNSPEC, **common: Unpack[Common]) -> MessageValue:
    """FLUSH (RFC 2367, 3.1.9): delete all associations of an SA type, of every type if UNSPEC."""
    with building(MessageType.FLUSH, common) as build:
        return build.message(satype, [])


def dump(
    satype: Name = SAType.UNSPEC,
    *,
    filter: Filter | tuple[End | None, End | None] | None = None,
    timeout: Seconds | None = None,
    **common: Unpack[Common],
) -> MessageValue:
    """DUMP (RFC 2367, 3.1.10): tell all associations of an SA type, of every type if UNSPEC.

    `filter` is Linux's: the prefixes that source and destination lie in, None for either being anywhere. `timeout` is
    illumos's: only associations that were idle no longer.
    """
    with building(MessageType.DUMP, common) as build:
        with named("filter"):
            wanted = _filter(filter)
        with named("timeout"):
            idle = None if timeout is None else ExtendedDump(values.seconds(timeout))
        return build.message(satype, [wanted, idle])


def _filter(value: Filter | tuple[End | None, End | None] | None) -> Filter | None:
    if value is None or isinstance(value, Filter):
        return value
    src, dst = values.pair(value, "a Filter or a pair of prefixes")
    (family, saddr, splen), (other, daddr, dplen) = _prefix("src", src), _prefix("dst", dst)
    if family and other and family != other:
        raise MisfitError("the prefixes are of different families")
    return Filter(family or other, saddr, splen, daddr, dplen)


def _prefix(name: str, value: object) -> tuple[int, bytes, int]:
    if value is None:
        return 0, bytes(16), 0
    with named(name):
        sockaddr, prefixlen = values.end(value)
        if sockaddr.ip is None:
            raise MisfitError("an IP address is needed")
    ip = sockaddr.ip
    return ip.version, ip.packed.ljust(16, b"\0"), ip.max_prefixlen if prefixlen is None else prefixlen


def promisc(on: bool = True, *, payload: Message | None = None, **common: Unpack[Common]) -> MessageValue:
    """PROMISC (RFC 2367, A): let this socket hear all messages, or no longer; with a payload, hand that message on."""
    with building(MessageType.PROMISC, common) as build:
        with named("on"):
            number = int(values.one(bool, on, "true or false"))
        if payload is not None:
            number = 0
            if not isinstance(payload, Message):
                raise MisfitError(f"a message is needed, not {type(payload).__name__}", "payload")
        return build.message(build.dialect.terms["satype"].term(number), [], payload=payload)


def getsastat(session: tuple[int, int], direction: Name, spis: Iterable[int], **common: Unpack[Common]) -> MessageValue:
    """GETSASTAT of macOS: how much the associations with these SPIs were used."""
    with building(MessageType.GETSASTAT, common) as build:
        with named("direction"):
            way = values.term(Direction, direction)
        with named("spis"):
            wanted = tuple(SAStatistic(as_number(spi)) for spi in values.listed(spis))
        of = SessionID(values.numbers("session", session))
        return build.message(SAType.UNSPEC, [of, SAStatistics(way, wanted)])
