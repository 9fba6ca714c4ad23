/* How a BOA learns a sample: the loops over its experts, compiled once per instruction set; boa.c calls them. */
#ifndef ANB_NUMERIC_BOA_KERNELS_H
#define ANB_NUMERIC_BOA_KERNELS_H

#include "src/simd/isa.h"
#include <stdbool.h>
#include <stddef.h>

/* One sample: `both` is 2 weight (mix - y) and `inverse` 1, both over the unit. */
typedef struct AnbBoaStep {
    double mix, both, inverse, discount, share;
} AnbBoaStep;

/* The least v; the largest |mix - f| of the experts with v >= 0, NaN where one is not finite. */
typedef struct AnbBoaLook {
    double least, largest;
} AnbBoaLook;

typedef struct AnbBoaKernels {
    /* Updates r, v and log of every expert with v >= 0; sets log of the others to 0. Then w = exp(log) / sqrt(v), 0
     * where v < 0, divided by the sum. Returns false and leaves w as it was where some v is 0, or no v >= 0
     * is finite. */
    bool (*learn)(double *r, double *v, double *log, double *w, const double *f, size_t k, const AnbBoaStep *step);
    /* Changes nothing. */
    AnbBoaLook (*look)(const double *v, const double *f, size_t k, double mix);
} AnbBoaKernels;

ANB_ISA_TABLE(AnbBoaKernels, anb_boa_kernels);

#endif
