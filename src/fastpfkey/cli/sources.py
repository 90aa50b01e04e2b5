"""Names of sources on the command line, and the messages that they stand for.

`parse` is the one place that knows the names. A source is whatever has a `name`, gives its messages in windows, and
gives all of them at once to who has to have them so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Protocol, cast

from ..spec.model import Dialect
from ..spec.plan import ByteOrder, swapped
from ..transport.loopback import DEMO
from ..transport.sources import demo_count, source
from ..wire import windows
from ..wire.windows import Window
from .errors import SourceError


class Source(Protocol):
    """Messages, back to back."""

    @property
    def name(self) -> str:
        """What errors call it."""
        ...

    def windows(self) -> Iterator[Window]:
        """The messages, a window at a time. Raises OSError."""
        ...

    def whole(self) -> memoryview:
        """All messages in one buffer. Raises OSError."""
        ...


@dataclass(frozen=True)
class Demo:
    """A made-up table, as of when it was named: ages are then what they are said to be, and nothing is past its end."""

    count: int
    dialect: Dialect
    byteorder: ByteOrder
    now: int = field(default_factory=lambda: int(time.time()))

    @property
    def name(self) -> str:
        """The source as it is given on the command line."""
        return f"{DEMO}{self.count}"

    def windows(self) -> Iterator[Window]:
        """The messages, a window at a time."""
        return windows.of_buffer(self.whole(), swapped(self.byteorder))

    def whole(self) -> memoryview:
        """All messages."""
        from ..columns.synthetic import synthetic

        return synthetic(self.count, dialect=self.dialect, byteorder=self.byteorder, now=self.now).data


@dataclass(frozen=True)
class File:
    """A capture on disk, or in a pipe or device that has a name."""

    path: Path
    byteorder: ByteOrder

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def windows(self) -> Iterator[Window]:
        """The messages, a window at a time."""
        return windows.of_file(self.path, swapped(self.byteorder))

    def whole(self) -> memoryview:
        """All messages, mapped if they can be."""
        with self.path.open("rb") as file:
            return memoryview(windows.mapping(file) or file.read())


@dataclass(frozen=True)
class StandardInput:
    """What is piped in."""

    byteorder: ByteOrder
    name: str = "standard input"

    def windows(self) -> Iterator[Window]:
        """The messages, as they arrive."""
        return windows.of_stream(standard_input(), swapped(self.byteorder))

    def whole(self) -> memoryview:
        """All messages."""
        return memoryview(standard_input().read())


def standard_input() -> BufferedReader:
    """Standard input as bytes. Raises SourceError if it is closed."""
    if sys.stdin is None:
        raise SourceError("standard input is closed")
    return cast(BufferedReader, sys.stdin.buffer)


def capture(path: str, byteorder: ByteOrder) -> Source:
    """The file of this path; `-` is standard input."""
    return StandardInput(byteorder) if path == "-" else File(Path(path), byteorder)


def parse(text: str, dialect: Dialect, byteorder: ByteOrder) -> Source:
    """The source of this name whose messages can be read without asking an engine: demo:N, - or a file.

    Raises SourceError for one that there is not.
    """
    if text.startswith(DEMO):
        try:
            return Demo(demo_count(text), dialect, byteorder)
        except ValueError as error:
            raise SourceError(str(error)) from None
    if is_engine(text):
        raise SourceError(f"{text}: an engine has to be asked, and this command does not; name a file or demo:N")
    return capture(text, byteorder)


def is_engine(text: str) -> bool:
    """Whether a name is that of a key engine, which is asked for what it has."""
    try:
        return not text.startswith(DEMO) and bool(source(text))
    except ValueError:
        return False
