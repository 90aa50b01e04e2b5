"""Many associations at once: requests in batches, their echoes fetched between these, and a result for every row.

A batch is small enough that its echoes, which everybody gets, fit into the socket; they are fetched before the next
batch goes out, so none is lost while nobody else is busier than this. Where one is lost all the same, a request that is
always answered shows that there is nothing more to wait for.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import NamedTuple

from ..columns.build import Rows, build_add, build_delete, build_update
from ..errors import NoReplyError, TransportError
from ..hotpath import Lease
from ..session.pending import UNANSWERED, Pending
from ..spec.explanations import explain
from ..spec.model import Dialect
from ..spec.terms import MessageType
from .endpoint import Endpoint, Role
from .exchange import LOST, drain, hear, probe, until_done
from .programs import Context, Deadline, Program

BATCH = 256
"""Requests in a batch: their echoes take 330 KB of Linux's socket, which has room for 8 MB."""

LEFT_OUT = -2


class Failure(NamedTuple):
    """A row that was not carried out, as far as is known."""

    row: int
    errno: int
    """The system's number in the reply; 0 without one."""
    name: str
    """Its C name; empty without a reply."""
    reason: str


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of each row of a table."""

    kind: MessageType
    dialect: Dialect
    errnos: array[int]
    """By row: the system's errno, 0 for success; -1 where no reply came, -2 where no request could be made."""
    reasons: Mapping[int, str]
    """Why no request could be made or sent, by row."""

    @property
    def done(self) -> int:
        """How many rows were carried out."""
        return self.errnos.count(0)

    @property
    def unanswered(self) -> int:
        """How many requests were sent and not answered: whether they were carried out is not known."""
        return self.errnos.count(UNANSWERED)

    @property
    def complete(self) -> bool:
        """Whether every row was carried out."""
        return self.done == len(self.errnos)

    def failures(self) -> Iterator[Failure]:
        """The rows that were not, in order."""
        for row, errno in enumerate(self.errnos):
            if errno == UNANSWERED:
                yield Failure(row, 0, "", "no reply came; it may have been carried out")
            elif errno == LEFT_OUT:
                yield Failure(row, 0, "", self.reasons[row])
            elif errno:
                reason = self.reasons.get(row) or explain(self.dialect, self.kind, errno)
                yield Failure(row, errno, self.dialect.errno_name(errno), reason)

    def __len__(self) -> int:
        return len(self.errnos)

    def __repr__(self) -> str:
        return f"<{self.kind.name}: {self.done:,} of {len(self):,} rows carried out>"


Progress = Callable[[int], None]
"""Is called with the number of rows that are dealt with."""


def add_many(
    context: Context,
    table: Rows,
    *,
    batch: int = BATCH,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Program[Outcomes]:
    """Add an association for each row, and tell what became of each; one that fails does not keep the others.

    `table` is what `build_add` takes: an SATable that was decoded with `keys=True`, or a mapping of columns. `timeout`
    are the seconds of silence after which replies are given up, and `progress` is called with the number of rows so
    far. Raises EncodeError for a column that is missing or does not fit.
    """
    return (yield from _many(context, MessageType.ADD, table, batch, timeout, progress))


def update_many(
    context: Context,
    table: Rows,
    *,
    batch: int = BATCH,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Program[Outcomes]:
    """Update the association of each row. Everything is as in `add_many`."""
    return (yield from _many(context, MessageType.UPDATE, table, batch, timeout, progress))


def delete_many(
    context: Context,
    table: Rows,
    *,
    batch: int = BATCH,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Program[Outcomes]:
    """Delete the association of each row, of which satype, spi, src and dst count. Otherwise as `add_many`."""
    return (yield from _many(context, MessageType.DELETE, table, batch, timeout, progress))


_BUILDERS = {
    MessageType.ADD: build_add,
    MessageType.UPDATE: build_update,
    MessageType.DELETE: build_delete,
}


def _many(
    context: Context,
    kind: MessageType,
    table: Rows,
    batch: int,
    timeout: float | None,
    progress: Progress | None,
) -> Program[Outcomes]:
    if batch < 1:
        raise ValueError(f"batch is 1 or more, not {batch}")
    endpoint = context.endpoint(Role.REQUESTS)
    first = context.numbers.take(_most(table) + 1)
    with _BUILDERS[kind](table, dialect=context.dialect, seq=first, pid=endpoint.pid, on_error="skip") as lease:
        left_out = _reasons(lease)
        sender = _Sender(context, endpoint, kind, lease, first, context.timeout if timeout is None else timeout)
        yield from sender.run(batch, progress)
    rows = len(left_out) + len(sender.errnos)
    kept = [row for row in range(rows) if row not in left_out]
    errnos = array("h", [LEFT_OUT]) * rows
    for row, errno in zip(kept, sender.errnos, strict=True):
        errnos[row] = errno
    refused = {kept[place]: reason for place, reason in sender.refused.items()}
    return Outcomes(kind, context.dialect, errnos, left_out | refused)


def _most(table: Rows) -> int:
    """Rows that a table has, or at most has: of columns it is the longest, where one value stands for all rows."""
    if not isinstance(table, Mapping):
        return len(table)
    return max((len(column) for column in table.values() if isinstance(column, Sized)), default=0)


def _reasons(lease: Lease) -> dict[int, str]:
    """The rows that no message was built for."""
    return {int(row): why for why, rows in (lease.left_out or {}).items() for row in rows}


class _Sender:
    """Sends built requests, and gathers what is answered."""

    def __init__(
        self, context: Context, endpoint: Endpoint, kind: MessageType, lease: Lease, first: int, timeout: float | None
    ) -> None:
        self._context, self._endpoint, self._lease = context, endpoint, lease
        self._kind, self._first, self._timeout = kind, first, timeout
        self.errnos: array[int] = array("h")
        self.refused: dict[int, str] = {}
        """Why a request was refused when it was sent, by place."""

    def run(self, batch: int, progress: Progress | None) -> Program[None]:
        """Send all."""
        offsets: Sequence[int] = self._lease.offsets.tolist()
        drain(self._context, self._endpoint)
        for begin in range(0, len(offsets), batch):
            some = offsets[begin : begin + batch]
            pending = Pending(self._context.dialect, self._kind, self._endpoint.pid, self._first + begin, len(some))
            self._send(pending, some, begin)
            alive = yield from self._fetch(pending)
            self.errnos += pending.errnos
            if not alive:
                unsent = range(len(self.errnos), len(offsets))
                self.errnos.extend([LEFT_OUT] * len(unsent))
                self.refused |= dict.fromkeys(unsent, "it was not sent, because the engine does not answer")
                return
            if progress:
                progress(len(self.errnos))

    def _send(self, pending: Pending, offsets: Sequence[int], begin: int) -> None:
        """Send some, past those that are refused at once."""
        sent = 0
        while sent < len(offsets):
            try:
                sent += self._endpoint.send_many(self._lease, offsets[sent:])
            except TransportError as error:
                pending.refuse(sent, error.errno or 0)
                self.refused[begin + sent] = error.strerror or ""
                sent += 1

    def _fetch(self, pending: Pending) -> Program[bool]:
        """Receive until all are answered or no more answers will come; tell whether the engine answers at all."""
        deadline = Deadline(self._context, self._timeout)
        while not pending.done:
            heard = hear(self._context, self._endpoint, pending)
            if heard == LOST:
                return (yield from self._last_call(pending))
            if heard:
                deadline.extend()
            elif not pending.done:
                try:
                    yield from deadline.wait(self._endpoint, "a reply")
                except NoReplyError:
                    return (yield from self._last_call(pending))
        return True

    def _last_call(self, pending: Pending) -> Program[bool]:
        """Take what came before the answer to a probe; whatever is not answered then was lost."""
        behind = probe(self._context, self._endpoint)
        if behind is not None:
            try:
                yield from until_done(self._context, self._endpoint, behind, self._timeout, pending)
            except NoReplyError:
                return False
        return True
