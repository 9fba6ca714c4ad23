/*
 * Candidates for the nearest rows of a long window by a few features, in codes of 8 bits, in blocks of 32 rows by pairs
 * of features:
 *
 *     code[(i / 32 * pairs + j / 2) * 64 + i % 32 * 2 + j % 2]
 *
 * Codes are within +-anb_knn_coarse_limit, so that squared distances are whole numbers of 15 bits. The candidates are
 * not exactly the nearest rows, but are the same on every instruction set.
 *
 *     anb_knn_coarse_distances -> anb_knn_coarse_bound(minima) -> anb_knn_coarse_collect
 */
#ifndef ANB_LEARNERS_KNN_KNN_COARSE_H
#define ANB_LEARNERS_KNN_KNN_COARSE_H

#include "knn_search.h"

enum { ANB_KNN_COARSE_NONE = INT16_MAX }; /* the distance where there is no row */

/* Rows, and where their distances are written. */
typedef struct AnbKnnCoarse {
    const int8_t *code, *query; /* a query has its codes side by side */
    size_t rows, pairs;
    int16_t *distance; /* out: anb_knn_search_blocks(rows) * 32; ANB_KNN_COARSE_NONE behind the last */
    int16_t *minima;   /* out: sets * 32, as in anb_knn_search_distances */
    size_t sets;
} AnbKnnCoarse;

typedef struct AnbKnnCoarseKernels {
    void (*distances)(const AnbKnnCoarse *coarse);
    int16_t (*bound)(const int16_t *value, size_t n, size_t k);
    size_t (*collect)(const int16_t *distance, size_t rows, int16_t bound, uint32_t *index);
} AnbKnnCoarseKernels;

ANB_ISA_TABLE(AnbKnnCoarseKernels, anb_knn_coarse_kernels);

static inline int anb_knn_coarse_limit(size_t pairs)
{
    int most = (int)(sqrt(32766.0 / (double)(2 * pairs)) / 2);
    return most < 63 ? most : 63;
}

/* Where the codes of row i start; its pairs are 64 apart. */
static inline size_t anb_knn_coarse_at(size_t i, size_t pairs)
{
    return (i / ANB_KNN_SEARCH_ROWS * pairs * ANB_KNN_SEARCH_ROWS + i % ANB_KNN_SEARCH_ROWS) * 2;
}

/* Cost: a fifth of that of anb_knn_search_distances for as many features. */
static inline void anb_knn_coarse_distances(const AnbKnnCoarse *coarse)
{
    anb_knn_coarse_kernels.distances(coarse);
}

/* A bound that at least k of n distances do not exceed, as anb_knn_search_bound; n a multiple of 32. */
static inline int16_t anb_knn_coarse_bound(const int16_t *value, size_t n, size_t k)
{
    return anb_knn_coarse_kernels.bound(value, n, k);
}

/* Rows with distance <= bound, as anb_knn_search_collect; none that is not there. */
static inline size_t anb_knn_coarse_collect(const int16_t *distance, size_t rows, int16_t bound, uint32_t *index)
{
    return anb_knn_coarse_kernels.collect(distance, rows, bound, index);
}

#endif
