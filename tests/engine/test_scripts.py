"""The scripts that a real kernel is taken through as well (integration/inside/test_scripts.py), on the engine alone."""

import pytest
from scripts import RECORDED, SCRIPTS
from scripts.differences import BY_CHANCE, DIFFERENCES
from scripts.engine import EngineSockets
from scripts.runner import run, types
from scripts.script import title

from fastpfkey.spec.terms import MessageType as Msg


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_answered_and_leaves_nothing(name: str) -> None:
    script = SCRIPTS[name]
    sockets = EngineSockets(script.larval)
    outcomes = run(script, sockets)
    assert len(outcomes) == len(script.steps)
    assert sum(bool(outcome.heard) for outcome in outcomes) >= len(outcomes) // 2
    assert len(sockets.engine) == 0


def test_scripts_cover_what_can_be_heard() -> None:
    heard = set[Msg]().union(*(types(run(script, EngineSockets(script.larval))) for script in SCRIPTS.values()))
    unheard = {Msg.RESERVED, Msg.PCHANGE, Msg.SPDACQUIRE, Msg.SPDEXPIRE, Msg.NAT_T_NEW_MAPPING}
    linux = {Msg(term) for term in EngineSockets().engine.dialect.terms["message"].canonical.values()}
    assert linux - heard == unheard


def test_there_are_enough_recorded_cases() -> None:
    listed = len(DIFFERENCES["recorded"]) + len(BY_CHANCE)
    assert len(RECORDED.steps) - listed >= 150
    assert len({title(step) for step in RECORDED.steps}) == len(RECORDED.steps)


def test_listed_differences_have_a_step_and_a_reason() -> None:
    scripts = {**SCRIPTS, "recorded": RECORDED}
    for name, steps in DIFFERENCES.items():
        assert steps.keys() <= {title(step) for step in scripts[name].steps}
        assert all(steps.values())
    assert all(step in {title(item) for item in scripts[name].steps} for name, step in BY_CHANCE)
