"""Key engines as sources of the command line: a table of the running kernel, say, once it was asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import click

from ..errors import ReplyError
from ..spec.model import Dialect
from ..transport.client import Client
from ..transport.dumping import Dump
from ..wire import requests, windows
from ..wire.message import MessageValue
from ..wire.windows import Window
from .choosing import Choice
from .errors import SourceError

PATIENCE = 0.5
"""Seconds that a dump may take before a terminal is told how far it is."""

EVERY = 0.1
"""Seconds between two such lines."""

WIDTH = 30
"""Characters of the longest of them."""


class Live:
    """A table of a key engine, which has no messages before `ask`."""

    def __init__(self, name: str, dialect: Dialect, table: str, choice: Choice) -> None:
        self.name = name
        self.dialect = dialect
        self._request = _request(name, dialect, table, choice)
        self._found: Dump | None = None
        self.incomplete = ""
        """What is wrong with the dump, once it was read; empty if it is whole."""

    def ask(self) -> None:
        """Dump. Raises SourceError, TransportError and ReplyError."""
        progress = Progress() if sys.stderr.isatty() else None
        with connect(self.name, self.dialect) as client:
            try:
                self._found = client.dump_messages(self._request, progress=progress)
            finally:
                if progress is not None:
                    progress.end()
        self.incomplete = _incomplete(self._found)

    def windows(self) -> Iterator[Window]:
        """The messages, a window at a time."""
        return windows.of_buffer(self.whole(), False)

    def whole(self) -> memoryview:
        """All messages."""
        return memoryview(b"") if self._found is None else self._found.messages


def connect(source: str, dialect: Dialect) -> Client:
    """A client of this source. Raises SourceError for one that there is not."""
    try:
        return Client.open(source, dialect=dialect)
    except ValueError as error:
        raise SourceError(str(error)) from None


class Progress:
    """A line on a terminal that says how many messages have come, if it takes long."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PATIENCE
        self._shown = False

    def __call__(self, count: int) -> None:
        """So many have come."""
        now = time.monotonic()
        if now >= self._next:
            click.echo(f"\r{count:,} messages", nl=False, err=True)
            self._next, self._shown = now + EVERY, True

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            click.echo(f"\r{'':{WIDTH}}\r", nl=False, err=True)


def _request(name: str, dialect: Dialect, table: str, choice: Choice) -> MessageValue:
    if table == "algorithms":
        raise SourceError(f"{name}: algorithms are no dump; `fastpfkey register` shows them")
    if table == "policies":
        return requests.spddump(dialect=dialect)
    return requests.dump(choice.satype or "unspec", filter=choice.filter(dialect), dialect=dialect)


def _incomplete(found: Dump) -> str:
    """What is wrong with a dump, in words."""
    if found.complete:
        return ""
    reason = f", because of {found.error}" if isinstance(found.error, ReplyError) else ""
    missing = "messages may be missing" if found.missing is None else f"messages that are missing: {found.missing:,}"
    return f"the dump is not whole: {missing}{reason}"
