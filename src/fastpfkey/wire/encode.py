"""A message's typed fields as bytes.

Nothing is copied from bytes that were decoded before: reserved members and padding are zero, extensions come in the
order given, and lengths and counts follow from what is there. All is put together before anything is returned, so an
error leaves nothing half written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..spec.model import HEADER_SIZE, PF_KEY_V2, WORD
from ..spec.terms import ExtensionType
from .conversions import as_number, term_number
from .dialects import Header, MessageCodec
from .faults import MisfitError, named, told_of
from .value import ExtensionValue

if TYPE_CHECKING:
    from .message import Message


def encode(message: Message, codec: MessageCodec) -> bytes:
    """The bytes of a message in the codec's dialect and byte order.

    Raises EncodeError, which names message type, extension and field, for what the dialect cannot express or a field
    cannot hold.
    """
    with told_of(message.type.label):
        return _message(message, codec)


def _message(message: Message, codec: MessageCodec) -> bytes:
    terms = codec.dialect.terms
    with named("type"):
        kind = term_number(codec.dialect, terms["message"], message.type)
    with named("satype"):
        satype = term_number(codec.dialect, terms["satype"], message.satype)
    wraps = kind == codec.frame.wrapper
    body = (
        _payload(message, codec, wraps) if wraps or message.payload else b"".join(_extensions(message, codec, satype))
    )
    numbers = {name: _number(message, name) for name in ("errno", "reserved", "seq", "pid")}
    length = (HEADER_SIZE + len(body)) // WORD
    header = Header(version=PF_KEY_V2, type=kind, satype=satype, len=length, **numbers)
    return codec.write_header(header) + body


def _payload(message: Message, codec: MessageCodec, wraps: bool) -> bytes:
    if message.extensions:
        raise MisfitError(f"{message.type.label} carries a message, no extensions", "extensions")
    with named("payload"):
        if not wraps:
            raise MisfitError(f"{message.type.label} of {codec.dialect.name} carries no message")
        return b"" if message.payload is None else _message(message.payload, codec)


def _extensions(message: Message, codec: MessageCodec, satype: int) -> list[bytes]:
    parts = []
    seen = set()
    for extension in message.extensions:
        if not isinstance(extension, ExtensionValue):
            raise MisfitError(f"an extension is needed, not {type(extension).__name__}", "extensions")
        exttype = extension.exttype
        try:  # and not `named`, which would make each name whether it is told or not
            if exttype in seen and not _repeats(codec, exttype):
                raise MisfitError("there is one already")
            seen.add(exttype)
            parts.append(codec.write(extension, satype))
        except MisfitError as misfit:
            raise misfit.inside(exttype.label) from None
    return parts


def _repeats(codec: MessageCodec, exttype: ExtensionType) -> bool:
    known = codec.dialect.by_type.get(exttype)
    return known is None or known.repeats


def _number(message: Message, name: str) -> int:
    with named(name):
        return as_number(getattr(message, name))
