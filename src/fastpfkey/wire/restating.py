"""Policies as flows, and flows as policies.

KAME and Linux have a policy with a list of requests, and its selectors are the message's addresses. OpenBSD has a flow:
selectors and masks in extensions of their own, one transformation, which is the message's SA type, and its ends where
others have selectors. A flow has no mode; one with ends is a request for a tunnel. Ends are named as the system sees
them, source its own, whichever way the traffic goes; those of a request go the way of the traffic.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from ..spec.model import Dialect
from ..spec.terms import Direction, FlowType, Level, MessageType, Mode, PolicyType, SAType
from ..spec.terms import ExtensionType as Ext
from .extensions import Address, Lifetime
from .extensions_ipsec import Policy, PolicyRequest
from .extensions_openbsd import Flow, Protocol
from .sockaddr import IPAddress, SocketAddress
from .value import ExtensionValue

if TYPE_CHECKING:
    from .message import Message

AS_FLOWS = {
    MessageType.SPDADD: MessageType.ADDFLOW,
    MessageType.SPDUPDATE: MessageType.ADDFLOW,
    MessageType.SPDDELETE: MessageType.DELFLOW,
    MessageType.SPDDUMP: MessageType.SPDDUMP,
}
AS_POLICIES = {
    MessageType.ADDFLOW: MessageType.SPDADD,
    MessageType.DELFLOW: MessageType.SPDDELETE,
    MessageType.SPDDUMP: MessageType.SPDDUMP,
}

PROTOCOLS = {SAType.AH: 51, SAType.ESP: 50, SAType.IPCOMP: 108}
SATYPES = {number: satype for satype, number in PROTOCOLS.items()}

FLOW_TYPES = {
    PolicyType.DISCARD: FlowType.DENY,
    PolicyType.NONE: FlowType.BYPASS,
    PolicyType.BYPASS: FlowType.BYPASS,
}
LEVELS = {Level.USE: FlowType.USE, Level.REQUIRE: FlowType.REQUIRE, Level.UNIQUE: FlowType.REQUIRE}
"""What a level asks of a flow. The default is each system's own, so a flow that requires stands for it, and is told."""

POLICY_TYPES = {FlowType.DENY: PolicyType.DISCARD, FlowType.BYPASS: PolicyType.NONE}
FLOW_LEVELS = {
    FlowType.USE: Level.USE,
    FlowType.ACQUIRE: Level.USE,
    FlowType.REQUIRE: Level.REQUIRE,
    FlowType.DONTACQ: Level.REQUIRE,
}

STATIC = 1
"""The flag of flows that somebody configured, as all policies are."""

ANY_PROTOCOL = 255
ALL_PORT_BITS = 0xFFFF
WIDTH = {4: 32, 6: 128}

SELECTORS = (
    (Ext.ADDRESS_SRC, Ext.SRC_FLOW, Ext.SRC_MASK),
    (Ext.ADDRESS_DST, Ext.DST_FLOW, Ext.DST_MASK),
)
FLOW = frozenset({Ext.FLOW_TYPE, Ext.PROTOCOL, *(part for selector in SELECTORS for part in selector)})
NAMES = (Ext.IDENTITY_SRC, Ext.IDENTITY_DST)


def restated(message: Message, target: Dialect, lost: list[str], missing: list[str]) -> Message:
    """The message with its policy as the target has policies; the message itself where that makes no difference.

    Adds what the target has no place for to `lost`, and to `missing` what no policy can do without.
    """
    flows_here, flows_there = (Ext.FLOW_TYPE in dialect.by_type for dialect in (message.dialect, target))
    policies_here, policies_there = (Ext.POLICY in dialect.by_type for dialect in (message.dialect, target))
    if policies_here and flows_there and message.type in AS_FLOWS:
        return _as_flow(message, target, lost, missing)
    if flows_here and policies_there and message.type in AS_POLICIES:
        return _as_policy(message, target, lost, missing)
    if message.policy is not None and policies_there:
        for name, table, term in (
            ("type", "policy_type", message.policy.type),
            ("dir", "direction", message.policy.dir),
        ):
            if term.is_unknown or term not in target.terms[table].numbers:
                missing.append(f"policy.{name} {term.label}")
    return message


def _as_flow(message: Message, target: Dialect, lost: list[str], missing: list[str]) -> Message:
    kind = AS_FLOWS[message.type]
    policy = message.policy
    if policy is None:
        return message.replace(type=kind)
    own = {Ext.POLICY, Ext.ADDRESS_SRC, Ext.ADDRESS_DST}
    kept = _without_lifetimes([item for item in message.extensions if item.exttype not in own], lost)
    if policy.dir not in target.terms["direction"].numbers:
        missing.append(f"policy.dir {policy.dir.label}")
    lost += [f"policy.{name}" for name in ("id", "priority", "scope", "flags") if getattr(policy, name)]
    satype = SAType.UNSPEC
    flow = FLOW_TYPES.get(policy.type)
    if policy.type is PolicyType.IPSEC and policy.requests:
        flow, satype, ends = _transformation(policy, lost, missing)
        kept = [*ends, *kept]
    elif flow is None:
        missing.append("policy.requests" if policy.type is PolicyType.IPSEC else f"policy.type {policy.type.label}")
    selectors = [part for selector in SELECTORS for part in _selector(message, *selector, missing)]
    protocol = message.address_src.proto if message.address_src is not None else ANY_PROTOCOL
    said = [Flow(flow or FlowType.DENY, policy.dir, STATIC), *selectors]
    said += [Protocol(protocol)] if protocol not in (0, ANY_PROTOCOL) else []
    return message.replace(type=kind, satype=satype, extensions=(*kept, *said))


def _transformation(
    policy: Policy, lost: list[str], missing: list[str]
) -> tuple[FlowType, SAType, list[ExtensionValue]]:
    """What a policy's first request asks of a flow, the SA type, and the ends of a tunnel."""
    request = policy.requests[0]
    lost += [f"policy.requests[{place}]" for place in range(1, len(policy.requests))]
    lost += ["policy.requests[0].reqid"] if request.reqid else []
    lost += ["policy.requests[0].level"] if request.level not in (Level.USE, Level.REQUIRE) else []
    if request.proto not in SATYPES:
        missing.append(f"policy.requests[0].proto {request.proto}")
    tunnel = request.src is not None and request.dst is not None
    if request.mode != (Mode.TUNNEL if tunnel else Mode.TRANSPORT):
        lost.append("policy.requests[0].mode")
    ends: list[ExtensionValue] = []
    if request.src is not None and request.dst is not None:
        own, peer = (request.src, request.dst)[:: -1 if policy.dir is Direction.IN else 1]
        ends = [Address(Ext.ADDRESS_SRC, own), Address(Ext.ADDRESS_DST, peer)]
    return LEVELS.get(request.level, FlowType.REQUIRE), SATYPES.get(request.proto, SAType.UNSPEC), ends


def _selector(message: Message, whole: Ext, flow: Ext, mask: Ext, missing: list[str]) -> list[ExtensionValue]:
    """A selector as a flow's address and mask; its port counts where the mask has bits."""
    address = message.get(whole)
    if not isinstance(address, Address) or address.ip is None or address.prefixlen > WIDTH[address.ip.version]:
        missing.append(whole.label)
        return []
    ones = _mask(address.prefixlen, address.ip.version)
    return [
        Address(flow, SocketAddress(address.ip, address.port)),
        Address(mask, SocketAddress(ones, ALL_PORT_BITS if address.port else 0)),
    ]


def _as_policy(message: Message, target: Dialect, lost: list[str], missing: list[str]) -> Message:
    kind = AS_POLICIES[message.type]
    flow = message.flow_type
    if flow is None:
        return message.replace(type=kind)
    kept = _without_lifetimes([item for item in message.extensions if item.exttype not in FLOW], lost)
    lost += [item.exttype.label for item in kept if item.exttype in NAMES]
    kept = [item for item in kept if item.exttype not in NAMES]
    if flow.direction not in target.terms["direction"].numbers:
        missing.append(f"flow-type.direction {flow.direction.label}")
    lost += ["flow-type.flags"] if flow.flags & ~STATIC else []
    lost += ["flow-type.type"] if flow.type in (FlowType.ACQUIRE, FlowType.DONTACQ) else []
    proto = ANY_PROTOCOL if message.protocol is None else message.protocol.proto
    selectors = [part for selector in SELECTORS for part in _prefix(message, *selector, proto, lost, missing)]
    requests: tuple[PolicyRequest, ...] = ()
    policy_type = POLICY_TYPES.get(flow.type, PolicyType.IPSEC)
    if policy_type is PolicyType.IPSEC:
        requests = _requests(message, flow, missing)
    else:
        lost += [end.exttype.label for end in (message.address_src, message.address_dst) if end and end.ip]
    policy = Policy(policy_type, flow.direction, requests=requests)
    return message.replace(type=kind, satype=SAType.UNSPEC, extensions=(*selectors, policy, *kept))


def _requests(message: Message, flow: Flow, missing: list[str]) -> tuple[PolicyRequest, ...]:
    if flow.type not in FLOW_LEVELS:
        missing.append(f"flow-type.type {flow.type.label}")
        return ()
    if message.satype not in PROTOCOLS:
        missing.append(f"satype {message.satype.label}")
        return ()
    level, proto = FLOW_LEVELS[flow.type], PROTOCOLS[message.satype]
    own, peer = (None if end is None or end.ip is None else end for end in (message.address_src, message.address_dst))
    if own is None and peer is None:
        return (PolicyRequest(proto, Mode.TRANSPORT, level),)
    if own is None or peer is None:
        missing.append((Ext.ADDRESS_SRC if own is None else Ext.ADDRESS_DST).label)
        return ()
    src, dst = (own, peer)[:: -1 if flow.direction is Direction.IN else 1]
    return (PolicyRequest(proto, Mode.TUNNEL, level, src=src.sockaddr, dst=dst.sockaddr),)


def _prefix(
    message: Message, whole: Ext, flow: Ext, mask: Ext, proto: int, lost: list[str], missing: list[str]
) -> list[ExtensionValue]:
    """A flow's address and mask as a selector."""
    address, ones = message.get(flow), message.get(mask)
    if not isinstance(address, Address) or not isinstance(ones, Address) or address.ip is None or ones.ip is None:
        missing.append(flow.label)
        return []
    prefixlen = f"{int(ones.ip):b}".count("1")
    if ones.ip != _mask(prefixlen, address.ip.version):
        missing.append(mask.label)
        return []
    port = address.port if ones.port == ALL_PORT_BITS else 0
    if ones.port not in (0, ALL_PORT_BITS) or (address.port and not ones.port):
        lost.append(f"{mask.label}.port")
    return [Address(whole, SocketAddress(address.ip, port, address.scope), proto, prefixlen)]


def _mask(ones: int, version: int) -> IPAddress:
    width = WIDTH[version]
    number = (1 << width) - (1 << width - ones)
    return ip_address(number.to_bytes(width // 8, "big"))


def _without_lifetimes(extensions: list[ExtensionValue], lost: list[str]) -> list[ExtensionValue]:
    """What is left without lifetimes, which flows have not. One that says nothing is no loss."""
    for item in extensions:
        if isinstance(item, Lifetime) and item != Lifetime(item.exttype):
            lost.append(item.exttype.label)
    return [item for item in extensions if not isinstance(item, Lifetime)]
