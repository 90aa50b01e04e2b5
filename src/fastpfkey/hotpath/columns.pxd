# Messages back to back into columns, validated as `walk` does it.
#
# A plan says which columns and where they come from (spec/plan.py, `column_plan`). A decoder is working memory, which
# decodes any number of buffers and remembers their shapes from one to the next.

from libc.stdint cimport int32_t, uint8_t, uint64_t

from .shapes cimport FrameView, Verdict
from .steps cimport Job, Plan

ctypedef Job Decoder


cdef class PlanView:
    cdef Plan plan
    cdef FrameView frame
    cdef object packed  # what the plan points to


# For up to so many shapes at a time. The plan has to live as long.
cdef Decoder* decoder_new(const Plan* plan, int32_t shapes) except NULL
cdef void decoder_free(Decoder* decoder) noexcept nogil

# Validates messages from `position`, which is moved behind them, and writes a row each into `columns`, which are in the
# plan's order and have `rows` times their width in bytes, from `row` up to `rows`. Returns how many were written. The
# verdict's fault is 0 unless there is one before `stop`.
cdef uint64_t decode_columns(
    Decoder* decoder,
    const uint8_t* base,
    uint64_t* position,
    uint64_t stop,
    uint8_t* const* columns,
    uint64_t row,
    uint64_t rows,
    Verdict* verdict,
) noexcept nogil
