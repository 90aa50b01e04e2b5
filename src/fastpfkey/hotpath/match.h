/* Whether a message has the bytes that decided for a shape: (message & mask) == value, in the widest vectors there are.
 *
 * A shape's mask is kept twice: a byte a byte for whoever computes with it, and a bit a byte, with which AVX-512 loads only
 * the bytes that decide. Which function serves is asked once, when a cache is made. All of them read whole steps of 64 bytes.
 */
#ifndef FASTPFKEY_MATCH_H
#define FASTPFKEY_MATCH_H

#include <stdint.h>
#include <string.h>

#define PFKEY_STEP 64
#define PFKEY_MAX_STEPS 16
#define PFKEY_COMMON_STEPS 6 /* as many as most messages need: no loop to be guessed wrongly */

#define PFKEY_LINES_A_COLUMN 36 /* all of the next block while the columns of a whole table are written */

typedef int (*pfkey_match)(
    const uint8_t *message, const uint8_t *mask, const uint8_t *value, const uint64_t *bits, int32_t steps
);

static inline uint64_t pfkey_difference(const uint8_t *message, const uint8_t *mask, const uint8_t *value) {
    uint64_t difference = 0, m, a, v;
    for (int k = 0; k < PFKEY_STEP; k += 8) {
        memcpy(&m, message + k, 8);
        memcpy(&a, mask + k, 8);
        memcpy(&v, value + k, 8);
        difference |= (m & a) ^ v;
    }
    return difference;
}

static int pfkey_match_words(
    const uint8_t *message, const uint8_t *mask, const uint8_t *value, const uint64_t *bits, int32_t steps
) {
    uint64_t difference = 0;
    (void)bits;
    for (int32_t k = 0; k < PFKEY_STEP * steps; k += PFKEY_STEP)
        difference |= pfkey_difference(message + k, mask + k, value + k);
    return difference == 0;
}

#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#define PFKEY_VECTORS 1

#define PFKEY_HALF_STEP(k)                                                                   \
    _mm256_xor_si256(                                                                        \
        _mm256_and_si256(                                                                    \
            _mm256_loadu_si256((const __m256i *)message + (k)), ((const __m256i *)mask)[(k)] \
        ),                                                                                   \
        ((const __m256i *)value)[(k)]                                                        \
    )

__attribute__((target("avx2"))) static int pfkey_match_avx2(
    const uint8_t *message, const uint8_t *mask, const uint8_t *value, const uint64_t *bits, int32_t steps
) {
    __m256i difference = _mm256_setzero_si256();
    (void)bits;
    for (; steps > PFKEY_COMMON_STEPS; steps--, message += PFKEY_STEP, mask += PFKEY_STEP, value += PFKEY_STEP)
        difference = _mm256_or_si256(difference, _mm256_or_si256(PFKEY_HALF_STEP(0), PFKEY_HALF_STEP(1)));
    for (int k = 0; k < 2 * PFKEY_COMMON_STEPS; k++)
        difference = _mm256_or_si256(difference, PFKEY_HALF_STEP(k));
    return _mm256_testz_si256(difference, difference);
}

#define PFKEY_WHOLE_STEP(k)                                                                                      \
    _mm512_xor_si512(                                                                                            \
        _mm512_maskz_loadu_epi8(bits[(k)], message + PFKEY_STEP * (k)), ((const __m512i *)value)[(k)]            \
    )

__attribute__((target("avx512f,avx512bw"))) static int pfkey_match_avx512(
    const uint8_t *message, const uint8_t *mask, const uint8_t *value, const uint64_t *bits, int32_t steps
) {
    __m512i difference = _mm512_setzero_si512();
    (void)mask;
    for (; steps > PFKEY_COMMON_STEPS; steps--, message += PFKEY_STEP, value += PFKEY_STEP, bits++)
        difference = _mm512_or_si512(difference, PFKEY_WHOLE_STEP(0));
    for (int k = 0; k < PFKEY_COMMON_STEPS; k++)
        difference = _mm512_or_si512(difference, PFKEY_WHOLE_STEP(k));
    return _mm512_test_epi64_mask(difference, difference) == 0;
}

static inline int pfkey_has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static inline pfkey_match pfkey_best_match(void) {
    if (pfkey_has_avx512())
        return pfkey_match_avx512;
    return __builtin_cpu_supports("avx2") ? pfkey_match_avx2 : pfkey_match_words;
}

/* Lines of the next block to fetch while one of the columns is written. x86 without AVX-512 computes for longer than it
 * waits for memory, and there this only takes time. */
static inline int pfkey_lines_a_column(void) { return pfkey_has_avx512() ? PFKEY_LINES_A_COLUMN : 0; }

#else

static inline pfkey_match pfkey_best_match(void) { return pfkey_match_words; }

static inline int pfkey_lines_a_column(void) { return PFKEY_LINES_A_COLUMN; }

#endif

#endif
