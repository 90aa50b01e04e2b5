"""Policies as statements that make them again: what `saving` is for associations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, PolicyType
from ..wire.extensions import Address
from ..wire.extensions_ipsec import Policy, PolicyRequest
from ..wire.message import Message
from ..wire.sockaddr import SocketAddress
from .keywords import DIRECTIONS, FARTHEST, LEVELS, MODES, POLICIES, PRIORITIES, REQUESTS
from .policies import PRIORITIES as RANGES
from .policies import owned_by_sockets
from .saving import Script, label_of, quotable, word_of
from .words import GRE, ICMP, ICMP6, MH

SAID = frozenset({Ext.POLICY, Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.LIFETIME_CURRENT, Ext.SEC_CTX})
LIMITS = frozenset({Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT})
"""Extensions that a dump always has, and that say something only where they are not 0."""


def policy_statements(script: Script, messages: Iterable[Message]) -> Iterator[str]:
    """A statement for each policy that can be made again; the script counts them, and lists what is left out."""
    for message in messages:
        policy, src, dst = message.policy, message.address_src, message.address_dst
        if message.type is not MessageType.SPDDUMP or message.errno or policy is None:
            continue
        name = f"policy {policy.id}"
        reason = _impossible(script, policy, src, dst)
        if reason or src is None or dst is None:
            script.omitted.append(f"{name}: left out: {reason}")
            continue
        for extension in message.extensions:
            empty = extension.exttype in LIMITS and not any(
                getattr(extension, what) for what in ("allocations", "bytes", "addtime", "usetime")
            )
            if not empty and (extension.exttype not in SAID or not quotable(extension)):
                script.omitted.append(f"{name}: without its {extension.exttype.label}")
        script.count += 1
        words = ["spdadd", *_traffic(src, dst), *(() if script.variant.freebsd else label_of(message))]
        yield " ".join([*words, "-P", *_protection(script, policy)]) + " ;\n"


def _impossible(script: Script, policy: Policy, src: Address | None, dst: Address | None) -> str:
    """Why no statement can make a policy again; empty if one can."""
    if owned_by_sockets(script.dialect, [policy.id])[0]:
        return "it belongs to a socket"
    if src is None or dst is None or src.ip is None or dst.ip is None:
        return "it has no addresses"
    if policy.dir not in DIRECTIONS.values() or policy.type not in POLICIES.values():
        return "no word for its direction or type"
    if src.proto != dst.proto:
        return "its protocols differ"
    for request in policy.requests:
        if not (word_of(REQUESTS, request.proto) and word_of(MODES, request.mode) and word_of(LEVELS, request.level)):
            return "no word for one of its requests"
    return ""


def _traffic(src: Address, dst: Address) -> Iterator[str]:
    """Both prefixes, the protocol, and what stands in ports that are none."""
    bare = src.proto in (ICMP, ICMP6, MH, GRE)
    for end in (src, dst):
        scope = f"%{end.scope}" if end.scope else ""
        port = "" if bare or not end.port else f"[{end.port}]"
        yield f"{end.ip}{scope}/{end.prefixlen}{port}"
    yield str(src.proto)
    if src.proto == GRE and (src.port or dst.port):
        yield ".".join(map(str, (src.port >> 8, src.port & 0xFF, dst.port >> 8, dst.port & 0xFF)))
    elif bare and (src.port or dst.port):
        yield f"{src.port},{dst.port}"


def _protection(script: Script, policy: Policy) -> Iterator[str]:
    """The text of a policy."""
    yield word_of(DIRECTIONS, policy.dir)
    if "priority" in script.dialect.by_type[Ext.POLICY].layout.by_name and not script.variant.freebsd:
        yield from _priority(policy.priority)
    yield word_of(POLICIES, policy.type)
    if policy.type is PolicyType.IPSEC:
        yield from (_request(request) for request in policy.requests)


def _priority(number: int) -> Iterator[str]:
    """A priority by the middle of its range and its distance from it; 0 is farther away than words reach."""
    name = next((name for name, _, first, end in RANGES if first <= number < end), "high")
    distance = PRIORITIES[name] - number
    yield from ("prio", name)
    if distance:
        yield from ("+" if distance > 0 else "-", str(min(abs(distance), FARTHEST)))


def _request(request: PolicyRequest) -> str:
    ends = "-".join(_end(end) for end in (request.src, request.dst) if end is not None)
    level = word_of(LEVELS, request.level)
    reqid = f":{request.reqid}" if request.reqid and level == "unique" else ""
    return f"{word_of(REQUESTS, request.proto)}/{word_of(MODES, request.mode)}/{ends}/{level}{reqid}"


def _end(end: SocketAddress) -> str:
    return f"{end.ip}" + (f"[{end.port}]" if end.port else "")
