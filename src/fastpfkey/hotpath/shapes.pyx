# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Validation of one message, step by step as the reference twin defines it, noting every byte that decided."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from .load cimport load_number, load_u16


cdef const int32_t* _rows(object packed) except NULL:
    """Address of a packed int32 array, which its owner keeps alive and never resizes."""
    cdef Py_buffer view
    cdef const int32_t* rows
    PyObject_GetBuffer(packed, &view, PyBUF_SIMPLE)
    rows = <const int32_t*> view.buf
    PyBuffer_Release(&view)
    return rows


cdef class FrameView:
    """A frame's packed rows as C structs."""

    def __cinit__(self, frame, bint strict):
        rules, checks, families = frame.packed
        self.plan = frame
        self.frame.swap = frame.swap
        self.frame.strict = strict
        self.frame.family_offset = frame.family_offset
        self.frame.family_width = frame.family_width
        self.frame.wrapper = frame.wrapper
        self.frame.rules_count = len(frame.rules)
        self.frame.families_count = len(frame.families)
        self.frame.rules = <const Rule*> _rows(rules)
        self.frame.checks = <const Check*> _rows(checks) if len(checks) else NULL
        self.frame.families = <const Family*> _rows(families) if len(families) else NULL


cdef Cache* cache_new(int32_t capacity) except NULL:
    """An empty cache for up to `capacity` shapes."""
    cdef Cache* cache = <Cache*> malloc(sizeof(Cache))
    if cache == NULL:
        raise MemoryError
    cache.memory = malloc(<size_t> capacity * sizeof(Shape) + STEP)
    if cache.memory == NULL:
        free(cache)
        raise MemoryError
    cache.shapes = <Shape*> ((<size_t> cache.memory + STEP - 1) // STEP * STEP)
    cache.capacity = capacity
    cache.match = best_match()
    cache_clear(cache)
    return cache


cdef void cache_free(Cache* cache) noexcept nogil:
    """Give a cache back."""
    if cache != NULL:
        free(cache.memory)
        free(cache)


cdef void cache_clear(Cache* cache) noexcept nogil:
    """Forget all shapes."""
    cache.count = 0
    memset(cache.buckets, 0xFF, sizeof(cache.buckets))


cdef struct Examination:
    const Frame* frame
    const uint8_t* base
    uint64_t start
    Shape* shape
    int32_t fault
    uint64_t position


cdef void note(Examination* exam, uint64_t position, int width) noexcept nogil:
    """Remember bytes that decide."""
    cdef uint64_t offset = position - exam.start
    if exam.shape.length <= MAX_LENGTH:
        memset(exam.shape.mask + offset, 0xFF, width)
        memcpy(exam.shape.value + offset, exam.base + position, width)


cdef uint64_t number(Examination* exam, uint64_t position, int width) noexcept nogil:
    """A host-order number that decides something."""
    note(exam, position, width)
    return load_number(exam.base + position, width, exam.frame.swap)


cdef bint fail(Examination* exam, int32_t fault, uint64_t position) noexcept nogil:
    """Record a fault; always False, so that callers can return it."""
    exam.fault = fault
    exam.position = position
    return False


cdef const Family* find_family(const Frame* frame, uint64_t number) noexcept nogil:
    """The family with this AF_ number, NULL if the frame does not know it."""
    cdef int32_t k
    for k in range(frame.families_count):
        if <uint64_t> frame.families[k].number == number:
            return frame.families + k
    return NULL


cdef bint check_sockaddrs(Examination* exam, uint64_t position, uint64_t end, int32_t count) noexcept nogil:
    """Sockaddrs back to back; behind one of unknown family nothing can be said."""
    cdef int32_t _
    cdef const Family* family
    for _ in range(count):
        if end - position < 2:
            return fail(exam, SOCKADDR_OVERRUN, position)
        family = find_family(
            exam.frame, number(exam, position + exam.frame.family_offset, exam.frame.family_width)
        )
        if family == NULL:
            return True
        if <uint64_t> family.size > end - position:
            return fail(exam, SOCKADDR_OVERRUN, position)
        position += family.size
    return True


cdef bint check_requests(Examination* exam, const Check* check, uint64_t position, uint64_t end) noexcept nogil:
    """Nested requests; less than a fixed part at the end is tolerated."""
    cdef uint64_t length
    while end - position >= <uint64_t> check.unit:
        length = number(exam, position, check.width)
        if length < <uint64_t> check.unit:
            return fail(exam, REQUEST_SHORT, position)
        if length > end - position:
            return fail(exam, REQUEST_OVERRUN, position)
        if length > <uint64_t> check.unit:
            if not check_sockaddrs(exam, position + check.unit, position + length, 2):
                return False
        position += length
    return True


cdef bint check_counted(
    Examination* exam, const Check* check, uint64_t extension, uint64_t position, uint64_t end
) noexcept nogil:
    """Items, each with a count of sub-records of its own."""
    cdef uint64_t size
    cdef uint64_t _
    for _ in range(number(exam, extension + check.field, check.width)):
        if <uint64_t> check.unit > end - position:
            return fail(exam, ITEM_OVERRUN, position)
        size = check.unit + number(exam, position + check.second, 1) * <uint64_t> check.count
        if size > end - position:
            return fail(exam, ITEM_OVERRUN, position)
        position += size
    return True


cdef bint check_sized(
    Examination* exam, const Check* check, uint64_t extension, uint64_t position, uint64_t end
) noexcept nogil:
    """One or two counted stretches of data behind each other."""
    cdef uint64_t size
    cdef int32_t k
    cdef int32_t counters[2]
    counters[0] = check.field
    counters[1] = check.second
    for k in range(2):
        if counters[k] >= 0:
            size = number(exam, extension + counters[k], check.width) * <uint64_t> check.unit
            if size > end - position:
                return fail(exam, DATA_OVERRUN, extension + counters[k])
            position += size
    return True


cdef bint check_tail(Examination* exam, const Check* check, uint64_t extension, uint64_t end) noexcept nogil:
    """Apply one check to the extension that reaches from `extension` to `end`."""
    cdef uint64_t position = extension + check.start
    cdef uint64_t remainder
    if check.op == SOCKADDRS:
        return check_sockaddrs(exam, position, end, check.count)
    if check.op == BITS:
        if (number(exam, extension + check.field, check.width) + 7) // 8 > end - position:
            return fail(exam, KEY_OVERRUN, extension + check.field)
        return True
    if check.op == SIZED:
        return check_sized(exam, check, extension, position, end)
    if check.op == RECORDS:
        remainder = (end - position) % <uint64_t> check.unit
        if remainder != 0:
            return fail(exam, RECORD_PARTIAL, end - remainder)
        return True
    if check.op == REQUESTS:
        return check_requests(exam, check, position, end)
    return check_counted(exam, check, extension, position, end)


cdef bint check_extension(Examination* exam, uint64_t position, uint64_t end, uint64_t* length) noexcept nogil:
    """Check the extension at `position` of a message that ends at `end`, and tell its length in bytes."""
    cdef Shape* shape = exam.shape
    cdef uint64_t size = number(exam, position, 2) * WORD
    cdef uint64_t kind = number(exam, position + 2, 2)
    cdef const Rule* rule
    cdef const Check* check
    cdef int32_t k
    length[0] = size
    if size == 0:
        return fail(exam, EXTENSION_EMPTY, position)
    if size > end - position:
        return fail(exam, EXTENSION_OVERRUN, position)
    rule = exam.frame.rules + kind if kind < <uint64_t> exam.frame.rules_count else NULL
    if rule == NULL or rule.bit < 0:
        if exam.frame.strict:
            return fail(exam, EXTENSION_UNKNOWN, position + 2)
        shape.others += 1
        return True
    if size < <uint64_t> rule.minimum:
        return fail(exam, EXTENSION_SHORT, position)
    if (shape.numbers >> kind) & 1:
        if not rule.repeats:
            return fail(exam, EXTENSION_DUPLICATE, position + 2)
    else:
        shape.numbers |= (<uint64_t> 1) << kind
        shape.extents[kind].offset = <uint32_t> (position - exam.start)
        shape.extents[kind].length = <uint32_t> size
    shape.present |= (<uint64_t> 1) << rule.bit
    for k in range(rule.first_check, rule.first_check + rule.checks):
        check = exam.frame.checks + k
        if check.condition >= 0:
            if number(exam, position + check.condition, check.condition_width) != <uint64_t> check.condition_value:
                continue
        if not check_tail(exam, check, position, position + size):
            return False
    return True


cdef bint check_message(Examination* exam, uint64_t stop) noexcept nogil:
    """Check the base header and all extensions of the message at exam.start."""
    cdef uint64_t start = exam.start
    cdef uint64_t position, length, size
    if stop - start < HEADER_SIZE:
        return fail(exam, HEADER_TRUNCATED, start)
    if exam.base[start] != 2:
        return fail(exam, VERSION, start)
    length = <uint64_t> load_u16(exam.base + start + 4, exam.frame.swap) * WORD
    if length < HEADER_SIZE:
        return fail(exam, MESSAGE_SHORT, start + 4)
    if length > stop - start:
        return fail(exam, MESSAGE_TRUNCATED, start + 4)
    exam.shape.length = <uint32_t> length
    exam.shape.satype = exam.base[start + 3]
    exam.shape.steps = max(COMMON_STEPS, <int32_t> ((length + STEP - 1) // STEP))
    if length <= MAX_LENGTH:
        memset(exam.shape.mask, 0, <size_t> exam.shape.steps * STEP)
        memset(exam.shape.value, 0, <size_t> exam.shape.steps * STEP)
    note(exam, start, 1)
    note(exam, start + 3, 3)
    if exam.frame.wrapper >= 0 and number(exam, start + 1, 1) == <uint64_t> exam.frame.wrapper:
        return True
    position = start + HEADER_SIZE
    while position < start + length:
        if not check_extension(exam, position, start + length, &size):
            return False
        position += size
    return True


cdef void note_bits(Shape* shape) noexcept nogil:
    """Say the mask in bits."""
    cdef int32_t k
    memset(shape.bits, 0, sizeof(shape.bits))
    for k in range(shape.steps * STEP):
        shape.bits[k // STEP] |= (<uint64_t> (shape.mask[k] & 1)) << (k % STEP)


cdef int32_t examine(
    Cache* cache, const Frame* frame, const uint8_t* base, uint64_t start, uint64_t stop, Verdict* verdict
) noexcept nogil:
    """Examine the message at `start`: the index of its new shape, or -1 and the verdict. The cache has room for it."""
    cdef Examination exam
    cdef int32_t* link
    cdef int32_t index = cache.count
    cdef Shape* shape = cache.shapes + index
    shape.others = 0
    shape.present = 0
    shape.numbers = 0
    exam.frame = frame
    exam.base = base
    exam.start = start
    exam.shape = shape
    if not check_message(&exam, stop):
        verdict.fault = exam.fault
        verdict.position = exam.position
        return -1
    cache.count += 1
    if shape.length <= MAX_LENGTH:
        note_bits(shape)
        link = &cache.buckets[bucket_of(base + start)]
        while link[0] >= 0:  # behind the others: what came first is likely to come most
            link = &cache.shapes[link[0]].next
        link[0] = index
        shape.next = -1
    return index
