"""An endpoint whose requests a function of this process answers: tables that are made up, or come from elsewhere."""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..hotpath import hop
from . import header
from .endpoint import check_room

if TYPE_CHECKING:
    from typing_extensions import Buffer

Answer = Callable[[memoryview], memoryview]
"""From a request to the messages that answer it, back to back. Raises TransportError if it is refused."""


class AnsweringEndpoint:
    """As `endpoint.Endpoint`; nothing comes but answers."""

    def __init__(self, answer: Answer, pid: int | None = None) -> None:
        self._answer = answer
        self._pid = os.getpid() if pid is None else pid
        self._waiting: deque[memoryview] = deque()
        # Its outer end is readable for as long as there is something to give, as a socket to a kernel would be.
        self._outer, self._inner = socket.socketpair()

    @property
    def pid(self) -> int:
        """What requests have to carry as sadb_msg_pid."""
        return self._pid

    def fileno(self) -> int:
        """A file descriptor that polls as readable when there are answers."""
        return self._outer.fileno()

    def send(self, message: Buffer) -> None:
        """Answer one message. Raises TransportError if it is refused."""
        answer = self._answer(memoryview(message).cast("B"))
        if answer:
            if not self._waiting:
                self._inner.send(b"\0")
            self._waiting.append(answer)

    def send_many(self, messages: Buffer, offsets: Sequence[int]) -> int:
        """Answer the messages that begin at these offsets."""
        view = memoryview(messages).cast("B")
        for offset in offsets:
            self.send(view[offset : offset + header.length(view, offset)])
        return len(offsets)

    def receive(self, buffer: Buffer, timeout: float | None = None) -> int:
        """Write as many answers as fit into `buffer`, back to back, and return how many bytes they are."""
        view = check_room(buffer)
        if not self._waiting:
            poll = select.poll()
            poll.register(self._outer, select.POLLIN)
            poll.poll(None if timeout is None else timeout * 1000)
            return 0
        used = 0
        while self._waiting:
            answer = self._waiting[0]
            size = min(len(answer), len(view) - used)
            end = hop(answer, 0, size, False, size).next
            view[used : used + end] = answer[:end]
            used += end
            if end < len(answer):
                self._waiting[0] = answer[end:]
                return used
            self._waiting.popleft()
        self._outer.recv(1)
        return used

    def close(self) -> None:
        """Forget what was not fetched."""
        self._waiting.clear()
        self._outer.close()
        self._inner.close()
