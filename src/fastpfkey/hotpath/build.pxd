# Building: messages from templates and columns, by the steps of a plan.
#
# The reference twin's reference_build.py is the definition. The struct BuildStep has the members of the named tuple in
# spec/building.py, in the same order.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef enum BuildOp:
    NUMBER = 0
    IPV4 = 1
    IPV6 = 2
    BYTES = 3

cdef struct BuildStep:
    int32_t op
    int32_t part
    int32_t distance
    int32_t width
    int32_t swap
    int32_t source

cdef struct Move:  # a step, and what is known of it for all shapes together
    BuildStep step
    int32_t place  # of the part where all shapes have it at one place, else -1
    int32_t longest  # of BYTES: the most bytes in any shape that has the part
    uint64_t whole  # of BYTES: rows from the first on that have 64 bytes in the text from where their string begins

cdef struct String:  # bytes of all rows, and where in them those of each row begin
    const uint8_t* text
    const uint64_t* starts
    uint64_t size

cdef struct Job:
    const Move* moves
    int32_t moves_count
    uint32_t shapes_count
    const uint8_t* octets  # templates; `nowhere` bytes can be read from where each begins
    const uint64_t* begins  # of the templates
    const int32_t* lengths
    int32_t nowhere  # no template is longer; a multiple of 64
    const int32_t* places  # for each part its offset in each shape, `nowhere` where it is absent: part-major
    const uint32_t* shapes  # of the rows
    const uint8_t* const* columns
    const String* strings
    uint64_t rows
    bint streaming  # whether to write past the cache, where the output is larger


# Writes the messages of all rows to `out`, which has to have room for them, and where each begins to `offsets`. The job
# is believed: `build` checks it first. Returns the bytes written, -1 if there is no memory for a block of messages.
cdef int64_t build_messages(const Job* job, uint64_t* offsets, uint8_t* out) noexcept nogil
