# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Copying whole messages out of a store: a dump is this and nothing else."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from .load cimport fetch_far, load_u16, store_u32
from .shapes cimport WORD

cdef enum:
    HEADER = 16
    LENGTH = 4
    SEQ = 8
    PID = 12
    AHEAD = 8  # messages that are fetched before their turn: they lie anywhere


def copy_records(
    const uint8_t[::1] buffer,
    const uint64_t[::1] offsets,
    uint8_t[::1] out,
    int64_t seq,
    int64_t step,
    uint32_t pid,
    uint64_t[::1] ends,
):
    """Copy messages back to back into `out`, numbered anew, and return how many bytes were written."""
    cdef uint64_t limit = buffer.shape[0]
    cdef uint64_t room = out.shape[0]
    cdef Py_ssize_t count = offsets.shape[0]
    cdef uint64_t total = 0
    cdef uint64_t size
    cdef Py_ssize_t k
    cdef int fault = 0
    if ends.shape[0] < count:
        raise IndexError("copy_records: there is no room for the ends of all messages")
    with nogil:
        for k in range(count):
            if limit < HEADER or offsets[k] > limit - HEADER:
                fault = max(fault, 3)
                continue
            size = <uint64_t> load_u16(&buffer[offsets[k]] + LENGTH, False) * WORD
            if size < HEADER or size > limit - offsets[k]:
                fault = max(fault, 2)
            total += size
        if not fault and total > room:
            fault = 1
        if not fault:
            total = 0
            for k in range(count):
                if k + AHEAD < count:
                    fetch_far(&buffer[offsets[k + AHEAD]])
                size = <uint64_t> load_u16(&buffer[offsets[k]] + LENGTH, False) * WORD
                memcpy(&out[total], &buffer[offsets[k]], size)
                store_u32(&out[total] + SEQ, <uint32_t> (seq + step * k))
                store_u32(&out[total] + PID, pid)
                total += size
                ends[k] = total
    if fault == 3:
        raise IndexError("copy_records: a message begins outside of the buffer")
    if fault == 2:
        raise IndexError("copy_records: a message is too short, or runs past the end of the buffer")
    if fault == 1:
        raise IndexError("copy_records: there is no room for all messages")
    return total
