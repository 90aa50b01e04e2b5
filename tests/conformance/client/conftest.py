"""The engine and the client of the transport tests, in the blocking kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from transport.fake import FakeEngine

import fastpfkey as pf


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[pf.Client]:
    with pf.Client.open(engine, timeout=0.2) as opened:
        yield opened
