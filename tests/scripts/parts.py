"""What scripts have in common: who listens, and ordinary associations."""

from __future__ import annotations

from itertools import count
from typing import Any

from fastpfkey import requests
from fastpfkey.wire.message import MessageValue

from .script import OTHER, PROMISCUOUS, REGISTERED, Send

SRC, DST = "192.0.2.1", "198.51.100.2"
SRC6, DST6 = "2001:db8::1", "2001:db8:1::2"
KEY = bytes(range(1, 80))
PID = 4711

_NUMBERS = count(0x10_0000)
"""Numbers of requests, far from those that a kernel counts its ACQUIREs with."""


def ask(make: Any, *what: Any, **more: Any) -> MessageValue:
    """A request for Linux with a number of its own."""
    return make(*what, **({"seq": next(_NUMBERS), "pid": PID, "dialect": "linux"} | more))


def esp(**more: Any) -> dict[str, Any]:
    """What an ordinary ESP association takes, and more or other things."""
    ordinary = {"auth": "sha1-hmac", "auth_key": KEY[:20], "encrypt": "aes-cbc", "encrypt_key": KEY[:16]}
    return ordinary | more


def add(spi: int, src: str = SRC, dst: str = DST, **more: Any) -> MessageValue:
    """ADD of an ordinary ESP association."""
    return ask(requests.add, "esp", spi, src, dst, **esp(**more))


def update(spi: int, src: str = SRC, dst: str = DST, **more: Any) -> MessageValue:
    """UPDATE of one."""
    return ask(requests.update, "esp", spi, src, dst, **esp(**more))


def get(spi: int, src: str = SRC, dst: str = DST, satype: str = "esp") -> MessageValue:
    """GET of one."""
    return ask(requests.get, satype, spi, src, dst)


def delete(spi: int, src: str = SRC, dst: str = DST, satype: str = "esp") -> MessageValue:
    """DELETE of one."""
    return ask(requests.delete, satype, spi, src, dst)


def getspi(
    low: int | None = None, high: int | None = None, src: str = SRC, dst: str = DST, **more: Any
) -> MessageValue:
    """GETSPI for ESP, or another type."""
    return ask(requests.getspi, more.pop("satype", "esp"), src, dst, low, high, **more)


def dump(satype: str = "unspec", **more: Any) -> MessageValue:
    """DUMP."""
    return ask(requests.dump, satype, **more)


def flush(satype: str = "unspec") -> MessageValue:
    """FLUSH."""
    return ask(requests.flush, satype)


LISTENERS = (
    Send(ask(requests.register, "esp"), REGISTERED),
    Send(ask(requests.promisc), PROMISCUOUS),
    Send(ask(requests.dump), OTHER, name="DUMP of nothing"),
)
"""Makes of the sockets what their names say, and shows that there is nothing left of another script."""
