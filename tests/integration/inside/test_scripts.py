"""The same scripts on the engine's Linux profile and on the kernel: message by message, the same is heard by the same.

What deliberately differs is in scripts/normal.py, for all messages, and in scripts/differences.py, step by step.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from scripts import RECORDED, SCRIPTS
from scripts.differences import BY_CHANCE, DIFFERENCES
from scripts.engine import EngineSockets
from scripts.runner import Outcome, run

import fastpfkey as pf

from .sockets import LARVAL, KernelSockets

RECORDING = "recorded"


@pytest.fixture(autouse=True)
def _clean(client: pf.Client, network: None) -> Iterator[None]:
    """Empty tables before and after, and the kernel's usual time for what is larval."""
    yield
    LARVAL.write_text("30", encoding="ascii")


@pytest.mark.parametrize("name", SCRIPTS)
def test_engine_and_kernel_say_the_same(name: str) -> None:
    script = SCRIPTS[name]
    pairs = list(zip(run(script, EngineSockets(script.larval)), run(script, KernelSockets(script.larval)), strict=True))
    for engine, kernel in pairs:
        compare(name, engine, kernel)
    assert {engine.title for engine, _ in pairs} >= DIFFERENCES.get(name, {}).keys()


@cache
def recorded() -> dict[str, tuple[Outcome, Outcome]]:
    """Each request of the recording with what became of it: one run, because they follow from each other."""
    both = zip(run(RECORDED, EngineSockets()), run(RECORDED, KernelSockets()), strict=True)
    return {engine.title: (engine, kernel) for engine, kernel in both}


@pytest.mark.parametrize("case", [step.name for step in RECORDED.steps])
def test_unusual_requests(case: str) -> None:
    compare(RECORDING, *recorded()[case])


def compare(script: str, engine: Outcome, kernel: Outcome) -> None:
    """A step is the same on both, unless it is listed; then it is not."""
    if (script, engine.title) in BY_CHANCE:
        return
    reason = DIFFERENCES.get(script, {}).get(engine.title)
    if reason:
        assert engine != kernel, f"{engine.title} is not as in the list of differences: {reason}"
        return
    assert engine.errno == kernel.errno, engine.title
    for name in sorted({*engine.heard, *kernel.heard}):
        said = f"{engine.title}, heard by {name}"
        assert (said, *engine.heard.get(name, ())) == (said, *kernel.heard.get(name, ()))
