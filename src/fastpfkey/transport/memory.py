"""Memory for dumps: as large as the last one turned out to be, kept from one to the next, wiped in between.

The idea: a system hands out memory page by page, when it is first written to, and for a table that is dumped again and
again that costs more than the dump itself. So what a dump has filled is lent to the next one, once nobody looks at it
any more: until then it belongs to the table that was made of it. A slab may be twice as large as that; only as much of
it is lent as the next dump is likely to need, for what is lent is wiped.
"""

from __future__ import annotations

from ..hotpath import Lease
from ..wire.pool import BufferPool
from .endpoint import ROOM

FIRST = 1 << 20
"""Bytes of memory that a dump begins with."""

SLACK = 4
"""How many times more memory than a dump needed is given up for less."""

SPARE = 8
"""The part of a dump by which the next one may be larger without outgrowing what is lent for it."""

ANY_NUMBER = 1 << 16
"""Tables of dumps that may be alive at once, and keep their memory."""


class Memory:
    """Lends slabs that hold a whole dump, if it is not much larger than the last one."""

    def __init__(self) -> None:
        self._pool = _pool(FIRST)
        self._likely = FIRST

    def lend(self, size: int = 0) -> Lease:
        """Memory of `size` bytes or more, which holds keys from now on."""
        if size > self._pool.slab_size:
            self._pool = _pool(size)
        lease = self._pool.acquire(max(size, self._likely))
        lease.holds_keys = True
        return lease

    def settle(self, used: int) -> None:
        """Learn what a dump needed."""
        wanted = max(FIRST, used + ROOM)
        if wanted * SLACK <= self._pool.slab_size:
            self._pool = _pool(wanted)
        self._likely = min(wanted + used // SPARE, self._pool.slab_size)


def _pool(size: int) -> BufferPool:
    return BufferPool(size, slabs=0, max_slabs=ANY_NUMBER, max_retired=ANY_NUMBER)
