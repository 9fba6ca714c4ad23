/* Random numbers for tests, their order, and hashes. */
#ifndef ANB_TESTS_NUMBERS_H
#define ANB_TESTS_NUMBERS_H

#include "../bench/random.h"
#include "../bench/rising.h"
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Uniform in [-1/2, 1/2). */
static inline double noise(uint64_t *seed)
{
    return unit_of(seed) - 0.5;
}

/* Close to normal, variance 1: twelve uniform ones. */
static inline double nearly_normal(uint64_t *seed)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += noise(seed);
    return sum;
}

/* Uniform in [-1, 1). */
static inline double uniform_of(uint64_t *seed)
{
    return 2 * unit_of(seed) - 1;
}

/* Equal to the bit: NaN equals the same NaN, 0 does not equal -0. */
static inline bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* FNV-1a; start from 14695981039346656037. */
static inline uint64_t hash_of(uint64_t hash, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    return hash;
}

#endif
