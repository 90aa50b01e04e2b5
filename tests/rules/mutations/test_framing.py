"""Header, reserved members, lengths, order, SA types, errors: each mutation breaks its rule and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.wire.extensions import Address, Key, Opaque
from fastpfkey.wire.extensions_ipsec import KMPrivate
from fastpfkey.wire.message import Message

from .cases import (
    GROUPS,
    Case,
    Msg,
    again,
    assert_breaks,
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


@mutation("R-2.1-04", "warning")
def errno_in_a_request(case: Case) -> Ways:
    if not case.to_engine or (case.message.type == Msg.ACQUIRE and not case.message.extensions):
        return None
    return st.integers(1, 255).map(lambda number: case.message.replace(errno=number))


@mutation("R-2.1-10")
def reserved_word_in_the_header(case: Case) -> Ways:
    if not case.to_engine:
        return None
    return st.integers(1, 0xFFFF).map(lambda number: case.message.replace(reserved=number))


@mutation("R-2.1-10")
def reserved_member_of_a_structure(case: Case) -> Ways:
    if not case.to_engine:
        return None
    places = [
        start + item.offset + i
        for value, start, end in spans(case)
        for item in case.message.dialect.by_type[value.exttype].variant(end - start).fields
        if item.reserved
        for i in range(item.size)
    ]
    return one_of(overwrite(case, place, b"\x01") for place in places)


@mutation("R-2.1-10")
def reserved_member_of_a_combination(case: Case) -> Ways:
    """The reserved word of the first sadb_comb is 12 bytes into it; illumos keeps a salt in its first byte."""
    if not case.to_engine:
        return None
    places = [start + 8 + 15 for value, start, _ in spans(case) if getattr(value, "combinations", ())]
    return one_of(overwrite(case, place, b"\x80") for place in places)


@mutation("R-2.1-10")
def reserved_word_of_a_request(case: Case) -> Ways:
    """The last word of Linux's struct sadb_x_ipsecrequest, behind the 16 bytes of the policy."""
    if not case.to_engine or case.dialect != "linux":
        return None
    places = [start + 16 + 12 for value, start, _ in spans(case) if getattr(value, "requests", ())]
    return one_of(overwrite(case, place, b"\x01") for place in places)


@mutation("X-size")
def message_longer_than_the_kernel_takes(case: Case) -> Ways:
    """With an extension that nobody knows, of which nothing else can be said."""
    if not case.to_engine or case.dialect != "openbsd" or not case.message.extensions:
        return None
    sizes = st.integers(4096, 8192).filter(lambda size: size % 8 == 4)
    return sizes.map(lambda size: put(case.message, Opaque(200, bytes(size))))


@mutation("R-2.2-02")
def word_behind_an_address_or_a_key(case: Case) -> Ways:
    """illumos would take a word behind a key for salt if it tells bits of any."""
    ends = [
        (start, end)
        for value, start, end in spans(case)
        if isinstance(value, Address) or (isinstance(value, Key) and not value.extra_bits)
    ]
    return one_of(stretch(case, start, end) for start, end in ends)


@mutation("R-2.2-05")
def word_behind_a_structure(case: Case) -> Ways:
    fixed = [
        (start, end)
        for value, start, end in spans(case)
        for known in [case.message.dialect.by_type[value.exttype]]
        if not known.tails and end - start == known.layouts[-1].size and not isinstance(value, KMPrivate)
    ]
    return one_of(stretch(case, start, end) for start, end in fixed)


@mutation("R-2.3-02")
def extension_of_type_zero(case: Case) -> Ways:
    def with_zero(place: int) -> Message:
        raw = case.message.raw
        length = (len(raw) // 8 + 1).to_bytes(2, case.byteorder)
        zero = (1).to_bytes(2, case.byteorder) + bytes(6)
        return again(case, raw[:4] + length + raw[6:place] + zero + raw[place:])

    places = [start for _, start, _ in spans(case)]
    return st.sampled_from(places).map(with_zero) if places else None


@mutation("R-2.3-02")
def built_extension_of_type_zero(case: Case) -> Ways:
    if not case.message.extensions:
        return None
    zero = Opaque(0, bytes(4))
    return st.just(case.message.replace(extensions=(*case.message.extensions, zero)))


@mutation("R-2.3-03")
def extension_twice(case: Case) -> Ways:
    found = case.message.extensions
    return one_of(
        case.message.replace(extensions=(*found[:i], found[i], *found[i:]))
        for i, item in enumerate(found)
        if not case.message.dialect.by_type[item.exttype].repeats
    )


@mutation("R-2.3-03")
def unknown_extension_twice(case: Case) -> Ways:
    found = case.message.extensions
    if not found:
        return None
    return st.integers(100, 0x7FFF).map(
        lambda number: case.message.replace(extensions=(*found, Opaque(number), Opaque(number, b"other")))
    )


@mutation("R-2.4-01", "warning")
def association_last(case: Case) -> Ways:
    """From any order that is right, one that is wrong."""
    found = case.message.extensions
    groups = [GROUPS[item.exttype] for item in found if item.exttype in GROUPS]
    if not case.to_engine or case.message.type > Msg.PCHANGE or groups != sorted(groups) or len(set(groups)) < 2:
        return None
    wrong = st.permutations(found).filter(lambda order: _groups(order) != sorted(groups))
    return wrong.map(lambda order: case.message.replace(extensions=tuple(order)))


def _groups(order: list[Any]) -> list[int]:
    return [GROUPS[item.exttype] for item in order if item.exttype in GROUPS]


@mutation("R-3.1-04")
def error_with_extensions(case: Case) -> Ways:
    bodies = case.grammar.errors_with_body
    if case.to_engine or not case.message.extensions or bodies is None or case.message.type in bodies:
        return None
    return st.integers(1, 255).map(lambda number: case.message.replace(errno=number))


@mutation("R-3.4-02")
def association_of_no_type(case: Case) -> Ways:
    return st.just(case.message.replace(satype=pf.SAType.UNSPEC)) if case.form.needs_satype else None


@mutation("X-satype")
def type_that_is_not_served(case: Case) -> Ways:
    satypes = case.form.satypes
    if not case.to_engine or satypes is None:
        return None
    wrong = {pf.SAType.RSVP, pf.SAType.OSPFV2, pf.SAType.MIP, pf.SAType.unknown(200)} - satypes
    return one_of(case.message.replace(satype=satype) for satype in sorted(wrong))


@mutation("R-A-04")
def promiscuity_of_a_third_kind(case: Case) -> Ways:
    if case.message.type != Msg.PROMISC or case.message.payload is not None:
        return None
    table = case.message.dialect.terms["satype"]
    return st.integers(2, 255).map(lambda number: case.message.replace(satype=table.term(number)))


@mutation("R-A-06")
def copy_of_no_message(case: Case) -> Ways:
    """A version that is not 2, or a length that goes beyond the copy or stops short of its end."""
    if case.message.payload is None:
        return None
    raw, words = case.message.raw, case.message.length // 8
    behind = raw[:4] + (words + 1).to_bytes(2, case.byteorder) + raw[6:] + bytes(8)
    lengths = [overwrite(case, 16 + 4, length.to_bytes(2, case.byteorder)) for length in (0, words)]
    return one_of([*lengths, overwrite(case, 16, b"\x01"), again(case, behind)])


@mutation("X-message", None)
def message_that_does_not_exist(case: Case) -> Ways:
    lonely = case.message.address_src is None and case.message.sa is not None
    if lonely or case.message.kmprivate is not None or case.message.errno:
        return None
    return st.integers(100, 255).map(lambda number: case.message.replace(type=Msg.unknown(number)))


MUTATIONS = parameters(globals())


@pytest.mark.requirement("R-2.1-04", "R-2.1-10", "R-2.2-02", "R-2.2-05", "R-2.3-02", "R-2.3-03", "R-2.4-01", "R-2.4-02")
@pytest.mark.requirement("R-3.1-04", "R-3.4-02", "R-A-06")
@pytest.mark.parametrize("broken", MUTATIONS)
@few
@given(data=st.data())
def test_mutation_breaks_its_rule(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)
