/* Numbers for tests: reproducible, and of no library's making. */
#ifndef ANB_TESTS_NUMBERS_H
#define ANB_TESTS_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* Uniform in [-1, 1), from a 64-bit congruential generator. */
static inline double uniform_of(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*seed >> 11) / 4503599627370496.0 - 1;
}

/* FNV-1a; start from 14695981039346656037. */
static inline uint64_t hash_of(uint64_t hash, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
    return hash;
}

#endif
