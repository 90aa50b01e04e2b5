# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Byte strings that lie scattered in a buffer, copied back to back into a store."""

from libc.stdint cimport uint8_t, uint16_t, uint64_t
from libc.string cimport memcpy


def gather(const uint8_t[::1] buffer, const uint64_t[::1] offsets, const uint16_t[::1] bits, uint8_t[::1] store):
    """Copy byte strings back to back into `store`, and return how many bytes were written."""
    cdef uint64_t limit = buffer.shape[0]
    cdef uint64_t total = 0
    cdef uint64_t size
    cdef Py_ssize_t k
    cdef bint inside = True
    if offsets.shape[0] != bits.shape[0]:
        raise IndexError("gather: the store is too short, or offsets and bits differ in number")
    with nogil:
        for k in range(bits.shape[0]):
            size = (<uint64_t> bits[k] + 7) // 8
            total += size
            if size and (offsets[k] > limit or size > limit - offsets[k]):
                inside = False
    if total > <uint64_t> store.shape[0]:
        raise IndexError("gather: the store is too short, or offsets and bits differ in number")
    if not inside:
        raise IndexError("gather: a string runs past the end of the buffer")
    total = 0
    with nogil:
        for k in range(bits.shape[0]):
            size = (<uint64_t> bits[k] + 7) // 8
            if size:
                memcpy(&store[total], &buffer[offsets[k]], size)
                total += size
    return total
