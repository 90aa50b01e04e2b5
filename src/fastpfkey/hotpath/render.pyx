# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Text of rows by a template: a small machine that runs the template's steps over each row.

A row is written straight into the output. Each step knows how many bytes it needs before it writes any, so a row that
does not fit is given up at the first step without room and counts for nothing.
"""

from cpython.buffer cimport PyBUF_SIMPLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from .contract import Rendered
from .load cimport load_number

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

cdef struct TextStep:
    int64_t op
    int64_t column
    int64_t width
    int64_t other
    int64_t other_width
    int64_t first
    int64_t second
    int64_t skip

cdef struct Word:
    int64_t start
    int64_t length

cdef struct Zone:
    int64_t since
    int64_t offset

cdef struct Writer:
    const TextStep* steps
    const uint8_t* text
    const Word* words
    const Zone* zones
    int64_t zones_count
    const uint8_t** columns
    uint64_t inner  # rows that all columns of repetitions have
    const uint8_t* buffer
    uint64_t size  # of the buffer
    uint8_t* to  # the next byte of the output
    uint8_t* end
    uint64_t day  # of the date that was written last, counted from 1970
    uint8_t day_text[7]
    uint8_t year_text[5]

cdef enum:
    DATE_SIZE = 20
    DAY = 86400
    DECIMAL_SIZE = 20  # digits of the largest number
    ADDRESS_SIZE = 48
    V4_SIZE = 16

cdef extern from *:
    """
    #define PFKEY_LAST_DATE 253402300799ULL
    #define PFKEY_TWO_64 18446744073709551616.0
    static const char pfkey_hex[] = "0123456789abcdef";
    static const char pfkey_pairs[] =
        "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
        "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    static const char pfkey_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char pfkey_two_64[] = "18446744073709551616";
    """
    const uint64_t LAST_DATE "PFKEY_LAST_DATE"
    const double TWO_64 "PFKEY_TWO_64"
    const char* HEX "pfkey_hex"
    const char* PAIRS "pfkey_pairs"
    const char* MONTHS "pfkey_months"
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
    writer.day = ~<uint64_t> 0
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


cdef inline uint64_t load_other(Writer* writer, const TextStep* step, uint64_t row) noexcept nogil:
    """The number in the other column of a step."""
    return load_number(writer.columns[step.other] + row * step.other_width, <int> step.other_width, False)


cdef inline uint64_t operand(Writer* writer, const TextStep* step, uint64_t row) noexcept nogil:
    """The number in the other column of a step if it has one, else its own."""
    return load_other(writer, step, row) if step.other_width else <uint64_t> step.second


cdef inline bint put(Writer* writer, const uint8_t* text, uint64_t size) noexcept nogil:
    """Write bytes."""
    if size > <uint64_t> (writer.end - writer.to):
        return False
    memcpy(writer.to, text, size)
    writer.to += size
    return True


cdef inline uint8_t* digits_before(uint8_t* end, uint64_t number) noexcept nogil:
    """Write the digits of a number so that they end before `end`; where they begin."""
    while number >= 100:
        end -= 2
        memcpy(end, PAIRS + 2 * (number % 100), 2)
        number //= 100
    if number >= 10:
        end -= 2
        memcpy(end, PAIRS + 2 * number, 2)
    else:
        end -= 1
        end[0] = <uint8_t> (48 + number)
    return end


cdef inline bint put_decimal(Writer* writer, uint64_t number, int64_t width) noexcept nogil:
    """Write a number with spaces up to a least width."""
    cdef uint8_t text[DECIMAL_SIZE]
    cdef uint8_t* begin = digits_before(text + DECIMAL_SIZE, number)
    return put_padded(writer, begin, text + DECIMAL_SIZE - begin, width)


cdef inline bint put_padded(Writer* writer, const uint8_t* text, uint64_t size, int64_t width) noexcept nogil:
    """Write text with spaces before it up to a least width, or behind it if that is negative."""
    cdef uint64_t least = <uint64_t> (-width if width < 0 else width)
    cdef uint64_t padding = least - size if least > size else 0
    if size + padding > <uint64_t> (writer.end - writer.to):
        return False
    if padding and width > 0:
        memset(writer.to, 32, padding)
        writer.to += padding
    memcpy(writer.to, text, size)
    writer.to += size
    if padding and width < 0:
        memset(writer.to, 32, padding)
        writer.to += padding
    return True


cdef bint put_rounded(Writer* writer, uint64_t number, int64_t width) noexcept nogil:
    """Write what a double makes of a number, which may be one more than 64 bits hold."""
    cdef double value = <double> number
    if value >= TWO_64:
        return put_padded(writer, <const uint8_t*> TWO_64_TEXT, DECIMAL_SIZE, width)
    return put_decimal(writer, <uint64_t> value, width)


cdef inline bint put_hexadecimal(Writer* writer, uint64_t number, int64_t digits) noexcept nogil:
    """Write the low digits of a number."""
    cdef int64_t k
    if digits > writer.end - writer.to:
        return False
    for k in range(digits - 1, -1, -1):
        writer.to[k] = <uint8_t> HEX[number & 15]
        number >>= 4
    writer.to += digits
    return True


cdef inline bint put_word(Writer* writer, const TextStep* step, uint64_t number) noexcept nogil:
    """Write the word of a number, or the number."""
    cdef const Word* word
    if number < <uint64_t> step.second:
        word = writer.words + step.first + number
        if word.start >= 0:
            return put(writer, writer.text + word.start, word.length)
    return put_decimal(writer, number, 0)


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


cdef inline uint8_t* dotted(uint8_t* to, const uint8_t* raw) noexcept nogil:
    """An IPv4 address, in V4_SIZE bytes at most; where it ends."""
    cdef int k
    cdef uint8_t octet
    for k in range(4):
        octet = raw[k]
        if octet >= 100:
            to[0] = <uint8_t> (48 + octet // 100)
            memcpy(to + 1, PAIRS + 2 * (octet % 100), 2)
            to += 3
        elif octet >= 10:
            memcpy(to, PAIRS + 2 * octet, 2)
            to += 2
        else:
            to[0] = <uint8_t> (48 + octet)
            to += 1
        to[0] = 46
        to += 1
    return to - 1


cdef uint8_t* colons(uint8_t* to, const uint8_t* raw) noexcept nogil:
    """An IPv6 address as inet_ntop writes it; where it ends."""
    cdef uint16_t groups[8]
    cdef int start = 8
    cdef int length = 1
    cdef int place, end, k
    cdef int shift
    for k in range(8):
        groups[k] = <uint16_t> (raw[2 * k] << 8 | raw[2 * k + 1])
    place = 0
    while place < 8:
        end = place
        while end < 8 and groups[end] == 0:
            end += 1
        if end - place > length:
            start = place
            length = end - place
        place = max(end, place + 1)
    place = 0
    while place < 8:
        if place == start:
            to[0] = 58
            to += 1
            place += length
            if place == 8:
                to[0] = 58
                to += 1
            continue
        if place:
            to[0] = 58
            to += 1
        if place == 6 and start == 0 and (length == 6 or (length == 5 and groups[5] == 0xFFFF)):
            return dotted(to, raw + 12)
        shift = 12
        while shift and groups[place] >> shift == 0:
            shift -= 4
        while shift >= 0:
            to[0] = <uint8_t> HEX[groups[place] >> shift & 15]
            to += 1
            shift -= 4
        place += 1
    return to


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
    if day != writer.day:
        note_day(writer, day)
    memcpy(writer.to, writer.day_text, 7)
    memcpy(writer.to + 7, PAIRS + 2 * (second // 3600), 2)
    writer.to[9] = 58
    memcpy(writer.to + 10, PAIRS + 2 * (second // 60 % 60), 2)
    writer.to[12] = 58
    memcpy(writer.to + 13, PAIRS + 2 * (second % 60), 2)
    memcpy(writer.to + 15, writer.year_text, 5)
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


cdef void note_day(Writer* writer, uint64_t day) noexcept nogil:
    """Keep the text of a day: the calendar is the same for all of its seconds.

    Years are counted from the first of March, so that the day that is sometimes there comes last.
    """
    cdef uint64_t since = day + 719468  # from 0000-03-01
    cdef uint64_t era = since // 146097  # 400 years
    cdef uint64_t of_era = since - era * 146097
    cdef uint64_t year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef uint64_t of_year = of_era - (365 * year + year // 4 - year // 100)
    cdef uint64_t month = (5 * of_year + 2) // 153  # from March
    cdef uint64_t of_month = of_year - (153 * month + 2) // 5 + 1
    year += era * 400 + (month >= 10)
    month = month - 10 if month >= 10 else month + 2
    writer.day = day
    memcpy(writer.day_text, MONTHS + 3 * month, 3)
    memcpy(writer.day_text + 4, PAIRS + 2 * of_month, 2)
    if of_month < 10:
        writer.day_text[4] = 32
    writer.day_text[3] = 32
    writer.day_text[6] = 32
    writer.year_text[0] = 32
    memcpy(writer.year_text + 1, PAIRS + 2 * (year // 100), 2)
    memcpy(writer.year_text + 3, PAIRS + 2 * (year % 100), 2)


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
