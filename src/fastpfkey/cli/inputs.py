"""What the user named, ready to be read, and how."""

from __future__ import annotations

from collections.abc import Sequence

from ..spec import dialect as find_dialect
from ..spec.plan import ByteOrder
from ..wire.recovery import OnError
from .detecting import found_out, found_source
from .reading import How
from .sources import Source, capture, parse

AUTO = "auto"


def captures(
    names: Sequence[str], dialect: str, byteorder: ByteOrder, on_error: OnError, strict: bool
) -> tuple[How, list[Source]]:
    """How files are to be read, and the files. Raises SourceError."""
    if dialect == AUTO:
        found = found_out(names, byteorder)
        return How(found.dialect, found.byteorder, on_error, strict), found.sources
    how = How(find_dialect(dialect), byteorder, on_error, strict)
    return how, [capture(name, byteorder) for name in names]


def source(name: str, dialect: str, byteorder: ByteOrder, on_error: OnError, strict: bool) -> tuple[How, Source]:
    """How a source that need not be asked is to be read, and the source. Raises SourceError."""
    if dialect == AUTO:
        found = found_source(name, byteorder)
        return How(found.dialect, found.byteorder, on_error, strict), found.sources[0]
    how = How(find_dialect(dialect), byteorder, on_error, strict)
    return how, parse(name, how.dialect, byteorder)


def for_engine(dialect: str, byteorder: ByteOrder, on_error: OnError, strict: bool) -> How:
    """How the answers of a key engine are to be read."""
    return How(find_dialect("host" if dialect == AUTO else dialect), byteorder, on_error, strict)
