# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Messages from templates and columns.

The messages of a block are laid back to back first, each as the template of its shape. Then one column after the other
is written over them, while they are in the cache. What the steps come to for the shapes that there are is found before
(moves.pyx), so nothing is decided a message. Whole lines go to memory a few at a time, between the columns of the next
block: all at once they would keep back what is stored after them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from .job cimport NO_MEMORY, NO_ROOM, NO_TEMPLATE, OUTSIDE, STRING_END, BuildStep, Job, String
from .lines cimport LINE, Block, Kind, Output, best, make_ready, write_lines
from .load cimport fetch, swap_u16, swap_u32, swap_u64
from .moves cimport PAIR, TEXT, WINDOW, Insert, Move, Target, Work, work_free, work_new

cdef extern from "staging.h":
    enum:
        BLOCK "PFKEY_BLOCK"
    void put_pairs "pfkey_put_pairs"(
        const Block* block, uint64_t place, const uint8_t* first, const uint8_t* second
    ) noexcept nogil
    bint insert_rest "pfkey_insert_rest"(
        uint8_t* to, const Insert* insert, uint64_t start, int32_t size
    ) noexcept nogil
    void stream_end "pfkey_stream_end"() noexcept nogil

cdef extern from "wipe.h":
    void wipe_bytes "PFKEY_WIPE"(uint8_t* at, size_t size) noexcept nogil

cdef enum:
    AHEAD = 2  # blocks, of which the columns are fetched
    APART = 256  # bytes of strings a row at most that are fetched, for rows left out may have had long ones
    ROOM = 32 << 10  # bytes that the messages of a block have at most, unless one message needs more
    STREAM_FROM = 16 << 20  # bytes of messages; fewer may fit the cache, where their reader wants them

ctypedef fused Number:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

REASONS = {
    NO_TEMPLATE: "a row is of a shape that has no template",
    NO_ROOM: "a column, the offsets or the output is too short",
    OUTSIDE: "a step leaves its message",
    STRING_END: "a string runs past the end of its buffer",
}


def build(
    plan,
    templates,
    const uint32_t[::1] shapes,
    columns,
    strings,
    uint64_t[::1] offsets,
    uint8_t[::1] out,
):
    """Write a message for each row back to back, and where it begins; return the bytes written."""
    cdef Sources sources = Sources(plan, templates, shapes, columns, strings)
    cdef int64_t written = NO_ROOM
    if <uint64_t> offsets.shape[0] >= sources.job.rows:
        with nogil:
            written = build_messages(
                &sources.job,
                &offsets[0] if sources.job.rows else NULL,
                &out[0] if out.shape[0] else NULL,
                <uint64_t> out.shape[0],
            )
    if written == NO_MEMORY:
        raise MemoryError
    if written < 0:
        raise IndexError(f"build: {REASONS[written]}")
    return written


cdef class Sources:
    """A job, and all that it points at. Raises IndexError if a column or a template is too short."""

    cdef Job job
    cdef object kept
    cdef const uint8_t** columns
    cdef String* strings

    def __cinit__(self, plan, templates, const uint32_t[::1] shapes, columns, strings):
        cdef const int32_t[::1] steps
        cdef const int32_t[::1] lengths = templates.lengths
        cdef const int32_t[::1] places = templates.places
        cdef const uint8_t[::1] octets = templates.octets
        packed_steps, widths, parts = plan.packed
        steps = packed_steps
        self.kept = [steps, lengths, places, octets, shapes]
        self.columns = <const uint8_t**> calloc(len(columns) + 1, sizeof(uint8_t*))
        self.strings = <String*> calloc(len(strings) + 1, sizeof(String))
        if self.columns == NULL or self.strings == NULL:
            raise MemoryError
        if sum(templates.lengths) > octets.shape[0]:
            raise IndexError(f"build: {REASONS[NO_TEMPLATE]}")
        self.job.steps_count = <int32_t> (steps.shape[0] * sizeof(int32_t) // sizeof(BuildStep))
        self.job.steps = <const BuildStep*> &steps[0] if steps.shape[0] else NULL
        self.job.parts_count = parts
        self.job.shapes_count = <uint32_t> lengths.shape[0]
        self.job.octets = &octets[0] if octets.shape[0] else NULL
        self.job.lengths = &lengths[0] if lengths.shape[0] else NULL
        self.job.places = &places[0] if places.shape[0] else NULL
        self.job.rows = shapes.shape[0]
        self.job.shapes = &shapes[0] if shapes.shape[0] else NULL
        self.job.columns, self.job.strings = self.columns, self.strings
        self.load(columns, widths, strings)

    def __dealloc__(self):
        free(self.columns)
        free(self.strings)

    cdef int load(self, columns, widths, strings) except -1:
        """Note where columns and strings lie."""
        cdef const uint8_t[::1] octets
        cdef const uint64_t[::1] starts
        cdef bint short = False
        cdef Py_ssize_t k
        for k, (column, width) in enumerate(zip(columns, widths, strict=True)):
            octets = column
            self.kept.append(octets)
            short |= <uint64_t> octets.shape[0] < self.job.rows * <uint64_t> width
            self.columns[k] = &octets[0] if octets.shape[0] else NULL
        for k, (text, begins) in enumerate(strings):
            octets, starts = text, begins
            self.kept.extend((octets, starts))
            short |= <uint64_t> starts.shape[0] < self.job.rows
            self.strings[k].text = &octets[0] if octets.shape[0] else NULL
            self.strings[k].size = octets.shape[0]
            self.strings[k].starts = &starts[0] if starts.shape[0] else NULL
        if short:
            raise IndexError(f"build: {REASONS[NO_ROOM]}")
        return 0


cdef int64_t build_messages(const Job* job, uint64_t* offsets, uint8_t* out, uint64_t room) noexcept nogil:
    """See the declaration."""
    cdef int64_t fault
    cdef Work* work = work_new(job, &fault)
    cdef const Kind* kind = best()
    cdef uint64_t most, size
    cdef uint8_t* scratch
    cdef Output output
    if work == NULL:
        return fault
    most = max(<uint64_t> 1, min(<uint64_t> BLOCK, ROOM // max(<uint64_t> 1, <uint64_t> work.longest)))
    size = (most + 1) * work.longest + 4 * LINE
    scratch = <uint8_t*> calloc(2, size)
    if scratch == NULL:
        work_free(work)
        return NO_MEMORY
    output.waiting = scratch + (LINE - 1 - (<uint64_t> scratch + LINE - 1) % LINE) + LINE
    output.other = output.waiting + size
    output.skipped = output.filled = <uint64_t> out % LINE
    output.ready, output.lines, output.share = output.waiting, 0, 0
    output.to, output.room, output.streaming = out, room, room >= STREAM_FROM
    fault = build_blocks(kind, job, work, most, offsets, &output)
    if fault == 0:
        write_lines(kind, &output, output.lines)
        if output.filled > output.skipped:
            memcpy(output.to, output.waiting + output.skipped, output.filled - output.skipped)
        fault = (output.to - out) + output.filled - output.skipped
    if output.streaming:
        stream_end()
    wipe_bytes(scratch, 2 * size)
    free(scratch)
    work_free(work)
    return fault


cdef int64_t build_blocks(
    const Kind* kind, const Job* job, const Work* work, uint64_t most, uint64_t* offsets, Output* output
) noexcept nogil:
    """Make the messages of all rows, and write all but what is ready or fills no line. Returns 0 or a fault."""
    cdef const uint8_t* out = output.to
    cdef Block block
    cdef uint64_t filled
    cdef int64_t fault
    cdef int32_t s
    block.row = 0
    while block.row < job.rows:
        block.shapes = job.shapes + block.row
        block.count = <int32_t> min(most, job.rows - block.row)
        fault = kind.lay(
            &work.stock,
            &block,
            output.waiting + output.filled,
            offsets + block.row,
            <uint64_t> (output.to - out) + output.lines * LINE + output.filled - output.skipped,
        )
        if fault:
            return fault
        fetch_strings(work, &block, job.rows)
        write_lines(kind, output, output.share)
        for s in range(work.moves_count):
            write_lines(kind, output, output.share)
            fault = put(kind, work.moves + s, &block, job.rows)
            if fault:
                return fault
        filled = block.end - output.waiting
        if filled - output.skipped > output.room:
            return NO_ROOM
        output.filled = filled
        write_lines(kind, output, output.lines)
        make_ready(output)
        output.share = output.lines
        if output.streaming:
            output.share = (output.lines + work.moves_count) // (work.moves_count + 1)
        block.row += block.count
    return 0


cdef void fetch_strings(const Work* work, const Block* block, uint64_t rows) noexcept nogil:
    """What is read in some blocks: strings, as far as they lie in order, and where later ones begin."""
    cdef const Insert* insert
    cdef const uint64_t* starts
    cdef int32_t j
    cdef uint64_t size
    if block.row + (2 * AHEAD + 1) * block.count > rows:
        return
    for j in range(work.stock.inserts_count):
        insert = work.inserts + j
        starts = insert.starts + block.row + AHEAD * block.count
        size = starts[block.count] - starts[0]
        fetch(<const uint8_t*> (starts + AHEAD * block.count), block.count * sizeof(uint64_t))
        if starts[0] < insert.size and size <= min(<uint64_t> block.count * APART, insert.size - starts[0]):
            fetch(insert.text + starts[0], size)


cdef int64_t put(const Kind* kind, const Move* move, const Block* block, uint64_t rows) noexcept nogil:
    """Do one move in all messages of a block. Returns 0 or a fault."""
    cdef const uint8_t* column
    if move.kind == TEXT:
        return put_text(&move.insert, block)
    if move.kind == WINDOW:
        column = fetched(move.column, 16, block, rows)
        kind.put_windows(block, move.places, move.masks, column)
        return 0
    column = fetched(move.column, move.width, block, rows)
    if move.kind == PAIR:
        put_pairs(block, move.place, column, fetched(move.second, move.width, block, rows))
    elif move.width == 1:
        put_numbers(<const uint8_t*> column, move, block)
    elif move.width == 2:
        put_numbers(<const uint16_t*> column, move, block)
    elif move.width == 4:
        put_numbers(<const uint32_t*> column, move, block)
    else:
        put_numbers(<const uint64_t*> column, move, block)
    return 0


cdef inline const uint8_t* fetched(
    const uint8_t* column, uint64_t width, const Block* block, uint64_t rows
) noexcept nogil:
    """Where a column is in a block; what it has some blocks later is fetched."""
    column += block.row * width
    if block.row + (AHEAD + 1) * block.count <= rows:
        fetch(column + AHEAD * block.count * width, block.count * width)
    return column


cdef int64_t put_text(const Insert* insert, const Block* block) noexcept nogil:
    """Bytes of which the shape knows how many there are. Returns 0 or a fault."""
    cdef int32_t k
    cdef uint32_t shape
    for k in range(block.count):
        shape = block.shapes[k]
        if not insert_rest(
            block.at[k] + insert.places[shape], insert, insert.starts[block.row + k], insert.sizes[shape]
        ):
            return STRING_END
    return 0


cdef inline void put_numbers(const Number* column, const Move* move, const Block* block) noexcept nogil:
    """A number of each message."""
    if move.swap:
        write_numbers(column, move, block, True)
    else:
        write_numbers(column, move, block, False)


cdef inline void write_numbers(
    const Number* column, const Move* move, const Block* block, bint swap
) noexcept nogil:
    """The same, for compilers to make four loops of."""
    cdef const uint32_t* shapes = block.shapes
    cdef const Target* targets = move.targets
    cdef const Target* target
    cdef uint64_t place = move.place
    cdef int32_t count = block.count
    cdef int32_t k
    cdef Number value
    if targets == NULL:
        for k in range(count):
            memcpy(&value, column + k, sizeof(Number))
            if swap:
                value = swapped(value)
            memcpy(block.at[k] + place, &value, sizeof(Number))
    else:
        for k in range(count):
            memcpy(&value, column + k, sizeof(Number))
            if swap:
                value = swapped(value)
            target = targets + shapes[k]
            memcpy(
                <uint8_t*> <size_t> ((<uint64_t> <size_t> block.at[k] & target.keep) + target.add),
                &value,
                sizeof(Number),
            )


cdef inline Number swapped(Number value) noexcept nogil:
    """A number with its bytes reversed."""
    if Number is uint16_t:
        return swap_u16(value)
    elif Number is uint32_t:
        return swap_u32(value)
    elif Number is uint64_t:
        return swap_u64(value)
    else:
        return value
