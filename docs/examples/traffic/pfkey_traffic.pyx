# cython: language_level=3, boundscheck=False, wraparound=False
"""How many bytes went through the associations of a dump, by SA type: one pass in C, without columns and objects.

It shows what fastpfkey offers to Cython: frames for any dialect, messages that are validated once for each shape, and
the place of every extension in a message.
"""

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.string cimport memset

from fastpfkey.hotpath.load cimport load_u16, load_u64
from fastpfkey.hotpath.shapes cimport (
    MAX_SHAPES,
    WORD,
    Cache,
    Frame,
    FrameView,
    Shape,
    Verdict,
    cache_clear,
    cache_free,
    cache_new,
    examine,
    recognise,
)

from fastpfkey import Fault, SAType, spec
from fastpfkey.errors import wire_error
from fastpfkey.spec import plan

cdef enum:
    LIFETIME_CURRENT = 2  # its wire number in every dialect (RFC 2367, 2.3.2)
    BYTES = 8  # offset of sadb_lifetime_bytes


def traffic(const uint8_t[::1] buffer, dialect="host", byteorder="native"):
    """Bytes by SA type. Raises WireError for bytes that cannot be PF_KEY."""
    found = spec.dialect(dialect)
    cdef FrameView view = FrameView(plan.frame(found, byteorder), False)
    cdef uint64_t[256] sums
    cdef Verdict verdict
    cdef uint64_t messages = 0
    cdef int32_t k
    memset(sums, 0, sizeof(sums))
    verdict.fault = 0
    cdef Cache* cache = cache_new(MAX_SHAPES)
    try:
        if buffer.shape[0]:
            with nogil:
                messages = add_up(cache, &view.frame, &buffer[0], buffer.shape[0], sums, &verdict)
    finally:
        cache_free(cache)
    if verdict.fault:
        raise wire_error(Fault(verdict.fault), verdict.position, messages)
    terms = found.terms["satype"]
    return {SAType(terms.term(k)): sums[k] for k in range(256) if sums[k]}


cdef uint64_t add_up(
    Cache* cache, const Frame* frame, const uint8_t* base, uint64_t size, uint64_t* sums, Verdict* verdict
) noexcept nogil:
    """Add what each message tells to the sum of its SA type. Returns the number of good messages."""
    cdef uint64_t at = 0
    cdef uint64_t messages = 0
    cdef int32_t index
    cdef const Shape* shape
    while at < size:
        index = recognise(cache, base + at, size - at)
        if index < 0:  # a shape that was not seen before: validate the message, and remember what decided
            if cache.count == cache.capacity:
                cache_clear(cache)
            index = examine(cache, frame, base, at, size, verdict)
            if index < 0:
                break
        shape = &cache.shapes[index]
        if shape.numbers & (<uint64_t> 1 << LIFETIME_CURRENT):
            sums[base[at + 3]] += load_u64(base + at + shape.extents[LIFETIME_CURRENT].offset + BYTES, frame.swap)
        at += <uint64_t> load_u16(base + at + 4, frame.swap) * WORD
        messages += 1
    return messages
