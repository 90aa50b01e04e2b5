# Building: messages from templates and columns, by the steps of a plan. The reference twin's reference_build.py is the
# definition.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from .job cimport Job

# Writes the messages of all rows to `out`, which has room for so many bytes, and where each begins to `offsets`.
# Returns the bytes written, or a BuildFault. Of the job's pointers it is believed that they hold as much as the counts
# say.
cdef int64_t build_messages(const Job* job, uint64_t* offsets, uint8_t* out, uint64_t room) noexcept nogil
