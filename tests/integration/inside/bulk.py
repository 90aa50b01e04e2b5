"""Many associations at once."""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import accumulate

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.errors import OverrunError
from fastpfkey.transport.endpoint import ROOM, Endpoint, Role
from fastpfkey.transport.sources import Kernel

from .kinds import SRC, esp

FIRST = 0x10_0000
"""The SPI of the first association."""

CHURN = 0x90_0000
"""The SPI of the first association of those that come and go."""

_BATCH = 256


def address(number: int) -> str:
    """Where the association of this number goes."""
    return str(IPv4Address("10.64.0.0") + number)


def additions(count: int, pid: int, first: int = FIRST) -> list[bytes]:
    """Requests for so many associations, each to an address of its own."""
    return [
        requests.add("esp", first + number, SRC, address(number), **esp(seq=number + 1, pid=pid)).encode()
        for number in range(count)
    ]


def send_all(endpoint: Endpoint, messages: list[bytes]) -> None:
    """Send requests in batches, and read what comes back meanwhile."""
    buffer = bytearray(16 * ROOM)
    for begin in range(0, len(messages), _BATCH):
        part = messages[begin : begin + _BATCH]
        offsets = [0, *accumulate(map(len, part))][:-1]
        assert endpoint.send_many(b"".join(part), offsets) == len(part)
        try:
            while endpoint.receive(buffer, 0):
                pass
        except OverrunError as error:
            raise AssertionError("echoes were lost though they were read") from error


def fill(count: int, first: int = FIRST) -> int:
    """Add so many associations, and return how many there are of them."""
    endpoint = Kernel().open_endpoint(Role.REQUESTS)
    send_all(endpoint, additions(count, endpoint.pid, first))
    endpoint.close()
    with pf.Client.open("kernel") as client:
        table = client.dump()
    return int((table["spi"] >= first).sum())
