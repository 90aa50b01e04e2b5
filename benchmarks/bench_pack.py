"""Laying datagrams out of their slots back to back, with both twins, beside memcpy of the same bytes."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from fastpfkey import hotpath
from fastpfkey.hotpath.contract import HotPath
from fastpfkey.wire.decode import decode

from .conftest import Octets, Row

STRIDE = 576
COUNT = 1024


@pytest.fixture(params=hotpath.BACKENDS)
def twin(request: pytest.FixtureRequest) -> HotPath:
    try:
        return hotpath.load(request.param)
    except ImportError:
        pytest.skip("this installation has no compiled modules")


def test_pack(part: Octets, twin: HotPath, row: Row) -> None:
    """As many messages as one system call receives."""
    messages = decode(part, "linux")[:COUNT]
    offsets = [*messages.offsets]
    lengths = array("I", [message.length for message in messages])
    slots = np.zeros(len(lengths) * STRIDE, np.uint8)
    for number, (offset, length) in enumerate(zip(offsets, lengths, strict=True)):
        slots[number * STRIDE : number * STRIDE + length] = part[offset : offset + length]
    whole = part[: offsets[-1] + lengths[-1]]
    out = np.zeros_like(whole)
    row("pack", whole, lambda: twin.pack(slots, STRIDE, lengths, 0, out))
    assert np.array_equal(out, whole)
