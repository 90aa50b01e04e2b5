"""What the sequence numbers of a dump tell: what is missing, what came twice, and whether it is over.

One object follows one dump. `run` takes the numbers of a whole batch in one comparison as long as nothing is unusual;
`next` takes one number and copes with everything.
"""

from __future__ import annotations

from array import array

from ..spec.replies import Counting

MOST_GAPS = 1 << 16
"""Gaps that are remembered, so that a peer that numbers at random cannot fill the memory."""


class Sequence:
    """The numbers of one dump so far."""

    def __init__(self, counting: Counting) -> None:
        self.counting = counting
        self.step = -1 if counting is Counting.DOWN else 1
        self.last: int | None = None
        """The number of the last message that was new; None before the first."""
        self.gaps: list[range] = []
        """Numbers that were passed over, in the order in which they should have come."""
        self.duplicates = 0
        self.missing = 0
        """Messages that are known not to have come."""

    @property
    def known(self) -> bool:
        """Whether numbers tell what is missing."""
        return self.counting is not Counting.NOTHING

    @property
    def counts_down(self) -> bool:
        """Whether a countdown has begun, which tells the total and so what is missing when it stops."""
        return self.counting is Counting.DOWN and self.last is not None

    @property
    def expected(self) -> int | None:
        """The number that has to come next; None if any may."""
        if self.last is None:
            return 1 if self.counting is Counting.UP else None
        return self.last + self.step

    def run(self, numbers: array[int]) -> bool:
        """Take the numbers of consecutive messages, none of them the last, if each follows the one before.

        False takes none of them.
        """
        if not self.known:
            return 0 not in numbers
        first = self.expected if self.last is not None or self.counting is Counting.UP else numbers[0]
        if first is None or first < 1:
            return False
        stop = first + self.step * len(numbers)
        if min(first, stop - self.step) < 1 or stop - self.step > 0xFFFFFFFF:
            return False
        if numbers != array("I", range(first, stop, self.step)):
            return False
        self.last = stop - self.step
        return True

    def pass_by(self, first: int, count: int) -> None:
        """Take the numbers of so many messages at once, which are known to follow one another."""
        self.last = first + self.step * (count - 1)

    def next(self, number: int) -> bool:
        """Take the number of a message, and say whether it is new; not to be called with the number of the last."""
        if not self.known:
            return True
        expected = self.expected
        if expected is None or number == expected:
            self.last = number
            return True
        if (number - expected) * self.step < 0:
            return self._late(number)
        self._skip(expected, number)
        self.last = number
        return True

    def end(self) -> None:
        """The last message has come: whatever a countdown still had before it is missing."""
        if self.counts_down and self.last is not None and self.last > 1:
            self._skip(self.last - 1, 0)

    def cut(self) -> None:
        """No more will come, and the last message has not: of a countdown, all that it still had is missing."""
        if self.counts_down and self.last is not None:
            self._skip(self.last - 1, -1)

    def _skip(self, first: int, stop: int) -> None:
        self.missing += abs(stop - first)
        if len(self.gaps) < MOST_GAPS:
            self.gaps.append(range(first, stop, self.step))

    def _late(self, number: int) -> bool:
        """Whether a number that should have come before was passed over; if not, the message is a duplicate."""
        for place, gap in enumerate(self.gaps):
            if number in gap:
                before, behind = gap[: gap.index(number)], gap[gap.index(number) + 1 :]
                self.gaps[place : place + 1] = [part for part in (before, behind) if part]
                self.missing -= 1
                return True
        self.duplicates += 1
        return False
