# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Messages from templates and columns.

The rows of a block get their templates first, each in a slot of its own. Then one column after the other is written
over them, while they are in the cache, and they are packed. What a message lacks is written behind it in its slot: with
many shapes in random order a decision a message would cost more than the store.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from .load cimport fetch, swap_u16, swap_u32, swap_u64

cdef extern from "slots.h":
    ctypedef struct Slots "pfkey_slots":
        uint8_t* first
        size_t stride
        const uint32_t* shapes
        int32_t count
        int32_t usual
    bint is_zero "pfkey_is_zero"(const uint8_t* octets, uint64_t size) noexcept nogil
    void lay "pfkey_lay"(
        const Slots* slots, const uint8_t* octets, const uint64_t* begins, const int32_t* lengths
    ) noexcept nogil
    uint64_t pack "pfkey_pack"(
        const Slots* slots, uint8_t* to, const int32_t* lengths, uint64_t* offsets, uint64_t position
    ) noexcept nogil
    void blend "pfkey_blend"(
        const Slots* slots,
        const int32_t* places,
        const int32_t* sizes,
        int32_t nowhere,
        int32_t distance,
        const uint8_t* text,
        const uint64_t* starts,
    ) noexcept nogil
    bint overrun "pfkey_overrun"(
        const uint64_t* starts,
        const uint32_t* shapes,
        const uint64_t* limits,
        uint64_t rows,
        uint64_t size,
        uint64_t* whole,
    ) noexcept nogil
    void stream "pfkey_stream_lines"(uint8_t* to, const uint8_t* frm, size_t size) noexcept nogil
    void stream_end "pfkey_stream_end"() noexcept nogil

cdef extern from "wipe.h":
    void wipe_bytes "PFKEY_WIPE"(uint8_t* at, size_t size) noexcept nogil

cdef uint64_t NO_LIMIT = <uint64_t> -1

cdef enum:
    BLOCK = 32  # messages that are put together at most
    AHEAD = 4  # blocks, of which the columns are fetched
    ROOM = 32 << 10  # bytes that their slots have at most, unless one message needs more
    LINE = 64
    USUAL = 512  # bytes of a message that are copied unasked at most, if any is as long
    BEHIND = 512  # bytes behind a message for what it lacks: more than any distance and width
    STREAM_FROM = 16 << 20  # bytes of messages; fewer may fit the cache, where their reader wants them

ctypedef fused Number:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


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
    cdef Loaded loaded = Loaded(plan, templates, shapes, columns, strings)
    cdef uint64_t total = loaded.total(<uint64_t> offsets.shape[0], <uint64_t> out.shape[0])
    cdef int64_t written = 0
    if total:
        with nogil:
            loaded.settle()
            written = build_messages(&loaded.job, &offsets[0], &out[0])
        if written < 0:
            raise MemoryError
    return total


cdef class Loaded:
    """A job with all that it points at."""

    cdef Job job
    cdef object kept
    cdef uint8_t* octets
    cdef uint64_t* begins
    cdef int32_t* places
    cdef uint64_t places_count
    cdef const uint8_t** columns
    cdef String* strings
    cdef Move* moves
    cdef const int32_t[::1] lengths
    cdef const uint32_t[::1] shapes
    cdef bint short

    def __cinit__(self, plan, templates, const uint32_t[::1] shapes, columns, strings):
        cdef Py_ssize_t k, part, count
        cdef const int32_t[::1] places = templates.places
        cdef const int32_t[::1] steps
        packed_steps, widths, parts = plan.packed
        steps = packed_steps
        self.lengths, self.shapes = templates.lengths, shapes
        count = self.lengths.shape[0]
        self.job.rows = shapes.shape[0]
        self.job.shapes_count = <uint32_t> count
        self.job.moves_count = <int32_t> (steps.shape[0] * sizeof(int32_t) // sizeof(BuildStep))
        self.places_count = <uint64_t> (count * parts)
        self.places = <int32_t*> calloc(self.places_count + 1, sizeof(int32_t))
        self.moves = <Move*> calloc(self.job.moves_count + 1, sizeof(Move))
        self.columns = <const uint8_t**> calloc(len(columns) + 1, sizeof(uint8_t*))
        self.strings = <String*> calloc(len(strings) + 1, sizeof(String))
        self.begins = <uint64_t*> calloc(count + 1, sizeof(uint64_t))
        if self.moves == NULL or self.places == NULL or self.columns == NULL:
            raise MemoryError
        if self.strings == NULL or self.begins == NULL:
            raise MemoryError
        for k in range(count):
            for part in range(parts):
                self.places[part * count + k] = places[k * parts + part]
        self.load_templates(templates.octets)
        self.load_sources(columns, widths, strings)
        for k in range(self.job.moves_count):
            memcpy(&self.moves[k].step, &steps[k * sizeof(BuildStep) // sizeof(int32_t)], sizeof(BuildStep))
        self.job.moves = self.moves
        self.job.lengths = &self.lengths[0] if count else NULL
        self.job.shapes = &shapes[0] if self.job.rows else NULL
        self.job.octets, self.job.begins, self.job.places = self.octets, self.begins, self.places
        self.job.columns, self.job.strings = self.columns, self.strings

    def __dealloc__(self):
        free(self.octets)
        free(self.begins)
        free(self.places)
        free(self.moves)
        free(self.columns)
        free(self.strings)

    cdef int load_templates(self, const uint8_t[::1] octets) except -1:
        """Copy the templates to whole lines, with room behind the last."""
        cdef uint64_t room = 0
        cdef uint64_t read = 0
        cdef Py_ssize_t k
        for k in range(self.lengths.shape[0]):
            self.begins[k] = room
            room += whole_lines(self.lengths[k])
            read += self.lengths[k]
            self.job.nowhere = max(self.job.nowhere, <int32_t> whole_lines(self.lengths[k]))
        self.octets = <uint8_t*> calloc(room + self.job.nowhere + 1, 1)
        if self.octets == NULL:
            raise MemoryError
        if read > <uint64_t> octets.shape[0]:
            raise IndexError("build: a row is of a shape that has no template")
        read = 0
        for k in range(self.lengths.shape[0]):
            if self.lengths[k]:
                memcpy(self.octets + self.begins[k], &octets[read], self.lengths[k])
            read += self.lengths[k]
        return 0

    cdef int load_sources(self, columns, widths, strings) except -1:
        """Note where columns and strings lie, and whether one of them is too short."""
        cdef const uint8_t[::1] octets
        cdef const uint64_t[::1] starts
        cdef Py_ssize_t k
        self.kept = []
        for k, (column, width) in enumerate(zip(columns, widths, strict=True)):
            octets = column
            self.kept.append(octets)
            self.short |= <uint64_t> octets.shape[0] < self.job.rows * <uint64_t> width
            self.columns[k] = &octets[0] if octets.shape[0] else NULL
        for k, (text, begins) in enumerate(strings):
            octets, starts = text, begins
            self.kept.extend((octets, starts))
            self.short |= <uint64_t> starts.shape[0] < self.job.rows
            self.strings[k].text = &octets[0] if octets.shape[0] else NULL
            self.strings[k].size = octets.shape[0]
            self.strings[k].starts = &starts[0] if starts.shape[0] else NULL
        return 0

    cdef uint64_t total(self, uint64_t offsets, uint64_t room) except? 0:
        """Bytes of all messages. Raises IndexError if anything would be read or written outside of what was given."""
        cdef uint64_t total = 0
        cdef uint64_t k
        cdef uint32_t last = 0
        cdef int32_t s
        with nogil:
            for k in range(self.job.rows):
                last = max(last, self.job.shapes[k])
        if self.job.rows and last >= self.job.shapes_count:
            raise IndexError("build: a row is of a shape that has no template")
        with nogil:
            for k in range(self.job.rows):
                total += self.job.lengths[self.job.shapes[k]]
        if self.short or offsets < self.job.rows or room < total:
            raise IndexError("build: a column, the offsets or the output is too short")
        for s in range(self.job.moves_count):
            self.check(&self.moves[s])
        self.job.streaming = total >= STREAM_FROM
        return total

    cdef int check(self, Move* move) except -1:
        """Raise IndexError if a step would write outside its message, or read outside its string."""
        cdef const BuildStep* step = &move.step
        cdef const int32_t* places = self.places + step.part * self.job.shapes_count
        cdef const int32_t* sizes = self.places + step.width * self.job.shapes_count
        cdef int64_t size
        cdef uint64_t k
        for k in range(self.job.shapes_count):
            size = sizes[k] if step.op == BYTES else step.width
            if places[k] < 0:
                continue
            if size < 0 or size > <int64_t> self.lengths[k] - places[k] - step.distance:
                raise IndexError("build: a step leaves its message")
            move.longest = max(move.longest, <int32_t> size)
        if step.distance < 0 or (step.op != BYTES and <int64_t> step.distance + step.width > BEHIND):
            raise IndexError("build: a step leaves its message")
        if step.op == BYTES:
            self.check_string(move, places, sizes)
        return 0

    cdef int check_string(self, Move* move, const int32_t* places, const int32_t* sizes) except -1:
        """Raise IndexError if a string runs past its end."""
        cdef const String* string = self.strings + move.step.source
        cdef uint64_t* limits = <uint64_t*> calloc(self.job.shapes_count + 1, sizeof(uint64_t))
        cdef uint64_t k
        cdef bint outside
        if limits == NULL:
            raise MemoryError
        for k in range(self.job.shapes_count):
            if places[k] < 0 or sizes[k] == 0:
                limits[k] = NO_LIMIT
            elif <uint64_t> sizes[k] <= string.size:
                limits[k] = string.size - sizes[k] + 1
        with nogil:
            outside = overrun(string.starts, self.job.shapes, limits, self.job.rows, string.size, &move.whole)
        free(limits)
        if outside:
            raise IndexError("build: a string runs past the end of its buffer")
        return 0

    cdef void settle(self) noexcept nogil:
        """Say of absent parts that they are nowhere, and leave out steps that would write zeros over zeros."""
        cdef uint64_t k
        cdef int32_t s
        cdef int32_t kept = 0
        for k in range(self.places_count):
            if self.places[k] < 0:
                self.places[k] = self.job.nowhere
        for s in range(self.job.moves_count):
            if not self.is_idle(&self.moves[s].step, kept):
                self.moves[kept] = self.moves[s]
                self.moves[kept].place = self.common_place(self.moves[s].step.part)
                kept += 1
        self.job.moves_count = kept

    cdef int32_t common_place(self, int32_t part) noexcept nogil:
        """Where a part is in all shapes; -1 if that differs."""
        cdef const int32_t* places = self.places + <uint64_t> part * self.job.shapes_count
        cdef uint64_t k
        for k in range(1, self.job.shapes_count):
            if places[k] != places[0]:
                return -1
        return places[0]

    cdef bint is_idle(self, const BuildStep* step, int32_t before) noexcept nogil:
        """Whether a column is all zero, and templates and the steps before have zeros where it is written."""
        cdef int32_t s, begin, end, at, other
        cdef uint64_t k
        cdef uint64_t count = self.job.shapes_count
        cdef const BuildStep* earlier
        if step.op == BYTES:
            return False
        for k in range(count):
            begin = self.places[step.part * count + k]
            if begin == self.job.nowhere:
                continue
            begin += step.distance
            end = begin + step.width
            for at in range(begin, end):
                if self.octets[self.begins[k] + at]:
                    return False
            for s in range(before):
                earlier = &self.moves[s].step
                at = self.places[earlier.part * count + k] + earlier.distance
                other = self.places[earlier.width * count + k] if earlier.op == BYTES else earlier.width
                if at < end and begin < at + other:
                    return False
        return is_zero(self.columns[step.source], self.job.rows * (16 if step.op != NUMBER else step.width))


cdef inline uint64_t whole_lines(uint64_t size) noexcept nogil:
    """As many bytes or a few more."""
    return (size + LINE - 1) // LINE * LINE


cdef struct Block:  # of messages that are put together, and what waits to be written
    Slots slots
    uint64_t row  # of the first
    uint8_t* waiting  # lines, at the distance from each other that they have in the output
    uint64_t skipped  # bytes at the beginning of the first line, which are not ours
    uint64_t filled
    uint8_t* to  # where the next byte goes


cdef int64_t build_messages(const Job* job, uint64_t* offsets, uint8_t* out) noexcept nogil:
    """Write the messages of all rows, a block at a time."""
    cdef Block block
    cdef uint64_t stride = <uint64_t> job.nowhere + BEHIND + LINE
    cdef uint64_t most = max(<uint64_t> 1, min(<uint64_t> BLOCK, ROOM // stride))
    cdef uint64_t room = most * (stride + job.nowhere) + job.nowhere + 4 * LINE
    cdef uint64_t position = 0
    cdef uint8_t* scratch = <uint8_t*> calloc(room, 1)
    cdef int32_t s
    if scratch == NULL:
        return -1
    block.slots.first = scratch + (LINE - 1 - (<uint64_t> scratch + LINE - 1) % LINE)
    block.slots.stride = stride
    block.slots.usual = min(job.nowhere, <int32_t> USUAL)
    block.waiting = block.slots.first + most * stride
    block.skipped = block.filled = <uint64_t> out % LINE
    block.to = out
    block.row = 0
    while block.row < job.rows:
        block.slots.shapes = job.shapes + block.row
        block.slots.count = <int32_t> min(most, job.rows - block.row)
        lay(&block.slots, job.octets, job.begins, job.lengths)
        for s in range(job.moves_count):
            put_step(job, job.moves + s, &block)
        block.filled += pack(
            &block.slots, block.waiting + block.filled, job.lengths, offsets + block.row, position
        )
        block.row += block.slots.count
        position = <uint64_t> (block.to - out) + block.filled - block.skipped
        write_lines(job, &block)
    memcpy(block.to, block.waiting + block.skipped, block.filled - block.skipped)
    if job.streaming:
        stream_end()
    wipe_bytes(scratch, room)
    free(scratch)
    return <int64_t> position


cdef void write_lines(const Job* job, Block* block) noexcept nogil:
    """Write the whole lines that wait; of the others the beginning goes on waiting."""
    cdef uint64_t whole = block.filled // LINE * LINE
    if whole == 0:
        return
    if job.streaming:
        stream(block.to, block.waiting + block.skipped, whole - block.skipped)
    else:
        memcpy(block.to, block.waiting + block.skipped, whole - block.skipped)
    block.to += whole - block.skipped
    memcpy(block.waiting, block.waiting + whole, LINE)
    block.filled -= whole
    block.skipped = 0


cdef void put_step(const Job* job, const Move* move, const Block* block) noexcept nogil:
    """Do one step in all messages of a block."""
    cdef const BuildStep* step = &move.step
    cdef const Slots* slots = &block.slots
    cdef uint8_t* to = slots.first + step.distance
    cdef const int32_t* places = job.places + <uint64_t> step.part * job.shapes_count
    cdef uint64_t width = 16 if step.op != NUMBER else <uint64_t> step.width
    cdef const uint8_t* column
    if step.op == BYTES:
        put_strings(job, move, block, places)
        return
    column = job.columns[step.source] + block.row * width
    if block.row + (AHEAD + 1) * slots.count <= job.rows:
        fetch(column + AHEAD * slots.count * width, slots.count * width)
    if move.place >= 0:
        to += move.place
        places = NULL
    if step.op == IPV4:
        put_addresses(column + 12, slots, to, places, 4)
    elif step.op == IPV6:
        put_addresses(column, slots, to, places, 16)
    elif step.width == 1:
        put_numbers(<const uint8_t*> column, slots, to, places, False)
    elif step.width == 2:
        put_numbers(<const uint16_t*> column, slots, to, places, step.swap)
    elif step.width == 4:
        put_numbers(<const uint32_t*> column, slots, to, places, step.swap)
    else:
        put_numbers(<const uint64_t*> column, slots, to, places, step.swap)


cdef inline void put_numbers(
    const Number* column, const Slots* slots, uint8_t* to, const int32_t* places, bint swap
) noexcept nogil:
    """A number of each message; `places` is NULL if `to` is its place in the first."""
    if swap:
        write_numbers(column, slots, to, places, True)
    else:
        write_numbers(column, slots, to, places, False)


cdef inline void write_numbers(
    const Number* column, const Slots* slots, uint8_t* to, const int32_t* places, bint swap
) noexcept nogil:
    """The same, for compilers to make four loops of."""
    cdef int32_t k
    cdef int32_t count = slots.count
    cdef uint64_t stride = slots.stride
    cdef const uint32_t* shapes = slots.shapes
    cdef Number value
    if places == NULL:
        for k in range(count):
            memcpy(&value, column + k, sizeof(Number))
            if swap:
                value = swapped(value)
            memcpy(to, &value, sizeof(Number))
            to += stride
    else:
        for k in range(count):
            memcpy(&value, column + k, sizeof(Number))
            if swap:
                value = swapped(value)
            memcpy(to + places[shapes[k]], &value, sizeof(Number))
            to += stride


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


cdef inline void put_addresses(
    const uint8_t* column, const Slots* slots, uint8_t* to, const int32_t* places, int width
) noexcept nogil:
    """The same bytes of the 16 in each row; `places` is NULL if `to` is their place in the first message."""
    cdef int32_t k
    cdef int32_t count = slots.count
    cdef uint64_t stride = slots.stride
    cdef const uint32_t* shapes = slots.shapes
    for k in range(count):
        memcpy(to + (places[shapes[k]] if places != NULL else 0), column + 16 * k, 4 if width == 4 else 16)
        to += stride


cdef void put_strings(const Job* job, const Move* move, const Block* block, const int32_t* places) noexcept nogil:
    """Bytes of which the shape knows how many there are."""
    cdef int32_t k, place, size
    cdef const Slots* slots = &block.slots
    cdef const int32_t* sizes = job.places + <uint64_t> move.step.width * job.shapes_count
    cdef const String* string = job.strings + move.step.source
    cdef const uint64_t* starts = string.starts + block.row
    if block.row + (2 * AHEAD + 1) * slots.count <= job.rows:
        fetch_strings(string, starts + AHEAD * slots.count, slots.count)
    if move.longest <= LINE and move.step.distance <= BEHIND and block.row + slots.count <= move.whole:
        blend(slots, places, sizes, job.nowhere, move.step.distance, string.text, starts)
        return
    for k in range(slots.count):
        place, size = places[slots.shapes[k]], sizes[slots.shapes[k]]
        if place != job.nowhere and size:
            memcpy(slots.first + k * slots.stride + place + move.step.distance, string.text + starts[k], size)


cdef inline void fetch_strings(const String* string, const uint64_t* starts, int32_t count) noexcept nogil:
    """What is read in some blocks: strings, as far as they lie in order, and where later ones begin."""
    cdef uint64_t size = starts[count] - starts[0]
    fetch(<const uint8_t*> (starts + AHEAD * count), count * sizeof(uint64_t))
    if starts[0] < string.size and size <= min(<uint64_t> count * LINE, string.size - starts[0]):
        fetch(string.text + starts[0], size)
