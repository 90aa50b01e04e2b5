"""Rows of tables that come one after the other: those that are wanted, in an order, as many as are wanted.

Without an order rows pass as they come. The first rows of an order are kept, and the rest forgotten; an order of all
rows needs all of them at once, without the buffers that they were decoded from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from .table import Table
from .where import Question, rows

PIECE = 65_536
"""Rows of a sorted table that are given at once."""

T = TypeVar("T", bound=Table)


def pick(
    tables: Iterable[T], wanted: Question | None = None, by: Sequence[str] = (), limit: int | None = None
) -> Iterator[T]:
    """The rows that answer a question, sorted as `Table.sort` does, and no more than `limit`. Raises QueryError."""
    found = tables if wanted is None else (table[rows(table, wanted)] for table in tables)
    if by:
        return _sorted(found, by, limit)
    return iter(found) if limit is None else _first(found, limit)


def gathered(tables: Iterable[T], count: int) -> Iterator[T]:
    """The same rows in tables of `count` or more, but for the last."""
    waiting: list[T] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= count:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(tables: Sequence[T]) -> T:
    return tables[0] if len(tables) == 1 else type(tables[0]).concat(tables)


def _first(tables: Iterable[T], limit: int) -> Iterator[T]:
    for table in tables:
        yield table[:limit]
        limit -= len(table)
        if limit <= 0:
            return


def _sorted(tables: Iterable[T], by: Sequence[str], limit: int | None) -> Iterator[T]:
    kept: list[T] = []
    for table in tables:
        kept.append(table.detached())
        del table  # before there is another one
        if limit is not None:
            kept = [_joined(kept).sort(*by)[:limit]]
    if kept:
        whole = _joined(kept).sort(*by)
        for begin in range(0, max(len(whole), 1), PIECE):
            yield whole[begin : begin + PIECE]
