/* Every way of matching that this processor has, on messages and masks drawn at random: all must answer like words do. */
#include "match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST (PFKEY_MAX_STEPS * PFKEY_STEP)

static _Alignas(64) uint8_t message[MOST + 8], mask[MOST], value[MOST];
static uint64_t bits[PFKEY_MAX_STEPS];

static void draw(int32_t steps) {
    memset(mask, 0, MOST);
    memset(value, 0, MOST);
    memset(bits, 0, sizeof(bits));
    for (int32_t k = 0; k < PFKEY_STEP * steps; k++) {
        message[k + 8] = (uint8_t)rand();
        if (rand() % 4 == 0) {
            mask[k] = 0xFF;
            value[k] = message[k + 8];
            bits[k / PFKEY_STEP] |= (uint64_t)1 << (k % PFKEY_STEP);
        }
    }
}

int main(void) {
    pfkey_match ways[3];
    int count = 0, differ = 0, same = 0, other = 0;
    ways[count++] = pfkey_match_words;
#if defined(PFKEY_VECTORS)
    if (__builtin_cpu_supports("avx2")) ways[count++] = pfkey_match_avx2;
    if (pfkey_best_match() == pfkey_match_avx512) ways[count++] = pfkey_match_avx512;
#endif
    srand(1);
    for (int32_t steps = PFKEY_COMMON_STEPS; steps <= PFKEY_MAX_STEPS; steps++)
        for (int round = 0; round < 2000; round++) {
            draw(steps);
            if (round % 2) message[8 + rand() % (PFKEY_STEP * steps)] ^= (uint8_t)(1 << rand() % 8);
            int first = pfkey_match_words(message + 8, mask, value, bits, steps);
            first ? same++ : other++;
            for (int k = 1; k < count; k++) differ += ways[k](message + 8, mask, value, bits, steps) != first;
        }
    printf("%d %d %d %d\n", count, differ, same, other);
    return 0;
}
