"""The headers of received messages as columns, which is all that is needed to tell whose they are.

Columns are plain arrays and byte strings, so comparing a batch with what was expected is one comparison in C, whatever
the number of messages.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import WireError, wire_error
from ..hotpath import decode, follow
from ..spec import tables
from ..spec.plan import column_plan
from ..wire.dialects import MessageCodec
from ..wire.recovery import resume

ROWS = 1024
"""Messages of one scan at most."""

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_NAMES = ("message_offset", "message_length", "msg_type", "errno", "seq", "pid", "present")


@dataclass(frozen=True, slots=True)
class Scan:
    """Headers of messages that lie one behind the other in a buffer, a row each."""

    buffer: memoryview
    offsets: array[int]
    lengths: array[int]
    types: bytes
    """sadb_msg_type, wire numbers."""
    errnos: bytes
    seqs: array[int]
    pids: array[int]
    present: array[int]
    """One bit for each canonical extension; 0 for a message that cannot be read."""
    faults: dict[int, WireError]
    """What is wrong with messages that cannot be read, by row; their header can."""

    def __len__(self) -> int:
        return len(self.types)

    @property
    def start(self) -> int:
        """Where the first message begins."""
        return self.offsets[0]

    @property
    def stop(self) -> int:
        """Where the last message ends."""
        return self.offsets[-1] + self.lengths[-1]

    def message(self, row: int) -> bytes:
        """A copy of one message."""
        return bytes(self.buffer[self.offsets[row] : self.offsets[row] + self.lengths[row]])


class Scanner:
    """Reads headers of one dialect and byte order. Its columns are used again, so a scan is a copy of them."""

    def __init__(self, messages: MessageCodec) -> None:
        self.codec = messages
        self._plan = column_plan(messages.dialect, tables.ASSOCIATIONS, _NAMES, messages.byteorder)
        self._columns = [array(_CODES[item.width], bytes(item.width * ROWS)) for item in self._plan.columns]

    def scan(self, buffer: memoryview, start: int, stop: int) -> Iterator[Scan]:
        """The messages from `start` to `stop`, some at a time.

        A message that cannot be read has a row too, and what is wrong with it is told. Behind one whose length leads
        nowhere nothing can be found; the scan ends there.
        """
        row = 0
        faults: dict[int, WireError] = {}
        position: int | None = start
        while position is not None and position < stop:
            found = decode(buffer, position, stop, self._plan, False, self._columns, row, ROWS)
            row, position = row + found.count, found.next
            if found.fault:
                error = wire_error(found.fault, found.position, row)
                position = resume(buffer, found.next, stop, self.codec.byteorder)
                if position is not None:
                    faults[row] = error
                    self._write_header(buffer, found.next, row)
                    row += 1
            if row == ROWS or position is None or position >= stop:
                if row:
                    yield self._taken(buffer, row, faults)
                row, faults = 0, {}

    def follow(
        self, buffer: memoryview, start: int, stop: int, kind: int, pid: int, seq: int, step: int
    ) -> tuple[int, int]:
        """How many good messages from `start` on have this type and pid, no errno, and numbers from `seq` by `step`.

        With the count it tells where they end.
        """
        found = follow(buffer, start, stop, self._plan.frame, kind, pid, seq, step)
        return found.count, found.next

    def _write_header(self, buffer: memoryview, offset: int, row: int) -> None:
        """The row of a message of which only the header can be read."""
        header = self.codec.header(buffer, offset)
        values = (offset, header.len * 8, header.type, header.errno, header.seq, header.pid, 0)
        for column, value in zip(self._columns, values, strict=True):
            column[row] = value

    def _taken(self, buffer: memoryview, rows: int, faults: dict[int, WireError]) -> Scan:
        offsets, lengths, types, errnos, seqs, pids, present = (column[:rows] for column in self._columns)
        return Scan(buffer, offsets, lengths, types.tobytes(), errnos.tobytes(), seqs, pids, present, faults)
