"""`check` whatever it is given: hostile bytes, other dialects' messages, systems that nobody foresaw, plain numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.wire.extensions import SA, Key
from fastpfkey.wire.extensions_ipsec import SA2, NATTEncapsulation, Policy, PolicyRequest
from fastpfkey.wire.message import MessageValue
from fastpfkey.wire.rules import RULES
from fastpfkey.wire.rules.subject import Subject

from .mutations.cases import CASES

WAYS: tuple[Any, ...] = ("to-engine", "from-engine")
Ext = pf.ExtensionType


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_can_be_read_is_judged(data: st.DataObject) -> None:
    """Golden messages with other bytes in them, by any grammar and either way."""
    case = data.draw(st.sampled_from(CASES))
    raw = bytearray(case.message.raw)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    batch = pf.decode(raw, case.dialect, case.byteorder, on_error="stop")
    for message in batch:
        name = data.draw(st.sampled_from([None, *DIALECTS]))
        for violation in pf.check(message, data.draw(st.sampled_from(WAYS)), name):
            assert violation.level in ("error", "warning")
            assert violation.sentence
            assert str(violation).startswith(f"{violation.level} {violation.rule}: ")


@settings(max_examples=300)
@given(data=st.data())
def test_rules_that_are_passed_over_have_nothing_to_say(data: st.DataObject) -> None:
    """Judged by every rule of the direction, a message has the same flaws."""
    case = data.draw(st.sampled_from(CASES))
    raw = bytearray(case.message.raw)
    for _ in range(data.draw(st.integers(0, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    to_engine = data.draw(st.booleans())
    for message in pf.decode(raw, case.dialect, case.byteorder, on_error="stop"):
        name = data.draw(st.sampled_from([case.dialect, *DIALECTS]))
        subject = Subject(message, to_engine, dialect(name))
        rules = [item for item in RULES if item.way in (None, to_engine)]
        rules = [item for item in rules if item.of_errors or not subject.reports_error]
        wanted = [item.violation(finding) for item in rules for finding in item.judge(subject)]
        assert pf.check(message, "to-engine" if to_engine else "from-engine", name) == wanted


@given(data=st.data())
def test_no_sentence_has_a_key_in_it(data: st.DataObject) -> None:
    """Nor its number, whatever is wrong with it: too short, weak, without parity, or of the wrong algorithm."""
    case = data.draw(st.sampled_from([case for case in CASES if case.has(Ext.KEY_AUTH)]))
    secret = data.draw(st.binary(min_size=8, max_size=40).filter(lambda key: len(set(key)) > 5))
    keys = tuple(Key.of(exttype, secret) for exttype in (Ext.KEY_AUTH, Ext.KEY_ENCRYPT))
    kept = [item for item in case.message.extensions if not isinstance(item, Key)]
    message = case.message.replace(extensions=(*kept, *keys))
    text = " ".join(item.sentence + repr(item) for way in WAYS for item in pf.check(message, way))
    for shown in (secret.hex(), repr(secret)[2:-1], str(int.from_bytes(secret, "big")), str(list(secret))):
        assert shown not in text


def test_numbers_do_for_terms() -> None:
    """As `encode` takes them, which type checkers do not."""
    number: Any = 99
    parts = (
        SA(0x1000, state=number, auth=number, encrypt=number),
        SA2(mode=number),
        NATTEncapsulation(number),
        Policy(number, number, requests=(PolicyRequest(50, number, number),)),
    )
    for type in (pf.MessageType.ADD, pf.MessageType.UPDATE, pf.MessageType.SPDADD):
        for satype in (pf.SAType.ESP, pf.SAType.IPCOMP):
            message = MessageValue(type, satype, extensions=parts)
            assert {"error", "warning"} >= {
                item.level for name in DIALECTS for item in pf.check(message, "to-engine", name)
            }
            assert "CODE_99" in " ".join(item.sentence for item in pf.check(message, "to-engine", "linux"))


@pytest.mark.requirement("R-2.3-06")
def test_a_system_that_nobody_foresaw_is_held_to_the_rfc() -> None:
    """Its own messages are its own business."""
    made_up = dialect("linux").derive("made-up")
    sound = [case for case in CASES if case.dialect == "rfc2367" and case.byteorder == "little"]
    for case in sound:
        assert [item for item in pf.check(case.message, case.direction, made_up) if item.level == "error"] == []
    spdadd = next(case for case in CASES if case.name == "spdadd_transport" and case.dialect == "linux")
    assert pf.check(spdadd.message, "to-engine", made_up) == []
    empty = MessageValue(pf.MessageType.ADD, pf.SAType.ESP, dialect=made_up)
    assert {item.rule for item in pf.check(empty)} == {"R-2.3.1-01", "R-3.1.3-06"}


def test_another_dialect_s_grammar_is_another_judgement() -> None:
    """Linux keeps no ESP without a key extension for NULL, which the RFC lets pass; the RFC wants no SA2."""
    null = next(case for case in CASES if case.name == "add_esp_null_encryption_with_soft_only")
    assert [item.rule for item in pf.check(null.message, "to-engine") if item.level == "error"] == []
    assert {item.rule for item in pf.check(null.message, "to-engine", "linux") if item.level == "error"} == {
        "R-3.1.3-06",
        "X-lifetimes",
    }
    assert {item.extension for item in pf.check(null.message, "to-engine", "linux")} == {
        Ext.KEY_ENCRYPT,
        Ext.LIFETIME_HARD,
    }
