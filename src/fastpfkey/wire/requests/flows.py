"""Requests about flows, which OpenBSD has in place of policies: what traffic is sent through which associations."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Unpack

from ...spec.terms import Direction, FlowType, MessageType, SAType
from ...spec.terms import ExtensionType as Ext
from ..extensions import Address
from ..extensions_openbsd import Flow, PolicySequence, Protocol
from ..faults import MisfitError, named
from ..message import MessageValue
from ..sockaddr import SocketAddress
from . import values
from .building import Builder, Common, building
from .making import Part
from .values import End, Name, Who

ONE_PORT = 0xFFFF
"""Mask of a port that counts."""


def addflow(
    src: End,
    dst: End,
    *,
    direction: Name = Direction.OUT,
    type: Name = FlowType.REQUIRE,
    proto: values.Protocol = None,
    satype: Name = SAType.ESP,
    local: End | None = None,
    peer: End | None = None,
    src_identity: Who | None = None,
    dst_identity: Who | None = None,
    static: bool = False,
    **common: Unpack[Common],
) -> MessageValue:
    """ADDFLOW: traffic between two prefixes takes associations of this SA type, from `local` to `peer`."""
    with building(MessageType.ADDFLOW, common) as build:
        return build.message(
            satype,
            [
                build.maybe(Ext.ADDRESS_SRC, local),
                build.maybe(Ext.ADDRESS_DST, peer),
                build.identity(Ext.IDENTITY_SRC, src_identity),
                build.identity(Ext.IDENTITY_DST, dst_identity),
                *_flow(build, src, dst, direction, type, proto, static),
            ],
        )


def delflow(
    src: End,
    dst: End,
    *,
    direction: Name = Direction.OUT,
    type: Name = FlowType.REQUIRE,
    proto: values.Protocol = None,
    satype: Name = SAType.ESP,
    **common: Unpack[Common],
) -> MessageValue:
    """DELFLOW: the flow for this traffic is gone."""
    with building(MessageType.DELFLOW, common) as build:
        return build.message(satype, _flow(build, src, dst, direction, type, proto, False))


def askpolicy(policy_seq: int, **common: Unpack[Common]) -> MessageValue:
    """ASKPOLICY: which flow made the ACQUIRE with this sequence number?"""
    with building(MessageType.ASKPOLICY, common) as build:
        return build.message(SAType.UNSPEC, [PolicySequence(policy_seq)])


def _flow(
    build: Builder, src: End, dst: End, direction: Name, type: Name, proto: values.Protocol, static: bool
) -> list[Part]:
    with named("type"):
        kind = values.term(FlowType, type)
    with named("direction"):
        way = values.term(Direction, direction)
    with named("proto"):
        number = values.protocol(proto, 0)
    with named("static"):
        lasting = int(values.one(bool, static, "true or false"))
    return [
        Flow(kind, way, lasting),
        *_selected(Ext.SRC_FLOW, Ext.SRC_MASK, src),
        *_selected(Ext.DST_FLOW, Ext.DST_MASK, dst),
        Protocol(number) if number else None,
    ]


def _selected(place: Ext, mask: Ext, value: End) -> tuple[Address, Address]:
    """A prefix with a port as two socket addresses, the second one of which tells the bits that count."""
    with named(place.label):
        sockaddr, prefixlen = values.end(value)
        if sockaddr.ip is None:
            raise MisfitError("an IP address is needed")
    ip = sockaddr.ip
    length = ip.max_prefixlen if prefixlen is None else prefixlen
    network = IPv4Network if ip.version == 4 else IPv6Network
    bits = SocketAddress(network((0, length)).netmask, ONE_PORT if sockaddr.port else 0)
    return Address(place, sockaddr), Address(mask, bits)
