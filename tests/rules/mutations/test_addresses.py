"""Addresses that an engine cannot use: each mutation breaks its rule and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.spec.terms import IdentityType
from fastpfkey.wire.extensions import Address
from fastpfkey.wire.message import Message
from fastpfkey.wire.sockaddr import SocketAddress

from .cases import Case, Ext, Msg, assert_breaks, edit, few, mutation, one_of, overwrite, parameters, spans

Ways = st.SearchStrategy[Message] | None

HOSTS = (Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.ADDRESS_PROXY)
OTHERS = {4: ip_address("192.0.2.99"), 6: ip_address("2001:db8::99")}
NO_HOSTS = {
    4: tuple(map(ip_address, ("224.0.0.1", "239.255.255.250", "255.255.255.255"))),
    6: tuple(map(ip_address, ("ff02::1", "ff0e::101"))),
}


def addresses(case: Case) -> Iterator[Address]:
    for item in case.message.extensions:
        if isinstance(item, Address) and item.ip is not None:
            yield item


def moved(case: Case, address: Address, **fields: Any) -> Message:
    """The message with another socket address in one of its addresses."""
    return edit(case.message, address.exttype, sockaddr=replace(address.sockaddr, **fields))


def told_by_prefix(case: Case) -> bool:
    """Whether an identity depends on an address."""
    found = (case.message.identity_src, case.message.identity_dst)
    return any(item is not None and item.type == IdentityType.PREFIX for item in found)


@mutation("R-2.3.3-02")
def address_of_no_family(case: Case) -> Ways:
    if told_by_prefix(case):
        return None
    strange = [SocketAddress(), SocketAddress(af=99, data=bytes(12))]
    found = [edit(case.message, item.exttype, sockaddr=end) for item in addresses(case) for end in strange]
    return one_of(found)


@mutation("R-2.3.3-03")
def length_that_is_not_the_sockaddr_s(case: Case) -> Ways:
    if not case.message.dialect.sockaddr.has_length:
        return None
    places = [start + 8 for item, start, _ in spans(case) if isinstance(item, Address)]
    if not places:
        return None
    sizes = st.integers(0, 255).filter(lambda size: size not in (16, 28))
    return st.builds(lambda place, size: overwrite(case, place, bytes([size])), st.sampled_from(places), sizes)


@mutation("R-2.3.3-05")
def flow_information(case: Case) -> Ways:
    found = [item for item in addresses(case) if item.family == 6]
    if not found:
        return None
    return st.builds(
        lambda item, flow: moved(case, item, flowinfo=flow), st.sampled_from(found), st.integers(1, 2**32 - 1)
    )


@mutation("R-2.3.3-05")
def bytes_behind_an_address(case: Case) -> Ways:
    """sin_zero, 8 bytes into the sockaddr, and of illumos's 32 bytes of sockaddr_in6 the last four."""
    places = [
        start + 8 + place
        for item, start, _ in spans(case)
        if isinstance(item, Address)
        for place in (range(8, 16) if item.family == 4 else range(28, 32) if case.dialect == "illumos" else ())
    ]
    return one_of(overwrite(case, place, b"\x01") for place in places)


@mutation("R-2.3.3-06")
def ports_of_an_association(case: Case) -> Ways:
    natted = case.has(Ext.NATT_SPORT)
    allowed = case.grammar.ports == "always" or (case.grammar.ports == "with NAT-T" and natted)
    session = case.message.type in (Msg.ACQUIRE, Msg.PCHANGE) or case.message.type > Msg.PCHANGE
    found = [item for item in addresses(case) if item.exttype in HOSTS]
    if not case.to_engine or allowed or session or not found:
        return None
    return st.builds(
        lambda item, port: edit(case.message, item.exttype, proto=17, sockaddr=replace(item.sockaddr, port=port)),
        st.sampled_from(found),
        st.integers(1, 65535),
    )


@mutation("R-2.3.3-08")
def port_of_no_protocol(case: Case) -> Ways:
    known = case.message.dialect.by_type[Ext.ADDRESS_SRC].layout.by_name
    asked = case.to_engine and case.message.type not in (Msg.ACQUIRE, Msg.PCHANGE) and case.message.type <= Msg.PCHANGE
    found = [item for item in addresses(case) if item.exttype in HOSTS]
    if "proto" not in known or asked or not found:
        return None
    return st.builds(
        lambda item, port: edit(case.message, item.exttype, proto=0, sockaddr=replace(item.sockaddr, port=port)),
        st.sampled_from(found),
        st.integers(1, 65535),
    )


@mutation("R-2.3.3-09")
def prefix_longer_than_the_address(case: Case) -> Ways:
    known = case.message.dialect.by_type[Ext.ADDRESS_SRC].layout.by_name
    found = list(addresses(case))
    if "prefixlen" not in known or not found:
        return None
    return st.sampled_from(found).flatmap(
        lambda item: st.integers(33 if item.family == 4 else 129, 255).map(
            lambda length: edit(case.message, item.exttype, prefixlen=length)
        )
    )


@mutation("R-2.3.3-10")
def ends_of_two_families(case: Case) -> Ways:
    if not case.has(Ext.ADDRESS_SRC, Ext.ADDRESS_DST) or told_by_prefix(case):
        return None
    ends = [item for item in addresses(case) if item.exttype in HOSTS[:2]]
    return one_of(
        edit(case.message, item.exttype, prefixlen=0, sockaddr=replace(item.sockaddr, ip=OTHERS[10 - item.family]))
        for item in ends
    )


@mutation("R-2.3.3-14")
def source_that_is_no_host(case: Case) -> Ways:
    source = case.message.address_src
    if source is None or case.message.type > Msg.PCHANGE or told_by_prefix(case):
        return None
    return one_of(moved(case, source, ip=ip) for ip in NO_HOSTS[source.family])


@mutation("R-2.3.3-16", "warning")
def proxy_that_is_no_host(case: Case) -> Ways:
    proxy = case.message.address_proxy
    return None if proxy is None else one_of(moved(case, proxy, ip=ip) for ip in NO_HOSTS[proxy.family])


@pytest.mark.requirement("R-2.3.3-02", "R-2.3.3-03", "R-2.3.3-05", "R-2.3.3-06", "R-2.3.3-08", "R-2.3.3-09")
@pytest.mark.requirement("R-2.3.3-10", "R-2.3.3-14", "R-2.3.3-16")
@pytest.mark.parametrize("broken", parameters(globals()))
@few
@given(data=st.data())
def test_mutation_breaks_its_rule(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)
