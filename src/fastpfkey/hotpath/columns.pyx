# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Decoding into columns: walk a block of messages, then write one column of the block after the other.

A shape turns the plan into one step per column with fixed offsets (steps.pyx). Most columns read one field, which lies
at the same offset in the messages of all shapes, or at the same distance from something that moves (a slot: some shapes
have it elsewhere, some have not). So before columns are written the place of every slot in every message is noted, and
then a column is one loop without decisions (rows.pyx): a pointer, a distance, a load, a store. Absent fields point at
zeros.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from .contract import Outcome
from .load cimport fetch_ahead, load_u16
from .rows cimport find_places, write_block
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
    BLOCK,
    PFKEY_SLOTS_AT_ONCE,
    Column,
    ColumnRow,
    Four,
    Job,
    Origin,
    Plan,
    Step,
    Tile,
    Window,
    make_steps,
    sort_out_columns,
)
from .windows cimport fill_up, find_windows

cdef extern from "tiles.h" nogil:
    void stream_end "pfkey_stream_end"() noexcept

cdef extern from "match.h" nogil:
    int lines_a_column "pfkey_lines_a_column"() noexcept

cdef enum:
    STREAM_FROM = 16 << 20  # bytes of messages; a table of fewer may fit the cache, where its reader wants it


cdef class PlanView:
    """A plan for C, and its owner."""

    def __cinit__(self, plan, bint strict):
        cdef const int32_t[::1] rows
        cdef const uint16_t[::1] lookups
        cdef const int32_t[::1] widths
        self.packed = plan.packed
        rows, lookups, widths = self.packed
        self.frame = FrameView(plan.frame, strict)
        self.plan.frame = self.frame.frame
        self.plan.rows = <const ColumnRow*> &rows[0] if rows.shape[0] else NULL
        self.plan.rows_count = len(plan.rows)
        self.plan.lookups = &lookups[0] if lookups.shape[0] else NULL
        self.plan.widths = &widths[0] if widths.shape[0] else NULL
        self.plan.columns = <int32_t> widths.shape[0]


cdef class Outputs:
    """The caller's columns, held for the time of a call."""

    cdef Py_buffer* views
    cdef Py_ssize_t count
    cdef uint8_t** columns

    def __cinit__(self, plan, targets, PlanView view, uint64_t rows):
        cdef Py_ssize_t number = view.plan.columns
        cdef Py_ssize_t k
        if len(targets) != number:
            raise ValueError(f"the plan has {number} columns, not {len(targets)}")
        self.views = <Py_buffer*> malloc((number + 1) * sizeof(Py_buffer))
        self.columns = <uint8_t**> malloc((number + 1) * sizeof(uint8_t*))
        if self.views == NULL or self.columns == NULL:
            raise MemoryError
        for k in range(number):
            PyObject_GetBuffer(targets[k], &self.views[k], PyBUF_SIMPLE | PyBUF_WRITABLE)
            self.count += 1
            self.columns[k] = <uint8_t*> self.views[k].buf
            if <uint64_t> self.views[k].len < rows * <uint64_t> view.plan.widths[k]:
                raise ValueError(f"column {plan.columns[k].name} has no room for {rows} rows")

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
    cdef PlanView view = PlanView(plan, strict)
    cdef Outputs outputs = Outputs(plan, columns, view, rows)
    cdef Decoder* decoder
    cdef Verdict verdict
    cdef uint64_t position = start
    cdef uint64_t count = 0
    verdict.fault = 0
    stop = min(stop, <uint64_t> buffer.shape[0])
    if row < rows and start < stop:
        decoder = decoder_new(&view.plan, <int32_t> min(rows - row, <uint64_t> MAX_SHAPES))
        with nogil:
            count = decode_columns(decoder, &buffer[0], &position, stop, outputs.columns, row, rows, &verdict)
            decoder_free(decoder)
    return Outcome(count, verdict.fault, verdict.position if verdict.fault else position, position)


cdef Decoder* decoder_new(const Plan* plan, int32_t shapes) except NULL:
    """Working memory.

    Most of it is one piece, which `malloc` keeps for the next call when it is given back. Many pieces in a row it
    returns to the system, and to touch new ones costs a small call more than its messages do.
    """
    cdef Job* job = <Job*> calloc(1, sizeof(Job))
    cdef size_t each = <size_t> plan.columns + 1
    cdef size_t each_of_shape = each * <size_t> shapes
    cdef size_t fours = each // PFKEY_SLOTS_AT_ONCE + 1
    if job == NULL:
        raise MemoryError
    job.plan = plan[0]
    job.lines_a_column = lines_a_column()
    job.memory = malloc(
        each_of_shape * (sizeof(Step) + sizeof(Origin) + sizeof(uint64_t) + sizeof(int32_t))
        + fours * (<size_t> shapes * sizeof(Four) + PFKEY_SLOTS_AT_ONCE * BLOCK * sizeof(uint8_t*))
        + each * (sizeof(Column) + sizeof(Tile) + sizeof(Window))
    )
    if job.memory == NULL:
        decoder_free(job)
        raise MemoryError
    job.steps = <Step*> job.memory
    job.origins = <Origin*> (job.steps + each_of_shape)
    job.fours = <Four*> (job.origins + each_of_shape)
    job.values = <uint64_t*> (job.fours + fours * <size_t> shapes)
    job.places = <const uint8_t**> (job.values + each_of_shape)
    job.tiles = <Tile*> (job.places + fours * PFKEY_SLOTS_AT_ONCE * BLOCK)
    job.columns = <Column*> (job.tiles + each)
    job.windows = <Window*> (job.columns + each)
    job.slots = <int32_t*> (job.windows + each)
    memset(job.columns, 0, each * sizeof(Column))
    try:
        job.cache = cache_new(shapes)
    except MemoryError:
        decoder_free(job)
        raise
    return job


cdef void decoder_free(Decoder* decoder) noexcept nogil:
    """Give the working memory back."""
    cache_free(decoder.cache)
    free(decoder.memory)
    free(decoder)


cdef uint64_t decode_columns(
    Decoder* decoder,
    const uint8_t* base,
    uint64_t* position,
    uint64_t stop,
    uint8_t* const* columns,
    uint64_t row,
    uint64_t rows,
    Verdict* verdict,
) noexcept nogil:
    """Decode into these columns; the number of rows written, with `position` behind their messages."""
    cdef int32_t k
    cdef Column* column
    verdict.fault = 0
    if row >= rows or position[0] >= stop:
        return 0
    for k in range(decoder.plan.columns):
        column = decoder.columns + k
        column.width = decoder.plan.widths[k]
        column.target = columns[k] + row * <uint64_t> column.width
    decoder.base = base
    decoder.row = row
    decoder.streaming = stop - position[0] >= STREAM_FROM
    return decode_blocks(decoder, position, stop, rows - row, verdict)


cdef uint64_t decode_blocks(
    Job* job, uint64_t* position, uint64_t stop, uint64_t room, Verdict* verdict
) noexcept nogil:
    """Decode block after block; the number of rows written, with `position` behind their messages.

    Blocks end at whole multiples of rows, wherever the first begins, so that those behind it begin cache lines.
    """
    cdef uint64_t count = 0
    cdef uint64_t whole
    cdef int32_t taken
    while count < room and position[0] < stop and verdict.fault == 0:
        whole = BLOCK - (job.row + count) % BLOCK
        taken = walk_block(job, position, stop, <int32_t> min(room - count, whole), verdict)
        if taken:
            if job.shapes_changed:
                sort_out_columns(job)
                find_windows(job)
            find_places(job, fill_up(job, taken))
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
    while taken < room and at < stop:
        index = recognise(cache, job.base + at, stop - at)
        if index < 0:
            if cache.count == cache.capacity:
                if taken:  # their shapes are still needed
                    break
                cache_clear(cache)
            index = examine(cache, &job.plan.frame, job.base, at, stop, verdict)
            if index < 0:
                break
            make_steps(job, index, job.base + at)
            job.shapes_changed = True
        fetch_ahead(job.base + at, stop - at)
        job.messages[taken] = job.base + at
        job.shapes[taken] = index
        taken += 1
        at += <uint64_t> load_u16(job.base + at + 4, job.plan.frame.swap) * WORD
    job.ahead = job.base + min(at, stop)
    job.end = job.base + min(stop, 2 * at - position[0])
    position[0] = at
    return taken
