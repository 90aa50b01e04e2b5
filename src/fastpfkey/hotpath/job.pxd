# What is to be built: templates, columns, and the steps of a plan. BuildStep has the members of the named tuple in
# spec/building.py, in the same order.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

cdef enum BuildOp:
    NUMBER = 0
    IPV4 = 1
    IPV6 = 2
    BYTES = 3

cdef enum BuildFault:
    NO_MEMORY = -1
    NO_TEMPLATE = -2  # a row is of a shape that there is not
    NO_ROOM = -3  # the output is too short
    OUTSIDE = -4  # a step leaves its message
    STRING_END = -5  # a string runs past the end of its text

cdef struct BuildStep:
    int32_t op
    int32_t part
    int32_t distance
    int32_t width
    int32_t swap
    int32_t source

cdef struct String:  # bytes of all rows, and where in them those of each row begin
    const uint8_t* text
    const uint64_t* starts
    uint64_t size

cdef struct Job:
    const BuildStep* steps  # in order
    int32_t steps_count
    int32_t parts_count
    uint32_t shapes_count
    const uint8_t* octets  # templates, one behind the other
    const int32_t* lengths  # of the templates
    const int32_t* places  # for each shape the offset of each part, -1 where it is absent; or a size
    const uint32_t* shapes  # of the rows
    const uint8_t* const* columns
    const String* strings
    uint64_t rows
