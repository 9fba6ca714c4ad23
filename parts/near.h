/*
 * Squared distances from a query to every row of a window, in float32, and the rows within a bound.
 *
 * The window lies in blocks of 32 rows, each feature by feature: feature j of row i is
 *
 *     window[(i / 32 * d + j) * 32 + i % 32]
 *
 * The distance of row i is sum over j, in their order, of weight[j] (x_ij - query[j])^2, rounded to float32 at each step:
 * same bits on every instruction set (isa.h). Against exact arithmetic it is off by less than (d + 4) 2^-24 of itself, the
 * rounding of the stored values apart. For the k nearest exactly: take the k-th least of the minima (anb_near_bound), widen
 * it by what rounding can have done, collect the rows within, and look at those again in doubles.
 */
#ifndef ANB_PARTS_NEAR_H
#define ANB_PARTS_NEAR_H

#include "isa.h"
#include <stddef.h>
#include <stdint.h>

enum { ANB_NEAR_ROWS = 32 }; /* rows of a block */

typedef struct AnbNearKernels {
    void (*distances)(const float *window, size_t blocks, size_t d, const float *query, const float *weight,
                      float *distance, float *minima, size_t sets);
    size_t (*collect)(const float *distance, size_t blocks, float bound, uint32_t *index, size_t most);
} AnbNearKernels;

ANB_ISA_TABLE(AnbNearKernels, anb_near_kernels);

/* Where feature j of row i lies. */
static inline size_t anb_near_at(size_t i, size_t j, size_t d)
{
    return (i / ANB_NEAR_ROWS * d + j) * ANB_NEAR_ROWS + i % ANB_NEAR_ROWS;
}

/**
 * Distances to all rows of `blocks` blocks, and minima over disjoint groups of rows.
 *
 * @param window    blocks * 32 rows of d features; let unused rows hold infinity in feature 0 (weight[0] > 0)
 * @param query     d values
 * @param weight    d weights >= 0
 * @param distance  out: blocks * 32
 * @param minima    out: sets * 32; entry s * 32 + r is the least distance of rows r of the blocks b with b % sets == s
 * @param sets      >= 1; with k <= sets * 32 and blocks >= sets the k-th least of the minima bounds the k-th distance
 *
 * Cost: 4 operations a feature and row, 16 rows at a time with AVX-512.
 */
static inline void anb_near_distances(const float *window, size_t blocks, size_t d, const float *query,
                                      const float *weight, float *distance, float *minima, size_t sets)
{
    anb_near_kernels.distances(window, blocks, d, query, weight, distance, minima, sets);
}

/* Rows with distance <= bound, ascending, the first `most` of them; returns how many were written. */
static inline size_t anb_near_collect(const float *distance, size_t blocks, float bound, uint32_t *index, size_t most)
{
    return anb_near_kernels.collect(distance, blocks, bound, index, most);
}

/* The k-th least of n values (k from 1), which it rearranges. */
float anb_near_bound(float *value, size_t n, size_t k);

#endif
