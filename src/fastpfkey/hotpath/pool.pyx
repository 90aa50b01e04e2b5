# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Slabs of page-aligned memory and the leases on them; what they promise is in contract.py.

Slabs are pointers on a stack and leases come from a free list, so lending one and taking it back allocates nothing.
The C library's memory is asked for only when the stack is empty.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free

from ..errors import LeaseError

cdef extern from *:
    """
    #include <stdlib.h>
    #if defined(_MSC_VER)
    #include <malloc.h>
    #define PFKEY_PAGES_FREE(at) _aligned_free(at)
    static void *pfkey_pages(size_t size, size_t page) { return _aligned_malloc(size, page); }
    #else
    #define PFKEY_PAGES_FREE(at) free(at)
    static void *pfkey_pages(size_t size, size_t page) {
        void *found = NULL;
        return posix_memalign(&found, page, size) == 0 ? found : NULL;
    }
    #endif
    """
    void free_pages "PFKEY_PAGES_FREE"(void* at) noexcept nogil
    uint8_t* new_pages "(uint8_t *)pfkey_pages"(size_t size, size_t page) noexcept nogil

cdef extern from "wipe.h":
    void wipe_bytes "PFKEY_WIPE"(uint8_t* at, size_t size) noexcept nogil


def wipe(uint8_t[::1] buffer):
    """Overwrite all bytes with zeros."""
    if buffer.shape[0]:
        with nogil:
            wipe_bytes(&buffer[0], buffer.shape[0])


def slabs(Py_ssize_t size, Py_ssize_t count, Py_ssize_t limit, Py_ssize_t max_retired, Py_ssize_t page, wake):
    """`count` slabs of `size` bytes now, and up to `limit` when they are needed."""
    return Slabs(size, count, limit, max_retired, page, wake)


@cython.final
cdef class Slabs:
    """Memory to lend, and the count of what is lent."""

    cdef readonly Py_ssize_t in_use
    cdef readonly Py_ssize_t high_water
    cdef readonly Py_ssize_t retired
    cdef readonly Py_ssize_t oversize
    cdef readonly Py_ssize_t allocations
    cdef Py_ssize_t size
    cdef Py_ssize_t limit
    cdef Py_ssize_t max_retired
    cdef Py_ssize_t page
    cdef Py_ssize_t made  # slabs that are free or lent: neither retired nor oversize
    cdef Py_ssize_t waiting
    cdef Py_ssize_t free_count
    cdef uint8_t** free  # a stack with room for `limit`
    cdef object wake

    def __cinit__(
        self, Py_ssize_t size, Py_ssize_t count, Py_ssize_t limit, Py_ssize_t max_retired, Py_ssize_t page, wake
    ):
        self.size, self.limit, self.max_retired, self.page, self.wake = size, limit, max_retired, page, wake
        self.free = <uint8_t**> calloc(limit, sizeof(uint8_t*))
        if self.free == NULL:
            raise MemoryError
        for _ in range(count):
            self.free[self.free_count] = self.allocate(size)
            self.free_count += 1
            self.made += 1

    def __dealloc__(self):
        cdef Py_ssize_t k
        for k in range(self.free_count):
            free_pages(self.free[k])
        free(self.free)

    cdef uint8_t* allocate(self, Py_ssize_t size) except NULL:
        """Memory from the system."""
        cdef uint8_t* memory = new_pages(max(size, 1), self.page)
        if memory == NULL:
            raise MemoryError(f"no memory for {size} bytes")
        self.allocations += 1
        return memory

    def take(self, Py_ssize_t size):
        """A lease, None if there is nothing to lend."""
        cdef Lease lease
        cdef uint8_t* memory
        cdef bint own = size > self.size
        with cython.critical_section(self):
            if size < 0 or self.retired > self.max_retired:
                return None
            if own:
                memory = self.allocate(size)
                self.oversize += 1
            elif self.free_count:
                self.free_count -= 1
                memory = self.free[self.free_count]
            elif self.made < self.limit:
                memory = self.allocate(self.size)
                self.made += 1
            else:
                return None
            self.in_use += 1
            if self.in_use > self.high_water:
                self.high_water = self.in_use
        lease = Lease.__new__(Lease)
        lease.slabs = self
        lease.memory = memory
        lease.size = size
        lease.own = own
        lease.out = True
        return lease

    def add_waiters(self, Py_ssize_t change):
        """So many more, or fewer, wait to be woken when something comes back."""
        with cython.critical_section(self):
            self.waiting += change

    cdef int give_back(self, Lease lease) except -1:
        """A lease ends: its memory can be lent again, or retires because somebody views it."""
        with cython.critical_section(self):
            if not lease.out:
                return 0
            lease.out = False
            self.in_use -= 1
            if lease.exports:
                self.retired += 1
                if not lease.own:
                    self.made -= 1
            else:
                self.put(lease, lease.holds_keys)
        self.notify()
        return 0

    cdef int end_of_view(self, Lease lease) except -1:
        """One view less; the last one of a retired slab brings its memory back."""
        with cython.critical_section(self):
            lease.exports -= 1
            if lease.exports or lease.out:
                return 0
            self.retired -= 1
            if not lease.own:
                self.made += 1
            self.put(lease, True)
        self.notify()
        return 0

    cdef void put(self, Lease lease, bint wiped) noexcept:
        """Memory that nobody uses: on the stack if it belongs there and is not one too many."""
        if wiped:
            wipe_bytes(lease.memory, lease.size)
        if lease.own or self.made > self.limit:
            free_pages(lease.memory)
            if not lease.own:
                self.made -= 1
        else:
            self.free[self.free_count] = lease.memory
            self.free_count += 1
        lease.memory = NULL

    cdef int notify(self) except -1:
        """Wake one that waits, if any does."""
        if self.waiting:
            self.wake()
        return 0


@cython.final
@cython.freelist(32)
@cython.no_gc
cdef class Lease:
    """Bytes on loan: a buffer until it is released."""

    cdef Slabs slabs
    cdef uint8_t* memory
    cdef Py_ssize_t size
    cdef Py_ssize_t exports
    cdef bint own
    cdef bint out
    cdef public bint holds_keys
    cdef public object offsets
    cdef public object left_out

    def __init__(self):
        raise TypeError("leases are made by a pool")

    def __dealloc__(self):
        if self.out:
            self.slabs.give_back(self)

    def __getbuffer__(self, Py_buffer* view, int flags):
        with cython.critical_section(self.slabs):
            self.check()
            self.exports += 1
        PyBuffer_FillInfo(view, self, self.memory, self.size, 0, flags)

    def __releasebuffer__(self, Py_buffer* view):
        self.slabs.end_of_view(self)

    cdef int check(self) except -1:
        """Raise LeaseError for a released lease."""
        if not self.out:
            raise LeaseError("the lease was released")
        return 0

    @property
    def released(self):
        """Whether it is over."""
        return not self.out

    def release(self):
        """End the lease. A second time does nothing."""
        self.slabs.give_back(self)

    def __len__(self):
        self.check()
        return self.size

    def __enter__(self):
        self.check()
        return self

    def __exit__(self, *exception):
        self.slabs.give_back(self)

    def __repr__(self):
        return f"<Lease of {self.size:,} bytes{'' if self.out else ', released'}>"
