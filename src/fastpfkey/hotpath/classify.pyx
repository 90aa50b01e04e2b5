# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Which rows have the same values in some columns.

Bits that are the same in all rows tell nothing. The others of a row are put together as a record, most often of one
word, and records are found again in a hash table. Rows are alike if their records are equal. Which bits vary is guessed
from some rows, and checked in all while they are in the cache: memory is read once. If a guess is found wrong, all rows
are looked at and numbered anew.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset

from .load cimport fetch

cdef extern from "varying.h":
    ctypedef struct Trait "pfkey_trait":
        const uint8_t* at
        uint64_t stride
        uint64_t varying
        int32_t width
        int32_t word
        int32_t left
    uint64_t varying_bits "pfkey_varying"(const Trait* trait, uint64_t begin, uint64_t rows) noexcept nogil
    void put "pfkey_put"(const Trait* trait, uint64_t begin, uint64_t rows, uint64_t* words) noexcept nogil
    void mix "pfkey_mix"(const uint64_t* words, uint64_t rows, uint64_t* hashes) noexcept nogil

cdef enum:
    BLOCK = 512  # rows whose records are made together
    SAMPLES = 16  # blocks that are looked at to guess which bits vary
    SLOTS_LOG = 10  # the hash table has two to the power of this many slots at first

cdef enum Outcome:
    DONE
    STRAY  # a bit varies that was believed not to
    NO_MEMORY

cdef struct Index:
    uint64_t words  # of a record
    uint64_t count
    uint64_t capacity  # records that `records` has room for
    int32_t slots_log  # of the slots, which are at least twice as many as the records
    uint64_t* records  # the different ones, by number
    uint32_t* numbers  # a slot holds the number of its record plus one; 0 is free
    uint64_t* block  # of each word those of a block of rows, and the rows' hashes


def classify(columns, widths, uint64_t rows, uint32_t[::1] shapes, uint32_t[::1] firsts):
    """Number the combinations of values that rows have in some columns, and return how many there are."""
    cdef const uint8_t[::1] octets
    cdef Index index
    cdef Trait* traits = NULL
    cdef Outcome outcome
    cdef uint64_t count = 0
    cdef uint64_t width
    kept = [memoryview(column) for column in columns]
    if <uint64_t> shapes.shape[0] < rows or <uint64_t> firsts.shape[0] < rows:
        raise IndexError("classify: an output is too short")
    index.records, index.numbers, index.block = NULL, NULL, NULL
    traits = <Trait*> calloc(sum(width // 8 + 3 for width in widths) + 1, sizeof(Trait))
    try:
        if traits == NULL:
            raise MemoryError
        for column, width in zip(kept, widths, strict=True):
            octets = column
            if <uint64_t> octets.shape[0] < rows * width:
                raise IndexError("classify: a column is too short")
            if rows and width:
                count += cut(traits + count, &octets[0], width)
        if rows == 0:
            return 0
        with nogil:
            guess_varying(traits, count, rows)
            outcome = number_rows(&index, traits, count, rows, &shapes[0], &firsts[0])
            if outcome == STRAY:
                find_varying(traits, count, 0, rows)
                outcome = number_rows(&index, traits, count, rows, &shapes[0], &firsts[0])
        if outcome != DONE:
            raise MemoryError
        return index.count
    finally:
        free(traits)
        index_free(&index)


cdef uint64_t cut(Trait* traits, const uint8_t* column, uint64_t width) noexcept nogil:
    """The numbers that a column is made of; return how many."""
    cdef uint64_t count = 0
    cdef uint64_t at = 0
    cdef int32_t size = 8
    while at < width:
        while at + size > width:
            size //= 2
        traits[count].at, traits[count].stride, traits[count].width = column + at, width, size
        at += size
        count += 1
    return count


cdef void guess_varying(Trait* traits, uint64_t count, uint64_t rows) noexcept nogil:
    """Note the bits that vary in some rows from the first to the last; in all, if there are few."""
    cdef uint64_t s
    if rows <= <uint64_t> SAMPLES * BLOCK:
        find_varying(traits, count, 0, rows)
        return
    for s in range(<uint64_t> SAMPLES):
        find_varying(traits, count, (rows - BLOCK) * s // (SAMPLES - 1), BLOCK)


cdef void find_varying(Trait* traits, uint64_t count, uint64_t begin, uint64_t rows) noexcept nogil:
    """Note the bits that vary in these rows, beside those that do elsewhere."""
    cdef uint64_t k
    for k in range(count):
        traits[k].varying |= varying_bits(traits + k, begin, rows)


cdef bint has_strays(const Trait* traits, uint64_t count, uint64_t begin, uint64_t rows) noexcept nogil:
    """Whether bits vary in these rows that are believed not to."""
    cdef uint64_t strays = 0
    cdef uint64_t k
    for k in range(count):
        strays |= varying_bits(traits + k, begin, rows) & ~traits[k].varying
    return strays != 0


cdef uint64_t place(Trait* traits, uint64_t count) noexcept nogil:
    """Find room for the varying bits of each number; return the words of a record, 0 if there is no memory."""
    cdef uint64_t words = 1
    cdef uint64_t bits, k
    cdef int32_t low, shift, word
    cdef uint64_t* used = <uint64_t*> calloc(count + 1, sizeof(uint64_t))
    if used == NULL:
        return 0
    for k in range(count):
        low, bits, word, shift = 0, traits[k].varying, 0, 0
        if bits == 0:
            continue
        while not bits & 1:
            bits >>= 1
            low += 1
        while bits << shift & used[word]:
            shift += 1
            if shift == 64 or bits << shift >> shift != bits:  # what is shifted by 64 stays, on some machines
                word, shift = word + 1, 0
        used[word] |= bits << shift
        words = max(words, <uint64_t> word + 1)
        traits[k].word, traits[k].left = word, shift - low
    free(used)
    return words


cdef bint index_new(Index* index, uint64_t words) noexcept nogil:
    """An empty index in the place of what there was. False if there is no memory."""
    index_free(index)
    index.words = words
    index.count, index.capacity, index.slots_log = 0, (1 << SLOTS_LOG) // 2, SLOTS_LOG
    index.records = <uint64_t*> malloc(words * index.capacity * sizeof(uint64_t))
    index.numbers = <uint32_t*> calloc(<size_t> 1 << index.slots_log, sizeof(uint32_t))
    index.block = <uint64_t*> malloc((words + 1) * BLOCK * sizeof(uint64_t))
    return words and index.records != NULL and index.numbers != NULL and index.block != NULL


cdef void index_free(Index* index) noexcept nogil:
    free(index.records)
    free(index.numbers)
    free(index.block)
    index.records, index.numbers, index.block = NULL, NULL, NULL


cdef Outcome number_rows(
    Index* index, Trait* traits, uint64_t count, uint64_t rows, uint32_t* shapes, uint32_t* firsts
) noexcept nogil:
    """Write the number of each row, if only bits vary that are believed to."""
    cdef uint64_t* hashes
    cdef uint64_t row = 0
    cdef uint64_t k, some
    if not index_new(index, place(traits, count)):
        return NO_MEMORY
    hashes = index.block + index.words * BLOCK
    while row < rows:
        some = min(<uint64_t> BLOCK, rows - row)
        if has_strays(traits, count, row, some):
            return STRAY
        memset(index.block, 0, (index.words + 1) * BLOCK * sizeof(uint64_t))
        for k in range(count):
            if traits[k].varying:
                put(traits + k, row, some, index.block + traits[k].word * BLOCK)
            if row + 2 * BLOCK <= rows:
                fetch(traits[k].at + (row + BLOCK) * traits[k].stride, BLOCK * traits[k].stride)
        for k in range(index.words):
            mix(index.block + k * BLOCK, some, hashes)
        if not number_block(index, hashes, some, shapes + row, firsts, <uint32_t> row):
            return NO_MEMORY
        row += some
    return DONE


cdef bint number_block(
    Index* index, const uint64_t* hashes, uint64_t rows, uint32_t* shapes, uint32_t* firsts, uint32_t row
) noexcept nogil:
    """The same for a block of rows, the first of which is `row`. False if there is no memory for the table."""
    cdef const uint64_t* block = index.block
    cdef const uint64_t* records = index.records
    cdef const uint32_t* numbers = index.numbers
    cdef uint64_t k, slot
    cdef int32_t right = 64 - index.slots_log
    cdef bint single = index.words == 1
    cdef uint32_t number
    for k in range(rows):
        slot = hashes[k] >> right
        number = numbers[slot]
        if single and number and records[number - 1] == block[k]:  # nearly all, so without what the others need
            shapes[k] = number - 1
            continue
        while number and not is_same(records + (number - 1) * index.words, block + k, index.words):
            slot = (slot + 1) & ((<uint64_t> 1 << index.slots_log) - 1)
            number = numbers[slot]
        if number == 0:
            firsts[index.count] = row + <uint32_t> k
            number = add(index, block + k, slot)
            if number == 0:
                return False
            records, numbers, right = index.records, index.numbers, 64 - index.slots_log
        shapes[k] = number - 1
    return True


cdef inline bint is_same(const uint64_t* record, const uint64_t* words, uint64_t count) noexcept nogil:
    """Whether a record is that of a row, whose words are a block apart."""
    cdef uint64_t difference = record[0] ^ words[0]
    cdef uint64_t k
    for k in range(1, count):
        difference |= record[k] ^ words[k * BLOCK]
    return difference == 0


cdef uint32_t add(Index* index, const uint64_t* words, uint64_t slot) noexcept nogil:
    """Keep the record of a row, whose slot is free; return its number plus one, 0 if there is no memory for it."""
    cdef uint64_t k
    for k in range(index.words):
        index.records[index.count * index.words + k] = words[k * BLOCK]
    index.count += 1
    index.numbers[slot] = <uint32_t> index.count
    if index.count == index.capacity and not grow(index):
        return 0
    return <uint32_t> index.count


cdef bint grow(Index* index) noexcept nogil:
    """Twice the room. False if there is no memory for it."""
    cdef int32_t slots_log = index.slots_log + 1
    cdef uint64_t slot, hashed, k, word
    cdef uint64_t* records = <uint64_t*> realloc(
        index.records, index.words * index.capacity * 2 * sizeof(uint64_t)
    )
    cdef uint32_t* numbers
    if records == NULL:
        return False
    index.records = records
    numbers = <uint32_t*> calloc(<size_t> 1 << slots_log, sizeof(uint32_t))
    if numbers == NULL:
        return False
    free(index.numbers)
    index.numbers, index.slots_log, index.capacity = numbers, slots_log, index.capacity * 2
    for k in range(index.count):
        hashed = 0
        for word in range(index.words):
            mix(index.records + k * index.words + word, 1, &hashed)
        slot = hashed >> (64 - slots_log)
        while numbers[slot]:
            slot = (slot + 1) & ((<uint64_t> 1 << slots_log) - 1)
        numbers[slot] = <uint32_t> (k + 1)
    return True
