"""What the kernel tells by itself: changes by anybody, what has expired, what it needs, and that something was lost."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.session.events import Event, EventKind

from .bulk import fill
from .conftest import HERE, THERE
from .kinds import DST, KEY, SRC, add_esp, esp
from .witness import ip, spis

SECONDS = 10.0
"""Silence after which an event is given up."""


def ping(address: str = THERE) -> None:
    """An ICMP echo request."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.sendto(struct.pack("!BBHHH", 8, 0, 0xF7FF - 1, 1, 0) + bytes(56), (address, 0))


def until(events: Iterator[Event], *kinds: EventKind) -> list[Event]:
    """The events up to the one with which all of these kinds have been seen."""
    wanted, seen = list(kinds), []
    for event in events:
        seen.append(event)
        if event.kind in wanted:
            wanted.remove(event.kind)
        if not wanted:
            return seen
    raise AssertionError(f"{wanted} missing behind {[event.kind.name for event in seen]}")


def spi_of(event: Event) -> int:
    assert event.message is not None
    assert event.message.sa is not None
    return event.message.sa.spi


CHANGES: dict[str, tuple[EventKind, Callable[[Any], object]]] = {
    "ADD": (EventKind.ADDED, lambda c: add_esp(c, 0x4001)),
    "UPDATE": (EventKind.UPDATED, lambda c: (add_esp(c, 0x4002), c.update("esp", 0x4002, SRC, DST, **esp()))),
    "DELETE": (EventKind.DELETED, lambda c: (add_esp(c, 0x4003), c.delete("esp", 0x4003, SRC, DST))),
    "FLUSH": (EventKind.FLUSHED, lambda c: (add_esp(c, 0x4004), c.flush())),
    "SPDADD": (EventKind.POLICY_ADDED, lambda c: c.spdadd(SRC, DST, requests.policy("out", "none"))),
    "SPDFLUSH": (
        EventKind.POLICIES_FLUSHED,
        lambda c: (c.spdadd(SRC, DST, requests.policy("out", "none")), c.spdflush()),
    ),
    "SPDDELETE": (
        EventKind.POLICY_DELETED,
        lambda c: (c.spdadd(SRC, DST, requests.policy("out", "none")), c.spddelete(SRC, DST, "out")),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes_by_another_program(client: pf.Client, other: pf.Client, change: str) -> None:
    """Who registers for nothing hears of them too."""
    kind, make = CHANGES[change]
    with client.monitor(timeout=SECONDS) as events:
        make(other)
        seen = until(events, kind)
    assert seen[-1].time > 0


def test_changes_without_pf_key(client: pf.Client) -> None:
    """netlink's are told as well."""
    with client.monitor(timeout=SECONDS) as events:
        state = "src 10.9.0.1 dst 10.9.0.2 proto esp spi 0x5001"
        ip(*f"xfrm state add {state} enc cbc(aes) 0x{KEY[:16].hex()}".split())
        ip(*f"xfrm state delete {state}".split())
        added, deleted = until(events, EventKind.ADDED, EventKind.DELETED)
    assert (spi_of(added), spi_of(deleted)) == (0x5001, 0x5001)


def test_expiry_by_time(client: pf.Client, other: pf.Client) -> None:
    """First the soft limit, then the hard one, and then it is gone."""
    with client.monitor(["esp"], timeout=SECONDS) as events:
        add_esp(other, 0x5002, soft=requests.limits(addtime=1), hard=requests.limits(addtime=2))
        soft = until(events, EventKind.SOFT_EXPIRED)[-1]
        assert spi_of(soft) == 0x5002
        assert soft.message is not None
        assert soft.message.sa.state == pf.SAState.DYING  # type: ignore[union-attr]
        assert 0x5002 in spis()
        hard = until(events, EventKind.HARD_EXPIRED)[-1]
        assert spi_of(hard) == 0x5002
    assert 0x5002 not in spis()


@pytest.mark.requirement("R-3.1.8-09")
@pytest.mark.usefixtures("network")
def test_expiry_by_bytes(client: pf.Client, other: pf.Client) -> None:
    """Packets use it up, which the current lifetime shows."""
    out = requests.policy("out", transforms=[requests.transform("esp")])
    with client.monitor(["esp"], timeout=SECONDS) as events:
        add_esp(other, 0x5003, HERE, THERE, soft=requests.limits(bytes=100), hard=requests.limits(bytes=1000))
        other.spdadd(HERE, THERE, out, proto="icmp")
        with suppress(OSError):  # which says that the association is used up
            for _ in range(20):
                ping()
        seen = until(events, EventKind.SOFT_EXPIRED, EventKind.HARD_EXPIRED)
    expired = [event for event in seen if event.kind in (EventKind.SOFT_EXPIRED, EventKind.HARD_EXPIRED)]
    assert [spi_of(event) for event in expired] == [0x5003, 0x5003]
    for event, name in zip(expired, ("soft", "hard"), strict=True):
        current, limit = event.message.lifetime_current, getattr(event.message, f"lifetime_{name}")  # type: ignore[union-attr]
        assert current.bytes >= limit.bytes > 0  # type: ignore[union-attr]
        assert limit.addtime == 0


@pytest.mark.requirement("R-1.5-05", "R-3.1.6-04", "R-5.1-06")
@pytest.mark.usefixtures("network")
def test_acquire_by_a_policy_and_a_ping(client: pf.Client, other: pf.Client) -> None:
    """The kernel asks, is answered under the number of its question, and the next ping goes through."""
    out = requests.policy("out", transforms=[requests.transform("esp")])
    with client.monitor(["esp"], timeout=SECONDS) as events:
        added = other.spdadd(HERE, THERE, out, proto="icmp")
        ping()
        message = until(events, EventKind.ACQUIRE)[-1].message
        assert message is not None
        assert (message.satype, message.pid) == (pf.SAType.ESP, 0)
        assert str(message.address_dst.ip) == THERE  # type: ignore[union-attr]
        assert message.policy.id == added.policy.id  # type: ignore[union-attr]
        spi = client.getspi("esp", HERE, THERE, seq=message.seq)
        client.update("esp", spi, HERE, THERE, **esp(seq=message.seq))
        ping()
    sent = client.get("esp", spi, HERE, THERE).lifetime_current
    assert sent is not None
    assert sent.bytes > 0


@pytest.fixture
def peer() -> Iterator[None]:
    """Another host, which sends ESP in UDP from a port that nobody expects."""
    ip("netns", "add", "peer")
    ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", "peer")
    ip("address", "add", f"{HERE}/24", "dev", "near")
    ip("link", "set", "near", "up")
    ip("address", "add", f"{THERE}/24", "dev", "far", namespace="peer")
    ip("link", "set", "far", "up", namespace="peer")
    yield
    ip("netns", "delete", "peer")


@pytest.mark.usefixtures("peer")
def test_a_peer_behind_a_nat_moves(client: pf.Client, other: pf.Client) -> None:
    spi = 0x9001
    state = f"src {THERE} dst {HERE} proto esp spi {spi} mode transport"
    crypto = ["auth", "hmac(sha256)", "0x" + KEY[:32].hex(), "enc", "cbc(aes)", "0x" + KEY[:16].hex()]
    encap = "encap espinudp 4999 4500 0.0.0.0"
    ip("xfrm", "state", "add", *state.split(), *crypto, *encap.split(), namespace="peer")
    ip(*f"xfrm policy add src {THERE} dst {HERE} proto icmp dir out tmpl proto esp".split(), namespace="peer")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as decapsulates:
        decapsulates.bind((HERE, 4500))
        decapsulates.setsockopt(socket.IPPROTO_UDP, 100, 2)  # UDP_ENCAP, UDP_ENCAP_ESPINUDP
        with client.monitor(["esp"], timeout=SECONDS) as events:
            add_esp(other, spi, THERE, HERE, natt=requests.natt(4500, 4500))
            ping()  # the peer's kernel answers, through its association
            message = until(events, EventKind.MAPPING_CHANGED)[-1].message
    assert message is not None
    assert (message.sa.spi, message.natt_sport.port, message.natt_dport.port) == (spi, 4500, 4999)  # type: ignore[union-attr]
    assert message.raw[16:] == told_by_an_engine(spi)[16:]


def told_by_an_engine(spi: int) -> bytes:
    """What this project's own engine says of the same move."""
    engine = pf.Engine("linux")
    port = engine.connect()
    for request in (
        requests.add("esp", spi, THERE, HERE, **esp(natt=requests.natt(4500, 4500))),
        requests.register("esp"),
    ):
        engine.handle(port, request.encode())
    port.receive()
    found = engine.find_inbound(pf.SAType.ESP, HERE, spi)
    assert found is not None
    engine.peer_moved(found, THERE, 4999)
    return port.receive()


def test_who_does_not_listen_is_told_that_something_was_lost(client: pf.Client) -> None:
    """More than the socket holds; what is told is the beginning, then the loss, then, as asked, how things are."""
    with client.monitor(resync=True, timeout=SECONDS) as events:
        count = fill(30_000)
        seen = until(events, EventKind.OVERRUN, EventKind.RESYNC)
    kinds = [event.kind for event in seen]
    assert kinds[-2:] == [EventKind.OVERRUN, EventKind.RESYNC]
    assert set(kinds[:-2]) == {EventKind.ADDED}
    assert 1000 < len(seen) - 2 < count
    table = seen[-1].table  # type: ignore[attr-defined]
    assert (len(table), table.complete) == (count, True)


def test_bursts_hold_what_came_at_once(client: pf.Client) -> None:
    with client.monitor(timeout=SECONDS) as events:
        fill(500)
        seen = 0
        for burst in events.bursts():
            assert {event.kind for event in burst} == {EventKind.ADDED}
            seen += len(burst)
            if seen >= 500:
                break
    assert seen == 500


def test_another_thread_ends_the_wait(client: pf.Client) -> None:
    with client.monitor() as events:
        timer = threading.Timer(0.2, client.cancel)
        timer.start()
        with pytest.raises(pf.CancelledError):
            next(events)
        timer.join()
