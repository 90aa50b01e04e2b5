"""Events: what a registered socket heard, as kinds, in bursts."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from corpus.groundtruth import capture
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.session.events import EventKind, EventReader
from fastpfkey.session.pending import Pending
from fastpfkey.wire.dialects import codec

from .support import FOREIGN, PID, SEQ, bare, message

Kind = EventKind
NOW = 1_795_417_776.5


def reader(dialect: str = "linux", byteorder: str = sys.byteorder) -> EventReader:
    return EventReader(codec(spec.dialect(dialect), byteorder))  # type: ignore[arg-type]


@pytest.mark.parametrize("pieces", [1, 7])
def test_everything_that_a_kernel_tells(pieces: int) -> None:
    """68 messages: 4 answers to REGISTER, and events of 12 kinds, whole or in several bursts."""
    heard = pf.decode(capture("linux-events.bin"), dialect="linux", byteorder="little")
    events = reader(byteorder="little")
    found: list[pf.Event] = []
    for place in range(pieces):
        part = heard[place * len(heard) // pieces : (place + 1) * len(heard) // pieces]
        burst = events.read(b"".join(item.raw for item in part), NOW)
        assert len(burst) == len(part)
        found += burst
    assert [event.message for event in found] == list(heard)
    assert {event.time for event in found} == {NOW}
    assert Counter(event.kind for event in found) == {
        Kind.PROMISCUOUS: 2,
        Kind.REGISTERED: 3,
        Kind.REFUSED: 1,
        Kind.ADDED: 11,
        Kind.UPDATED: 3,
        Kind.DELETED: 2,
        Kind.SOFT_EXPIRED: 4,
        Kind.HARD_EXPIRED: 12,
        Kind.ACQUIRE: 9,
        Kind.FLUSHED: 4,
        Kind.POLICY_ADDED: 9,
        Kind.POLICY_UPDATED: 1,
        Kind.POLICY_DELETED: 3,
        Kind.POLICIES_FLUSHED: 2,
        Kind.MAPPING_CHANGED: 2,
    }
    for event in found:
        if event.kind in (Kind.SOFT_EXPIRED, Kind.HARD_EXPIRED):
            assert event.message is not None
            assert (event.message.lifetime_hard is not None) == (event.kind is Kind.HARD_EXPIRED)


def test_a_burst_becomes_a_table() -> None:
    burst = reader(byteorder="little").read(capture("linux-events.bin"), NOW)
    expired = burst[13:15]
    assert [event.kind for event in expired] == [Kind.SOFT_EXPIRED, Kind.HARD_EXPIRED]
    assert pf.SATable.from_batch(expired.batch)["state"].tolist() == [pf.SAState.DYING, pf.SAState.DEAD]


def test_replies_to_own_requests_are_no_events() -> None:
    """REGISTER is answered to whoever is registered, so the same message is news to others."""
    request = Pending(spec.dialect("linux"), pf.MessageType.REGISTER, PID, SEQ)
    received = message(7, 9, FOREIGN) + message(7) + message(3, 9, FOREIGN)
    burst = reader().read(received, NOW, [request])
    assert [event.kind for event in burst] == [Kind.REGISTERED, Kind.ADDED]
    assert request.done
    assert [event.kind for event in reader().read(received, NOW, [request])] == [
        Kind.REGISTERED,
        Kind.REGISTERED,
        Kind.ADDED,
    ]


def test_failures_are_told_from_successes() -> None:
    """A key manager's failed ACQUIRE goes to all; OpenBSD tells everybody of every error."""
    burst = reader("openbsd").read(bare(kind=6, errno=110) + bare(kind=3, errno=17) + bare(kind=6), NOW)
    assert [event.kind for event in burst] == [Kind.ACQUIRE_FAILED, Kind.REFUSED, Kind.ACQUIRE]


def test_kinds_go_by_meaning_not_by_number() -> None:
    """Message 14 is a policy on Linux, a pair of associations on OpenBSD, and the end of a pair on illumos."""
    for name, kind in (("linux", Kind.POLICY_ADDED), ("openbsd", Kind.OTHER), ("illumos", Kind.OTHER)):
        assert [event.kind for event in reader(name).read(message(14, body=b""), NOW)] == [kind]
    assert reader("openbsd").read(message(12, body=b""), NOW)[0].kind is Kind.POLICY_ADDED


def test_what_cannot_be_read_is_counted_and_left_out() -> None:
    events = reader()
    burst = events.read(message(3) + message(4, body=bytes(8)) + message(4), NOW)
    assert [event.kind for event in burst] == [Kind.ADDED, Kind.DELETED]
    assert events.unreadable == 1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([1, 3, 4, 8, 9, 14]), st.booleans()), max_size=40))
def test_any_interleaving_keeps_events_in_order(sent: list[tuple[int, bool]]) -> None:
    kinds = {1: Kind.SPI_RESERVED, 3: Kind.ADDED, 4: Kind.DELETED, 8: Kind.SOFT_EXPIRED, 9: Kind.FLUSHED}
    received = b"".join(message(kind, 7, FOREIGN) + bare(5, errno=3, kind=5) * bad for kind, bad in sent)
    expected = [item for kind, bad in sent for item in (kinds.get(kind, Kind.POLICY_ADDED), *[Kind.REFUSED] * bad)]
    assert [event.kind for event in reader().read(received, NOW)] == expected
