# Windows: columns of small fields that lie within 16 bytes of each other, taken from messages together (windows.h).

from libc.stdint cimport int32_t, uint64_t

from .steps cimport Job, Window

# After the slots of the columns are known: finds windows, and marks their columns.
cdef void find_windows(Job* job) noexcept nogil

# Before places are noted: fills the block up to a number of messages that fits vectors, which is returned.
cdef int32_t fill_up(Job* job, int32_t taken) noexcept nogil

# Writes the columns of a window.
cdef void write_window(Job* job, const Window* window, uint64_t done, int32_t taken) noexcept nogil
