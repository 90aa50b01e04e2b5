"""The requests of policies as one flat table: which protection each asks for, between which endpoints.

A policy carries any number of requests, each as long as it says. They are read in rounds, the first of all policies,
then the second of all that have one, so the number of NumPy calls depends on the longest list and not on the number
of policies.
"""

from __future__ import annotations

import numpy as np

from ..spec import tables
from ..spec.layouts import Layout
from ..spec.tables import Column
from .records import Positions, Records
from .room import allocate
from .source import Source
from .table import Table

REQUESTS = tables.Table(
    "RequestTable",
    (
        Column("proto", "u2", "IP protocol: 50 ESP, 51 AH, 108 IPComp"),
        Column("mode", "u2", "mode, canonical", terms="mode"),
        Column("level", "u2", "level, canonical", terms="level"),
        Column("reqid", "u4", "request id, 0 for any"),
        Column("src", "16u1", "tunnel source, network order, IPv4 as v4-mapped IPv6"),
        Column("src_family", "u2", "tunnel source: 4, 6, 0 for none"),
        Column("src_port", "u2", "tunnel source: port"),
        Column("dst", "16u1", "tunnel destination, network order, IPv4 as v4-mapped IPv6"),
        Column("dst_family", "u2", "tunnel destination: 4, 6, 0 for none"),
        Column("dst_port", "u2", "tunnel destination: port"),
    ),
    (),
)
"""struct sadb_x_ipsecrequest and the two socket addresses that may follow it."""


class RequestTable(Table):
    """Requests of policies, one row each; `PolicyTable.request_offsets` says which rows belong to which policy."""

    schema = REQUESTS


def decode_requests(source: Source, begins: Positions, ends: Positions) -> tuple[RequestTable, Positions]:
    """The requests between each begin and end, and the row of the first of each policy, with one more at the end.

    The places are those of validated policies; less than a request's fixed part before an end is padding. There are
    none in a dialect whose policies have no requests.
    """
    layout = source.dialect.ipsec_request
    if layout is None:
        empty = allocate(REQUESTS.columns, 0)
        return RequestTable(empty, tuple(empty), source.origin), np.zeros(len(begins) + 1, np.int64)
    records = Records(source.buffer, source.dialect, source.byteorder)
    owners, places, behind = _find(records, layout, begins, ends)
    src = records.sockaddrs(places + layout.size, behind)
    dst = records.sockaddrs(src.after, behind)
    arrays = {
        "proto": records.field(places, layout["proto"]).astype(np.uint16),
        "mode": records.field(places, layout["mode"]),
        "level": records.field(places, layout["level"]),
        "reqid": records.field(places, layout["reqid"]).astype(np.uint32),
    }
    for name, end in (("src", src), ("dst", dst)):
        arrays |= {name: end.ip, f"{name}_family": end.family, f"{name}_port": end.port}
    counts = np.bincount(owners, minlength=len(begins))
    return RequestTable(arrays, tuple(arrays), source.origin), offsets_of(counts)


def offsets_of(counts: Positions) -> Positions:
    """Where lists of these lengths begin when they lie one behind the other, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])


def _find(
    records: Records, layout: Layout, begins: Positions, ends: Positions
) -> tuple[Positions, Positions, Positions]:
    """Which policy each request belongs to, where it begins and where it ends; by policy, in wire order."""
    owner, at = np.arange(len(begins)), begins
    owners, places, behind = [owner[:0]], [at[:0]], [at[:0]]
    while True:
        there = np.flatnonzero(ends[owner] - at >= layout.size)
        if not there.size:
            break
        owner, at = owner[there], at[there]
        # Validated lengths lie within these bounds. They hold the loop in should the buffer have changed since.
        after = np.clip(at + records.field(at, layout["len"]), at + layout.size, ends[owner])
        owners.append(owner)
        places.append(at)
        behind.append(after)
        at = after
    order = np.argsort(np.concatenate(owners), kind="stable")
    return np.concatenate(owners)[order], np.concatenate(places)[order], np.concatenate(behind)[order]
