# cython: language_level=3, boundscheck=False, wraparound=False
"""What fastpfkey offers to Cython: messages read and written in C, without objects.

`traffic` reads: frames of any dialect, messages that are validated once for each shape, and the place of every
extension in a message. `longest` walks, which leaves shapes to the library. `busiest` decodes: some columns of a table,
a few rows at a time, into memory of its own. `repeated` writes: a template, and a number of each row over it.
"""

import sys

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from fastpfkey.hotpath.build cimport build_messages
from fastpfkey.hotpath.columns cimport Decoder, PlanView, decode_columns, decoder_free, decoder_new
from fastpfkey.hotpath.job cimport NO_MEMORY, NUMBER, BuildStep, Job
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
from fastpfkey.hotpath.walk cimport walk_messages

from fastpfkey import Fault, SAType, spec
from fastpfkey.errors import wire_error
from fastpfkey.spec import plan, tables

cdef enum:
    LIFETIME_CURRENT = 2  # its wire number in every dialect (RFC 2367, 2.3.2)
    BYTES = 8  # offset of sadb_lifetime_bytes
    SPI = 20  # offset of sadb_sa_spi in a message that begins with its association
    ROWS = 256  # that are walked or decoded at once


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


def longest(const uint8_t[::1] buffer, dialect="host", byteorder="native"):
    """Bytes of the longest message. Raises WireError for bytes that cannot be PF_KEY."""
    cdef FrameView view = FrameView(plan.frame(spec.dialect(dialect), byteorder), False)
    cdef uint64_t[ROWS] offsets
    cdef Verdict verdict
    cdef uint64_t most = 0
    cdef uint64_t position = 0
    cdef uint64_t size = buffer.shape[0]
    cdef uint64_t count, k
    cdef uint64_t messages = 0
    verdict.fault = 0
    cdef Cache* cache = cache_new(MAX_SHAPES)
    with nogil:
        while position < size and verdict.fault == 0:
            count = walk_messages(cache, &view.frame, &buffer[0], &position, size, offsets, ROWS, &verdict)
            for k in range(count):
                most = max(most, (offsets[k + 1] if k + 1 < count else position) - offsets[k])
            messages += count
        cache_free(cache)
    if verdict.fault:
        raise wire_error(Fault(verdict.fault), verdict.position, messages)
    return most


def busiest(const uint8_t[::1] buffer, dialect="host", byteorder="native"):
    """SPI and bytes of the association with most traffic; None without one. Raises WireError as `traffic` does."""
    wanted = plan.column_plan(spec.dialect(dialect), tables.ASSOCIATIONS, ("spi", "current_bytes"), byteorder)
    cdef PlanView view = PlanView(wanted, False)
    cdef uint32_t[ROWS] spis
    cdef uint64_t[ROWS] octets
    cdef uint8_t* columns[2]
    cdef Verdict verdict
    cdef uint64_t position = 0
    cdef uint64_t size = buffer.shape[0]
    cdef uint64_t most = 0
    cdef uint64_t count, k
    cdef uint64_t messages = 0
    cdef uint32_t spi = 0
    columns[0], columns[1] = <uint8_t*> spis, <uint8_t*> octets  # in the plan's order
    verdict.fault = 0
    cdef Decoder* decoder = decoder_new(&view.plan, MAX_SHAPES)
    with nogil:
        while position < size and verdict.fault == 0:
            count = decode_columns(decoder, &buffer[0], &position, size, columns, 0, ROWS, &verdict)
            for k in range(count):
                if octets[k] > most:
                    most, spi = octets[k], spis[k]
            messages += count
        decoder_free(decoder)
    if verdict.fault:
        raise wire_error(Fault(verdict.fault), verdict.position, messages)
    return (spi, most) if most else None


def repeated(const uint8_t[::1] message, const uint32_t[::1] spis):
    """A message that begins with its association, once for each SPI (in native order), back to back."""
    cdef uint64_t length = message.shape[0]
    cdef uint64_t rows = spis.shape[0]
    cdef int32_t whole = <int32_t> length
    cdef int64_t written = 0
    cdef int32_t place = 0  # the only part is the message itself
    cdef const uint8_t* column
    cdef BuildStep step
    cdef Job job
    if length < SPI + sizeof(uint32_t):
        raise ValueError("the message is too short to have an association")
    if not rows:
        return b""
    found = PyBytes_FromStringAndSize(NULL, length * rows)
    cdef uint8_t* out = <uint8_t*> PyBytes_AS_STRING(found)
    cdef uint64_t* offsets = <uint64_t*> calloc(rows, sizeof(uint64_t))
    cdef uint32_t* shapes = <uint32_t*> calloc(rows, sizeof(uint32_t))  # all rows are of the one shape, number 0
    try:
        if offsets == NULL or shapes == NULL:
            raise MemoryError
        memset(&step, 0, sizeof(step))
        step.op, step.distance, step.width = NUMBER, SPI, sizeof(uint32_t)
        step.swap = sys.byteorder == "little"  # an SPI is in network order
        column = <const uint8_t*> &spis[0]
        memset(&job, 0, sizeof(job))
        job.steps, job.steps_count = &step, 1
        job.octets, job.lengths, job.shapes_count = &message[0], &whole, 1
        job.places, job.parts_count = &place, 1
        job.shapes, job.columns, job.rows = shapes, &column, rows
        with nogil:
            written = build_messages(&job, offsets, out, length * rows)
        if written == NO_MEMORY:
            raise MemoryError
    finally:
        free(offsets)
        free(shapes)
    return found
