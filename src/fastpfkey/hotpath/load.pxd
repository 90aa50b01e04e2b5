# Unaligned loads and stores. They go through memcpy, which compilers turn into one instruction.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy


cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <stdlib.h>
    #define PFKEY_SWAP16(x) _byteswap_ushort(x)
    #define PFKEY_SWAP32(x) _byteswap_ulong(x)
    #define PFKEY_SWAP64(x) _byteswap_uint64(x)
    #define PFKEY_FETCH(at) ((void)0)
    #define PFKEY_FETCH_FAR(at) ((void)0)
    #else
    /* A macro, because a function that only prefetches has no effect that would keep compilers from dropping it. */
    #define PFKEY_FETCH(at) __builtin_prefetch(at)
    #define PFKEY_FETCH_FAR(at) __builtin_prefetch(at, 0, 2)
    #define PFKEY_SWAP16(x) __builtin_bswap16(x)
    #define PFKEY_SWAP32(x) __builtin_bswap32(x)
    #define PFKEY_SWAP64(x) __builtin_bswap64(x)
    #endif
    #define PFKEY_AHEAD 6144
    #define PFKEY_FETCH_AHEAD(at, left) \
        do { \
            if ((left) > PFKEY_AHEAD + 5 * 64) { \
                PFKEY_FETCH((at) + PFKEY_AHEAD); \
                PFKEY_FETCH((at) + PFKEY_AHEAD + 64); \
                PFKEY_FETCH((at) + PFKEY_AHEAD + 128); \
                PFKEY_FETCH((at) + PFKEY_AHEAD + 192); \
                PFKEY_FETCH((at) + PFKEY_AHEAD + 256); \
            } \
        } while (0)
    """
    uint16_t swap_u16 "PFKEY_SWAP16"(uint16_t x) noexcept nogil
    uint32_t swap_u32 "PFKEY_SWAP32"(uint32_t x) noexcept nogil
    uint64_t swap_u64 "PFKEY_SWAP64"(uint64_t x) noexcept nogil
    void fetch_line "PFKEY_FETCH"(const uint8_t* at) noexcept nogil
    void fetch_far "PFKEY_FETCH_FAR"(const uint8_t* at) noexcept nogil
    # Brings in a common message's length of what lies some thousand bytes ahead, of `left` that may be read: messages
    # are too irregular in length for the processor to see that they are read in order.
    void fetch_ahead "PFKEY_FETCH_AHEAD"(const uint8_t* at, uint64_t left) noexcept nogil


cdef inline void fetch(const uint8_t* at, uint64_t size) noexcept nogil:
    """Bring in so many bytes: columns that are read a little of each at a time do not look read in order."""
    cdef uint64_t k
    for k in range(0, size, 64):
        fetch_line(at + k)


cdef inline uint16_t load_u16(const uint8_t* at, bint swap) noexcept nogil:
    """A 16-bit number, bytes reversed if asked."""
    cdef uint16_t value
    memcpy(&value, at, 2)
    return swap_u16(value) if swap else value


cdef inline uint32_t load_u32(const uint8_t* at, bint swap) noexcept nogil:
    """A 32-bit number, bytes reversed if asked."""
    cdef uint32_t value
    memcpy(&value, at, 4)
    return swap_u32(value) if swap else value


cdef inline uint64_t load_u64(const uint8_t* at, bint swap) noexcept nogil:
    """A 64-bit number, bytes reversed if asked."""
    cdef uint64_t value
    memcpy(&value, at, 8)
    return swap_u64(value) if swap else value


cdef inline uint64_t load_number(const uint8_t* at, int width, bint swap) noexcept nogil:
    """A number of 1, 2, 4 or 8 bytes."""
    if width == 1:
        return at[0]
    if width == 2:
        return load_u16(at, swap)
    if width == 4:
        return load_u32(at, swap)
    return load_u64(at, swap)


cdef inline void store_u16(uint8_t* at, uint16_t value) noexcept nogil:
    """A 16-bit number, native order."""
    memcpy(at, &value, 2)


cdef inline void store_u32(uint8_t* at, uint32_t value) noexcept nogil:
    """A 32-bit number, native order."""
    memcpy(at, &value, 4)


cdef inline void store_u64(uint8_t* at, uint64_t value) noexcept nogil:
    """A 64-bit number, native order."""
    memcpy(at, &value, 8)


cdef inline void store_number(uint8_t* at, int width, uint64_t value) noexcept nogil:
    """The low 1, 2, 4 or 8 bytes of a number, native order."""
    if width == 1:
        at[0] = <uint8_t> value
    elif width == 2:
        store_u16(at, <uint16_t> value)
    elif width == 4:
        store_u32(at, <uint32_t> value)
    else:
        store_u64(at, value)
