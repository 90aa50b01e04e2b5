# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True
"""Walking messages back to back: validated offsets, numbered runs, and the hop that trusts lengths alone."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from .contract import Outcome
from .load cimport fetch_ahead, load_u16, load_u32
from .shapes cimport (
    HEADER_SIZE,
    MAX_SHAPES,
    WORD,
    Cache,
    Frame,
    FrameView,
    Verdict,
    cache_clear,
    cache_free,
    cache_new,
    examine,
    recognise,
)

cdef enum:
    TYPE = 1
    ERRNO = 2
    LENGTH = 4
    SEQ = 8
    PID = 12
    HIGHEST = 0xFFFFFFFF


def walk(
    const uint8_t[::1] buffer, uint64_t start, uint64_t stop, frame, bint strict, uint64_t[::1] offsets
):
    """Validate messages and write the offset of each into `offsets` (uint64) until it is full."""
    cdef FrameView view = FrameView(frame, strict)
    cdef Verdict verdict
    cdef uint64_t position = start
    cdef uint64_t count = 0
    cdef uint64_t room = offsets.shape[0]
    cdef Cache* cache
    verdict.fault = 0
    stop = min(stop, <uint64_t> buffer.shape[0])
    if room and start < stop:
        cache = cache_new(<int32_t> min(room, <uint64_t> MAX_SHAPES))
        with nogil:
            count = walk_messages(cache, &view.frame, &buffer[0], &position, stop, &offsets[0], room, &verdict)
            cache_free(cache)
    return Outcome(count, verdict.fault, verdict.position if verdict.fault else position, position)


cdef uint64_t walk_messages(
    Cache* cache,
    const Frame* frame,
    const uint8_t* base,
    uint64_t* position,
    uint64_t stop,
    uint64_t* offsets,
    uint64_t room,
    Verdict* verdict,
) noexcept nogil:
    """Count good messages from `position`, which is moved behind them."""
    cdef uint64_t at = position[0]
    cdef uint64_t count = 0
    cdef uint64_t length
    cdef int32_t index
    while count < room and at < stop:
        index = recognise(cache, base + at, stop - at)
        if index < 0:
            if cache.count == cache.capacity:
                cache_clear(cache)
            index = examine(cache, frame, base, at, stop, verdict)
            if index < 0:
                break
        fetch_ahead(base + at, stop - at)
        offsets[count] = at
        count += 1
        length = <uint64_t> load_u16(base + at + LENGTH, frame.swap) * WORD
        at += length
    position[0] = at
    return count


def follow(
    const uint8_t[::1] buffer,
    uint64_t start,
    uint64_t stop,
    frame,
    uint8_t kind,
    uint32_t pid,
    int64_t seq,
    int64_t step,
):
    """Count good messages of a kind that tell of no error, are for `pid`, and are numbered from `seq` by `step`."""
    cdef FrameView view = FrameView(frame, False)
    cdef uint64_t position = start
    cdef uint64_t count = 0
    cdef Cache* cache
    stop = min(stop, <uint64_t> buffer.shape[0])
    if start < stop:
        cache = cache_new(<int32_t> min((stop - start) // HEADER_SIZE + 1, <uint64_t> MAX_SHAPES))
        with nogil:
            count = follow_messages(cache, &view.frame, &buffer[0], &position, stop, kind, pid, seq, step)
            cache_free(cache)
    return Outcome(count, 0, position, position)


cdef uint64_t follow_messages(
    Cache* cache,
    const Frame* frame,
    const uint8_t* base,
    uint64_t* position,
    uint64_t stop,
    uint8_t kind,
    uint32_t pid,
    int64_t seq,
    int64_t step,
) noexcept nogil:
    """Count such messages from `position`, which is moved behind them."""
    cdef uint64_t at = position[0]
    cdef uint64_t count = 0
    cdef const uint8_t* message
    cdef Verdict verdict
    while at < stop and stop - at >= HEADER_SIZE and 0 < seq <= HIGHEST:
        message = base + at
        if message[TYPE] != kind or message[ERRNO] or load_u32(message + PID, frame.swap) != pid:
            break
        if load_u32(message + SEQ, frame.swap) != <uint32_t> seq:
            break
        if recognise(cache, message, stop - at) < 0:
            if cache.count == cache.capacity:
                cache_clear(cache)
            if examine(cache, frame, base, at, stop, &verdict) < 0:
                break
        fetch_ahead(message, stop - at)
        at += <uint64_t> load_u16(message + LENGTH, frame.swap) * WORD
        seq += step
        count += 1
    position[0] = at
    return count


def hop(const uint8_t[::1] buffer, uint64_t start, uint64_t stop, bint swap, uint64_t target):
    """Go from header to header until a message begins at or behind `target`, and count the messages."""
    cdef uint64_t at = start
    cdef uint64_t count = 0
    cdef uint64_t length
    stop = min(stop, <uint64_t> buffer.shape[0])
    with nogil:
        while at < target and at < stop and stop - at >= HEADER_SIZE:
            length = <uint64_t> load_u16(&buffer[at + LENGTH], swap) * WORD
            if length < HEADER_SIZE or length > stop - at:
                break
            fetch_ahead(&buffer[at], stop - at)
            at += length
            count += 1
    return Outcome(count, 0, at, at)
