/* Sums over many lags at once. Compiled once per instruction set and chosen at start (isa.h); all sets give the same
 * bits. */
#ifndef ANB_NUMERIC_LAG_SUMS_H
#define ANB_NUMERIC_LAG_SUMS_H

#include "src/simd/isa.h"
#include <stddef.h>

enum { ANB_LAGS_BLOCK = 16 }; /* lags that are added at a time */

/* For each lag: sums of (y' - f)^2, of e (y' - f) and of e e', where y' and e' are of the row that many rows before. */
typedef struct AnbLagSums {
    float *square, *cross, *own;
} AnbLagSums;

/* One row: f and e; its weight. */
typedef struct AnbLagRow {
    float f, e, weight;
} AnbLagRow;

typedef struct AnbLagKernels {
    void (*add)(const AnbLagSums *sums, const float *y, const float *e, size_t n, AnbLagRow row);
    void (*scale)(float *cells, size_t n, float factor);
} AnbLagKernels;

ANB_ISA_TABLE(AnbLagKernels, anb_lag_kernels);

/* Adds a row to the sums of n lags, a whole number of blocks; y and e: the rows before, the newest first. */
static inline void anb_lag_sums_add(const AnbLagSums *sums, const float *y, const float *e, size_t n, AnbLagRow row)
{
    anb_lag_kernels.add(sums, y, e, n, row);
}

/* Multiplies n cells, a whole number of blocks; what is then of a size of 1e-15 or less becomes 0, and sizes
 * are 2^100 at most. */
static inline void anb_lag_scale(float *cells, size_t n, float factor)
{
    anb_lag_kernels.scale(cells, n, factor);
}

#endif
