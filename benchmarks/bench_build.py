"""Building: requests and dumps from columns, beside memcpy of what is built, and single messages beside `struct`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey import hotpath

from .conftest import Octets, Row

BUILD = "build"


@pytest.mark.parametrize(
    ("function", "wiped"),
    [(pf.build_add, False), (pf.build_add, True), (pf.build_dump, False), (pf.build_delete, False)],
    ids=["add", "add, wiped", "dump", "delete"],
)
def test_build(dump: Octets, row: Row, function: Callable[..., pf.Lease], wiped: bool) -> None:
    """Into memory that was used before, as a pool has it. What engines do not show in full is left out of ADD."""
    table = pf.SATable.from_buffer(dump, "linux", keys=True)
    if function is pf.build_add:
        whole = (table["encrypt"] != 0) | (table["satype"] == pf.SAType.AH)
        table = table[whole & (table["state"] != pf.SAState.LARVAL)]
    pool = pf.BufferPool(slab_size=dump.nbytes, slabs=1, max_slabs=1)
    with function(table, pool=pool) as lease:
        built = np.frombuffer(bytes(lease), np.uint8)

    def build() -> None:
        lease = function(table, pool=pool)
        lease.holds_keys = wiped
        lease.release()

    row(BUILD, built, build)


def test_reference(part: Octets, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = hotpath.load("reference")
    monkeypatch.setattr("fastpfkey.columns.build.build", twin.build)
    monkeypatch.setattr("fastpfkey.columns.build.classify", twin.classify)
    table = pf.SATable.from_buffer(part, "linux", keys=True)
    row("slow", part, lambda: pf.build_dump(table).release(), rounds=3)


def test_single_messages(part: Octets, row: Row) -> None:
    messages = [message.replace() for message in pf.decode(part, "linux")]
    row("slow", part, lambda: [message.encode() for message in messages], rounds=3)
