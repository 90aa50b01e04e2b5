"""What the tests of tables share: decoding captures the way they were taken, and comparing tables whole."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np
from corpus.groundtruth import capture
from corpus.groundtruth.facts import Facts

from fastpfkey.columns.associations import SATable
from fastpfkey.columns.table import Table
from fastpfkey.spec import tables

MIXED = capture("linux-mixed.bin")
"""53 associations of every kind that a Linux kernel shows."""

INTERNAL = {"key_auth_offset", "key_encrypt_offset", "requests_offset", "requests_length"}


def associations(data: Any = MIXED, **arguments: Any) -> SATable:
    """A table of a Linux capture from a little-endian host."""
    return SATable.from_buffer(data, dialect="linux", byteorder="little", **arguments)


def same(one: Table, other: Table) -> bool:
    """Whether two tables have the same columns with the same values."""
    return one.columns == other.columns and all(np.array_equal(one[name], other[name]) for name in one.columns)


def expected(facts: Facts, column: tables.Column) -> Any:
    """What a column holds for a message of which the ground truth tells these facts."""
    if column.name == "present":
        return sum(1 << number for number in facts["extensions"])
    if column.dtype == "16u1":
        return list(sixteen(facts[column.name]))
    return facts[column.name]


def sixteen(ip: IPv4Address | IPv6Address | None) -> bytes:
    """An address as a column holds it."""
    if ip is None:
        return bytes(16)
    return bytes(10) + b"\xff\xff" + ip.packed if ip.version == 4 else ip.packed


def header_only(errno: int = 0, seq: int = 0) -> bytes:
    """A SADB_DUMP message without extensions, as little-endian hosts write it."""
    return struct.pack("<BBBBHHII", 2, 10, errno, 0, 2, 0, seq, 1)


def offsets(data: bytes) -> list[int]:
    """Where the messages of a well-formed little-endian capture begin."""
    found = [0]
    while found[-1] < len(data):
        found.append(found[-1] + struct.unpack_from("<H", data, found[-1] + 4)[0] * 8)
    return found[:-1]
