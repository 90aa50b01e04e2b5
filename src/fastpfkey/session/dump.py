"""Putting a dump together: which bytes of what was received belong to it, whether it is over, and whether it is whole.

The messages of a dump stay where they were received, and what is kept of them is a list of runs: from where to where.
A dump that nothing disturbs is one run, however long it is.
"""

from __future__ import annotations

from array import array

from ..errors import WireError, wire_error
from ..spec.model import HEADER_SIZE, Dialect
from ..spec.replies import Ending
from ..spec.terms import MessageType
from .scan import Scan, Scanner
from .sequence import Sequence

NEGATED = 128
"""Errnos from here on, in a record, are 256 minus what is meant; no system's numbers reach it."""

_NOBODY = array("I", [0])

MOST_FAULTS = 100
"""Unreadable messages whose faults are kept."""


class DumpAssembly:
    """One dump, from its request to its end. `feed` takes what was received, as long as `done` is false."""

    def __init__(self, dialect: Dialect, kind: MessageType, pid: int, seq: int) -> None:
        self.kind = kind
        self._rules = dialect.replies
        self._type = dialect.terms["message"].number(kind)
        self._own = array("I", [pid])
        self._seq = seq
        errnos = dialect.errnos
        self._empty, self._busy = errnos.get(self._rules.empty), errnos.get(self._rules.busy)
        self._sequence = Sequence(self._rules.counting)
        self._bare_type = bytes([self._type])
        self.runs: list[tuple[int, int]] = []
        """Where the messages of the dump lie in the buffer that they were received into: begin and end of each run."""
        self.count = 0
        """Messages of the dump so far."""
        self.done = False
        self.busy = False
        """Whether the dump was refused because another one is under way on the socket: ask again later."""
        self.error = 0
        """The system's errno with which the dump ended; 0 without one. An empty table is no error."""
        self.faults: list[WireError] = []
        """What was wrong with messages that cannot be read, which count as missing; the first 100 of them."""
        self.unreadable = 0
        self._ended = self._doubted = False

    @property
    def complete(self) -> bool:
        """Whether the end has come without an error, and nothing is missing or may be."""
        return self._ended and not self.error and self.missing == 0

    @property
    def missing(self) -> int | None:
        """Messages that are known to be missing; None if some may be, but nothing tells how many."""
        if (self._ended and not self.error and not self._doubted) or self._sequence.counts_down:
            return self._sequence.missing + self.unreadable
        return None

    @property
    def duplicates(self) -> int:
        """Messages that came again and were left out."""
        return self._sequence.duplicates

    def follow(self, scanner: Scanner, buffer: memoryview, start: int, stop: int) -> int:
        """Take what was received as far as it is what has to come next, and return where that ends.

        The rest is for `feed`: the last message of a dump always, all of one that has no numbers.
        """
        sequence = self._sequence
        if not sequence.known or stop - start < HEADER_SIZE:
            return start
        expected = sequence.expected
        first = scanner.codec.header(buffer, start).seq if expected is None else expected
        count, end = scanner.follow(buffer, start, stop, self._type, self._own[0], first, sequence.step)
        if count:
            sequence.pass_by(first, count)
            self._append(start, end, count)
        return end

    def feed(self, scan: Scan) -> None:
        """Take the next messages that were received; those that are not of this dump are passed over."""
        self._feed(scan, 0, len(scan))

    def lose(self) -> None:
        """The transport tells that messages were dropped. A countdown that was is not waited for any longer."""
        if self._sequence.counts_down:
            self.exhaust()
        else:
            self._doubted = True

    def exhaust(self) -> None:
        """The transport tells that nothing more will come, which is how some dumps end."""
        self.done = True
        if self._rules.ending is Ending.NOTHING:
            self._ended = True
        else:
            self._sequence.cut()

    def _feed(self, scan: Scan, begin: int, end: int) -> None:
        """Take rows at once where they are what has to come next, and halve them where they are not."""
        if self.done or self._feed_run(scan, begin, end):
            return
        if end - begin == 1:
            self._feed_row(scan, begin)
            return
        middle = (begin + end) // 2
        self._feed(scan, begin, middle)
        self._feed(scan, middle, end)

    def _feed_run(self, scan: Scan, begin: int, end: int) -> bool:
        """Take rows at once if all are of this dump, none is the last, and nothing is unusual."""
        count = end - begin
        if scan.types[begin:end] != self._bare_type * count or scan.errnos[begin:end].count(0) != count:
            return False
        if scan.faults:
            return False
        pids = scan.pids[begin:end]
        unnumbered = not self._rules.numbered and pids == _NOBODY * count
        if not unnumbered and not (pids == self._own * count and self._sequence.run(scan.seqs[begin:end])):
            return False
        self._append(scan.offsets[begin], scan.offsets[end - 1] + scan.lengths[end - 1], count)
        return True

    def _feed_row(self, scan: Scan, row: int) -> None:
        number, pid, errno = scan.seqs[row], scan.pids[row], scan.errnos[row]
        unnumbered = not self._rules.numbered and pid == 0
        if scan.types[row] != self._type or (pid != self._own[0] and not unnumbered):
            return
        bare = scan.lengths[row] == HEADER_SIZE
        broken = self._rules.negates and number == 0 and errno >= NEGATED and not bare
        if errno and not broken:
            if number in (0, self._seq):
                self._refuse(errno)
            return
        last = number == 0 and not unnumbered
        if last and bare and self._rules.ending is Ending.BARE:
            self._end(0)
            return
        if last:
            self._sequence.end()
        if last or unnumbered or self._sequence.next(number):
            self._take(scan, row)
        if last:
            self._end(256 - errno if broken else 0)

    def _take(self, scan: Scan, row: int) -> None:
        if row in scan.faults:
            if len(self.faults) < MOST_FAULTS:
                found = scan.faults[row]
                self.faults.append(wire_error(found.fault, found.offset, self.count + self.unreadable, self.count))
            self.unreadable += 1
        else:
            self._append(scan.offsets[row], scan.offsets[row] + scan.lengths[row], 1)

    def _append(self, start: int, stop: int, count: int) -> None:
        if self.runs and self.runs[-1][1] == start:
            start = self.runs.pop()[0]
        self.runs.append((start, stop))
        self.count += count

    def _refuse(self, errno: int) -> None:
        """A reply that is an error: the table is empty, the socket is busy, or the dump failed."""
        if errno == self._empty and not self.count:
            self._end(0)
        elif errno == self._busy and not self.count:
            self.busy = self.done = True
        else:
            self._sequence.cut()
            self._end(errno)

    def _end(self, errno: int) -> None:
        self.error = errno
        self.done = self._ended = True
