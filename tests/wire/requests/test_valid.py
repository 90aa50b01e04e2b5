"""Whatever the functions build of sound values, no engine of the dialect finds an error in it.

Each function is tried with every dialect whose grammar has its message. What it builds has to be all that a line of
the grammar asks for, and nothing that the line does not list; it is judged in that line's direction.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.spec import DIALECTS
from fastpfkey.spec import dialect as find_dialect
from fastpfkey.spec.grammar import Form, grammar
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.message import MessageValue

from .makers import MAKERS, acquire
from .sound import Sound

LINES = {name: grammar(find_dialect(name)).forms for name in DIALECTS}
CASES = [(name, type) for name in DIALECTS for type in MAKERS if type in {line.type for line in LINES[name]}]


def test_every_message_of_every_system_has_a_function() -> None:
    there = {line.type for lines in LINES.values() for line in lines}
    assert set(MAKERS) == there
    assert {item.name.lower() for item in there} <= set(requests.__all__)


def accepts(line: Form, message: MessageValue) -> bool:
    """Whether the message is all that the line asks for, and nothing beyond."""
    types = {part.exttype for part in message.extensions}
    chosen = all(len(types & set(group)) == 1 for group in line.one_of)
    return types <= line.known and types >= set(line.required) and chosen


several = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.requirement("R-2.4-01", "R-3.1.6-11")
@pytest.mark.parametrize(("name", "type"), CASES, ids=lambda item: str(item))
@several
@given(data=st.data())
def test_no_engine_finds_an_error(name: str, type: Msg, data: st.DataObject) -> None:
    sound = Sound(data.draw, name, type)
    for make in MAKERS[type]:
        if make is acquire and not any(Ext.PROPOSAL in line.known for line in sound.lines):
            continue
        message = make(sound)
        assert message.type is type
        lines = [line for line in sound.lines if accepts(line, message)]
        assert lines, message
        way: Any = "to-engine" if any(line.to_engine for line in lines) else "from-engine"
        found = pf.check(message, way)
        assert [item for item in found if item.level == "error" or item.rule == "R-2.4-01"] == [], message
        raw = message.encode()
        (decoded,) = pf.decode(raw, name)
        assert [item for item in pf.check(decoded, way) if item.level == "error"] == []
        assert decoded.encode() == raw
