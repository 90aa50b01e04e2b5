"""Choosing SPIs: at random where there are plenty, by looking at each where there are few."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from random import Random

TRIES = 64
"""Random picks before a range is looked through: in a range that is half full, all fail once in 10 ** 19."""

LARGEST_CPI = 0xFFFF
"""An IPComp CPI has 16 bits (RFC 3173)."""

LOWEST = 256
"""SPIs below are IANA's (RFC 4302, 4303)."""


def choose(low: int, high: int, random: Random, taken: Callable[[int], bool]) -> int | None:
    """A free SPI from `low` to `high`, both included; None if there is none."""
    if low == high:
        return None if taken(low) else low
    for _ in range(TRIES):
        spi = random.randint(low, high)
        if not taken(spi):
            return spi
    start = random.randint(low, high)
    return next((spi for spi in chain(range(start, high + 1), range(low, start)) if not taken(spi)), None)
