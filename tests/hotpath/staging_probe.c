/* Every kind of vectors that this processor has, laying messages drawn at random, putting addresses into them and writing
 * them out: all must do what loops over bytes do. */
#include "staging.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHAPES = 8, LONGEST = 1216, TEXT = 4096, ROOM = PFKEY_BLOCK * LONGEST + 2 * LONGEST };

static uint8_t templates[SHAPES][LONGEST + 2 * PFKEY_LINE], text[TEXT], column[16 * PFKEY_BLOCK], masks[16 * SHAPES];
static int32_t lengths[SHAPES], places[2][SHAPES], sizes[2][SHAPES], windows[SHAPES];
static uint64_t starts[2][PFKEY_BLOCK], offsets[PFKEY_BLOCK];
static uint32_t shapes[PFKEY_BLOCK];
static uint8_t made[ROOM], expected[ROOM], written[ROOM + 2 * PFKEY_LINE];
static pfkey_template laid[SHAPES];
static pfkey_insert inserts[2];
static pfkey_stock stock = {laid, SHAPES, 0, inserts, 2};

static int32_t below(int32_t limit) { return (int32_t)((unsigned)rand() % (unsigned)limit); }

static void draw(int32_t longest) {
    for (int k = 0; k < SHAPES; k++) {
        lengths[k] = 8 * (1 + below(longest / 8));
        for (int at = 0; at < lengths[k]; at++)
            templates[k][at] = (uint8_t)rand();
        laid[k] = (pfkey_template){templates[k], (uint64_t)lengths[k]};
        int32_t end = 0;
        for (int j = 0; j < 2; j++) { /* behind each other, and none in some */
            int32_t left = lengths[k] - end;
            places[j][k] = end + (left ? below(left) : 0);
            left = lengths[k] - places[j][k];
            sizes[j][k] = below(3) ? below((left < PFKEY_LINE ? left : PFKEY_LINE) + 1) : 0;
            end = places[j][k] + sizes[j][k];
        }
        int version = lengths[k] < 16 ? 0 : below(3);
        windows[k] = version ? below(lengths[k] - 15) : 0;
        memset(masks + 16 * k, 0, 16);
        if (version == 1) memset(masks + 16 * k + 12, 0xFF, 4);
        if (version == 2) memset(masks + 16 * k, 0xFF, 16);
    }
    for (int k = 0; k < PFKEY_BLOCK; k++) {
        shapes[k] = (uint32_t)below(SHAPES);
        for (int j = 0; j < 2; j++)
            starts[j][k] = (uint64_t)below(TEXT - sizes[j][shapes[k]] + 1);
    }
    for (int at = 0; at < (int)sizeof(column); at++)
        column[at] = (uint8_t)rand();
    for (int j = 0; j < 2; j++)
        inserts[j] = (pfkey_insert){places[j], sizes[j], starts[j], text, TEXT, TEXT - PFKEY_LINE + 1};
    stock.usual = below(2) ? (longest + PFKEY_LINE - 1) / PFKEY_LINE * PFKEY_LINE : PFKEY_LINE;
    if (stock.usual > PFKEY_USUAL) stock.usual = PFKEY_USUAL;
}

static size_t expect(int32_t count) {
    size_t at = 0;
    for (int k = 0; k < count; k++) {
        uint32_t shape = shapes[k];
        memcpy(expected + at, templates[shape], (size_t)lengths[shape]);
        for (int j = 0; j < 2; j++)
            memcpy(expected + at + places[j][shape], text + starts[j][k], (size_t)sizes[j][shape]);
        for (int i = 0; i < 16; i++)
            if (masks[16 * shape + i]) expected[at + windows[shape] + i] = column[16 * k + i];
        at += (size_t)lengths[shape];
    }
    return at;
}

static int differs(const pfkey_kind *kind, int32_t count) {
    pfkey_block block = {.shapes = shapes, .row = 0, .count = count};
    uint8_t *begin = made + PFKEY_LINE + below(64);
    int wrong = kind->lay(&stock, &block, begin, offsets, 1000) != 0;
    kind->put_windows(&block, windows, masks, column);
    size_t size = (size_t)(block.end - begin), lines = size / PFKEY_LINE;
    size_t lead = (size_t)(-(uintptr_t)written % PFKEY_LINE) + PFKEY_LINE * (size_t)below(2);
    wrong |= size != expect(count) || memcmp(begin, expected, size) != 0;
    for (int k = 0; k < count; k++)
        wrong |= offsets[k] != 1000 + (uint64_t)(block.at[k] - begin);
    memset(written, 0xA5, sizeof(written));
    kind->stream(written + lead, begin, lines);
    pfkey_stream_end();
    size = lines * PFKEY_LINE;
    wrong |= memcmp(written + lead, expected, size) != 0;
    for (size_t at = 0; at < sizeof(written); at++)
        wrong |= (at < lead || at >= lead + size) && written[at] != 0xA5;
    return wrong;
}

static int refuses(const pfkey_kind *kind) {
    pfkey_block block = {.shapes = shapes, .row = 0, .count = 1};
    uint32_t shape = shapes[0];
    int32_t size = sizes[0][shape];
    sizes[0][shape] = 1;
    starts[0][0] = TEXT;
    int end = kind->lay(&stock, &block, made + PFKEY_LINE, offsets, 0);
    sizes[0][shape] = size;
    shapes[0] = SHAPES;
    int none = kind->lay(&stock, &block, made + PFKEY_LINE, offsets, 0);
    shapes[0] = shape;
    starts[0][0] = 0;
    return end == PFKEY_STRING_END && none == PFKEY_NO_TEMPLATE;
}

int main(void) {
    const pfkey_kind *kinds[3] = {&pfkey_kind_words};
    int count = 1, wrong = 0, refused = 1, rounds = 0;
#if defined(__GNUC__) && defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) kinds[count++] = &pfkey_kind_avx2;
    if (pfkey_best() == &pfkey_kind_avx512) kinds[count++] = &pfkey_kind_avx512;
#endif
    srand(1);
    for (int at = 0; at < TEXT; at++)
        text[at] = (uint8_t)rand();
    for (; rounds < 4000; rounds++) {
        draw(rounds % 4 ? 320 : LONGEST);
        int32_t messages = 1 + below(PFKEY_BLOCK);
        for (int k = 0; k < count; k++) {
            wrong += differs(kinds[k], messages);
            refused &= refuses(kinds[k]);
        }
    }
    printf("%d %d %d %d\n", count, wrong, refused, rounds);
    return 0;
}
