# Writing the rows of a block, of which columns.pyx has noted the messages and their shapes.

from libc.stdint cimport int32_t, uint64_t

from .steps cimport Job

cdef void find_places(Job* job, int32_t taken) noexcept nogil
cdef void write_block(Job* job, uint64_t done, int32_t taken) noexcept nogil
