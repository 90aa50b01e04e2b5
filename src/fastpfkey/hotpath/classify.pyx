# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Which rows have the same values in some columns.

The values of a row are put together as one record, and records are found again in a hash table. Rows are read a block
at a time, one column after the other.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy

from .load cimport fetch, load_u64

cdef enum:
    BLOCK = 256  # rows whose records are made together
    SLOTS = 1024  # of the hash table at first

cdef struct Index:
    uint64_t width  # bytes of a record, a multiple of 8
    uint64_t count
    uint64_t capacity  # records that `records` has room for
    uint64_t slots  # a power of two, at least twice the count
    uint8_t* records  # the different ones, by number
    uint32_t* numbers  # a slot holds the number of its record plus one; 0 is free


def classify(columns, widths, uint64_t rows, uint32_t[::1] shapes, uint32_t[::1] firsts):
    """Number the combinations of values that rows have in some columns, and return how many there are."""
    cdef const uint8_t[::1] octets
    cdef Index index
    cdef const uint8_t** sources = NULL
    cdef uint64_t* sizes = NULL
    cdef uint8_t* block = NULL
    cdef uint64_t count = len(columns)
    cdef uint64_t k
    cdef bint done = False
    kept = [memoryview(column) for column in columns]
    if <uint64_t> shapes.shape[0] < rows or <uint64_t> firsts.shape[0] < rows:
        raise IndexError("classify: an output is too short")
    index.width = (sum(widths) + 7) // 8 * 8
    index.count, index.capacity, index.slots = 0, SLOTS // 2, SLOTS
    index.records = <uint8_t*> malloc(index.width * index.capacity + 1)
    index.numbers = <uint32_t*> calloc(index.slots, sizeof(uint32_t))
    sources = <const uint8_t**> calloc(count + 1, sizeof(uint8_t*))
    sizes = <uint64_t*> calloc(count + 1, sizeof(uint64_t))
    block = <uint8_t*> calloc(index.width * BLOCK + 1, 1)
    try:
        if index.records == NULL or index.numbers == NULL or sources == NULL or sizes == NULL or block == NULL:
            raise MemoryError
        for k in range(count):
            octets, sizes[k] = kept[k], widths[k]
            if <uint64_t> octets.shape[0] < rows * sizes[k]:
                raise IndexError("classify: a column is too short")
            sources[k] = &octets[0] if octets.shape[0] else NULL
        if rows:
            with nogil:
                done = number_rows(&index, sources, sizes, count, block, rows, &shapes[0], &firsts[0])
            if not done:
                raise MemoryError
        return index.count
    finally:
        free(index.records)
        free(index.numbers)
        free(<void*> sources)
        free(sizes)
        free(block)


cdef bint number_rows(
    Index* index,
    const uint8_t** sources,
    const uint64_t* sizes,
    uint64_t count,
    uint8_t* block,
    uint64_t rows,
    uint32_t* shapes,
    uint32_t* firsts,
) noexcept nogil:
    """Write the number of each row. False if there is no memory for the table."""
    cdef uint64_t row = 0
    cdef uint64_t k, c, some, begin, known
    cdef int64_t number
    while row < rows:
        some = min(<uint64_t> BLOCK, rows - row)
        begin = 0
        for c in range(count):
            put_column(block + begin, index.width, sources[c] + row * sizes[c], sizes[c], some)
            if row + 2 * some <= rows:
                fetch(sources[c] + (row + some) * sizes[c], some * sizes[c])
            begin += sizes[c]
        for k in range(some):
            known = index.count
            number = number_of(index, block + k * index.width)
            if number < 0:
                return False
            shapes[row + k] = <uint32_t> number
            if index.count > known:
                firsts[number] = <uint32_t> (row + k)
        row += some
    return True


cdef inline void put_column(
    uint8_t* to, uint64_t stride, const uint8_t* column, uint64_t width, uint64_t rows
) noexcept nogil:
    """Some rows of a column, each into its record."""
    cdef uint64_t k
    if width == 1:
        for k in range(rows):
            to[k * stride] = column[k]
    elif width == 2:
        for k in range(rows):
            memcpy(to + k * stride, column + 2 * k, 2)
    elif width == 4:
        for k in range(rows):
            memcpy(to + k * stride, column + 4 * k, 4)
    elif width == 8:
        for k in range(rows):
            memcpy(to + k * stride, column + 8 * k, 8)
    else:
        for k in range(rows):
            memcpy(to + k * stride, column + width * k, width)


cdef inline uint64_t hash_of(const uint8_t* record, uint64_t width) noexcept nogil:
    """A number in which every byte has a say, the high bits most."""
    cdef uint64_t mixed = 0
    cdef uint64_t k
    for k in range(0, width, 8):
        mixed = (mixed ^ load_u64(record + k, False)) * <uint64_t> 0x9E3779B97F4A7C15
        mixed ^= mixed >> 32
    return mixed


cdef inline bint is_same(const uint8_t* one, const uint8_t* other, uint64_t width) noexcept nogil:
    """Whether two records are equal, word by word: they are short."""
    cdef uint64_t difference = 0
    cdef uint64_t k
    for k in range(0, width, 8):
        difference |= load_u64(one + k, False) ^ load_u64(other + k, False)
    return difference == 0


cdef int64_t number_of(Index* index, const uint8_t* record) noexcept nogil:
    """The number of a record, a new one if it is; -1 if there is no memory for it."""
    cdef uint64_t slot = hash_of(record, index.width) & (index.slots - 1)
    cdef uint32_t number
    while True:
        number = index.numbers[slot]
        if number == 0:
            break
        if is_same(index.records + (number - 1) * index.width, record, index.width):
            return number - 1
        slot = (slot + 1) & (index.slots - 1)
    if index.count == index.capacity:
        if not grow(index):
            return -1
        return number_of(index, record)
    memcpy(index.records + index.count * index.width, record, index.width)
    index.count += 1
    index.numbers[slot] = <uint32_t> index.count
    return <int64_t> index.count - 1


cdef bint grow(Index* index) noexcept nogil:
    """Twice the room. False if there is no memory for it."""
    cdef uint64_t slots = index.slots * 2
    cdef uint64_t slot, k
    cdef uint8_t* records = <uint8_t*> realloc(index.records, index.width * index.capacity * 2 + 1)
    cdef uint32_t* numbers
    if records == NULL:
        return False
    index.records = records
    numbers = <uint32_t*> calloc(slots, sizeof(uint32_t))
    if numbers == NULL:
        return False
    free(index.numbers)
    index.numbers, index.slots, index.capacity = numbers, slots, index.capacity * 2
    for k in range(index.count):
        slot = hash_of(index.records + k * index.width, index.width) & (slots - 1)
        while numbers[slot]:
            slot = (slot + 1) & (slots - 1)
        numbers[slot] = <uint32_t> (k + 1)
    return True
