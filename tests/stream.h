/* Small reproducible streams for the tests: no library code in the numbers. */
#ifndef ANB_TESTS_STREAM_H
#define ANB_TESTS_STREAM_H

#include "numbers.h"
#include <stddef.h>
#include <stdint.h>

typedef struct Stream {
    uint64_t bits;
    size_t d;
} Stream;

/* Uniform in [-1, 1). */
static inline double stream_uniform(Stream *s)
{
    return uniform_of(&s->bits);
}

/* A row, and a target with a linear part, an interaction, a step and noise; the first feature has its own scale. */
static inline double stream_next(Stream *s, double *x)
{
    for (size_t j = 0; j < s->d; j++)
        x[j] = stream_uniform(s);
    double y = 3 + 2 * x[0] + .1 * stream_uniform(s);
    if (s->d > 1)
        y += x[0] * x[1] + (x[1] > .2 ? 1.5 : 0);
    if (s->d > 2)
        y -= x[2];
    x[0] = 100 + 5 * x[0];
    return y;
}

#endif
