"""Dumps put together from what each system sends, whole and in pieces, disturbed and cut short."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import pytest
from corpus.groundtruth import capture
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import spec

from .support import FOREIGN, PID, SEQ, assemble, bare, message, record

ENOENT, EBUSY, EINVAL, EIO = 2, 16, 22, 5
EVENT = message(3, 7, FOREIGN)
UP = [name for name in spec.DIALECTS if spec.dialect(name).replies.counting.value == "up"]
DOWN = [name for name in spec.DIALECTS if spec.dialect(name).replies.counting.value == "down"]


def dump_of(name: str, count: int) -> list[bytes]:
    """What a system answers when its table has `count` associations, one or more."""
    if name in DOWN:
        return [record(number) for number in reversed(range(count))]
    if name in UP:
        return [record(number) for number in (*range(1, count), 0)]
    if name == "illumos":
        return [record(SEQ)] * count + [bare(0)]
    if name == "openbsd":
        return [record(0, pid=0)] * count
    return [record(SEQ)] * (count - 1) + [record(0)]


@pytest.mark.parametrize("count", [1, 2, 5000])
@pytest.mark.parametrize("name", spec.DIALECTS)
def test_a_dump_ends_as_each_system_ends_it(name: str, count: int) -> None:
    sent = dump_of(name, count)
    found = assemble(name, [b"".join(sent[:-1]), sent[-1]])
    if name == "openbsd":
        assert not found.dump.done
        found.dump.exhaust()
    assert found.dump.done
    assert found.state == (True, count, 0, 0)
    assert found.messages == b"".join(sent[:count])
    assert len(found.dump.runs) == 1


@pytest.mark.parametrize("name", spec.DIALECTS)
def test_a_dump_is_not_over_before_its_end(name: str) -> None:
    found = assemble(name, dump_of(name, 9)[:-1])
    assert not found.dump.done
    assert not found.dump.complete


def test_openbsd_answers_on_its_socket_as_the_rfc_says() -> None:
    """The records have the request's numbers, and the last has 0."""
    found = assemble("openbsd", [record(SEQ), record(SEQ), record(0)])
    assert found.dump.done
    assert found.state == (True, 3, 0, 0)


@pytest.mark.parametrize("name", ["linux", *DOWN])
def test_an_empty_table_is_no_error(name: str) -> None:
    found = assemble(name, [EVENT, bare(errno=ENOENT)])
    assert found.state == (True, 0, 0, 0)


def test_an_empty_table_of_illumos_is_its_end_alone() -> None:
    assert assemble("illumos", [bare(0)]).state == (True, 0, 0, 0)


def test_an_error_in_the_middle_ends_a_dump() -> None:
    """illumos tells it in the closing header, Linux in a header with the request's number or in the last record."""
    assert assemble("illumos", [record(SEQ), bare(0, errno=EIO)]).state == (False, 1, None, EIO)
    assert assemble("linux", [record(1), record(2), bare(errno=EINVAL)]).state == (False, 2, None, EINVAL)
    assert assemble("linux", [record(1), record(0, errno=256 - EINVAL)]).state == (False, 2, None, EINVAL)
    # A countdown knows what it still had.
    assert assemble("freebsd", [record(5), record(4), bare(errno=EINVAL)]).state == (False, 2, 4, EINVAL)


def test_a_dump_under_way_on_the_socket_means_ask_again() -> None:
    found = assemble("linux", [bare(errno=EBUSY)])
    assert (found.dump.busy, found.dump.done, found.dump.complete) == (True, True, False)
    # The refusal of another dump is not ours.
    found = assemble("linux", [record(1), bare(99, errno=EBUSY), record(2), record(0)])
    assert (found.dump.busy, found.state) == (False, (True, 3, 0, 0))


@pytest.mark.parametrize("name", [*UP, *DOWN])
def test_what_numbers_pass_over_is_missing(name: str) -> None:
    sent = dump_of(name, 100)
    del sent[50:60], sent[20]
    found = assemble(name, [b"".join(sent[:30]), EVENT, b"".join(sent[30:])])
    assert found.state == (False, 89, 11, 0)


@pytest.mark.parametrize("name", DOWN)
def test_a_countdown_that_stops_tells_what_is_missing(name: str) -> None:
    found = assemble(name, dump_of(name, 100)[:40])
    found.dump.exhaust()
    assert found.state == (False, 40, 60, 0)


@pytest.mark.parametrize("name", [name for name in spec.DIALECTS if name not in (*DOWN, "openbsd")])
def test_without_a_countdown_nobody_knows_what_a_lost_end_means(name: str) -> None:
    found = assemble(name, dump_of(name, 100)[:40])
    found.dump.exhaust()
    assert found.state == (False, 40, None, 0)


def test_a_message_that_cannot_be_read_is_missing_and_told() -> None:
    broken = message(10, 2, body=bytes(8))
    found = assemble("linux", [record(1) + broken + record(3) + record(0)])
    assert found.state == (False, 3, 1, 0)
    assert [(fault.fault, fault.message_index, fault.good) for fault in found.dump.faults] == [
        (pf.Fault.EXTENSION_EMPTY, 1, 1)
    ]


class Case(NamedTuple):
    """What arrives: places in the dump (an event where None), cut into batches."""

    total: int
    order: list[int | None]
    cuts: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    total = draw(st.integers(1, 40))
    kept = [place for place in range(total - 1) if draw(st.integers(0, 9)) > 0] + [total - 1]
    order: list[int | None] = []
    for place in kept:
        order += [place] * draw(st.sampled_from([1] * 9 + [2]))
        order += [None] * draw(st.sampled_from([0] * 5 + [1, 3]))
    return Case(total, order, draw(st.lists(st.integers(0, len(order)), max_size=6)))


@pytest.mark.parametrize("name", [*UP, *DOWN[:1]])
@settings(max_examples=60)
@given(case=cases())
def test_any_interleaving_gives_what_was_there(name: str, case: Case) -> None:
    """Each message once and in order; missing what was passed over, as far as numbers can tell it."""
    sent = dump_of(name, case.total)
    arrived = [EVENT if place is None else sent[place] for place in case.order]
    bounds = [0, *sorted(case.cuts), len(arrived)]
    batches = [b"".join(arrived[begin:end]) for begin, end in pairwise(bounds)]
    found = assemble(name, [batch for batch in batches if batch])
    places = sorted({place for place in case.order if place is not None})
    assert found.messages == b"".join(sent[place] for place in places)
    assert found.dump.done
    # Counting up, what is lost right before the end cannot be told; counting down, what is lost at the beginning.
    known = range(places[-2] if len(places) > 1 else 0) if name in UP else range(places[0], case.total)
    assert found.dump.missing == len(set(known) - set(places))
    assert found.dump.error == 0


def test_what_was_thought_missing_may_come_late() -> None:
    found = assemble("linux", [record(1), record(4), record(3), record(2), record(2), record(0)])
    assert found.state == (True, 5, 0, 0)
    assert found.dump.duplicates == 1


@pytest.mark.parametrize(
    ("name", "kind", "state"),
    [
        ("linux-mixed.bin", pf.MessageType.DUMP, (True, 53, 0, 0)),
        ("linux-mixed-satype9.bin", pf.MessageType.DUMP, (True, None, 0, 0)),
        ("linux-policies.bin", pf.MessageType.SPDDUMP, (True, 42, 0, 0)),
        ("linux-policies-with-ro.bin", pf.MessageType.SPDDUMP, (False, None, None, EINVAL)),
        ("linux-policies-empty.bin", pf.MessageType.SPDDUMP, (True, 0, 0, 0)),
        ("linux-sad-empty.bin", pf.MessageType.DUMP, (True, 0, 0, 0)),
    ],
)
@pytest.mark.parametrize("events", [False, True])
def test_captured_dumps(name: str, kind: pf.MessageType, state: tuple[bool, int, int, int], events: bool) -> None:
    """Dumps of a kernel, alone and with everything between their messages that a registered socket heard."""
    batch = pf.decode(capture(name), dialect="linux", byteorder="little")
    sent = [item.raw for item in batch]
    if events:
        heard = [item.raw for item in pf.decode(capture("linux-events.bin"), dialect="linux", byteorder="little")]
        sent = [piece for place, item in enumerate(sent) for piece in (*heard[place :: len(sent)], item)]
    number = batch[-1].seq or batch[0].seq
    found = assemble(
        "linux", [b"".join(sent[begin : begin + 7]) for begin in range(0, len(sent), 7)], kind, batch[0].pid, number
    )
    complete, count, missing, error = found.state
    records = [item.raw for item in batch if item.length > 16]
    assert (complete, missing, error) == (state[0], state[2], state[3])
    assert count == len(records) == (count if state[1] is None else state[1])
    assert found.messages == b"".join(records)


@settings(max_examples=100)
@given(
    st.lists(
        st.builds(
            message,
            st.sampled_from([3, 10]),
            st.integers(0, 5) | st.just(SEQ),
            st.sampled_from([0, PID]),
            st.sampled_from([0, 0, 0, 2, 16, 234]),
            st.sampled_from([b"", bytes(8), message(10)]),
        ),
        max_size=20,
    ),
    st.sampled_from(spec.DIALECTS),
    st.binary(max_size=20),
)
def test_any_messages_are_taken_or_left(sent: list[bytes], name: str, tail: bytes) -> None:
    """Whatever comes, nothing fails, and what is taken are messages that came."""
    found = assemble(name, [b"".join(sent), tail])
    taken = found.messages
    for item in sent:
        taken = taken.removeprefix(item) if taken.startswith(item) else taken
    assert taken == b""
    assert found.dump.missing is None or found.dump.missing >= 0
