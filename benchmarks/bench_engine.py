"""The key engine with a million associations: ADDs in batches, a dump, and the memory that it takes.

Rows of one run stand beside each other: `handle_many` beside the plain `struct` decode of the same ADDs, a dump into a
table beside decoding the same bytes.
"""

from __future__ import annotations

import numpy as np
import pytest

import fastpfkey as pf
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
from .conftest import SLOW, Octets, Row

ENGINE = "engine"
BATCH = 1 << 20
"""Bytes of requests in one call, whose answers are read before the next."""


def as_adds(dump: Octets) -> Octets:
    """The ADDs that make the associations of a dump."""
    framing = Framing(dialect("linux"))
    table = pf.SATable.from_buffer(dump, "linux", ["message_offset", "message_length", "present", "satype"])
    offsets = table["message_offset"].astype(np.int64)
    kinds = np.stack([table[name].astype(np.int64) for name in ("message_length", "present", "satype")], axis=1)
    unique, of = np.unique(kinds, axis=0, return_inverse=True)
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


def dumped(engine: Engine, port: Port) -> list[pf.SATable]:
    """All associations, as tables of what came between two reads."""
    engine.handle(port, MessageValue(Msg.DUMP, dialect=engine.dialect).encode())
    tables = []
    while data := port.receive():
        tables.append(pf.SATable.from_buffer(data, "linux"))
    return tables


@pytest.fixture(scope="module")
def adds() -> Octets:
    return as_adds(synthetic(1_000_000, seed=1))


def test_plain_struct_decode_of_adds(adds: Octets, row: Row) -> None:
    part = adds[: hop(memoryview(adds), 0, len(adds), False, SLOW * 225).next]
    row(ENGINE, part, lambda: plain(part.tobytes()), rounds=3)


def test_handle_many(adds: Octets, row: Row) -> None:
    row(ENGINE, adds, lambda: fill(adds), rounds=1)


@pytest.fixture(scope="module")
def full(adds: Octets) -> tuple[Engine, Port, Octets]:
    """An engine with all of them, and what it dumps."""
    engine, port = fill(adds)
    port.limit = 1 << 40
    engine.handle(port, MessageValue(Msg.DUMP, dialect=engine.dialect).encode())
    return engine, port, np.frombuffer(port.receive(), np.uint8)


def test_decode_of_the_dump(full: tuple[Engine, Port, Octets], row: Row) -> None:
    _, _, octets = full
    row(ENGINE, octets, lambda: pf.SATable.from_buffer(octets, "linux"), rounds=3)


def test_dump_to_table(full: tuple[Engine, Port, Octets], row: Row) -> None:
    engine, port, octets = full
    row(ENGINE, octets, lambda: dumped(engine, port), rounds=3)
