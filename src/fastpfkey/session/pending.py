"""Requests on their way: which of the received messages answer them, and with what errno.

A reply is told from the echoes of other people's changes by type, pid and sequence number together. Neither a matching
pid nor a matching number is enough: changes made through netlink carry whatever numbers their authors chose.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from ..spec.model import Dialect
from ..spec.terms import MessageType
from .scan import Scan

UNANSWERED = -1


class Numbers:
    """Sequence numbers for requests, each once and never 0, from wherever the caller wants to begin."""

    def __init__(self, first: int) -> None:
        self._next = first

    def take(self, count: int = 1) -> int:
        """The first of `count` consecutive numbers, which are all below 2^32."""
        if not 1 <= self._next <= (1 << 32) - count:
            self._next = 1
        first = self._next
        self._next += count
        return first


class Pending:
    """Requests of one type with consecutive numbers, and what has come back for each."""

    def __init__(self, dialect: Dialect, kind: MessageType, pid: int, first: int, count: int = 1) -> None:
        numbers = dialect.terms["message"]
        self.kind = kind
        self.first = first
        self.errnos = array("h", [UNANSWERED]) * count
        """The system's errno of each reply, 0 for success, UNANSWERED where none has come."""
        self.answered = 0
        self.reply: bytes | None = None
        """The last reply that came, with all it carries."""
        self._type = numbers.number(dialect.replies.answer(kind))
        self._request_type = numbers.number(kind)
        self._own = array("I", [pid])
        self._anonymous = kind in dialect.replies.anonymous

    @property
    def done(self) -> bool:
        """Whether every request was answered."""
        return self.answered == len(self.errnos)

    def refuse(self, place: int, errno: int) -> None:
        """The transport tells that the request at this place of the block was refused when it was sent."""
        self.errnos[place] = errno
        self.answered += 1

    def feed(self, scan: Scan) -> Sequence[int]:
        """Take the replies among the next messages that were received; the rows of all others are returned."""
        if self.done:
            return range(len(scan))
        return () if self._feed_run(scan) else list(self._feed_rows(scan))

    def _feed_run(self, scan: Scan) -> bool:
        """Take all messages of a scan at once if they answer consecutive requests in order."""
        count, place = len(scan), scan.seqs[0] - self.first
        if not 0 <= place <= len(self.errnos) - count or scan.types != bytes([self._type]) * count or scan.faults:
            return False
        if scan.pids != self._own * count or scan.seqs != array("I", range(scan.seqs[0], scan.seqs[0] + count)):
            return False
        if self.errnos[place : place + count] != array("h", [UNANSWERED]) * count:
            return False
        self.errnos[place : place + count] = array("h", list(scan.errnos))
        self.answered += count
        self.reply = scan.message(count - 1)
        return True

    def _feed_rows(self, scan: Scan) -> Iterator[int]:
        for row in range(len(scan)):
            place = scan.seqs[row] - self.first
            answers = scan.types[row] in (self._type, self._request_type) and scan.pids[row] == self._own[0]
            if self._anonymous and scan.types[row] == self._type and not scan.pids[row] and not scan.seqs[row]:
                answers, place = True, 0
            if answers and 0 <= place < len(self.errnos) and self.errnos[place] == UNANSWERED:
                self.errnos[place] = scan.errnos[row]
                self.answered += 1
                self.reply = scan.message(row)
            else:
                yield row
