"""Hypothesis builds valid messages by the grammar of each system, in both byte orders."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.spec import DIALECTS

from .messages import messages

several = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.requirement("R-2-01", "R-2.3-11")
@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("name", DIALECTS)
@several
@given(data=st.data())
def test_nothing_is_lost_and_nothing_is_wrong(name: str, byteorder: Any, data: st.DataObject) -> None:
    message, to_engine = data.draw(messages(name))
    raw = message.encode(byteorder=byteorder)
    (decoded,) = pf.decode(raw, name, byteorder)
    assert decoded == message
    assert decoded.encode() == raw
    way: Any = "to-engine" if to_engine else "from-engine"
    for judged in (message, decoded):
        assert [item for item in pf.check(judged, way) if item.level == "error"] == []
