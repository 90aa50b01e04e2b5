/* Windows: 16 bytes of each message, split into eight columns of 16 bits each, from which small fields are taken.
 *
 * A field of one or two bytes costs as much to fetch from a message as sixteen bytes do. So where several lie close together
 * they are loaded at once, and the loops that make columns of them go through memory in order, in vector registers. Only x86
 * has this. All counts are multiples of PFKEY_ROWS_AT_ONCE.
 */
#ifndef FASTPFKEY_WINDOWS_H
#define FASTPFKEY_WINDOWS_H

#include "tiles.h"

#define PFKEY_HALVES 8 /* of 16 bits in a window */
#define PFKEY_ROWS_AT_ONCE 16

#if PFKEY_TILES

/* Splits the window at `at` behind each place; `halves` has room for as many columns of `stride` rows. */
static inline void pfkey_split(
    uint16_t *halves, size_t stride, const uint8_t *const *places, ptrdiff_t at, size_t count
) {
    for (size_t k = 0; k < count; k += 8) {
        __m128i a[8], b[8], c[8];
        uint16_t *to = halves + k;
        for (int j = 0; j < 8; j++) a[j] = _mm_loadu_si128((const __m128i *)(places[k + j] + at));
        for (int j = 0; j < 8; j += 2) {
            b[j] = _mm_unpacklo_epi16(a[j], a[j + 1]);
            b[j + 1] = _mm_unpackhi_epi16(a[j], a[j + 1]);
        }
        for (int j = 0; j < 8; j += 4) {
            c[j] = _mm_unpacklo_epi32(b[j], b[j + 2]);
            c[j + 1] = _mm_unpackhi_epi32(b[j], b[j + 2]);
            c[j + 2] = _mm_unpacklo_epi32(b[j + 1], b[j + 3]);
            c[j + 3] = _mm_unpackhi_epi32(b[j + 1], b[j + 3]);
        }
        for (int j = 0; j < 4; j++) {
            _mm_storeu_si128((__m128i *)(to + 2 * j * stride), _mm_unpacklo_epi64(c[j], c[j + 4]));
            _mm_storeu_si128((__m128i *)(to + (2 * j + 1) * stride), _mm_unpackhi_epi64(c[j], c[j + 4]));
        }
    }
}

/* Eight bytes as numbers of 16 bits: the second of each two, or the first. */
static inline __m128i pfkey_eight(const uint16_t *half, int second) {
    __m128i x = _mm_loadu_si128((const __m128i *)half);
    return second ? _mm_srli_epi16(x, 8) : _mm_and_si128(x, _mm_set1_epi16(0xFF));
}

/* A column of bytes. */
static inline void pfkey_bytes(uint8_t *to, const uint16_t *half, int second, size_t count, int streaming) {
    for (size_t k = 0; k < count; k += 16)
        pfkey_store(
            to + k, _mm_packus_epi16(pfkey_eight(half + k, second), pfkey_eight(half + k + 8, second)), streaming
        );
}

/* A column of 4-byte numbers from bytes, shifted. */
static inline void pfkey_widened(
    uint8_t *to, const uint16_t *half, int second, int shift, size_t count, int streaming
) {
    __m128i places = _mm_cvtsi32_si128(shift), zero = _mm_setzero_si128();
    for (size_t k = 0; k < count; k += 8) {
        __m128i x = pfkey_eight(half + k, second);
        pfkey_store(to + 4 * k, _mm_sll_epi32(_mm_unpacklo_epi16(x, zero), places), streaming);
        pfkey_store(to + 4 * k + 16, _mm_sll_epi32(_mm_unpackhi_epi16(x, zero), places), streaming);
    }
}

/* A column of 2-byte numbers. */
static inline void pfkey_twos(uint8_t *to, const uint16_t *half, int swap, size_t count, int streaming) {
    for (size_t k = 0; k < count; k += 8) {
        __m128i x = _mm_loadu_si128((const __m128i *)(half + k));
        pfkey_store(to + 2 * k, swap ? pfkey_swap16s(x) : x, streaming);
    }
}

/* A column of 4-byte numbers. */
static inline void pfkey_fours(
    uint8_t *to, const uint16_t *half, size_t stride, int swap, size_t count, int streaming
) {
    for (size_t k = 0; k < count; k += 8) {
        __m128i x = _mm_loadu_si128((const __m128i *)(half + k));
        __m128i y = _mm_loadu_si128((const __m128i *)(half + stride + k));
        __m128i low = _mm_unpacklo_epi16(x, y), high = _mm_unpackhi_epi16(x, y);
        pfkey_store(to + 4 * k, swap ? pfkey_swap32s(low) : low, streaming);
        pfkey_store(to + 4 * k + 16, swap ? pfkey_swap32s(high) : high, streaming);
    }
}

#else
#define pfkey_split(halves, stride, places, at, count) ((void)0)
#define pfkey_bytes(to, half, second, count, streaming) ((void)0)
#define pfkey_widened(to, half, second, shift, count, streaming) ((void)0)
#define pfkey_twos(to, half, swap, count, streaming) ((void)0)
#define pfkey_fours(to, half, stride, swap, count, streaming) ((void)0)
#endif

#endif
