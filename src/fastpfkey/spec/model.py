"""What a dialect is made of: extensions with layouts and tails, and the dialect that holds them.

The idea: everything that an operating system can change is data of few types, those here and in layouts.py,
sockaddrs.py and term_tables.py, and every other floor derives what it needs from them: struct formats, NumPy dtypes,
walk tables, column plans, golden names. A new dialect is one file of such data.

Lengths on the wire count 8-byte words (RFC 2367, 2.2), here they are bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from .layouts import Layout
from .replies import RFC2367, Replies
from .sockaddrs import SockaddrRules
from .term_tables import TermTable
from .terms import ExtensionType, SAType, Term

WORD = 8
"""Bytes in one unit of sadb_msg_len and sadb_ext_len."""

HEADER_SIZE = 16
"""Bytes of struct sadb_msg, the same on every system."""

LONGEST_MESSAGE = 0xFFFF * WORD
"""Bytes of the longest message whose length field can tell its length."""

EXTENSION_HEADER_SIZE = 4
"""Bytes of struct sadb_ext that carry a meaning: length and type."""

PF_KEY_V2 = 2
"""The only value of sadb_msg_version."""


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
class Choice:
    """What bits of sadb_sa_flags say where others have a number: `chosen` if any is set, `otherwise` if none is."""

    flags: tuple[str, ...]
    """C names of the bits, which lie in one byte."""
    chosen: Term
    otherwise: Term


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
    choice: Choice | None = None
    """What the field's bits say, if it holds flags."""


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
    counts: bool = False
    """Whether the header's reserved field is a reference count in what the system sends."""
    diagnostics: Mapping[int, str] = field(default_factory=dict)
    """What the header's reserved field means in an error, where the system says more there than in errno."""
    replies: Replies = RFC2367
    """How the system answers requests and ends dumps."""
    order: tuple[ExtensionType, ...] = ()
    """Extensions of an association in the order in which the system's kernel writes them, as far as that is known."""

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

    def mask(self, flags: Iterable[str]) -> int:
        """The bits of sadb_sa_flags that have these C names."""
        return sum({self.flags[name] for name in flags})

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
        counts: bool | None = None,
        replies: Replies | None = None,
        order: tuple[ExtensionType, ...] | None = None,
    ) -> Dialect:
        """A descendant: the same facts apart from those given. Extensions replace those of the same number or type.

        Term tables and flags are added to the ancestor's; constants, sources, errnos, diagnostics and order stand in
        place of them.
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
            counts=self.counts if counts is None else counts,
            replies=self.replies if replies is None else replies,
            order=self.order if order is None else order,
        )
