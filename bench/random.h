/* Random numbers of benchmarks: a linear congruential generator (Knuth's constants), its upper bits. */
#ifndef ANB_BENCH_RANDOM_H
#define ANB_BENCH_RANDOM_H

#include <stdint.h>

static inline uint64_t bench_bits(uint64_t *seed)
{
    return *seed = *seed * 6364136223846793005u + 1442695040888963407u;
}

/* In [0, 1). */
static inline double bench_unit(uint64_t *seed)
{
    return (double)(bench_bits(seed) >> 11) * 0x1p-53;
}

#endif
