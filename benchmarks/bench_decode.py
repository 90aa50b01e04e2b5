"""Walking and decoding: both twins, plain `struct`, and memcpy of the same buffer."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey import hotpath, spec
from fastpfkey.columns.measure import EIGHT
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.spec import plan, tables

from .conftest import Octets, Row

DECODE = "decode"


def test_memcpy(dump: Octets, row: Row) -> None:
    copy = np.empty_like(dump)
    row(DECODE, dump, lambda: np.copyto(copy, dump))


def test_walk(dump: Octets, row: Row) -> None:
    offsets = np.zeros(1_000_001, np.uint64)
    frame = plan.frame(spec.dialect("linux"))
    row(DECODE, dump, lambda: hotpath.walk(memoryview(dump), 0, len(dump), frame, False, offsets.data))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("columns", [EIGHT, None], ids=["8-columns", "all-columns"])
def test_warm(dump: Octets, row: Row, columns: Sequence[str] | None, threads: int) -> None:
    table = pf.SATable.from_buffer(dump, "linux", columns)
    row(DECODE, dump, lambda: pf.SATable.from_buffer(dump, "linux", columns, out=table, threads=threads))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("columns", [EIGHT, None], ids=["8-columns", "all-columns"])
def test_fresh(dump: Octets, row: Row, columns: Sequence[str] | None, threads: int) -> None:
    row(DECODE, dump, lambda: pf.SATable.from_buffer(dump, "linux", columns, threads=threads))


def test_message_objects(part: Octets, row: Row) -> None:
    def touch() -> None:
        for message in pf.decode(part, "linux"):
            message.type, message.sa.spi  # type: ignore[union-attr]  # noqa: B018 - reading them is what is measured

    row("slow", part, touch, rounds=3)


def test_reference_all_columns(part: Octets, row: Row) -> None:
    twin = hotpath.load("reference")
    wanted = plan.column_plan(spec.dialect("linux"), tables.ASSOCIATIONS, pf.SATable.from_buffer(b"").columns)
    table = [np.empty(part.nbytes // 16 * item.width, np.uint8).data for item in wanted.columns]
    rows = part.nbytes // 16
    row("slow", part, lambda: twin.decode(memoryview(part), 0, len(part), wanted, False, table, 0, rows), rounds=3)


HEADER = struct.Struct("=BBBBHHII")
EXTENSION = struct.Struct("=HH")
SA = struct.Struct("=4sBBBBI")
LIFETIME = struct.Struct("=IQQQ")
ADDRESS = struct.Struct("=BBH")
SOCKADDR = struct.Struct("=H2s")
SA2 = struct.Struct("=BBHII")


def test_plain_struct(part: Octets, row: Row) -> None:
    """What a careful script does today: every field of every extension into a dict, with precompiled structs."""
    data = part.tobytes()
    row("slow", part, lambda: plain(data), rounds=3)


def plain(data: bytes) -> list[dict[str, object]]:
    """All fields of all messages, as Linux writes them."""
    found = []
    start, stop = 0, len(data)
    while start < stop:
        version, kind, errno, satype, words, reserved, seq, pid = HEADER.unpack_from(data, start)
        if version != 2 or words < 2:
            raise ValueError(start)
        fields: dict[str, object] = {"type": kind, "errno": errno, "satype": satype, "refcount": reserved}
        fields["seq"], fields["pid"] = seq, pid
        at, end = start + 16, start + 8 * words
        while at < end:
            length, number = EXTENSION.unpack_from(data, at)
            if number == 1:
                spi, replay, state, auth, encrypt, flags = SA.unpack_from(data, at + 4)
                fields["spi"] = int.from_bytes(spi, "big")
                fields.update(replay=replay, state=state, auth=auth, encrypt=encrypt, flags=flags)
            elif number in (2, 3, 4):
                fields[f"lifetime{number}"] = LIFETIME.unpack_from(data, at + 4)
            elif number in (5, 6, 7):
                proto, prefixlen, _ = ADDRESS.unpack_from(data, at + 4)
                family, port = SOCKADDR.unpack_from(data, at + 8)
                ip = data[at + 12 : at + 16] if family == 2 else data[at + 16 : at + 32]
                fields[f"address{number}"] = (proto, prefixlen, family, int.from_bytes(port, "big"), ip)
            elif number in (8, 9):
                bits = int.from_bytes(data[at + 4 : at + 6], "little")
                fields[f"key{number}"] = (bits, data[at + 8 : at + 8 + (bits + 7) // 8])
            elif number == 19:
                mode, _, _, sequence, reqid = SA2.unpack_from(data, at + 4)
                fields.update(mode=mode, sequence=sequence, reqid=reqid)
            elif number in (20, 21, 22):
                fields[f"natt{number}"] = data[at + 4 : at + 6]
            at += 8 * length
        found.append(fields)
        start = end
    return found


OTHER = {"little": "big", "big": "little"}


@pytest.mark.parametrize("dialect", spec.DIALECTS)
@pytest.mark.parametrize("swapped", [False, True], ids=["native", "swapped"])
def test_all_columns_of(dialect: str, swapped: bool, row: Row) -> None:
    order = OTHER[sys.byteorder] if swapped else sys.byteorder
    octets = synthetic(1_000_000, seed=1, dialect=dialect, byteorder=order)  # type: ignore[arg-type]
    table = pf.SATable.from_buffer(octets, dialect, byteorder=order)  # type: ignore[arg-type]
    row(
        "dialects",
        octets,
        lambda: pf.SATable.from_buffer(octets, dialect, byteorder=order, out=table),  # type: ignore[arg-type]
    )
