# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Byte strings that lie scattered in a buffer, or datagrams in their slots, copied back to back."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from .load cimport load_u16
from .shapes cimport HEADER_SIZE, WORD


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


def pack(const uint8_t[::1] slots, Py_ssize_t stride, const uint32_t[:] lengths, Py_ssize_t first, uint8_t[::1] out):
    """Copy datagrams that are as long as their headers say from their slots back to back into `out`."""
    cdef Py_ssize_t number = first
    cdef Py_ssize_t room = out.shape[0]
    cdef Py_ssize_t written = 0
    cdef Py_ssize_t size
    cdef const uint8_t* at
    if first < 0 or stride < 0 or (stride and lengths.shape[0] > slots.shape[0] // stride):
        raise IndexError("pack: there are fewer slots than lengths, or a number is negative")
    with nogil:
        while number < lengths.shape[0]:
            size = lengths[number]
            if size < HEADER_SIZE or size > stride or size > room - written:
                break
            at = &slots[number * stride]
            if size != WORD * <Py_ssize_t> load_u16(at + 4, False):
                break
            memcpy(&out[written], at, size)
            written += size
            number += 1
    return number, written
