"""Identities, labels, proposals, lists of algorithms and policies: each mutation breaks its rule and nothing else."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.spec.terms import (
    AuthAlgorithm,
    Direction,
    EncryptAlgorithm,
    FlowType,
    IdentityType,
    Level,
    Mode,
    PolicyType,
)
from fastpfkey.wire.extensions import Combination, Identity, Sensitivity
from fastpfkey.wire.extensions_ipsec import PolicyRequest
from fastpfkey.wire.message import Message
from fastpfkey.wire.rules.policies import STORING
from fastpfkey.wire.sockaddr import SocketAddress

from .cases import (
    Case,
    Ext,
    Msg,
    assert_breaks,
    edit,
    few,
    mutation,
    one_of,
    overwrite,
    parameters,
    put,
    spans,
    stretch,
)

Ways = st.SearchStrategy[Message] | None

OWNERS = {Ext.IDENTITY_SRC: Ext.ADDRESS_SRC, Ext.IDENTITY_DST: Ext.ADDRESS_DST}


def identities(case: Case) -> list[Identity]:
    return [item for item in case.message.extensions if isinstance(item, Identity)]


@mutation("R-2.3.5-03")
def text_without_nul(case: Case) -> Ways:
    """Letters to the end of the extension; a PREFIX would no longer be one."""
    found = [(item, start, end) for item, start, end in spans(case) if isinstance(item, Identity)]
    return one_of(
        overwrite(case, at, b"m" * (end - at))
        for item, start, end in found
        if item.text is not None and item.type != IdentityType.PREFIX
        for at in [start + 16 + len(item.text)]
    )


@mutation("R-2.3.5-03")
def text_with_a_word_to_spare(case: Case) -> Ways:
    found = [(start, end) for item, start, end in spans(case) if isinstance(item, Identity) and item.text is not None]
    return one_of(stretch(case, start, end) for start, end in found)


@mutation("R-2.3.6-01")
def label_with_a_word_to_spare(case: Case) -> Ways:
    return one_of(stretch(case, start, end) for item, start, end in spans(case) if isinstance(item, Sensitivity))


@mutation("R-3.7-01")
def identity_of_no_type(case: Case) -> Ways:
    return one_of(edit(case.message, item.exttype, type=IdentityType.RESERVED) for item in identities(case))


def _identified(case: Case, item: Identity, type: IdentityType, text: str, id: int = 0) -> Message:
    return put(case.message, Identity(item.exttype, type, id, text))


NO_PREFIXES = (
    "",
    "192.0.2.0",
    "192.0.2.0/",
    "192.0.2.0/33",
    "192.0.2.0/-1",
    "192.0.2.0/0x18",
    "192.0.2.0/255.255.255.0",
    "192.0.2/24",
    "2001:db8::/129",
    "fe80::%1/64",
    "gw.example.net/24",
    "192.0.2.0/24/24",
    "192.0.2.0/٢٤",
    "2001:db8::/" + "1" * 5000,
)


@mutation("R-3.7-02")
def prefix_that_is_none(case: Case) -> Ways:
    found = identities(case)
    if not found:
        return None
    return st.builds(
        lambda item, text: _identified(case, item, IdentityType.PREFIX, text),
        st.sampled_from(found),
        st.sampled_from([text for text in NO_PREFIXES if len(text) < 5000 or not case.grammar.largest_message]),
    )


@mutation("R-3.7-03")
def prefix_with_bits_of_a_host(case: Case) -> Ways:
    """The address of the end itself, which is inside, with a length that does not cover its last bits."""
    ends = [(item, case.message.get(OWNERS[item.exttype])) for item in identities(case)]
    found: list[tuple[Identity, Any]] = [(item, end) for item, end in ends if end is not None]
    return one_of(_identified(case, item, IdentityType.PREFIX, f"{end.ip}/24") for item, end in found)


@mutation("R-3.7-05")
def prefix_of_someone_else(case: Case) -> Ways:
    found = [item for item in identities(case) if case.message.get(OWNERS[item.exttype]) is not None]
    if not found:
        return None
    return st.builds(
        lambda item, text: _identified(case, item, IdentityType.PREFIX, text),
        st.sampled_from(found),
        st.sampled_from(["10.99.0.0/16", "192.0.3.0/24", "2001:db9::/32", "::/96"]),
    )


@mutation("R-3.7-06")
def name_with_a_number(case: Case) -> Ways:
    found = identities(case)
    if not found:
        return None
    return st.builds(
        lambda item, number: _identified(case, item, IdentityType.FQDN, "gw.example.net", number),
        st.sampled_from(found),
        st.integers(1, 2**64 - 1),
    )


@mutation("R-3.7-07")
def user_of_no_domain(case: Case) -> Ways:
    found = identities(case)
    if not found:
        return None
    return st.builds(
        lambda item, text: _identified(case, item, IdentityType.USERFQDN, text),
        st.sampled_from(found),
        st.sampled_from(["", "alice", "@example.org", "alice@", "alice@example@org"]),
    )


BOTH = Combination(AuthAlgorithm.SHA1_HMAC, EncryptAlgorithm.TRIPLE_DES_CBC, 0, 160, 160, 192, 192)
"""A combination that is sound."""


def _proposed(case: Case, **fields: Any) -> Ways:
    proposal = case.message.proposal
    if proposal is None:
        return None
    wrong = replace(BOTH, **fields)
    # Where a kernel proposes a number of combinations, this one takes the place of all.
    rows = () if case.grammar.combinations else proposal.combinations
    places = range(len(rows) + 1)
    return one_of(edit(case.message, Ext.PROPOSAL, combinations=(*rows[:i], wrong, *rows[i:])) for i in places)


@mutation("R-2.3.7-04")
def authentication_bounds_for_nothing(case: Case) -> Ways:
    return _proposed(case, auth=AuthAlgorithm.NONE)


@mutation("R-2.3.7-05")
def authentication_without_upper_bound(case: Case) -> Ways:
    return _proposed(case, auth_maxbits=0)


@mutation("R-2.3.7-05")
def authentication_without_lower_bound(case: Case) -> Ways:
    return _proposed(case, auth_minbits=0)


@mutation("R-2.3.7-06")
def authentication_bounds_reversed(case: Case) -> Ways:
    return _proposed(case, auth_minbits=161)


@mutation("R-2.3.7-07")
def encryption_bounds_for_nothing(case: Case) -> Ways:
    return _proposed(case, encrypt=EncryptAlgorithm.NONE)


@mutation("R-2.3.7-08")
def encryption_without_upper_bound(case: Case) -> Ways:
    return _proposed(case, encrypt_maxbits=0)


@mutation("R-2.3.7-08")
def null_encryption_without_bounds(case: Case) -> Ways:
    """Kernels that announce NULL give it bounds of zero; by the RFC's letter they may not."""
    if case.grammar.null_bits:
        return None
    return _proposed(case, encrypt=EncryptAlgorithm.NULL, encrypt_minbits=0, encrypt_maxbits=0)


@mutation("R-2.3.7-09")
def encryption_bounds_reversed(case: Case) -> Ways:
    return _proposed(case, encrypt_minbits=193)


@mutation("X-proposal", "warning")
def more_combinations_than_the_kernel_has(case: Case) -> Ways:
    if case.to_engine or case.dialect != "openbsd" or case.message.proposal is None:
        return None
    return one_of(edit(case.message, Ext.PROPOSAL, combinations=(BOTH,) * number) for number in (0, 2, 3))


def _listed(case: Case, exttype: Ext, **fields: Any) -> Ways:
    """The message with other values in a listed algorithm that is not NULL."""
    listing: Any = case.message.get(exttype)
    if case.to_engine or listing is None:
        return None
    rows = listing.algorithms
    return one_of(
        edit(case.message, exttype, algorithms=(*rows[:i], replace(row, **fields), *rows[i + 1 :]))
        for i, row in enumerate(rows)
        if row.id.name != "NULL" and "GMAC" not in row.id.name
    )


@mutation("R-2.3.8-02")
def vector_of_an_authentication(case: Case) -> Ways:
    return _listed(case, Ext.SUPPORTED_AUTH, ivlen=8)


@mutation("R-2.3.8-03")
def shortest_key_of_no_bits(case: Case) -> Ways:
    return _listed(case, Ext.SUPPORTED_AUTH, minbits=0)


@mutation("R-2.3.8-04")
def longest_key_of_no_bits(case: Case) -> Ways:
    return _listed(case, Ext.SUPPORTED_ENCRYPT, maxbits=0)


@mutation("R-2.3.8-05")
def shortest_key_longer_than_the_longest(case: Case) -> Ways:
    return _listed(case, Ext.SUPPORTED_ENCRYPT, minbits=0xFFFF)


def stores(case: Case) -> bool:
    return case.to_engine and case.message.type in STORING and case.has(Ext.POLICY)


@mutation("X-policy")
def policy_of_another_type(case: Case) -> Ways:
    if not stores(case):
        return None
    wrong = (PolicyType.ENTRUST, PolicyType.BYPASS, PolicyType.unknown(9))
    return one_of(edit(case.message, Ext.POLICY, type=item, requests=()) for item in wrong)


@mutation("X-policy")
def policy_for_no_direction(case: Case) -> Ways:
    if not stores(case) and not (case.to_engine and case.message.type == Msg.SPDDELETE):
        return None
    wrong = (Direction.ANY, Direction.unknown(9))
    return one_of(edit(case.message, Ext.POLICY, dir=item) for item in wrong)


@mutation("X-policy")
def flow_of_no_kind(case: Case) -> Ways:
    if not case.to_engine or not case.has(Ext.FLOW_TYPE):
        return None
    return st.sampled_from(
        [
            edit(case.message, Ext.FLOW_TYPE, type=FlowType.unknown(9)),
            edit(case.message, Ext.FLOW_TYPE, direction=Direction.ANY),
            edit(case.message, Ext.FLOW_TYPE, direction=Direction.unknown(3)),
        ]
    )


REQUEST = PolicyRequest(50, Mode.TRANSPORT, Level.REQUIRE)
FOUR, OTHER_FOUR, SIX = map(ip_address, ("192.0.2.1", "192.0.2.2", "2001:db8::1"))


def _requested(case: Case, *requests: PolicyRequest, **fields: Any) -> Message:
    return edit(case.message, Ext.POLICY, type=PolicyType.IPSEC, requests=requests, **fields)


@mutation("X-requests")
def request_that_cannot_be_met(case: Case) -> Ways:
    if not stores(case):
        return None
    wrong = [
        replace(REQUEST, proto=6),
        replace(REQUEST, mode=Mode.ANY),
        replace(REQUEST, mode=Mode.unknown(9)),
        replace(REQUEST, mode=Mode.TUNNEL),
    ]
    if not case.grammar.requests.any_level:
        wrong.append(replace(REQUEST, level=Level.unknown(4)))
    return one_of(_requested(case, *rows) for item in wrong for rows in ((item,), (REQUEST, item)))


@mutation("X-requests")
def too_many_requests_or_too_few(case: Case) -> Ways:
    if not stores(case):
        return None
    rules = case.grammar.requests
    numbers = ([rules.most + 1] if rules.most else []) + ([0] if rules.needed else [])
    return one_of(_requested(case, *[REQUEST] * number) for number in numbers)


def _tunnel(src: Any, dst: Any, level: Level = Level.REQUIRE) -> PolicyRequest:
    return replace(REQUEST, mode=Mode.TUNNEL, level=level, src=SocketAddress(src), dst=SocketAddress(dst))


@mutation("X-requests")
def tunnel_of_two_families(case: Case) -> Ways:
    if not stores(case):
        return None
    return one_of(_requested(case, _tunnel(*pair)) for pair in ((FOUR, SIX), (SIX, FOUR)))


@mutation("X-requests")
def tunnel_that_is_merely_used(case: Case) -> Ways:
    if not stores(case) or not case.grammar.requests.strict_tunnels:
        return None
    return st.just(_requested(case, _tunnel(FOUR, OTHER_FOUR, Level.USE), dir=Direction.OUT))


@mutation("X-migrate")
def migration_of_no_pairs(case: Case) -> Ways:
    if not case.to_engine or case.message.type != Msg.MIGRATE or case.message.policy is None:
        return None
    old, new, *_ = case.message.policy.requests
    wrong = (
        (),
        (old,),
        (old, new, old),
        (old, replace(new, proto=51 if new.proto == 50 else 50)),
        (old, replace(new, reqid=new.reqid + 1)),
        (old, replace(new, src=None, dst=None)),
    )
    return one_of(_requested(case, *rows) for rows in wrong)


@mutation("X-filter")
def filter_longer_than_any_address(case: Case) -> Ways:
    if not case.has(Ext.FILTER):
        return None
    lengths = st.tuples(st.sampled_from(["splen", "dplen"]), st.integers(129, 255))
    return lengths.map(lambda pair: edit(case.message, Ext.FILTER, **{pair[0]: pair[1]}))


@pytest.mark.requirement("R-2.3.5-03", "R-2.3.6-01", "R-3.7-01", "R-3.7-02", "R-3.7-03", "R-3.7-05", "R-3.7-06")
@pytest.mark.requirement("R-3.7-07", "R-2.3.7-04", "R-2.3.7-05", "R-2.3.7-06", "R-2.3.7-07", "R-2.3.7-08")
@pytest.mark.requirement("R-2.3.7-09", "R-2.3.8-02", "R-2.3.8-03", "R-2.3.8-04", "R-2.3.8-05")
@pytest.mark.parametrize("broken", parameters(globals()))
@few
@given(data=st.data())
def test_mutation_breaks_its_rule(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)
