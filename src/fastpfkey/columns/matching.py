"""Which rows of two tables have the same values in some columns: all at once, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..hotpath import classify
from .records import Positions
from .room import Array

Parts = Sequence[tuple[Array, Array]]
"""Columns of one table, each with its counterpart in the other."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number for each combination of values."""

    old: Positions
    new: Positions
    count: int


def numbered(parts: Parts) -> Numbers:
    """The number of each row; rows that are alike in all columns have the same."""
    columns = [np.ascontiguousarray(np.concatenate(pair)) for pair in parts]
    rows, before = len(columns[0]), len(parts[0][0])
    widths = [column.itemsize * (column.shape[1] if column.ndim == 2 else 1) for column in columns]
    numbers, firsts = np.empty(rows, np.uint32), np.empty(rows, np.uint32)
    octets = [column.reshape(-1).view(np.uint8).data for column in columns]
    count = classify(octets, widths, rows, numbers.data, firsts.data)
    return Numbers(numbers[:before].astype(np.int64), numbers[before:].astype(np.int64), count)


def matched(parts: Parts, finer: Parts = ()) -> tuple[Positions, Positions]:
    """Rows of both tables that are alike, each row once.

    Of rows that are alike within one table, those that agree in the finer columns too belong together, the first with
    the first.
    """
    found = numbered(parts)
    old, new, count = found.old, found.new, found.count
    repeated = (np.bincount(old, minlength=count) > 1) | (np.bincount(new, minlength=count) > 1)
    if repeated.any():
        exactly = numbered([*parts, *finer])
        each = numbered([(exactly.old, exactly.new), (_occurrences(exactly.old), _occurrences(exactly.new))])
        old = np.where(repeated[old], count + each.old, old)
        new = np.where(repeated[new], count + each.new, new)
        count += each.count
    places = np.full(count, -1, np.int64)
    places[new] = np.arange(len(new))
    partners = places[old]
    there = np.flatnonzero(partners >= 0)
    return there, partners[there]


def _occurrences(numbers: Positions) -> Positions:
    """How many rows before each have its number."""
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    begins = np.flatnonzero(np.concatenate([np.ones(min(len(ordered), 1), np.bool_), ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(begins, len(ordered)))
    found = np.empty(len(numbers), np.int64)
    found[order] = np.arange(len(ordered)) - np.repeat(begins, lengths)
    return found
