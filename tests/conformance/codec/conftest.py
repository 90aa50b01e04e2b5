"""Both byte orders, for tests that ask for a builder."""

from __future__ import annotations

import pytest
from wire.build import Builder, HostOrder


@pytest.fixture(params=["little", "big"])
def build(request: pytest.FixtureRequest) -> Builder:
    order: HostOrder = request.param
    return Builder(order)
