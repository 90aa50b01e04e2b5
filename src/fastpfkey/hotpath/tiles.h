/* Tiles: neighbouring numbers of many messages turned into columns in vector registers.
 *
 * Fields that lie in one window of 16 bytes, at the same offset in every message, are loaded with one load a message. Four
 * messages (two for 8-byte numbers) are transposed in registers, so that each column gets 16 bytes at a time, which can
 * go past the cache to memory. Only x86 has this; elsewhere PFKEY_TILES is 0 and the columns are written one number at a time.
 */
#ifndef FASTPFKEY_TILES_H
#define FASTPFKEY_TILES_H

#include <stdint.h>
#include <string.h>

#define PFKEY_WINDOW 16

/* Where an address of 16 bytes comes from: (the bytes at `at` of the message & mask) | extra. */
typedef struct {
    uint64_t at;
    uint8_t mask[PFKEY_WINDOW];
    uint8_t extra[PFKEY_WINDOW];
} pfkey_origin;

#if defined(__SSE2__)
#include <emmintrin.h>
#define PFKEY_TILES 1

static inline __m128i pfkey_swap16s(__m128i x) {
    return _mm_or_si128(_mm_slli_epi16(x, 8), _mm_srli_epi16(x, 8));
}

static inline __m128i pfkey_swap32s(__m128i x) {
    return _mm_shufflehi_epi16(_mm_shufflelo_epi16(pfkey_swap16s(x), 0xB1), 0xB1);
}

static inline __m128i pfkey_swap64s(__m128i x) {
    return _mm_shufflehi_epi16(_mm_shufflelo_epi16(pfkey_swap16s(x), 0x1B), 0x1B);
}

/* Store for memory if the place allows it, for the cache otherwise. */
static inline void pfkey_store(uint8_t *to, __m128i x, int streaming) {
    if (streaming)
        _mm_stream_si128((__m128i *)to, x);
    else
        _mm_storeu_si128((__m128i *)to, x);
}

static inline __m128i pfkey_window(const uint8_t *message, size_t at) {
    return _mm_loadu_si128((const __m128i *)(message + at));
}

/* Columns of 8-byte numbers from windows of two; NULL for a column that nobody asked for. Returns the rows done, an even number. */
static inline size_t pfkey_tile8(
    uint8_t *const *to, size_t at, const uint8_t *const *messages, size_t count, const int *swap, int streaming
) {
    size_t k;
    for (k = 0; k + 2 <= count; k += 2) {
        __m128i a = pfkey_window(messages[k], at);
        __m128i b = pfkey_window(messages[k + 1], at);
        if (to[0]) {
            __m128i x = _mm_unpacklo_epi64(a, b);
            pfkey_store(to[0] + 8 * k, swap[0] ? pfkey_swap64s(x) : x, streaming);
        }
        if (to[1]) {
            __m128i x = _mm_unpackhi_epi64(a, b);
            pfkey_store(to[1] + 8 * k, swap[1] ? pfkey_swap64s(x) : x, streaming);
        }
    }
    return k;
}

/* Columns of 4-byte numbers from windows of four. Returns the rows done, a multiple of 4. */
static inline size_t pfkey_tile4(
    uint8_t *const *to, size_t at, const uint8_t *const *messages, size_t count, const int *swap, int streaming
) {
    size_t k;
    int j;
    for (k = 0; k + 4 <= count; k += 4) {
        __m128i a = pfkey_window(messages[k], at);
        __m128i b = pfkey_window(messages[k + 1], at);
        __m128i c = pfkey_window(messages[k + 2], at);
        __m128i d = pfkey_window(messages[k + 3], at);
        __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
        __m128i AB = _mm_unpackhi_epi32(a, b), CD = _mm_unpackhi_epi32(c, d);
        __m128i column[4];
        column[0] = _mm_unpacklo_epi64(ab, cd);
        column[1] = _mm_unpackhi_epi64(ab, cd);
        column[2] = _mm_unpacklo_epi64(AB, CD);
        column[3] = _mm_unpackhi_epi64(AB, CD);
        for (j = 0; j < 4; j++)
            if (to[j]) pfkey_store(to[j] + 4 * k, swap[j] ? pfkey_swap32s(column[j]) : column[j], streaming);
    }
    return k;
}

/* Addresses of messages whose shapes say by number where theirs comes from. */
static inline void pfkey_addresses(
    uint8_t *to, const uint8_t *const *messages, const int32_t *shapes, const pfkey_origin *origins, size_t count,
    int streaming
) {
    for (size_t k = 0; k < count; k++) {
        const pfkey_origin *origin = origins + shapes[k];
        __m128i x = _mm_and_si128(pfkey_window(messages[k], origin->at), pfkey_window(origin->mask, 0));
        pfkey_store(to + PFKEY_WINDOW * k, _mm_or_si128(x, pfkey_window(origin->extra, 0)), streaming);
    }
}

/* Copy past the cache: the written lines are not read first and push nothing out. */
static inline void pfkey_stream(uint8_t *to, const uint8_t *from, size_t size) {
    size_t head = (16 - ((uintptr_t)to & 15)) & 15;
    if (head > size) head = size;
    memcpy(to, from, head);
    to += head;
    from += head;
    size -= head;
    for (; size >= 16; to += 16, from += 16, size -= 16)
        _mm_stream_si128((__m128i *)to, _mm_loadu_si128((const __m128i *)from));
    memcpy(to, from, size);
}

static inline void pfkey_stream_end(void) { _mm_sfence(); }

#else
#define PFKEY_TILES 0
#define pfkey_tile8(to, at, messages, count, swap, streaming) ((size_t)0)
#define pfkey_tile4(to, at, messages, count, swap, streaming) ((size_t)0)
static inline void pfkey_addresses(
    uint8_t *to, const uint8_t *const *messages, const int32_t *shapes, const pfkey_origin *origins, size_t count,
    int streaming
) {
    (void)streaming;
    for (size_t k = 0; k < count; k++) {
        const pfkey_origin *origin = origins + shapes[k];
        for (int j = 0; j < PFKEY_WINDOW; j++)
            to[PFKEY_WINDOW * k + j] = (messages[k][origin->at + j] & origin->mask[j]) | origin->extra[j];
    }
}

#define pfkey_stream(to, from, size) memcpy(to, from, size)
#define pfkey_stream_end() ((void)0)
#endif

#endif
