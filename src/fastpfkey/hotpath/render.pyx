# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Text of rows by a template: a small machine that runs the template's steps over each row.

A row is written straight into the output. Each step knows how many bytes it needs before it writes any, so a row that
does not fit is given up at the first step without room and counts for nothing.
"""

from cpython.buffer cimport PyBUF_SIMPLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from .contract import Rendered
from .load cimport load_number
from .text cimport (
    ADDRESS_SIZE,
    DATE_SIZE,
    DAY,
    DECIMAL_SIZE,
    HEX,
    PAIRS,
    V4_SIZE,
    colons,
    dated,
    dotted,
    note_day,
)
from .writer cimport (
    TextStep,
    Word,
    Writer,
    Zone,
    load_other,
    operand,
    put,
    put_decimal,
    put_hexadecimal,
    put_padded,
    put_word,
)

cdef enum TextOp:
    LITERAL = 0
    DECIMAL = 1
    REST = 2
    SHIFTED = 3
    JOINED = 4
    ROUNDED = 5
    HEXADECIMAL = 6
    LOOKUP = 7
    ADDRESS = 8
    DATE = 9
    OCTETS = 10
    STRING = 11
    EQUAL = 12
    DIFFERENT = 13
    BELOW = 14
    EACH = 15

cdef extern from *:
    """
    #define PFKEY_LAST_DATE 253402300799ULL
    #define PFKEY_TWO_64 18446744073709551616.0
    static const char pfkey_two_64[] = "18446744073709551616";
    """
    const uint64_t LAST_DATE "PFKEY_LAST_DATE"
    const double TWO_64 "PFKEY_TWO_64"
    const char* TWO_64_TEXT "pfkey_two_64"


cdef class Inputs:
    """The caller's columns, held for the time of a call."""

    cdef Py_buffer* views
    cdef Py_ssize_t count
    cdef const uint8_t** columns

    def __cinit__(self, template, columns):
        cdef Py_ssize_t number = len(template.columns)
        cdef Py_ssize_t k
        if len(columns) != number:
            raise ValueError(f"the template has {number} columns, not {len(columns)}")
        self.views = <Py_buffer*> malloc((number + 1) * sizeof(Py_buffer))
        self.columns = <const uint8_t**> calloc(number + 1, sizeof(uint8_t*))
        if self.views == NULL or self.columns == NULL:
            raise MemoryError
        for k in range(number):
            PyObject_GetBuffer(columns[k], &self.views[k], PyBUF_SIMPLE)
            self.count += 1
            self.columns[k] = <const uint8_t*> self.views[k].buf

    def __dealloc__(self):
        cdef Py_ssize_t k
        for k in range(self.count):
            PyBuffer_Release(&self.views[k])
        free(self.views)
        free(self.columns)

    cdef uint64_t rows(self, template, Py_ssize_t place) except? 0:
        """How many rows a column has."""
        cdef uint64_t width = template.columns[place].width
        return <uint64_t> self.views[place].len // width


def render(
    template, columns, uint64_t row, uint64_t rows, const uint8_t[::1] buffer, uint8_t[::1] out
):
    """Write the text of rows from `row` up to `rows` into `out`, as long as whole rows fit."""
    cdef Inputs inputs = Inputs(template, columns)
    packed_steps, packed_words, packed_zones = template.packed
    cdef const int64_t[::1] steps = packed_steps
    cdef const int64_t[::1] words = packed_words
    cdef const int64_t[::1] zones = packed_zones
    cdef const uint8_t[::1] text = template.text
    cdef Writer writer
    cdef uint64_t count = 0
    cdef uint64_t used = 0
    cdef int64_t last = len(template.steps)
    memset(&writer, 0, sizeof(Writer))
    writer.inner = check_rows(inputs, template, rows)
    writer.steps = <const TextStep*> &steps[0] if steps.shape[0] else NULL
    writer.words = <const Word*> &words[0] if words.shape[0] else NULL
    writer.zones = <const Zone*> &zones[0]
    writer.zones_count = len(template.zones)
    writer.text = &text[0] if text.shape[0] else <const uint8_t*> PAIRS  # which nobody reads, but memcpy wants no NULL
    writer.columns = inputs.columns
    writer.buffer = &buffer[0] if buffer.shape[0] else NULL
    writer.size = buffer.shape[0]
    writer.day.number = ~<uint64_t> 0
    if row < rows and out.shape[0]:
        writer.to = &out[0]
        writer.end = &out[0] + out.shape[0]
        with nogil:
            count = write_rows(&writer, last, row, rows, &out[0], &used)
    elif row < rows:
        count = write_empty(&writer, last, row, rows)
    return Rendered(count, used)


cdef uint64_t check_rows(Inputs inputs, template, uint64_t rows) except? 0:
    """How many rows the columns of repetitions have; raise unless all others have the rows that are asked for."""
    cdef uint64_t inner = 0
    offsets = {step.column for step in template.steps if step.op == EACH}
    for place in sorted(template.outer):
        if inputs.rows(template, place) < rows + (rows > 0 and place in offsets):
            raise ValueError(f"column {template.columns[place].name} has fewer than {rows} rows")
    if template.inner:
        inner = min([inputs.rows(template, place) for place in template.inner])
    return inner


cdef uint64_t write_rows(
    Writer* writer, int64_t last, uint64_t row, uint64_t rows, uint8_t* begin, uint64_t* used
) noexcept nogil:
    """How many whole rows fit; the bytes that they take are `used`."""
    cdef uint64_t k
    for k in range(row, rows):
        if not run(writer, 0, last, k):
            return k - row
        used[0] = writer.to - begin
    return rows - row


cdef uint64_t write_empty(Writer* writer, int64_t last, uint64_t row, uint64_t rows):
    """The same without any room: only rows that have no text fit."""
    cdef uint8_t nothing[1]
    cdef uint64_t used = 0
    writer.to = nothing
    writer.end = nothing
    return write_rows(writer, last, row, rows, nothing, &used)


cdef bint run(Writer* writer, int64_t first, int64_t last, uint64_t row) noexcept nogil:
    """Do the steps from `first` up to `last` for a row; False if there is no room for what they write."""
    cdef const TextStep* step
    cdef uint64_t number
    cdef uint64_t inner
    cdef bint fits = True
    while first < last and fits:
        step = writer.steps + first
        first += 1
        if step.op == LITERAL:
            fits = put(writer, writer.text + step.first, step.second)
            continue
        if step.op == ADDRESS:
            fits = put_address(writer, step, row)
            continue
        number = load_number(writer.columns[step.column] + row * step.width, <int> step.width, False)
        if step.op == EQUAL:
            if (number & <uint64_t> step.first) != operand(writer, step, row):
                first += step.skip
        elif step.op == DIFFERENT:
            if (number & <uint64_t> step.first) == operand(writer, step, row):
                first += step.skip
        elif step.op == BELOW:
            if number - <uint64_t> step.first >= <uint64_t> step.second:
                first += step.skip
        elif step.op == DECIMAL:
            fits = put_decimal(writer, number - <uint64_t> step.first, step.second)
        elif step.op == HEXADECIMAL:
            fits = put_hexadecimal(writer, number, step.first)
        elif step.op == LOOKUP:
            fits = put_word(writer, step, number)
        elif step.op == DATE:
            fits = put_date(writer, number)
        elif step.op == OCTETS:
            fits = put_octets(writer, number, load_other(writer, step, row) // 8, step.first, step.second)
        elif step.op == REST:
            fits = put_decimal(writer, <uint64_t> step.first - number, step.second)
        elif step.op == ROUNDED:
            fits = put_rounded(writer, number, step.second)
        elif step.op == SHIFTED:
            fits = put_decimal(writer, number >> <uint64_t> step.first, step.second)
        elif step.op == JOINED:
            fits = put_decimal(writer, (number << <uint64_t> step.first) + load_other(writer, step, row), step.second)
        elif step.op == STRING:
            fits = put_string(writer, number - <uint64_t> step.first, operand(writer, step, row))
        else:
            for inner in range(number, min(load_number(writer.columns[step.column] + (row + 1) * 8, 8, False),
                                           writer.inner)):
                fits = run(writer, first, first + step.skip, inner)
                if not fits:
                    break
            first += step.skip
    return fits


# What follows is not inline as what `writer` has is, on purpose: with its scratch memory in the frame of `run`, one
# process in five took two thirds longer, as the stack happened to lie.


cdef bint put_rounded(Writer* writer, uint64_t number, int64_t width) noexcept nogil:
    """Write what a double makes of a number, which may be one more than 64 bits hold."""
    cdef double value = <double> number
    if value >= TWO_64:
        return put_padded(writer, <const uint8_t*> TWO_64_TEXT, DECIMAL_SIZE, width)
    return put_decimal(writer, <uint64_t> value, width)


cdef bint put_address(Writer* writer, const TextStep* step, uint64_t row) noexcept nogil:
    """Write an IP address."""
    cdef uint8_t text[ADDRESS_SIZE]
    cdef const uint8_t* raw = writer.columns[step.column] + row * 16
    cdef uint64_t version = load_other(writer, step, row)
    cdef uint8_t* end
    if version == 4:
        if writer.end - writer.to >= V4_SIZE:
            writer.to = dotted(writer.to, raw + 12)
            return True
        return put(writer, text, dotted(text, raw + 12) - text)
    if version == 6:
        end = colons(text, raw)
        return put(writer, text, end - text)
    return put(writer, writer.text + step.first, step.second)


cdef bint put_date(Writer* writer, uint64_t seconds) noexcept nogil:
    """Write Unix time as a date of the template's zone."""
    cdef uint64_t local, day, second
    cdef int64_t shifted
    if seconds > LAST_DATE:
        return put_decimal(writer, seconds, DATE_SIZE)
    if DATE_SIZE > writer.end - writer.to:
        return False
    if seconds == 0:
        memset(writer.to, 32, DATE_SIZE)
        writer.to += DATE_SIZE
        return True
    shifted = <int64_t> seconds + zone_offset(writer, <int64_t> seconds)
    local = <uint64_t> max(shifted, 0)
    local = min(local, LAST_DATE)
    day = local // DAY
    second = local % DAY
    if day != writer.day.number:
        note_day(&writer.day, day)
    dated(writer.to, &writer.day, second)
    writer.to += DATE_SIZE
    return True


cdef int64_t zone_offset(const Writer* writer, int64_t seconds) noexcept nogil:
    """How far local time is ahead of UTC."""
    cdef int64_t low = 0
    cdef int64_t high = writer.zones_count
    cdef int64_t middle
    while high - low > 1:
        middle = (low + high) // 2
        if writer.zones[middle].since <= seconds:
            low = middle
        else:
            high = middle
    return writer.zones[low].offset


cdef bint put_octets(
    Writer* writer, uint64_t begin, uint64_t size, uint64_t group, uint64_t line
) noexcept nogil:
    """Write bytes of the buffer in hexadecimal; nothing where they are not all there."""
    cdef const uint8_t* raw
    cdef uint8_t* to = writer.to
    cdef uint64_t k, place, end
    if size == 0 or begin > writer.size or size > writer.size - begin:
        return True
    if 2 * size + (size - 1) // group + 1 + (size - 1) // line > <uint64_t> (writer.end - to):
        return False
    raw = writer.buffer + begin
    place = 0
    while place < size:
        if place and place % line == 0:
            to[0] = 10
            to += 1
        if place % group == 0:
            to[0] = 32
            to += 1
        end = min(size, (place // group + 1) * group, (place // line + 1) * line)
        for k in range(place, end):
            to[0] = <uint8_t> HEX[raw[k] >> 4]
            to[1] = <uint8_t> HEX[raw[k] & 15]
            to += 2
        place = end
    writer.to = to
    return True


cdef bint put_string(Writer* writer, uint64_t begin, uint64_t size) noexcept nogil:
    """Write text of the buffer up to a NUL; nothing where it is not all there."""
    cdef const uint8_t* raw
    cdef uint64_t k
    if size == 0 or begin > writer.size or size > writer.size - begin:
        return True
    raw = writer.buffer + begin
    for k in range(size):
        if raw[k] == 0:
            break
        if writer.to == writer.end:
            return False
        writer.to[0] = raw[k] if 32 <= raw[k] < 127 else 63
        writer.to += 1
    return True
