/* What staging.h does with lines of 64 bytes and windows of 16, for one kind of vectors: PFKEY_ENDING is the end of its
 * names, PFKEY_VECTOR the bytes of a vector, not defined where there is none. Included once for each kind.
 *
 * Intrinsics, because compilers take types and copies wider than a vector through the stack, which costs more than all the
 * rest.
 */
#if !defined(PFKEY_VECTOR)
#define PFKEY_TARGET
#elif PFKEY_VECTOR == 32
#define PFKEY_TARGET __attribute__((target("avx2")))
#else
#define PFKEY_TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))
#endif

PFKEY_TARGET static inline void PFKEY_KIND(pfkey_copy_line)(uint8_t *to, const uint8_t *from) {
#if !defined(PFKEY_VECTOR)
    for (int at = 0; at < PFKEY_LINE; at += 8)
        memcpy(to + at, from + at, 8);
#elif PFKEY_VECTOR == 32
    __m256i low = _mm256_loadu_si256((const __m256i *)from), high = _mm256_loadu_si256((const __m256i *)(from + 32));
    _mm256_storeu_si256((__m256i *)to, low);
    _mm256_storeu_si256((__m256i *)(to + 32), high);
#else
    _mm512_storeu_si512(to, _mm512_loadu_si512(from));
#endif
}

/* The first `size` bytes from `from`, which has a whole line, the others as they are in `old`: what is there already. */
PFKEY_TARGET static inline void PFKEY_KIND(pfkey_blend_line)(
    uint8_t *to, const uint8_t *old, const uint8_t *from, int32_t size
) {
#if !defined(PFKEY_VECTOR)
    const uint8_t *mask = (const uint8_t *)pfkey_mask + PFKEY_LINE - size;
    for (int at = 0; at < PFKEY_LINE; at += 8) {
        uint64_t chosen, before, after;
        memcpy(&chosen, mask + at, 8);
        memcpy(&before, old + at, 8);
        memcpy(&after, from + at, 8);
        before = (before & ~chosen) | (after & chosen);
        memcpy(to + at, &before, 8);
    }
#elif PFKEY_VECTOR == 32
    const uint8_t *mask = (const uint8_t *)pfkey_mask + PFKEY_LINE - size;
    for (int at = 0; at < PFKEY_LINE; at += 32) {
        __m256i chosen = _mm256_loadu_si256((const __m256i *)(mask + at));
        __m256i before = _mm256_loadu_si256((const __m256i *)(old + at));
        __m256i after = _mm256_loadu_si256((const __m256i *)(from + at));
        _mm256_storeu_si256((__m256i *)(to + at), _mm256_blendv_epi8(before, after, chosen));
    }
#else
    uint64_t chosen = ~(uint64_t)0 >> (63 & (PFKEY_LINE - size));
    (void)old;
    _mm512_mask_storeu_epi8(to, size ? chosen : 0, _mm512_loadu_si512(from));
#endif
}

/* A template for each row, and its strings over it. Returns 0 or a fault. */
PFKEY_TARGET static int PFKEY_KIND(pfkey_lay)(
    const pfkey_stock *given, pfkey_block *block, uint8_t *to, uint64_t *offsets, uint64_t position
) {
    const pfkey_stock stock = *given; /* what is stored could be it, for all that compilers know */
    const uint32_t *shapes = block->shapes;
    const uint64_t first = position - (uint64_t)(uintptr_t)to;
    const uint64_t row = block->row;
    for (int32_t k = 0, count = block->count; k < count; k++) {
        uint32_t shape = shapes[k];
        if (shape >= stock.shapes_count) return PFKEY_NO_TEMPLATE;
        const uint8_t *from = stock.templates[shape].octets;
        int32_t length = (int32_t)stock.templates[shape].length, at;
        block->at[k] = to;
        offsets[k] = first + (uint64_t)(uintptr_t)to;
        for (at = 0; at < stock.usual; at += PFKEY_LINE)
            PFKEY_KIND(pfkey_copy_line)(to + at, from + at);
        for (; at < length; at += PFKEY_LINE)
            PFKEY_KIND(pfkey_copy_line)(to + at, from + at);
        for (int32_t j = 0; j < stock.inserts_count; j++) {
            const pfkey_insert *insert = stock.inserts + j;
            int32_t place = insert->places[shape], size = insert->sizes[shape];
            uint64_t start = insert->starts[row + k];
            if (start < insert->lines)
                PFKEY_KIND(pfkey_blend_line)(to + place, from + place, insert->text + start, size);
            else if (!pfkey_insert_rest(to + place, insert, start, size))
                return PFKEY_STRING_END;
        }
        to += length;
    }
    block->end = to;
    return 0;
}

/* Of 16 bytes of each row those that the mask of its shape has. */
PFKEY_TARGET static void PFKEY_KIND(pfkey_put_windows)(
    const pfkey_block *block, const int32_t *places, const uint8_t *masks, const uint8_t *column
) {
    const uint32_t *shapes = block->shapes;
    for (int32_t k = 0, count = block->count; k < count; k++) {
        uint8_t *to = block->at[k] + places[shapes[k]];
        const uint8_t *mask = masks + (size_t)16 * shapes[k], *from = column + 16 * k;
#if !defined(PFKEY_VECTOR)
        for (int at = 0; at < 16; at += 8) {
            uint64_t chosen, before, after;
            memcpy(&chosen, mask + at, 8);
            memcpy(&before, to + at, 8);
            memcpy(&after, from + at, 8);
            before = (before & ~chosen) | (after & chosen);
            memcpy(to + at, &before, 8);
        }
#elif PFKEY_VECTOR == 32
        __m128i chosen = _mm_loadu_si128((const __m128i *)mask), after = _mm_loadu_si128((const __m128i *)from);
        __m128i before = _mm_loadu_si128((const __m128i *)to);
        _mm_storeu_si128((__m128i *)to, _mm_blendv_epi8(before, after, chosen));
#else
        __mmask16 chosen = _mm_movepi8_mask(_mm_loadu_si128((const __m128i *)mask));
        _mm_mask_storeu_epi8(to, chosen, _mm_loadu_si128((const __m128i *)from));
#endif
    }
}

/* Write lines past the cache, to where a line begins. */
PFKEY_TARGET static void PFKEY_KIND(pfkey_stream_lines)(uint8_t *to, const uint8_t *from, size_t lines) {
#if !defined(PFKEY_VECTOR)
    pfkey_stream(to, from, lines * PFKEY_LINE);
#else
    for (const uint8_t *end = from + lines * PFKEY_LINE; from < end; from += PFKEY_LINE, to += PFKEY_LINE) {
#if PFKEY_VECTOR == 32
        _mm256_stream_si256((__m256i *)to, _mm256_loadu_si256((const __m256i *)from));
        _mm256_stream_si256((__m256i *)(to + 32), _mm256_loadu_si256((const __m256i *)(from + 32)));
#else
        _mm512_stream_si512((void *)to, _mm512_loadu_si512(from));
#endif
    }
#endif
}

static const pfkey_kind PFKEY_KIND(pfkey_kind) = {
    PFKEY_KIND(pfkey_lay), PFKEY_KIND(pfkey_put_windows), PFKEY_KIND(pfkey_stream_lines)
};

#undef PFKEY_TARGET
