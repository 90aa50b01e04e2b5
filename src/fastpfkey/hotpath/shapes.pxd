# Shapes: what messages with the same examined bytes have in common, and the cache that recognises them.
#
# The reference twin's reference_shapes.py is the definition. A frame's rows arrive as packed int32 arrays
# (spec/plan.py), and the structs Rule, Check and Family here have the members of the named tuples there, in order.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "match.h":
    ctypedef bint (*Match "pfkey_match")(
        const uint8_t* message, const uint8_t* mask, const uint8_t* value, const uint64_t* bits, int32_t steps
    ) noexcept nogil
    Match best_match "pfkey_best_match"() noexcept nogil
    enum:
        STEP "PFKEY_STEP"
        MAX_STEPS "PFKEY_MAX_STEPS"
        COMMON_STEPS "PFKEY_COMMON_STEPS"

cdef enum:
    WORD = 8
    HEADER_SIZE = 16
    MAX_NUMBERS = 64
    MAX_LENGTH = 1024  # MAX_STEPS steps, bytes of the longest message whose shape is kept
    MAX_SHAPES = 320
    BUCKETS = 256

cdef enum Fault:
    FAULT_NONE = 0
    HEADER_TRUNCATED = 1
    VERSION = 2
    MESSAGE_SHORT = 3
    MESSAGE_TRUNCATED = 4
    EXTENSION_EMPTY = 5
    EXTENSION_OVERRUN = 6
    EXTENSION_SHORT = 7
    EXTENSION_DUPLICATE = 8
    EXTENSION_UNKNOWN = 9
    SOCKADDR_OVERRUN = 10
    KEY_OVERRUN = 11
    DATA_OVERRUN = 12
    RECORD_PARTIAL = 13
    REQUEST_SHORT = 14
    REQUEST_OVERRUN = 15
    ITEM_OVERRUN = 16

cdef enum CheckOp:
    SOCKADDRS = 0
    BITS = 1
    SIZED = 2
    RECORDS = 3
    REQUESTS = 4
    COUNTED = 5

cdef struct Rule:
    int32_t bit
    int32_t minimum
    int32_t repeats
    int32_t first_check
    int32_t checks

cdef struct Check:
    int32_t op
    int32_t start
    int32_t field
    int32_t width
    int32_t unit
    int32_t second
    int32_t count
    int32_t condition
    int32_t condition_width
    int32_t condition_value

cdef struct Family:
    int32_t number
    int32_t version
    int32_t size
    int32_t address
    int32_t port
    int32_t scope

cdef struct Frame:
    bint swap
    bint strict
    int32_t family_offset
    int32_t family_width
    int32_t wrapper
    int32_t rules_count
    int32_t families_count
    const Rule* rules
    const Check* checks
    const Family* families

cdef struct Extent:
    uint32_t offset
    uint32_t length

cdef struct Shape:  # a multiple of STEP bytes, so that mask and value begin cache lines
    uint8_t mask[MAX_LENGTH]  # 0xFF where a byte decided, zero elsewhere and behind the message
    uint8_t value[MAX_LENGTH]
    uint64_t bits[MAX_STEPS]  # the mask again, a bit a byte
    Extent extents[MAX_NUMBERS]
    uint32_t length
    uint32_t others
    uint64_t present
    uint64_t numbers  # one bit for each wire number that extents knows
    int32_t next  # in the bucket's chain; -1 ends it
    int32_t steps  # of STEP bytes that cover the message
    uint8_t satype
    uint8_t padding[STEP - 33]

cdef struct Cache:
    Shape* shapes
    void* memory  # where the shapes lie, not aligned
    Match match
    int32_t count
    int32_t capacity
    int32_t buckets[BUCKETS]

cdef struct Verdict:
    int32_t fault
    uint64_t position


cdef class FrameView:
    cdef Frame frame
    cdef object plan  # keeps the packed arrays alive


cdef Cache* cache_new(int32_t capacity) except NULL
cdef void cache_free(Cache* cache) noexcept nogil
cdef void cache_clear(Cache* cache) noexcept nogil
cdef const Family* find_family(const Frame* frame, uint64_t number) noexcept nogil
cdef int32_t examine(
    Cache* cache, const Frame* frame, const uint8_t* base, uint64_t start, uint64_t stop, Verdict* verdict
) noexcept nogil


cdef inline int32_t bucket_of(const uint8_t* message) noexcept nogil:
    """Where shapes of this message's length and SA type are chained."""
    return <int32_t> ((message[4] ^ (message[5] << 3) ^ (message[3] << 5)) & (BUCKETS - 1))


cdef inline bint fits(Match match, const Shape* shape, const uint8_t* message, uint64_t left) noexcept nogil:
    """Whether a message has the bytes that decided for this shape."""
    cdef uint32_t k
    if <uint64_t> shape.steps * STEP <= left:
        return match(message, shape.mask, shape.value, shape.bits, shape.steps)
    for k in range(shape.length):
        if (message[k] & shape.mask[k]) != shape.value[k]:
            return False
    return True


cdef inline int32_t recognise(const Cache* cache, const uint8_t* message, uint64_t left) noexcept nogil:
    """The known shape of a message that has `left` bytes at most, -1 if there is none."""
    cdef int32_t index
    cdef const Shape* shape
    if left < HEADER_SIZE:
        return -1
    index = cache.buckets[bucket_of(message)]
    while index >= 0:
        shape = cache.shapes + index
        if shape.length <= left and fits(cache.match, shape, message, left):
            return index
        index = shape.next
    return -1
