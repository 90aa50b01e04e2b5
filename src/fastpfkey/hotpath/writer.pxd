# cython: language_level=3, cdivision=True
# The output of a template, and what most of its steps write to it: text, numbers and words. Each asks whether there is
# room before it writes anything.

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from .load cimport load_number
from .text cimport DECIMAL_SIZE, HEX, Day, digits_before

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
    Day day  # of the date that was written last


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
