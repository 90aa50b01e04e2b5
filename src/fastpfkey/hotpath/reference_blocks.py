"""Messages sorted by shape, a block at a time: the common first half of walking and decoding.

Headers are followed one by one. The messages of a block that have the same length become one matrix of 8-byte words,
and whole matrices are compared with the guards of the shapes known so far; only a message that fits none is examined.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import Fault
from ..spec.model import WORD
from ..spec.plan import Frame
from .reference_shapes import Examiner, FaultFound, Shape

if TYPE_CHECKING:
    from typing_extensions import Buffer

BLOCK = 8192
"""Messages of a block."""

MAX_SHAPES = 64
"""Shapes compared with a matrix; messages beyond them are examined one by one, so hostile input costs linear time."""

Words = npt.NDArray[np.uint64]


@dataclass
class Group:
    """The messages of a block that have one shape."""

    shape: Shape
    rows: npt.NDArray[np.intp]
    """Which messages of the block, ascending."""
    words: Words
    """(len(rows), shape.length // 8) words of the messages."""


@dataclass
class Block:
    """Consecutive good messages, and the fault that ended them, if one did."""

    offsets: list[int] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    next: int = 0
    fault: Fault = Fault.NONE
    position: int = 0


class Sorter:
    """Cuts a buffer into blocks."""

    def __init__(self, buffer: Buffer, start: int, stop: int, frame: Frame, strict: bool, byteorder: str) -> None:
        view = memoryview(buffer).cast("B")
        self.stop = min(stop, len(view))
        self.position = self.start = start
        self.examiner = Examiner(view, frame, strict, byteorder)
        aligned = max(0, self.stop - start) // WORD * WORD
        self.words = np.frombuffer(view, np.uint8)[start : start + aligned].view(np.uint64)
        self.known: dict[int, list[tuple[Shape, Words, Words]]] = {}

    def blocks(self, room: int) -> Iterator[Block]:
        """Blocks of at most BLOCK messages until `room` messages have come, the buffer ends, or a fault."""
        while room > 0 and self.position < self.stop:
            block = self.block(min(room, BLOCK))
            room -= len(block.offsets)
            yield block
            if block.fault:
                return

    def block(self, room: int) -> Block:
        """The next block."""
        block = Block(next=self.position)
        lengths: list[int] = []
        while len(lengths) < room and self.position < self.stop:
            try:
                length = self.examiner.header(self.position, self.stop)
            except FaultFound as found:
                block.fault, block.position = found.fault, found.position
                break
            block.offsets.append(self.position)
            lengths.append(length)
            self.position += length
        self.sort(block, np.array(lengths, np.intp))
        block.next = self.position
        return block

    def sort(self, block: Block, lengths: npt.NDArray[np.intp]) -> None:
        """Put the messages of a block into groups; cut the block before its first faulty message."""
        offsets = np.array(block.offsets, np.intp)
        good = len(lengths)
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            indices = (offsets[rows] - self.start) // WORD
            matrix = self.words[indices[:, None] + np.arange(length // WORD)]
            for shape, fits in self.shapes(block, rows, matrix):
                if isinstance(shape, FaultFound):
                    if rows[fits[0]] < good:
                        good = int(rows[fits[0]])
                        block.fault, block.position = shape.fault, shape.position
                    break
                block.groups.append(Group(shape, rows[fits], matrix[fits]))
        if good < len(lengths):
            self.position = block.offsets[good]
            del block.offsets[good:]
            block.groups = [trimmed for group in block.groups if (trimmed := trim(group, good)) is not None]

    def shapes(
        self, block: Block, rows: npt.NDArray[np.intp], matrix: Words
    ) -> Iterator[tuple[Shape | FaultFound, npt.NDArray[np.intp]]]:
        """Shapes, and the lines of the matrix that have each; a message that has none comes as its fault."""
        known = self.known.setdefault(matrix.shape[1], [])
        left = np.arange(len(matrix))
        for shape, mask, value in known:
            fits = ((matrix[left] & mask) == value).all(axis=1)
            if fits.any():
                yield shape, left[fits]
                left = left[~fits]
        while len(left):
            try:
                shape = self.examiner.examine(block.offsets[rows[left[0]]], self.stop)
            except FaultFound as found:
                yield found, left[:1]
                return
            fits = np.arange(len(left)) == 0
            if len(known) < MAX_SHAPES:
                mask, value = shape.guards()
                known.append((shape, mask, value))
                fits = ((matrix[left] & mask) == value).all(axis=1)
            yield shape, left[fits]
            left = left[~fits]


def trim(group: Group, good: int) -> Group | None:
    """The part of a group that lies before message `good` of its block."""
    keep = int(np.searchsorted(group.rows, good))
    return Group(group.shape, group.rows[:keep], group.words[:keep]) if keep else None
