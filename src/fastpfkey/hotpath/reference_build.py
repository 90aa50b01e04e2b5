"""Building in Python and NumPy: which rows are alike, and the messages that templates and columns make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..spec.building import BuildOp, BuildPlan, BuildStep, Templates

if TYPE_CHECKING:
    from typing_extensions import Buffer

Array = npt.NDArray[Any]

TOO_SHORT = "build: a column, the offsets or the output is too short"
NO_TEMPLATE = "build: a row is of a shape that has no template"
OUTSIDE = "build: a step leaves its message"
STRING_END = "build: a string runs past the end of its buffer"


def classify(columns: Sequence[Buffer], widths: Sequence[int], rows: int, shapes: Buffer, firsts: Buffer) -> int:
    """Number the combinations of values that rows have in some columns, and return how many there are."""
    numbers, firsts_out = np.frombuffer(memoryview(shapes), np.uint32), np.frombuffer(memoryview(firsts), np.uint32)
    if len(numbers) < rows or len(firsts_out) < rows:
        raise IndexError("classify: an output is too short")
    if any(memoryview(column).nbytes < rows * width for column, width in zip(columns, widths, strict=True)):
        raise IndexError("classify: a column is too short")
    records = np.zeros((rows, sum(widths) + 1), np.uint8)  # one byte more, so that there is something to compare
    begin = 0
    for column, width in zip(columns, widths, strict=True):
        records[:, begin : begin + width] = _rows_of(column, width, rows)
        begin += width
    whole = records.view(f"V{records.shape[1]}")[:, 0]
    _, first, sorted_number = np.unique(whole, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first)
    rank = np.empty(len(first), np.uint32)
    rank[by_appearance] = np.arange(len(first))
    numbers[:rows] = rank[sorted_number]
    firsts_out[: len(first)] = first[by_appearance]
    return len(first)


def build(
    plan: BuildPlan,
    templates: Templates,
    shapes: Buffer,
    columns: Sequence[Buffer],
    strings: Sequence[tuple[Buffer, Buffer]],
    offsets: Buffer,
    out: Buffer,
) -> int:
    """Write a message for each row back to back, and where it begins; return the bytes written."""
    numbers = np.frombuffer(memoryview(shapes), np.uint32)
    lengths = np.frombuffer(templates.lengths, np.int32).astype(np.int64)
    places = np.frombuffer(templates.places, np.int32).reshape(len(lengths), len(plan.parts)).astype(np.int64)
    begins = np.frombuffer(memoryview(offsets), np.uint64)
    target = np.frombuffer(memoryview(out), np.uint8)
    texts = [(np.frombuffer(memoryview(text), np.uint8), _u64(starts)) for text, starts in strings]
    rows = len(numbers)
    if (numbers >= len(lengths)).any():
        raise IndexError(NO_TEMPLATE)
    sizes = lengths[numbers]
    total = int(sizes.sum())
    wide = zip(columns, plan.columns, strict=True)
    if (
        len(begins) < rows
        or len(target) < total
        or any(memoryview(item).nbytes < rows * told.width for item, told in wide)
        or any(len(starts) < rows for _, starts in texts)
    ):
        raise IndexError(TOO_SHORT)
    for step in plan.steps:
        _check(step, lengths, places, numbers, texts)
    at = np.cumsum(sizes) - sizes
    begins[:rows] = at
    octets, behind = np.frombuffer(templates.octets, np.uint8), 0
    for shape, length in enumerate(lengths.tolist()):
        template = octets[behind : behind + length]
        behind += length
        alike = np.flatnonzero(numbers == shape)
        target[at[alike][:, None] + np.arange(length)] = template
        for step in plan.steps:
            place = int(places[shape, step.part])
            if place >= 0:
                found = _bytes(step, alike, columns, texts, int(places[shape, step.width % len(plan.parts)]))
                target[(at[alike] + place + step.distance)[:, None] + np.arange(found.shape[1])] = found
    return total


def _check(
    step: BuildStep, lengths: Array, places: Array, numbers: Array, texts: Sequence[tuple[Array, Array]]
) -> None:
    """Raise IndexError if a step would write outside its message, or read outside its string."""
    at = places[:, step.part]
    there = at >= 0
    sizes = places[:, step.width] if step.op == BuildOp.BYTES else np.full(len(lengths), step.width)
    if (there & ((sizes < 0) | (at + step.distance + sizes > lengths))).any():
        raise IndexError(OUTSIDE)
    if step.op == BuildOp.BYTES:
        text, starts = texts[step.source]
        begin, size = starts[: len(numbers)], (sizes * there)[numbers].astype(np.uint64)
        inside = (begin <= len(text)) & (size <= np.uint64(len(text)) - np.minimum(begin, np.uint64(len(text))))
        if not (inside | (size == 0)).all():
            raise IndexError(STRING_END)


def _bytes(
    step: BuildStep, rows: Array, columns: Sequence[Buffer], texts: Sequence[tuple[Array, Array]], size: int
) -> Array:
    """What a step writes into the messages of some rows, one line each."""
    if step.op == BuildOp.BYTES:
        text, starts = texts[step.source]
        begin = starts[rows].astype(np.int64) * (size > 0)
        found: Array = text[begin[:, None] + np.arange(size)]
        return found
    if step.op == BuildOp.NUMBER:
        found = _rows_of(columns[step.source], step.width)[rows]
        return found[:, ::-1] if step.swap else found
    return _rows_of(columns[step.source], 16)[rows][:, 16 - step.width :]


def _rows_of(column: Buffer, width: int, rows: int = -1) -> Array:
    """A column as lines of bytes."""
    octets = np.frombuffer(memoryview(column), np.uint8)
    return octets[: len(octets) // width * width].reshape(-1, width)[: None if rows < 0 else rows]


def _u64(buffer: Buffer) -> Array:
    return np.frombuffer(memoryview(buffer), np.uint64)
