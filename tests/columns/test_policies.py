"""Policies and the flat table of their requests, against the bytes read by hand."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from corpus.groundtruth import byhand, capture
from corpus.groundtruth.policy_facts import of_message
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.columns.policies import PolicyTable
from fastpfkey.errors import Fault, WireError
from fastpfkey.spec import tables
from fastpfkey.spec.terms import Direction, Level, Mode, PolicyType
from fastpfkey.wire.decode import decode

from .support import INTERNAL, expected, offsets, same, sixteen

DATA = capture("linux-policies.bin")
FACTS = [of_message(message) for message in byhand.split(DATA)]
REQUESTS = [facts["requests"] for facts in FACTS]
PUBLIC = [column for column in tables.POLICIES.columns if column.name not in INTERNAL]


def policies(data: bytes = DATA, **arguments) -> PolicyTable:
    """A table of a Linux capture from a little-endian host."""
    return PolicyTable.from_buffer(data, dialect="linux", byteorder="little", **arguments)


def lists(table: PolicyTable) -> list[list[tuple[object, ...]]]:
    """The requests of each policy, in the ground truth's vocabulary but for addresses, which stay 16 bytes."""
    flat = table.requests
    names = "proto mode level reqid src src_port dst dst_port".split()
    rows = list(zip(*([bytes(v) if v.ndim else int(v) for v in flat[name]] for name in names), strict=True))
    edges = table.request_offsets.tolist()
    return [rows[begin:end] for begin, end in itertools.pairwise(edges)]


def told(requests: list[tuple]) -> list[tuple[object, ...]]:
    """The same of the ground truth."""
    ends = [[(sixteen(end[0]), end[1]) if end else (bytes(16), 0) for end in request[4:]] for request in requests]
    return [(*request[:4], *src, *dst) for request, (src, dst) in zip(requests, ends, strict=True)]


def test_every_column_is_what_the_bytes_say() -> None:
    table = policies()
    assert table.columns == tuple(column.name for column in PUBLIC)
    for column in PUBLIC:
        if column.name not in ("message_offset", "other_extensions"):
            assert table[column.name].tolist() == [expected(facts, column) for facts in FACTS], column.name
    assert table["message_offset"].tolist() == offsets(DATA)


def test_requests_are_what_the_bytes_say() -> None:
    table = policies()
    assert lists(table) == [told(requests) for requests in REQUESTS]
    assert table.request_offsets.dtype == np.int64
    assert len(table.requests) == table.request_offsets[-1] == sum(map(len, REQUESTS))


def test_request_columns_are_canonical_and_typed() -> None:
    flat = policies().requests
    assert {name: flat[name].dtype.str[1:] for name in flat.columns} == {
        "proto": "u2",
        "mode": "u2",
        "level": "u2",
        "reqid": "u4",
        "src": "u1",
        "src_family": "u2",
        "src_port": "u2",
        "dst": "u1",
        "dst_family": "u2",
        "dst_port": "u2",
    }
    assert set(flat["mode"].tolist()) == {Mode.TRANSPORT, Mode.TUNNEL, Mode.BEET}
    assert set(flat["level"].tolist()) == {Level.USE, Level.REQUIRE, Level.UNIQUE}
    assert set(flat["src_family"].tolist()) == {0, 4, 6}
    assert all(flat[name].flags.c_contiguous and flat[name].dtype.isnative for name in flat.columns)


def test_only_policies_of_type_ipsec_have_requests() -> None:
    table = policies()
    counts = np.diff(table.request_offsets)
    assert not counts[table["type"] != PolicyType.IPSEC].any()
    assert counts.max() == 3


rows = st.lists(st.integers(-42, 41))


@given(chosen=rows | st.slices(42))
def test_requests_go_with_their_policies(chosen: list[int] | slice) -> None:
    table = policies()[chosen]
    wanted = REQUESTS[chosen] if isinstance(chosen, slice) else [REQUESTS[row] for row in chosen]
    assert lists(table) == [told(requests) for requests in wanted]
    assert table.request_offsets[0] == 0


def test_requests_go_with_sorted_and_joined_policies() -> None:
    table = policies()
    by_id = sorted(range(42), key=lambda row: FACTS[row]["spid"])
    assert lists(table.sort("spid")) == [told(REQUESTS[row]) for row in by_id]
    joined = PolicyTable.concat([table[30:], table[:0], table[:30]])
    assert lists(joined) == [told(requests) for requests in REQUESTS[30:] + REQUESTS[:30]]


def test_some_columns_come_with_all_requests() -> None:
    table = policies(columns=["spid"])
    assert table.columns == ("spid",)
    assert lists(table) == lists(policies())


def test_byte_order_of_the_capture_makes_no_difference() -> None:
    """The same policy written by a big-endian host: one request for a tunnel, one for transport."""
    texts = []
    for order in "<>":
        ends = struct.pack(f"{order}H", 2) + b"\x11\x94\xc0\x00\x02\x01" + bytes(8)
        ends += struct.pack(f"{order}H", 2) + b"\x00\x00\xc0\x00\x02\x02" + bytes(8)
        tunnel = struct.pack(f"{order}HHBBHII", 48, 50, 2, 3, 0, 77, 0) + ends
        transport = struct.pack(f"{order}HHBBHII", 16, 51, 1, 2, 0, 0, 0)
        texts.append(policy_message(tunnel + transport, order))
    little = PolicyTable.from_buffer(texts[0], "linux", byteorder="little")
    big = PolicyTable.from_buffer(texts[1], "linux", byteorder="big")
    assert same(little, big)
    assert lists(little) == lists(big)
    here, there = (bytes(10) + b"\xff\xff\xc0\x00\x02" + bytes([end]) for end in (1, 2))
    assert lists(little) == [[(50, 2, 3, 77, here, 4500, there, 0), (51, 1, 2, 0, bytes(16), 0, bytes(16), 0)]]


def policy_message(body: bytes, order: str = "<") -> bytes:
    """An SPDDUMP message of one policy with these requests."""
    policy = struct.pack(f"{order}HHHBBII", (16 + len(body)) // 8, 18, 2, 2, 0, 9, 5) + body
    return struct.pack(f"{order}BBBBHHII", 2, 18, 0, 0, 2 + len(policy) // 8, 0, 0, 1) + policy


def request(size: int, body: bytes = b"") -> bytes:
    """A request that gives this length, and what follows it."""
    return struct.pack("<HHBBHII", size, 50, 1, 2, 0, 0, 0) + body


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", []),
        (request(16) + bytes(8), [0]),
        (request(24, struct.pack("<H", 77) + bytes(6)), [0x8000 + 77]),
        (request(24, bytes(8)), [0]),
    ],
    ids=["none", "padding", "unknown family", "no family"],
)
def test_odd_requests(body: bytes, found: list[int]) -> None:
    """What validation lets pass is read as far as it goes."""
    table = policies(policy_message(body) + DATA)
    assert table.request_offsets[1] == len(found)
    assert table.requests["src_family"][: len(found)].tolist() == found
    assert lists(table)[1:] == lists(policies())


def test_a_request_with_one_end_is_a_fault() -> None:
    with pytest.raises(WireError) as caught:
        policies(policy_message(request(32, struct.pack("<HH", 2, 0) + bytes(12))))
    assert caught.value.fault is Fault.SOCKADDR_OVERRUN


def test_messages_without_policies_have_empty_rows() -> None:
    table = policies(capture("linux-mixed.bin"))
    assert len(table) == 53
    assert not table["spid"].any()
    assert not table.request_offsets.any()
    assert len(policies(b"").request_offsets) == 1


def test_a_batch_makes_the_same_table() -> None:
    batch = decode(DATA, "linux", "little")
    assert same(PolicyTable.from_batch(batch), policies())
    assert lists(PolicyTable.from_batch(batch[::3])) == [told(requests) for requests in REQUESTS[::3]]


def test_what_people_see() -> None:
    lines = repr(policies()).splitlines()
    assert lines[0] == "PolicyTable: 42 rows, 38 columns, linux"
    assert lines[2].split() == "361 out ipsec 10.6.0.0 16 10.10.0.0 16 255 0".split()
    assert repr(policies().requests).splitlines()[2].split() == "50 beet require 0 - 0 0 - 0 0".split()
    (first, *_) = policies().rows()
    assert (first["dir"], first["type"]) == (Direction.OUT.label, PolicyType.IPSEC.label)
