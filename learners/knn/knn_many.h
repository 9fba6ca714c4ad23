/*
 * Several queries of a window at once, one to a lane: which of their candidates are the k
 * nearest, and those in the units that a plane is fitted in. Every number has the bits that the same query
 * alone gives it (knn_search.h, knn_plane.h): the same operations in the same order.
 *
 * An array "of lanes" has ANB_KNN_MANY entries for each value, query q's at [i * ANB_KNN_MANY + q].
 */
#ifndef ANB_LEARNERS_KNN_KNN_MANY_H
#define ANB_LEARNERS_KNN_KNN_MANY_H

#include "knn_plane.h"
#include "src/simd/isa.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANB_KNN_MANY = ANB_RIDGE_PLANE_MANY, ANB_KNN_MANY_D = 24 }; /* queries; features of a plane at most */
enum {
    ANB_KNN_MANY_K = 2 * ANB_KNN_MANY_D,
    ANB_KNN_MANY_NEXT = ANB_KNN_MANY_K + 16
}; /* neighbours at most, and room */

/* The nearest of each query, in the units of knn_plane.h. */
typedef struct AnbKnnNearest {
    const float *window;
    size_t row, d, k;          /* floats of a row; features of the plane, up to ANB_KNN_MANY_D; neighbours */
    const uint32_t *which;     /* the features of the plane, ascending; NULL: all */
    const float *root;         /* sqrt(m_j) of each, then zeros up to a multiple of four */
    const uint32_t *index;     /* k rows of the window of each query, ANB_KNN_MANY_NEXT from one query to the next */
    const float *const *query; /* ANB_KNN_MANY queries as rows of the window, zeros up to whole lanes */
    const float *square;       /* of lanes: squared distances of the neighbours */
    const float *target;       /* of lanes: y_i */
} AnbKnnNearest;

typedef struct AnbKnnManyKernels {
    void (*turn)(const float *value, size_t next, size_t n, float *out);
    void (*pick)(const float *value, const uint32_t *index, size_t n, float bound, uint32_t *picked, float *least);
    uint32_t (*bound)(const float *value, size_t n, size_t k, float *bound);
    void (*moments)(const AnbKnnNearest *nearest, float soft, float *many, float *place);
} AnbKnnManyKernels;

ANB_ISA_TABLE(AnbKnnManyKernels, anb_knn_many_kernels);

/* n values of each query, `next` apart, as an array of lanes; n a multiple of four. */
static inline void anb_knn_many_turn(const float *value, size_t next, size_t n, float *out)
{
    anb_knn_many_kernels.turn(value, next, n, out);
}

/* Picks the values that are not above the bound, in order, and their entries of `index`. n is a multiple of sixteen, of
 * `index` as many entries are read, and both results have room for sixteen more. */
static inline void anb_knn_many_pick(const float *value, const uint32_t *index, size_t n, float bound, uint32_t *picked,
                                     float *least)
{
    anb_knn_many_kernels.pick(value, index, n, bound, picked, least);
}

/* For each query a bound that exactly k of its n values >= 0 do not exceed; k <= n, n a multiple of four; infinite
 * values do not count. Bit q of the result: a bound was found for query q. None is found if the k-th value and the next
 * are equal or nearly equal; then more than k values do not exceed the one returned, if there are k values. */
static inline uint32_t anb_knn_many_bound(const float *value, size_t n, size_t k, float *bound)
{
    return anb_knn_many_kernels.bound(value, n, k, bound);
}

/* The moments as anb_ridge_plane_fit_many wants them in `many`, and p_j, of lanes; weights 1 / (soft + share). */
static inline void anb_knn_many_moments(const AnbKnnNearest *nearest, float soft, float *many, float *place)
{
    anb_knn_many_kernels.moments(nearest, soft, many, place);
}

#endif
