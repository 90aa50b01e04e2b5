"""Reading a source: its good messages a window at a time, and a line on standard error for each bad one.

All numbers and offsets are those of the whole source, whatever the windows. A line is told after the messages before it
were shown, so both streams on one terminal read in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..errors import ReplyError, WireError, wire_error
from ..hotpath import hop
from ..spec.model import Dialect
from ..spec.plan import ByteOrder, swapped
from ..wire.batch import Batch
from ..wire.decode import decode
from ..wire.recovery import OnError
from .choosing import EVERYTHING, Choice, without_refusals
from .ending import FAILURE
from .sources import Source
from .telling import tell

TOLD = 20
"""Bad messages of a source that get a line each; further ones are counted."""


NO_SUCH = "a source is kernel, unix:PATH, engine, demo:N or a file"
"""What may have been meant by a name that is no file's."""

STRANGE = "--dialect auto finds out what system wrote a file"
"""What may help if not even the first message can be read."""


class How(NamedTuple):
    """How the user wants messages read."""

    dialect: Dialect
    byteorder: ByteOrder = "native"
    on_error: OnError = "raise"
    """At a bad message: "raise" ends, "stop" goes on with the next source, "skip" with the next message."""
    strict: bool = False

    @property
    def within(self) -> OnError:
        """What to do at a bad message within a window, whose good messages are always wanted."""
        return "skip" if self.on_error == "skip" else "stop"


class Portion(NamedTuple):
    """The good messages of a window."""

    source: str
    batch: Batch
    offset: int
    """Where in the source the window begins."""
    numbers: Sequence[int]
    """Number of each message in the source."""


class Faults:
    """The bad messages of one source."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.count = 0

    def tell(self, faults: Sequence[WireError], skipped: int, offset: int, number: int) -> None:
        """Tell of those in a window that begins at this offset with the message of this number."""
        for fault in faults[: max(TOLD - self.count, 0)]:
            error = wire_error(fault.fault, fault.offset + offset, fault.message_index + number)
            tell(
                f"{self.source}: {error}",
                error,
                hint="" if error.message_index else STRANGE,
                source=self.source,
                status=FAILURE,
            )
        self.count += max(len(faults), skipped)

    def sum_up(self) -> None:
        """Tell how many there were, if not each was told of."""
        if self.count > TOLD:
            tell(f"{self.source}: {self.count:,} bad messages in all", source=self.source)


class Reader:
    """Reads sources, and remembers whether anything was bad.

    For a table, the answers that only say that there is nothing, or that the engine refused, are left out.
    """

    def __init__(self, how: How, choice: Choice = EVERYTHING, *, table: bool = False) -> None:
        self.how = how
        self.choice = choice
        self.table = table
        self.failed = False

    def portions(self, sources: Sequence[Source]) -> Iterator[Portion]:
        """The good messages of all sources. One that cannot be read is bad as a whole."""
        for source in sources:
            try:
                yield from self._portions(source)
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                self.failed = True
                hint = NO_SUCH if isinstance(error, FileNotFoundError) else ""
                tell(reason(error, source.name), error, hint=hint, source=source.name, status=FAILURE)
            if self.failed and self.how.on_error == "raise":
                return

    def _portions(self, source: Source) -> Iterator[Portion]:
        how, number, faults = self.how, 0, Faults(source.name)
        for window in source.windows():
            batch = decode(window.messages, how.dialect, how.byteorder, how.within, how.strict)
            wanted = self.choice.among(batch)
            refusals: list[ReplyError] = []
            if self.table:
                wanted, refusals = without_refusals(wanted)
            whole = not batch.skipped and len(wanted) == len(batch)
            numbers = range(number, number + len(batch)) if whole else _numbers(wanted, number, swapped(how.byteorder))
            yield Portion(source.name, wanted, window.offset, numbers)
            for refused in refusals:
                self.failed = True
                tell(f"{source.name}: {refused}", refused, source=source.name, status=FAILURE)
            if batch.faults:
                self.failed = True
                faults.tell(batch.faults, batch.skipped, window.offset, number)
                if how.on_error != "skip":
                    return
            number += len(batch) + batch.skipped
        faults.sum_up()


def _numbers(batch: Batch, first: int, swap: bool) -> Sequence[int]:
    """Numbers of the messages of a batch, counting those that are not in it."""
    found, place = [], 0
    for offset in batch.offsets:
        first += hop(batch.buffer, place, len(batch.buffer), swap, offset).count
        place = offset
        found.append(first)
    return found


def reason(error: OSError, name: str = "") -> str:
    """An error of the operating system in one line."""
    subject = name or error.filename
    text = str(error) if isinstance(error, ReplyError) else error.strerror or str(error) or type(error).__name__
    return f"{subject}: {text}" if subject else text
