"""Rules about policies, of which RFC 2367 knows nothing: what kernels refuse in them."""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.terms import Direction, FlowType, Level, Mode, PolicyType
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType as Msg
from ..extensions_ipsec import Filter, Policy, PolicyRequest
from ..extensions_openbsd import Flow
from .rule import TO_ENGINE, Finding, rule, rules_in
from .subject import Subject

STORING = (Msg.SPDADD, Msg.SPDUPDATE, Msg.SPDSETIDX)
"""Messages whose policy is stored."""

LONGEST_PREFIX = 128


@rule("X-policy", way=TO_ENGINE, about=(Policy, Flow))
def policies_are_known(subject: Subject) -> Iterator[Finding]:
    """Type and direction are such that the kernel stores."""
    for policy in subject.of(Policy):
        if subject.type in STORING and policy.type not in subject.grammar.policy_types:
            yield Finding(
                f"{subject.dialect.name} stores no policies of type {PolicyType(policy.type).name}", Ext.POLICY
            )
        if subject.type in (*STORING, Msg.SPDDELETE) and policy.dir not in subject.grammar.directions:
            yield Finding(
                f"{subject.dialect.name} has no policies for direction {Direction(policy.dir).name}", Ext.POLICY
            )
    for flow in subject.of(Flow):
        kind, direction = FlowType(flow.type), Direction(flow.direction)
        if kind not in tuple(FlowType) or direction not in (Direction.IN, Direction.OUT):
            yield Finding(f"there is no flow of type {kind.name} and direction {direction.name}", Ext.FLOW_TYPE)


@rule("X-requests", way=TO_ENGINE, about=(Policy,))
def requests_can_be_met(subject: Subject) -> Iterator[Finding]:
    """The requests of a policy name protocol, mode, level and tunnel ends that the kernel takes."""
    if subject.type not in STORING:
        return
    rules = subject.grammar.requests
    for policy in subject.of(Policy):
        if rules.most and len(policy.requests) > rules.most:
            yield Finding(f"{len(policy.requests)} requests are more than {rules.most}", Ext.POLICY)
        if rules.needed and policy.type == PolicyType.IPSEC and not policy.requests:
            yield Finding("a policy of type IPSEC has a request", Ext.POLICY)
        for number, request in enumerate(policy.requests):
            for sentence in _complaints(subject, policy, request):
                yield Finding(f"request {number}: {sentence}", Ext.POLICY)


def _complaints(subject: Subject, policy: Policy, request: PolicyRequest) -> Iterator[str]:
    rules, name = subject.grammar.requests, subject.dialect.name
    if request.proto not in rules.protocols:
        yield f"{name} transforms nothing with IP protocol {request.proto}"
    if request.mode not in rules.modes:
        yield f"{name} has no mode {Mode(request.mode).name} for policies"
    level = Level(request.level)
    if level not in tuple(Level) and not rules.any_level:
        yield f"{name} has no level {level.name}"
    if request.mode == Mode.TUNNEL and (request.src is None or request.dst is None):
        yield "a tunnel has two ends"
    outward = policy.dir == Direction.OUT and request.mode in (Mode.TUNNEL, Mode.BEET)
    if rules.strict_tunnels and outward and level == Level.USE:
        yield "a tunnel for outbound packets is required or nothing"
    if request.src is not None and request.dst is not None and request.src.family != request.dst.family:
        yield "the ends are of different families"


@rule("X-migrate", way=TO_ENGINE, about=(Policy,))
def migration_is_from_old_to_new(subject: Subject) -> Iterator[Finding]:
    """The requests of a MIGRATE come in pairs, which differ in their ends alone."""
    if subject.type != Msg.MIGRATE:
        return
    for policy in subject.of(Policy):
        rows = policy.requests
        if not rows or len(rows) % 2:
            yield Finding(f"{len(rows)} requests are not pairs of old and new", Ext.POLICY)
        for number, (old, new) in enumerate(zip(rows[::2], rows[1::2], strict=False)):
            if (old.proto, old.mode, old.reqid) != (new.proto, new.mode, new.reqid):
                yield Finding(f"pair {number} differs in more than its ends", Ext.POLICY)
            if None in (old.src, old.dst, new.src, new.dst):
                yield Finding(f"pair {number} lacks an end", Ext.POLICY)


@rule("X-filter", way=TO_ENGINE, about=(Filter,))
def filters_have_prefixes(subject: Subject) -> Iterator[Finding]:
    """The prefixes of a DUMP's filter are no longer than any address."""
    for wanted in subject.of(Filter):
        for name, length in (("source", wanted.splen), ("destination", wanted.dplen)):
            if length > LONGEST_PREFIX:
                yield Finding(f"the {name} prefix has {length} bits", Ext.FILTER)


RULES = rules_in(globals())
"""The rules of this module."""
