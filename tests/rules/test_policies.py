"""The rules about policies, which kernels added: each broken once, as the kernels were seen to refuse it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.spec.terms import Direction, FlowType, Level, Mode, PolicyType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions_ipsec import Policy, PolicyRequest

from .messages import breaks_only, changed, golden, told

TUNNEL = golden("spdadd_tunnel_v4", "linux")


def requests_of(message: pf.Message) -> tuple[PolicyRequest, ...]:
    policy = message.get(Ext.POLICY)
    assert isinstance(policy, Policy)
    return policy.requests


def requesting(message: pf.Message, **fields: Any) -> pf.Message:
    """The policy with other values in its first request."""
    first, *others = requests_of(message)
    return changed(message, Ext.POLICY, requests=(dataclasses.replace(first, **fields), *others))


@pytest.mark.parametrize("kind", [PolicyType.ENTRUST, PolicyType.BYPASS])
@pytest.mark.parametrize("name", ["spdadd_discard", "spdupdate_request", "spdsetidx_request"])
def test_policies_are_of_a_type_that_is_stored(name: str, kind: PolicyType) -> None:
    sound = golden(name, "linux")
    assert breaks_only("X-policy", changed(sound, Ext.POLICY, type=kind), sound).extension is Ext.POLICY


@pytest.mark.parametrize(
    ("dialect", "direction"), [("linux", Direction.ANY), ("freebsd", Direction.ANY), ("netbsd", Direction.FWD)]
)
def test_policies_have_a_direction(dialect: str, direction: Direction) -> None:
    for name in ("spdadd_discard", "spddelete_request"):
        sound = golden(name, dialect)
        breaks_only("X-policy", changed(sound, Ext.POLICY, dir=direction), sound)


def test_linux_forwards() -> None:
    assert told(golden("spdadd_forward", "linux"), "to-engine") == {}


def test_flows_have_type_and_direction() -> None:
    sound = golden("addflow_use", "openbsd")
    breaks_only("X-policy", changed(sound, Ext.FLOW_TYPE, type=FlowType.unknown(9)), sound)
    breaks_only("X-policy", changed(sound, Ext.FLOW_TYPE, direction=Direction.ANY), sound)


@pytest.mark.parametrize(
    "fields",
    [{"proto": 6}, {"mode": Mode.ANY}, {"mode": Mode.IPTFS}, {"src": None, "dst": None}, {"level": Level.USE}],
)
def test_requests_that_linux_cannot_meet(fields: dict[str, Any]) -> None:
    found = breaks_only("X-requests", requesting(TUNNEL, **fields), TUNNEL)
    assert found.sentence.startswith("request 0: ")


def test_an_inbound_tunnel_may_be_optional_and_any_level_passes_on_linux() -> None:
    inbound = changed(requesting(TUNNEL, level=Level.USE), Ext.POLICY, dir=Direction.IN)
    assert told(inbound, "to-engine") == told(TUNNEL, "to-engine")
    assert told(requesting(TUNNEL, level=Level.unknown(77)), "to-engine") == told(TUNNEL, "to-engine")
    sound = golden("spdadd_tunnel_v4", "freebsd")
    breaks_only("X-requests", requesting(sound, level=Level.unknown(77)), sound)


def test_a_tunnel_has_ends_of_one_family() -> None:
    (other,) = {request.dst for request in requests_of(golden("spdadd_tunnel_v6", "linux"))}
    breaks_only("X-requests", requesting(TUNNEL, dst=other), TUNNEL)


def test_linux_takes_six_requests() -> None:
    (request,) = requests_of(TUNNEL)
    assert told(changed(TUNNEL, Ext.POLICY, requests=(request,) * 6), "to-engine") == told(TUNNEL, "to-engine")
    found = breaks_only("X-requests", changed(TUNNEL, Ext.POLICY, requests=(request,) * 7), TUNNEL)
    assert found.sentence == "7 requests are more than 6"


def test_kame_wants_requests_in_an_ipsec_policy() -> None:
    sound = golden("spdadd_tunnel_v4", "freebsd")
    breaks_only("X-requests", changed(sound, Ext.POLICY, requests=()), sound)
    assert told(changed(TUNNEL, Ext.POLICY, requests=()), "to-engine") == told(TUNNEL, "to-engine")


def test_migration_is_from_old_to_new() -> None:
    sound = golden("migrate_v4", "linux")
    old, new, *_ = requests_of(sound)
    for spoiled in ((), (old,), (old, new, old)):
        breaks_only("X-migrate", changed(sound, Ext.POLICY, requests=spoiled), sound)
    for fields in ({"mode": Mode.BEET}, {"proto": 108}, {"reqid": 7}, {"src": None, "dst": None}):
        pair = (old, dataclasses.replace(new, **fields))  # type: ignore[arg-type]
        breaks_only("X-migrate", changed(sound, Ext.POLICY, requests=pair), sound)


def test_filters_have_prefixes() -> None:
    sound = golden("dump_request_filtered_v6", "linux")
    for name in ("splen", "dplen"):
        assert told(changed(sound, Ext.FILTER, **{name: 128}), "to-engine") == {}
        breaks_only("X-filter", changed(sound, Ext.FILTER, **{name: 129}), sound)
