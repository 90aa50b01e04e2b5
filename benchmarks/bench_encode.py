"""One message at a time: building and encoding an ADD, beside the plain `struct` of a careful script."""

from __future__ import annotations

import socket
import struct
import timeit
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fastpfkey import requests
from fastpfkey.wire.message import MessageValue

from .conftest import LINES

CALLS = 2_000
KEYS = {"encrypt": "aes-cbc", "encrypt_key": bytes(range(16)), "auth": "sha1-hmac", "auth_key": bytes(range(20))}

HEADER = struct.Struct("=BBBBHHII")
SA = struct.Struct("=HHIBBBBI")
LIFETIME = struct.Struct("=HHIQQQ")
ADDRESS = struct.Struct("=HHBBHHH4s8x")
KEY = struct.Struct("=HHHH")
SA2 = struct.Struct("=HHBBHII")


def built() -> MessageValue:
    """An association as a key manager adds it."""
    return requests.add(
        "esp",
        0x1001,
        "192.0.2.1",
        "198.51.100.2",
        replay=32,
        hard=3600,
        soft=3000,
        mode="tunnel",
        reqid=7,
        dialect="linux",
        seq=1,
        pid=4711,
        **KEYS,
    )


def plain() -> bytes:
    """The same bytes with precompiled structs, for this one shape of message on this one system."""
    auth, encrypt = bytes(range(20)), bytes(range(16))
    parts = (
        SA.pack(2, 1, socket.htonl(0x1001), 32, 1, 3, 12, 0),
        LIFETIME.pack(4, 3, 0, 0, 3600, 0),
        LIFETIME.pack(4, 4, 0, 0, 3000, 0),
        ADDRESS.pack(3, 5, 0, 32, 0, 2, 0, socket.inet_aton("192.0.2.1")),
        ADDRESS.pack(3, 6, 0, 32, 0, 2, 0, socket.inet_aton("198.51.100.2")),
        KEY.pack(4, 8, 160, 0) + auth + bytes(4),
        KEY.pack(3, 9, 128, 0) + encrypt,
        SA2.pack(2, 19, 2, 0, 0, 0, 7),
    )
    body = b"".join(parts)
    return HEADER.pack(2, 3, 0, 3, 2 + len(body) // 8, 0, 1, 4711) + body


def best(call: Callable[[], object]) -> float:
    """Best seconds of a call."""
    return min(timeit.repeat(call, number=CALLS, repeat=5)) / CALLS


@pytest.mark.parametrize("what", ["plain-struct", "encode", "build-and-encode"])
def test_one_message(benchmark: BenchmarkFixture, what: str) -> None:
    message = built()
    assert message.encode() == plain()
    calls: dict[str, Callable[[], object]] = {
        "plain-struct": plain,
        "encode": message.encode,
        "build-and-encode": lambda: built().encode(),
    }
    floor = best(plain)
    benchmark.group = "one message"
    benchmark.pedantic(calls[what], rounds=10, iterations=CALLS, warmup_rounds=1)
    if benchmark.stats is not None:
        seconds = benchmark.stats.stats.min
        benchmark.extra_info["ratio_to_struct"] = round(seconds / min(floor, best(plain)), 2)
        LINES.append(("one message, multiple of struct", benchmark.name, seconds * 1e9, seconds / floor))
