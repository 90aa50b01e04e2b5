"""The machine as a whole: what ran inside is at least what this project promises to run there."""

from __future__ import annotations

import pytest

from . import machine
from .conftest import once

FLOOR = 338
"""Tests that run inside, or more. Raised with every test that is added there, so that none can go missing."""


@pytest.mark.slow
def test_as_many_tests_ran_inside_as_there_should_be(request: pytest.FixtureRequest) -> None:
    if reason := machine.missing():
        machine.refuse(reason)
    run = once(request.config, [machine.FOLDER.relative_to(machine.TREE).as_posix()])
    assert run.ran >= FLOOR, run.console
