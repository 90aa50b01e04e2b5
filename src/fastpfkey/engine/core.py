"""What all parts of an engine share: its data, its time, and how messages leave it."""

from __future__ import annotations

import random as randomness
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..spec.delivery import DELIVERIES, ERROR, Audience, Group
from ..spec.grammar import grammar
from ..spec.model import HEADER_SIZE, LONGEST_MESSAGE, WORD, Dialect
from ..spec.profile import Profile
from ..spec.terms import MessageType, SAState, SAType
from ..wire.dialects import Header
from ..wire.sockaddr import IPAddress
from .columns import Octets, columns, rows_as_bytes
from .framing import Framing
from .identity import ends_of, packed, place_key
from .pairs import Pairs
from .policy import Policies
from .port import Port
from .records import MOST, Records
from .registry import Registry
from .spis import LARGEST_CPI, LOWEST
from .store import Slots, Store
from .wheel import Wheel

if TYPE_CHECKING:
    from .acquires import Pending
    from .dumps import Dump
    from .moulds import Mould

CPI_RULE = "R-2.3.1-02"
"""The rule that an IPComp CPI has 16 bits."""

Authorize = Callable[[Port, str], bool]


def anybody(port: Port, operation: str) -> bool:
    """Trust everyone with everything."""
    return True


@dataclass
class Core:
    """The state of one engine."""

    dialect: Dialect
    profile: Profile
    clock: Callable[[], float]
    epoch: float
    """Unix time at which the clock showed 0."""
    random: randomness.Random
    authorize: Authorize
    ports: dict[int, Port] = field(default_factory=dict)
    opened: int = 0
    """Ports that were ever opened, which are numbered."""
    store: Store = field(default_factory=Store)
    wheel: Wheel = field(default_factory=Wheel)
    pending: dict[int, Pending] = field(default_factory=dict)
    """Requests for associations by their sequence number."""
    asked: dict[Hashable, Pending] = field(default_factory=dict)
    """The same by what they ask for."""
    dumps: dict[int, Dump] = field(default_factory=dict)
    """Running dumps by the number of their port."""
    now: float = 0.0
    """The time that the clock showed when the engine was last called."""
    moulds: dict[int, list[Mould]] = field(default_factory=dict)
    """What requests were found to have in common, by length; forgotten when they may be judged otherwise."""
    acquire_seq: int = 0
    owners: dict[int, object] = field(default_factory=dict)
    """Whose alone an association is, by its serial number."""

    def __post_init__(self) -> None:
        # What the RFC's grammar judges is a dialect of no system, so that no system's rules are mixed in.
        by_rfc = self.profile.grammar == "rfc2367" != self.dialect.name
        judged = self.dialect.derive(f"{self.dialect.name} by the RFC") if by_rfc else self.dialect
        self.framing = Framing(judged)
        self.records = Records(self.framing, self.profile)
        self.deliveries = DELIVERIES[self.profile.deliveries]
        self.grammar = grammar(judged)
        self.store.moved.append(self.wheel.remap)
        self.policies = Policies()
        self.algorithms = Registry(self.dialect, self.profile)
        self.pairs = Pairs(self.store, self.records)
        self.wraps = self.profile.wraps and self.dialect.wraps
        known = self.dialect.terms["satype"].numbers
        self.by_ends = frozenset(known[item] for item in self.profile.ends_identify if item in known)
        """Wire numbers of the SA types whose associations are told apart by their addresses."""

    def errno(self, name: str) -> int:
        """The dialect's number of an error; EINVAL's for one that it does not list."""
        return self.dialect.errnos.get(name, self.dialect.errnos.get("EINVAL", 22))

    def wall(self, when: float) -> int:
        """Unix time at some time of the clock, as far as a message can say it; 0 for never."""
        return min(int(when + self.epoch), MOST) if when < float("inf") else 0

    # Identity

    def key(self, satype: int, dst: IPAddress, spi: int, src: IPAddress | None = None) -> bytes:
        """The identity of an association. `satype` is a wire number."""
        if src is not None and satype in self.by_ends:
            return _ends_key(satype, packed(dst), packed(src))
        if self.profile.unique == "spi":
            return spi.to_bytes(4, "big")
        base = bytes([satype]) + spi.to_bytes(4, "big") + packed(dst)
        told = src is not None and self.dialect.terms["satype"].canonical.get(satype) in self.profile.source_identifies
        return base + packed(src) if told and src is not None else base

    def spi_bounds(self, satype: SAType) -> tuple[int, int]:
        """The lowest and the highest SPI that an ADD may install."""
        if satype is SAType.TCPSIGNATURE and self.profile.tcp_spi is not None:
            return self.profile.tcp_spi, self.profile.tcp_spi
        ipsec = satype in (SAType.AH, SAType.ESP)
        least = 0 if self.profile.spi_zero or satype in self.profile.ends_identify else 1
        lowest = LOWEST if ipsec and not self.profile.reserved_spis else least
        short = satype == SAType.IPCOMP and CPI_RULE not in self.profile.tolerates
        return lowest, LARGEST_CPI if short else 0xFFFFFFFF

    def keys(self, satypes: Octets | int, spis: Octets, dsts: Octets, srcs: Octets) -> list[bytes]:
        """The same of many: SPIs in network order as rows of 4 bytes, addresses as rows of 16."""
        found = self._keys_with_spis(satypes, spis, dsts, srcs)
        by_ends = np.broadcast_to(np.isin(satypes, list(self.by_ends)), len(spis))
        kinds = np.broadcast_to(satypes, len(spis))
        for place in np.flatnonzero(by_ends).tolist():
            found[place] = _ends_key(int(kinds[place]), dsts[place].tobytes(), srcs[place].tobytes())
        return found

    def _keys_with_spis(self, satypes: Octets | int, spis: Octets, dsts: Octets, srcs: Octets) -> list[bytes]:
        """Identities by SPI, of all."""
        if self.profile.unique == "spi":
            return rows_as_bytes(spis)
        known = self.dialect.terms["satype"].numbers
        told = np.isin(satypes, [known[item] for item in self.profile.source_identifies if item in known])
        columns = (np.broadcast_to(satypes, len(spis))[:, None], spis, dsts)
        short = rows_as_bytes(np.concatenate(columns, axis=1, dtype=np.uint8, casting="unsafe"))
        if not told.any():
            return short
        sources = rows_as_bytes(srcs)
        return [
            key + src if use else key
            for key, src, use in zip(short, sources, np.broadcast_to(told, len(spis)).tolist(), strict=True)
        ]

    def key_at(self, slot: int) -> bytes:
        """The identity of a stored association."""
        row = self.store.rows[slot]
        if row["acquire"]:
            return place_key(int(row["acquire"]))
        sa, src, dst = ends_of(self.records.values(self.store.record(slot)))
        return self.key(int(row["satype"]), dst, sa.spi, src)

    def keys_of(self, slots: Slots) -> list[bytes]:
        """The identities of many."""
        satypes = self.store.rows["satype"][slots]
        found = self.keys_in(satypes, self.store.records(slots))
        if found is None:
            raise ValueError("a stored record cannot be read")
        waiting = self.store.rows["acquire"][slots]
        for place in np.flatnonzero(waiting).tolist():
            found[place] = place_key(int(waiting[place]))
        return found

    def keys_in(self, satypes: Octets, records: Octets) -> list[bytes] | None:
        """The identities that records of these types have, back to back; None if they are no records of them."""
        found = columns(self.framing, records, len(satypes), ("spi", "dst", "src", "dst_family", "src_family"))
        if found is None or not (np.isin(found["dst_family"], (4, 6)) & np.isin(found["src_family"], (4, 6))).all():
            return None
        spis = found["spi"].astype(">u4").view(np.uint8).reshape(-1, 4)
        return self.keys(satypes, spis, found["dst"], found["src"])

    def find(self, satype: int, src: IPAddress | None, dst: IPAddress, spi: int) -> int:
        """The slot of an association; -1 if there is none. A source of None matches any."""
        slot = self.store.find(self.key(satype, dst, spi, src))
        if slot < 0:
            return -1
        if self.profile.unique == "spi" or (src is not None and self.profile.match_source):
            record = self.store.record(slot)
            _, found_src, found_dst = ends_of(self.records.values(record))
            if int(self.store.rows[slot]["satype"]) != satype or packed(found_dst) != packed(dst):
                return -1
            if src is not None and self.profile.match_source and packed(found_src) != packed(src):
                return -1
        return slot

    @property
    def full(self) -> bool:
        """Whether there are as many associations as there may be."""
        return 0 < self.profile.most_associations <= self.store.alive

    def state(self, slot: int) -> SAState:
        """The state of a stored association."""
        return SAState(int(self.store.rows[slot]["state"]))

    # What leaves the engine

    def audience(self, audience: Audience, sender: Port | None, satype: int) -> list[list[Port]]:
        """The ports of an audience, round by round."""
        return [
            [
                port
                for port in self.ports.values()
                if self._belongs(port, groups, sender, satype) and (port is sender or self.authorize(port, "hear"))
            ]
            for groups in audience.rounds
        ]

    def _belongs(self, port: Port, groups: frozenset[Group], sender: Port | None, satype: int) -> bool:
        return (
            Group.ALL in groups
            or (Group.SENDER in groups and port is sender)
            or (Group.ANY in groups and bool(port.registered))
            or (Group.REGISTERED in groups and satype in port.registered)
        )

    def say(self, message: bytes, audience: Audience, sender: Port | None) -> None:
        """Deliver a message of the engine, and copies to promiscuous sockets.

        Keys go to the sender alone, unless the profile is faithful to kernels that show them to everybody.
        """
        satype = self.framing.header(message).satype
        public = message if self.profile.faithful_keys else b""  # made if somebody hears it
        for ports in self.audience(audience, sender, satype):
            heard = set(map(id, ports))
            for port in list(self.ports.values()):
                if port.promiscuous and ports:
                    self._copy(port, message, sender=None, own=port is sender)
                if port is sender and id(port) in heard:
                    port.put(message)
                elif id(port) in heard:
                    public = public or self.framing.without_secrets(message)
                    port.put(public)

    def copy_answer(self, message: bytes, sender: Port) -> None:
        """Show an answer that goes to one socket to promiscuous ones."""
        for port in list(self.ports.values()):
            if port.promiscuous:
                self._copy(port, message, None, own=port is sender)

    def copy_request(self, message: bytes, sender: Port) -> None:
        """Show a request to promiscuous sockets, before anybody has looked at it."""
        for port in list(self.ports.values()):
            if port.promiscuous and (port is not sender or self.profile.copies_to_sender):
                self._copy(port, message, sender, own=port is sender)

    def _copy(self, port: Port, message: bytes, sender: Port | None, own: bool) -> None:
        """One promiscuous copy."""
        if not own and not self.profile.faithful_keys:
            message = self.framing.blanked(message)
        if self.wraps:
            if HEADER_SIZE + len(message) > LONGEST_MESSAGE:
                port.dropped += 1
                return
            message = message + bytes(-len(message) % 8)
            message = self.framing.message(MessageType.PROMISC, 0, message, seq=0 if sender is None else sender.pid)
        port.put(message)

    def answer(self, port: Port, type: MessageType, message: bytes) -> None:
        """Deliver the answer to a request of this type."""
        self.say(message, self.deliveries.answer(type), port)

    def error(self, port: Port, header: Header, raw: bytes, errno: str) -> None:
        """Answer a request with an error. What is no message of whole words cannot be sent back."""
        if self.profile.request_errors and len(raw) % WORD == 0 and len(raw) <= LONGEST_MESSAGE:
            whole = raw if self.profile.faithful_keys else self.framing.blanked(raw)
            message = self.framing.relabelled(whole, header, self.errno(errno))
        else:
            message = self.framing.relabelled(raw[:HEADER_SIZE], header, self.errno(errno))
        self.say(message, self.deliveries.answers[ERROR], port)


def _ends_key(satype: int, dst: bytes, src: bytes) -> bytes:
    """The identity of an association that its addresses identify."""
    return bytes([satype]) + dst + src
