"""Real and golden messages of every dialect and byte order, and the plans with which the library decodes them."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path

from corpus.groundtruth import CORPUS, capture
from corpus.groundtruth.index import read_index

from fastpfkey import spec
from fastpfkey.spec import tables
from fastpfkey.spec.plan import ColumnPlan, column_plan

from .made_up import ORDERS, HostOrder

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "golden"
DIALECTS = [(dialect, order) for dialect in spec.DIALECTS for order in ORDERS]
TABLES = (tables.ASSOCIATIONS, tables.POLICIES, tables.REGISTRATIONS)
CAPTURES = tuple(sorted(path.name for path in CORPUS.glob("linux-*.bin")))
"""Buffers from a little-endian Linux kernel, or sent to it."""


@functools.cache
def _named(dialect: str, order: HostOrder) -> dict[str, bytes]:
    found = json.loads((FOLDER / f"{dialect}-{order}.json").read_text(encoding="utf-8"))
    return {item["name"]: bytes.fromhex(item["hex"]) for item in found}


def messages(dialect: str, order: HostOrder) -> Sequence[bytes]:
    """All golden messages of a system, one for each message type and more."""
    return list(_named(dialect, order).values())


def message(dialect: str, order: HostOrder, name: str) -> bytes:
    """One of them."""
    return _named(dialect, order)[name]


@functools.cache
def captured(name: str) -> Sequence[bytes]:
    """The datagrams of a capture one by one; among those sent are some that are not messages."""
    data = capture(name)
    return [row.cut(data) for row in read_index(name)]


def plans(dialect: str, order: HostOrder) -> list[ColumnPlan]:
    """All columns of all tables."""
    return [column_plan(spec.dialect(dialect), table, None, order) for table in TABLES]


def telling(dialect: str, order: HostOrder) -> ColumnPlan:
    """Few columns, of which at least one changes with whatever decides about a message."""
    names = ["message_offset", "satype", "encrypt", "src", "src_family", "dst_port", "dst_scope", "replay"]
    names += ["natt_oa", "key_encrypt_bits", "key_encrypt_offset", "present", "other_extensions"]
    return column_plan(spec.dialect(dialect), tables.ASSOCIATIONS, names, order)
