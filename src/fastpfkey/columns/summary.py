"""How many rows of a table have the same values."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .associations import SATable


def counts(table: SATable, *names: str) -> Counter[tuple[object, ...]]:
    """Rows counted by the labels of some columns, counted as numbers and labelled once for each combination."""
    if not len(table):
        return Counter()
    numbers = np.stack([table[name].astype(np.int64) for name in names])
    _, first, count = np.unique(numbers, axis=1, return_index=True, return_counts=True)
    labels = table[first].rows(names)
    return Counter({tuple(row.values()): number for row, number in zip(labels, count.tolist(), strict=True)})
