"""Following messages that are numbered one after the other: the definition of `follow`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Fault
from ..spec.model import HEADER_SIZE
from ..spec.plan import Frame
from ..spec.rfc2367 import MSG
from .contract import Outcome
from .reference_blocks import Sorter

if TYPE_CHECKING:
    from typing_extensions import Buffer

_TYPE, _ERRNO, _SEQ, _PID = (MSG[name].offset for name in ("type", "errno", "seq", "pid"))

HIGHEST = 0xFFFFFFFF
"""The largest number of a message."""


def follow(buffer: Buffer, start: int, stop: int, frame: Frame, kind: int, pid: int, seq: int, step: int) -> Outcome:
    """Count good messages of a kind that tell of no error, are for `pid`, and are numbered from `seq` by `step`."""
    octets = np.frombuffer(memoryview(buffer), np.uint8)
    swapped = {"little": "big", "big": "little"}[sys.byteorder]
    order = swapped if frame.swap else sys.byteorder
    sorter = Sorter(buffer, start, stop, frame, False, order)
    word = np.dtype(np.uint32).newbyteorder("<" if order == "little" else ">")
    count, position = 0, start
    for block in sorter.blocks(max(0, stop - start)):
        begins = np.array(block.offsets, np.int64)
        heads = octets[begins[:, None] + np.arange(HEADER_SIZE)]
        numbers, pids = (np.ascontiguousarray(heads[:, at : at + 4]).view(word)[:, 0] for at in (_SEQ, _PID))
        wanted = seq + step * np.arange(count, count + len(begins))
        right = (heads[:, _TYPE] == kind) & (heads[:, _ERRNO] == 0) & (pids == pid)
        right &= (numbers == wanted) & (wanted > 0) & (wanted <= HIGHEST)
        if not right.all():
            first = int(np.argmin(right))
            return Outcome(count + first, Fault.NONE, block.offsets[first], block.offsets[first])
        count, position = count + len(begins), block.next
    return Outcome(count, Fault.NONE, position, position)
