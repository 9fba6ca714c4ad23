/*
 * Several queries of a window at once, one to a lane: the exact distances of their candidates, which of those are the k
 * nearest, what they weigh, and the moments that a plane is fitted in. Every number has the bits that the same query
 * alone gives it (knn_search.h, ridge_plane.h): the same operations in the same order.
 *
 * An array "of lanes" has ANB_KNN_MANY entries for each of what it says, query q's at [i * ANB_KNN_MANY + q].
 */
#ifndef ANB_LEARNERS_KNN_KNN_MANY_H
#define ANB_LEARNERS_KNN_KNN_MANY_H

#include "src/simd/isa.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANB_KNN_MANY = 8, ANB_KNN_MANY_D = 24 }; /* queries; features of a window at most */

/* The k nearest of each query, and the query itself. */
typedef struct AnbKnnNearest {
    const float *window;
    size_t row, d, k;      /* floats of a row; features of the plane, up to ANB_KNN_MANY_D; neighbours */
    const uint32_t *which; /* the features of the plane, ascending; NULL: all */
    const double *query;   /* of lanes: d features, then zeros up to a multiple of four */
    const uint32_t *index; /* of lanes: k rows of the window */
    const double *y;       /* of lanes: their targets */
    double *weight;        /* of lanes: their squared distances, then their weights */
    const double *inverse; /* what offsets of each feature are multiplied by, then zeros up to a multiple of four */
} AnbKnnNearest;

typedef struct AnbKnnManyKernels {
    void (*turn)(const double *value, size_t next, size_t n, double *out);
    size_t (*within)(const double *value, size_t n, double bound, uint32_t *place);
    bool (*bound)(const double *value, size_t n, size_t k, double *bound);
    void (*moments)(const AnbKnnNearest *nearest, double soft, double *many, double *low, double *high);
} AnbKnnManyKernels;

ANB_ISA_TABLE(AnbKnnManyKernels, anb_knn_many_kernels);

/* n values of each query, `next` apart, as an array of lanes; n a multiple of 8. */
static inline void anb_knn_many_turn(const double *value, size_t next, size_t n, double *out)
{
    anb_knn_many_kernels.turn(value, next, n, out);
}

/* Which of n values are not above the bound, ascending; returns how many. n a multiple of 8; `place` has room for
 * ANB_KNN_SEARCH_SPARE more. */
static inline size_t anb_knn_many_within(const double *value, size_t n, double bound, uint32_t *place)
{
    return anb_knn_many_kernels.within(value, n, bound, place);
}

/* A bound for each query that exactly k of its n values >= 0 do not exceed, k <= n, n a multiple of 8; what is infinite
 * counts as no value. False where that was not found for all: where values are equal, or nearly so. */
static inline bool anb_knn_many_bound(const double *value, size_t n, size_t k, double *bound)
{
    return anb_knn_many_kernels.bound(value, n, k, bound);
}

/* Weights 1 / (soft + distance / largest) of the neighbours, their moments as anb_ridge_plane_fit_many wants them in
 * `many`, and the least and the largest of their targets, of lanes both. */
static inline void anb_knn_many_moments(const AnbKnnNearest *nearest, double soft, double *many, double *low,
                                        double *high)
{
    anb_knn_many_kernels.moments(nearest, soft, many, low, high);
}

#endif
