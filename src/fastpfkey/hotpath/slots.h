/* Messages that are put together in slots: one a message, of whole lines, so that every column is written at known
 * distances and what a message lacks has a place behind it. Then they are packed back to back.
 *
 * Lines are copied without asking how many a message has, as long as it is not long: with many shapes in random order
 * that would be guessed wrongly. What is copied too much is overwritten by the next message.
 */
#ifndef FASTPFKEY_SLOTS_H
#define FASTPFKEY_SLOTS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"
#include "tiles.h"

#define PFKEY_LINE 64

#if defined(__GNUC__)
typedef uint64_t pfkey_line __attribute__((vector_size(PFKEY_LINE), aligned(1), may_alias));
#define PFKEY_COPY_LINE(to, from) (*(pfkey_line *)(to) = *(const pfkey_line *)(from))
#else
#define PFKEY_COPY_LINE(to, from) memcpy(to, from, PFKEY_LINE)
#endif

typedef struct {
    uint8_t *first;
    size_t stride;
    const uint32_t *shapes; /* of the messages in them */
    int32_t count;
    int32_t usual; /* bytes that are copied of every message, whole lines */
} pfkey_slots; /* functions copy it: what they store could be it, for all that compilers know */

/* The template of its shape into each slot. */
PFKEY_CLONES
static void pfkey_lay(const pfkey_slots *given, const uint8_t *octets, const uint64_t *begins, const int32_t *lengths) {
    const pfkey_slots slots = *given;
    for (int32_t k = 0; k < slots.count; k++) {
        const uint8_t *from = octets + begins[slots.shapes[k]];
        uint8_t *to = slots.first + k * slots.stride;
        int32_t length = lengths[slots.shapes[k]], at;
        for (at = 0; at < slots.usual; at += PFKEY_LINE)
            PFKEY_COPY_LINE(to + at, from + at);
        for (; at < length; at += PFKEY_LINE)
            PFKEY_COPY_LINE(to + at, from + at);
    }
}

/* The messages back to back; their offsets count from `position`. Returns the bytes. */
PFKEY_CLONES
static uint64_t pfkey_pack(
    const pfkey_slots *given, uint8_t *to, const int32_t *lengths, uint64_t *offsets, uint64_t position
) {
    const pfkey_slots slots = *given;
    uint8_t *begin = to;
    for (int32_t k = 0; k < slots.count; k++) {
        const uint8_t *from = slots.first + k * slots.stride;
        int32_t length = lengths[slots.shapes[k]], at;
        offsets[k] = position + (uint64_t)(to - begin);
        for (at = 0; at < slots.usual; at += PFKEY_LINE)
            PFKEY_COPY_LINE(to + at, from + at);
        for (; at < length; at += PFKEY_LINE)
            PFKEY_COPY_LINE(to + at, from + at);
        to += length;
    }
    return (uint64_t)(to - begin);
}

static const uint64_t pfkey_mask[16] = {
    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX
};

/* Strings of a line at most: of each line the first bytes from elsewhere, the others as they were. Nothing is decided by a
 * size, which would be guessed wrongly. Reads a line from each start. */
PFKEY_CLONES
static void pfkey_blend_words(
    const pfkey_slots *given, const int32_t *places, const int32_t *sizes, int32_t nowhere, int32_t distance,
    const uint8_t *text, const uint64_t *starts
) {
    const pfkey_slots slots = *given;
    for (int32_t k = 0; k < slots.count; k++) {
        int32_t place = places[slots.shapes[k]];
        int32_t size = place == nowhere ? 0 : sizes[slots.shapes[k]];
        uint8_t *line = slots.first + k * slots.stride + place + distance;
        uint64_t mask[8], old[8], new[8];
        memcpy(mask, (const uint8_t *)pfkey_mask + PFKEY_LINE - size, PFKEY_LINE);
        memcpy(old, line, PFKEY_LINE);
        memcpy(new, text + starts[k], PFKEY_LINE);
        for (int32_t i = 0; i < 8; i++)
            old[i] = (old[i] & ~mask[i]) | (new[i] & mask[i]);
        memcpy(line, old, PFKEY_LINE);
    }
}

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>

/* The same with AVX-512, which writes what is wanted of a line and reads nothing first. */
__attribute__((target("avx512f,avx512bw"))) static void pfkey_blend_avx512(
    const pfkey_slots *given, const int32_t *places, const int32_t *sizes, int32_t nowhere, int32_t distance,
    const uint8_t *text, const uint64_t *starts
) {
    const pfkey_slots slots = *given;
    for (int32_t k = 0; k < slots.count; k++) {
        int32_t place = places[slots.shapes[k]];
        int32_t size = place == nowhere ? 0 : sizes[slots.shapes[k]];
        uint8_t *line = slots.first + k * slots.stride + place + distance;
        uint64_t wanted = ~(uint64_t)0 >> (63 & (PFKEY_LINE - size));
        _mm512_mask_storeu_epi8(line, size ? wanted : 0, _mm512_loadu_si512(text + starts[k]));
    }
}

/* Copy past the cache, in lines. */
__attribute__((target("avx512f"))) static void pfkey_stream_avx512(uint8_t *to, const uint8_t *from, size_t size) {
    size_t head = (PFKEY_LINE - ((uintptr_t)to & (PFKEY_LINE - 1))) & (PFKEY_LINE - 1);
    if (head > size) head = size;
    memcpy(to, from, head);
    for (; head + PFKEY_LINE <= size; head += PFKEY_LINE)
        _mm512_stream_si512((void *)(to + head), _mm512_loadu_si512(from + head));
    memcpy(to + head, from + head, size - head);
}

#define PFKEY_CHOOSE(name, other, ...) \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? name(__VA_ARGS__) : other(__VA_ARGS__))
#define pfkey_blend(...) PFKEY_CHOOSE(pfkey_blend_avx512, pfkey_blend_words, __VA_ARGS__)
#define pfkey_stream_lines(...) PFKEY_CHOOSE(pfkey_stream_avx512, pfkey_stream, __VA_ARGS__)
#else
#define pfkey_blend pfkey_blend_words
#define pfkey_stream_lines pfkey_stream
#endif

/* Whether a string of any row would run past its end: those of a shape have to begin before its limit, if it has one.
 * Until row `whole` each has a line from where it begins. */
PFKEY_CLONES
static int pfkey_overrun(
    const uint64_t *starts, const uint32_t *shapes, const uint64_t *limits, uint64_t rows, uint64_t size, uint64_t *whole
) {
    uint64_t seen = 0, edge = size < PFKEY_LINE ? 0 : size - PFKEY_LINE + 1, first = rows;
    for (uint64_t k = 0; k < rows; k++) {
        uint64_t limit = limits[shapes[k]], late = starts[k] >= edge ? k : rows;
        seen |= (uint64_t)(starts[k] >= limit) & (uint64_t)(limit != UINT64_MAX);
        first = late < first ? late : first;
    }
    *whole = first;
    return seen != 0;
}

/* Whether all bytes are 0. */
PFKEY_CLONES
static int pfkey_is_zero(const uint8_t *octets, uint64_t size) {
    uint64_t at = 0, seen = 0, word;
    while (size - at >= 4096 && !seen)
        for (int k = 0; k < 512; k++, at += 8) {
            memcpy(&word, octets + at, 8);
            seen |= word;
        }
    for (; at < size && !seen; at++)
        seen |= octets[at];
    return seen == 0;
}

#endif
