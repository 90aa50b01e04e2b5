# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Decoding into columns: walk a block of messages, then write one column of the block after the other.

A shape turns the plan into one step per column with fixed offsets (steps.pyx). Most columns read one field, which lies
at the same offset in the messages of all shapes, or at the same distance from something that moves (a slot: some shapes
have it elsewhere, some have not). So before columns are written the place of every slot in every message is noted, and
then a column is one loop without decisions: a pointer, a distance, a load, a store. Absent fields point at zeros.

Numbers of 4 and 8 bytes at one offset go through tiles, which transpose them in vector registers. Large tables are
streamed out past the cache, while the next block is fetched.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from .contract import Outcome
from .load cimport (
    fetch_ahead,
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
from .shapes cimport (
    MAX_SHAPES,
    WORD,
    Cache,
    FrameView,
    Verdict,
    cache_clear,
    cache_free,
    cache_new,
    examine,
    recognise,
)
from .steps cimport (
    ABSENT,
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
    PFKEY_WINDOW,
    PLACE,
    REACH,
    TABLES,
    TILED,
    UNIFORM,
    UNKNOWN,
    Column,
    ColumnRow,
    Halves,
    Job,
    Place,
    Step,
    Tile,
    make_steps,
    sort_out_columns,
    step_of,
)

cdef extern from "tiles.h" nogil:
    size_t tile8 "pfkey_tile8"(
        uint8_t** to, size_t at, const uint8_t** messages, size_t count, const int* swap, bint streaming
    ) noexcept
    size_t tile4 "pfkey_tile4"(
        uint8_t** to, size_t at, const uint8_t** messages, size_t count, const int* swap, bint streaming
    ) noexcept
    void stream "pfkey_stream"(uint8_t* to, const uint8_t* frm, size_t size) noexcept
    void stream_end "pfkey_stream_end"() noexcept

cdef enum:
    LINES_A_COLUMN = 24  # of the next block, fetched while a column is written
    STREAM_FROM = 16 << 20  # bytes of messages; a table of fewer may fit the cache, where its reader wants it


cdef class Outputs:
    """The caller's columns, held for the time of a call."""

    cdef Py_buffer* views
    cdef Py_ssize_t count
    cdef Column* columns

    def __cinit__(self, plan, targets, const int32_t[::1] widths, uint64_t row, uint64_t rows):
        cdef Py_ssize_t number = len(plan.columns)
        cdef Py_ssize_t k
        if len(targets) != number:
            raise ValueError(f"the plan has {number} columns, not {len(targets)}")
        self.views = <Py_buffer*> malloc((number + 1) * sizeof(Py_buffer))
        self.columns = <Column*> calloc(number + 1, sizeof(Column))
        if self.views == NULL or self.columns == NULL:
            raise MemoryError
        for k in range(number):
            PyObject_GetBuffer(targets[k], &self.views[k], PyBUF_SIMPLE | PyBUF_WRITABLE)
            self.count += 1
            self.columns[k].width = widths[k]
            if <uint64_t> self.views[k].len < rows * <uint64_t> self.columns[k].width:
                raise ValueError(f"column {plan.columns[k].name} has no room for {rows} rows")
            self.columns[k].target = <uint8_t*> self.views[k].buf + row * <uint64_t> self.columns[k].width

    def __dealloc__(self):
        cdef Py_ssize_t k
        for k in range(self.count):
            PyBuffer_Release(&self.views[k])
        free(self.views)
        free(self.columns)


def decode(
    const uint8_t[::1] buffer,
    uint64_t start,
    uint64_t stop,
    plan,
    bint strict,
    columns,
    uint64_t row,
    uint64_t rows,
):
    """Validate messages and write one row each into `columns`, from `row` up to `rows`."""
    cdef FrameView frame = FrameView(plan.frame, strict)
    packed_rows, packed_lookups, packed_widths = plan.packed
    cdef Outputs outputs = Outputs(plan, columns, packed_widths, row, rows)
    cdef const int32_t[::1] plan_rows = packed_rows
    cdef const uint16_t[::1] lookups = packed_lookups
    cdef Job* job
    cdef Verdict verdict
    cdef uint64_t position = start
    cdef uint64_t count = 0
    verdict.fault = 0
    stop = min(stop, <uint64_t> buffer.shape[0])
    if row < rows and start < stop:
        job = job_new(outputs, len(plan.columns), rows - row, stop - start)
        job.plan.frame = frame.frame
        job.plan.rows = <const ColumnRow*> &plan_rows[0] if plan_rows.shape[0] else NULL
        job.plan.rows_count = len(plan.rows)
        job.plan.lookups = &lookups[0] if lookups.shape[0] else NULL
        job.base = &buffer[0]
        with nogil:
            count = decode_blocks(job, &position, stop, rows - row, &verdict)
            job_free(job)
    return Outcome(count, verdict.fault, verdict.position if verdict.fault else position, position)


cdef Job* job_new(Outputs outputs, int32_t columns, uint64_t room, uint64_t size) except NULL:
    """Working memory for one call."""
    cdef Job* job = <Job*> calloc(1, sizeof(Job))
    cdef int32_t capacity = <int32_t> min(room, <uint64_t> MAX_SHAPES)
    if job == NULL:
        raise MemoryError
    job.plan.columns = columns
    job.columns = outputs.columns
    job.streaming = size >= STREAM_FROM
    try:
        job.cache = cache_new(capacity)
        job.steps = <Step*> malloc(<size_t> capacity * <size_t> (columns + 1) * sizeof(Step))
        job.slots = <int32_t*> malloc(<size_t> capacity * <size_t> (columns + 1) * sizeof(int32_t))
        job.places = <const uint8_t**> malloc(<size_t> BLOCK * <size_t> (columns + 1) * sizeof(uint8_t*))
        job.tiles = <Tile*> malloc(<size_t> (columns + 1) * sizeof(Tile))
        if not (job.steps and job.slots and job.places and job.tiles):
            raise MemoryError
    except MemoryError:
        job_free(job)
        raise
    return job


cdef void job_free(Job* job) noexcept nogil:
    """Give the working memory back."""
    cache_free(job.cache)
    free(job.steps)
    free(job.slots)
    free(job.places)
    free(job.tiles)
    free(job)


cdef uint64_t decode_blocks(
    Job* job, uint64_t* position, uint64_t stop, uint64_t room, Verdict* verdict
) noexcept nogil:
    """Decode block after block; the number of rows written, with `position` behind their messages."""
    cdef uint64_t count = 0
    cdef int32_t taken
    while count < room and position[0] < stop and verdict.fault == 0:
        taken = walk_block(job, position, stop, <int32_t> min(room - count, <uint64_t> BLOCK), verdict)
        if taken:
            if job.shapes_changed:
                sort_out_columns(job)
            find_places(job, taken)
            write_block(job, count, taken)
            count += taken
    if job.streaming:
        stream_end()
    return count


cdef int32_t walk_block(
    Job* job, uint64_t* position, uint64_t stop, int32_t room, Verdict* verdict
) noexcept nogil:
    """Recognise or examine up to `room` messages."""
    cdef Cache* cache = job.cache
    cdef uint64_t at = position[0]
    cdef int32_t taken = 0
    cdef int32_t index
    if cache.count > cache.capacity - room:
        cache_clear(cache)
        job.shapes_changed = True
    while taken < room and at < stop:
        index = recognise(cache, job.base + at, stop - at)
        if index < 0:
            index = examine(cache, &job.plan.frame, job.base, at, stop, verdict)
            if index < 0:
                break
            make_steps(job, index, job.base + at)
            job.shapes_changed = True
        job.messages[taken] = job.base + at
        job.shapes[taken] = index
        taken += 1
        fetch_ahead(job.base + at, stop - at)
        at += <uint64_t> load_u16(job.base + at + 4, job.plan.frame.swap) * WORD
    job.ahead = job.base + min(at, stop)
    job.end = job.base + min(stop, 2 * at - position[0])
    position[0] = at
    return taken


cdef void find_places(Job* job, int32_t taken) noexcept nogil:
    """Note the place of every slot in every message of the block, without asking whether the message has it."""
    cdef Place shapes[MAX_SHAPES]
    cdef const Place* shape
    cdef const int32_t* slot
    cdef const uint8_t** places
    cdef int32_t s, k
    for s in range(1, job.slots_count):
        slot = job.slots + <size_t> s * job.cache.capacity
        places = job.places + <size_t> s * BLOCK
        for k in range(job.cache.count):
            shapes[k].offset = slot[k]
            shapes[k].mask = 0 if slot[k] == ABSENT else ~<size_t> 0
            shapes[k].elsewhere = <size_t> (job.zeros + REACH) if slot[k] == ABSENT else 0
        for k in range(taken):
            shape = shapes + job.shapes[k]
            places[k] = <const uint8_t*> (((<size_t> job.messages[k] + shape.offset) & shape.mask) | shape.elsewhere)


cdef void write_block(Job* job, uint64_t done, int32_t taken) noexcept nogil:
    """Write the rows of a block into the caller's columns."""
    cdef int32_t c
    cdef Column* column
    cdef uint8_t* target
    for c in range(job.tiles_count):
        fetch_next(job)
        write_tile(job, job.tiles + c, done, taken)
    for c in range(job.plan.columns):
        column = job.columns + c
        if column.kind == TILED:
            continue
        fetch_next(job)
        target = column.target + done * <uint64_t> column.width
        if job.streaming:
            write_rows(job, column, c, job.scratch, taken)
            stream(target, job.scratch, <size_t> taken * column.width)
        else:
            write_rows(job, column, c, target, taken)


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
            streaming = streaming and <size_t> to[j] % PFKEY_WINDOW == 0
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
    cdef const uint8_t* stop = min(job.end, job.ahead + LINES_A_COLUMN * LINE)
    while job.ahead < stop:
        fetch_far(job.ahead)
        job.ahead += LINE


cdef void write_rows(Job* job, const Column* column, int32_t c, uint8_t* to, int32_t count) noexcept nogil:
    """Write the values of the block's messages to consecutive rows."""
    cdef const uint8_t** places = (job.places + <size_t> column.slot * BLOCK) if column.slot else job.messages
    cdef const Step* step = column.step
    cdef int32_t k
    if column.kind == NUMBERS and step.width == column.width and step.shift == 0:
        copy_numbers(to, column.width, places, column.distance, step.swap, count)
    elif column.kind == NUMBERS:
        widen_numbers(to, column.width, places, column.distance, step, count)
    elif column.kind == LOOKUPS:
        for k in range(count):
            store_u16(to + 2 * k, step.lookup[places[k][column.distance]])
    elif column.kind == LOOKUPS:
        for k in range(count):
            store_u16(to + 2 * k, step.lookup[places[k][column.distance]])
    elif column.kind == TABLES:
        write_tables(job, c, to, count)
    elif column.kind == UNIFORM:
        fill(to, column.width, step.value, count)
    elif column.kind == CONSTANTS:
        write_constants(job, column, c, to, count)
    elif column.kind == LOCATED:
        for k in range(count):
            store_u64(to + 8 * k, <uint64_t> (job.messages[k] - job.base))
    elif column.kind == ADDRESSES:
        write_addresses(job, c, to, count)
    else:
        for k in range(count):
            run_step(job, step_of(job, job.shapes[k], c), column, job.messages[k], to + k * column.width)


cdef void write_constants(Job* job, const Column* column, int32_t c, uint8_t* to, int32_t count) noexcept nogil:
    """Write a value that each shape has for itself."""
    cdef uint64_t values[MAX_SHAPES]
    cdef int32_t k
    for k in range(job.cache.count):
        values[k] = step_of(job, k, c).value
    if column.width == 2:
        for k in range(count):
            store_u16(to + 2 * k, <uint16_t> values[job.shapes[k]])
    elif column.width == 4:
        for k in range(count):
            store_u32(to + 4 * k, <uint32_t> values[job.shapes[k]])
    else:
        for k in range(count):
            store_number(to + k * column.width, column.width, values[job.shapes[k]])


cdef void write_tables(Job* job, int32_t c, uint8_t* to, int32_t count) noexcept nogil:
    """Write a byte through the table of its message's shape."""
    cdef const uint16_t* tables[MAX_SHAPES]
    cdef int32_t at = step_of(job, 0, c).at
    cdef int32_t k
    for k in range(job.cache.count):
        tables[k] = step_of(job, k, c).lookup
    for k in range(count):
        store_u16(to + 2 * k, tables[job.shapes[k]][job.messages[k][at]])


cdef void write_addresses(Job* job, int32_t c, uint8_t* to, int32_t count) noexcept nogil:
    """Write addresses without asking each message for its family: every shape says where the two halves come from."""
    cdef Halves shapes[MAX_SHAPES]
    cdef const Halves* halves
    cdef int32_t k
    for k in range(job.cache.count):
        shapes[k] = halves_of(step_of(job, k, c))
    for k in range(count):
        halves = shapes + job.shapes[k]
        store_u64(to + 16 * k, load_u64(job.messages[k] + halves.at[0], False) & halves.mask[0])
        store_u64(
            to + 16 * k + 8, (load_u64(job.messages[k] + halves.at[1], False) & halves.mask[1]) | halves.extra[1]
        )


cdef inline Halves halves_of(const Step* step) noexcept nogil:
    """Where the halves of an address come from; an absent one is zeros."""
    cdef Halves halves
    memset(&halves, 0, sizeof(Halves))
    if step.action == BYTES16:
        halves.at[0] = step.at
        halves.at[1] = step.at + 8
        memset(halves.mask, 0xFF, sizeof(halves.mask))
    elif step.action == MAPPED4:
        halves.at[1] = step.at - 4  # a sockaddr has at least that before its address
        memset(<uint8_t*> &halves.mask[1] + 4, 0xFF, 4)
        memset(<uint8_t*> &halves.extra[1] + 2, 0xFF, 2)
    return halves


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
