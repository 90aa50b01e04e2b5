"""The buffer pool: memory for messages that is made once, lent many times, and never lent with keys in it.

The hot path lends and takes back; what is decided here is how long a caller waits, and what it is told.
"""

from __future__ import annotations

import functools
import mmap
import threading
import time
from queue import Empty, SimpleQueue
from typing import NamedTuple

from .. import hotpath
from ..errors import LeaseError

TIMEOUT = 5.0
"""Seconds to wait for a slab, unless told."""


class PoolStatistics(NamedTuple):
    """What a pool did so far, and what it has out now."""

    in_use: int
    """Leases that are not over."""
    high_water: int
    """Most of them at any time."""
    retired: int
    """Slabs that are still viewed though their lease is over."""
    oversize: int
    """Leases that were larger than a slab and got memory of their own."""
    waits: int
    """Times that a lease was asked for while all slabs were lent."""
    allocations: int
    """Times that memory was made, for a slab or an oversize lease."""


class BufferPool:
    """Page-aligned slabs of memory to build, send and receive messages in, lent out as `Lease`.

    `slabs` of them are made at once, up to `max_slabs` when they are needed; then callers wait. A lease larger than a
    slab gets memory of its own, which is not kept. A slab that is still viewed when its lease ends is retired until
    the last view dies, then wiped; with more than `max_retired` of them the pool lends nothing. What held keys is wiped
    before it is lent again. Everything may be used from several threads.
    """

    def __init__(self, slab_size: int = 1 << 16, slabs: int = 4, max_slabs: int = 64, max_retired: int = 16) -> None:
        if slab_size < 1:
            raise ValueError(f"slab_size is 1 or more, not {slab_size}")
        if max_slabs < 1 or not 0 <= slabs <= max_slabs:
            raise ValueError(f"slabs is 0 or more and max_slabs no less, and not 0: {slabs} of {max_slabs}")
        if max_retired < 0:
            raise ValueError(f"max_retired is 0 or more, not {max_retired}")
        self.slab_size, self.max_slabs, self.max_retired = slab_size, max_slabs, max_retired
        # A put may happen in a finalizer, which may interrupt anything: a SimpleQueue is made for that.
        self._returned: SimpleQueue[None] = SimpleQueue()
        wake = functools.partial(self._returned.put, None)
        self._slabs = hotpath.slabs(slab_size, slabs, max_slabs, max_retired, mmap.PAGESIZE, wake)
        self._take = self._slabs.take
        self._lock = threading.Lock()
        self._waits = 0

    def acquire(self, size: int | None = None, timeout: float | None = TIMEOUT) -> hotpath.Lease:
        """A lease of `size` bytes, of a whole slab if None.

        If all slabs are lent, waits up to `timeout` seconds for one, without end if None. Raises LeaseError if none
        came back, or if too many are retired, and ValueError for a negative size.
        """
        lease = self._take(self.slab_size if size is None else size)
        return self._wait(size, timeout) if lease is None else lease

    @property
    def statistics(self) -> PoolStatistics:
        """The numbers of now."""
        slabs = self._slabs
        return PoolStatistics(
            slabs.in_use, slabs.high_water, slabs.retired, slabs.oversize, self._waits, slabs.allocations
        )

    def _wait(self, size: int | None, timeout: float | None) -> hotpath.Lease:
        wanted = self.slab_size if size is None else size
        if wanted < 0:
            raise ValueError(f"size is 0 or more, not {size}")
        self._check_retired()
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            self._waits += 1
        self._slabs.add_waiters(1)
        try:
            while (lease := self._take(wanted)) is None:
                self._check_retired()
                remaining = None if deadline is None else max(deadline - time.monotonic(), 0.0)
                self._returned.get(timeout=remaining)
        except Empty:
            raise LeaseError(f"all {self.max_slabs} slabs are lent, and none came back in {timeout} s") from None
        finally:
            self._slabs.add_waiters(-1)
        return lease

    def _check_retired(self) -> None:
        retired = self._slabs.retired
        if retired > self.max_retired:
            raise LeaseError(
                f"{retired} slabs are retired, more than max_retired={self.max_retired}: their leases are over, but"
                " views of them are still held"
            )
