"""Every request about policies, with iproute2 as the witness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.wire.extensions_ipsec import Policy

from .kinds import add_esp
from .witness import assert_policies_alike, error_of, ip, xfrm_policies, xfrm_states

HERE, THERE = "10.1.0.0/16", "10.2.0.0/16"
GATEWAYS = {"src": "192.0.2.1", "dst": "198.51.100.2"}


def esp(**more: Any) -> Policy:
    return requests.policy("out", transforms=[requests.transform("esp", **more)])


KINDS: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "transport": (HERE, THERE, esp(), {}),
    "tunnel": (HERE, THERE, esp(mode="tunnel", **GATEWAYS), {}),
    "tunnel with a reqid of its own": (HERE, THERE, esp(mode="tunnel", level="unique", reqid=33, **GATEWAYS), {}),
    "IPv6": ("2001:db8:1::/48", "2001:db8:2::/48", esp(mode="tunnel", src="2001:db8::1", dst="2001:db8::2"), {}),
    "a port of TCP": ("10.1.0.1", "10.2.0.2[443]", esp(), {"proto": "tcp"}),
    "let it pass": (HERE, THERE, requests.policy("in", "none"), {}),
    "discard": (HERE, THERE, requests.policy("fwd", "discard"), {}),
    "by priority": (HERE, THERE, requests.policy("out", transforms=[requests.transform("ah")], priority=9), {}),
    "with limits": (HERE, THERE, esp(), {"hard": 3600, "soft": 1800}),
    "compressed, then encrypted": (
        HERE,
        THERE,
        requests.policy("out", transforms=[requests.transform("ipcomp", level="use"), requests.transform("esp")]),
        {},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_spdadd(client: pf.Client, kind: str) -> None:
    src, dst, policy, more = KINDS[kind]
    reply = client.spdadd(src, dst, policy, **more)
    assert reply.policy is not None
    (known,) = xfrm_policies()
    assert known.index == reply.policy.id
    (row,) = assert_policies_alike(client)
    assert row["spid"] == known.index
    assert len(row["requests"]) == len(policy.requests)
    assert error_of(lambda: client.spdadd(src, dst, policy, **more)) == "EEXIST"


def test_all_kinds_are_the_kernels(client: pf.Client) -> None:
    """Each in a direction of its own where the traffic is the same."""
    for number, (src, dst, policy, more) in enumerate(KINDS.values()):
        src = src.replace("10.1.", f"10.{100 + number}.")
        client.spdadd(src, dst, policy, **more)
    rows = assert_policies_alike(client)
    assert len(rows) == len(KINDS)
    table = client.dump_policies()
    assert table.complete
    assert sorted(table["spid"].tolist()) == sorted(policy.index for policy in xfrm_policies())


def test_spdupdate_replaces(client: pf.Client) -> None:
    first = client.spdadd(HERE, THERE, esp())
    second = client.spdupdate(HERE, THERE, esp(reqid=5, level="unique"))
    assert first.policy is not None
    assert second.policy is not None
    assert second.policy.id == first.policy.id
    (known,) = xfrm_policies()
    assert [template.reqid for template in known.templates] == [5]


def test_spdget(client: pf.Client) -> None:
    added = client.spdadd(HERE, THERE, esp())
    assert added.policy is not None
    found = client.spdget(added.policy.id)
    assert found.policy == added.policy
    assert error_of(lambda: client.spdget(8 * 99_999 + 1)) == "ENOENT"


def test_spddelete_and_spddelete2(client: pf.Client) -> None:
    client.spdadd(HERE, THERE, esp())
    added = client.spdadd(HERE, THERE, requests.policy("in", "none"))
    assert added.policy is not None
    client.spddelete(HERE, THERE, "out")
    assert [policy.index for policy in xfrm_policies()] == [added.policy.id]
    client.spddelete2(added.policy.id)
    assert xfrm_policies() == []
    assert error_of(lambda: client.spddelete(HERE, THERE, "out")) == "ENOENT"
    assert error_of(lambda: client.spddelete2(added.policy.id)) == "ENOENT"  # type: ignore[union-attr]


def test_spdsetidx_adds(client: pf.Client) -> None:
    """On Linux it is SPDADD by another name, under which it is also answered."""
    assert client.spdsetidx(HERE, THERE, esp()).type == pf.MessageType.SPDADD
    assert len(xfrm_policies()) == 1


def test_spdflush(client: pf.Client) -> None:
    client.spdadd(HERE, THERE, esp())
    client.spdadd(HERE, THERE, requests.policy("in", "none"))
    client.spdflush()
    client.spdflush()
    assert xfrm_policies() == []
    assert (len(client.dump_policies()), client.dump_policies().complete) == (0, True)


def test_policies_of_others_are_seen(client: pf.Client) -> None:
    ip(*"xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 proto udp dport 53 dir fwd priority 7 tmpl proto ah".split())
    (row,) = assert_policies_alike(client)
    assert (row["dir"], row["priority"], row["src_proto"], row["dst_port"]) == (pf.Direction.FWD, 7, 17, 53)


REFUSED: dict[str, tuple[str, Callable[[Any], object]]] = {
    "more transformations than it has room for": (
        "ELOOP",
        lambda c: c.spdadd(HERE, THERE, requests.policy("out", transforms=[requests.transform("esp")] * 7)),
    ),
    "an optional tunnel": ("EINVAL", lambda c: c.spdadd(HERE, THERE, esp(mode="tunnel", level="use", **GATEWAYS))),
    "a policy that is no policy of anybody": (
        "EINVAL",
        lambda c: c.spdadd(HERE, THERE, requests.policy("in", "bypass")),
    ),
    "nothing to migrate": (
        "ENOENT",
        lambda c: c.migrate(
            HERE,
            THERE,
            "out",
            [
                (
                    requests.transform("esp", mode="tunnel", **GATEWAYS),  # type: ignore[arg-type]
                    requests.transform("esp", mode="tunnel", src="192.0.2.9", dst="198.51.100.2"),
                )
            ],
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_kernel_refuses_has_its_name(client: pf.Client, case: str) -> None:
    name, call = REFUSED[case]
    assert error_of(lambda: call(client)) == name
    assert xfrm_policies() == []


def test_migrate(client: pf.Client) -> None:
    """The policy and its association move; the answer has neither the request's number nor its pid."""
    old, new = GATEWAYS, {"src": "192.0.2.9", "dst": "198.51.100.9"}
    client.spdadd(HERE, THERE, esp(mode="tunnel", **old))
    add_esp(client, 0x8001, old["src"], old["dst"], mode="tunnel")
    pair = (requests.transform("esp", mode="tunnel", **old), requests.transform("esp", mode="tunnel", **new))  # type: ignore[arg-type]
    reply = client.migrate(HERE, THERE, "out", [pair])
    assert (reply.type, reply.seq, reply.pid) == (pf.MessageType.MIGRATE, 0, 0)
    (known,) = xfrm_policies()
    assert [(str(item.src), str(item.dst)) for item in known.templates] == [(new["src"], new["dst"])]
    (state,) = xfrm_states()
    assert (str(state.src), str(state.dst)) == (new["src"], new["dst"])
    assert error_of(lambda: client.migrate(HERE, THERE, "out", [pair])) == "ENODATA"
