"""Keeps the state of a served engine over its end: a snapshot, and if that is wanted a journal beside it.

`commit` is called once in each turn of a server, when requests were acted on and nothing was answered yet. A snapshot
is taken on the way, a block in each turn, and written by a thread, so that neither the table nor the disk stops the
server. It takes the place of the old one when it is whole; then the journal begins anew, with what came since. Both are
replaced by renaming, and entries are numbered for good, so whatever a crash leaves is understood:

    before the new snapshot is in its place    the old one, and a journal that has all since
    between that and the new journal           the new one, and a journal that has more than is needed
    behind both                                the new one, and a journal that has all since
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable
from glob import escape
from pathlib import Path
from typing import BinaryIO, TypeVar

from ..engine.engine import Engine
from ..engine.entries import START, Kind, Reader, forget
from ..engine.snapshot import JOURNAL, Taken, read_head, replay, restore, settle, taken, watch
from ..errors import TransportError
from ..wire.windows import mapping
from .files import PRIVATE, replacing
from .journal import Journal
from .writer import Writer, write

GROWTH = 64 << 20
"""Bytes of a journal that are worth a snapshot, if they are also twice those of the last one."""

Found = TypeVar("Found")

POLL = 0.01
"""Seconds between two looks whether the thread that writes has gone on."""


def journal_of(snapshot: Path) -> Path:
    """Where the journal of a snapshot is."""
    return snapshot.with_name(f"{snapshot.name}.journal")


class Keeper:
    """The files of one engine, which are its alone until `close`."""

    def __init__(
        self,
        engine: Engine,
        path: Path,
        *,
        journal: bool = False,
        every: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Give an empty engine the state that the snapshot `path` and its journal have, if they are there.

        With `journal` nothing is lost that `commit` has seen; `every` so many seconds there is a snapshot. `tell` is
        told what is worth a line. Raises StateFileError, TransportError and OSError.
        """
        self.engine = engine
        self.path = path
        self.every = every
        self._clock = clock
        self._tell = tell
        self._lock = _locked(path)
        self._journal: Journal | None = None
        self._writer: Writer | None = None
        self._entries: Taken | None = None
        self._wanted = False
        self._unsaved = False
        try:
            self.found = path.exists() or journal_of(path).exists()
            """Whether there was a state."""
            _sweep(path)
            self._lineage = secrets.token_hex(8)
            self._number, end = self._load()
            self._watch = watch(engine)
            if ended := settle(engine):
                tell(f"{ended:,} associations ended while nobody served them")
            if journal:
                self._journal = Journal(journal_of(path), engine, self._lineage, self._number)
                self._journal.begin() if end is None else self._journal.resume(end)
        except BaseException:
            self.close()
            raise
        self._mark = (self._number, 0)
        self._unsaved |= not path.exists()
        self._size = path.stat().st_size if path.exists() else 0
        self._due = clock() + every if every else None

    def _load(self) -> tuple[int, int | None]:
        """The number of the journal's next entry, and where in it that would be; None if it has to begin anew."""
        number = 0
        if self.path.exists():
            said = _read(self.path, lambda reader: restore(self.engine, reader))
            self._lineage, number = said.lineage, said.first
        journal = journal_of(self.path)
        if not journal.exists():
            return number, None
        return _read(journal, lambda reader: self._replay(reader, number))

    def _replay(self, reader: Reader, number: int) -> tuple[int, int | None]:
        """Do what the journal says from the entry of this number on."""
        entries = iter(reader)
        first = next(entries, None)
        if first is None:
            raise reader.damage(reader.end, "it ends before its end")
        said = read_head(self.engine, reader, first, JOURNAL)
        if not self.path.exists():
            self._lineage = said.lineage
        if said.lineage != self._lineage:
            raise reader.damage(first.offset, f"it is the journal of another engine than {self.path} is of")
        if said.first > number:
            raise reader.damage(first.offset, f"it goes on from a later snapshot than {self.path} is")
        expected = said.first
        for found in entries:
            if found.kind != Kind.DELTA or found.number != expected:
                raise reader.damage(found.offset, f"entry {found.number} stands where {expected} should")
            if expected >= number:
                replay(self.engine, reader, found)
                self._unsaved = True
            expected += 1
        if reader.torn:
            self._tell(
                f"{reader.path}: {len(reader) - reader.end:,} bytes of an entry that was not finished are cut off"
            )
        return (expected, reader.end) if expected >= number else (number, None)

    def commit(self) -> None:
        """Keep what has changed since the last time. Raises TransportError if that cannot be kept."""
        if self._watch:
            self._unsaved = True
            if self._journal is None:
                self._watch.clear()
            else:
                payload = self._watch.take()
                try:
                    self._journal.append(payload)
                finally:
                    forget(payload)
        if self._writer is not None:
            self._go_on()
        elif self._wanted or self._is_due():
            self._begin()

    def patience(self) -> float | None:
        """Seconds after which `commit` has something to do even if nothing happens; None for never."""
        if self._writer is not None:
            return POLL if self._writer.busy else 0.0
        if self._wanted:
            return 0.0
        return None if self._due is None else max(0.0, self._due - self._clock())

    def save(self) -> None:
        """Have a snapshot taken in the next turns, of a state that is not older than now."""
        self._wanted = True

    def finish(self) -> None:
        """Take a snapshot now, of all that there is, and do not return before it is in its place. Raises OSError."""
        self._abandon()
        if self._unsaved:
            with replacing(self.path, private=True) as file:
                self._write_all(file)
            self._saved()
            self._unsaved = False

    def _write_all(self, file: BinaryIO) -> None:
        file.write(START)
        for parts in taken(self.engine, self._lineage, self._next_number):
            write(file, parts)

    def close(self) -> None:
        """Give the files back, as they are."""
        self._abandon()
        if self._journal is not None:
            self._journal.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _abandon(self) -> None:
        """Give up a snapshot that is on its way."""
        if self._writer is not None and self._entries is not None:
            self._entries.close()
            self._writer.abandon()
            self._unsaved = True
        self._writer = self._entries = None

    def _is_due(self) -> bool:
        if self._due is not None and self._clock() >= self._due:
            self._due = self._clock() + (self.every or 0.0)
            return self._unsaved
        return self._journal is not None and self._journal.size > max(GROWTH, 2 * self._size)

    def _next_number(self) -> int:
        """The number of the journal's next entry; where it will be is noted."""
        if self._journal is not None:
            self._mark = (self._journal.number, self._journal.size)
        return self._mark[0]

    def _begin(self) -> None:
        self._wanted, self._unsaved = False, False
        self._writer = Writer(self.path)
        self._entries = taken(self.engine, self._lineage, self._next_number)
        self._go_on()

    def _go_on(self) -> None:
        """One block more, or what comes behind the last one."""
        writer, entries = self._writer, self._entries
        if writer is None or entries is None:
            return
        if not writer.busy and not writer.ended:
            parts = next(entries, None) if writer.error is None else None
            if parts is not None:
                writer.put(parts)
                return
            entries.close()
            writer.end()
        if writer.done:
            self._writer = self._entries = None
            if writer.written:
                self._saved()
            else:
                self._unsaved = True
                self._tell(f"no snapshot: {self.path}: {writer.error}")

    def _saved(self) -> None:
        """A snapshot is in its place: what the journal has before it is not needed any more."""
        self._size = self.path.stat().st_size
        if self._journal is not None:
            self._journal.start_over(*self._mark)
        else:
            journal_of(self.path).unlink(missing_ok=True)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock on a snapshot. Raises TransportError if another engine has it."""
    lock = path.with_name(f"{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise TransportError(error.errno, f"{path}: another engine keeps its state there") from error
    return descriptor


def _sweep(path: Path) -> None:
    """Remove what an engine that was killed had begun to write."""
    for name in (path.name, journal_of(path).name):
        for left in path.parent.glob(f".{escape(name)}.????????"):
            left.unlink()


def _read(path: Path, use: Callable[[Reader], Found]) -> Found:
    with path.open("rb") as file:
        data = memoryview(mapping(file) or b"")
    return use(Reader(path, data))
