"""Keys that several associations have, or one has twice, found without keeping a key.

Of every key a number is kept that only equal keys share. A key that comes again is at hand then, and that is when its
fingerprint is made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .associations import SATable
from .keys import KINDS, fingerprints

Numbers = npt.NDArray[np.uint64]


class Duplicate(NamedTuple):
    """A key that there is more than once."""

    keys: int
    """How many of the keys are this one."""
    fingerprint: str | None
    """Its salted hash; None without a salt."""


class Duplicates:
    """Finds them in tables that come one after the other."""

    def __init__(self, salt: bytes | None = None) -> None:
        self._salt = salt
        self._levels: list[Numbers] = []
        """Sorted numbers of all keys so far, each level more than twice as long as the next, so that few are sorted
        again."""
        self._prints: dict[int, str | None] = {}

    def add(self, table: SATable) -> None:
        """Take the keys of some more associations, which were decoded with them."""
        store = table.keys
        assert store is not None
        for kind in KINDS:
            marks = store.marks(kind)
            rows = np.flatnonzero(marks)
            numbers, first, counts = np.unique(marks[rows], return_index=True, return_counts=True)
            again = (counts > 1) | self._seen(numbers)
            again &= ~np.isin(numbers, np.array(list(self._prints), np.uint64))
            found = numbers[again].tolist()
            if self._salt is None:
                self._prints.update(dict.fromkeys(found))
            else:
                keys = store.take(rows[first[again]]).key_bytes(kind)
                self._prints.update(zip(found, fingerprints(keys, self._salt), strict=True))
            self._push(np.sort(marks[rows]))

    def found(self) -> list[Duplicate]:
        """The keys that were there more than once, the most frequent first."""
        numbers = np.array(list(self._prints), np.uint64)
        counts = np.zeros(len(numbers), np.int64)
        for level in self._levels:
            counts += np.searchsorted(level, numbers, "right") - np.searchsorted(level, numbers, "left")
        pairs = zip(counts.tolist(), self._prints.values(), strict=True)
        return sorted((Duplicate(*pair) for pair in pairs), key=lambda item: (-item.keys, item.fingerprint or ""))

    def _seen(self, numbers: Numbers) -> npt.NDArray[np.bool_]:
        seen = np.zeros(len(numbers), np.bool_)
        for level in self._levels:
            places = np.minimum(np.searchsorted(level, numbers), len(level) - 1)
            seen |= level[places] == numbers
        return seen

    def _push(self, numbers: Numbers) -> None:
        if not len(numbers):
            return
        while self._levels and len(self._levels[-1]) <= 2 * len(numbers):
            numbers = np.concatenate([self._levels.pop(), numbers])
        self._levels.append(np.sort(numbers))
