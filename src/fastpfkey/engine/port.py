"""One client's end of the engine: what waits for it, within bounds, and what the engine knows of it.

A queue holds blocks of whole messages. What comes to a full queue is lost and counted, except for what the client can
ask for again: a dump waits in the engine until the queue has room.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..errors import LimitError


class Block(NamedTuple):
    """Messages back to back."""

    data: bytes | memoryview
    ends: Sequence[int]
    """Where each of them ends."""


class Port:
    """A connection to an engine, made by `Engine.connect`."""

    def __init__(self, number: int, pid: int, limit: int, name: str, on_read: Callable[[Port], None]) -> None:
        self.number = number
        """Never given twice by one engine."""
        self.pid = pid
        """The client's process; 0 if nobody knows."""
        self.name = name
        self.limit = limit
        """Bytes that may wait."""
        self.queued = 0
        """Bytes that wait."""
        self.dropped = 0
        """Messages that were lost because the queue was full."""
        self.registered: set[int] = set()
        """Wire numbers of the SA types that it is registered for."""
        self.promiscuous = False
        self.closed = False
        self._blocks: deque[Block] = deque()
        self._at = 0  # messages of the first block that were taken
        self._on_read = on_read

    def __repr__(self) -> str:
        return f"<Port {self.number}{f' {self.name}' if self.name else ''}, pid {self.pid}, {self.queued} bytes wait>"

    @property
    def waiting(self) -> int:
        """Messages that wait."""
        return sum(len(block.ends) for block in self._blocks) - self._at

    def put(self, message: bytes) -> bool:
        """Queue one message; False if it is lost. An empty queue takes one of any length."""
        if self.closed:
            return False
        if self.queued and self.queued + len(message) > self.limit:
            self.dropped += 1
            return False
        self._blocks.append(Block(message, (len(message),)))
        self.queued += len(message)
        return True

    def put_block(self, block: Block, anyway: bool = False) -> int:
        """Queue as many messages of a block as there is room for, and return their number; the others are lost.

        With `anyway` there is room for all.
        """
        if self.closed or not block.ends:
            return 0
        taken = len(block.ends) if anyway else bisect_right(block.ends, self.limit - self.queued)
        if not taken and not self.queued:
            taken = 1
        self.dropped += len(block.ends) - taken
        if taken:
            end = block.ends[taken - 1]
            whole = taken == len(block.ends)
            self._blocks.append(block if whole else Block(block.data[:end], block.ends[:taken]))
            self.queued += end
        return taken

    def receive(self, limit: int | None = None) -> bytes:
        """Take whole messages, back to back, of at most `limit` bytes; b"" if none waits.

        Raises LimitError if the first message alone is longer; it stays where it is.
        """
        taken = self._parts(limit)
        data = bytes(taken[0]) if len(taken) == 1 else b"".join(taken)
        self._read(len(data))
        return data

    def receive_into(self, buffer: memoryview) -> int:
        """Write whole messages, back to back, into a buffer of bytes, and return their length; 0 if none waits.

        Raises LimitError if the first message alone is longer; it stays where it is.
        """
        size = 0
        for part in self._parts(len(buffer)):
            buffer[size : size + len(part)] = part
            size += len(part)
        self._read(size)
        return size

    def receive_one(self) -> bytes:
        """Take one message; b"" if none waits."""
        data = bytes(self._take(self._length())) if self._blocks else b""
        self._read(len(data))
        return data

    def _parts(self, limit: int | None) -> list[bytes | memoryview]:
        """Take whole messages of at most `limit` bytes, as runs that lie back to back."""
        taken: list[bytes | memoryview] = []
        size = 0
        while self._blocks:
            part = self._take(None if limit is None else limit - size)
            if not part:
                break
            taken.append(part)
            size += len(part)
        if not taken and self._blocks:
            raise LimitError(f"the next message has {self._length()} bytes, {limit} were asked for")
        return taken

    def _read(self, size: int) -> None:
        self.queued -= size
        if size:
            self._on_read(self)

    def _length(self) -> int:
        """Bytes of the next message."""
        ends = self._blocks[0].ends
        return ends[self._at] - (ends[self._at - 1] if self._at else 0)

    def _take(self, room: int | None) -> bytes | memoryview:
        """Take as many messages of the first block as fit."""
        data, ends = self._blocks[0]
        begin = ends[self._at - 1] if self._at else 0
        count = len(ends) if room is None else bisect_right(ends, begin + room)
        end = ends[count - 1] if count > self._at else begin
        if count == len(ends):
            self._blocks.popleft()
            self._at = 0
        else:
            self._at = max(count, self._at)
        return data if end - begin == len(data) else data[begin:end]

    def close(self) -> None:
        """Registrations, the promiscuous state, a dump and waiting messages vanish; associations stay."""
        self.closed = True
        self.registered.clear()
        self.promiscuous = False
        self._blocks.clear()
        self._at = self.queued = 0
