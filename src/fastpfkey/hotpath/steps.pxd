# Steps: the plan of a table turned into offsets for one shape, and columns into the loops that serve all shapes.
#
# columns.pyx does what is decided here. The struct ColumnRow has the members of the named tuple in spec/plan.py, in the
# same order.

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from .shapes cimport Cache, Frame

cdef extern from "tiles.h" nogil:
    enum:
        PFKEY_TILES
        PFKEY_WINDOW

    ctypedef struct Origin "pfkey_origin":
        uint64_t at
        uint8_t mask[16]
        uint8_t extra[16]

cdef extern from "places.h" nogil:
    enum:
        PFKEY_SLOTS_AT_ONCE

    ctypedef struct Four "pfkey_four":
        size_t mask[4]
        size_t offset[4]

cdef enum:
    BLOCK = 256  # messages that are walked and then written together
    LINE = 64  # bytes of a cache line
    UNKNOWN = 0x8000  # spec/terms.py
    ABSENT = -1
    REACH = 256  # bytes of zeros before and behind the place of what is absent

cdef enum ColumnOp:
    COPY = 0
    MAP = 1
    IP = 2
    FAMILY = 3
    PORT = 4
    SCOPE = 5
    TAIL_OFFSET = 6
    TAIL_LENGTH = 7
    MESSAGE_OFFSET = 8
    MESSAGE_LENGTH = 9
    PRESENT = 10
    OTHERS = 11
    PREFIX = 12

cdef struct ColumnRow:
    int32_t op
    int32_t extension
    int32_t source
    int32_t width
    int32_t swap
    int32_t shift
    int32_t column
    int32_t column_width
    int32_t lookup
    int32_t minimum
    int32_t satype

cdef enum Action:
    CONSTANT = 0
    NUMBER = 1  # load, swap, shift, store
    BYTES16 = 2
    MAPPED4 = 3  # an IPv4 address as v4-mapped
    LOOKUP = 4
    PLACE = 5  # offset of the message plus a constant
    ONES = 6  # leading one bits of `width` bytes

cdef struct Step:
    int32_t action
    int32_t width
    int32_t swap
    int32_t shift
    int32_t at  # offset in the message
    const uint16_t* lookup
    uint64_t value

cdef enum Kind:
    UNIFORM  # one value in all messages
    CONSTANTS  # a value for each shape
    LOCATED  # the offset of the message
    TILED  # a number of 4 or 8 bytes at one offset
    NUMBERS  # a number at a distance from a slot
    LOOKUPS  # a byte at a distance from a slot, through a table
    TABLES  # a byte at one offset, through a table that each shape has for itself
    ADDRESSES  # 16 bytes, or an IPv4 address as v4-mapped IPv6 (RFC 4291, 2.5.5.2)
    MIXED  # whatever each shape's step says

cdef struct Column:
    uint8_t* target  # the caller's memory for the first row
    int32_t width
    Kind kind
    int32_t slot
    int32_t distance  # from the slot's place
    const Step* step  # that of any shape that has the field
    bint windowed  # written with others of its window

cdef struct Tile:
    int32_t width  # bytes of a number
    int32_t at  # offset of the window in the message
    Column* columns[4]  # by their place in the window, NULL where there is none

cdef struct Window:
    int32_t slot
    int32_t at  # from the slot's place
    int32_t count
    int32_t columns[16]

cdef struct Plan:
    Frame frame
    const ColumnRow* rows
    int32_t rows_count
    const uint16_t* lookups
    const int32_t* widths  # of the columns
    int32_t columns

cdef struct Job:
    Plan plan
    Cache* cache
    void* memory  # where what has no other owner lies
    Step* steps  # plan.columns of them for each shape of the cache
    bint shapes_changed  # since the columns were sorted out
    Column* columns
    const uint8_t* base
    uint64_t row  # of the caller's columns, where the first message goes
    bint streaming
    int32_t lines_a_column  # of the next block, fetched while a column is written
    const uint8_t* ahead  # of the next block, what has not been fetched yet
    const uint8_t* end
    const uint8_t* messages[BLOCK]
    int32_t shapes[BLOCK]
    uint64_t* values  # for each column and shape: of CONSTANTS the value, of TABLES where the table begins
    Origin* origins  # for each column and shape: of ADDRESSES where they come from
    int32_t slots_count
    int32_t* slots  # for each slot and shape the offset of its place, or ABSENT
    Four* fours  # the same without slot 0, which is the message itself, as find_places wants it
    const uint8_t** places  # for each slot but 0 its place in each message of the block
    Tile* tiles
    int32_t tiles_count
    Window* windows
    int32_t windows_count
    uint16_t halves[8 * BLOCK]  # a window of each message, split by windows.h
    uint8_t zeros[2 * REACH]
    uint8_t scratch[BLOCK * 16]


cdef void make_steps(Job* job, int32_t index, const uint8_t* message) noexcept nogil
cdef void sort_out_columns(Job* job) noexcept nogil


cdef inline const Step* step_of(const Job* job, int32_t shape, int32_t c) noexcept nogil:
    """The step of a shape in a column."""
    return job.steps + <size_t> shape * job.plan.columns + c


cdef inline uint64_t* values_of(const Job* job, int32_t c) noexcept nogil:
    """The values of a column for each shape."""
    return job.values + <size_t> c * job.cache.capacity


cdef inline Origin* origins_of(const Job* job, int32_t c) noexcept nogil:
    """Where the addresses of a column come from for each shape."""
    return job.origins + <size_t> c * job.cache.capacity
