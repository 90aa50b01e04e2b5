"""Replies told from everything else that a socket hears: by type, pid and number together."""

from __future__ import annotations

import sys
from array import array

import pytest
from corpus.groundtruth import capture
from corpus.groundtruth.index import MESSAGES, read_timeline
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.session.pending import UNANSWERED, Numbers, Pending

from .support import FOREIGN, PID, SEQ, bare, message, scans

ADD = pf.MessageType.ADD
EEXIST = 17


def pending(kind: pf.MessageType = ADD, count: int = 1, first: int = SEQ, dialect: str = "linux") -> Pending:
    return Pending(spec.dialect(dialect), kind, PID, first, count)


def feed(request: Pending, *batches: bytes, dialect: str = "linux") -> int:
    """Feed batches, and count the messages that are no replies."""
    return sum(len(request.feed(scan)) for scan in scans(dialect, *batches))


@pytest.mark.requirement("R-2.1-11")
@pytest.mark.parametrize(
    "other",
    [message(4), message(3, SEQ + 1), message(3, SEQ, FOREIGN), message(3, 0, 0), message(8, 0, 0), bare(kind=10)],
)
def test_only_type_pid_and_number_together_make_a_reply(other: bytes) -> None:
    request = pending()
    assert feed(request, other) == 1
    assert (request.done, request.reply) == (False, None)
    assert feed(request, other + message(3) + other) == 2
    assert request.done
    assert request.errnos == array("h", [0])
    assert request.reply == message(3)


def test_a_reply_counts_once() -> None:
    """FLUSH is answered, and then broadcast to everybody with the same numbers."""
    request = pending(pf.MessageType.FLUSH)
    assert feed(request, bare(kind=9) + bare(kind=9)) == 1
    assert request.done


def test_an_error_reply_of_bsd_is_the_whole_request() -> None:
    request = pending(dialect="freebsd")
    assert feed(request, message(3, errno=EEXIST), dialect="freebsd") == 0
    assert request.errnos == array("h", [EEXIST])


def test_linux_answers_spdsetidx_with_spdadd() -> None:
    request = pending(pf.MessageType.SPDSETIDX)
    assert feed(request, message(14)) == 0
    # An error has the request's own type.
    request = pending(pf.MessageType.SPDSETIDX)
    assert feed(request, bare(errno=22, kind=20)) == 0
    assert request.errnos == array("h", [22])


def test_linux_answers_migrate_without_number_and_pid() -> None:
    request = pending(pf.MessageType.MIGRATE)
    assert feed(request, message(24, SEQ + 1), message(23, 0, 0), message(24, 0, 0)) == 2
    assert request.errnos == array("h", [0])
    request = pending(pf.MessageType.MIGRATE)
    assert feed(request, bare(errno=61, kind=24)) == 0
    assert request.errnos == array("h", [61])


@settings(max_examples=60)
@given(st.data())
def test_every_request_of_a_batch_gets_its_own_errno(data: st.DataObject) -> None:
    """Whatever comes between, in whatever order, and however it is cut."""
    count = data.draw(st.integers(1, 30))
    errnos = data.draw(st.lists(st.sampled_from([0, 0, 0, EEXIST]), min_size=count, max_size=count))
    replies = [message(3, SEQ + place, errno=errno) for place, errno in enumerate(errnos)]
    if data.draw(st.booleans()):
        replies = data.draw(st.permutations(replies))
    lost = data.draw(st.sets(st.integers(0, count - 1), max_size=3))
    arrived = [reply for place, reply in enumerate(replies) if place not in lost]
    for place in data.draw(st.lists(st.integers(0, len(arrived)), max_size=4)):
        arrived.insert(place, message(3, 5, FOREIGN))
    foreign = len(arrived) - (count - len(lost))
    cut = data.draw(st.integers(0, len(arrived)))
    request = pending(count=count)
    assert feed(request, *filter(None, [b"".join(arrived[:cut]), b"".join(arrived[cut:])])) == foreign
    came = {
        int.from_bytes(reply[8:12], sys.byteorder) - SEQ
        for reply in arrived
        if reply[12:16] != FOREIGN.to_bytes(4, sys.byteorder)
    }
    assert list(request.errnos) == [errnos[place] if place in came else UNANSWERED for place in range(count)]
    assert request.answered == len(came)
    assert request.done == (not lost)


def test_captured_replies_are_found_among_events() -> None:
    """What the actor's socket heard is not kept, but a registered one heard the same ADDs as broadcasts."""
    rows = read_timeline("linux-events.timeline.tsv")
    echoed = {row.seq for row in rows if row.socket == "mon" and row.type == MESSAGES["ADD"]}
    sent = [row for row in rows if row.socket == "SENT" and row.type == MESSAGES["ADD"] and row.seq in echoed]
    heard = capture("linux-events.bin")
    for row in sent:
        request = Pending(spec.dialect("linux"), ADD, row.pid, row.seq)
        others = sum(len(request.feed(scan)) for scan in scans("linux", heard, byteorder="little"))
        assert (request.done, others) == (True, 67)
        assert request.reply is not None
        (reply,) = pf.decode(request.reply, dialect="linux", byteorder="little")
        assert (reply.type, reply.seq, reply.pid) == (ADD, row.seq, row.pid)
    assert len(sent) > 5


def test_numbers_are_used_once_and_never_zero() -> None:
    numbers = Numbers((1 << 32) - 3)
    assert [numbers.take(2), numbers.take(2), numbers.take()] == [(1 << 32) - 3, 1, 3]
    assert Numbers(0).take() == 1
