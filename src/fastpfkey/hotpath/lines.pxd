# Lines on their way to memory, and what the kinds of vectors do with them.
#
# The messages of a block wait in the cache until the next block is made. Then they are written a few lines at a time:
# stores leave a processor in order, and what comes behind a whole block of them would wait for memory.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from .moves cimport Stock

cdef extern from "staging.h":
    enum:
        LINE "PFKEY_LINE"
    ctypedef struct Block "pfkey_block":
        uint8_t** at
        uint8_t* end
        const uint32_t* shapes
        uint64_t row
        int32_t count
    ctypedef struct Kind "pfkey_kind":
        int (*lay)(const Stock*, Block*, uint8_t* to, uint64_t* offsets, uint64_t position) noexcept nogil
        void (*put_windows)(
            const Block*, const int32_t* places, const uint8_t* masks, const uint8_t* column
        ) noexcept nogil
        void (*stream)(uint8_t* to, const uint8_t* frm, size_t lines) noexcept nogil
    const Kind* best "pfkey_best"() noexcept nogil

cdef struct Output:  # what waits to be written, and where it goes
    uint8_t* waiting  # lines, at the distance from each other that they have in the output
    uint8_t* other  # room for as much
    uint64_t skipped  # bytes at the beginning of the first line, which are not ours
    uint64_t filled
    const uint8_t* ready  # whole lines of the block before, which are written while this one is made
    uint64_t lines  # how many of them are left
    uint64_t share  # how many go at a time
    uint8_t* to  # where the next byte goes
    uint64_t room  # bytes behind all that is ready
    bint streaming  # whether to write past the cache


cdef inline void write_lines(const Kind* kind, Output* output, uint64_t lines) noexcept nogil:
    """Write some of the lines that are ready."""
    lines = min(lines, output.lines)
    if lines == 0:  # there may be no output at all
        return
    if output.streaming:
        kind.stream(output.to, output.ready, lines)
    else:
        memcpy(output.to, output.ready, lines * LINE)
    output.to += lines * LINE
    output.ready += lines * LINE
    output.lines -= lines


cdef inline void make_ready(Output* output) noexcept nogil:
    """Let the whole lines that wait be written; of the others the beginning goes on waiting."""
    cdef uint64_t whole = output.filled // LINE
    cdef uint64_t size = LINE - output.skipped
    if whole == 0:
        return
    output.ready, output.lines = output.waiting, whole
    output.room -= whole * LINE - output.skipped
    if output.skipped:
        memcpy(output.to, output.waiting + output.skipped, size)
        output.to, output.ready, output.lines = output.to + size, output.waiting + LINE, whole - 1
    memcpy(output.other, output.waiting + whole * LINE, LINE)
    output.waiting, output.other = output.other, output.waiting
    output.filled -= whole * LINE
    output.skipped = 0
