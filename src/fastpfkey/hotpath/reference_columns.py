"""Columns of one block, normative: which bytes of a message become which value of which column.

A shape turns the plan into a list of steps with fixed offsets, once; then each step moves one field of all messages of
the shape at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..spec.plan import ColumnOp, ColumnPlan, ColumnRow
from ..spec.terms import UNKNOWN
from .reference_blocks import Block, Group
from .reference_shapes import Shape

if TYPE_CHECKING:
    from typing_extensions import Buffer

Array = npt.NDArray[Any]
Step = Callable[[Array, Array], Array]
"""(bytes of the messages as a matrix, their offsets in the buffer) -> values, or one value for all."""

V4_MAPPED = bytes(10) + b"\xff\xff"


class Writer:
    """Writes blocks into the caller's columns by a plan."""

    def __init__(self, plan: ColumnPlan, columns: Sequence[Buffer], rows: int) -> None:
        self.plan = plan
        self.lookups = [np.array(table, np.uint16) for table in plan.lookups]
        self.families = {item.number: item for item in plan.frame.families}
        self.columns = [_column(buffer, item.width, rows) for buffer, item in zip(columns, plan.columns, strict=True)]
        self.programs: dict[int, dict[int, Step]] = {}

    def write(self, block: Block, row: int) -> None:
        """Write the messages of a block as rows from `row` on."""
        offsets = np.array(block.offsets, np.uint64)
        for column in self.columns:
            column[row : row + len(offsets)] = 0
        for group in block.groups:
            self.write_group(group, offsets[group.rows], row + group.rows)

    def write_group(self, group: Group, offsets: Array, rows: Array) -> None:
        """Write the messages of one shape."""
        program = self.programs.get(id(group.shape))
        if program is None:
            program = self.programs[id(group.shape)] = self.program(group.shape)
        messages = group.words.view(np.uint8)
        for place, step in program.items():
            self.columns[place][rows] = step(messages, offsets)

    def program(self, shape: Shape) -> dict[int, Step]:
        """The steps for a shape by column; of several rows that apply to a column the last counts."""
        steps: dict[int, Step] = {}
        for row in self.plan.rows:
            if row.satype >= 0 and row.satype != shape.satype:
                continue
            extent = (0, shape.length) if row.extension < 0 else shape.extents.get(row.extension)
            if extent is None or extent[1] < row.minimum:
                continue
            steps[row.column] = self.step(row, shape, extent[0], extent[1])
        return steps

    def step(self, row: ColumnRow, shape: Shape, begin: int, length: int) -> Step:
        """What one row does in a shape whose extension has this place and length."""
        at = begin + row.source
        match row.op:
            case ColumnOp.COPY:
                return _copy(at, row)
            case ColumnOp.MAP:
                return _map(at, row, self.lookups[row.lookup])
            case ColumnOp.TAIL_OFFSET:
                return lambda messages, offsets: offsets + np.uint64(at)
            case ColumnOp.TAIL_LENGTH:
                return _constant(length - row.source)
            case ColumnOp.MESSAGE_OFFSET:
                return lambda messages, offsets: offsets
            case ColumnOp.MESSAGE_LENGTH:
                return _constant(shape.length)
            case ColumnOp.PRESENT:
                return _constant(shape.present)
            case ColumnOp.OTHERS:
                return _constant(shape.others)
            case _:
                return self.sockaddr_step(row, shape, at)

    def sockaddr_step(self, row: ColumnRow, shape: Shape, at: int) -> Step:
        """A part of the sockaddr at `at`, whose family is the same in all messages of the shape."""
        first = at + self.plan.frame.family_offset
        order = "big" if (self.plan.frame.swap == (np.little_endian)) else "little"
        raw = bytes(shape.seen.get(offset, 0) for offset in range(first, first + self.plan.frame.family_width))
        number = int.from_bytes(raw, order)  # type: ignore[arg-type]
        family = self.families.get(number)
        if row.op == ColumnOp.FAMILY:
            return _constant(family.version if family else number and UNKNOWN + min(number, UNKNOWN - 1))
        if family is None or (row.op == ColumnOp.SCOPE and family.scope < 0):
            return _constant(0)
        if row.op == ColumnOp.IP:
            return _ip(at + family.address, family.version)
        if row.op == ColumnOp.PREFIX:
            return _prefix(at + family.address, 4 if family.version == 4 else 16)
        return _copy(at + (family.port if row.op == ColumnOp.PORT else family.scope), row)


def _column(buffer: Buffer, width: int, rows: int) -> Array:
    data: Array = np.frombuffer(memoryview(buffer), np.uint8)[: rows * width]
    return data.reshape(-1, 16) if width == 16 else data.view(f"u{width}")


def _constant(value: int) -> Step:
    return lambda messages, offsets: np.uint64(value)  # type: ignore[return-value]


def _number(messages: Array, at: int, row: ColumnRow) -> Array:
    values = np.ascontiguousarray(messages[:, at : at + row.width]).view(f"u{row.width}")[:, 0]
    return values.byteswap() if row.swap else values


def _copy(at: int, row: ColumnRow) -> Step:
    if row.width == 16:
        return lambda messages, offsets: messages[:, at : at + 16]
    return lambda messages, offsets: _number(messages, at, row).astype(f"u{row.column_width}") << row.shift


def _map(at: int, row: ColumnRow, lookup: Array) -> Step:
    def step(messages: Array, offsets: Array) -> Array:
        numbers = _number(messages, at, row).astype(np.uint32)
        unknown = UNKNOWN + np.minimum(numbers, UNKNOWN - 1)
        return np.where(numbers < len(lookup), lookup[np.minimum(numbers, len(lookup) - 1)], unknown)

    return step


def _ip(at: int, version: int) -> Step:
    if version == 6:
        return lambda messages, offsets: messages[:, at : at + 16]

    def step(messages: Array, offsets: Array) -> Array:
        mapped = np.empty((len(messages), 16), np.uint8)
        mapped[:, :12] = np.frombuffer(V4_MAPPED, np.uint8)
        mapped[:, 12:] = messages[:, at : at + 4]
        return mapped

    return step


def _prefix(at: int, size: int) -> Step:
    def step(messages: Array, offsets: Array) -> Array:
        ones = np.unpackbits(messages[:, at : at + size], axis=1)
        return np.where(ones.all(axis=1), 8 * size, ones.argmin(axis=1))

    return step
