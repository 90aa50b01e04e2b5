"""Facts of an association, moved to where another system has them.

Flags go by their names. The mode, UDP encapsulation and the replay window are read by the message's own attributes and
written to the places that the target has for them; salt that stands behind an encryption key goes into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..spec.model import Dialect, Source
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import Mode, NATTType
from .encapsulation import Encapsulation, placed
from .extensions import SA, Address, Key, Proposal
from .extensions_ipsec import SA2, ReplayWindow
from .facts import choice, places
from .fitting import ANY_PROTOCOL
from .value import ExtensionValue, Secret

if TYPE_CHECKING:
    from .message import Message

NATT = ("natt_type", "natt_sport", "natt_dport", "natt_oa")
UNIT = 8
"""Packets in a byte of a replay bitmap."""

LARGEST_BITMAP = 255 * UNIT


def moved(message: Message, target: Dialect, lost: list[str]) -> list[ExtensionValue]:
    """The extensions of a message, each where the target has its facts. Adds what has no place there to `lost`."""
    extensions = [_address(_proposal(item, message.dialect, target, lost), target) for item in message.extensions]
    if message.key_encrypt is not None:
        extensions = [_without_extra(item, lost) if item.exttype is Ext.KEY_ENCRYPT else item for item in extensions]
    if message.sa is None:
        return extensions
    move = _Move(message, target, lost, extensions, message.sa)
    move.flags()
    move.mode()
    move.encapsulation()
    move.window()
    return [move.sa if item.exttype is Ext.SA else item for item in move.extensions]


@dataclass
class _Move:
    """An association on its way."""

    message: Message
    target: Dialect
    lost: list[str]
    extensions: list[ExtensionValue]
    sa: SA

    def flags(self) -> None:
        """Flags by name, but for those that say what the target may say otherwise."""
        source = self.message.dialect
        facts = [choice(source, column) for column in ("mode", "natt_type")]
        kept = self.sa.flags & ~source.mask(name for fact in facts if fact is not None for name in fact.flags)
        self.sa = replace(self.sa, flags=named_flags(kept, source, self.target, "sa.flags", self.lost))

    def mode(self) -> None:
        """The mode as a number or as a flag."""
        source, target = choice(self.message.dialect, "mode"), choice(self.target, "mode")
        mode, sa2 = self.message.mode, self.message.sa2
        if target is not None:
            if sa2 is not None:
                self.without(Ext.SA2)
                names = ("reqid", "sequence", "alwaysexpire", "flags")
                self.lost += [f"sa2.{name}" for name in names if getattr(sa2, name)]
                self.lost += [] if mode in (Mode.ANY, target.chosen, target.otherwise) else ["sa2.mode"]
            if mode == target.chosen:
                self.sa = replace(self.sa, flags=self.sa.flags | self.target.mask(target.flags))
        elif source is not None and Ext.SA2 in self.target.by_type:
            self.extensions.append(SA2(mode=Mode(mode or 0)))
        elif source is not None and mode == source.chosen:
            self.lost.append("mode")

    def encapsulation(self) -> None:
        """UDP encapsulation: its type, both ports and the original address."""
        message, here, there = self.message, _natt(self.message.dialect), _natt(self.target)
        kind, sport, dport, address = message.natt_type, message.natt_sport, message.natt_dport, message.natt_oa
        if here == there:
            flags = choice(self.target, "natt_type")
            if flags is not None and kind is not None:
                same = named_flags(
                    message.sa.flags & message.dialect.mask(flags.flags) if message.sa else 0,
                    message.dialect,
                    self.target,
                    "sa.flags",
                    self.lost,
                )
                self.sa = replace(self.sa, flags=self.sa.flags | same)
            return
        self.without(*(item.extension for item in here if item.extension not in (None, Ext.SA)))
        own = {item.field: None for item in here if item.extension is Ext.SA and item.choice is None}
        self.sa = replace(self.sa, **own)  # type: ignore[arg-type]
        local, remote, dst = message.natt_local, message.natt_remote, message.address_dst
        if local is not None and (message.address_src is None or local.ip != message.address_src.ip):
            self.lost.append("natt-local")
        if remote is not None and dst is not None and remote.ip == dst.ip:
            address = None  # the peer is not behind a NAT, so this says no more than its address does
        src = message.address_src
        natt = Encapsulation(
            NATTType.ESPINUDP if kind is None else kind.type,
            0 if sport is None else sport.port,
            0 if dport is None else dport.port,
            address,
        )
        if (natt == Encapsulation() and kind is None) or natt == Encapsulation(NATTType.NONE):
            return
        ends = (src.sockaddr, dst.sockaddr) if src is not None and dst is not None else None
        place = placed(natt, self.sa, ends, self.target)
        self.sa = replace(place.sa, flags=self.sa.flags | self.target.mask(place.flags))
        self.extensions += place.extensions
        self.lost += place.homeless

    def window(self) -> None:
        """The replay window: an extension of its own says more than a byte of bitmap bytes can."""
        strong = Ext.SA_REPLAY in self.target.by_type
        window = self.message.replay or 0
        told = self.message.sa_replay is not None
        if told and not strong:
            self.without(Ext.SA_REPLAY)
            self.sa = replace(self.sa, replay=window)
        elif strong and not told and (window % UNIT or window > LARGEST_BITMAP):
            self.extensions.append(ReplayWindow(window))
            self.sa = replace(self.sa, replay=min(window // UNIT * UNIT, LARGEST_BITMAP))

    def without(self, *types: Ext | None) -> None:
        """Leave extensions of these types out."""
        self.extensions = [item for item in self.extensions if item.exttype not in types]


def named_flags(bits: int, source: Dialect, target: Dialect, where: str, lost: list[str]) -> int:
    """The target's bits of the same names. Adds the names that it lacks to `lost`, and `where` for bits of no name."""
    names = {name for name, bit in source.flags.items() if bit.bit_count() == 1 and bits & bit}
    said = {source.flags[name] for name in names if name in target.flags}  # one bit may have two names
    lost += [f"{where}.{name}" for name in sorted(names - set(target.flags)) if source.flags[name] not in said]
    lost += [where] if bits & ~source.mask(names) else []
    return target.mask(names & set(target.flags))


def _natt(dialect: Dialect) -> set[Source]:
    return {source for column in NATT for source in places(dialect, column)}


def _proposal(value: ExtensionValue, source: Dialect, target: Dialect, lost: list[str]) -> ExtensionValue:
    """A proposal with the flags of its combinations by name."""
    if not isinstance(value, Proposal) or not any(item.flags for item in value.combinations):
        return value
    return replace(
        value,
        combinations=tuple(
            replace(item, flags=named_flags(item.flags, source, target, f"proposal.combinations[{place}].flags", lost))
            for place, item in enumerate(value.combinations)
        ),
    )


def _address(value: ExtensionValue, target: Dialect) -> ExtensionValue:
    """An address whose protocol is any, in the target's word for that: 255 on KAME systems and Linux, else 0."""
    if isinstance(value, Address) and value.proto and value.proto in ANY_PROTOCOL:
        return replace(value, proto=target.constants.get("IPSEC_PROTO_ANY", 0))
    return value


def _without_extra(key: ExtensionValue, lost: list[str]) -> ExtensionValue:
    """An encryption key as requests of most systems have it: key and salt, without an initialisation vector."""
    if not isinstance(key, Key) or not key.extra_bits:
        return key
    if key.extra is not None:
        if key.bits % 8:
            lost.append("key-encrypt.extra")
            return replace(key, extra_bits=None, extra=None)
        whole = key.material.reveal() + key.extra.reveal()
        return Key(key.exttype, key.bits + key.extra_bits, Secret(whole))
    lost.append("key-encrypt.extra_bits")
    bits = max(key.bits - key.extra_bits, 0)
    return Key(key.exttype, bits, Secret(key.material.reveal()[: -(-bits // 8)]))
