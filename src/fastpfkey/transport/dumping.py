"""Dumps: an endpoint of their own, memory that grows as they come, and what to do when they stall or are refused.

The endpoint is fresh and never registered, so that no events fight for its room, and closed when the dump is over. All
of a dump lies in one piece of memory, where the messages were received; nothing is copied unless it outgrows that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import LimitError, NoReplyError, OverrunError, ReplyError, WireError
from ..session.dump import DumpAssembly
from ..session.pending import Pending
from ..session.refusal import refusal
from ..session.scan import Scan, Scanner
from ..wire.message import MessageValue
from .endpoint import ROOM, Endpoint, Role
from .exchange import probe
from .memory import Memory
from .programs import Context, Deadline, Program, pause

MOST = 1 << 33
"""Bytes that a dump may have: 25 million associations."""

TRIES = 5
"""Times that a dump is asked for while another one is under way on the socket."""

BUSY = 0.05
"""Seconds between the first two of them, doubled each time."""

Progress = Callable[[int], None]
"""Is called with the number of messages that have come so far."""


class Slab:
    """Memory that grows while messages are received into it."""

    def __init__(self, memory: Memory) -> None:
        self._source = memory
        self._lease = memory.lend()
        self._view = memoryview(self._lease)
        self.used = 0

    @property
    def memory(self) -> memoryview:
        """All of it."""
        return self._view

    def room(self) -> memoryview:
        """What is free, `ROOM` bytes or more. Raises LimitError if it would grow without end."""
        if len(self._view) - self.used < ROOM:
            if self.used > MOST:
                raise LimitError(f"a dump has more than {MOST:,} bytes, and no end in sight")
            larger = self._source.lend(2 * len(self._view))
            view = memoryview(larger)
            view[: self.used] = self._view[: self.used]
            self._lease.release()
            self._lease, self._view = larger, view
        return self._view[self.used :]

    def compact(self, runs: list[tuple[int, int]]) -> memoryview:
        """Move these parts together, and return them; with the last view of them their memory is given back."""
        end = 0
        for begin, stop in runs:
            if begin != end:
                self._view[end : end + stop - begin] = self._view[begin:stop]
            end += stop - begin
        self._source.settle(self.used)
        self._lease.release()
        return self._view[:end].toreadonly()


@dataclass(frozen=True, eq=False)
class Dump:
    """The messages of a dump, and what is known of it."""

    messages: memoryview
    """Back to back, read-only; keys included."""
    count: int
    complete: bool
    """Whether nothing is missing or may be."""
    missing: int | None
    """Messages that are known to be missing; None if some may be, but nothing tells how many."""
    error: ReplyError | None
    """The error that ended it."""
    faults: tuple[WireError, ...]
    """What was wrong with messages that cannot be read, and are missing; the first 100 of them."""
    unreadable: int
    """How many there were."""


def dump_messages(
    context: Context,
    message: MessageValue,
    *,
    attempts: int = 2,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Program[Dump]:
    """The messages that answer a request for a dump, whatever kind it is of.

    If something was lost the dump is made again, `attempts` times in all, and the last one is returned. `timeout` are
    the seconds of silence after which the end is given up, and `progress` is called with the number of messages so far.
    Raises ReplyError if the engine refuses, and NoReplyError if it does not answer.
    """
    timeout = context.timeout if timeout is None else timeout
    tries = 0
    while True:
        found, busy = yield from _once(context, message, timeout, progress)
        if busy and tries < TRIES:
            yield from pause(BUSY * 2**tries)
            tries += 1
            continue
        attempts -= 1
        if found.complete or found.error or attempts <= 0:
            break
    if found.error and not found.count:
        raise found.error
    return found


def _once(
    context: Context, message: MessageValue, timeout: float | None, progress: Progress | None
) -> Program[tuple[Dump, bool]]:
    """One attempt, and whether it failed because another dump was under way on the socket."""
    endpoint = context.open(Role.DUMPS)
    try:
        number = context.numbers.take()
        assembly = DumpAssembly(context.dialect, message.type, endpoint.pid, number)
        slab = Slab(context.memory)
        endpoint.send(message.replace(seq=number, pid=endpoint.pid).encode())
        yield from _receive(context, endpoint, assembly, slab, Deadline(context, timeout), progress)
    finally:
        endpoint.close()
    errno = context.dialect.errnos.get(context.dialect.replies.busy, 0) if assembly.busy else assembly.error
    error = refusal(context.dialect, message.type, errno, number) if errno else None
    found = Dump(
        slab.compact(assembly.runs),
        assembly.count,
        assembly.complete,
        assembly.missing,
        error,
        tuple(assembly.faults),
        assembly.unreadable,
    )
    return found, assembly.busy


def _receive(
    context: Context,
    endpoint: Endpoint,
    assembly: DumpAssembly,
    slab: Slab,
    deadline: Deadline,
    progress: Progress | None,
) -> Program[None]:
    """Receive until the dump is over. After a silence a probe tells whether anything is still to come."""
    scanner = Scanner(context.codec)
    asked: Pending | None = None
    while not assembly.done:
        try:
            size = endpoint.receive(slab.room(), 0)
        except OverrunError:
            assembly.lose()
            continue
        if size:
            begin, slab.used = slab.used, slab.used + size
            count = assembly.count
            if asked is None:
                begin = assembly.follow(scanner, slab.memory, begin, slab.used)
            for scan in scanner.scan(slab.memory, begin, slab.used):
                assembly.feed(scan)
                _answered(asked, scan)
            if assembly.count > count:
                deadline.extend()
                if progress:
                    progress(assembly.count)
        elif asked is not None and asked.done:
            assembly.exhaust()
        else:
            try:
                yield from deadline.wait(endpoint, f"the end of {assembly.kind.name}")
            except NoReplyError:
                if asked is not None and not assembly.count:
                    raise
                asked = None if asked is not None else probe(context, endpoint)
                if asked is None:
                    assembly.exhaust()
                deadline.extend()


def _answered(asked: Pending | None, scan: Scan) -> None:
    if asked is not None:
        asked.feed(scan)
