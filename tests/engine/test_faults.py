"""Faults on demand; docs/faults.md has an example that is run."""

import pytest

from fastpfkey import Engine
from fastpfkey.engine.faults import (
    FaultPlan,
    answer_error,
    delay,
    drop,
    duplicate,
    fail_send,
    reorder,
    truncate,
)
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAType
from fastpfkey.wire.message import MessageValue


def flush(engine: Engine, port: object, *seqs: int) -> None:
    """Requests whose answers are short."""
    for seq in seqs:
        engine.handle(port, MessageValue(Msg.FLUSH, SAType.ESP, seq=seq, dialect="linux").encode())  # type: ignore[arg-type]


def heard(port: object) -> list[int]:
    """Numbers of what has come; minus the size for what is no whole message."""
    found = []
    while message := port.receive_one():  # type: ignore[attr-defined]
        found.append(message[8] if len(message) == 16 else -len(message))
    return found


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        (drop(Msg.FLUSH, nth=2), [1, 3, 4]),
        (drop(nth=2, times=2), [1, 4]),
        (drop(Msg.EXPIRE), [1, 2, 3, 4]),
        (duplicate(nth=3), [1, 2, 3, 3, 4]),
        (truncate(nth=1, size=10), [-10, 2, 3, 4]),
        (reorder(nth=2), [1, 3, 2, 4]),
    ],
)
def test_what_happens_to_messages(fault: object, wanted: list[int]) -> None:
    plan = FaultPlan(fault)  # type: ignore[arg-type]
    engine = Engine("linux", "rfc2367", faults=plan)
    port = engine.connect()
    flush(engine, port, 1, 2, 3, 4)
    assert heard(port) == wanted
    assert len(plan.struck) == (0 if wanted == [1, 2, 3, 4] else getattr(fault, "times", 1))


def test_a_delay_lasts_as_long_as_the_clock_says() -> None:
    plan = FaultPlan(delay(5.0, nth=1), delay(1.0, nth=2))
    engine = Engine("linux", "rfc2367", faults=plan)
    port = engine.connect()
    flush(engine, port, 1, 2, 3)
    assert heard(port) == [3]
    assert engine.next_deadline() == 1.0
    plan.clock.advance(1.0)
    engine.advance()
    assert heard(port) == [2]
    plan.clock.advance(4.0)
    engine.advance()
    assert heard(port) == [1]
    assert engine.next_deadline() is None


def test_requests_fail_and_are_refused() -> None:
    plan = FaultPlan(fail_send("ENOBUFS", Msg.FLUSH, nth=2), answer_error("EBUSY", Msg.DUMP))
    engine = Engine("linux", "rfc2367", faults=plan)
    port = engine.connect()
    flush(engine, port, 1)
    with pytest.raises(OSError, match="ENOBUFS") as caught:
        flush(engine, port, 2)
    assert caught.value.errno == 105
    flush(engine, port, 3)
    assert heard(port) == [1, 3]
    for errno in (16, 2):
        engine.handle(port, MessageValue(Msg.DUMP, dialect="linux").encode())
        assert port.receive()[2] == errno
