"""What a message lacks or has in vain: each mutation breaks the line of the grammar that it should."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.spec.grammar import Form
from fastpfkey.wire.extensions import Lifetime, Proposal, Sensitivity, SPIRange, Supported
from fastpfkey.wire.extensions_ipsec import KMPrivate
from fastpfkey.wire.message import Message
from fastpfkey.wire.rules.presence import LAYOUTS, PRIVATE

from .cases import CASES, Case, Ext, Msg, Mutation, assert_breaks, drop, few, mutation, one_of, parameters, put

Ways = st.SearchStrategy[Message] | None

STRAYS = (
    SPIRange(256, 512),
    Sensitivity(),
    Proposal(),
    Supported(Ext.SUPPORTED_AUTH),
    Lifetime(Ext.LIFETIME_CURRENT, addtime=1),
)
"""Extensions of every system, with nothing in them to complain of."""

ENDS = (Ext.ADDRESS_SRC, Ext.ADDRESS_DST)


def stray(requirement: str) -> Mutation:
    """An extension that the message has no place for."""

    def extension_out_of_place(case: Case) -> Ways:
        if case.form.rule != requirement:
            return None
        return one_of(
            changed
            for item in STRAYS
            if item.exttype not in case.form.known and case.knows(item.exttype)
            for changed in [put(case.message, item)]
            if _form(case, changed) is case.form
        )

    return Mutation(requirement, extension_out_of_place, None)


def absent(requirement: str) -> Mutation:
    """A needed extension, other than association and addresses, that is missing."""

    def extension_missing(case: Case) -> Ways:
        form = case.form
        if form.rule != requirement:
            return None
        wanted = [(item,) for item in form.required if item not in (Ext.SA, *ENDS)]
        wanted += [*form.some_of, *(group for group in form.one_of if not set(group) & set(ENDS))]
        if form.keys == "needed":
            wanted += [(item,) for item in (Ext.KEY_AUTH, Ext.KEY_ENCRYPT) if case.has(item) and _calls_for(case, item)]
        changed = [drop(case.message, *group) for group in wanted]
        return one_of(item for item in changed if _form(case, item) is form)

    return Mutation(requirement, extension_missing, "error")


def _calls_for(case: Case, exttype: Ext) -> bool:
    """NULL needs a key nowhere but in the ESP of systems that say so."""
    assert case.message.sa is not None
    algorithm = case.message.sa.auth if exttype is Ext.KEY_AUTH else case.message.sa.encrypt
    empty = exttype is Ext.KEY_ENCRYPT and case.grammar.null_needs_key and case.to_engine
    return algorithm.name != "NULL" or empty


def _form(case: Case, message: Message) -> Form | None:
    return case.grammar.form(message.type, case.to_engine, not message.extensions)


@mutation("R-3.1.8-04")
def both_limits_in_an_expire(case: Case) -> Ways:
    if case.message.type != Msg.EXPIRE or not case.form.one_of:
        return None
    limits = [Lifetime(item) for item in (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT) if not case.has(item)]
    return one_of(put(case.message, item) for item in limits)


@mutation("R-2.3.1-01")
def association_missing(case: Case) -> Ways:
    return st.just(drop(case.message, Ext.SA)) if Ext.SA in case.form.required else None


@mutation("R-2.3.3-01")
def both_ends_missing(case: Case) -> Ways:
    if not case.has(Ext.SA) or not set(case.form.required) & set(ENDS):
        return None
    return st.just(drop(case.message, *ENDS))


@mutation("R-2.3.3-11")
def one_end_missing(case: Case) -> Ways:
    return one_of(drop(case.message, item) for item in ENDS) if case.has(*ENDS) else None


@mutation("R-3.1.6-11")
def failure_without_errno_or_number(case: Case) -> Ways:
    if not case.to_engine or case.message.type != Msg.ACQUIRE or case.message.extensions:
        return None
    return st.sampled_from([case.message.replace(errno=0), case.message.replace(seq=0)])


@mutation("R-C-01")
def private_data_in_the_wrong_message(case: Case) -> Ways:
    """Where it changes which line is meant, the message lacks what that line needs."""
    if case.message.type in PRIVATE or not case.knows(Ext.KMPRIVATE) or not case.message.extensions:
        return None
    return st.binary(max_size=20).map(lambda data: put(case.message, KMPrivate(data)))


STRAY = [pytest.param(stray(item), id=item) for item in LAYOUTS if item != "R-3.1.6-11"]
ABSENT = [
    pytest.param(broken, id=broken.rule)
    for broken in map(absent, LAYOUTS)
    if any(broken.change(case) is not None for case in CASES)
]


@pytest.mark.requirement("R-3.1.1-02", "R-3.1.1-05", "R-3.1.2-11", "R-3.1.3-06", "R-3.1.4-02", "R-3.1.5-02")
@pytest.mark.requirement("R-3.1.6-03", "R-3.1.6-09", "R-3.1.7-03", "R-3.1.7-05", "R-3.1.8-04", "R-3.1.9-03")
@pytest.mark.requirement("R-3.1.10-05", "R-B-03")
@pytest.mark.parametrize("broken", STRAY)
@few
@given(data=st.data())
def test_what_is_out_of_place_breaks_the_line(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)


@pytest.mark.requirement("R-3.1.1-02", "R-3.1.2-11", "R-3.1.3-06", "R-3.1.6-03", "R-3.1.6-09", "R-3.1.7-05")
@pytest.mark.requirement("R-3.1.8-04", "R-3.1.10-05")
@pytest.mark.parametrize("broken", ABSENT)
@few
@given(data=st.data())
def test_what_is_missing_breaks_the_line(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)


@pytest.mark.requirement("R-2.3.1-01", "R-2.3.3-01", "R-2.3.3-11", "R-3.1.6-11", "R-3.1.8-04", "R-C-01")
@pytest.mark.parametrize("broken", parameters(globals()))
@few
@given(data=st.data())
def test_mutation_breaks_its_rule(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)
