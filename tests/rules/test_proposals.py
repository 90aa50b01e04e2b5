"""The rules about proposals and lists of algorithms, each broken once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import Proposal, Supported

from .messages import breaks_only, changed, golden, told

ACQUIRE = golden("acquire_from_application")
REPLY = golden("register_reply_esp")


def proposing(**fields: Any) -> pf.Message:
    """The proposal with other values in its first combination."""
    proposal = ACQUIRE.get(Ext.PROPOSAL)
    assert isinstance(proposal, Proposal)
    first, *others = proposal.combinations
    return changed(ACQUIRE, Ext.PROPOSAL, combinations=(dataclasses.replace(first, **fields), *others))


@pytest.mark.parametrize("number", [0, 2])
def test_openbsd_proposes_one_combination(number: int) -> None:
    sound = golden("acquire_v4", "openbsd")
    rows = (sound.proposal.combinations[0],) * number  # type: ignore[union-attr]
    spoiled = changed(sound, Ext.PROPOSAL, combinations=rows)
    found = breaks_only("X-proposal", spoiled, sound, "from-engine", "warning")
    assert found.sentence == f"openbsd proposes 1 combination, not {number}"


@pytest.mark.requirement("R-2.3.7-04")
@pytest.mark.parametrize(("lowest", "highest"), [(8, 8), (0, 8), (8, 0)])
def test_without_authentication_there_are_no_bounds(lowest: int, highest: int) -> None:
    sound = proposing(auth=AuthAlgorithm.NONE, auth_minbits=0, auth_maxbits=0)
    assert told(sound, "to-engine") == {}
    spoiled = proposing(auth=AuthAlgorithm.NONE, auth_minbits=lowest, auth_maxbits=highest)
    assert breaks_only("R-2.3.7-04", spoiled, sound).extension is Ext.PROPOSAL


@pytest.mark.requirement("R-2.3.7-05")
@pytest.mark.parametrize(("lowest", "highest"), [(0, 160), (160, 0), (0, 0)])
def test_with_authentication_there_are_two(lowest: int, highest: int) -> None:
    breaks_only("R-2.3.7-05", proposing(auth_minbits=lowest, auth_maxbits=highest), ACQUIRE)


@pytest.mark.requirement("R-2.3.7-06")
def test_the_lower_one_is_not_above() -> None:
    breaks_only("R-2.3.7-06", proposing(auth_minbits=168, auth_maxbits=160), ACQUIRE)


@pytest.mark.requirement("R-2.3.7-07")
@pytest.mark.parametrize(("lowest", "highest"), [(8, 8), (0, 8), (8, 0)])
def test_without_encryption_there_are_no_bounds(lowest: int, highest: int) -> None:
    sound = proposing(encrypt=EncryptAlgorithm.NONE, encrypt_minbits=0, encrypt_maxbits=0)
    assert told(sound, "to-engine") == {}
    spoiled = proposing(encrypt=EncryptAlgorithm.NONE, encrypt_minbits=lowest, encrypt_maxbits=highest)
    breaks_only("R-2.3.7-07", spoiled, sound)


@pytest.mark.requirement("R-2.3.7-08")
@pytest.mark.parametrize(("lowest", "highest"), [(0, 192), (192, 0), (0, 0)])
def test_with_encryption_there_are_two(lowest: int, highest: int) -> None:
    breaks_only("R-2.3.7-08", proposing(encrypt_minbits=lowest, encrypt_maxbits=highest), ACQUIRE)


@pytest.mark.requirement("R-2.3.7-09")
def test_the_lower_one_for_encryption_is_not_above_either() -> None:
    breaks_only("R-2.3.7-09", proposing(encrypt_minbits=200, encrypt_maxbits=192), ACQUIRE)


def listing(exttype: Ext, **fields: Any) -> pf.Message:
    """The list with other values in its first algorithm."""
    supported = REPLY.get(exttype)
    assert isinstance(supported, Supported)
    first, *others = supported.algorithms
    return changed(REPLY, exttype, algorithms=(dataclasses.replace(first, **fields), *others))


LISTS = pytest.mark.parametrize("exttype", [Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT])


@pytest.mark.requirement("R-2.3.8-02")
def test_authentication_needs_no_vector() -> None:
    found = breaks_only("R-2.3.8-02", listing(Ext.SUPPORTED_AUTH, ivlen=8), REPLY, "from-engine")
    assert found.extension is Ext.SUPPORTED_AUTH
    null = listing(Ext.SUPPORTED_ENCRYPT, id=EncryptAlgorithm.NULL, ivlen=8)
    breaks_only("R-2.3.8-02", null, REPLY, "from-engine")


@LISTS
@pytest.mark.requirement("R-2.3.8-03")
def test_shortest_keys_have_bits(exttype: Ext) -> None:
    assert breaks_only("R-2.3.8-03", listing(exttype, minbits=0), REPLY, "from-engine").extension is exttype


@LISTS
@pytest.mark.requirement("R-2.3.8-04")
def test_longest_keys_have_bits(exttype: Ext) -> None:
    assert breaks_only("R-2.3.8-04", listing(exttype, maxbits=0), REPLY, "from-engine").extension is exttype


@LISTS
@pytest.mark.requirement("R-2.3.8-05")
def test_shortest_keys_are_not_longer_than_the_longest(exttype: Ext) -> None:
    spoiled = listing(exttype, minbits=1000, maxbits=999)
    assert breaks_only("R-2.3.8-05", spoiled, REPLY, "from-engine").extension is exttype


def test_linux_lists_null_with_no_bits() -> None:
    null = {"minbits": 0, "maxbits": 0, "ivlen": 0}
    spoiled = listing(Ext.SUPPORTED_ENCRYPT, id=EncryptAlgorithm.NULL, **null)
    assert {item.rule for item in pf.check(spoiled, "from-engine")} == {"R-2.3.8-03", "R-2.3.8-04"}
    assert [item for item in pf.check(spoiled, "from-engine", "linux") if item.level == "error"] == []
