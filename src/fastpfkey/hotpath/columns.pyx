# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Decoding into columns: walk a block of messages, then move one field of all messages of a shape at a time.

A shape turns the plan into one step per column with fixed offsets. Within a block the messages are sorted by shape, and a
step runs over all messages of neighbouring shapes that share it, so nothing is decided per message. Shapes are ranked such that
those with the same offsets are neighbours, and a step that all known shapes share runs in order of arrival. Large tables
are written to a scratch block that stays in the cache and streamed out past it; a scratch column that already holds the
block's one value is kept.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from .contract import Outcome
from .load cimport fetch_ahead, fetch_far, load_number, load_u16, load_u32, load_u64, store_number, store_u16, store_u32, store_u64
from .shapes cimport (
    MAX_SHAPES,
    WORD,
    Cache,
    Extent,
    Family,
    Frame,
    FrameView,
    Shape,
    Verdict,
    cache_clear,
    cache_free,
    cache_new,
    examine,
    find_family,
    recognise,
)

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    /* Copy past the cache: the written lines are not read first and push nothing out. */
    static void pfkey_stream(uint8_t *to, const uint8_t *from, size_t size) {
        size_t head = (16 - ((uintptr_t)to & 15)) & 15;
        if (head > size) head = size;
        memcpy(to, from, head);
        to += head; from += head; size -= head;
        for (; size >= 16; to += 16, from += 16, size -= 16)
            _mm_stream_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
        memcpy(to, from, size);
    }
    static void pfkey_stream_end(void) { _mm_sfence(); }
    #else
    #define pfkey_stream(to, from, size) memcpy(to, from, size)
    #define pfkey_stream_end() ((void)0)
    #endif
    """
    void stream "pfkey_stream"(uint8_t* to, const uint8_t* frm, size_t size) noexcept nogil
    void stream_end "pfkey_stream_end"() noexcept nogil

cdef enum:
    BLOCK = 512
    LINE = 64
    LINES_A_COLUMN = 48  # of the next block, brought in while a column of this one is written
    STREAM_FROM = 16 << 20  # bytes of messages; a table of fewer may fit the cache, where its reader wants it
    UNKNOWN = 0x8000
    ROW = 0xFFFF

cdef enum ColumnOp:
    COPY = 0
    MAP = 1
    IP = 2
    FAMILY = 3
    PORT = 4
    SCOPE = 5
    TAIL_OFFSET = 6
    TAIL_LENGTH = 7
    MESSAGE_OFFSET = 8
    MESSAGE_LENGTH = 9
    PRESENT = 10
    OTHERS = 11

cdef struct ColumnRow:
    int32_t op
    int32_t extension
    int32_t source
    int32_t width
    int32_t swap
    int32_t shift
    int32_t column
    int32_t column_width
    int32_t lookup
    int32_t minimum
    int32_t satype

cdef enum Action:
    CONSTANT = 0
    NUMBER = 1  # load, swap, shift, store
    BYTES16 = 2
    MAPPED4 = 3  # an IPv4 address as v4-mapped
    LOOKUP = 4
    PLACE = 5  # offset of the message plus a constant

cdef struct Step:
    int32_t action
    int32_t width
    int32_t swap
    int32_t shift
    int32_t at  # offset in the message
    int32_t kin  # the first shape of the cache with the same step in this column
    const uint16_t* lookup
    uint64_t value

cdef struct Run:
    int32_t first  # rank of the first of neighbouring shapes that share a step
    int32_t last  # rank behind the last
    const Step* step

cdef struct Plan:
    Frame frame
    const ColumnRow* rows
    int32_t rows_count
    const uint16_t* lookups
    int32_t columns

cdef struct Column:
    uint8_t* target  # the caller's
    uint8_t* scratch
    uint8_t* block  # where this block's row 0 goes: target or scratch
    int32_t width
    Run* runs
    int32_t runs_count
    bint uniform  # the whole scratch column holds `value`
    uint64_t value

cdef struct Job:
    Plan plan
    Cache* cache
    Step* steps  # plan.columns for each shape of the cache
    Column* columns
    const uint8_t* base
    bint streaming
    const uint8_t* ahead  # of the next block, what has not been brought in yet
    const uint8_t* end
    int32_t shapes[BLOCK]
    # The messages of the block in order of arrival, and sorted by shape: 48 bits of offset from base, 16 of row.
    uint64_t arrived[BLOCK]
    uint64_t sorted[BLOCK]
    int32_t* ranked  # shapes of the cache by rank
    bint ranks_changed  # since the runs were made
    uint32_t* counts  # per shape of the cache: its messages in the block, then where the next of them goes
    uint32_t* first  # per rank: where its messages begin in `sorted`
    Run* runs  # room for a run of each shape in each column


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
    cdef int32_t k
    cdef size_t scratch = 0
    if job == NULL:
        raise MemoryError
    job.plan.columns = columns
    job.columns = outputs.columns
    job.streaming = size >= STREAM_FROM
    for k in range(columns):
        scratch += BLOCK * <size_t> job.columns[k].width
    try:
        job.cache = cache_new(capacity)
        job.steps = <Step*> malloc(<size_t> capacity * <size_t> (columns + 1) * sizeof(Step))
        job.ranked = <int32_t*> malloc(<size_t> capacity * sizeof(int32_t))
        job.counts = <uint32_t*> calloc(<size_t> capacity, sizeof(uint32_t))
        job.first = <uint32_t*> malloc((<size_t> capacity + 1) * sizeof(uint32_t))
        job.runs = <Run*> malloc(<size_t> capacity * <size_t> (columns + 1) * sizeof(Run))
        if job.steps == NULL or job.ranked == NULL or job.counts == NULL or job.first == NULL or job.runs == NULL:
            raise MemoryError
        for k in range(columns):
            job.columns[k].runs = job.runs + <size_t> capacity * k
        if job.streaming and columns:
            job.columns[0].scratch = <uint8_t*> malloc(scratch)
            if job.columns[0].scratch == NULL:
                raise MemoryError
            for k in range(1, columns):
                job.columns[k].scratch = job.columns[k - 1].scratch + BLOCK * <size_t> job.columns[k - 1].width
    except MemoryError:
        job_free(job)
        raise
    return job


cdef void job_free(Job* job) noexcept nogil:
    """Give the working memory back."""
    cache_free(job.cache)
    free(job.steps)
    free(job.ranked)
    free(job.counts)
    free(job.first)
    free(job.runs)
    if job.plan.columns:
        free(job.columns[0].scratch)
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
            sort_block(job, taken)
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
    while taken < room and at < stop:
        index = recognise(cache, job.base + at, stop - at)
        if index < 0:
            index = examine(cache, &job.plan.frame, job.base, at, stop, verdict)
            if index < 0:
                break
            make_steps(job, index, job.base + at)
            rank_shape(job, index)
        job.arrived[taken] = at << 16 | <uint64_t> taken
        job.shapes[taken] = index
        taken += 1
        fetch_ahead(job.base + at, stop - at)
        at += <uint64_t> load_u16(job.base + at + 4, job.plan.frame.swap) * WORD
    job.ahead = job.base + min(at, stop)
    job.end = job.base + min(stop, 2 * at - position[0])
    position[0] = at
    return taken


cdef void sort_block(Job* job, int32_t taken) noexcept nogil:
    """Put the messages of the block together by rank of their shapes, in order of arrival within each."""
    cdef uint32_t sum = 0
    cdef uint32_t count, place
    cdef int32_t k, shape
    for k in range(taken):
        job.counts[job.shapes[k]] += 1
    for k in range(job.cache.count):
        shape = job.ranked[k]
        job.first[k] = sum
        count = job.counts[shape]
        job.counts[shape] = sum
        sum += count
    job.first[job.cache.count] = sum
    for k in range(taken):
        place = job.counts[job.shapes[k]]
        job.counts[job.shapes[k]] += 1
        job.sorted[place] = job.arrived[k]
    memset(job.counts, 0, <size_t> job.cache.count * sizeof(uint32_t))


cdef void make_runs(Job* job) noexcept nogil:
    """For each column, the runs of neighbouring shapes that share a step."""
    cdef int32_t c, k
    cdef Column* column
    cdef const Step* step
    cdef Run* run = NULL
    for c in range(job.plan.columns):
        column = job.columns + c
        column.runs_count = 0
        for k in range(job.cache.count):
            step = job.steps + <size_t> job.ranked[k] * job.plan.columns + c
            if k == 0 or step.kin != run.step.kin:
                run = column.runs + column.runs_count
                run.first = k
                run.step = step
                column.runs_count += 1
            run.last = k + 1
    job.ranks_changed = False


cdef void rank_shape(Job* job, int32_t index) noexcept nogil:
    """Give the newest shape its rank, and tell each of its steps which shapes share it."""
    cdef int32_t columns = job.plan.columns
    cdef Step* steps = job.steps + <size_t> index * columns
    cdef const Step* other
    cdef int32_t c, k
    for c in range(columns):
        steps[c].kin = index
        for k in range(index):
            other = job.steps + <size_t> k * columns + c
            if other.kin == k and same_step(other, steps + c):
                steps[c].kin = k
                break
    job.ranks_changed = True
    k = index
    while k > 0 and precedes(steps, job.steps + <size_t> job.ranked[k - 1] * columns, columns):
        job.ranked[k] = job.ranked[k - 1]
        k -= 1
    job.ranked[k] = index


cdef bint same_step(const Step* a, const Step* b) noexcept nogil:
    """Whether two steps do the same."""
    return (
        a.action == b.action
        and a.at == b.at
        and a.value == b.value
        and a.width == b.width
        and a.swap == b.swap
        and a.shift == b.shift
        and a.lookup == b.lookup
    )


cdef bint precedes(const Step* a, const Step* b, int32_t columns) noexcept nogil:
    """Whether a shape with steps `a` ranks before one with steps `b`: by the first column in which they differ."""
    cdef int32_t c
    for c in range(columns):
        if a[c].kin != b[c].kin:
            return a[c].kin < b[c].kin
    return False


cdef void make_steps(Job* job, int32_t index, const uint8_t* message) noexcept nogil:
    """Turn the plan into steps for a new shape, of which `message` is one. The last row that applies to a column counts."""
    cdef const Shape* shape = job.cache.shapes + index
    cdef Step* steps = job.steps + <size_t> index * job.plan.columns
    cdef const ColumnRow* row
    cdef Extent extent
    cdef int32_t k
    memset(steps, 0, <size_t> job.plan.columns * sizeof(Step))
    for k in range(job.plan.rows_count):
        row = job.plan.rows + k
        if row.satype >= 0 and row.satype != shape.satype:
            continue
        if row.extension < 0:
            extent.offset = 0
            extent.length = shape.length
        elif (shape.numbers >> row.extension) & 1:
            extent = shape.extents[row.extension]
        else:
            continue
        if extent.length >= <uint32_t> row.minimum:
            make_step(job, steps + row.column, row, shape, message, &extent)


cdef void make_step(
    Job* job, Step* step, const ColumnRow* row, const Shape* shape, const uint8_t* message, const Extent* extent
) noexcept nogil:
    """What one row does for a shape whose extension has this place and length."""
    step.action = CONSTANT
    step.value = 0
    step.at = extent.offset + row.source
    step.width = row.width
    step.swap = row.swap
    step.shift = row.shift
    if row.op == COPY:
        step.action = BYTES16 if row.width == 16 else NUMBER
    elif row.op == MAP:
        step.action = LOOKUP
        step.lookup = job.plan.lookups + 256 * row.lookup
    elif row.op == TAIL_OFFSET:
        step.action = PLACE
        step.value = step.at
    elif row.op == TAIL_LENGTH:
        step.value = extent.length - <uint32_t> row.source
    elif row.op == MESSAGE_OFFSET:
        step.action = PLACE
    elif row.op == MESSAGE_LENGTH:
        step.value = shape.length
    elif row.op == PRESENT:
        step.value = shape.present
    elif row.op == OTHERS:
        step.value = shape.others
    else:
        make_sockaddr_step(job, step, row, message)


cdef void make_sockaddr_step(Job* job, Step* step, const ColumnRow* row, const uint8_t* message) noexcept nogil:
    """A part of the sockaddr at step.at, whose family is the same in all messages of the shape."""
    cdef const Frame* frame = &job.plan.frame
    cdef uint64_t number = load_number(message + step.at + frame.family_offset, frame.family_width, frame.swap)
    cdef const Family* family = find_family(frame, number)
    if row.op == FAMILY:
        if family != NULL:
            step.value = family.version
        elif number:
            step.value = UNKNOWN + min(number, <uint64_t> UNKNOWN - 1)
        return
    if family == NULL or (row.op == SCOPE and family.scope < 0):
        return
    if row.op == IP:
        step.at += family.address
        step.action = MAPPED4 if family.version == 4 else BYTES16
    else:
        step.at += family.port if row.op == PORT else family.scope
        step.action = NUMBER


cdef void write_block(Job* job, uint64_t done, int32_t taken) noexcept nogil:
    """Write the rows of a block into the caller's columns."""
    cdef int32_t c
    cdef Column* column
    cdef const Step* step
    cdef uint8_t* target
    if job.ranks_changed:
        make_runs(job)
    for c in range(job.plan.columns):
        fetch_next(job)
        column = job.columns + c
        target = column.target + done * <uint64_t> column.width
        column.block = column.scratch if job.streaming else target
        step = column.runs[0].step
        if column.runs_count == 1 and step.action == CONSTANT:
            fill_uniform(job, column, step.value, taken)
        else:
            column.uniform = False
            if column.runs_count == 1:
                run_step(job, step, column, job.arrived, 0, taken)
            else:
                write_runs(job, column, taken)
        if job.streaming:
            stream(target, column.scratch, <size_t> taken * column.width)


cdef void fetch_next(Job* job) noexcept nogil:
    """Bring in some of the next block, so that memory works while columns are written."""
    cdef const uint8_t* stop = min(job.end, job.ahead + LINES_A_COLUMN * LINE)
    while job.ahead < stop:
        fetch_far(job.ahead)
        job.ahead += LINE


cdef void write_runs(Job* job, Column* column, int32_t taken) noexcept nogil:
    """Write a column in which shapes differ: its commonest constant everywhere, then the runs that have another step."""
    cdef const Run* most = NULL
    cdef const Run* run
    cdef uint32_t messages = 0
    cdef int32_t k
    for k in range(column.runs_count):
        run = column.runs + k
        if run.step.action == CONSTANT and job.first[run.last] - job.first[run.first] > messages:
            messages = job.first[run.last] - job.first[run.first]
            most = run
    if most != NULL:
        fill(column.block, column.width, most.step.value, taken)
    for k in range(column.runs_count):
        run = column.runs + k
        if job.first[run.first] < job.first[run.last] and (most == NULL or run.step.kin != most.step.kin):
            run_step(job, run.step, column, job.sorted, job.first[run.first], job.first[run.last])


cdef void fill_uniform(Job* job, Column* column, uint64_t value, int32_t taken) noexcept nogil:
    """Fill the block of a column that has one value in all messages."""
    if not job.streaming:
        fill(column.block, column.width, value, taken)
    elif not (column.uniform and column.value == value):
        fill(column.scratch, column.width, value, BLOCK)
        column.uniform = True
        column.value = value


cdef void fill(uint8_t* to, int32_t width, uint64_t value, int32_t count) noexcept nogil:
    """One value in `count` consecutive rows; columns of 16 bytes are only ever filled with zeros."""
    cdef int32_t k
    if value == 0:
        memset(to, 0, <size_t> count * width)
    elif width == 1:
        memset(to, <int> value, count)
    elif width == 2:
        for k in range(count):
            store_u16(to + 2 * k, <uint16_t> value)
    elif width == 4:
        for k in range(count):
            store_u32(to + 4 * k, <uint32_t> value)
    else:
        for k in range(count):
            store_u64(to + 8 * k, value)


cdef void run_step(
    Job* job, const Step* step, Column* column, const uint64_t* messages, uint32_t first, uint32_t last
) noexcept nogil:
    """Move one field of the messages first to last into their rows of a column."""
    cdef uint8_t* to = column.block
    cdef const uint8_t* at = job.base + step.at
    cdef const uint16_t* lookup = step.lookup
    cdef uint64_t value = step.value
    cdef int32_t width = column.width
    cdef bint swap = step.swap
    cdef uint32_t k
    cdef uint64_t message, number
    if step.action == NUMBER and step.width == width and step.shift == 0:
        if width == 1:
            for k in range(first, last):
                message = messages[k]
                to[message & ROW] = at[message >> 16]
        elif width == 2:
            for k in range(first, last):
                message = messages[k]
                store_u16(to + 2 * (message & ROW), load_u16(at + (message >> 16), swap))
        elif width == 4:
            for k in range(first, last):
                message = messages[k]
                store_u32(to + 4 * (message & ROW), load_u32(at + (message >> 16), swap))
        else:
            for k in range(first, last):
                message = messages[k]
                store_u64(to + 8 * (message & ROW), load_u64(at + (message >> 16), swap))
    elif step.action == NUMBER:
        for k in range(first, last):
            message = messages[k]
            number = load_number(at + (message >> 16), step.width, swap) << step.shift
            store_number(to + width * (message & ROW), width, number)
    elif step.action == LOOKUP and step.width == 1:
        for k in range(first, last):
            message = messages[k]
            store_u16(to + 2 * (message & ROW), lookup[at[message >> 16]])
    elif step.action == LOOKUP:
        for k in range(first, last):
            message = messages[k]
            number = load_number(at + (message >> 16), step.width, swap)
            number = lookup[number] if number < 256 else UNKNOWN + min(number, <uint64_t> UNKNOWN - 1)
            store_u16(to + 2 * (message & ROW), <uint16_t> number)
    elif step.action == BYTES16:
        for k in range(first, last):
            message = messages[k]
            memcpy(to + 16 * (message & ROW), at + (message >> 16), 16)
    elif step.action == MAPPED4:
        for k in range(first, last):
            message = messages[k]
            store_mapped(to + 16 * (message & ROW), at + (message >> 16))
    elif step.action == PLACE:
        for k in range(first, last):
            message = messages[k]
            store_u64(to + 8 * (message & ROW), (message >> 16) + value)
    elif width == 16:
        for k in range(first, last):
            memset(to + 16 * (messages[k] & ROW), 0, 16)
    else:
        for k in range(first, last):
            store_number(to + width * (messages[k] & ROW), width, value)


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
