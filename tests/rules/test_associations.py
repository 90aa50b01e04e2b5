"""The rules about an association's own values, each broken once."""

from __future__ import annotations

import dataclasses

import pytest

from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, Mode, SAState
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import Proposal
from fastpfkey.wire.extensions_ipsec import ReplayCounter

from .messages import breaks_only, changed, golden, having, lacking, told

ADD = golden("add_esp_v4")
LIMITS = ("allocations", "bytes", "addtime", "usetime")


@pytest.mark.requirement("R-2.3.1-02")
def test_a_cpi_has_sixteen_bits() -> None:
    sound = golden("add_ipcomp", "linux")
    assert told(changed(sound, Ext.SA, spi=0xFFFF), "to-engine") == told(sound, "to-engine")
    assert breaks_only("R-2.3.1-02", changed(sound, Ext.SA, spi=0x10000), sound).extension is Ext.SA


@pytest.mark.requirement("R-2.3.1-02")
def test_so_has_a_range_of_cpis() -> None:
    request = golden("getspi_request_v4", "linux").replace(satype=9)
    sound = changed(request, Ext.SPIRANGE, min=0x100, max=0xFFFF)
    breaks_only("R-2.3.1-02", changed(sound, Ext.SPIRANGE, max=0x10000), sound)


@pytest.mark.requirement("R-2.3.1-07", "R-2.3.1-05")
def test_ah_authenticates() -> None:
    sound = lacking(golden("add_ah_v6"), Ext.KEY_AUTH)
    keyed = golden("add_ah_v6")
    spoiled = changed(sound, Ext.SA, auth=AuthAlgorithm.NONE)
    found = breaks_only("R-2.3.1-07", spoiled, keyed)
    assert found.sentence == "AH without an authentication algorithm does nothing"
    assert told(changed(ADD, Ext.SA, auth=AuthAlgorithm.NONE), "to-engine") == told(ADD, "to-engine")


@pytest.mark.requirement("R-2.3.1-07")
@pytest.mark.parametrize("dialect", ["rfc2367", "openbsd"])
def test_algorithms_are_some_that_there_are(dialect: str) -> None:
    sound = golden("add_esp_v4", dialect)
    breaks_only("R-2.3.1-07", changed(sound, Ext.SA, auth=AuthAlgorithm.unknown(99)), sound)
    breaks_only("R-2.3.1-07", changed(sound, Ext.SA, encrypt=EncryptAlgorithm.unknown(99)), sound)


@pytest.mark.requirement("R-2.3.2-02")
def test_associations_end_some_day() -> None:
    spoiled = lacking(ADD, Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT)
    breaks_only("R-2.3.2-02", spoiled, ADD, level="warning")
    zeros = changed(lacking(ADD, Ext.LIFETIME_SOFT), Ext.LIFETIME_HARD, **dict.fromkeys(LIMITS, 0))
    breaks_only("R-2.3.2-02", zeros, ADD, level="warning")


@pytest.mark.requirement("R-2.3.9-02")
def test_ranges_go_upwards() -> None:
    request = golden("getspi_request_v4")
    assert told(changed(request, Ext.SPIRANGE, min=500, max=500), "to-engine") == told(request, "to-engine")
    spoiled = changed(request, Ext.SPIRANGE, min=0x500, max=0x4FF)
    assert breaks_only("R-2.3.9-02", spoiled, request).sentence == "the range ends at 0x4ff, below its start 0x500"


@pytest.mark.requirement("R-3.1.2-06")
@pytest.mark.parametrize("state", [SAState.LARVAL, SAState.DYING, SAState.DEAD])
def test_updates_are_mature(state: SAState) -> None:
    sound = golden("update_esp_v6")
    breaks_only("R-3.1.2-06", changed(sound, Ext.SA, state=state), sound)


@pytest.mark.requirement("R-3.1.3-04")
@pytest.mark.parametrize("state", [SAState.LARVAL, SAState.DYING, SAState.DEAD])
def test_additions_are_mature(state: SAState) -> None:
    breaks_only("R-3.1.3-04", changed(ADD, Ext.SA, state=state), ADD)


@pytest.mark.requirement("R-3.1.8-11")
@pytest.mark.parametrize("name", LIMITS)
def test_soft_limits_come_first(name: str) -> None:
    sound = changed(changed(ADD, Ext.LIFETIME_HARD, **{name: 10}), Ext.LIFETIME_SOFT, **{name: 10})
    breaks_only("R-3.1.8-11", changed(sound, Ext.LIFETIME_SOFT, **{name: 11}), sound, level="warning")
    endless = changed(sound, Ext.LIFETIME_HARD, **{name: 0})
    assert told(endless, "to-engine") == told(sound, "to-engine")


@pytest.mark.requirement("R-3.1.8-11")
def test_so_do_those_of_a_proposal() -> None:
    sound = golden("acquire_from_application")
    proposal = sound.get(Ext.PROPOSAL)
    assert isinstance(proposal, Proposal)
    first = dataclasses.replace(proposal.combinations[0], soft_bytes=2, hard_bytes=1)
    breaks_only("R-3.1.8-11", changed(sound, Ext.PROPOSAL, combinations=(first,)), sound, level="warning")


def test_illumos_refuses_soft_above_hard() -> None:
    sound = golden("update_lifetimes", "illumos")
    hard = changed(sound, Ext.LIFETIME_HARD, bytes=1)
    breaks_only("R-3.1.8-11", changed(hard, Ext.LIFETIME_SOFT, bytes=2), sound)


@pytest.mark.requirement("R-3.5-04")
def test_esp_encrypts_if_with_null() -> None:
    sound = golden("add_esp_null_encryption_with_soft_only")
    breaks_only("R-3.5-04", changed(sound, Ext.SA, encrypt=EncryptAlgorithm.NONE), sound)
    ah = golden("add_ah_v6")
    assert told(ah, "to-engine") == {("R-2.3.2-02", "warning"): 1}


def test_lifetimes_come_in_pairs_where_the_kernel_wants_them_so() -> None:
    sound = golden("add_esp_tunnel_natt", "linux")
    for exttype in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        assert breaks_only("X-lifetimes", lacking(sound, exttype), sound).extension is exttype
    assert told(lacking(ADD, Ext.LIFETIME_HARD), "to-engine") == told(ADD, "to-engine")


def test_spis_below_256_are_reserved() -> None:
    breaks_only("X-spi", changed(ADD, Ext.SA, spi=255), ADD, level="warning")
    sound = golden("add_esp_v4", "freebsd")
    breaks_only("X-spi", changed(sound, Ext.SA, spi=255), sound)


def test_modes_are_some_that_the_kernel_has() -> None:
    sound = golden("add_esp_tunnel_natt", "linux")
    breaks_only("X-mode", changed(sound, Ext.SA2, mode=Mode.IPTFS), sound)


def test_udp_encapsulates_esp() -> None:
    sound = golden("add_esp_tunnel_natt", "linux")
    encapsulation = sound.get(Ext.NATT_TYPE)
    assert encapsulation is not None
    breaks_only("X-natt", changed(sound, Ext.NATT_TYPE, type=9), sound)
    ah = golden("add_ah_v6_with_labels", "linux")
    breaks_only("X-natt", having(ah, encapsulation), ah)


def test_macos_has_ports_in_the_longer_association() -> None:
    sound = golden("add_esp_v4", "macos")
    spoiled = changed(sound, Ext.SA, flags=0x0002, natt_port=None, natt_src_port=None)
    if sound.sa.natt_port is not None:
        spoiled = changed(spoiled, Ext.SA, natt_interval=None, natt_offload_interval=None)
    found = breaks_only("X-natt-ports", spoiled, sound)
    assert found.sentence == "the flags say UDP encapsulation, but the association has no room for ports"
    longer = changed(spoiled, Ext.SA, natt_port=4500, natt_src_port=4500, natt_interval=0, natt_offload_interval=0)
    assert told(longer, "to-engine") == told(sound, "to-engine")


@pytest.mark.parametrize(
    ("name", "dialect", "most", "level"),
    [("add_esp_tunnel_natt", "linux", 32, "warning"), ("add_esp_v4", "openbsd", 64, "error")],
)
def test_windows_have_a_largest_size(name: str, dialect: str, most: int, level: str) -> None:
    sound = changed(golden(name, dialect), Ext.SA, replay=most)
    found = breaks_only("X-replay", changed(sound, Ext.SA, replay=most + 1), sound, level=level)
    assert found.sentence == f"{dialect} has replay windows of up to {most} packets, not {most + 1}"


def test_illumos_wants_both_halves_of_a_replay_counter() -> None:
    sound = having(golden("add_paired", "illumos"), ReplayCounter(1, 1))
    found = breaks_only("X-counter", having(sound, ReplayCounter(0, 1)), sound)
    assert found.extension is Ext.REPLAY_COUNTER
    assert told(having(sound, ReplayCounter(0, 0)), "to-engine") == told(sound, "to-engine")


def test_netbsd_keeps_sixteen_bits_of_a_request_id() -> None:
    sound = changed(golden("add_esp_v4", "netbsd"), Ext.SA2, reqid=0xFFFF)
    breaks_only("X-reqid", changed(sound, Ext.SA2, reqid=0x10000), sound, level="warning")
