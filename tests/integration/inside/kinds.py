"""Associations and policies of many kinds, as arguments of requests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from fastpfkey import requests

KEY = bytes(range(1, 80))
SRC, DST = "192.0.2.1", "198.51.100.2"
SRC6, DST6 = "2001:db8::1", "2001:db8:1::2"

SPIS: Iterator[int] = count(0x1000)


def esp(**more: Any) -> dict[str, Any]:
    """What an ordinary ESP association takes, and more or other things."""
    ordinary: dict[str, Any] = {
        "auth": "sha2-256-hmac",
        "auth_key": KEY[:32],
        "encrypt": "aes-cbc",
        "encrypt_key": KEY[:16],
    }
    return ordinary | more


def add_esp(client: Any, spi: int, src: str = SRC, dst: str = DST, **more: Any) -> Any:
    """Add an ordinary ESP association."""
    return client.add("esp", spi, src, dst, **esp(**more))


LIMITS = {"hard": requests.limits(addtime=3600, bytes=1 << 40), "soft": requests.limits(addtime=1800)}
