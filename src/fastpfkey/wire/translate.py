"""A message of one system, as another system would say the same.

Typed fields mean the same everywhere, so most of the work is to see what the target has no room for: each extension is
written in the target's layout and read back, and what does not come back is lost. What systems put in different places
is moved: flags go by their names, error numbers by theirs, the tunnel mode and UDP encapsulation to where the target
has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING

from ..errors import TranslationError
from ..spec.model import Dialect
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, Mode, NATTType
from .dialects import MessageCodec, codec
from .encapsulation import Encapsulation, placed
from .extensions import Address
from .extensions_ipsec import SA2
from .facts import choice
from .faults import MisfitError, MisreadError
from .value import ExtensionValue

if TYPE_CHECKING:
    from .message import Message, MessageValue

NATT = (Ext.NATT_TYPE, Ext.NATT_SPORT, Ext.NATT_DPORT, Ext.NATT_OA)
OTHER_NATT = (Ext.UDPENCAP, Ext.NATT_LOCAL, Ext.NATT_REMOTE)
"""Where else a port of the encapsulation stands."""

ANY_PROTOCOL = (0, 255)


@dataclass(frozen=True, slots=True)
class Translation:
    """A message in the target dialect, and what it does not say: extensions and fields by name."""

    message: MessageValue
    dropped: tuple[str, ...]


def translate(message: Message, target: Dialect, lossy: bool) -> Translation:
    """The message in another dialect. Raises TranslationError for what that cannot express, unless `lossy`.

    Type and SA type are never dropped.
    """
    if target is message.dialect:
        return Translation(message.replace(), ())
    lost: list[str] = []
    terms = target.terms
    switch = message.type is MessageType.PROMISC  # what is the SA type elsewhere turns it on and off
    missing = [
        f"{name} {term.label}"
        for name, table, term in (
            ("type", terms["message"], message.type),
            ("satype", terms["satype"], message.satype),
        )
        if term not in table.numbers and not (name == "satype" and switch)
    ]
    if message.payload is not None and not target.wraps:
        missing.append("payload")
    if missing:
        raise TranslationError(target.name, tuple(missing))
    satype = (message.dialect if switch else target).terms["satype"].number(message.satype)
    writer = codec(target, message.byteorder)
    kept = [
        translated
        for extension in _moved(message, target, lost)
        if (translated := _fitted(extension, writer, satype, lost)) is not None
    ]
    payload = None
    if message.payload is not None:
        inner = translate(message.payload, target, lossy)
        payload, lost = inner.message, [*lost, *(f"payload.{name}" for name in inner.dropped)]
    header = {
        "satype": terms["satype"].term(satype),
        "errno": _errno(message, target, lost),
        "reserved": _reserved(message, target, lost),
    }
    if lost and not lossy:
        raise TranslationError(target.name, tuple(lost))
    return Translation(message.replace(dialect=target, extensions=tuple(kept), payload=payload, **header), tuple(lost))


def _moved(message: Message, target: Dialect, lost: list[str]) -> Iterator[ExtensionValue]:
    """The extensions, with the facts that have another place in the target moved there."""
    sa = message.sa
    if sa is None:
        yield from message.extensions
        return
    source = message.dialect
    names = {name for name, bit in source.flags.items() if bit.bit_count() == 1 and sa.flags & bit}
    unnamed = sa.flags & ~sum({source.flags[name] for name in names})
    sport, dport = (0 if port is None else port.port for port in (message.natt_sport, message.natt_dport))
    encapsulated = bool(sport or dport or message.natt_type)
    moved = sa
    added: list[ExtensionValue] = []
    gone: set[Ext] = set()
    told, wanted = choice(source, "mode"), choice(target, "mode")
    if told is not None and wanted is None and Ext.SA2 in target.by_type:
        added.append(SA2(mode=Mode(told.chosen if names & set(told.flags) else told.otherwise)))
        names -= set(told.flags)
    elif wanted is not None and message.sa2 is not None and message.sa2.mode in (wanted.chosen, wanted.otherwise):
        names |= set(wanted.flags) if message.sa2.mode is wanted.chosen else set()
        lost += [f"sa2.{name}" for name in ("reqid", "sequence") if getattr(message.sa2, name)]
        gone.add(Ext.SA2)
    if encapsulated and not _same_place(source, target):
        gone |= {*NATT, *OTHER_NATT}
        bits = choice(source, "natt_type")
        names -= set(bits.flags if bits else ())
        moved = replace(moved, natt_port=None, natt_src_port=None)
        kind = NATTType.ESPINUDP if message.natt_type is None else message.natt_type.type
        natt = Encapsulation(kind, sport, dport, message.natt_oa)
        src, dst = message.address_src, message.address_dst
        ends = (src.sockaddr, dst.sockaddr) if src and dst else None
        moved, added_flags, places, homeless = placed(natt, moved, ends, target)
        names |= added_flags
        added += places
        lost += homeless
    said = {source.flags.get(name) for name in names if name in target.flags}  # one bit may have two names
    lost += [
        f"sa.flags.{name}" for name in sorted(names) if name not in target.flags and source.flags[name] not in said
    ]
    lost += ["sa.flags"] if unnamed else []
    flags = target.mask(name for name in names if name in target.flags)
    for extension in message.extensions:
        if extension is sa or extension.exttype is Ext.SA:
            yield replace(moved, flags=flags)
        elif extension.exttype not in gone:
            yield extension
    yield from added


def _same_place(source: Dialect, target: Dialect) -> bool:
    return all((place in source.by_type) == (place in target.by_type) for place in (Ext.NATT_DPORT, *OTHER_NATT)) and (
        source.by_type[Ext.SA].layouts[-1].size == target.by_type[Ext.SA].layouts[-1].size
    )


def _fitted(value: ExtensionValue, writer: MessageCodec, satype: int, lost: list[str]) -> ExtensionValue | None:
    """What the target says of an extension; None if it can say nothing."""
    number = writer.number(value.exttype)
    where = value.exttype.label
    if number is None or value.exttype.is_unknown:
        lost.append(where)
        return None
    defaults = {item.name: item.default for item in fields(value)}
    given = value
    while True:
        try:
            found = writer.read(number, writer.write(given, satype), satype)
            break
        except (MisfitError, MisreadError) as error:
            name = error.field if isinstance(error, MisfitError) else ""
            empty = defaults.get(name, MISSING)
            if empty is MISSING or getattr(given, name) == empty:
                lost.append(f"{where}.{name}" if name else where)
                return None
            given = replace(given, **{name: empty})
    for item in fields(value):
        told = getattr(value, item.name)
        if told and getattr(found, item.name, None) != told and not _implied(value, item.name):
            lost.append(f"{where}.{item.name}")
    return found


def _implied(value: ExtensionValue, name: str) -> bool:
    """Whether a field says nothing that its absence would not: the prefix of one host, any protocol."""
    if not isinstance(value, Address):
        return False
    return (name == "proto" and value.proto in ANY_PROTOCOL) or (
        name == "prefixlen" and value.prefixlen == {4: 32, 6: 128}.get(value.family)
    )


def _errno(message: Message, target: Dialect, lost: list[str]) -> int:
    name = message.dialect.errno_name(message.errno)
    if message.errno and name not in target.errnos:
        lost.append("errno")
        return 0
    return target.errnos[name] if message.errno else 0


def _reserved(message: Message, target: Dialect, lost: list[str]) -> int:
    """A reference count stays one; a diagnostic means nothing elsewhere."""
    if not message.reserved or message.dialect.diagnostics == target.diagnostics:
        return message.reserved
    lost.append("reserved")
    return 0
