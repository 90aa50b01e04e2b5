# Walking: messages back to back, each recognised by its shape or validated.

from libc.stdint cimport uint8_t, uint64_t

from .shapes cimport Cache, Frame, Verdict

# Counts good messages from `position`, which is moved behind them, and writes where each begins, up to `room`. With
# fewer than that before `stop` the verdict has the fault; it is not touched otherwise.
cdef uint64_t walk_messages(
    Cache* cache,
    const Frame* frame,
    const uint8_t* base,
    uint64_t* position,
    uint64_t stop,
    uint64_t* offsets,
    uint64_t room,
    Verdict* verdict,
) noexcept nogil
