"""`--dialect auto`: which system wrote the messages, found out from their first bytes and told on standard error.

What cannot be told for certain ends the program with the candidates. A pipe gives its first bytes once, so what was
read of it is put before the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import click

from .. import spec
from ..errors import DetectionError
from ..spec.model import Dialect
from ..spec.plan import ByteOrder, swapped
from ..wire import windows
from ..wire.detect import SAMPLE, Candidate, detect
from ..wire.dialects import host_order
from ..wire.windows import Window
from .errors import SourceError
from .sources import Demo, File, Source, capture, parse, standard_input
from .telling import tell


class Found(NamedTuple):
    """What sources were found to be, and the sources, ready to be read."""

    dialect: Dialect
    byteorder: ByteOrder
    sources: list[Source]


@dataclass
class Begun:
    """A stream whose first bytes were read already."""

    name: str
    byteorder: ByteOrder
    head: bytes
    stream: BufferedReader

    def read1(self, size: int, /) -> bytes:
        """The first bytes, then what the stream has."""
        if self.head:
            found, self.head = self.head, b""
            return found
        return self.stream.read1(size)

    def windows(self) -> Iterator[Window]:
        """The messages, as they arrive."""
        return windows.of_stream(self, swapped(self.byteorder))

    def whole(self) -> memoryview:
        """All messages."""
        return memoryview(self.head + self.stream.read())


def found_out(names: Sequence[str], byteorder: ByteOrder) -> Found:
    """What captures are, all of one dialect and byte order; one other than "native" is taken as known.

    Raises SourceError for a capture that may be of several systems or of none, and for captures that differ.
    """
    begun = [_begin(name) for name in names]
    found = [_system(name, head, byteorder) for name, (_, head) in zip(names, begun, strict=True)]
    for name, item in zip(names, found, strict=True):
        tell(f"{name}: {item.dialect}, {item.byteorder}-endian: {'; '.join(item.evidence)}")
    systems = {(item.dialect, item.byteorder) for item in found}
    if len(systems) > 1:
        raise SourceError("the files are of different systems; read them one by one, or name a system with --dialect")
    dialect, order = systems.pop()
    return Found(spec.dialect(dialect), order, [_ready(source, order) for source, _ in begun])


def found_source(name: str, byteorder: ByteOrder) -> Found:
    """The same of one source of any kind. A made-up table is of this system.

    Raises SourceError.
    """
    named = parse(name, spec.dialect("host"), byteorder)
    if not isinstance(named, Demo):
        return found_out([name], byteorder)
    tell(f"{name}: {named.dialect.name}, {host_order(byteorder)}-endian: made here")
    return Found(named.dialect, byteorder, [named])


def _begin(name: str) -> tuple[Source, bytes]:
    """A source, and one byte more than detection looks at, so that it sees that there is more."""
    source = capture(name, "native")
    if not isinstance(source, File):
        stream = standard_input()
        head = stream.read(SAMPLE + 1)
        return Begun(source.name, "native", head, stream), head
    stream = click.get_current_context().with_resource(source.path.open("rb"))
    head = stream.read(SAMPLE + 1)
    if windows.mapping(stream) is None:
        return Begun(source.name, "native", head, stream), head
    return source, head


def _ready(source: Source, byteorder: ByteOrder) -> Source:
    if isinstance(source, Begun):
        source.byteorder = byteorder
        return source
    return File(Path(source.name), byteorder)


def _system(name: str, head: bytes, byteorder: ByteOrder) -> Candidate:
    found = detect(head, None if byteorder == "native" else host_order(byteorder))
    try:
        chosen = found.dialect, found.byteorder
    except DetectionError as error:
        raise SourceError(f"{name}: {error}; name it with --dialect") from None
    return next(item for item in found.candidates if (item.dialect, item.byteorder) == chosen)
