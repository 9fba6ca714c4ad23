/* Random numbers of benchmarks and tests: reproducible, and of no library's making. */
#ifndef ANB_BENCH_RANDOM_H
#define ANB_BENCH_RANDOM_H

#include <stdint.h>

/* The next 64 bits of a linear congruential generator (Knuth's constants); the upper ones are the better ones. */
static inline uint64_t bits_of(uint64_t *seed)
{
    return *seed = *seed * 6364136223846793005u + 1442695040888963407u;
}

/* Uniform in [0, 1). */
static inline double unit_of(uint64_t *seed)
{
    return (double)(bits_of(seed) >> 11) * 0x1p-53;
}

#endif
