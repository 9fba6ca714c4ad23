/* The two passes of a BOA over its experts, compiled once per instruction set; boa.c calls them. */
#ifndef ANB_NUMERIC_BOA_KERNELS_H
#define ANB_NUMERIC_BOA_KERNELS_H

#include "src/simd/isa.h"
#include <stddef.h>

/* One sample: `both` is 2 weight (mix - y) and `inverse` 1, both over the unit. */
typedef struct AnbBoaSample {
    double mix, both, inverse, discount, share;
} AnbBoaSample;

typedef struct AnbBoaKernels {
    /* r, v and log of every expert with v >= 0 follow the sample; of the others log = 0. `least` is the smallest v and
     * `top` the largest log of those with v >= 0. */
    void (*follow)(double *r, double *v, double *log, const double *f, size_t k, const AnbBoaSample *sample,
                   double *least, double *top);
    /* w = exp(log - top) / sqrt(v), 0 where v < 0, divided by their sum. */
    void (*weigh)(const double *log, const double *v, size_t k, double top, double *w);
} AnbBoaKernels;

ANB_ISA_TABLE(AnbBoaKernels, anb_boa_kernels);

#endif
