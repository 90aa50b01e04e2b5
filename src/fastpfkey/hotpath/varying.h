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
    int32_t word;      /* where the varying bits go, and how far to the left they are rotated for it: 0 to 63 */
    int32_t left;
} pfkey_trait;

#define PFKEY_LOOP(type, step, ...)                                        \
    for (uint64_t k = 0; k < rows; k++) {                                  \
        type value;                                                        \
        memcpy(&value, at + k * (step), sizeof(type));                     \
        __VA_ARGS__;                                                       \
    }

/* Do something with the `value` of each row `k`. */
#define PFKEY_VALUES(trait, begin, ...)                                                         \
    do {                                                                                        \
        const uint8_t *at = (trait)->at + (begin) * (trait)->stride;                            \
        uint64_t stride = (trait)->stride;                                                      \
        if (stride == 1) { PFKEY_LOOP(uint8_t, 1, __VA_ARGS__) }                                \
        else if (stride == 2 && (trait)->width == 2) { PFKEY_LOOP(uint16_t, 2, __VA_ARGS__) }   \
        else if (stride == 4 && (trait)->width == 4) { PFKEY_LOOP(uint32_t, 4, __VA_ARGS__) }   \
        else if (stride == 8 && (trait)->width == 8) { PFKEY_LOOP(uint64_t, 8, __VA_ARGS__) }   \
        else if ((trait)->width == 1) { PFKEY_LOOP(uint8_t, stride, __VA_ARGS__) }              \
        else if ((trait)->width == 2) { PFKEY_LOOP(uint16_t, stride, __VA_ARGS__) }             \
        else if ((trait)->width == 4) { PFKEY_LOOP(uint32_t, stride, __VA_ARGS__) }             \
        else { PFKEY_LOOP(uint64_t, stride, __VA_ARGS__) }                                      \
    } while (0)

/* The bits that are not the same in all rows. */
PFKEY_CLONES
static uint64_t pfkey_varying(const pfkey_trait *trait, uint64_t rows) {
    uint64_t any = 0, all = UINT64_MAX;
    PFKEY_VALUES(trait, 0, { any |= value; all &= value; });
    return rows ? any & ~all : 0;
}

/* Add the varying bits of some rows to their words. */
PFKEY_CLONES
static void pfkey_put(const pfkey_trait *trait, uint64_t begin, uint64_t rows, uint64_t *words) {
    uint64_t varying = trait->varying;
    int32_t left = trait->left, right = -left & 63;
    PFKEY_VALUES(trait, begin, uint64_t bits = value & varying; words[k] |= bits << left | bits >> right);
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
