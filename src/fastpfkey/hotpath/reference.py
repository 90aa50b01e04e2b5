"""The reference twin: the hot path's functions in Python and NumPy, the definition that the compiled twin has to match.

See `contract.HotPath` for what each function promises.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Fault
from ..spec.model import HEADER_SIZE, WORD
from ..spec.plan import ColumnPlan, Frame
from .contract import Outcome
from .reference_blocks import Block, Sorter
from .reference_build import build, classify
from .reference_columns import Writer
from .reference_follow import follow
from .reference_pool import slabs, wipe
from .reference_records import copy_records
from .reference_render import render
from .reference_shapes import LENGTH

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "build",
    "classify",
    "copy_records",
    "decode",
    "follow",
    "gather",
    "hop",
    "pack",
    "render",
    "slabs",
    "walk",
    "wipe",
]


def _byteorder(swap: bool) -> str:
    return {"little": "big", "big": "little"}[sys.byteorder] if swap else sys.byteorder


def _outcome(count: int, block: Block | None, start: int) -> Outcome:
    if block is None:
        return Outcome(count, Fault.NONE, start, start)
    return Outcome(count, block.fault, block.position if block.fault else block.next, block.next)


def walk(buffer: Buffer, start: int, stop: int, frame: Frame, strict: bool, offsets: Buffer) -> Outcome:
    """Validate messages and write the offset of each into `offsets` (uint64) until it is full."""
    out = np.frombuffer(memoryview(offsets), np.uint64)
    sorter = Sorter(buffer, start, stop, frame, strict, _byteorder(frame.swap))
    count, block = 0, None
    for block in sorter.blocks(len(out)):
        out[count : count + len(block.offsets)] = block.offsets
        count += len(block.offsets)
    return _outcome(count, block, start)


def decode(
    buffer: Buffer,
    start: int,
    stop: int,
    plan: ColumnPlan,
    strict: bool,
    columns: Sequence[Buffer],
    row: int,
    rows: int,
) -> Outcome:
    """Validate messages and write one row each into `columns`, from `row` up to `rows`."""
    writer = Writer(plan, columns, rows)
    sorter = Sorter(buffer, start, stop, plan.frame, strict, _byteorder(plan.frame.swap))
    count, block = 0, None
    for block in sorter.blocks(rows - row):
        writer.write(block, row + count)
        count += len(block.offsets)
    return _outcome(count, block, start)


def hop(buffer: Buffer, start: int, stop: int, swap: bool, target: int) -> Outcome:
    """Go from header to header until a message begins at or behind `target`, and count the messages."""
    view = memoryview(buffer).cast("B")
    stop = min(stop, len(view))
    order = _byteorder(swap)
    count, position = 0, start
    while position < target and stop - position >= HEADER_SIZE:
        length = int.from_bytes(view[position + LENGTH : position + LENGTH + 2], order) * WORD  # type: ignore[arg-type]
        if not HEADER_SIZE <= length <= stop - position:
            break
        position += length
        count += 1
    return Outcome(count, Fault.NONE, position, position)


def gather(buffer: Buffer, offsets: Buffer, bits: Buffer, store: Buffer) -> int:
    """Copy byte strings back to back into `store`, and return how many bytes were written."""
    source = np.frombuffer(memoryview(buffer), np.uint8)
    begin = np.frombuffer(memoryview(offsets), np.uint64).astype(np.int64)
    size = (np.frombuffer(memoryview(bits), np.uint16).astype(np.int64) + 7) // 8
    target = np.frombuffer(memoryview(store), np.uint8)
    total = int(size.sum())
    taken = size > 0
    if len(begin) != len(size) or total > len(target) or (begin[taken] < 0).any():
        raise IndexError("gather: the store is too short, or offsets and bits differ in number")
    if (begin[taken] > len(source) - size[taken]).any():
        raise IndexError("gather: a string runs past the end of the buffer")
    places = np.repeat(begin - (np.cumsum(size) - size), size) + np.arange(total)
    target[:total] = source[places]
    return total


def pack(slots: Buffer, stride: int, lengths: Buffer, first: int, out: Buffer) -> tuple[int, int]:
    """Copy datagrams that are as long as their headers say from their slots back to back into `out`."""
    source, target = memoryview(slots).cast("B"), memoryview(out).cast("B")
    sizes = memoryview(lengths)
    if first < 0 or stride < 0 or len(sizes) * stride > len(source):
        raise IndexError("pack: there are fewer slots than lengths, or a number is negative")
    number, written = first, 0
    for size in sizes[first:]:
        begin = number * stride
        claimed = int.from_bytes(source[begin + LENGTH : begin + LENGTH + 2], sys.byteorder) * WORD
        if not HEADER_SIZE <= size <= min(stride, len(target) - written) or size != claimed:
            break
        target[written : written + size] = source[begin : begin + size]
        number, written = number + 1, written + size
    return number, written
