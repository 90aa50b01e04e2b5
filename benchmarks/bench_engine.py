"""The key engine with a million associations: ADDs in batches, dumps, memory, and single requests.

Rows of one run stand beside each other: `handle_many` beside the plain `struct` decode of the same ADDs, dumps into a
table beside decoding the same bytes, single requests beside the plain `struct` decode of one.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import timeit
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.engine.engine import Engine
from fastpfkey.engine.framing import Framing
from fastpfkey.engine.port import Port
from fastpfkey.hotpath import hop
from fastpfkey.spec import dialect
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.message import MessageValue

from .bench_decode import plain
from .conftest import LINES, SLOW, Octets, Row

ENGINE = "engine"
COUNT = 1_000_000
BATCH = 1 << 20
"""Bytes of requests in one call, whose answers are read before the next."""

MADE = COUNT * 13 // 10
"""Rows of the made-up table from which they are taken: PF_KEY has no ADD for those without a key."""

LIMIT = 700
"""Bytes of memory that an association may take beside its dump message."""


def as_adds(dump: Octets, count: int) -> Octets:
    """The first ADDs, so many, that make associations of a dump."""
    framing = Framing(dialect("linux"))
    names = ["message_offset", "message_length", "present", "satype", "auth", "encrypt", "spi", "dst"]
    table = pf.SATable.from_buffer(dump, "linux", names)
    octets = (table["satype"].astype(np.uint8)[:, None], table["spi"].view(np.uint8).reshape(-1, 4), table["dst"])
    identities = np.concatenate(octets, axis=1).view("V21").reshape(-1)
    first = np.zeros(len(table), np.bool_)
    first[np.unique(identities, return_index=True)[1]] = True
    expressible = np.flatnonzero(first & ((table["auth"] != 0) | (table["encrypt"] != 0)))[:count]
    offsets = table["message_offset"].astype(np.int64)[expressible]
    kinds = np.stack([table[name].astype(np.int64) for name in ("message_length", "present", "satype")], axis=1)
    unique, of = np.unique(kinds[expressible], axis=0, return_inverse=True)
    gone = {framing.number(Ext.LIFETIME_CURRENT), framing.number(Ext.ADDRESS_PROXY)}
    blocks, sizes = [], np.zeros(len(offsets), np.int64)
    for number, (length, _, _) in enumerate(unique.tolist()):
        rows = np.flatnonzero(of.reshape(-1) == number)
        messages = dump[offsets[rows][:, None] + np.arange(length)]
        kept = [(0, 16), *((a, b) for kind, a, b in framing.spans(messages[0].tobytes()) if kind not in gone)]
        adds = np.concatenate([messages[:, start:stop] for start, stop in kept], axis=1)
        adds[:, 1] = framing.type_number(Msg.ADD)
        adds[:, 4:6] = np.frombuffer(np.uint16(adds.shape[1] // 8).tobytes(), np.uint8)
        adds[:, 25] = 1  # the state, which ADD submits as MATURE
        sizes[rows] = adds.shape[1]
        blocks.append((rows, adds))
    ends = np.cumsum(sizes)
    words = np.empty(int(ends[-1]) // 8, np.uint64)
    for rows, adds in blocks:
        size = adds.shape[1]
        words[((ends[rows] - size) // 8)[:, None] + np.arange(size // 8)] = adds.view(np.uint64)
    return words.view(np.uint8)


def fill(octets: Octets) -> tuple[Engine, Port]:
    """An engine with the associations of some ADDs; answers are read batch by batch."""
    engine = Engine("linux", "linux")
    port = engine.connect(1, limit=4 * BATCH)
    view, position = memoryview(octets), 0
    while position < len(view):
        stop = hop(view, position, len(view), False, position + BATCH).next
        engine.handle_many(port, view[position:stop])
        port.receive()
        position = stop
    return engine, port


DUMP = MessageValue(Msg.DUMP, dialect="linux").encode()


def paced(engine: Engine, port: Port, memory: memoryview) -> pf.SATable:
    """All associations, piece by piece, into memory that was used before."""
    engine.handle(port, DUMP)
    used = 0
    while size := port.receive_into(memory[used : used + 4 * BATCH]):
        used += size
    return pf.SATable.from_buffer(memory[:used], "linux")


@pytest.fixture(scope="module")
def adds() -> Octets:
    return as_adds(synthetic(MADE, seed=1), COUNT)


def test_plain_struct_decode_of_adds(adds: Octets, row: Row) -> None:
    part = adds[: hop(memoryview(adds), 0, len(adds), False, SLOW * len(adds) // COUNT).next]
    row(ENGINE, part, lambda: plain(part.tobytes()), rounds=3)


def test_handle_many(adds: Octets, row: Row) -> None:
    row(ENGINE, adds, lambda: fill(adds), rounds=1)


@pytest.fixture(scope="module")
def full(adds: Octets) -> tuple[Engine, Octets]:
    """An engine with all of them, and what it dumps."""
    engine, port = fill(adds)
    assert len(engine) == COUNT
    port.limit = 1 << 40
    engine.handle(port, DUMP)
    return engine, np.frombuffer(port.receive(), np.uint8)


def test_decode_of_the_dump(full: tuple[Engine, Octets], row: Row) -> None:
    _, octets = full
    row(ENGINE, octets, lambda: pf.SATable.from_buffer(octets, "linux"), rounds=5)


def test_dump_in_one_block(full: tuple[Engine, Octets], row: Row) -> None:
    """With room for all of it: most of that is the system handing out pages, for the queue and for what is returned."""
    engine, octets = full
    port = engine.connect(1, limit=1 << 40)

    def dumped() -> None:
        engine.handle(port, DUMP)
        assert len(pf.SATable.from_buffer(port.receive(), "linux")) == COUNT

    row(ENGINE, octets, dumped, rounds=5)


def test_dump_as_it_is_read(full: tuple[Engine, Octets], row: Row) -> None:
    engine, octets = full
    """As a slow reader gets it: no more than a few megabytes wait."""
    port, memory = engine.connect(1, limit=4 * BATCH), memoryview(bytearray(len(octets) + 4 * BATCH))
    row(ENGINE, octets, lambda: paced(engine, port, memory), rounds=5)


def test_dump_by_a_client(full: tuple[Engine, Octets], row: Row) -> None:
    """Which sees to it that nothing is missing."""
    _, octets = full
    with pf.Client.open(f"demo:{COUNT}") as client:
        row(ENGINE, octets, lambda: client.dump(), rounds=5)


FILLING = """
import json, mmap, re, sys
from pathlib import Path
import fastpfkey as pf
from fastpfkey.hotpath import hop

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10

batch = int(sys.argv[2])
with open(sys.argv[1], "rb") as file:
    view = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
engine = pf.Engine("linux")
port = engine.connect(1, limit=4 * batch)
before, peak, position = anonymous(), 0, 0
while position < len(view):
    stop = hop(view, position, len(view), False, position + batch).next
    engine.handle_many(port, view[position:stop])
    port.receive()
    peak = max(peak, anonymous())
    position = stop
print(json.dumps([len(engine), engine.octets, anonymous() - before, peak - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells how much memory was used")
def test_memory(adds: Octets, benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """In a process of its own, whose only growth they are."""
    path = tmp_path / "adds.bin"
    path.write_bytes(adds)
    found: list[int] = []

    def measure() -> None:
        command = [sys.executable, "-c", FILLING, str(path), str(BATCH)]
        found[:] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    benchmark.group = "memory"
    benchmark.pedantic(measure, rounds=1, iterations=1)
    count, octets, grown, peak = found
    assert count == COUNT
    assert grown <= octets + LIMIT * count
    beside = {"beside": (grown - octets) / count, "beside_peak": (peak - octets) / count, "message": octets / count}
    benchmark.extra_info |= {name: round(value, 1) for name, value in beside.items()}
    name = f"{grown / 1e6:.0f} MB, {beside['beside']:.0f} bytes an association beside its {beside['message']:.0f}"
    LINES.append(("memory, multiple of dump messages", name, 0.0, grown / octets))


KEYS = {"encrypt": "aes-cbc", "encrypt_key": bytes(range(16)), "auth": "sha1-hmac", "auth_key": bytes(range(20))}
ENDS = ("192.0.2.1", "198.51.100.2")
SINGLE = 500
HEAD, HEADING = struct.Struct("=BBBBHHII"), struct.Struct("=HH")
SPI, LIFETIME = struct.Struct("=HHIBBBBI"), struct.Struct("=HHIQQQ")


def made(kind: str, spi: int) -> bytes:
    """A request about one association."""
    common = {"seq": spi, "pid": 1, "dialect": "linux"}
    make: Callable[..., MessageValue] = getattr(requests, kind)
    if kind in ("add", "update"):
        return make("esp", spi, *ENDS, hard=3600, soft=3000, **KEYS, **common).encode()
    return make("esp", spi, *ENDS, **common).encode()


def taken_apart(message: bytes) -> list[object]:
    """One message with precompiled structs: header, association, lifetimes, and where the rest lies."""
    found: list[object] = [HEAD.unpack_from(message)]
    position = HEAD.size
    while position < len(message):
        words, kind = HEADING.unpack_from(message, position)
        if kind == 1:
            found.append(SPI.unpack_from(message, position))
        elif kind in (2, 3, 4):
            found.append(LIFETIME.unpack_from(message, position))
        else:
            found.append(message[position + 4 : position + 8 * words])
        position += 8 * words
    return found


@pytest.mark.parametrize("kind", ["add", "get", "update", "delete"])
def test_single_requests(benchmark: BenchmarkFixture, kind: str) -> None:
    """One after the other, the answer read behind each, as key managers do."""
    engine = Engine("linux")
    port = engine.connect(1)

    def given() -> tuple[tuple[list[bytes]], dict[str, object]]:
        engine.handle(port, requests.flush(dialect="linux").encode())
        if kind != "add":
            for number in range(SINGLE):
                engine.handle(port, made("add", 0x1000 + number))
                port.receive()
        port.receive()
        return ([made(kind, 0x1000 + number) for number in range(SINGLE)],), {}

    def ask(messages: list[bytes]) -> None:
        for message in messages:
            engine.handle(port, message)
            port.receive()

    benchmark.group = "single requests"
    benchmark.pedantic(ask, setup=given, rounds=10, iterations=1, warmup_rounds=1)
    if benchmark.stats is not None:
        message = made(kind, 0x1000)
        floor = min(timeit.repeat(lambda: taken_apart(message), number=SINGLE, repeat=5)) / SINGLE
        seconds = benchmark.stats.stats.min / SINGLE
        benchmark.extra_info |= {"us": round(seconds * 1e6, 1), "ratio_to_struct": round(seconds / floor, 1)}
        LINES.append(("single requests, multiple of struct", kind, seconds * 1e9, seconds / floor))
