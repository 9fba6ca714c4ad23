/*
 * What the fuzz targets share. A target is LLVMFuzzerTestOneInput over some bytes; libFuzzer drives it (fuzz/run), and
 * replay.c drives it over a folder of inputs in `make check`.
 */
#ifndef ANB_FUZZ_H
#define ANB_FUZZ_H

#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the program, whatever NDEBUG says. */
#define FUZZ_ASSERT(condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                            \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The input as a source of decisions; behind its end zeros. */
typedef struct Bytes {
    const uint8_t *at, *end;
} Bytes;

static inline unsigned fuzz_byte(Bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

/* A double of every kind: plain, tiny, huge, the ends of the range, not a number, any bits at all. */
static inline double fuzz_double(Bytes *b)
{
    static const double hostile[] = {0,      -0.0,  1,      -1,   1e150,    -1e150,    1e-150,   1e9,
                                     5e-324, 1e308, -1e308, 1e12, INFINITY, -INFINITY, 2.2e-308, 0.1};
    unsigned kind = fuzz_byte(b);
    if (kind < 16)
        return hostile[kind];
    if (kind == 16)
        return ANB_NAN;
    if (kind == 17) {
        uint64_t bits = 0;
        double value;
        for (int i = 0; i < 8; i++)
            bits = bits << 8 | fuzz_byte(b);
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    return ((int)kind - 128) / 16.0;
}

static inline bool fuzz_finite(double v)
{
    return v - v == 0;
}

#endif
