# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Writing rows: one column of a block after the other, each by a loop that serves all shapes without decisions.

Numbers of 4 and 8 bytes at one offset go through tiles, which transpose them in vector registers, and small fields that
lie close together through windows (windows.pyx). Large tables are streamed out past the cache, while the next block is
fetched.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from .load cimport (
    fetch_far,
    load_number,
    load_u16,
    load_u32,
    load_u64,
    store_number,
    store_u16,
    store_u32,
    store_u64,
)
from .steps cimport (
    ADDRESSES,
    BLOCK,
    BYTES16,
    CONSTANTS,
    LINE,
    LOCATED,
    LOOKUP,
    LOOKUPS,
    MAPPED4,
    NUMBER,
    NUMBERS,
    ONES,
    PFKEY_SLOTS_AT_ONCE,
    PFKEY_WINDOW,
    PLACE,
    TABLES,
    TILED,
    UNIFORM,
    UNKNOWN,
    Column,
    Four,
    Job,
    Origin,
    Step,
    Tile,
    origins_of,
    step_of,
    values_of,
)
from .windows cimport write_window

cdef extern from "tiles.h" nogil:
    size_t tile8 "pfkey_tile8"(
        uint8_t** to, size_t at, const uint8_t** messages, size_t count, const int* swap, bint streaming
    ) noexcept
    size_t tile4 "pfkey_tile4"(
        uint8_t** to, size_t at, const uint8_t** messages, size_t count, const int* swap, bint streaming
    ) noexcept
    void write_addresses "pfkey_addresses"(
        uint8_t* to,
        const uint8_t** messages,
        const int32_t* shapes,
        const Origin* origins,
        size_t count,
        bint streaming,
    ) noexcept
    void stream "pfkey_stream"(uint8_t* to, const uint8_t* frm, size_t size) noexcept

cdef extern from "places.h" nogil:
    void find_four_places "pfkey_four_places"(
        const uint8_t** places,
        size_t stride,
        const uint8_t** messages,
        const int32_t* shapes,
        const Four* fours,
        size_t count,
    ) noexcept


cdef void find_places(Job* job, int32_t taken) noexcept nogil:
    """Note the place of every slot in every message of the block, without asking whether the message has it."""
    cdef size_t capacity = <size_t> job.cache.capacity
    cdef int32_t fours = (job.slots_count - 1 + PFKEY_SLOTS_AT_ONCE - 1) // PFKEY_SLOTS_AT_ONCE
    cdef int32_t k
    for k in range(fours):
        find_four_places(
            job.places + <size_t> k * PFKEY_SLOTS_AT_ONCE * BLOCK,
            BLOCK,
            job.messages,
            job.shapes,
            job.fours + k * capacity,
            taken,
        )


cdef void write_block(Job* job, uint64_t done, int32_t taken) noexcept nogil:
    """Write the rows of a block into the caller's columns."""
    cdef int32_t c
    cdef Column* column
    cdef uint8_t* target
    for c in range(job.tiles_count):
        fetch_next(job)
        write_tile(job, job.tiles + c, done, taken)
    for c in range(job.windows_count):
        fetch_next(job)
        write_window(job, job.windows + c, done, taken)
    for c in range(job.plan.columns):
        column = job.columns + c
        if column.kind == TILED or column.windowed:
            continue
        fetch_next(job)
        target = column.target + done * <uint64_t> column.width
        if column.kind == ADDRESSES:
            write_addresses(
                target, job.messages, job.shapes, origins_of(job, c), taken, job.streaming and aligned(target)
            )
        elif job.streaming:
            write_rows(job, column, c, job.scratch, taken)
            stream(target, job.scratch, <size_t> taken * column.width)
        else:
            write_rows(job, column, c, target, taken)


cdef inline bint aligned(const uint8_t* target) noexcept nogil:
    """Whether rows may go straight past the cache."""
    return <size_t> target % PFKEY_WINDOW == 0


cdef void write_tile(Job* job, const Tile* tile, uint64_t done, int32_t taken) noexcept nogil:
    """Write the columns of a tile, the rows that do not fill a vector one by one."""
    cdef uint8_t* to[4]
    cdef int swap[4]
    cdef bint streaming = job.streaming
    cdef const Step* step
    cdef int32_t j, k, vectors
    for j in range(4):
        to[j] = NULL
        swap[j] = False
        if tile.columns[j] != NULL:
            to[j] = tile.columns[j].target + done * <uint64_t> tile.width
            swap[j] = tile.columns[j].step.swap
            streaming = streaming and aligned(to[j])
    if tile.width == 8:
        vectors = <int32_t> tile8(to, tile.at, job.messages, taken, swap, streaming)
    else:
        vectors = <int32_t> tile4(to, tile.at, job.messages, taken, swap, streaming)
    for j in range(4):
        if to[j] != NULL:
            step = tile.columns[j].step
            for k in range(vectors, taken):
                store_number(
                    to[j] + k * tile.width, tile.width, load_number(job.messages[k] + step.at, tile.width, step.swap)
                )


cdef inline void fetch_next(Job* job) noexcept nogil:
    """Fetch some of the next block, so that memory works while columns are written."""
    cdef const uint8_t* stop = min(job.end, job.ahead + job.lines_a_column * LINE)
    while job.ahead < stop:
        fetch_far(job.ahead)
        job.ahead += LINE


cdef void write_rows(Job* job, const Column* column, int32_t c, uint8_t* to, int32_t count) noexcept nogil:
    """Write the values of the block's messages to consecutive rows."""
    cdef const uint8_t** places = (job.places + <size_t> (column.slot - 1) * BLOCK) if column.slot else job.messages
    cdef const Step* step = column.step
    cdef int32_t k
    if column.kind == NUMBERS and step.width == column.width and step.shift == 0:
        copy_numbers(to, column.width, places, column.distance, step.swap, count)
    elif column.kind == NUMBERS:
        widen_numbers(to, column.width, places, column.distance, step, count)
    elif column.kind == LOOKUPS:
        for k in range(count):
            store_u16(to + 2 * k, step.lookup[places[k][column.distance]])
    elif column.kind == TABLES:
        write_tables(job, column, values_of(job, c), to, count)
    elif column.kind == UNIFORM:
        fill(to, column.width, step.value, count)
    elif column.kind == CONSTANTS:
        write_constants(job, column, values_of(job, c), to, count)
    elif column.kind == LOCATED:
        for k in range(count):
            store_u64(to + 8 * k, <uint64_t> (job.messages[k] - job.base))
    else:
        for k in range(count):
            run_step(job, step_of(job, job.shapes[k], c), column, job.messages[k], to + k * column.width)


cdef void write_constants(
    Job* job, const Column* column, const uint64_t* values, uint8_t* to, int32_t count
) noexcept nogil:
    """Write a value that each shape has for itself."""
    cdef int32_t k
    if column.width == 2:
        for k in range(count):
            store_u16(to + 2 * k, <uint16_t> values[job.shapes[k]])
    elif column.width == 4:
        for k in range(count):
            store_u32(to + 4 * k, <uint32_t> values[job.shapes[k]])
    else:
        for k in range(count):
            store_number(to + k * column.width, column.width, values[job.shapes[k]])


cdef void write_tables(
    Job* job, const Column* column, const uint64_t* tables, uint8_t* to, int32_t count
) noexcept nogil:
    """Write a byte through the table of its message's shape."""
    cdef int32_t k
    for k in range(count):
        store_u16(to + 2 * k, job.plan.lookups[tables[job.shapes[k]] + job.messages[k][column.step.at]])


cdef inline void widen_numbers(
    uint8_t* to, int32_t width, const uint8_t** places, int32_t distance, const Step* step, int32_t count
) noexcept nogil:
    """Copy numbers into a wider column, or shifted."""
    cdef int32_t k
    if step.width == 1 and width == 4:
        for k in range(count):
            store_u32(to + 4 * k, (<uint32_t> places[k][distance]) << step.shift)
    else:
        for k in range(count):
            store_number(
                to + k * width, width, load_number(places[k] + distance, step.width, step.swap) << step.shift
            )


cdef inline void copy_numbers(
    uint8_t* to, int32_t width, const uint8_t** places, int32_t distance, bint swap, int32_t count
) noexcept nogil:
    """Copy numbers of the column's own width."""
    cdef int32_t k
    if width == 1:
        for k in range(count):
            to[k] = places[k][distance]
    elif width == 2 and swap:
        for k in range(count):
            store_u16(to + 2 * k, load_u16(places[k] + distance, True))
    elif width == 2:
        for k in range(count):
            store_u16(to + 2 * k, load_u16(places[k] + distance, False))
    elif width == 4 and swap:
        for k in range(count):
            store_u32(to + 4 * k, load_u32(places[k] + distance, True))
    elif width == 4:
        for k in range(count):
            store_u32(to + 4 * k, load_u32(places[k] + distance, False))
    elif swap:
        for k in range(count):
            store_u64(to + 8 * k, load_u64(places[k] + distance, True))
    else:
        for k in range(count):
            store_u64(to + 8 * k, load_u64(places[k] + distance, False))


cdef inline uint16_t translated(const uint16_t* lookup, uint64_t number) noexcept nogil:
    """A number through a table of 256; a larger one as an unknown term."""
    if number < 256:
        return lookup[number]
    return <uint16_t> (UNKNOWN + min(number, <uint64_t> UNKNOWN - 1))


cdef inline void run_step(
    Job* job, const Step* step, const Column* column, const uint8_t* message, uint8_t* to
) noexcept nogil:
    """Write the value that one message has by the step of its shape."""
    cdef const uint8_t* at = message + step.at
    if step.action == MAPPED4:
        store_mapped(to, at)
    elif step.action == BYTES16:
        memcpy(to, at, 16)
    elif step.action == PLACE:
        store_u64(to, <uint64_t> (message - job.base) + step.value)
    elif step.action == LOOKUP:
        store_u16(to, translated(step.lookup, load_number(at, step.width, step.swap)))
    elif step.action == NUMBER:
        store_number(to, column.width, load_number(at, step.width, step.swap) << step.shift)
    elif step.action == ONES:
        store_number(to, column.width, leading_ones(at, step.width))
    else:
        fill(to, column.width, step.value, 1)


cdef inline uint64_t leading_ones(const uint8_t* at, int32_t size) noexcept nogil:
    """How many bits of `size` bytes are ones before the first that is not."""
    cdef uint64_t count = 0
    cdef uint8_t rest
    while count < 8 * <uint64_t> size and at[count // 8] == 0xFF:
        count += 8
    if count < 8 * <uint64_t> size:
        rest = at[count // 8]
        while rest & 0x80:
            rest = <uint8_t> (rest << 1)
            count += 1
    return count


cdef void fill(uint8_t* to, int32_t width, uint64_t value, int32_t count) noexcept nogil:
    """One value in `count` consecutive rows; rows of 16 bytes are only ever filled with zeros."""
    cdef int32_t k
    if value == 0 or width == 1:
        memset(to, <int> value, <size_t> count * width)
    elif width == 2:
        for k in range(count):
            store_u16(to + 2 * k, <uint16_t> value)
    elif width == 4:
        for k in range(count):
            store_u32(to + 4 * k, <uint32_t> value)
    else:
        for k in range(count):
            store_u64(to + 8 * k, value)


cdef inline void store_mapped(uint8_t* to, const uint8_t* address) noexcept nogil:
    """An IPv4 address as v4-mapped IPv6 (RFC 4291, 2.5.5.2)."""
    cdef uint8_t half[8]
    half[0] = 0
    half[1] = 0
    half[2] = 0xFF
    half[3] = 0xFF
    memcpy(half + 4, address, 4)
    store_u64(to, 0)
    memcpy(to + 8, half, 8)
