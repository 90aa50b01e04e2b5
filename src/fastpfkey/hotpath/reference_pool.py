"""Slabs of the reference twin: parts of one file in memory, a lease being a mapping of its part.

Before Python 3.12 a class can offer a buffer only by inheriting one, and only a mapping counts its views and can be
closed against new ones. So each lease maps its slab anew, while the slab's bytes stay where they are. Where the system
has no files in memory every lease is new memory, which the system takes back with all that is in it: what counts and
what is viewed are the same.
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ..errors import LeaseError

if TYPE_CHECKING:
    from typing_extensions import Buffer

OWN = -1
"""Place of a loan that is no slab: memory of its own."""

NO_FILE = -1
"""What a mapping takes for new memory instead of a file's."""


def wipe(buffer: Buffer) -> None:
    """Overwrite all bytes with zeros."""
    view = memoryview(buffer).cast("B")
    view[:] = bytes(len(view))


def slabs(size: int, count: int, limit: int, max_retired: int, page: int, wake: Callable[[], object]) -> Slabs:
    """`count` slabs of `size` bytes now, and up to `limit` when they are needed."""
    return Slabs(size, count, limit, max_retired, page, wake)


@dataclass(eq=False)
class Loan:
    """What the slabs know about a lease: nothing that would keep it alive."""

    place: int
    """Offset of its slab in the file."""
    size: int
    out: bool = True
    holds_keys: bool = False


class Slabs:
    """Memory to lend, and the count of what is lent."""

    def __init__(
        self, size: int, count: int, limit: int, max_retired: int, page: int, wake: Callable[[], object]
    ) -> None:
        self._size, self._limit, self._max_retired, self._wake = size, limit, max_retired, wake
        self._stride = -(-size // page) * page
        self._file = NO_FILE
        if hasattr(os, "memfd_create"):
            self._file = os.memfd_create("fastpfkey", os.MFD_CLOEXEC)
            weakref.finalize(self, os.close, self._file)
        self._end = 0
        self._free: list[int] = []
        self._spare: list[int] = []
        """Places in the file that are no slabs any more."""
        self._viewed: list[weakref.ref[Lease]] = []
        """Released leases that were viewed then."""
        self._lock = threading.RLock()  # what a finalizer does may interrupt its own thread
        self._made = 0
        self._retired = 0
        self._waiting = 0
        self.in_use = self.high_water = self.oversize = self.allocations = 0
        for _ in range(count):
            self._free.append(self._slab())

    @property
    def retired(self) -> int:
        """Released slabs that are still viewed."""
        self._sweep()
        return self._retired

    def take(self, size: int) -> Lease | None:
        """A lease, None if there is nothing to lend."""
        with self._lock:
            if size < 0 or self.retired > self._max_retired:
                return None
            if size > self._size:
                place = OWN
                self.oversize += 1
                self.allocations += 1
            elif self._free:
                place = self._free.pop()
            elif self._made < self._limit:
                place = self._slab()
            else:
                return None
            self.in_use += 1
            self.high_water = max(self.high_water, self.in_use)
        loan = Loan(place, size)
        return Mapped(self, self._file, loan) if size else Empty(self, loan)

    def add_waiters(self, change: int) -> None:
        """So many more, or fewer, wait to be woken when something comes back."""
        with self._lock:
            self._waiting += change

    def _slab(self) -> int:
        self._made += 1
        self.allocations += 1
        if self._spare:
            return self._spare.pop()
        if self._file != NO_FILE:
            os.posix_fallocate(self._file, self._end, self._stride)
        self._end += self._stride
        return self._end - self._stride

    def _give_back(self, lease: Lease) -> None:
        """A lease ends: its memory can be lent again, or retires because somebody views it."""
        loan = lease.loan
        with self._lock:
            if not loan.out:
                return
            loan.out = False
            self.in_use -= 1
            if lease.unmap():
                self._put(loan, loan.holds_keys)
            else:
                self._retired += 1
                self._made -= loan.place != OWN
                self._viewed.append(weakref.ref(lease))
        self._notify()

    def _sweep(self) -> None:
        """Bring back retired memory that nobody views any more, though its lease is still held."""
        with self._lock:
            refs, self._viewed = self._viewed, []
            for ref in refs:
                lease = ref()
                if lease is not None and lease.unmap():
                    self._end_of_view(lease.loan)
                elif lease is not None:
                    self._viewed.append(ref)

    def _end_of_view(self, loan: Loan) -> None:
        self._retired -= 1
        self._made += loan.place != OWN
        self._put(loan, True)

    def _gone(self, loan: Loan) -> None:
        """A lease died, and its last view with it: retired, or never released."""
        with self._lock:
            if loan.out:
                self.in_use -= 1
                self._put(loan, loan.holds_keys)
            else:
                self._end_of_view(loan)
        self._notify()

    def _put(self, loan: Loan, wiped: bool) -> None:
        """Memory that nobody uses: free if it is a slab and not one too many. Memory of its own went with its map."""
        if loan.place == OWN:
            return
        if wiped and self._file != NO_FILE:
            os.pwrite(self._file, bytes(loan.size), loan.place)
        if self._made > self._limit:
            self._made -= 1
            self._spare.append(loan.place)
        else:
            self._free.append(loan.place)

    def _notify(self) -> None:
        if self._waiting:
            self._wake()


class Lease(ABC):
    """Bytes on loan: a buffer until it is released."""

    offsets: Any = None
    left_out: Any = None
    loan: Loan
    _slabs: Slabs
    _finalizer: Any

    def _lend(self, slabs: Slabs, loan: Loan) -> None:
        self._slabs, self.loan = slabs, loan
        self._finalizer = weakref.finalize(self, slabs._gone, loan)
        self._finalizer.atexit = False

    def unmap(self) -> bool:
        """End the buffer if nobody views it, and say whether that was so."""
        try:
            self._unmap()
        except BufferError:
            return False
        self._finalizer.detach()
        return True

    @abstractmethod
    def _unmap(self) -> None:
        """Raise BufferError if somebody views it."""

    @property
    def holds_keys(self) -> bool:
        """Whether its bytes have to be overwritten before they are lent again."""
        return self.loan.holds_keys

    @holds_keys.setter
    def holds_keys(self, value: bool) -> None:
        self.loan.holds_keys = bool(value)

    @property
    def released(self) -> bool:
        """Whether it is over."""
        return not self.loan.out

    def release(self) -> None:
        """End the lease. A second time does nothing."""
        self._slabs._give_back(self)

    def __len__(self) -> int:
        self._check()
        return self.loan.size

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Lease of {self.loan.size:,} bytes{', released' if self.released else ''}>"

    def _check(self) -> None:
        if not self.loan.out:
            raise LeaseError("the lease was released")


class Mapped(Lease, mmap.mmap):
    """A lease on one byte or more."""

    def __new__(cls, slabs: Slabs, file: int, loan: Loan) -> Self:
        """Map its part of the file, or new memory."""
        if loan.place == OWN or file == NO_FILE:
            self = super().__new__(cls, NO_FILE, loan.size)
        else:
            self = super().__new__(cls, file, loan.size, offset=loan.place)
        self._lend(slabs, loan)
        return self

    def _unmap(self) -> None:
        self.close()


class Empty(Lease, bytearray):
    """A lease on no bytes, of which no mapping can be made."""

    def __init__(self, slabs: Slabs, loan: Loan) -> None:
        super().__init__()
        self._lend(slabs, loan)

    def _unmap(self) -> None:
        """Nobody can tell whether no bytes are viewed."""
