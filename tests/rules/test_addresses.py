"""The rules about addresses, each broken once."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

import fastpfkey as pf
from fastpfkey.spec.terms import ExtensionType as Ext

from .messages import breaks_only, changed, golden, lacking, moved, told, written

ADD = golden("add_esp_v4")
ADD_V6 = golden("update_esp_v6")
ACQUIRE = golden("acquire_from_application")


@pytest.mark.requirement("R-2.3.3-05")
@pytest.mark.parametrize("dialect", ["rfc2367", "freebsd"])
def test_the_rest_of_an_ipv4_sockaddr_is_zero(dialect: str) -> None:
    sound = golden("add_esp_v4", dialect)
    for at in range(8 + 8, 8 + 16):
        found = breaks_only("R-2.3.3-05", written(sound, Ext.ADDRESS_DST, at, b"\1"), sound)
        assert (found.extension, found.sentence) == (Ext.ADDRESS_DST, "sin_zero of ADDRESS_DST is not 0")


@pytest.mark.requirement("R-2.3.3-05")
def test_ipv6_addresses_have_no_flow() -> None:
    found = breaks_only("R-2.3.3-05", moved(ADD_V6, Ext.ADDRESS_SRC, flowinfo=7), ADD_V6)
    assert found.sentence == "sin6_flowinfo of ADDRESS_SRC is not 0"


@pytest.mark.requirement("R-2.3.3-06")
@pytest.mark.parametrize("exttype", [Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.ADDRESS_PROXY])
def test_associations_have_no_ports(exttype: Ext) -> None:
    spoiled = changed(moved(ADD, exttype, port=500), exttype, proto=17)
    assert breaks_only("R-2.3.3-06", spoiled, ADD).extension is exttype


@pytest.mark.requirement("R-2.3.3-06")
def test_negotiations_have_ports() -> None:
    ported = changed(moved(ACQUIRE, Ext.ADDRESS_DST, port=500), Ext.ADDRESS_DST, proto=17)
    assert told(ported, "to-engine") == told(ACQUIRE, "to-engine")
    assert told(golden("pchange_gone"), "to-engine") == {}


def test_ports_tell_of_nat_traversal_where_the_system_says_so() -> None:
    sound = golden("add_esp_natt_v4", "freebsd")
    assert sound.get(Ext.NATT_SPORT) is not None
    bare = lacking(sound, Ext.NATT_SPORT, Ext.NATT_DPORT, Ext.NATT_TYPE, Ext.NATT_OA, Ext.NATT_OAR, Ext.NATT_FRAG)
    for exttype in (Ext.ADDRESS_SRC, Ext.ADDRESS_DST):
        assert not any(rule == "R-2.3.3-06" for rule, _ in told(ported(sound, exttype), "to-engine"))
        assert any(rule == "R-2.3.3-06" for rule, _ in told(ported(bare, exttype), "to-engine"))


def ported(message: pf.Message, exttype: Ext) -> pf.Message:
    return changed(moved(message, exttype, port=4500), exttype, proto=17)


@pytest.mark.requirement("R-2.3.3-08")
def test_ports_have_a_protocol() -> None:
    assert breaks_only("R-2.3.3-08", moved(ACQUIRE, Ext.ADDRESS_DST, port=500), ACQUIRE).extension is Ext.ADDRESS_DST


@pytest.mark.requirement("R-2.3.3-09")
def test_prefixes_are_no_longer_than_the_address() -> None:
    for sound, longest in ((ADD, 32), (ADD_V6, 128)):
        assert told(changed(sound, Ext.ADDRESS_PROXY, prefixlen=longest), "to-engine") == told(sound, "to-engine")
        spoiled = changed(sound, Ext.ADDRESS_PROXY, prefixlen=longest + 1)
        assert breaks_only("R-2.3.3-09", spoiled, sound).extension is Ext.ADDRESS_PROXY


@pytest.mark.requirement("R-2.3.3-10", "R-2.3.3-12")
def test_ends_are_of_one_family_and_a_proxy_of_any() -> None:
    other = ip_address("2001:db8::1")
    spoiled = moved(ADD, Ext.ADDRESS_DST, ip=other)
    assert breaks_only("R-2.3.3-10", spoiled, ADD).sentence == "the source is IPv4 and the destination IPv6"
    assert told(moved(ADD, Ext.ADDRESS_PROXY, ip=other), "to-engine") == told(ADD, "to-engine")


@pytest.mark.requirement("R-2.3.3-14", "R-2.3.3-15")
@pytest.mark.parametrize("ip", ["224.0.0.5", "255.255.255.255"])
def test_sources_are_unicast_and_destinations_what_they_like(ip: str) -> None:
    breaks_only("R-2.3.3-14", moved(ADD, Ext.ADDRESS_SRC, ip=ip_address(ip)), ADD)
    assert told(moved(ADD, Ext.ADDRESS_DST, ip=ip_address(ip)), "to-engine") == told(ADD, "to-engine")


@pytest.mark.requirement("R-2.3.3-14")
def test_a_source_may_be_unspecified() -> None:
    assert told(moved(ADD, Ext.ADDRESS_SRC, ip=ip_address("0.0.0.0")), "to-engine") == told(ADD, "to-engine")


@pytest.mark.requirement("R-2.3.3-16")
def test_a_proxy_that_is_not_unicast_is_strange() -> None:
    breaks_only("R-2.3.3-16", moved(ADD, Ext.ADDRESS_PROXY, ip=ip_address("224.0.0.5")), ADD, level="warning")


@pytest.mark.requirement("R-2.3.3-03")
def test_a_sockaddr_tells_its_own_length() -> None:
    sound = golden("add_esp_v4", "netbsd")
    found = breaks_only("R-2.3.3-03", written(sound, Ext.ADDRESS_SRC, 8, b"\x0f"), sound)
    assert found.sentence == "sa_len of ADDRESS_SRC is 15, its sockaddr has 16 bytes"


@pytest.mark.requirement("R-2.3.3-02")
def test_addresses_are_of_a_family_that_the_system_has() -> None:
    spoiled = moved(ADD, Ext.ADDRESS_PROXY, ip=None, af=77, data=bytes(14))
    assert breaks_only("R-2.3.3-02", spoiled, ADD).sentence == "ADDRESS_PROXY is of family 77, neither IPv4 nor IPv6"
