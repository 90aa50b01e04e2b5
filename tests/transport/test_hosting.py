"""An engine in this process: what reaches its endpoints, from whom, and when."""

import select
import threading
import time

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.errors import LimitError, OverrunError, TransportError
from fastpfkey.session.events import EventKind
from fastpfkey.spec import dialect
from fastpfkey.transport import hosting
from fastpfkey.transport.client import Client
from fastpfkey.transport.endpoint import ROOM, Endpoint, Role
from fastpfkey.transport.loopback import Loopback

SRC, DST = "192.0.2.1", "198.51.100.2"
KEYS = {"auth": "sha1-hmac", "auth_key": b"a" * 20, "encrypt": "aes-cbc", "encrypt_key": b"e" * 16}
LIMITS = {"soft": requests.limits(addtime=1), "hard": requests.limits(addtime=2)}


@pytest.fixture
def source() -> Loopback:
    return Loopback(dialect("linux"))


def add(spi: int = 0x1001, **more: object) -> bytes:
    return requests.add("esp", spi, SRC, DST, seq=1, pid=1, dialect="linux", **KEYS, **more).encode()  # type: ignore[arg-type]


def heard(endpoint: Endpoint, timeout: float = 0.0) -> list[pf.MessageType]:
    buffer = bytearray(ROOM)
    size = endpoint.receive(buffer, timeout)
    return [message.type for message in pf.decode(bytes(buffer[:size]), "linux")]


def is_readable(endpoint: Endpoint, seconds: float = 0.0) -> bool:
    return bool(select.select([endpoint], [], [], seconds)[0])


def test_who_waits_hears_of_changes_by_others(source: Loopback) -> None:
    one, other = source.open_endpoint(Role.REQUESTS), source.open_endpoint(Role.EVENTS)
    assert not is_readable(other)
    one.send(add())
    assert is_readable(one)
    assert is_readable(other)
    assert heard(other) == [pf.MessageType.ADD]
    assert not is_readable(other)
    one.close()
    other.close()


def test_who_waits_hears_of_time(source: Loopback) -> None:
    """Though nobody sends anything."""
    with Client(source) as client, Client(source) as other, other.monitor(["esp"], timeout=10) as events:
        begin = time.monotonic()
        client.add("esp", 0x1001, SRC, DST, **KEYS, **LIMITS)
        kinds = [next(events).kind for _ in range(3)]
        assert kinds == [EventKind.ADDED, EventKind.SOFT_EXPIRED, EventKind.HARD_EXPIRED]
        assert time.monotonic() - begin >= 2
        assert len(client.dump()) == 0


def test_who_only_asks_is_told_the_truth(source: Loopback) -> None:
    """No thread keeps the time where nobody listens. One of an engine that somebody listened to may still be ending."""
    before = set(threading.enumerate())
    with Client(source) as client:
        client.add("esp", 0x1001, SRC, DST, **KEYS, hard=1, soft=1)
        assert set(threading.enumerate()) <= before
        time.sleep(1.05)
        assert len(client.dump()) == 0


def test_the_thread_ends_with_the_last_listener(source: Loopback) -> None:
    def running() -> bool:
        return any(thread.name == "fastpfkey engine" for thread in threading.enumerate())

    listeners = [source.open_endpoint(Role.EVENTS) for _ in range(2)]
    assert running()
    for listener in listeners:
        listener.close()
        listener.close()
    end = time.monotonic() + 10
    while running() and time.monotonic() < end:
        time.sleep(0.01)
    assert not running()


def test_a_wait_ends_with_what_comes_or_with_its_time(source: Loopback) -> None:
    one, other = source.open_endpoint(Role.REQUESTS), source.open_endpoint(Role.REQUESTS)
    assert heard(other, 0.05) == []
    timer = threading.Timer(0.1, lambda: one.send(add()))
    timer.start()
    assert heard(other, 10) == [pf.MessageType.ADD]
    timer.join()
    one.close()
    other.close()


def test_who_does_not_read_is_told_of_the_loss_behind_what_is_there(
    source: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosting, "UNREAD", ROOM)
    one, other = source.open_endpoint(Role.REQUESTS), source.open_endpoint(Role.EVENTS)
    sent, lost = 0, 5
    while other.port.dropped < lost:  # type: ignore[attr-defined]
        one.send(add(0x1000 + sent))
        one.receive(bytearray(ROOM), 0)
        sent += 1
    assert len(heard(other)) == sent - lost
    assert is_readable(other)
    with pytest.raises(OverrunError, match="dropped 5 messages"):
        heard(other)
    assert heard(other) == []
    assert not is_readable(other)
    one.close()
    other.close()


def test_refusals_say_which_message_was_meant(source: Loopback) -> None:
    endpoint = source.open_endpoint(Role.REQUESTS)
    good, bad = add(), b"\2\3\0\3" + bytes(12)
    assert endpoint.send_many(good + bad + good, [0, len(good), len(good) + 16]) == 1
    with pytest.raises(TransportError, match="refuses"):
        endpoint.send_many(bad, [0])
    with pytest.raises(ValueError, match="65536"):
        endpoint.receive(bytearray(100), 0)
    endpoint.close()
    with pytest.raises(TransportError, match="closed"):
        endpoint.send(good)


def test_a_message_longer_than_the_room_stays(source: Loopback) -> None:
    listener, sender = source.open_endpoint(Role.EVENTS), source.open_endpoint(Role.REQUESTS)
    listener.send(requests.promisc(seq=1, pid=1, dialect="linux").encode())
    assert heard(listener)
    size = ROOM + 16
    sender.send(
        bytes([2, 9, 0, 0])
        + (size // 8).to_bytes(2, "little")
        + bytes(10)
        + b"\x02\x00\xc8\x00"
        + bytes(12)
        + bytes(size - 32)
    )
    with pytest.raises(LimitError):
        listener.receive(bytearray(ROOM), 0)
    assert listener.receive(bytearray(2 * ROOM), 0) >= size
    listener.close()
    sender.close()


def test_many_threads_share_an_engine(source: Loopback) -> None:
    def work(first: int) -> None:
        with Client(source) as client:
            for number in range(20):
                client.add("esp", first + number, SRC, DST, **KEYS)
            assert client.get("esp", first, SRC, DST).sa is not None

    threads = [threading.Thread(target=work, args=(0x1000 * place,)) for place in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Client(source) as client:
        assert len(client.dump()) == 80
