"""Names of sources on the command line, and the bytes they stand for."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..spec.model import Dialect
from ..spec.plan import ByteOrder

if TYPE_CHECKING:
    from typing_extensions import Buffer

DEMO = "demo:"
MOST = 100_000_000
"""Associations that a demo table may have."""


class SourceUnavailable(Exception):  # noqa: N818 - a state of the system, not a defect
    """A source cannot be read; the text says why and what to do."""


@contextmanager
def open_source(name: str, dialect: Dialect, byteorder: ByteOrder) -> Iterator[Buffer]:
    """The messages of a source: `demo:N` is made up, anything else that is no word of its own is a file.

    Raises SourceUnavailable for one that is not there.
    """
    if name.startswith(DEMO):
        from ..columns.synthetic import synthetic

        yield synthetic(_count(name[len(DEMO) :]), dialect=dialect.name, byteorder=byteorder).data
    elif name == "kernel":
        raise SourceUnavailable("dumping the kernel's table is not possible yet; try demo:100000 or a file")
    else:
        with map_file(Path(name)) as buffer:
            yield buffer


@contextmanager
def map_file(path: Path) -> Iterator[memoryview]:
    """A file's bytes, mapped and not read."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            yield memoryview(b"")
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST:
        raise SourceUnavailable(f"demo:N needs a number from 1 to {MOST:,}, not {text!r}")
    return int(text)
