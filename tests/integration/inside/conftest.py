"""An empty kernel and a client of it for each test, and a network to send packets into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import fastpfkey as pf

from .witness import ip

HERE, THERE = "10.9.0.1", "10.9.0.2"
"""This machine's address on a network where nobody answers, and one that it would send to."""


@pytest.fixture
def client() -> Iterator[pf.Client]:
    with pf.Client.open("kernel") as opened:
        opened.spdflush()
        opened.flush()
        yield opened
        opened.spdflush()
        opened.flush()


@pytest.fixture
def other() -> Iterator[pf.Client]:
    """Another program."""
    with pf.Client.open("kernel") as opened:
        yield opened


@pytest.fixture
def network() -> Iterator[None]:
    """An interface that swallows what is sent."""
    ip("link", "add", "hole", "type", "dummy")
    ip("address", "add", f"{HERE}/24", "dev", "hole")
    ip("link", "set", "hole", "up")
    yield
    ip("link", "delete", "hole")
