# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Messages from templates and columns.

The rows of a block get their templates first, then one column after the other is written over them, while they are in
the cache. What a message lacks is written to a place that nobody reads: with many shapes in random order a decision a
message would cost more than the store.
"""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from .load cimport swap_u16, swap_u32, swap_u64

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__GNUC__) && defined(__x86_64__)
    #define PFKEY_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
    #else
    #define PFKEY_CLONES
    #endif
    /* Of each line of 64 the first bytes from elsewhere, the others as they were: nothing is decided by a size, which
       would be guessed wrongly. */
    static const uint64_t pfkey_mask[16] = {
        UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX
    };
    PFKEY_CLONES
    static void pfkey_blend(
        uint8_t *const *to, int32_t distance, const uint8_t *text, const uint64_t *starts, const int32_t *sizes,
        int32_t count
    ) {
        int32_t i, k;
        for (i = 0; i < count; i++) {
            uint64_t mask[8], old[8], new[8];
            uint8_t *line = to[i] + distance;
            memcpy(mask, (const uint8_t *)pfkey_mask + 64 - sizes[i], 64);
            memcpy(old, line, 64);
            memcpy(new, text + starts[i], 64);
            for (k = 0; k < 8; k++)
                old[k] = (old[k] & ~mask[k]) | (new[k] & mask[k]);
            memcpy(line, old, 64);
        }
    }
    """
    void blend "pfkey_blend"(
        uint8_t* const* to,
        int32_t distance,
        const uint8_t* text,
        const uint64_t* starts,
        const int32_t* sizes,
        int32_t count,
    ) noexcept nogil

cdef enum:
    BLOCK = 128  # messages that are written together
    LINE = 64
    NOWHERE = 512  # bytes to write what a message lacks: more than any distance and width

ctypedef fused Number:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

cdef struct Block:
    uint8_t* messages[BLOCK]
    uint8_t* places[BLOCK]
    int32_t part  # which is at these places
    uint32_t shapes[BLOCK]
    int32_t sizes[BLOCK]  # of one string
    uint8_t* end  # of the output
    uint8_t nowhere[NOWHERE]


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
    if total:
        with nogil:
            build_messages(&loaded.job, &offsets[0], &out[0])
    return total


cdef class Loaded:
    """A job with all that it points at."""

    cdef Job job
    cdef object kept
    cdef uint8_t* octets
    cdef uint64_t* begins
    cdef int32_t* places
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
        self.places = <int32_t*> calloc(count * parts + 1, sizeof(int32_t))
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
        """Copy the templates to where each has whole lines."""
        cdef uint64_t room = 0
        cdef uint64_t read = 0
        cdef Py_ssize_t k
        for k in range(self.lengths.shape[0]):
            self.begins[k] = room
            room += (<uint64_t> self.lengths[k] + LINE - 1) // LINE * LINE
            read += self.lengths[k]
        self.octets = <uint8_t*> calloc(room + 1, 1)
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
        cdef int32_t s
        cdef bint known = True
        with nogil:
            for k in range(self.job.rows):
                if self.job.shapes[k] >= self.job.shapes_count:
                    known = False
                    break
                total += self.job.lengths[self.job.shapes[k]]
        if not known:
            raise IndexError("build: a row is of a shape that has no template")
        if self.short or offsets < self.job.rows or room < total:
            raise IndexError("build: a column, the offsets or the output is too short")
        for s in range(self.job.moves_count):
            self.check(&self.moves[s].step)
        for s in range(self.job.moves_count):
            self.moves[s].place = self.common_place(self.moves[s].step.part)
            self.moves[s].blank = self.is_blank(s)
        return total

    cdef int check(self, const BuildStep* step) except -1:
        """Raise IndexError if a step would write outside its message, or read outside its string."""
        cdef int32_t place, size
        cdef uint64_t k, count = self.job.shapes_count
        cdef const String* string
        cdef bint inside = True
        for k in range(count):
            place = self.places[step.part * count + k]
            size = self.places[step.width * count + k] if step.op == BYTES else step.width
            if place >= 0 and (size < 0 or size > self.lengths[k] - place - step.distance):
                raise IndexError("build: a step leaves its message")
        if step.distance < 0 or (step.op != BYTES and step.distance + step.width > NOWHERE):
            raise IndexError("build: a step leaves its message")
        if step.op == BYTES:
            string = self.strings + step.source
            with nogil:
                for k in range(self.job.rows):
                    place = self.places[step.part * count + self.job.shapes[k]]
                    size = self.places[step.width * count + self.job.shapes[k]]
                    if place >= 0 and size > 0:
                        if string.starts[k] > string.size or <uint64_t> size > string.size - string.starts[k]:
                            inside = False
            if not inside:
                raise IndexError("build: a string runs past the end of its buffer")
        return 0

    cdef int32_t common_place(self, int32_t part):
        """Where a part is in all shapes; -1 if that differs."""
        cdef uint64_t count = self.job.shapes_count
        cdef uint64_t k
        for k in range(1, count):
            if self.places[part * count + k] != self.places[part * count]:
                return -1
        return self.places[part * count] if count else -1

    cdef bint is_blank(self, int32_t number):
        """Whether templates and the steps before leave zeros where a step writes."""
        cdef int32_t s, place, begin, end, other
        cdef int32_t at
        cdef uint64_t k
        cdef uint64_t count = self.job.shapes_count
        cdef const BuildStep* step = &self.moves[number].step
        cdef const BuildStep* before
        for k in range(count):
            place = self.places[step.part * count + k]
            if place < 0 or step.op == BYTES:
                continue
            begin = place + step.distance
            end = begin + step.width
            for at in range(begin, end):
                if self.octets[self.begins[k] + at]:
                    return False
            for s in range(number):
                before = &self.moves[s].step
                place = self.places[before.part * count + k]
                other = self.places[before.width * count + k] if before.op == BYTES else before.width
                if place >= 0 and place + before.distance < end and begin < place + before.distance + other:
                    return False
        return True


cdef uint64_t build_messages(const Job* job, uint64_t* offsets, uint8_t* out) noexcept nogil:
    """Write the messages of all rows, a block at a time."""
    cdef Block block
    cdef uint64_t row = 0
    cdef uint64_t position = 0
    cdef uint64_t k
    cdef int32_t count, s
    block.end = out
    for k in range(job.rows):
        block.end += job.lengths[job.shapes[k]]
    while row < job.rows:
        count = <int32_t> min(<uint64_t> BLOCK, job.rows - row)
        position = put_templates(job, &block, row, count, offsets, out, position)
        block.part = -1
        for s in range(job.moves_count):
            put_step(job, job.moves + s, &block, row, count)
        row += count
    return position


cdef uint64_t put_templates(
    const Job* job, Block* block, uint64_t row, int32_t count, uint64_t* offsets, uint8_t* out, uint64_t position
) noexcept nogil:
    """Lay out the messages of a block and return where the last ends."""
    cdef int32_t k
    cdef uint64_t length, line
    cdef uint32_t shape
    cdef const uint8_t* octets
    cdef uint8_t* message
    for k in range(count):
        shape = job.shapes[row + k]
        length = job.lengths[shape]
        octets = job.octets + job.begins[shape]
        message = out + position
        block.shapes[k] = shape
        block.messages[k] = message
        offsets[row + k] = position
        if <uint64_t> (block.end - message) >= length + LINE:  # the next message overwrites what whole lines are longer
            line = 0
            while line < length:
                memcpy(message + line, octets + line, LINE)
                line += LINE
        else:
            memcpy(message, octets, length)
        position += length
    return position


cdef void put_step(const Job* job, const Move* move, Block* block, uint64_t row, int32_t count) noexcept nogil:
    """Do one step in all messages of a block."""
    cdef const BuildStep* step = &move.step
    cdef uint8_t* const* places = block.messages
    cdef int32_t distance = step.distance
    cdef const uint8_t* column
    if step.op == BYTES:
        find_places(job, step.part, block, count)
        put_strings(job, step, block, row, count)
        return
    column = job.columns[step.source] + row * (16 if step.op != NUMBER else <uint64_t> step.width)
    if move.blank and is_zero(column, <uint64_t> count * (16 if step.op != NUMBER else step.width)):
        return
    if move.place >= 0:
        distance += move.place
    else:
        find_places(job, step.part, block, count)
        places = block.places
    if step.op == IPV4:
        put_addresses(column + 12, places, count, distance, 4)
    elif step.op == IPV6:
        put_addresses(column, places, count, distance, 16)
    elif step.width == 1:
        put_numbers(<const uint8_t*> column, places, count, distance, False)
    elif step.width == 2:
        put_numbers(<const uint16_t*> column, places, count, distance, step.swap)
    elif step.width == 4:
        put_numbers(<const uint32_t*> column, places, count, distance, step.swap)
    else:
        put_numbers(<const uint64_t*> column, places, count, distance, step.swap)


cdef inline bint is_zero(const uint8_t* octets, uint64_t count) noexcept nogil:
    """Whether all bytes are 0."""
    cdef uint64_t seen = 0
    cdef uint64_t k
    cdef uint64_t word
    for k in range(count // 8):
        memcpy(&word, octets + 8 * k, 8)
        seen |= word
    for k in range(count // 8 * 8, count):
        seen |= octets[k]
    return seen == 0


cdef inline void find_places(const Job* job, int32_t part, Block* block, int32_t count) noexcept nogil:
    """The places of a part in all messages of a block, if they are not found yet."""
    cdef const int32_t* offsets = job.places + <uint64_t> part * job.shapes_count
    cdef int32_t k, offset
    if block.part == part:
        return
    block.part = part
    for k in range(count):
        offset = offsets[block.shapes[k]]
        block.places[k] = block.messages[k] + offset if offset >= 0 else block.nowhere


cdef void put_numbers(
    const Number* column, uint8_t* const* places, int32_t count, int32_t distance, bint swap
) noexcept nogil:
    """A number of each message."""
    cdef int32_t k
    cdef Number value
    if swap:
        for k in range(count):
            memcpy(&value, column + k, sizeof(Number))
            value = swapped(value)
            memcpy(places[k] + distance, &value, sizeof(Number))
    else:
        for k in range(count):
            memcpy(places[k] + distance, column + k, sizeof(Number))


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
    const uint8_t* column, uint8_t* const* places, int32_t count, int32_t distance, int width
) noexcept nogil:
    """The same bytes of the 16 in each row."""
    cdef int32_t k
    if width == 4:
        for k in range(count):
            memcpy(places[k] + distance, column + 16 * k, 4)
    else:
        for k in range(count):
            memcpy(places[k] + distance, column + 16 * k, 16)


cdef void put_strings(const Job* job, const BuildStep* step, Block* block, uint64_t row, int32_t count) noexcept nogil:
    """Bytes of which the shape knows how many there are."""
    cdef int32_t k
    cdef int32_t longest = 0
    cdef const int32_t* sizes = job.places + <uint64_t> step.width * job.shapes_count
    cdef const String* string = job.strings + step.source
    cdef const uint64_t* starts = string.starts + row
    cdef uint64_t last = 0
    for k in range(count):
        block.sizes[k] = sizes[block.shapes[k]] if block.places[k] != block.nowhere else 0
        longest = max(longest, block.sizes[k])
        last = max(last, starts[k])
    # A line may be read, and one written that keeps what it had: four messages are a line at least.
    if (
        longest <= LINE
        and string.size >= LINE
        and last <= string.size - LINE
        and row + count + LINE // 16 <= job.rows
        and step.distance <= NOWHERE - LINE
    ):
        blend(block.places, step.distance, string.text, starts, block.sizes, count)
        return
    for k in range(count):
        if block.sizes[k]:
            memcpy(block.places[k] + step.distance, string.text + starts[k], block.sizes[k])
