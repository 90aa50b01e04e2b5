"""Events through a client: in order and in bursts, losses told, tables made good. Every test is of both clients."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from corpus.groundtruth import capture

import fastpfkey as pf
from fastpfkey.transport.endpoint import Role
from fastpfkey.wire.extensions import SA

from .fake import FakeEndpoint, FakeEngine
from .test_client import add
from .test_dump import fill

Kind, Type = pf.EventKind, pf.MessageType


def events(engine: FakeEngine) -> FakeEndpoint:
    (endpoint,) = [item for item in engine.live if item.role is Role.EVENTS]
    return endpoint


@pytest.mark.requirement("R-1.5-03")
def test_what_happens_is_told_in_order_and_with_its_time(client: Any, engine: FakeEngine) -> None:
    """Listening begins with `monitor`, without registering; own changes are told as others' are."""
    before = time.time()
    monitor = client.monitor(timeout=0.05)
    add(client, 0x2000)
    engine.event(Type.DELETE, SA(0x2001))
    client.flush("esp")
    found = list(monitor)
    assert [event.kind for event in found] == [Kind.ADDED, Kind.DELETED, Kind.FLUSHED]
    assert [event.message.sa.spi for event in found[:2]] == [0x2000, 0x2001]
    assert all(before <= event.time <= time.time() for event in found)
    assert not events(engine).registered


def test_what_comes_at_once_is_one_burst(client: Any, engine: FakeEngine) -> None:
    """Thousands of events are a table at once."""
    monitor = client.monitor(timeout=0.05)
    for spi in range(3000):
        engine.event(Type.ADD, SA(spi + 256))
    bursts = list(monitor.bursts())
    assert len(bursts) < 10
    assert all(isinstance(burst, pf.Burst) for burst in bursts)
    table = pf.SATable.concat([pf.SATable.from_batch(burst.batch, ["spi"]) for burst in bursts])
    assert table["spi"].tolist() == [spi + 256 for spi in range(3000)]


def test_registering_tells_algorithms_and_loses_no_event(client: Any, engine: FakeEngine) -> None:
    """What comes between REGISTER and its reply is told later; the reply itself is no event."""

    def meanwhile(endpoint: FakeEndpoint, request: Any) -> bool:
        engine.event(Type.DELETE, SA(0x2001))
        return False

    engine.before = meanwhile
    table = client.register("esp")
    assert "aes-cbc" in {row["id"] for row in table.rows()}
    assert events(engine).registered == {pf.SAType.ESP}
    with pytest.raises(pf.ReplyError, match=r"REGISTER: EEXIST \(17\): this socket is registered"):
        client.register("esp")
    engine.before = lambda endpoint, request: False
    # That it is registered for ESP already is no error of a monitor.
    with client.monitor(["esp", "ah"], timeout=0.05) as monitor:
        assert events(engine).registered == {pf.SAType.ESP, pf.SAType.AH}
        assert [event.kind for event in monitor] == [Kind.DELETED, Kind.DELETED]
    assert not any(endpoint.role is Role.EVENTS for endpoint in engine.live)


def test_a_registration_that_is_refused_is_an_error(client: Any, engine: FakeEngine) -> None:
    engine.before = lambda endpoint, request: bool(endpoint.push(request.replace(errno=22).encode())) or True
    with pytest.raises(pf.ReplyError, match="EINVAL"):
        next(client.monitor(["esp"]))


def test_a_loss_is_an_event_where_it_happened(client: Any, engine: FakeEngine) -> None:
    fill(engine, 3)
    monitor = client.monitor(timeout=0.05)
    engine.event(Type.ADD, SA(0x2001))
    events(engine).push(None)
    engine.event(Type.DELETE, SA(0x2002))
    found = list(monitor)
    assert [event.kind for event in found] == [Kind.ADDED, Kind.OVERRUN, Kind.DELETED]
    assert found[1].message is None
    assert [request.type for _, request in engine.requests] == []


def test_a_loss_is_made_good_by_a_dump_if_that_is_wanted(client: Any, engine: FakeEngine) -> None:
    fill(engine, 3)
    monitor = client.monitor(resync=True, timeout=0.05)
    events(engine).push(None)
    engine.event(Type.DELETE, SA(0x2002))
    found = list(monitor)
    assert [event.kind for event in found] == [Kind.OVERRUN, Kind.RESYNC, Kind.DELETED]
    assert isinstance(found[1], pf.Resync)
    assert found[1].table is not None
    assert (len(found[1].table), found[1].table.complete) == (3, True)


def test_all_that_a_kernel_tells_arrives(client: Any, engine: FakeEngine) -> None:
    """The capture of a registered socket, in pieces of any size."""
    monitor = client.monitor(timeout=0.05)
    heard = pf.decode(capture("linux-events.bin"), "linux", "little")
    for message in heard:
        events(engine).push(message.raw)
    assert [event.message for event in monitor] == list(heard)


def test_silence_ends_a_monitor_only_if_asked_for(connect: Callable[..., Any], engine: FakeEngine) -> None:
    client = connect(engine)
    assert list(client.monitor(timeout=0.01)) == []
    monitor = client.monitor()
    engine.event(Type.FLUSH)
    assert [event.kind for event in islice(monitor, 1)] == [Kind.FLUSHED]
