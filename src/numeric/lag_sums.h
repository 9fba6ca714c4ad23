/* Sums over many lags at once. Compiled once per instruction set and chosen at start (isa.h); all sets give the same
 * bits. */
#ifndef ANB_NUMERIC_LAG_SUMS_H
#define ANB_NUMERIC_LAG_SUMS_H

#include "src/simd/isa.h"
#include <stddef.h>

enum { ANB_LAGS_BLOCK = 16 }; /* lags that are added at a time */
enum { ANB_LAGS_ROWS = 8 };   /* rows that are added together, at most */

/* For each lag: sums of (y' - f)^2, of e (y' - f) and of e e', where y' and e' are of the row that many rows before. */
typedef struct AnbLagSums {
    float *square, *cross, *own;
} AnbLagSums;

/* One row: f, its weight, and its weight times e. */
typedef struct AnbLagRow {
    float f, weight, by;
} AnbLagRow;

typedef struct AnbLagKernels {
    void (*add)(const AnbLagSums *sums, const float *y, const float *e, size_t n, const AnbLagRow *row, size_t rows);
    void (*scale)(float *cells, size_t n, float factor);
} AnbLagKernels;

typedef struct AnbLagShareKernels {
    void (*shares)(const AnbLagSums *sums, size_t n, double sum, double *share);
} AnbLagShareKernels;

ANB_ISA_TABLE(AnbLagKernels, anb_lag_kernels);
ANB_ISA_TABLE(AnbLagShareKernels, anb_lag_share_kernels);

/* Adds rows, the oldest first, at most ANB_LAGS_ROWS, to the sums of n lags, a whole number of blocks. y and e: the
 * rows before the newest of them, the newest first, n + rows - 1 of them. */
static inline void anb_lag_sums_add(const AnbLagSums *sums, const float *y, const float *e, size_t n,
                                    const AnbLagRow *row, size_t rows)
{
    anb_lag_kernels.add(sums, y, e, n, row, rows);
}

/* The shares of the squared error that n lags explain, where the sum of e e is `sum`. */
static inline void anb_lag_shares(const AnbLagSums *sums, size_t n, double sum, double *share)
{
    anb_lag_share_kernels.shares(sums, n, sum, share);
}

/* Multiplies n cells, a whole number of blocks; what is then of a size of 1e-15 or less becomes 0, and sizes
 * are 2^100 at most. */
static inline void anb_lag_scale(float *cells, size_t n, float factor)
{
    anb_lag_kernels.scale(cells, n, factor);
}

#endif
