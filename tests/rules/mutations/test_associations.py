"""Associations and keys that make no sense: each mutation breaks its rule and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.spec.grammar_keys import WEAK_DES_KEYS
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, Mode, NATTType, SAState, SAType
from fastpfkey.wire.extensions import Combination, Key, Lifetime
from fastpfkey.wire.extensions_ipsec import NATTEncapsulation, ReplayCounter
from fastpfkey.wire.message import Message
from fastpfkey.wire.value import Secret

from .cases import Case, Ext, Msg, assert_breaks, drop, edit, few, mutation, one_of, parameters, put

Ways = st.SearchStrategy[Message] | None

LIMITS = ("allocations", "bytes", "addtime", "usetime")
KEYS = (Ext.KEY_AUTH, Ext.KEY_ENCRYPT)


@mutation("R-2.3.1-02")
def wide_compression_index(case: Case) -> Ways:
    if case.message.satype != SAType.IPCOMP or not case.has(Ext.SA):
        return None
    return st.integers(0x10000, 2**32 - 1).map(lambda spi: edit(case.message, Ext.SA, spi=spi))


@mutation("R-2.3.1-02")
def wide_range_of_compression_indexes(case: Case) -> Ways:
    satypes = case.form.satypes
    if not case.has(Ext.SPIRANGE) or satypes is None or SAType.IPCOMP not in satypes:
        return None
    narrow = edit(case.message, Ext.SPIRANGE, min=256).replace(satype=SAType.IPCOMP)
    return st.integers(0x10000, 2**32 - 1).map(lambda spi: edit(narrow, Ext.SPIRANGE, max=spi))


@mutation("R-2.3.1-07")
def authentication_header_without_authentication(case: Case) -> Ways:
    if not case.submits or case.message.satype != SAType.AH:
        return None
    return st.just(edit(case.message, Ext.SA, auth=AuthAlgorithm.NONE))


@mutation("R-2.3.1-07")
def unknown_algorithm(case: Case) -> Ways:
    """The key of an encryption that nobody knows may have any length but none."""
    if not case.submits or case.message.satype != SAType.ESP or _has_empty_key(case):
        return None
    unknown = st.integers(60, 240)
    return st.one_of(
        unknown.map(lambda number: edit(case.message, Ext.SA, auth=AuthAlgorithm.unknown(number))),
        unknown.map(lambda number: edit(case.message, Ext.SA, encrypt=EncryptAlgorithm.unknown(number))),
    )


def _has_empty_key(case: Case) -> bool:
    return any(item.bits == 0 for item in case.message.extensions if isinstance(item, Key))


@mutation("R-2.3.1-07")
def algorithm_that_cannot_be_set(case: Case) -> Ways:
    unsettable = case.grammar.unsettable
    if not case.submits or case.message.satype != SAType.ESP or not unsettable:
        return None
    lengths = case.grammar.keys.encrypt
    return one_of(
        edit(put(case.message, Key.of(Ext.KEY_ENCRYPT, bytes(lengths[item].shortest // 8))), Ext.SA, encrypt=item)
        for item in sorted(unsettable)
    )


@mutation("R-2.3.2-02", "warning")
def association_for_ever(case: Case) -> Ways:
    limits = (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT)
    if not case.submits or not any(case.has(item) for item in limits):
        return None
    endless = case.message
    for item in limits:
        endless = put(endless, Lifetime(item)) if case.has(item) else endless
    return st.sampled_from([drop(case.message, *limits), endless])


@mutation("R-2.3.9-02")
def range_downwards(case: Case) -> Ways:
    if not case.has(Ext.SPIRANGE):
        return None
    ends = st.tuples(st.integers(256, 2**32 - 1), st.integers(0, 2**32 - 1)).filter(lambda pair: pair[0] > pair[1])
    return ends.map(lambda pair: edit(case.message, Ext.SPIRANGE, min=pair[0], max=pair[1]))


@mutation("R-3.1.2-06")
def update_that_is_not_mature(case: Case) -> Ways:
    return _in_another_state(case, Msg.UPDATE)


@mutation("R-3.1.3-04")
def addition_that_is_not_mature(case: Case) -> Ways:
    return _in_another_state(case, Msg.ADD)


def _in_another_state(case: Case, type: Msg) -> Ways:
    if not case.to_engine or case.message.type != type:
        return None
    wrong = (SAState.LARVAL, SAState.DYING, SAState.DEAD, SAState.unknown(77))
    return one_of(edit(case.message, Ext.SA, state=state) for state in wrong)


@mutation("R-3.1.8-11", None)
def soft_limit_above_the_hard_one(case: Case) -> Ways:
    if not case.has(Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT):
        return None
    pair = st.tuples(st.sampled_from(LIMITS), st.integers(1, 2**32 - 2), st.integers(1, 2**31))

    def changed(drawn: tuple[str, int, int]) -> Message:
        name, hard, more = drawn
        raised = edit(case.message, Ext.LIFETIME_HARD, **{name: hard})
        return edit(raised, Ext.LIFETIME_SOFT, **{name: hard + more})

    return pair.map(changed)


@mutation("R-3.1.8-11", "warning")
def soft_limit_of_a_combination_above_the_hard_one(case: Case) -> Ways:
    proposal = case.message.proposal
    if proposal is None or not proposal.combinations:
        return None
    first, *rest = proposal.combinations
    wrong: list[Combination] = [replace(first, **{f"soft_{name}": 2, f"hard_{name}": 1}) for name in LIMITS]
    return one_of(edit(case.message, Ext.PROPOSAL, combinations=(item, *rest)) for item in wrong)


@mutation("R-3.5-04")
def encryption_of_no_name(case: Case) -> Ways:
    if not case.submits or case.message.satype != SAType.ESP or _has_empty_key(case):
        return None
    return st.just(edit(case.message, Ext.SA, encrypt=EncryptAlgorithm.NONE))


@mutation("R-3.5-04")
def authentication_header_that_encrypts(case: Case) -> Ways:
    if not case.submits or case.message.satype != SAType.AH:
        return None
    ciphers = (EncryptAlgorithm.TRIPLE_DES_CBC, EncryptAlgorithm.NULL)
    return one_of(edit(case.message, Ext.SA, encrypt=cipher) for cipher in ciphers)


@mutation("X-lifetimes")
def one_limit_alone(case: Case) -> Ways:
    limits = (Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT)
    changes = (Msg.ADD, Msg.UPDATE)
    if not (case.grammar.limits_together and case.to_engine and case.message.type in changes and case.has(*limits)):
        return None
    return one_of(drop(case.message, item) for item in limits)


@mutation("X-spi", None)
def reserved_index(case: Case) -> Ways:
    if not case.to_engine or case.message.satype not in (SAType.AH, SAType.ESP):
        return None
    if case.has(Ext.SPIRANGE):
        return st.integers(0, 255).map(lambda spi: edit(case.message, Ext.SPIRANGE, min=spi))
    if case.message.type not in (Msg.ADD, Msg.UPDATE):
        return None
    return st.integers(0, 255).map(lambda spi: edit(case.message, Ext.SA, spi=spi))


@mutation("X-mode")
def unknown_mode(case: Case) -> Ways:
    if not case.to_engine or not case.has(Ext.SA2):
        return None
    return st.integers(5, 255).map(lambda number: edit(case.message, Ext.SA2, mode=Mode.unknown(number)))


@mutation("X-natt")
def unknown_encapsulation(case: Case) -> Ways:
    if not case.to_engine or not case.has(Ext.NATT_TYPE):
        return None
    return st.integers(3, 255).map(lambda number: edit(case.message, Ext.NATT_TYPE, type=NATTType.unknown(number)))


@mutation("X-natt")
def encapsulation_of_another_protocol(case: Case) -> Ways:
    wrong = case.message.satype in (SAType.AH, SAType.IPCOMP)
    if not case.submits or not wrong or not case.grammar.natt_types:
        return None
    return st.just(put(case.message, NATTEncapsulation(NATTType.ESPINUDP)))


@mutation("X-natt-ports")
def encapsulation_without_room_for_ports(case: Case) -> Ways:
    sa = case.message.sa
    if not case.submits or sa is None or case.dialect != "macos":
        return None
    short = edit(case.message, Ext.SA, natt_port=None, natt_interval=None, natt_offload_interval=None)
    return st.just(edit(short, Ext.SA, natt_src_port=None, flags=sa.flags | 0x0002))


@mutation("X-natt-ports")
def migration_without_room_for_ports(case: Case) -> Ways:
    if not case.to_engine or case.message.type != Msg.MIGRATE or not case.has(Ext.SA):
        return None
    short = edit(case.message, Ext.SA, natt_port=None, natt_interval=None, natt_offload_interval=None)
    return st.just(edit(short, Ext.SA, natt_src_port=None))


@mutation("X-replay", None)
def window_too_wide(case: Case) -> Ways:
    most = {"linux": 32, "openbsd": 64}.get(case.dialect)
    if not case.submits or most is None:
        return None
    return st.integers(most + 1, 255).map(lambda window: edit(case.message, Ext.SA, replay=window))


@mutation("X-counter")
def replay_counter_without_its_low_half(case: Case) -> Ways:
    if not case.submits or case.dialect != "illumos":
        return None
    return st.integers(1, 2**64 - 1).map(lambda number: put(case.message, ReplayCounter(0, number)))


@mutation("X-key")
def key_of_zeros(case: Case) -> Ways:
    if not case.to_engine or case.dialect != "illumos":
        return None
    found = [item for item in case.message.extensions if isinstance(item, Key) and item.bits]
    return one_of(edit(case.message, item.exttype, material=Secret(bytes(len(item.material)))) for item in found)


@mutation("X-reqid", "warning")
def request_id_too_long(case: Case) -> Ways:
    if not case.to_engine or not case.has(Ext.SA2) or case.dialect != "netbsd":
        return None
    return st.integers(0x10000, 0xFFFFFFFF).map(lambda number: edit(case.message, Ext.SA2, reqid=number))


@mutation("R-2.3.4-01")
def key_of_no_bits(case: Case) -> Ways:
    found = [item for item in case.message.extensions if isinstance(item, Key) and item.bits and not item.extra_bits]
    return one_of(edit(case.message, item.exttype, bits=0, material=Secret()) for item in found)


@mutation("R-2.3.4-04")
def key_of_a_wrong_length(case: Case) -> Ways:
    """13 bytes fit no algorithm of a fixed length, nor AES; 57 are more than Blowfish takes."""
    sa = case.message.sa
    if sa is None or case.message.satype == SAType.IPCOMP or case.form.spi_only:
        return None
    lengths = {
        Ext.KEY_AUTH: case.grammar.keys.auth.get(sa.auth),
        Ext.KEY_ENCRYPT: case.grammar.keys.encrypt.get(EncryptAlgorithm(sa.encrypt)),
    }
    ways = [
        st.integers(1, 600)
        .filter(lambda size, allowed=allowed: not allowed.allow(size * 8))  # type: ignore[misc]
        .map(lambda size, item=item: put(case.message, Key.of(item, b"k" * size)))  # type: ignore[misc]
        for item, allowed in lengths.items()
        if allowed is not None and case.has(item) and not allowed.longest > 4800
    ]
    return st.one_of(ways) if ways else None


@mutation("R-2.3.4-04")
def key_without_its_parity(case: Case) -> Ways:
    """56 bits for DES, and 168 for 3DES, count the parity bits out."""
    sa = case.message.sa
    if sa is None or not case.has(Ext.KEY_ENCRYPT) or case.form.spi_only:
        return None
    sizes = {EncryptAlgorithm.DES_CBC: 7, EncryptAlgorithm.TRIPLE_DES_CBC: 21}
    size = sizes.get(EncryptAlgorithm(sa.encrypt)) if case.message.satype == SAType.ESP else None
    return None if size is None else st.just(put(case.message, Key.of(Ext.KEY_ENCRYPT, b"k" * size)))


def _with_des_key(case: Case, *parts: bytes) -> Message:
    """The message with single DES or 3DES and this key."""
    cipher = EncryptAlgorithm.DES_CBC if len(parts) == 1 else EncryptAlgorithm.TRIPLE_DES_CBC
    keyed = put(case.message, Key.of(Ext.KEY_ENCRYPT, b"".join(parts)))
    return edit(keyed, Ext.SA, encrypt=cipher)


SOUND = tuple(bytes.fromhex(key) for key in ("0123456789abcdef", "23456789abcdef01", "456789abcdef0123"))
"""Keys of odd parity that are not weak."""


def takes_des(case: Case) -> bool:
    return case.submits and case.message.satype == SAType.ESP and case.has(Ext.KEY_ENCRYPT)


@mutation("R-3.1.2-05", "warning")
def key_of_wrong_parity(case: Case) -> Ways:
    if not takes_des(case):
        return None
    places = st.tuples(st.integers(0, 23), st.integers(0, 7))

    def changed(place: tuple[int, int]) -> Message:
        key = bytearray(b"".join(SOUND))
        key[place[0]] ^= 1 << place[1]
        return _with_des_key(case, bytes(key[:8]), bytes(key[8:16]), bytes(key[16:]))

    return places.map(changed)


@mutation("R-3.1.2-05", "warning")
def weak_key(case: Case) -> Ways:
    if not takes_des(case):
        return None
    weak = st.sampled_from(sorted(WEAK_DES_KEYS))
    return st.one_of(
        weak.map(lambda key: _with_des_key(case, key)),
        weak.map(lambda key: _with_des_key(case, SOUND[0], key, SOUND[2])),
    )


@mutation("R-3.1.2-05", "warning")
def key_that_repeats(case: Case) -> Ways:
    if not takes_des(case):
        return None
    one, two, _ = SOUND
    return one_of(_with_des_key(case, *parts) for parts in ((one, one, two), (one, two, two)))


@mutation("R-3.1.2-05", "warning")
def unknown_flag(case: Case) -> Ways:
    known = 0
    for bits in case.message.dialect.flags.values():
        known |= bits
    unknown = [1 << bit for bit in range(32) if not known >> bit & 1]
    return one_of(edit(case.message, Ext.SA, flags=flag) for flag in unknown) if case.submits else None


@mutation("R-3.1.2-13")
def key_in_the_answer_to_an_update(case: Case) -> Ways:
    if case.to_engine or case.message.type != Msg.UPDATE or case.form.keys != "none":
        return None
    sa = case.message.sa
    assert sa is not None
    lengths = case.grammar.keys.auth[sa.auth]
    return st.just(put(case.message, Key.of(Ext.KEY_AUTH, bytes(lengths.shortest // 8))))


@pytest.mark.requirement("R-2.3.1-02", "R-2.3.1-07", "R-2.3.2-02", "R-2.3.9-02", "R-3.1.2-06", "R-3.1.3-04")
@pytest.mark.requirement("R-3.5-04", "R-2.3.4-01", "R-2.3.4-04", "R-3.1.2-05", "R-3.1.2-13")
@pytest.mark.parametrize("broken", parameters(globals()))
@few
@given(data=st.data())
def test_mutation_breaks_its_rule(broken: Any, data: st.DataObject) -> None:
    assert_breaks(broken, data)
