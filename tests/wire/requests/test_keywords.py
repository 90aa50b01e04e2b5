"""A keyword that a request does not take is an error, and never lost without a word."""

from __future__ import annotations

import inspect

import pytest

import fastpfkey as pf
from fastpfkey import requests

PASSED_ON = [
    name
    for name in requests.__all__
    if any(each.kind is each.VAR_KEYWORD for each in inspect.signature(getattr(requests, name)).parameters.values())
]


@pytest.mark.parametrize("name", PASSED_ON)
def test_a_keyword_that_nobody_takes_is_told(name: str) -> None:
    function = getattr(requests, name)
    needed = [None for each in inspect.signature(function).parameters.values() if each.default is each.empty][:-1]
    with pytest.raises(TypeError, match="there is no keyword 'colour'"):
        function(*needed, colour=1)


def test_what_may_be_meant_is_said() -> None:
    with pytest.raises(TypeError, match="add: there is no keyword 'hardd'; is 'hard' meant"):
        requests.add("esp", 1, "192.0.2.1", "192.0.2.2", hardd=60)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="spdadd: there is no keyword 'auth'"):
        requests.spdadd("10.0.0.0/8", "10.1.0.0/16", requests.policy("in"), auth="none")  # type: ignore[call-arg]


def test_building_in_bulk_tells_it_too() -> None:
    table = pf.SATable.from_buffer(b"", "linux", keys=True)
    with pytest.raises(TypeError, match="build_add: there is no keyword 'poool'; is 'pool' meant"):
        pf.build_add(table, poool=None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="build_dump: there is no keyword 'seq'"):
        pf.build_dump(table, seq=1)  # type: ignore[call-arg]
