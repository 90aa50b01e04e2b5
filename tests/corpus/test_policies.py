"""linux-policies: 42 policies of every kind a Linux 6.1 kernel shows, against what setkey and iproute2 said about them.

All directions, types, levels and modes; chains of requests; IPv4 in IPv6 tunnels and the reverse; ports, ICMP types and
GRE; priorities; a policy with lifetimes; one in mode beet, which setkey cannot print.
"""

from __future__ import annotations

import pytest

import fastpfkey as pf

from .decoded import Road, policies_from_messages, policies_from_table
from .groundtruth import byhand, capture, policies, policy_facts, text, xfrm
from .groundtruth.facts import canonical, contradictions
from .groundtruth.index import read_index

NAME = "linux-policies.bin"

both_roads = pytest.mark.parametrize("road", [policies_from_messages, policies_from_table])


@both_roads
@pytest.mark.parametrize("printed", ["linux-policies.setkey.txt", "linux-policies.setkey-p.txt"])
def test_setkey_said_so(printed: str, road: Road) -> None:
    """Selectors with ports and protocols, direction, type, priority, requests, times and ids, policy by policy."""
    told = policies.read_policies(text(printed))
    for policy, decoded in zip(told, road(capture(NAME)), strict=True):
        assert contradictions(policy_facts.of_setkey(policy), decoded) == {}


@both_roads
def test_iproute2_said_so(road: Road) -> None:
    """The same and what setkey does not print: soft limits and the requests of the policy in mode beet."""
    told = [policy for policy in xfrm.read_policies(text("linux-policies.xfrm.txt")) if policy.ptype == "main"]
    for policy, decoded in zip(told, road(capture(NAME)), strict=True):
        assert contradictions(policy_facts.of_xfrm(policy), decoded) == {}


@both_roads
def test_the_bytes_say_so(road: Road) -> None:
    """Every column of every policy."""
    for message, decoded in zip(byhand.split(capture(NAME)), road(capture(NAME)), strict=True):
        told = canonical(policy_facts.of_message(message))
        assert contradictions(told, decoded) == {}
        assert decoded.keys() == told.keys()


def test_messages_lie_where_the_index_says() -> None:
    """Offsets, lengths and extensions in wire order; the last of a dump has seq 0."""
    rows = read_index(NAME)
    batch = pf.decode(capture(NAME), dialect="linux", byteorder="little")
    for message, row in zip(batch, rows, strict=True):
        assert (message.offset, message.length, message.seq) == (row.offset, row.size, row.seq)
        assert [ext.exttype for ext in message.extensions] == [ext.number for ext in row.extensions]
    assert [row.seq for row in rows] == [*range(1, 42), 0]


def test_requests_lie_flat_with_offsets() -> None:
    """All requests of all policies in one table, and one offset more than there are policies."""
    table = pf.PolicyTable.from_buffer(capture(NAME), dialect="linux", byteorder="little")
    counts = [len(policy_facts.of_message(message)["requests"]) for message in byhand.split(capture(NAME))]
    assert max(counts) == 3
    assert min(counts) == 0
    assert len(table.request_offsets) == len(table) + 1
    assert [
        int(end) - int(begin) for begin, end in zip(table.request_offsets, table.request_offsets[1:], strict=False)
    ] == counts
    assert len(table.requests) == sum(counts)


@pytest.mark.parametrize(("name", "errno"), [("linux-policies-empty.bin", 2), ("linux-policies-with-ro.bin", 22)])
def test_dumps_that_end_in_an_error(name: str, errno: int) -> None:
    """ENOENT for an empty SPD; EINVAL if a route-optimization policy is in the way. Both are bare headers."""
    (message,) = pf.decode(capture(name), dialect="linux", byteorder="little")
    assert (message.type, message.errno, message.seq, message.length) == (pf.MessageType.SPDDUMP, errno, 0, 16)
    assert message.extensions == ()
    assert message.policy is None
