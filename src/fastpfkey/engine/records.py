"""What an association looks like: its record for GET and DUMP, and what of it each other message shows.

A record is a dump message. It is made once from typed values, normalised as the profile says, and cut up afterwards:
every answer about an association is a choice of its record's extensions.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from ..spec.model import HEADER_SIZE
from ..spec.profile import Profile
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, Mode, SAState
from ..wire.extensions import SA, Address, Key, Lifetime
from ..wire.extensions_ipsec import SA2, NATTEncapsulation, NATTPort
from ..wire.sockaddr import IPAddress, SocketAddress
from ..wire.value import ExtensionValue
from .framing import SECRETS, Framing

Values = Mapping[Ext, ExtensionValue]

LIFETIMES = (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT, Ext.LIFETIME_CURRENT)

ANY_PROTO = 255

_STATE = 9
"""Where in the extension of an association its state stands, on every system."""

_SPI_ONLY = 8
"""Bytes of that extension up to and including the SPI."""

_TIMES = struct.Struct("=IQQQ")
MOST_ALLOCATIONS, MOST = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
"""What the counters of a lifetime can say; they stay there rather than start again."""

_COUNTERS = 4
"""Where in a lifetime its numbers begin."""


class Choice(NamedTuple):
    """What of a record one kind of message shows."""

    order: tuple[Ext, ...] | None
    """Extensions in order; None: as the record has them."""
    without: frozenset[Ext]
    spi_only: bool
    either: bool
    """Whether LIFETIME_HARD stands for one of hard and soft."""


def _choice(text: str) -> Choice:
    words = text.split()
    without = {Ext[word[1:]] for word in words if word.startswith("-")}
    if words[0] in ("all", "public"):
        without |= set(SECRETS) if words[0] == "public" else set()
        return Choice(None, frozenset(without), False, False)
    names = ["LIFETIME_HARD" if word == "LIFETIME" else word.rstrip("*") for word in words]
    return Choice(tuple(Ext[name] for name in names), frozenset(), "SA*" in words, "LIFETIME" in words)


class Records:
    """Makes records, and messages from them, for one profile."""

    def __init__(self, framing: Framing, profile: Profile) -> None:
        self.framing = framing
        self.profile = profile
        words = profile.record.split()
        self.order = tuple(Ext[word.lstrip("+")] for word in words)
        self.always = frozenset(Ext[word[1:]] for word in words if word.startswith("+"))
        self._choices = {name: _choice(text) for name, text in profile.shown.items()}
        flags = framing.dialect.flags
        names = profile.kept_flags
        self._flags = 0xFFFFFFFF if names is None else sum(flags.get(name, 0) for name in names)

    def normal(self, values: Values, state: SAState) -> dict[Ext, ExtensionValue]:
        """The values of a request as they are stored: those that records have, brought into the profile's form."""
        found = {item: values[item] for item in self.order if item in values}
        sa = found.get(Ext.SA)
        if isinstance(sa, SA):
            clamp = self.profile.clamp_replay
            found[Ext.SA] = replace(
                sa, state=state, replay=min(sa.replay, clamp) if clamp else sa.replay, flags=sa.flags & self._flags
            )
        for item in (Ext.KEY_AUTH, Ext.KEY_ENCRYPT):
            key = found.get(item)
            if isinstance(key, Key) and not key.bits:
                del found[item]
        if self.profile.plain_addresses:
            for item in (Ext.ADDRESS_SRC, Ext.ADDRESS_DST):
                found[item] = plain(found[item])
        for item in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
            limit = found.get(item)
            if isinstance(limit, Lifetime) and limit.bytes == self.profile.no_limit:
                found[item] = replace(limit, bytes=0)
        self._complete(found, state)
        return found

    def _complete(self, found: dict[Ext, ExtensionValue], state: SAState) -> None:
        """Add what records always have."""
        for item in LIFETIMES:
            if item in self.always:
                found.setdefault(item, Lifetime(item))
        if Ext.SA2 in self.always:
            sa2 = found.setdefault(Ext.SA2, SA2())
            if isinstance(sa2, SA2) and self.profile.transport_by_default:
                mode = Mode.TRANSPORT if sa2.mode == Mode.ANY else sa2.mode
                found[Ext.SA2] = replace(sa2, mode=mode, sequence=0)
        if Ext.ADDRESS_PROXY in self.always:
            if state == SAState.LARVAL:
                found.pop(Ext.ADDRESS_PROXY, None)
            else:
                self._select_source(found)
        if Ext.NATT_TYPE in found and isinstance(found[Ext.NATT_TYPE], NATTEncapsulation):
            for item in (Ext.NATT_SPORT, Ext.NATT_DPORT):
                found.setdefault(item, NATTPort(item, 0))

    def _select_source(self, found: dict[Ext, ExtensionValue]) -> None:
        """The source of the packets that an association is for, which its proxy is, and which by default is any."""
        src = found[Ext.ADDRESS_SRC]
        proxy = found.get(Ext.ADDRESS_PROXY)
        if not isinstance(proxy, Address) and isinstance(src, Address):
            any_host: IPAddress = IPv4Address(0) if src.family == 4 else IPv6Address(0)
            proxy = Address(Ext.ADDRESS_PROXY, SocketAddress(any_host))
        if not isinstance(proxy, Address):
            return
        found[Ext.ADDRESS_PROXY] = replace(proxy, proto=ANY_PROTO)
        if self.profile.source_is_no_proxy and isinstance(src, Address) and proxy.ip == src.ip:
            del found[Ext.ADDRESS_PROXY]

    def record(self, satype: int, values: Values) -> bytes:
        """The dump record of an association. Raises MisfitError for what the dialect cannot express."""
        body = self.framing.body((values[item] for item in self.order if item in values), satype)
        return self.framing.message(MessageType.DUMP, satype, body)

    def values(self, record: bytes) -> dict[Ext, ExtensionValue]:
        """The typed values of a record."""
        return {value.exttype: value for value in self.framing.view(record).extensions}

    def with_state(self, record: bytes, state: SAState) -> bytes:
        """The record with its association in another state."""
        at = self.framing.place(record, Ext.SA) + _STATE
        number = self.framing.dialect.terms["state"].number(state)
        return record[:at] + bytes([number]) + record[at + 1 :]

    def counters(self, record: bytes, allocations: int, octets: int, added: int, used: int) -> tuple[int, bytes]:
        """Where in a record its current lifetime's numbers lie, and the bytes of these; position 0 if it has none."""
        at = self.framing.place(record, Ext.LIFETIME_CURRENT) if record else 0
        return (at + _COUNTERS if at else 0), _TIMES.pack(allocations, octets, added, used)

    def shown(self, record: bytes, kind: str, which: Ext = Ext.LIFETIME_HARD) -> bytes:
        """What a message of this kind shows of a record: the bytes behind its header."""
        choice = self._choices[kind]
        if choice.order is None and not choice.without:
            return record[HEADER_SIZE:]
        parts = self.framing.parts(record)
        if choice.order is None:
            gone = {self.framing.number(item) for item in choice.without}
            return b"".join(part for number, part in parts.items() if number not in gone)
        found = []
        for item in choice.order:
            wanted = which if choice.either and item == Ext.LIFETIME_HARD else item
            part = parts.get(self.framing.number(wanted), b"")
            if choice.spi_only and item == Ext.SA and part:
                part = part[:_SPI_ONLY] + bytes(len(part) - _SPI_ONLY)
            found.append(part)
        return b"".join(found)


def plain(value: ExtensionValue) -> ExtensionValue:
    """An address as that of a host: without port and protocol, and with all its bits."""
    if not isinstance(value, Address) or value.ip is None:
        return value
    return Address(value.exttype, SocketAddress(value.ip, scope=value.scope), 0, value.ip.max_prefixlen)
