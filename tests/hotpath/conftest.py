"""Both twins, whatever backend is live: the hot path is judged function by function."""

from __future__ import annotations

import pytest

from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import HotPath

from .made_up import ORDERS, Builder
from .twins import TWINS


@pytest.fixture(params=TWINS)
def twin(request: pytest.FixtureRequest) -> HotPath:
    return load(request.param)


@pytest.fixture(params=ORDERS)
def build(request: pytest.FixtureRequest) -> Builder:
    return Builder(request.param)
