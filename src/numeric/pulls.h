/* Factors on features by their pulls (anb_network_rescale). Compiled once per instruction set and chosen at start
 * (isa.h); all sets give the same bits. */
#ifndef ANB_NUMERIC_PULLS_H
#define ANB_NUMERIC_PULLS_H

#include "src/simd/isa.h"
#include <stddef.h>

typedef struct AnbPullKernels {
    void (*factors)(double *pull, double *mean, double *square, size_t n, double rate);
} AnbPullKernels;

ANB_ISA_TABLE(AnbPullKernels, anb_pull_kernels);

/* Each of n pulls becomes a factor 1 - 9 rate r |r|, .5 at least, r = mean pull / root of the mean squared pull, whose
 * means are discounted by .99; a pull whose square is beyond the doubles counts as none. */
static inline void anb_pulls_to_factors(double *pull, double *mean, double *square, size_t n, double rate)
{
    anb_pull_kernels.factors(pull, mean, square, n, rate);
}

#endif
