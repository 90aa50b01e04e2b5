"""A file larger than the memory it may take: iter_tables over 2 GB, and how much memory of its own the process had."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fastpfkey.columns.synthetic import synthetic

from .conftest import LINES, memcpy

SIZE = 2_000_000_000
LARGEST = 300 << 20
"""Bytes of anonymous memory that reading may take."""

READING = """
import json, re, sys, threading, time
from pathlib import Path
import fastpfkey as pf

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10

peak, done = anonymous(), threading.Event()
def watch():
    global peak
    while not done.wait(0.002):
        peak = max(peak, anonymous())
watching = threading.Thread(target=watch)
watching.start()
begin, rows, source, way = time.perf_counter(), 0, *sys.argv[1:]
pool = pf.BufferPool(32 << 20, slabs=2) if way == "pooled" else None
for table in pf.iter_tables(open(source, "rb") if way == "read" else source, dialect="linux", out=pool):
    rows += len(table)
    peak = max(peak, anonymous())
seconds = time.perf_counter() - begin
done.set()
watching.join()
print(json.dumps([rows, seconds, peak]))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, int]:
    """The file, and how many messages it holds; a small one where benchmarks are only tried."""
    octets = synthetic(1_000_000, seed=1)
    times = SIZE // len(octets) + 1 if request.config.getoption("benchmark_enable") else 1
    path = tmp_path_factory.mktemp("stream") / "dump.bin"
    with path.open("wb") as file:
        for _ in range(times):
            file.write(octets)
    return path, times * 1_000_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells how much memory was used")
@pytest.mark.parametrize("way", ["mapped", "pooled", "read"])
def test_two_gigabytes(benchmark: BenchmarkFixture, large: tuple[Path, int], way: str) -> None:
    path, messages = large
    octets = synthetic(1_000_000, seed=1)
    floor = memcpy(octets, octets.copy()) / 1_000_000
    found: list[list[float]] = []

    def read() -> None:
        command = [sys.executable, "-c", READING, str(path), way]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))

    benchmark.group = "stream"
    benchmark.pedantic(read, rounds=2, iterations=1)
    assert all(rows == messages for rows, _, _ in found)
    peak = max(peak for _, _, peak in found)
    assert peak < LARGEST
    if benchmark.stats is not None:
        seconds = min(seconds for _, seconds, _ in found) / messages
        benchmark.extra_info |= {"ns_per_message": round(seconds * 1e9, 1), "peak_anonymous_MB": round(peak / 1e6, 1)}
        name = f"{way}, {path.stat().st_size / 1e9:.1f} GB, {peak / 1e6:.0f} MB anonymous"
        LINES.append(("iter_tables, multiple of memcpy", name, seconds * 1e9, seconds / floor))
