"""Names of what endpoints can be opened to: `kernel` is the running system's, `unix:PATH` an engine that is served,
`engine` one in this process, `demo:N` one in this process with a made-up table.

`source` is the one place that knows the names. Another kind of source is a class with `Source`'s three members and a
line there.
"""

from __future__ import annotations

from pathlib import Path

from .. import spec
from ..spec.model import Dialect
from .af_key.countdown import Room
from .af_key.opening import open_endpoint
from .endpoint import Endpoint, Role, Source
from .loopback import DEMO, Demo, Loopback
from .unix import UnixSource

UNIX = "unix:"
MOST = 10_000_000
"""Associations that a made-up table may have; they are made in memory."""


class Kernel:
    """The running system's key engine."""

    name = "kernel"

    def __init__(self) -> None:
        self.dialect = spec.dialect("host")
        self._dumps = Room(0)

    def open_endpoint(self, role: Role) -> Endpoint:
        """A new socket. Raises TransportError, whose text says what would have to change, if there is none."""
        return open_endpoint(self.dialect, role, self._dumps)


def source(text: str, dialect: str | Dialect = "host") -> Source:
    """The source of this name; `dialect` is that of a made-up table, and of an engine in this process.

    Raises ValueError for a name that there is not.
    """
    if text == Kernel.name:
        return Kernel()
    if text.startswith(DEMO):
        return Demo(demo_count(text), spec.dialect(dialect))
    if text.startswith(UNIX) and text != UNIX:
        return UnixSource(Path(text.removeprefix(UNIX)))
    if text == Loopback.name:
        return Loopback(spec.dialect(dialect))
    raise ValueError(f"{text!r} is no source: kernel, unix:PATH, engine and demo:N are")


def demo_count(text: str) -> int:
    """The number behind `demo:`. Raises ValueError for none, or one that is too large."""
    digits = text.removeprefix(DEMO)
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits[:20]) <= MOST:
        raise ValueError(f"{DEMO}N needs a number from 1 to {MOST:,}, not {digits!r}")
    return int(digits)
