"""Engines that start again behind the end of the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .support import Kept


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.state"


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., Kept]]:
    """Start an engine again, behind the end of the one before."""
    running: list[Kept] = []

    def again(where: Path = path, **how: object) -> Kept:
        for each in running:
            each.killed()
        running.append(Kept(where, **how))
        return running[-1]

    yield again
    for each in running:
        each.killed()
