"""Policies of KAME and Linux as flows of OpenBSD, and the other way."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.spec import dialect
from fastpfkey.spec.terms import Direction, FlowType, Level, MessageType, Mode, PolicyType, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import Address, Identity, Lifetime
from fastpfkey.wire.extensions_ipsec import Policy, PolicyRequest
from fastpfkey.wire.extensions_openbsd import Flow, Protocol
from fastpfkey.wire.message import Message, MessageValue
from fastpfkey.wire.sockaddr import SocketAddress

from . import golden


def end(text: str, port: int = 0) -> SocketAddress:
    return SocketAddress(ip_address(text), port)


OWN, PEER = end("198.51.100.1"), end("203.0.113.9")
TUNNEL = PolicyRequest(50, Mode.TUNNEL, Level.REQUIRE, src=OWN, dst=PEER)
INWARD = PolicyRequest(50, Mode.TUNNEL, Level.REQUIRE, src=PEER, dst=OWN)


def policy(*requests: PolicyRequest, name: str = "linux", proto: int = 255, port: int = 0, **fields: Any) -> Message:
    """An SPDADD of one policy."""
    told: dict[str, Any] = {"type": PolicyType.IPSEC if requests else PolicyType.DISCARD, "dir": Direction.OUT}
    extensions = (
        Address(Ext.ADDRESS_SRC, end("10.1.2.0"), proto, 24),
        Address(Ext.ADDRESS_DST, end("172.16.48.0", port), proto, 20),
        Policy(**(told | fields), requests=requests),
    )
    return MessageValue(MessageType.SPDADD, extensions=extensions, dialect=dialect(name))


def flow(kind: FlowType = FlowType.REQUIRE, *more: Any, direction: Direction = Direction.OUT, **masks: Any) -> Message:
    """An ADDFLOW of one flow."""
    extensions = (
        Flow(kind, direction, 1),
        Address(Ext.SRC_FLOW, end("10.1.2.0")),
        Address(Ext.SRC_MASK, masks.get("src_mask", end("255.255.255.0"))),
        Address(Ext.DST_FLOW, masks.get("dst_flow", end("172.16.48.0"))),
        Address(Ext.DST_MASK, masks.get("dst_mask", end("255.255.240.0"))),
        *more,
    )
    return MessageValue(MessageType.ADDFLOW, SAType.ESP, extensions=extensions, dialect=dialect("openbsd"))


def ends(own: SocketAddress, peer: SocketAddress) -> tuple[Address, Address]:
    return Address(Ext.ADDRESS_SRC, own), Address(Ext.ADDRESS_DST, peer)


class TestPolicyAsFlow:
    @pytest.mark.parametrize(("direction", "request_"), [(Direction.OUT, TUNNEL), (Direction.IN, INWARD)])
    def test_a_tunnel(self, direction: Direction, request_: PolicyRequest) -> None:
        """The flow's ends are the system's own and the peer's, whichever way the traffic goes."""
        message = policy(request_, dir=direction).translate("openbsd").message
        (again,) = pf.decode(message.encode(), "openbsd")
        assert again == flow(FlowType.REQUIRE, direction=direction).replace(extensions=again.extensions)
        assert (again.address_src.sockaddr, again.address_dst.sockaddr) == (OWN, PEER)
        assert again.flow_type == Flow(FlowType.REQUIRE, direction, 1)
        assert [str(again.get(part).ip) for part in (Ext.SRC_FLOW, Ext.SRC_MASK, Ext.DST_FLOW, Ext.DST_MASK)] == [
            "10.1.2.0",
            "255.255.255.0",
            "172.16.48.0",
            "255.255.240.0",
        ]
        assert again.protocol is None
        assert not [item for item in pf.check(again, "to-engine") if item.level == "error"]

    def test_a_port_and_a_protocol(self) -> None:
        message = policy(TUNNEL, proto=6, port=443).translate("openbsd").message
        assert message.protocol == Protocol(6)
        assert (message.dst_flow.port, message.dst_mask.port, message.src_mask.port) == (443, 0xFFFF, 0)

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (PolicyType.DISCARD, FlowType.DENY),
            (PolicyType.NONE, FlowType.BYPASS),
            (PolicyType.BYPASS, FlowType.BYPASS),
        ],
    )
    def test_without_protection(self, kind: PolicyType, expected: FlowType) -> None:
        message = policy(type=kind).translate("openbsd").message
        assert (message.flow_type.type, message.satype, message.address_dst) == (expected, SAType.UNSPEC, None)

    @pytest.mark.parametrize(
        ("changes", "lost"),
        [
            ({"reqid": 7, "level": Level.UNIQUE}, ("policy.requests[0].reqid", "policy.requests[0].level")),
            ({"level": Level.DEFAULT}, ("policy.requests[0].level",)),
            ({"mode": Mode.BEET}, ("policy.requests[0].mode",)),
        ],
    )
    def test_what_a_flow_has_no_place_for(self, changes: dict[str, Any], lost: tuple[str, ...]) -> None:
        request = PolicyRequest(
            **({"proto": 51, "mode": Mode.TUNNEL, "level": Level.USE, "src": OWN, "dst": PEER} | changes)
        )
        message = policy(request)
        with pytest.raises(pf.TranslationError) as caught:
            message.translate("openbsd")
        assert caught.value.fields == lost
        translation = message.translate("openbsd", lossy=True)
        assert translation.dropped == lost
        assert translation.message.satype is SAType.AH

    def test_more_than_one_request_and_lifetimes(self) -> None:
        message = policy(PolicyRequest(108, Mode.TRANSPORT, Level.USE), TUNNEL, id=9, priority=3)
        limits = (Lifetime(Ext.LIFETIME_HARD, addtime=60), Lifetime(Ext.LIFETIME_SOFT))
        message = message.replace(extensions=(*message.extensions, *limits))
        translation = message.translate("openbsd", lossy=True)
        assert translation.dropped == ("lifetime-hard", "policy.id", "policy.priority", "policy.requests[1]")
        assert (translation.message.satype, translation.message.flow_type.type) == (SAType.IPCOMP, FlowType.USE)
        assert translation.message.lifetime_soft is None

    @pytest.mark.parametrize(
        ("message", "field"),
        [
            (policy(TUNNEL, dir=Direction.FWD), "policy.dir fwd"),
            (policy(type=PolicyType.ENTRUST), "policy.type entrust"),
            (policy(type=PolicyType.IPSEC), "policy.requests"),
            (policy(PolicyRequest(4, Mode.TUNNEL, Level.USE, src=OWN, dst=PEER)), "policy.requests[0].proto 4"),
        ],
    )
    def test_what_cannot_be_a_flow_is_refused(self, message: Message, field: str) -> None:
        """Also where losses are accepted: it would be another policy."""
        with pytest.raises(pf.TranslationError) as caught:
            message.translate("openbsd", lossy=True)
        assert caught.value.fields == (field,)

    def test_without_selectors_it_is_refused(self) -> None:
        message = policy(TUNNEL)
        with pytest.raises(pf.TranslationError) as caught:
            message.replace(extensions=message.extensions[1:]).translate("openbsd", lossy=True)
        assert caught.value.fields == ("address-src",)


class TestFlowAsPolicy:
    @pytest.mark.parametrize("name", ["linux", "freebsd", "netbsd", "macos"])
    @pytest.mark.parametrize(("direction", "request_"), [(Direction.OUT, TUNNEL), (Direction.IN, INWARD)])
    def test_a_tunnel(self, name: str, direction: Direction, request_: PolicyRequest) -> None:
        message = flow(FlowType.REQUIRE, *ends(OWN, PEER), direction=direction).translate(name).message
        (again,) = pf.decode(message.encode(), name)
        assert again == pf.decode(policy(request_, dir=direction, name=name).encode(), name)[0]
        assert not [item for item in pf.check(again, "to-engine") if item.level == "error"]

    def test_without_ends_it_is_transport(self) -> None:
        message = flow(FlowType.USE).translate("linux").message
        assert message.policy.requests == (PolicyRequest(50, Mode.TRANSPORT, Level.USE),)

    def test_a_port_and_a_protocol(self) -> None:
        masks = {"dst_flow": end("172.16.48.0", 443), "dst_mask": end("255.255.240.0", 0xFFFF)}
        message = flow(FlowType.REQUIRE, *ends(OWN, PEER), Protocol(6), **masks).translate("linux").message
        assert message == policy(TUNNEL, proto=6, port=443)

    @pytest.mark.parametrize(
        ("kind", "expected"), [(FlowType.DENY, PolicyType.DISCARD), (FlowType.BYPASS, PolicyType.NONE)]
    )
    def test_without_protection(self, kind: FlowType, expected: PolicyType) -> None:
        message = flow(kind).translate("linux").message
        assert (message.policy.type, message.policy.requests, message.satype) == (expected, (), SAType.UNSPEC)

    @pytest.mark.parametrize(("kind", "level"), [(FlowType.ACQUIRE, Level.USE), (FlowType.DONTACQ, Level.REQUIRE)])
    def test_levels_that_others_have_not(self, kind: FlowType, level: Level) -> None:
        translation = flow(kind).translate("linux", lossy=True)
        assert translation.dropped == ("flow-type.type",)
        assert translation.message.policy.requests[0].level is level

    def test_what_a_policy_has_no_place_for(self) -> None:
        masks = {"dst_flow": end("172.16.48.0", 443), "dst_mask": end("255.255.240.0", 0xFF00)}
        message = flow(FlowType.BYPASS, Identity(Ext.IDENTITY_SRC, text="a"), *ends(OWN, PEER), **masks)
        lost = ("identity-src", "dst-mask.port", "address-src", "address-dst")
        assert message.translate("linux", lossy=True).dropped == lost

    @pytest.mark.parametrize(
        ("message", "field"),
        [
            (flow(src_mask=end("255.0.255.0")), "src-mask"),
            (flow(dst_flow=SocketAddress()), "dst-flow"),
            (flow(FlowType.REQUIRE, Address(Ext.ADDRESS_DST, PEER)), "address-src"),
            (flow(FlowType.REQUIRE, Address(Ext.ADDRESS_SRC, OWN)), "address-dst"),
            (flow(FlowType.unknown(17)), "flow-type.type unknown-17"),
            (flow().replace(satype=SAType.TCPSIGNATURE), "satype tcpsignature"),
            (flow(direction=Direction.unknown(5)), "flow-type.direction unknown-5"),
        ],
    )
    def test_what_cannot_be_a_policy_is_refused(self, message: Message, field: str) -> None:
        with pytest.raises(pf.TranslationError) as caught:
            message.translate("linux", lossy=True)
        assert caught.value.fields == (field,)


@pytest.mark.parametrize("name", ["linux", "freebsd", "netbsd", "macos"])
def test_golden_flows_come_back(name: str) -> None:
    """What a policy says of a flow says the same flow again."""
    kept = 0
    for item in golden.messages("openbsd", "little"):
        (message,) = pf.decode(bytes.fromhex(item["hex"]), "openbsd", "little")
        if message.type in (MessageType.ADDFLOW, MessageType.DELFLOW) and message.flow_type is not None:
            try:
                there = message.translate(name).message
            except pf.TranslationError:
                continue
            back = there.translate("openbsd").message
            protected = message.flow_type.type not in (FlowType.BYPASS, FlowType.DENY)
            assert set(back.extensions) == set(message.extensions)
            assert back.satype == (message.satype if protected else SAType.UNSPEC)
            kept += 1
    assert kept


@pytest.mark.parametrize("kind", ["SPDGET", "SPDFLUSH", "SPDSETIDX", "SPDACQUIRE", "SPDDELETE2"])
def test_other_messages_of_policies_have_no_counterpart(kind: str) -> None:
    with pytest.raises(pf.TranslationError) as caught:
        MessageValue(MessageType[kind], dialect=dialect("linux")).translate("openbsd", lossy=True)
    assert caught.value.fields == (f"type {kind.lower()}",)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (MessageType.SPDADD, MessageType.ADDFLOW),
        (MessageType.SPDDELETE, MessageType.DELFLOW),
        (MessageType.SPDDUMP,) * 2,
    ],
)
def test_bare_headers_change_their_type(here: MessageType, there: MessageType) -> None:
    """Errors and requests for dumps."""
    message = MessageValue(here, errno=2, dialect=dialect("freebsd"))
    assert message.translate("openbsd").message == message.replace(type=there)
    assert message.translate("openbsd").message.translate("freebsd").message == message
