"""Lending and taking back, beside calling a Python function that does nothing."""

from __future__ import annotations

import timeit
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import fastpfkey as pf

from .conftest import LINES

CALLS = 10_000


def nothing() -> None:
    pass


def best(call: Callable[[], object]) -> float:
    """Best seconds of a call, the loop around it included."""
    return min(timeit.repeat(call, number=CALLS, repeat=5)) / CALLS


@pytest.mark.parametrize("keys", [False, True], ids=["plain", "with-keys"])
def test_acquire_and_release(benchmark: BenchmarkFixture, keys: bool) -> None:
    pool = pf.BufferPool()
    acquire = pool.acquire

    def lend() -> None:
        lease = acquire(512)
        lease.holds_keys = keys
        lease.release()

    floor = best(nothing)
    benchmark.group = "pool"
    benchmark.pedantic(lend, rounds=20, iterations=CALLS, warmup_rounds=1)
    assert pool.statistics.allocations == 4
    if benchmark.stats is not None:
        seconds = benchmark.stats.stats.min
        benchmark.extra_info["ratio_to_empty_call"] = round(seconds / min(floor, best(nothing)), 2)
        LINES.append(("pool, multiple of an empty call", benchmark.name, seconds * 1e9, seconds / floor))
