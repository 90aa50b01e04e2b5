"""What a table of associations is made of: how many of each kind, how old and how used, and what should worry.

Tables are taken one after the other and forgotten. Ages depend on when "now" is, which for a recording nobody knows
before its end, so moments are counted by the second and compared when all of them are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..spec import weakness
from ..spec.grammar_keys import COMBINED
from ..spec.terms import AuthAlgorithm, EncryptAlgorithm, SAType
from ..spec.weakness import Weakness
from .associations import SATable
from .duplicates import Duplicate, Duplicates
from .room import Array

COUNTED = ("satype", "state", "mode", "encrypt", "auth")
"""Columns whose names are counted."""

COLUMNS = (
    *COUNTED,
    *("spi", "src", "dst", "src_family", "reqid", "key_auth_bits", "key_encrypt_bits"),
    *(f"current_{what}" for what in ("allocations", "bytes", "addtime", "usetime")),
    *(f"soft_{what}" for what in ("allocations", "bytes", "addtime", "usetime")),
)
"""What has to be known of associations."""

AGES = (60, 600, 3600, 8 * 3600, 86400, 7 * 86400, 30 * 86400)
"""Seconds at which a step of the histogram of ages ends."""

SIZES = tuple(10**power for power in (0, 3, 6, 9, 12, 15))
"""Bytes at which a step of the histogram of traffic ends."""

NEVER = np.iinfo(np.uint64).max
"""A moment that does not come."""


class Step(NamedTuple):
    """A step of a histogram: from `begin` up to `end`, which is None for the last."""

    begin: int
    end: int | None
    associations: int


class Finding(NamedTuple):
    """Associations that protect less than they should."""

    column: str
    """Which algorithm is meant: encrypt or auth."""
    algorithm: str
    weakness: Weakness
    associations: int


class Statistics:
    """Counts of associations, table by table."""

    def __init__(self, salt: bytes | None = None) -> None:
        self.total = 0
        self.counts: dict[str, Counter[str | None]] = {name: Counter() for name in (*COUNTED, "family")}
        """Rows by what they are called; None for those that do not say."""
        self._weak: Counter[tuple[str, str, Weakness]] = Counter()
        self._created: Counter[int] = Counter()
        self._limits: Counter[int] = Counter()
        self._sizes = np.zeros(len(SIZES) + 1, np.int64)
        self._latest = 0
        self._keys = Duplicates(salt)

    def add(self, table: SATable) -> None:
        """Take some associations, decoded with `COLUMNS` and keys."""
        self.total += len(table)
        for name in COUNTED:
            self.counts[name] += _named(table, name)
        versions = np.bincount(np.where(np.isin(table["src_family"], (4, 6)), table["src_family"], 0), minlength=7)
        self.counts["family"] += Counter({"IPv4": int(versions[4]), "IPv6": int(versions[6]), None: int(versions[0])})
        self._weak += _weak(table)
        self._sizes += np.bincount(np.digitize(table["current_bytes"], SIZES), minlength=len(SIZES) + 1)
        created, used = table["current_addtime"], table["current_usetime"]
        self._latest = max(self._latest, int(created.max(initial=0)), int(used.max(initial=0)))
        self._created += _counted(created[created > 0])
        self._limits += _counted(soft_limits(table))
        self._keys.add(table)

    @property
    def latest(self) -> int:
        """The latest moment that an association tells of, in seconds since 1970: a recording is not older."""
        return self._latest

    @property
    def sizes(self) -> list[Step]:
        """How many associations carried how many bytes."""
        return _steps(SIZES, self._sizes.tolist())

    def ages(self, now: int) -> list[Step]:
        """How many associations are how many seconds old. Those whose creation is unknown are not counted."""
        counts = [0] * (len(AGES) + 1)
        for moment, count in self._created.items():
            counts[int(np.digitize(max(now - moment, 0), AGES))] += count
        return _steps(AGES, counts)

    def past_soft_limit(self, now: int) -> int:
        """Associations that have reached a soft limit, of time or of volume."""
        return sum(count for moment, count in self._limits.items() if moment <= now)

    def weak(self) -> list[Finding]:
        """What should not be used any more, the most frequent first."""
        return [Finding(*what, count) for what, count in self._weak.most_common()]

    def duplicate_keys(self) -> list[Duplicate]:
        """Keys that there are more than once."""
        return self._keys.found()


def soft_limits(table: SATable) -> Array:
    """The moment at which each association reaches its soft limit; 0 if its volume has, and `NEVER` without one."""
    found = np.full(len(table), NEVER, np.uint64)
    for what in ("addtime", "usetime"):
        begin, limit = table[f"current_{what}"], table[f"soft_{what}"]
        ends = (begin > 0) & (limit > 0) & (limit < NEVER - begin)
        found[ends] = np.minimum(found[ends], begin[ends] + limit[ends])
    for what in ("allocations", "bytes"):
        limit = table[f"soft_{what}"]
        found[(limit > 0) & (table[f"current_{what}"] >= limit)] = 0
    return found


def _named(table: SATable, name: str) -> Counter[str | None]:
    """Rows by the label of a column."""
    coded = table._coded(name)
    if coded is None:
        return Counter({None: len(table)})
    places, labels = coded
    missing = table.null(name)
    counts = np.bincount(places[~missing], minlength=len(labels)).tolist()
    found: Counter[str | None] = Counter(dict(zip(labels, counts, strict=True)))
    found[None] = int(missing.sum())
    return +found


def _counted(moments: Array) -> Counter[int]:
    values, counts = np.unique(moments, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _steps(ends: tuple[int, ...], counts: list[int]) -> list[Step]:
    return [Step(begin, end, count) for begin, end, count in zip((0, *ends), (*ends, None), counts, strict=True)]


def _weak(table: SATable) -> Counter[tuple[str, str, Weakness]]:
    """Associations by what is weak in them. Compression protects nothing, and is not asked to."""
    auth, encrypt, satype = table["auth"], table["encrypt"], table["satype"]
    encrypts, protects = satype == SAType.ESP, satype != SAType.IPCOMP
    weak = {
        "encrypt": encrypts & np.isin(encrypt, list(weakness.WEAK_ENCRYPT)),
        "auth": protects & np.isin(auth, list(weakness.WEAK_AUTH)),
    }
    found = _found(table, "encrypt", weak["encrypt"], weakness.WEAK_ENCRYPT)
    found += _found(table, "auth", weak["auth"], weakness.WEAK_AUTH)
    bare = encrypts & np.isin(auth, (AuthAlgorithm.NONE, AuthAlgorithm.NULL))
    null = encrypt == EncryptAlgorithm.NULL
    # With neither of the two the message does not show what there is: Linux leaves out what PF_KEY has no number for.
    secret = (encrypt != EncryptAlgorithm.NONE) & ~null & ~np.isin(encrypt, list(COMBINED))
    found += _found(table, "encrypt", bare & secret, weakness.UNAUTHENTICATED)
    found += _found(table, "encrypt", bare & null, weakness.UNPROTECTED)
    salt = np.zeros(len(table), np.int64)
    for algorithm, size in weakness.SALT_BITS.items():
        salt[encrypt == algorithm] = size
    for column, rows, added in (("encrypt", encrypts, salt), ("auth", protects, 0)):
        bits = table[f"key_{column}_bits"].astype(np.int64)
        short = (bits > 0) & (bits - added < weakness.SHORTEST_KEY)
        found += _found(table, column, rows & ~weak[column] & short, weakness.SHORT)
    return found


def _found(
    table: SATable, column: str, rows: Array, what: Mapping[Any, Weakness] | Weakness
) -> Counter[tuple[str, str, Weakness]]:
    """These rows by their algorithm, and what is wrong with it."""
    kind = EncryptAlgorithm if column == "encrypt" else AuthAlgorithm
    codes, counts = np.unique(table[column][rows], return_counts=True)
    return Counter(
        {
            (column, kind(code).label, what if isinstance(what, Weakness) else what[code]): count
            for code, count in zip(codes.tolist(), counts.tolist(), strict=True)
        }
    )
