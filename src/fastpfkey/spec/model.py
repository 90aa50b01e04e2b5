"""What a dialect is made of: fields, layouts, tails, extensions, and the dialect that holds them.

The idea: everything that an operating system can change is data of these few types, and every other floor derives what
it needs from them: struct formats, NumPy dtypes, walk tables, column plans, golden names. A new dialect is one file of
such data.

Offsets are in bytes from the start of the structure. Lengths on the wire count 8-byte words (RFC 2367, 2.2), here they
are bytes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from .terms import ExtensionType, SAType, Term

WORD = 8
"""Bytes in one unit of sadb_msg_len and sadb_ext_len."""

HEADER_SIZE = 16
"""Bytes of struct sadb_msg, the same on every system."""

EXTENSION_HEADER_SIZE = 4
"""Bytes of struct sadb_ext that carry a meaning: length and type."""

PF_KEY_V2 = 2
"""The only value of sadb_msg_version."""


class Order(enum.Enum):
    """Byte order of a field: that of the capturing host, network order always, or bytes that are no number."""

    HOST = "host"
    NETWORK = "network"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a C structure."""

    name: str
    """Plain word, as attributes and columns use it."""
    c_name: str
    offset: int
    width: int
    """Bytes of one element."""
    count: int = 1
    """Number of elements; above 1 the field is an array."""
    order: Order = Order.HOST
    terms: str = ""
    """Name of the dialect's term table that translates this number; empty where the number stands for itself."""
    shift: int = 0
    """The value is the number on the wire shifted left, or right if negative: 3 turns bytes of bitmap into packets."""

    @property
    def size(self) -> int:
        """Bytes of the whole field."""
        return self.width * self.count

    @property
    def reserved(self) -> bool:
        """Whether senders have to write zero here."""
        return self.name.startswith("reserved")


@dataclass(frozen=True)
class Layout:
    """A C structure: name, members in order, and its size in bytes."""

    c_name: str
    fields: tuple[Field, ...]
    size: int

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Fields by plain name."""
        return MappingProxyType({item.name: item for item in self.fields})

    def __getitem__(self, name: str) -> Field:
        return self.by_name[name]

    def struct_format(self, byteorder: str) -> str:
        """`struct` format for a host of this byte order ("little" or "big"); network fields come out as byte strings.

        A network-order field cannot share one format string with little-endian neighbours, so it is `4s` here and its
        reader converts; arrays are `Ns` too.
        """
        codes = {1: "B", 2: "H", 4: "I", 8: "Q"}
        text = "<" if byteorder == "little" else ">"
        position = 0
        for item in self.fields:
            if item.offset > position:
                text += f"{item.offset - position}x"
            text += codes[item.width] if item.count == 1 and item.order is Order.HOST else f"{item.size}s"
            position = item.offset + item.size
        return text + (f"{self.size - position}x" if self.size > position else "")

    def dtype(self, byteorder: str) -> dict[str, object]:
        """NumPy structured dtype description (a dict for `numpy.dtype`) with C names and declared byte orders."""
        host = "<" if byteorder == "little" else ">"
        formats = []
        for item in self.fields:
            if item.order is Order.BYTES or item.width == 1:
                formats.append(f"({item.size},)u1" if item.size > 1 else "u1")
            else:
                number = (">" if item.order is Order.NETWORK else host) + f"u{item.width}"
                formats.append(number if item.count == 1 else f"({item.count},){number}")
        return {
            "names": [item.c_name for item in self.fields],
            "formats": formats,
            "offsets": [item.offset for item in self.fields],
            "itemsize": self.size,
        }


_MEMBER = re.compile(
    r"(?P<name>\w+)(=(?P<c_name>\w+))?\s+(?P<kind>[unb])(?P<bits>\d+)(\[(?P<count>\d+)\])?"
    r"(\s+(?P<way><<|>>)(?P<shift>\d))?(\s+(?P<terms>\w+))?"
)


def layout(c_name: str, prefix: str, members: str) -> Layout:
    """Read a structure from a small notation, a member a line: `name[=c_name] kind[count] [<<shift | >>shift] [terms]`.

    The kind is `u` (host order), `n` (network order) or `b` (bytes) with the bits of one element. Members follow each
    other without holes; a hole in the C structure is written as a reserved member. Unless given, the C name is prefix +
    name.
    """
    fields: list[Field] = []
    offset = 0
    orders = {"u": Order.HOST, "n": Order.NETWORK, "b": Order.BYTES}
    for line in filter(None, (text.strip() for text in members.splitlines())):
        match = _MEMBER.fullmatch(line)
        if match is None:
            raise ValueError(f"{c_name}: cannot read member {line!r}")
        width = int(match["bits"]) // 8
        item = Field(
            name=match["name"],
            c_name=match["c_name"] or prefix + match["name"],
            offset=offset,
            width=width,
            count=int(match["count"] or 1),
            order=orders[match["kind"]] if width > 1 else Order.HOST,
            terms=match["terms"] or "",
            shift=int(match["shift"] or 0) * (-1 if match["way"] == ">>" else 1),
        )
        fields.append(item)
        offset += item.size
    return Layout(c_name, tuple(fields), offset)


@dataclass(frozen=True, slots=True)
class When:
    """A tail applies only if this field of the fixed part has this value."""

    field: str
    value: int


@dataclass(frozen=True, slots=True)
class Sockaddrs:
    """One sockaddr, or several back to back without padding between them."""

    count: int = 1
    when: When | None = None


@dataclass(frozen=True, slots=True)
class KeyBits:
    """Key material: a field of the fixed part gives its length in bits, rounded up to bytes, padded to a word."""

    bits: str = "bits"
    extra: str = ""
    """A field that counts bits of more secret material behind the key; it is there if the extension has room for it."""


@dataclass(frozen=True, slots=True)
class Sized:
    """Data whose length stands in one or two fields of the fixed part, counted in units of `unit` bytes."""

    fields: tuple[str, ...]
    unit: int = 1


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one layout up to the end of the extension, or as many as a field of the fixed part says."""

    layout: Layout
    count: str = ""
    """The field that counts them; empty where the end of the extension ends the list."""
    exact: bool = True
    """Whether, without a count, a remainder shorter than a record is a fault."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Nested requests (struct sadb_x_ipsecrequest), each with its length in bytes and up to two sockaddrs behind it."""

    layout: Layout
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """`count` items, each a fixed part that tells in a byte how many sub-records follow it (extended proposals)."""

    count: str
    layout: Layout
    sub_count: str
    sub_layout: Layout


@dataclass(frozen=True, slots=True)
class Text:
    """Text with a terminating NUL, padded to a word; nothing in it can be out of bounds."""

    when: When | None = None


Tail = Sockaddrs | KeyBits | Sized | Records | Requests | Counted | Text


@dataclass(frozen=True)
class Extension:
    """One extension type of a dialect."""

    type: ExtensionType
    c_name: str
    number: int
    layouts: tuple[Layout, ...]
    """Variants by growing size; the longest that fits the extension's length is meant (macOS: SA of 16 or 24 bytes)."""
    tails: tuple[Tail, ...] = ()
    """What follows the fixed part: alternatives, of which the first that applies is meant. Without any, plain bytes."""
    repeats: bool = False
    """Whether the dialect's messages may carry it more than once."""
    maximum: int | None = None
    """Largest length in bytes that the dialect's kernel takes; 0: it refuses the extension; None: it sets no limit.

    For `check`, not a fault.
    """

    @property
    def layout(self) -> Layout:
        """The smallest variant: what every message that carries the extension has."""
        return self.layouts[0]

    @property
    def minimum(self) -> int:
        """Bytes of the fixed part."""
        return self.layouts[0].size

    def variant(self, length: int) -> Layout:
        """The layout meant by an extension of this many bytes."""
        return next((item for item in reversed(self.layouts) if item.size <= length), self.layouts[0])


def exact(extensions: Iterable[Extension]) -> tuple[Extension, ...]:
    """The same extensions in a dialect whose kernel takes those without a tail at the size of their structure only."""
    return tuple(item if item.tails else replace(item, maximum=item.layouts[-1].size) for item in extensions)


@dataclass(frozen=True, slots=True)
class SockaddrFamily:
    """How one address family looks in a sockaddr."""

    number: int
    """The system's AF_ number."""
    version: int
    """IP version, which is also the canonical family: 4 or 6."""
    size: int
    """sizeof the sockaddr."""
    address: int
    """Offset of the address bytes."""
    port: int
    """Offset of the port, network order."""
    flowinfo: int | None = None
    """Offset of sin6_flowinfo, network order."""
    scope: int | None = None
    """Offset of sin6_scope_id, host order."""

    @property
    def address_size(self) -> int:
        """Bytes of the address."""
        return 4 if self.version == 4 else 16


@dataclass(frozen=True, slots=True)
class SockaddrRules:
    """How a system writes socket addresses."""

    has_length: bool
    """BSD's sa_len: the first byte is a length, the second the family; otherwise the family is a host-order u16."""
    families: tuple[SockaddrFamily, ...]

    def family(self, number: int) -> SockaddrFamily | None:
        """The family with this AF_ number, None if the dialect does not know it."""
        return next((item for item in self.families if item.number == number), None)

    def version(self, version: int) -> SockaddrFamily:
        """The family of this IP version."""
        return next(item for item in self.families if item.version == version)


def sockaddr_rules(*, has_length: bool, af_inet6: int, size_in6: int = 28) -> SockaddrRules:
    """The rules of a system that has the BSD or the System V shape of sockaddr_in and sockaddr_in6."""
    return SockaddrRules(
        has_length,
        (
            SockaddrFamily(2, 4, 16, address=4, port=2),
            SockaddrFamily(af_inet6, 6, size_in6, address=8, port=2, flowinfo=4, scope=24),
        ),
    )


@dataclass(frozen=True, eq=False)
class TermTable:
    """One kind of number: which canonical term each wire number means, and what C calls it."""

    kind: type[Term]
    entries: Mapping[str, tuple[int, Term]]
    """C name -> (wire number, canonical term). Aliases may repeat a number; the first name is the preferred one."""

    @cached_property
    def canonical(self) -> Mapping[int, Term]:
        """Wire number -> canonical term, known numbers only."""
        table: dict[int, Term] = {}
        for number, term in self.entries.values():
            table.setdefault(number, term)
        return MappingProxyType(table)

    @cached_property
    def numbers(self) -> Mapping[Term, int]:
        """Canonical term -> wire number."""
        table: dict[Term, int] = {}
        for number, term in self.entries.values():
            table.setdefault(term, number)
        return MappingProxyType(table)

    @cached_property
    def c_names(self) -> Mapping[int, str]:
        """Wire number -> preferred C name."""
        table: dict[int, str] = {}
        for name, (number, _) in self.entries.items():
            table.setdefault(number, name)
        return MappingProxyType(table)

    def term(self, number: int) -> Term:
        """The canonical term of a wire number; an unknown one survives as `Term.unknown(number)`."""
        known = self.canonical.get(number)
        return self.kind.unknown(number) if known is None else known

    def number(self, term: int) -> int:
        """The wire number of a canonical term. Raises KeyError if the dialect has none for it."""
        value = self.kind(term)
        known = self.numbers.get(value)
        if known is not None:
            return known
        if value.is_unknown:
            return value.wire
        raise KeyError(value)

    def extended(self, entries: Mapping[str, tuple[int, Term]]) -> TermTable:
        """The same table with more entries; an entry under an existing C name replaces it."""
        return TermTable(self.kind, {**self.entries, **entries})

    def without(self, *c_names: str) -> TermTable:
        """The same table without these entries. Raises KeyError for a name that it does not have."""
        kept = dict(self.entries)
        for name in c_names:
            del kept[name]
        return TermTable(self.kind, kept)


def terms(kind: type[Term], entries: Mapping[str, tuple[int, Term]] | Iterable[tuple[str, int, Term]]) -> TermTable:
    """Make a term table from C names, wire numbers and canonical terms."""
    if not isinstance(entries, Mapping):
        entries = {name: (number, term) for name, number, term in entries}
    return TermTable(kind, dict(entries))


class Take(enum.Enum):
    """What a source takes from its extension, or from the message as a whole."""

    FIELD = "field"
    IP = "ip"
    """Address of the sockaddr as 16 bytes."""
    FAMILY = "family"
    """Canonical family of the sockaddr."""
    PORT = "port"
    SCOPE = "scope"
    PREFIX = "prefix"
    """Leading one bits of the sockaddr's address, which is a mask."""
    TAIL_OFFSET = "tail offset"
    """Where in the buffer the bytes behind the fixed part begin."""
    TAIL_LENGTH = "tail length"
    MESSAGE_OFFSET = "message offset"
    MESSAGE_LENGTH = "message length"
    PRESENT = "present"
    """One bit for each canonical extension."""
    OTHERS = "others"
    """Number of extensions of unknown type."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table column's value comes from."""

    column: str
    extension: ExtensionType | None
    """None for the base header and the message as a whole."""
    field: str = ""
    take: Take = Take.FIELD
    terms: str = ""
    """Term table to translate with, where it is not the field's own."""
    translate: bool = True
    """False keeps the wire number of a field that has terms."""
    satype: SAType | None = None
    """Only in messages of this SA type."""


@dataclass(frozen=True, eq=False)
class Dialect:
    """Everything that distinguishes one system's PF_KEY from another's, as data."""

    name: str
    family: int
    """Protocol family for socket(2)."""
    sockaddr: SockaddrRules
    extensions: tuple[Extension, ...]
    terms: Mapping[str, TermTable]
    """Term tables by the names that fields refer to: message, satype, state, auth, encrypt, compress, identity, ..."""
    flags: Mapping[str, int]
    """Bits of sadb_sa_flags by C name; they collide between systems, so columns keep them as they are."""
    constants: Mapping[str, int] = field(default_factory=dict)
    """What C headers define beside the tables: *_MAX numbers, revision, limits, second names of extensions."""
    ipsec_request: Layout | None = None
    """The nested policy request, None where the system has no such policies."""
    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    """Column sources of its own by name of the table, stronger than the common ones."""
    errnos: Mapping[str, int] = field(default_factory=dict)
    """The system's error numbers by C name."""
    wraps: bool = True
    """Whether a PROMISC message carries one whole message behind its header (RFC 2367, A) instead of extensions."""
    diagnostics: Mapping[int, str] = field(default_factory=dict)
    """What the header's reserved field means in an error, where the system says more there than in errno."""

    @cached_property
    def by_number(self) -> Mapping[int, Extension]:
        """Extensions by wire number."""
        return MappingProxyType({item.number: item for item in self.extensions})

    @cached_property
    def by_type(self) -> Mapping[ExtensionType, Extension]:
        """Extensions by canonical type."""
        return MappingProxyType({item.type: item for item in self.extensions})

    def satype(self, term: SAType) -> int:
        """Wire number of an SA type. Raises KeyError if the dialect has none."""
        return self.terms["satype"].number(term)

    def errno_name(self, number: int) -> str:
        """C name of an error number of the capturing system (sadb_msg_errno); `errno 57` for one it does not list."""
        return next((name for name, value in self.errnos.items() if value == number), f"errno {number}")

    def derive(
        self,
        name: str,
        *,
        extensions: Iterable[Extension] = (),
        without: Iterable[ExtensionType] = (),
        terms: Mapping[str, TermTable] | None = None,
        flags: Mapping[str, int] | None = None,
        constants: Mapping[str, int] | None = None,
        family: int | None = None,
        sockaddr: SockaddrRules | None = None,
        sources: Mapping[str, tuple[Source, ...]] | None = None,
        ipsec_request: Layout | None = None,
        errnos: Mapping[str, int] | None = None,
        diagnostics: Mapping[int, str] | None = None,
        wraps: bool | None = None,
    ) -> Dialect:
        """A descendant: the same facts apart from those given. Extensions replace those of the same number or type.

        Term tables and flags are added to the ancestor's; constants, sources, errnos and diagnostics stand in place of
        them.
        """
        added = tuple(extensions)
        gone = {item.number for item in added}
        gone_types = {item.type for item in added} | set(without)
        kept = [item for item in self.extensions if item.number not in gone and item.type not in gone_types]
        return replace(
            self,
            name=name,
            extensions=tuple(sorted([*kept, *added], key=lambda item: item.number)),
            terms={**self.terms, **(terms or {})},
            flags={**self.flags, **(flags or {})},
            constants=self.constants if constants is None else constants,
            family=self.family if family is None else family,
            sockaddr=self.sockaddr if sockaddr is None else sockaddr,
            sources=self.sources if sources is None else sources,
            ipsec_request=self.ipsec_request if ipsec_request is None else ipsec_request,
            errnos=self.errnos if errnos is None else errnos,
            diagnostics=self.diagnostics if diagnostics is None else diagnostics,
            wraps=self.wraps if wraps is None else wraps,
        )
