/* Places: where what moves lies in each message, four slots at a time.
 *
 * A message's shape says for each slot what is added to its address; a slot that it has not lies at an address of its own,
 * which holds zeros. All that is known of four slots of a shape is one line of the cache.
 */
#ifndef FASTPFKEY_PLACES_H
#define FASTPFKEY_PLACES_H

#include <stdint.h>
#include <stddef.h>

#define PFKEY_SLOTS_AT_ONCE 4

/* (message & mask) + offset; no mask where the slot is absent */
typedef struct {
    size_t mask[PFKEY_SLOTS_AT_ONCE];
    size_t offset[PFKEY_SLOTS_AT_ONCE];
} pfkey_four;

#if defined(__SSE2__) && SIZE_MAX > 0xFFFFFFFF
#include <emmintrin.h>

static inline void pfkey_two_places(
    const uint8_t **to, size_t stride, __m128i message, const size_t *mask, const size_t *offset
) {
    __m128i x = _mm_and_si128(message, _mm_loadu_si128((const __m128i *)mask));
    x = _mm_add_epi64(x, _mm_loadu_si128((const __m128i *)offset));
    _mm_storel_pd((double *)to, _mm_castsi128_pd(x));
    _mm_storeh_pd((double *)(to + stride), _mm_castsi128_pd(x));
}

static inline void pfkey_four_places(
    const uint8_t **places, size_t stride, const uint8_t *const *messages, const int32_t *shapes, const pfkey_four *fours,
    size_t count
) {
    for (size_t k = 0; k < count; k++) {
        const pfkey_four *four = fours + shapes[k];
        __m128i message = _mm_set1_epi64x((long long)(size_t)messages[k]);
        pfkey_two_places(places + k, stride, message, four->mask, four->offset);
        pfkey_two_places(places + 2 * stride + k, stride, message, four->mask + 2, four->offset + 2);
    }
}

#else

static inline void pfkey_four_places(
    const uint8_t **places, size_t stride, const uint8_t *const *messages, const int32_t *shapes, const pfkey_four *fours,
    size_t count
) {
    for (size_t k = 0; k < count; k++) {
        const pfkey_four *four = fours + shapes[k];
        for (int j = 0; j < PFKEY_SLOTS_AT_ONCE; j++)
            places[j * stride + k] = (const uint8_t *)(((size_t)messages[k] & four->mask[j]) + four->offset[j]);
    }
}

#endif

#endif
