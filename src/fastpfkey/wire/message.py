"""A message: header fields and typed extensions, whether it lies in a buffer or was built.

`Message` is what both kinds have in common, and what other code asks for. A `MessageView` is a place in a buffer, and
decodes only what it is asked for. A `MessageValue` holds its fields; it is what `replace` gives, and what is built to
be sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from ..errors import Fault, LimitError, WireError, wire_error
from ..hotpath import walk
from ..spec import dialect as find_dialect
from ..spec.model import HEADER_SIZE, WORD, Dialect
from ..spec.plan import ByteOrder
from ..spec.terms import ExtensionType, MessageType, SAType
from .dialects import Header, MessageCodec, codec, host_order
from .encode import encode
from .export import Plain, message_dict
from .faults import MisreadError
from .parts import Parts
from .structs import HostOrder
from .translate import Translation, translate
from .value import ExtensionValue

if TYPE_CHECKING:
    from .batch import Batch

Span: TypeAlias = tuple[int, int, int]
"""Wire number of an extension, and where in the buffer it begins and ends."""

MAX_DEPTH = 8
"""Messages inside each other that are read; a system makes one copy of a message, perhaps one of that."""


class Message(Parts, ABC):
    """Base of all messages. They are equal if their header fields and extensions are, wherever these come from.

    Each extension is an attribute, `message.sa` or `message.key_auth`: the first of its type, or None. Numbers are
    Python's, whatever byte order they came in. What is read from a buffer that has changed may raise WireError.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """The dialect that its extensions and flags are of."""

    @property
    @abstractmethod
    def byteorder(self) -> HostOrder:
        """Byte order that `encode` writes unless told otherwise."""

    @property
    @abstractmethod
    def type(self) -> MessageType:
        """sadb_msg_type, canonical."""

    @property
    @abstractmethod
    def satype(self) -> SAType:
        """sadb_msg_satype, canonical."""

    @property
    @abstractmethod
    def errno(self) -> int:
        """sadb_msg_errno: an error number of the system that sent the message."""

    @property
    @abstractmethod
    def seq(self) -> int:
        """sadb_msg_seq."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """sadb_msg_pid."""

    @property
    @abstractmethod
    def reserved(self) -> int:
        """sadb_msg_reserved: 0 in RFC 2367, a reference count on KAME systems and Linux, a diagnostic on illumos."""

    @property
    @abstractmethod
    def extensions(self) -> tuple[ExtensionValue, ...]:
        """The extensions in order."""

    @property
    @abstractmethod
    def payload(self) -> Message | None:
        """The message that a PROMISC message carries behind its header, instead of extensions; None for all others.

        RFC 2367, 3.1.12. Linux and illumos deliver plain copies, and carry none.
        """

    @abstractmethod
    def get(self, exttype: ExtensionType) -> ExtensionValue | None:
        """The first extension of this type, or None."""

    def encode(self, dialect: str | Dialect | None = None, byteorder: ByteOrder | None = None) -> bytes:
        """The message as bytes, made from the typed fields alone: reserved members and padding are zero.

        Dialect and byte order are the message's own unless given. Raises EncodeError, which names message, extension
        and field, for what the dialect cannot express or a field cannot hold.
        """
        target = self.dialect if dialect is None else find_dialect(dialect)
        return encode(self, codec(target, self.byteorder if byteorder is None else host_order(byteorder)))

    def replace(self, **changes: Any) -> MessageValue:
        """A message with other header fields, `extensions` or `payload`, independent of any buffer.

        Raises TypeError for a name that is none of type, satype, errno, seq, pid, reserved, extensions, payload
        and dialect.
        """
        kept = {name: getattr(self, name) for name in _CONTENT if name not in changes}
        return MessageValue(**({"dialect": self.dialect} | kept | changes))

    def translate(self, to: str | Dialect, lossy: bool = False) -> Translation:
        """The message as another system would say it, and what that cannot say.

        Flags and errors go by name; the mode, the ports of UDP encapsulation and the replay window to where the target
        has them. Raises TranslationError, which lists the fields, for what the target cannot express; with `lossy`,
        that is dropped and listed instead, except for type, SA type and payload.
        """
        return translate(self, find_dialect(to), lossy)

    def to_dict(self, show_keys: bool = False) -> dict[str, Plain]:
        """The message as plain data for JSON, by header field and extension name.

        Terms are labels and addresses are text. Keys, and bytes of unknown meaning, are left out unless `show_keys`.
        """
        return message_dict(self, show_keys)

    def __eq__(self, other: object) -> bool:
        return self._content() == other._content() if isinstance(other, Message) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        try:
            words = [self.type.name, self.satype.name, f"seq={self.seq}", f"pid={self.pid}"]
            words += [f"{name}={number}" for name in ("errno", "reserved") if (number := getattr(self, name))]
            content = f"[{', '.join(map(repr, self.extensions))}]" if self.payload is None else repr(self.payload)
            return f"<{' '.join(words)} {content}>"
        except (WireError, LimitError) as error:
            return f"<unreadable message: {error}>"

    def _content(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in _CONTENT)


_CONTENT = ("type", "satype", "errno", "seq", "pid", "reserved", "extensions", "payload")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MessageValue(Message):
    """A message that was built: immutable, and independent of any buffer.

    Raises ValueError for a type or SA type that is no term, or a dialect that is unknown.
    """

    type: MessageType
    satype: SAType = SAType.UNSPEC
    errno: int = 0
    seq: int = 0
    pid: int = 0
    reserved: int = 0
    extensions: tuple[ExtensionValue, ...] = ()
    payload: Message | None = None
    dialect: Dialect = field(default_factory=find_dialect)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", MessageType(self.type))
        object.__setattr__(self, "satype", SAType(self.satype))
        object.__setattr__(self, "extensions", tuple(self.extensions))
        object.__setattr__(self, "dialect", find_dialect(self.dialect))

    @property
    def byteorder(self) -> HostOrder:
        """That of this machine."""
        return host_order("native")

    def get(self, exttype: ExtensionType) -> ExtensionValue | None:
        """The first extension of this type, or None."""
        return next((item for item in self.extensions if item.exttype == exttype), None)


class MessageView(Message):
    """A message in a buffer. Nothing is decoded before it is asked for, and then only once.

    The bytes were valid when the batch was made. Should they have changed since, what was not yet decoded may raise
    WireError, but nothing beyond the message's own extensions is read.
    """

    __slots__ = ("_batch", "_carriers", "_header", "_payload", "_spans", "_values", "offset")

    def __init__(self, batch: Batch, offset: int, carriers: tuple[int, ...] = ()) -> None:
        self._batch = batch
        self._carriers = carriers  # where the messages begin that this one is inside of, outermost first
        self._payload: MessageView | None = None
        self._header: Header | None = None
        self._spans: list[Span] | None = None
        self._values: dict[int, ExtensionValue] = {}
        self.offset = offset
        """Where the message begins: bytes from the start of the buffer."""

    @property
    def _codec(self) -> MessageCodec:
        return self._batch.codec

    @property
    def _head(self) -> Header:
        if self._header is None:
            self._header = self._codec.header(self._batch.buffer, self.offset)
        return self._header

    @property
    def dialect(self) -> Dialect:
        """The dialect that the message was decoded with."""
        return self._codec.dialect

    @property
    def byteorder(self) -> HostOrder:
        """Byte order of the system that wrote the message."""
        return self._codec.byteorder

    @property
    def version(self) -> int:
        """sadb_msg_version."""
        return self._head.version

    @property
    def type(self) -> MessageType:
        """sadb_msg_type, canonical."""
        return MessageType(self.dialect.terms["message"].term(self._head.type))

    @property
    def satype(self) -> SAType:
        """sadb_msg_satype, canonical."""
        return SAType(self.dialect.terms["satype"].term(self._head.satype))

    @property
    def errno(self) -> int:
        """sadb_msg_errno."""
        return self._head.errno

    @property
    def seq(self) -> int:
        """sadb_msg_seq."""
        return self._head.seq

    @property
    def pid(self) -> int:
        """sadb_msg_pid."""
        return self._head.pid

    @property
    def reserved(self) -> int:
        """sadb_msg_reserved."""
        return self._head.reserved

    @property
    def length(self) -> int:
        """Bytes of the message."""
        return self._head.len * WORD

    @property
    def raw(self) -> bytes:
        """The bytes of the message, keys included."""
        return bytes(self._batch.buffer[self.offset : self.offset + self.length])

    @property
    def wire(self) -> SimpleNamespace:
        """The untranslated numbers of the base header by their C names, in native byte order."""
        return self._codec.header_namespace(bytes(self._batch.buffer[self.offset : self.offset + HEADER_SIZE]))

    @property
    def extensions(self) -> tuple[ExtensionValue, ...]:
        """The extensions in wire order."""
        return tuple(self._value(place) for place in range(len(self._places())))

    @property
    def payload(self) -> MessageView | None:
        """The message that a PROMISC message carries.

        Raises WireError if what it carries is no message, LimitError if it is inside more than 8 others.
        """
        if self._payload is None and self._wraps and self.length > HEADER_SIZE:
            self._payload = self._inner()
        return self._payload

    def get(self, exttype: ExtensionType) -> ExtensionValue | None:
        """The first extension of this type, or None."""
        number = self._codec.number(exttype)
        for place, (found, _, _) in enumerate(self._places()):
            if found == number:
                return self._value(place)
        return None

    @property
    def _wraps(self) -> bool:
        return self._head.type == self._codec.frame.wrapper

    def _inner(self) -> MessageView:
        """The message behind the header, which nobody has validated yet."""
        carriers = (*self._carriers, self.offset)
        if len(carriers) > MAX_DEPTH:
            raise LimitError(f"a message is inside more than {MAX_DEPTH} others")
        start = self.offset + HEADER_SIZE
        found = walk(self._batch.buffer, start, self.offset + self.length, self._codec.frame, False, array("Q", [0]))
        if found.fault:
            self._fail(Fault(found.fault), found.position)
        return MessageView(self._batch, start, carriers)

    def _places(self) -> list[Span]:
        if self._spans is None:
            self._spans = [] if self._wraps else self._walk()
        return self._spans

    def _walk(self) -> list[Span]:
        """Where the extensions lie, checked as if nobody had done so before."""
        position, end = self.offset + HEADER_SIZE, self.offset + self.length
        if not position <= end <= len(self._batch.buffer):
            self._fail(Fault.MESSAGE_TRUNCATED if position <= end else Fault.MESSAGE_SHORT, self.offset + 4)
        buffer, header = self._batch.buffer, self._codec.extension_header
        found = []
        while position < end:
            words, number = header(buffer, position)
            size = words * WORD
            if not 0 < size <= end - position:
                self._fail(Fault.EXTENSION_OVERRUN if size else Fault.EXTENSION_EMPTY, position)
            found.append((number, position, position + size))
            position += size
        return found

    def _value(self, place: int) -> ExtensionValue:
        value = self._values.get(place)
        if value is None:
            number, start, end = self._places()[place]
            data = bytes(self._batch.buffer[start:end])
            try:
                value = self._codec.read(number, data, self._head.satype)
            except MisreadError as misread:
                self._fail(misread.fault, start + misread.position)
            self._values[place] = value
        return value

    def _fail(self, fault: Fault, position: int) -> NoReturn:
        outermost = self._carriers[0] if self._carriers else self.offset
        index = next(index for index, offset in enumerate(self._batch.offsets) if offset == outermost)
        raise wire_error(fault, position, index)
