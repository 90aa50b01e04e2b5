# What the steps of a building job come to, once all its shapes are looked at.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from .job cimport Job

cdef extern from "staging.h":
    ctypedef struct Template "pfkey_template":
        const uint8_t* octets
        uint64_t length
    ctypedef struct Insert "pfkey_insert":
        const int32_t* places
        const int32_t* sizes
        const uint64_t* starts
        const uint8_t* text
        uint64_t size
        uint64_t lines
    ctypedef struct Stock "pfkey_stock":
        const Template* templates
        uint32_t shapes_count
        int32_t usual
        const Insert* inserts
        int32_t inserts_count
    ctypedef struct Target "pfkey_target":
        uint64_t keep
        uint64_t add

cdef enum MoveKind:
    ONE  # a number
    PAIR  # two neighbouring numbers of 8 bytes, at one place in all shapes
    WINDOW  # those of 16 bytes that the shape's mask has
    TEXT  # bytes, copied exactly

cdef struct Move:
    MoveKind kind
    int32_t width  # of a number
    bint swap
    uint64_t place  # of numbers, where all shapes have it at one place: then `targets` is NULL
    const Target* targets  # of a number, in each shape
    const int32_t* places  # of a window, in each shape
    const uint8_t* masks  # of a window, 16 bytes for each shape
    const uint8_t* column
    const uint8_t* second  # the column of the second number of a pair
    Insert insert  # the text

cdef struct Work:
    Stock stock  # with strings that go in while messages are laid
    Move* moves  # in order, over what is laid
    int32_t moves_count
    int32_t longest  # bytes of a message at most, in whole lines
    Template* templates
    Insert* inserts
    uint8_t* octets
    uint8_t* tables  # by shape
    uint64_t tables_used
    int32_t* active  # numbers of the steps that change anything
    uint64_t nowhere  # where numbers go whose part is absent


# What to do for a job; NULL, and why (BuildFault), if it cannot be done. The job has to live as long.
cdef Work* work_new(const Job* job, int64_t* fault) noexcept nogil
cdef void work_free(Work* work) noexcept nogil
