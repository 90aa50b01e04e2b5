/* Whether bytes are 0, looked at in the widest vectors that there are. */
#ifndef FASTPFKEY_ZERO_H
#define FASTPFKEY_ZERO_H

#include <stdint.h>
#include <string.h>

#include "clones.h"

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
