/* Messages of a block, put together back to back in the cache before they are written to memory.
 *
 * They are laid in order: a template, its strings, the next template. So lines are copied without asking how many bytes a
 * message has, which would be guessed wrongly with many shapes in random order: what is copied too much is overwritten by
 * what follows. Then one column after the other is written over them.
 */
#ifndef FASTPFKEY_STAGING_H
#define FASTPFKEY_STAGING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tiles.h"

#define PFKEY_LINE 64
#define PFKEY_BLOCK 16 /* messages that are put together */
#define PFKEY_USUAL 512 /* bytes of a template that are copied unasked at most, if any is as long */

enum { PFKEY_NO_TEMPLATE = -2, PFKEY_STRING_END = -5 };

typedef struct {
    const uint8_t *octets; /* whole lines, and a line behind them */
    uint64_t length;
} pfkey_template;

typedef struct { /* bytes of all rows that go into messages while they are laid: of a row a line at most */
    const int32_t *places; /* where, in each shape; 0 where the part is absent */
    const int32_t *sizes;  /* of each shape; 0 where the part is absent */
    const uint64_t *starts; /* where the bytes of each row begin */
    const uint8_t *text;
    uint64_t size;
    uint64_t lines; /* a whole line can be read from a start that is less */
} pfkey_insert;

typedef struct { /* what messages are laid from */
    const pfkey_template *templates;
    uint32_t shapes_count;
    int32_t usual; /* bytes that are copied of every template, whole lines */
    const pfkey_insert *inserts;
    int32_t inserts_count;
} pfkey_stock;

typedef struct { /* some messages */
    uint8_t *at[PFKEY_BLOCK];
    uint8_t *end;
    const uint32_t *shapes;
    uint64_t row; /* of the first */
    int32_t count;
} pfkey_block;

typedef struct { /* where a number goes in a message of some shape: at (the message & keep) + add */
    uint64_t keep;
    uint64_t add;
} pfkey_target;

/* Exactly the bytes of a string, behind which there is no line. Returns 0 if there are too few. */
static inline int pfkey_insert_rest(uint8_t *to, const pfkey_insert *insert, uint64_t start, int32_t size) {
    if (size == 0) return 1;
    if (start > insert->size || insert->size - start < (uint64_t)size) return 0;
    memcpy(to, insert->text + start, (size_t)size);
    return 1;
}

/* The first bytes of a mask are set, from so many before its middle on. */
static const uint64_t pfkey_mask[2 * PFKEY_LINE / 8] = {
    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX
};

/* The functions of lines.h for each kind of vectors that the processor may have; pfkey_best says which is the best. */
#define PFKEY_JOIN(name, kind) name##kind
#define PFKEY_OF_KIND(name, kind) PFKEY_JOIN(name, kind)
#define PFKEY_KIND(name) PFKEY_OF_KIND(name, PFKEY_ENDING)

typedef struct {
    int (*lay)(const pfkey_stock *, pfkey_block *, uint8_t *to, uint64_t *offsets, uint64_t position);
    void (*put_windows)(
        const pfkey_block *, const int32_t *places, const uint8_t *masks, const uint8_t *column
    );
    void (*stream)(uint8_t *to, const uint8_t *from, size_t lines);
} pfkey_kind;

#define PFKEY_ENDING _words
#include "lines.h"
#undef PFKEY_ENDING

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>

#define PFKEY_ENDING _avx2
#define PFKEY_VECTOR 32
#include "lines.h"
#undef PFKEY_ENDING
#undef PFKEY_VECTOR

#define PFKEY_ENDING _avx512
#define PFKEY_VECTOR 64
#include "lines.h"
#undef PFKEY_ENDING
#undef PFKEY_VECTOR
#endif

static inline const pfkey_kind *pfkey_best(void) {
#if defined(__GNUC__) && defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return &pfkey_kind_avx512;
    if (__builtin_cpu_supports("avx2")) return &pfkey_kind_avx2;
#endif
    return &pfkey_kind_words;
}

/* Two neighbouring numbers of 8 bytes in each message, `place` behind where it begins. */
static inline void pfkey_put_pairs(
    const pfkey_block *block, uint64_t place, const uint8_t *first, const uint8_t *second
) {
    for (int32_t k = 0, count = block->count; k < count; k++) {
#if PFKEY_TILES
        __m128d low = _mm_load_sd((const double *)(first + 8 * k));
        _mm_storeu_pd((double *)(block->at[k] + place), _mm_loadh_pd(low, (const double *)(second + 8 * k)));
#else
        memcpy(block->at[k] + place, first + 8 * k, 8);
        memcpy(block->at[k] + place + 8, second + 8 * k, 8);
#endif
    }
}

#endif
