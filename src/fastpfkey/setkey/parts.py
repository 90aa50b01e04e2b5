"""What associations and policies have in common when they are printed: columns, conditions, addresses, contexts.

A text is a table of columns by wire number, in the notation of `spec.tables`, and a template over them.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.model import Source, Take
from ..spec.tables import Column, Table
from ..spec.template import Part, address, decimal, literal, lookup, string, unless, when
from ..spec.terms import ExtensionType as Ext
from .look import Look

PARTS = (
    ("", "16u1", Take.IP),
    ("_family", "u2", Take.FAMILY),
    ("_port", "u2", Take.PORT),
    ("_scope", "u4", Take.SCOPE),
)
MEASURES = (("allocations", "u4"), ("bytes", "u8"), ("addtime", "u8"), ("usetime", "u8"))


def field(name: str, dtype: str, extension: Ext | None, member: str) -> tuple[Column, Source]:
    """A column of a member of an extension, or of the header."""
    return Column(name, dtype, member, extension), Source(name, extension, member, translate=False)


def taken(name: str, dtype: str, extension: Ext | None, take: Take) -> tuple[Column, Source]:
    """A column of something else that a message shows."""
    return Column(name, dtype, take.value, extension), Source(name, extension, take=take)


HEADER = (
    field("type", "u1", None, "type"),
    field("errno", "u1", None, "errno"),
    field("seq", "u4", None, "seq"),
    field("pid", "u4", None, "pid"),
    field("refcnt", "u2", None, "reserved"),
    taken("present", "u8", None, Take.PRESENT),
)
CONTEXT = (
    field("ctx_doi", "u1", Ext.SEC_CTX, "doi"),
    field("ctx_algorithm", "u1", Ext.SEC_CTX, "algorithm"),
    field("ctx_length", "u2", Ext.SEC_CTX, "length"),
    taken("ctx_offset", "u8", Ext.SEC_CTX, Take.TAIL_OFFSET),
)


def columns_of(name: str, *pairs: tuple[Column, Source]) -> Table:
    """A table of columns, each with the source that fills it; a column may come several times for more sources."""
    columns = {column.name: column for column, _ in pairs}
    return Table(name, tuple(columns.values()), tuple(source for _, source in pairs))


def lifetime(name: str, extension: Ext) -> Iterator[tuple[Column, Source]]:
    """The columns of a lifetime."""
    return (field(f"{name}_{what}", dtype, extension, what) for what, dtype in MEASURES)


def ends(name: str, extension: Ext) -> Iterator[tuple[Column, Source]]:
    """The columns of an address."""
    return (taken(f"{name}{what}", dtype, extension, take) for what, dtype, take in PARTS)


def has(extension: Ext, *body: Part) -> Part:
    """The body where a message carries an extension."""
    return when("present", 1 << extension.bit, *body, mask=1 << extension.bit)


def lacks(extension: Ext, *body: Part) -> Part:
    """The body where it does not."""
    return when("present", 0, *body, mask=1 << extension.bit)


def numeric(name: str, look: Look) -> Iterator[Part]:
    """An address with the interface that its scope names."""
    yield address(name, f"{name}_family", "unknown-af")
    yield unless(f"{name}_scope", 0, literal("%"), lookup(f"{name}_scope", look.interfaces))


def context(look: Look) -> Iterator[Part]:
    """The lines of a security context."""
    if not look.variant.freebsd:
        yield has(
            Ext.SEC_CTX,
            *(literal("\tsecurity context doi: "), decimal("ctx_doi"), literal("\n")),
            *(literal("\tsecurity context algorithm: "), decimal("ctx_algorithm"), literal("\n")),
            *(literal("\tsecurity context length: "), decimal("ctx_length"), literal("\n")),
            *(literal("\tsecurity context: "), string("ctx_offset", "ctx_length"), literal("\n")),
        )
