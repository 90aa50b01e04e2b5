"""Policies without an association, compared with a comparison of every policy with every association."""

from __future__ import annotations

import itertools
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from corpus.groundtruth import capture
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.columns.coverage import COLUMNS, unserved, usable

PROTOCOLS = {50: "esp", 51: "ah", 108: "ipcomp"}


def association(spi: int, **made: Any) -> bytes:
    satype, src, dst = made.pop("satype"), made.pop("src"), made.pop("dst")
    algorithm = {"compress": "deflate"} if satype == "ipcomp" else {"auth": "sha1-hmac", "auth_key": bytes(20)}
    return pf.requests.add(satype, spi, src, dst, dialect="linux", **algorithm, **made).encode(byteorder="little")


def policy(src: str, dst: str, direction: str, kind: str, requests: list[dict[str, Any]]) -> bytes:
    transforms = [pf.requests.transform(**request) for request in requests]
    what = pf.requests.policy(direction, kind, transforms if kind == "ipsec" else ())
    return pf.requests.spdadd(src, dst, what, dialect="linux").encode(byteorder="little")


def decided(policies: list[bytes], associations: list[bytes]) -> list[bool]:
    """Which policies are not served, of associations that come in two tables."""
    cut = len(associations) // 2
    tables = [
        usable(pf.SATable.from_buffer(b"".join(part), "linux", COLUMNS, "little"))
        for part in (associations[:cut], associations[cut:])
    ]
    table = pf.PolicyTable.from_buffer(b"".join(policies), "linux", byteorder="little")
    return unserved(table, tables).tolist()


def served(request: dict[str, Any], row: dict[str, Any], policy: dict[str, Any]) -> bool:
    """Whether an association serves a request of a policy: the definition, for one of each."""
    if PROTOCOLS.get(request["proto"]) != row["satype"] or row["state"] not in ("mature", "dying"):
        return False
    if request["reqid"] and request["reqid"] != row["reqid"]:
        return False
    if "any" not in (request["mode"], row["mode"]) and request["mode"] != row["mode"]:
        return False
    for side in ("src", "dst"):
        end = ip_address(row[side])
        if request[f"{side}_family"]:
            tunnel = ip_address(request[side])
            if tunnel.version != end.version or not (int(tunnel) == 0 or tunnel == end):
                return False
        elif end not in ip_network(f"{policy[side]}/{policy[f'{side}_prefixlen']}", strict=False):
            return False
    return True


hosts4, hosts6 = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.1.1"]), st.sampled_from(["fd00::1", "fd00::2"])
ends = st.tuples(hosts4, hosts4) | st.tuples(hosts6, hosts6)
nets = st.tuples(*[st.sampled_from(["10.0.0.0/24", "10.0.0.1/32", "0.0.0.0/0", "10.0.1.0/25"])] * 2) | st.tuples(
    *[st.sampled_from(["fd00::/64", "::/0", "fd00::2/128"])] * 2
)
associations = st.fixed_dictionaries(
    {
        "satype": st.sampled_from(["esp", "ah", "ipcomp"]),
        "ends": ends,
        "mode": st.sampled_from(["any", "transport", "tunnel"]),
        "reqid": st.integers(0, 2),
        "state": st.sampled_from(["mature", "mature", "dying", "dead", "larval"]),
    }
)
requests = st.fixed_dictionaries(
    {
        "proto": st.sampled_from(["esp", "ah", "ipcomp"]),
        "mode": st.sampled_from(["transport", "tunnel"]),
        "level": st.sampled_from(["default", "use", "require", "unique"]),
        "reqid": st.integers(0, 2),
        "tunnel": ends | st.just(("0.0.0.0", "0.0.0.0")) | st.none(),
    }
)
policies = st.tuples(
    nets, st.sampled_from(["in", "out"]), st.sampled_from(["ipsec", "ipsec", "none"]), st.lists(requests, max_size=3)
)


@given(some=st.lists(associations, max_size=12), asked=st.lists(policies, max_size=8))
def test_against_the_definition(some: list[dict[str, Any]], asked: list[Any]) -> None:
    sas = []
    for spi, item in enumerate(some, 0x1000):
        made = dict(item)
        made["src"], made["dst"] = made.pop("ends")
        sas.append(association(spi, **made))
    spd = []
    for (src, dst), direction, kind, several in asked:
        made = [dict(item) for item in several]
        for item in made:
            tunnel = item.pop("tunnel")
            if tunnel is not None:
                item["src"], item["dst"] = tunnel
            elif item["mode"] == "tunnel":
                item["src"], item["dst"] = "10.0.0.1", "10.0.1.1"
        spd.append(policy(src, dst, direction, kind, made))
    table = pf.SATable.from_buffer(b"".join(sas), "linux", byteorder="little")
    stored = pf.PolicyTable.from_buffer(b"".join(spd), "linux", byteorder="little")
    rows = list(table.rows())
    every = list(stored.requests.rows())
    begins = stored.request_offsets.tolist()
    expected = [
        any(
            request["level"] != "use" and not any(served(request, sa, row) for sa in rows)
            for request in every[begins[number] : begins[number + 1]]
        )
        for number, row in enumerate(stored.rows())
    ]
    assert decided(spd, sas) == expected


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, False),
        ({"state": "dying"}, False),
        ({"state": "larval"}, True),
        ({"state": "dead"}, True),
        ({"satype": "ah"}, True),
        ({"mode": "transport"}, True),
        ({"mode": "any"}, False),
        ({"src": "192.0.2.3"}, True),
        ({"dst": "192.0.2.1", "src": "192.0.2.2"}, True),  # the other direction
        ({"reqid": 8}, True),
    ],
)
def test_a_tunnel(change: dict[str, Any], missing: bool) -> None:
    sa = {"satype": "esp", "src": "192.0.2.1", "dst": "192.0.2.2", "mode": "tunnel", "reqid": 7, **change}
    request = {"proto": "esp", "mode": "tunnel", "src": "192.0.2.1", "dst": "192.0.2.2", "level": "unique", "reqid": 7}
    assert decided([policy("10.0.0.0/8", "10.1.0.0/16", "out", "ipsec", [request])], [association(1000, **sa)]) == [
        missing
    ]


def test_a_recorded_kernel() -> None:
    """Without any association, all policies of type ipsec are without one but those that only wish for it."""
    table = pf.PolicyTable.from_buffer(capture("linux-policies.bin"), "linux", byteorder="little")
    begins = table.request_offsets
    levels = table.requests["level"]
    expected = [any(level != pf.Level.USE for level in levels[begin:end]) for begin, end in itertools.pairwise(begins)]
    assert unserved(table, []).tolist() == expected
    assert 0 < sum(expected) < len(table)
