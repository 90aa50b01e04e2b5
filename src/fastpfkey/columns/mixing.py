"""One number of 64 bits for each row of several, equal where the rows are: what tables are joined and counted by.

Different rows have different numbers but for one chance in 2**64 or so a pair, whoever made them, because the
multipliers are drawn anew in every process. They must not be shown: they tell of what they were made from.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .room import Array

Numbers = npt.NDArray[np.uint64]

WORDS = 1024
"""Multipliers there are: as many words as the longest row may have, which is a key of 65,535 bits."""

_MULTIPLIERS = np.array([secrets.randbits(64) | 1 for _ in range(WORDS + 1)], np.uint64)


def mixed(columns: Sequence[Array]) -> Numbers:
    """A number for each row of columns of unsigned integers; addresses are two words each."""
    words = [word for column in columns for word in _words(column)]
    found = np.full(len(words[0]), _MULTIPLIERS[WORDS], np.uint64)
    for word, multiplier in zip(words, _MULTIPLIERS, strict=False):
        found ^= word
        found *= multiplier
        found ^= found >> np.uint64(32)
    return found


def _words(column: Array) -> list[Numbers]:
    if column.ndim == 1:
        return [column.astype(np.uint64)]
    halves = np.ascontiguousarray(column).view(np.uint64)
    return [halves[:, place] for place in range(halves.shape[1])]
