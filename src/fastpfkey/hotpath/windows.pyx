# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Small fields that lie close together, taken from the messages of a block at once: which columns, and writing them."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint64_t
from libc.string cimport memcpy

from .load cimport store_u16
from .steps cimport (
    ABSENT,
    BLOCK,
    LOOKUPS,
    NUMBERS,
    PFKEY_TILES,
    PFKEY_WINDOW,
    REACH,
    TABLES,
    Column,
    Job,
    Window,
    values_of,
)

cdef extern from "windows.h" nogil:
    enum:
        PFKEY_ROWS_AT_ONCE

    void split "pfkey_split"(
        uint16_t* halves, size_t stride, const uint8_t** places, Py_ssize_t at, size_t count
    ) noexcept
    void write_bytes "pfkey_bytes"(
        uint8_t* to, const uint16_t* half, bint second, size_t count, bint streaming
    ) noexcept
    void write_widened "pfkey_widened"(
        uint8_t* to, const uint16_t* half, bint second, int shift, size_t count, bint streaming
    ) noexcept
    void write_twos "pfkey_twos"(
        uint8_t* to, const uint16_t* half, bint swap, size_t count, bint streaming
    ) noexcept
    void write_fours "pfkey_fours"(
        uint8_t* to, const uint16_t* half, size_t stride, bint swap, size_t count, bint streaming
    ) noexcept
    void stream "pfkey_stream"(uint8_t* to, const uint8_t* frm, size_t size) noexcept


cdef void find_windows(Job* job) noexcept nogil:
    """Put columns of small fields into windows with others of their slot."""
    cdef int32_t c, d
    cdef Window* window
    cdef int32_t low, high
    job.windows_count = 0
    for c in range(job.plan.columns):
        job.columns[c].windowed = False
    for c in range(job.plan.columns):
        if not is_small(job.columns + c):
            continue
        window = job.windows + job.windows_count
        window.slot = job.columns[c].slot
        window.count = 0
        low = job.columns[c].distance
        high = low
        for d in range(c, job.plan.columns):
            if is_small(job.columns + d) and joins(window, job.columns + d, &low, &high):
                window.columns[window.count] = d
                window.count += 1
        if window.count > 1 and lay(job, window, low, high):
            for d in range(window.count):
                job.columns[window.columns[d]].windowed = True
            job.windows_count += 1


cdef bint is_small(const Column* column) noexcept nogil:
    """Whether a window can serve a column, which has no window yet."""
    if not PFKEY_TILES or column.windowed:
        return False
    if column.kind == LOOKUPS or column.kind == TABLES:
        return True
    if column.kind != NUMBERS:
        return False
    if column.step.width == 1 and column.width == 4:
        return True
    return column.step.width == column.width and column.width <= 4 and column.step.shift == 0


cdef bint joins(const Window* window, const Column* column, int32_t* low, int32_t* high) noexcept nogil:
    """Whether a column's field fits a window with what reaches from `low` to `high`, which are moved then."""
    cdef int32_t first = min(low[0], column.distance)
    cdef int32_t last = max(high[0], column.distance + column.step.width)
    if column.slot != window.slot or window.count == PFKEY_WINDOW or last - first > PFKEY_WINDOW:
        return False
    low[0] = first
    high[0] = last
    return True


cdef bint lay(const Job* job, Window* window, int32_t low, int32_t high) noexcept nogil:
    """Find where a window may begin: inside the message of every shape, with its wider fields at even offsets."""
    cdef const Column* column = job.columns + window.columns[0]
    cdef const int32_t* slot = job.slots + <size_t> window.slot * job.cache.capacity
    cdef int32_t first = -REACH
    cdef int32_t last = REACH - PFKEY_WINDOW
    cdef int32_t k
    for k in range(job.cache.count):
        if slot[k] != ABSENT:
            first = max(first, -slot[k])
            last = min(last, <int32_t> job.cache.shapes[k].length - PFKEY_WINDOW - slot[k])
    window.at = min(low, last)
    window.at -= (column.step.at - column.distance + window.at) & 1
    if window.at < first or high - window.at > PFKEY_WINDOW:
        return False
    for k in range(window.count):
        column = job.columns + window.columns[k]
        if column.step.width > 1 and (column.distance - window.at) & 1:
            return False
    return True


cdef int32_t fill_up(Job* job, int32_t taken) noexcept nogil:
    """Repeat the last message of a block until their number fits vectors; the number."""
    while taken % PFKEY_ROWS_AT_ONCE:
        job.messages[taken] = job.messages[taken - 1]
        job.shapes[taken] = job.shapes[taken - 1]
        taken += 1
    return taken


cdef void write_window(Job* job, const Window* window, uint64_t done, int32_t taken) noexcept nogil:
    """Write the columns of a window, those that the caller's memory has no whole vectors for by way of the scratch."""
    cdef const uint8_t** places = (job.places + <size_t> (window.slot - 1) * BLOCK) if window.slot else job.messages
    cdef int32_t count = (taken + PFKEY_ROWS_AT_ONCE - 1) // PFKEY_ROWS_AT_ONCE * PFKEY_ROWS_AT_ONCE
    cdef const Column* column
    cdef uint8_t* target
    cdef int32_t k
    split(job.halves, BLOCK, places, window.at, count)
    for k in range(window.count):
        column = job.columns + window.columns[k]
        target = column.target + done * <uint64_t> column.width
        if column.kind == NUMBERS and count == taken and not (job.streaming and <size_t> target % PFKEY_WINDOW):
            write_numbers(job, column, column.distance - window.at, target, count, job.streaming)
            continue
        if column.kind == NUMBERS:
            write_numbers(job, column, column.distance - window.at, job.scratch, count, False)
        else:
            look_up(job, column, window.columns[k], column.distance - window.at, taken)
        if job.streaming:
            stream(target, job.scratch, <size_t> taken * column.width)
        else:
            memcpy(target, job.scratch, <size_t> taken * column.width)


cdef void write_numbers(
    const Job* job, const Column* column, int32_t at, uint8_t* to, int32_t count, bint streaming
) noexcept nogil:
    """Write the numbers at one offset of the window."""
    cdef const uint16_t* half = job.halves + at // 2 * BLOCK
    if column.width == 1:
        write_bytes(to, half, at & 1, count, streaming)
    elif column.step.width == 1:
        write_widened(to, half, at & 1, column.step.shift, count, streaming)
    elif column.width == 2:
        write_twos(to, half, column.step.swap, count, streaming)
    else:
        write_fours(to, half, BLOCK, column.step.swap, count, streaming)


cdef void look_up(Job* job, const Column* column, int32_t c, int32_t at, int32_t count) noexcept nogil:
    """Write into the scratch what tables say of the bytes at one offset of the window."""
    cdef const uint8_t* octets = <const uint8_t*> (job.halves + at // 2 * BLOCK) + at % 2
    cdef const uint16_t* lookup = column.step.lookup
    cdef const uint16_t* lookups = job.plan.lookups
    cdef const uint64_t* tables = values_of(job, c)
    cdef const int32_t* shapes = job.shapes
    cdef uint8_t* to = job.scratch
    cdef int32_t k
    if column.kind == LOOKUPS:
        for k in range(count):
            store_u16(to + 2 * k, lookup[octets[2 * k]])
    else:
        for k in range(count):
            store_u16(to + 2 * k, lookups[tables[shapes[k]] + octets[2 * k]])
