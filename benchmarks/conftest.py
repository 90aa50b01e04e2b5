"""Tables to read, the floor to compare with, and a table of ratios at the end of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fastpfkey.columns.synthetic import synthetic
from fastpfkey.hotpath import hop

Octets = npt.NDArray[np.uint8]
Row = Callable[..., None]

SLOW = 20_000
LINES: list[tuple[str, str, float, float]] = []


@pytest.fixture(scope="session", params=[1_000_000, 1_000])
def dump(request: pytest.FixtureRequest) -> Octets:
    """A dump of as many associations as the parameter says, native byte order."""
    return synthetic(request.param, seed=1)


@pytest.fixture(scope="session")
def part(dump: Octets) -> Octets:
    """The first messages of the dump, for what is slow."""
    view = memoryview(dump)
    seen = hop(view, 0, len(view), False, len(view))
    return dump[: hop(view, 0, len(view), False, len(view) * SLOW // max(seen.count, SLOW)).next]


def memcpy(octets: Octets, copy: Octets) -> float:
    """Best seconds of copying bytes into warm memory."""
    best = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        np.copyto(copy, octets)
        best = min(best, time.perf_counter() - begin)
    return best


@pytest.fixture
def row(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Row:
    """Measure a call that reads the messages of a buffer, with memcpy of that buffer, or of another, around it."""

    def measure(
        group: str, octets: Octets, call: Callable[[], Any], rounds: int = 5, copied: Octets | None = None
    ) -> None:
        view = memoryview(octets)
        messages = max(hop(view, 0, len(view), swap, len(view)).count for swap in (False, True))
        source = octets if copied is None else copied
        copy = np.empty_like(source)
        floor = memcpy(source, copy)
        benchmark.group = f"{group}, {messages:,} messages"
        benchmark.pedantic(call, rounds=rounds, iterations=1 if messages > SLOW else 5, warmup_rounds=1)
        if benchmark.stats is None:  # --benchmark-disable: the call was made once, to see that it works
            return
        floor = min(floor, memcpy(source, copy))
        best = benchmark.stats.stats.min
        benchmark.extra_info["ns_per_message"] = round(best / messages * 1e9, 1)
        benchmark.extra_info["ns_per_byte"] = round(best / len(octets) * 1e9, 4)
        benchmark.extra_info["ratio_to_memcpy"] = round(best / floor, 2)
        LINES.append((benchmark.group, request.node.name, best / messages * 1e9, best / floor))

    return measure


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The ratios, which are what to read."""
    if LINES:
        terminalreporter.section("best time a message, and as a multiple of memcpy")
    for group, name, nanoseconds, ratio in LINES:
        terminalreporter.write_line(f"{group:<34} {name:<44} {nanoseconds:>10,.1f} ns {ratio:>8.2f} x")
