"""Rules about header and extensions as such: reserved members, lengths, order, SA type, errno."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import EncodeError, LimitError, WireError
from ...spec.model import HEADER_SIZE
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType, SAType
from ..extensions import Address, Key, Opaque
from ..extensions_ipsec import KMPrivate
from ..message import Message, MessageView
from ..tails_nested import padded
from ..value import Value
from .rule import FROM_ENGINE, TO_ENGINE, Finding, rule, rules_in
from .subject import Subject

GROUPS = {
    Ext.SA: 0,
    Ext.LIFETIME_CURRENT: 1,
    Ext.LIFETIME_HARD: 1,
    Ext.LIFETIME_SOFT: 1,
    Ext.ADDRESS_SRC: 2,
    Ext.ADDRESS_DST: 2,
    Ext.ADDRESS_PROXY: 2,
    Ext.KEY_AUTH: 3,
    Ext.KEY_ENCRYPT: 3,
    Ext.IDENTITY_SRC: 4,
    Ext.IDENTITY_DST: 4,
    Ext.SENSITIVITY: 5,
    Ext.PROPOSAL: 6,
    Ext.SUPPORTED_AUTH: 7,
    Ext.SUPPORTED_ENCRYPT: 7,
    Ext.SPIRANGE: 8,
}
"""Where RFC 2367, 2.4, draws each extension; it says nothing of those that systems added."""

ZERO = (Ext.RESERVED, Ext.unknown(0))
"""What the extension of type 0 is called."""


@rule("R-2.1-04", "warning", way=TO_ENGINE)
def errno_is_for_replies(subject: Subject) -> Iterator[Finding]:
    """A request has errno 0; a bare ACQUIRE reports a failure with it."""
    failure = subject.type == MessageType.ACQUIRE and not subject.extensions
    if subject.message.errno and not failure:
        yield Finding(f"a request has errno 0, this one has {subject.message.errno}")


@rule("R-2.1-10", way=TO_ENGINE)
def reserved_is_zero(subject: Subject) -> Iterator[Finding]:
    """In header and structures; an engine may tell of a reference count in its header."""
    if subject.message.reserved:
        yield Finding(f"sadb_msg_reserved is {subject.message.reserved}, not 0")
    for extension, _ in subject.raw:
        for name in sorted(set(_reserved(extension))):
            yield Finding(f"{name} in {extension.exttype.name} is not 0", extension.exttype)


def _reserved(value: Value) -> Iterator[str]:
    """C names of the reserved members that are not zero, in a structure and in those that it holds."""
    fixed = value._origin.fixed
    for name, start, end in value._origin.codec.reserved:
        if any(fixed[start:end]):
            yield name
    for name in value.__dataclass_fields__:
        part = getattr(value, name)
        for row in part if isinstance(part, tuple) else ():
            if isinstance(row, Value):
                yield from _reserved(row)


@rule("R-2.2-02")
def tails_end_with_their_word(subject: Subject) -> Iterator[Finding]:
    """Behind an address or a key there is padding to the next word and no more."""
    for address, data in subject.bytes_of(Address):
        family = subject.dialect.sockaddr.version(address.ip.version) if address.ip is not None else None
        start = subject.dialect.by_type[address.exttype].minimum
        if family is not None and len(data) > start + len(padded(bytes(family.size))):
            yield Finding(f"{len(data)} bytes are too long for an IPv{family.version} address", address.exttype)
    for key, data in subject.bytes_of(Key):
        start = subject.dialect.by_type[key.exttype].minimum
        material = len(key.material) + len(key.extra or b"")
        if len(data) > len(padded(bytes(start + material))):
            yield Finding(f"{len(data)} bytes are too long for a key of {key.bits} bits", key.exttype)


@rule("R-2.2-05")
def structures_are_not_stretched(subject: Subject) -> Iterator[Finding]:
    """An extension that is one structure is as long as that; more data belongs into an extension of its own."""
    for value, data in subject.raw:
        known = subject.dialect.by_type.get(value.exttype)
        if known is None or isinstance(value, Opaque | KMPrivate):
            continue
        longest = known.maximum if known.tails else known.variant(len(data)).size
        if longest and len(data) > longest:
            yield Finding(f"{value.exttype.name} has {len(data)} bytes where {longest} belong", value.exttype)


@rule("R-2.3-02", of_errors=True)
def type_zero_is_reserved(subject: Subject) -> Iterator[Finding]:
    """No extension has type 0."""
    for extension in subject.extensions:
        if extension.exttype in ZERO:
            yield Finding("extension type 0 is reserved", extension.exttype)


@rule("R-2.3-03", of_errors=True)
def nothing_comes_twice(subject: Subject) -> Iterator[Finding]:
    """Each type is there once, unless the dialect repeats it; that goes for unknown types too."""
    seen = set()
    for extension in subject.extensions:
        known = subject.dialect.by_type.get(extension.exttype)
        if extension.exttype in seen and not (known is not None and known.repeats):
            yield Finding(f"{extension.exttype.name} is there twice", extension.exttype)
        seen.add(extension.exttype)


@rule("R-2.4-01", "warning", way=TO_ENGINE)
def groups_are_in_order(subject: Subject) -> Iterator[Finding]:
    """Association, lifetimes, addresses, keys, identities, sensitivity, proposal, algorithms, range."""
    last = None
    for extension in subject.extensions:
        if extension.exttype not in GROUPS or not subject.of_rfc:
            continue
        if last is not None and GROUPS[extension.exttype] < GROUPS[last]:
            yield Finding(f"{extension.exttype.name} belongs before {last.name}", extension.exttype)
            return
        last = extension.exttype


@rule("X-size", way=TO_ENGINE)
def messages_are_not_too_long(subject: Subject) -> Iterator[Finding]:
    """OpenBSD takes no message of more than 4096 bytes."""
    most = subject.grammar.largest_message
    if most and (size := _size(subject)) > most:
        yield Finding(f"{subject.dialect.name} takes messages of up to {most} bytes, not {size}")


def _size(subject: Subject) -> int:
    """Bytes of the message in the dialect; 0 for what that cannot express."""
    message = subject.message
    if isinstance(message, MessageView) and message.dialect is subject.dialect:
        return message.length
    try:
        return len(message.encode(subject.dialect))
    except EncodeError:
        return 0


@rule("R-3.1-04", way=FROM_ENGINE, of_errors=True)
def errors_are_bare(subject: Subject) -> Iterator[Finding]:
    """A reply that reports an error is a base header, but for systems that send the request back."""
    bodies = subject.grammar.errors_with_body
    if subject.reports_error and subject.extensions and bodies is not None and subject.type not in bodies:
        yield Finding(f"{subject.kind} reports errno {subject.message.errno} and carries extensions")


@rule("R-3.4-02")
def associations_have_a_type(subject: Subject) -> Iterator[Finding]:
    """UNSPEC is for messages about all types or none."""
    if subject.form is not None and subject.form.needs_satype and subject.satype == SAType.UNSPEC:
        yield Finding(f"{subject.kind} is for one SA type, not UNSPEC")


@rule("X-satype", way=TO_ENGINE)
def satype_is_served(subject: Subject) -> Iterator[Finding]:
    """The engine has this kind of message for this SA type."""
    form = subject.form
    if form is None or form.satypes is None or subject.satype in form.satypes:
        return
    if not (form.needs_satype and subject.satype == SAType.UNSPEC):
        yield Finding(f"{subject.dialect.name} takes no {subject.type.name} for SA type {subject.satype.name}")


@rule("R-A-04")
def promiscuity_is_on_or_off(subject: Subject) -> Iterator[Finding]:
    """SA type 1 turns it on and 0 off; that of a copy means nothing."""
    if subject.type != MessageType.PROMISC or subject.extensions or _behind(subject.message):
        return
    table = subject.dialect.terms["satype"]
    if subject.satype not in (table.term(0), table.term(1)):
        yield Finding(f"PROMISC is turned on by SA type 1 and off by 0; {subject.satype.name} is neither")


@rule("R-A-06")
def copies_are_whole(subject: Subject) -> Iterator[Finding]:
    """Behind the header of PROMISC there is one whole message, or none. What that says is nobody's business here."""
    message = subject.message
    if subject.type != MessageType.PROMISC or not isinstance(message, MessageView):
        return
    try:
        payload = message.payload
    except (WireError, LimitError):
        yield Finding("what follows the header of PROMISC is no message")
        return
    if payload is not None and payload.length < _behind(message):
        yield Finding("more than one message follows the header of PROMISC")


def _behind(message: Message) -> int:
    """Bytes behind the header, as far as they are no extensions; of a built message any number but 0 if it has some."""
    if isinstance(message, MessageView):
        return message.length - HEADER_SIZE if not message.extensions else 0
    return 0 if message.payload is None else HEADER_SIZE


@rule("X-message")
def message_exists(subject: Subject) -> Iterator[Finding]:
    """The dialect has this kind of message in this direction."""
    if subject.form is None and subject.grammar.closed:
        yield Finding(
            f"{subject.dialect.name} knows no {subject.kind}", level="error" if subject.to_engine else "warning"
        )


RULES = rules_in(globals())
"""The rules of this module."""
