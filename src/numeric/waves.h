/* Cosines of many turns at once. Compiled once per instruction set and chosen at start (isa.h); all sets give the same
 * bits. */
#ifndef ANB_NUMERIC_WAVES_H
#define ANB_NUMERIC_WAVES_H

#include "src/simd/isa.h"
#include <stddef.h>

typedef struct AnbWaveKernels {
    void (*cosine)(double *turns, size_t n, double scale);
} AnbWaveKernels;

ANB_ISA_TABLE(AnbWaveKernels, anb_wave_kernels);

/* turns[i] = scale cos(2 pi turns[i]); arguments beyond +-2^50 are bounded to that. */
static inline void anb_cosine(double *turns, size_t n, double scale)
{
    anb_wave_kernels.cosine(turns, n, scale);
}

#endif
