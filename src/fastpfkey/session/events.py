"""What happened to associations and policies, as events: bursts of messages, kinds in bulk, objects on demand.

Whatever a socket hears that is no reply to its own requests is an event. A burst is what came at one time; it is a
sequence of events, and its messages are a batch, so that thousands of them become a table as fast as a dump does. Where
messages were lost, an event of its own says so.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from ..spec.terms import ExtensionType, MessageType
from ..wire.batch import Batch
from .pending import Pending
from .scan import Scan, Scanner

if TYPE_CHECKING:
    from ..wire.dialects import MessageCodec
    from ..wire.message import MessageView


class EventKind(enum.IntEnum):
    """What happened."""

    OTHER = 0
    """A message of a type that tells no change, such as the answer to someone else's GET."""
    SPI_RESERVED = 1
    ADDED = 2
    UPDATED = 3
    DELETED = 4
    SOFT_EXPIRED = 5
    HARD_EXPIRED = 6
    ACQUIRE = 7
    """An association is needed."""
    ACQUIRE_FAILED = 8
    """A key manager says that it cannot make the association that was asked for."""
    REGISTERED = 9
    """The list of algorithms, as it is now."""
    FLUSHED = 10
    PROMISCUOUS = 11
    """A copy of somebody's message, or the switch for such copies."""
    MAPPING_CHANGED = 12
    """The peer of an association comes from another address or port."""
    MIGRATED = 13
    POLICY_ADDED = 14
    POLICY_UPDATED = 15
    POLICY_DELETED = 16
    POLICY_EXPIRED = 17
    POLICY_ACQUIRE = 18
    POLICIES_FLUSHED = 19
    REFUSED = 20
    """Somebody's request failed."""
    OVERRUN = 32
    """Messages were lost, or may have been: what is known of the tables may be out of date."""
    RESYNC = 33
    """The table as it is after messages were lost."""

    @property
    def label(self) -> str:
        """The kind as people write it."""
        return self.name.lower().replace("_", "-")


KINDS = {
    MessageType.GETSPI: EventKind.SPI_RESERVED,
    MessageType.ADD: EventKind.ADDED,
    MessageType.UPDATE: EventKind.UPDATED,
    MessageType.DELETE: EventKind.DELETED,
    MessageType.ACQUIRE: EventKind.ACQUIRE,
    MessageType.REGISTER: EventKind.REGISTERED,
    MessageType.EXPIRE: EventKind.SOFT_EXPIRED,
    MessageType.FLUSH: EventKind.FLUSHED,
    MessageType.PROMISC: EventKind.PROMISCUOUS,
    MessageType.SPDUPDATE: EventKind.POLICY_UPDATED,
    MessageType.SPDADD: EventKind.POLICY_ADDED,
    MessageType.SPDSETIDX: EventKind.POLICY_ADDED,
    MessageType.SPDDELETE: EventKind.POLICY_DELETED,
    MessageType.SPDDELETE2: EventKind.POLICY_DELETED,
    MessageType.SPDACQUIRE: EventKind.POLICY_ACQUIRE,
    MessageType.SPDFLUSH: EventKind.POLICIES_FLUSHED,
    MessageType.SPDEXPIRE: EventKind.POLICY_EXPIRED,
    MessageType.NAT_T_NEW_MAPPING: EventKind.MAPPING_CHANGED,
    MessageType.MIGRATE: EventKind.MIGRATED,
    MessageType.ADDFLOW: EventKind.POLICY_ADDED,
    MessageType.DELFLOW: EventKind.POLICY_DELETED,
}
"""Kinds by message type; EXPIRE and failures depend on more than that."""

_FAILED = {
    (EventKind.ACQUIRE, False): EventKind.ACQUIRE_FAILED,
    (EventKind.ACQUIRE, True): EventKind.ACQUIRE,
}
"""What an errno makes of a kind, with extensions or without: in an ACQUIRE that has some it means nothing."""

_HARD = 1 << ExtensionType.LIFETIME_HARD.bit


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    kind: EventKind
    time: float
    """When it was received: seconds since 1970."""
    message: MessageView | None = None
    """What was received; None for an event that is no message."""


class Burst(Sequence[Event]):
    """What came at one time, in order. Indexing and iterating make events; `batch` has their messages in bulk."""

    __slots__ = ("batch", "kinds", "time")

    def __init__(self, time: float, kinds: bytes, batch: Batch) -> None:
        self.time = time
        """When it was received: seconds since 1970."""
        self.kinds = kinds
        """The `EventKind` of each event, a byte each."""
        self.batch = batch
        """The messages of the events."""

    def __len__(self) -> int:
        return len(self.kinds)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Burst: ...
    def __getitem__(self, index: int | slice) -> Event | Burst:
        if isinstance(index, slice):
            return Burst(self.time, self.kinds[index], self.batch[index])
        return Event(EventKind(self.kinds[index]), self.time, self.batch[index])

    def __iter__(self) -> Iterator[Event]:
        return map(self.__getitem__, range(len(self)))

    def __repr__(self) -> str:
        return f"<Burst of {len(self)} events>"


class EventReader:
    """Makes bursts of what a socket for events hears."""

    def __init__(self, messages: MessageCodec) -> None:
        self._codec = messages
        self._scanner = Scanner(messages)
        numbers = messages.dialect.terms["message"]
        terms = (MessageType(numbers.term(number)) for number in range(256))
        self._kinds = bytes(KINDS.get(term, EventKind.OTHER) for term in terms)
        self.unreadable = 0
        """Messages that could not be read and are in no burst."""

    def read(self, received: bytes, time: float, pending: Iterable[Pending] = ()) -> Burst:
        """The events among messages that were received at a time; replies to `pending` requests are none."""
        kinds, offsets = bytearray(), array("Q")
        waiting = [request for request in pending if not request.done]
        for scan in self._scanner.scan(memoryview(received), 0, len(received)):
            found = self._kinds_of(scan)
            chosen = set(range(len(scan))) - scan.faults.keys()
            for request in waiting:
                chosen &= set(request.feed(scan))
            self.unreadable += len(scan.faults)
            if len(chosen) == len(scan):
                kinds += found
                offsets += scan.offsets
            else:
                rows = sorted(chosen)
                kinds += bytes(found[row] for row in rows)
                offsets.extend(scan.offsets[row] for row in rows)
        return Burst(time, bytes(kinds), Batch(memoryview(received), memoryview(offsets), self._codec))

    def _kinds_of(self, scan: Scan) -> bytes:
        """Kinds by type, put right for the few messages whose type does not tell all."""
        kinds = bytearray(scan.types.translate(self._kinds))
        place = kinds.find(EventKind.SOFT_EXPIRED)
        while place >= 0:
            if scan.present[place] & _HARD:
                kinds[place] = EventKind.HARD_EXPIRED
            place = kinds.find(EventKind.SOFT_EXPIRED, place + 1)
        if scan.errnos.count(0) != len(scan):
            for place, errno in enumerate(scan.errnos):
                if errno:
                    kinds[place] = _FAILED.get((EventKind(kinds[place]), bool(scan.present[place])), EventKind.REFUSED)
        return bytes(kinds)
