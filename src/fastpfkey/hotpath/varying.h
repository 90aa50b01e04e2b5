/* Numbers of many rows, of which only the bits matter that are not the same in all rows: those of several columns share
 * a word. Every loop goes over one column, in vectors.
 */
#ifndef FASTPFKEY_VARYING_H
#define FASTPFKEY_VARYING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

typedef struct {
    const uint8_t *at; /* of the first row */
    uint64_t stride;   /* bytes from one row to the next */
    uint64_t varying;  /* bits that differ anywhere */
    int32_t width;     /* bytes: 1, 2, 4 or 8 */
    int32_t word;      /* where the varying bits go, and how far to the left they are shifted for it: -63 to 63 */
    int32_t left;
} pfkey_trait;

#define PFKEY_LOOP(type, step, each)                       \
    for (uint64_t k = 0; k < rows; k++) {                  \
        type value;                                        \
        memcpy(&value, at + k * (step), sizeof(type));     \
        each;                                              \
    }

/* Go on with `what` for the type of a number and its distance from row to row, which compilers know where it is usual. */
#define PFKEY_NUMBERS(what)                                    \
    do {                                                       \
        uint64_t stride = trait->stride;                       \
        if (stride == 1) what(uint8_t, 1)                      \
        if (stride == 2 && trait->width == 2) what(uint16_t, 2) \
        if (stride == 4 && trait->width == 4) what(uint32_t, 4) \
        if (stride == 8 && trait->width == 8) what(uint64_t, 8) \
        if (trait->width == 1) what(uint8_t, stride)           \
        if (trait->width == 2) what(uint16_t, stride)          \
        if (trait->width == 4) what(uint32_t, stride)          \
        what(uint64_t, stride)                                 \
    } while (0)

/* The bits in which some rows differ from the first row of all, found in vectors of numbers as wide as they are. */
#define PFKEY_DIFFERENCE(type, step)                    \
    {                                                   \
        type first, any = 0;                            \
        memcpy(&first, trait->at, sizeof(type));        \
        PFKEY_LOOP(type, step, any |= value ^ first)    \
        return any;                                     \
    }

PFKEY_CLONES
static uint64_t pfkey_varying(const pfkey_trait *trait, uint64_t begin, uint64_t rows) {
    const uint8_t *at = trait->at + begin * trait->stride;
    PFKEY_NUMBERS(PFKEY_DIFFERENCE);
}

/* Add the varying bits of some rows to their words. */
#define PFKEY_LEFT(type, step)                                                                  \
    {                                                                                           \
        PFKEY_LOOP(type, step, words[k] |= (uint64_t)(value & (type)varying) << left)           \
        return;                                                                                 \
    }
#define PFKEY_RIGHT(type, step)                                                                 \
    {                                                                                           \
        PFKEY_LOOP(type, step, words[k] |= (uint64_t)(value & (type)varying) >> -left)          \
        return;                                                                                 \
    }

PFKEY_CLONES
static void pfkey_put(const pfkey_trait *trait, uint64_t begin, uint64_t rows, uint64_t *words) {
    const uint8_t *at = trait->at + begin * trait->stride;
    uint64_t varying = trait->varying;
    int32_t left = trait->left;
    if (left >= 0) PFKEY_NUMBERS(PFKEY_LEFT);
    PFKEY_NUMBERS(PFKEY_RIGHT);
}

/* Blend a word of each row into the hash of the row: every bit has a say, in the high bits most. */
PFKEY_CLONES
static void pfkey_mix(const uint64_t *words, uint64_t rows, uint64_t *hashes) {
    for (uint64_t k = 0; k < rows; k++) {
        uint64_t mixed = (hashes[k] ^ hashes[k] >> 32 ^ words[k]) * 0x9E3779B97F4A7C15u;
        hashes[k] = mixed;
    }
}

#endif
