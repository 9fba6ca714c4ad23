/*
 * The neighbours of a query as rows of a plane in floats (ridge_plane.h). In these units all numbers are small,
 * whatever the features and the targets are:
 *
 *     u_ij = (x_ij - x_0j) sqrt(m_j) / distance_k        offsets from the first neighbour, within +-2
 *     p_j  = (q_j - x_0j) sqrt(m_j) / distance_k         the query's, within +-1
 *     y_i  = (y_i - y_0) / (largest y - least y)         within +-1
 *     share_i = distance_i / distance_k                  0 to 1
 *
 * A difference of two floats is a float to its last digit, so nothing is lost where the neighbours are close to each
 * other and far from 0 or from the query. Where distance_k is not within 1e-18 to 1e18 the neighbours count as one
 * point, and where the targets' range is not within 1e-300 to 1e300 as one target.
 */
#ifndef ANB_LEARNERS_KNN_KNN_PLANE_H
#define ANB_LEARNERS_KNN_KNN_PLANE_H

#include "ridge_plane.h"
#include <math.h>
#include <stdint.h>

static const float knn_far_most = 1e36f;    /* of a squared distance */
static const double knn_range_most = 1e300; /* of a range of targets */

/* 1 / distance_k^2, and 1 / the range of the targets; or 0 where that is not within 1 / the most to it. */
static inline float anb_knn_plane_near(float square)
{
    return square < knn_far_most && square > 1 / knn_far_most ? 1 / square : 0;
}

static inline double anb_knn_plane_narrow(double range)
{
    return range < knn_range_most && range > 1 / knn_range_most ? 1 / range : 0;
}

/* What y_i of these units is multiplied by. */
static inline double anb_knn_plane_range(double low, double high)
{
    return anb_knn_plane_narrow(high - low) > 0 ? high - low : 0;
}

/* Rows of the window, and what a plane has of them. */
typedef struct AnbKnnRows {
    const float *window;
    size_t row, d, k;      /* floats of a row; features of the plane; neighbours */
    const uint32_t *which; /* the features of the plane, ascending; NULL: all */
    const uint32_t *index; /* k rows of the window */
    const float *root;     /* sqrt(m_j) of each feature of the plane, then zeros up to a multiple of sixteen */
    const float *query;    /* d features of the plane, then finite numbers up to a multiple of sixteen */
} AnbKnnRows;

typedef struct AnbKnnPlaneKernels {
    void (*offsets)(const AnbKnnRows *rows, float near, float *u, float *place);
    void (*weights)(const float *square, size_t n, float soft, float *share, float *weight);
} AnbKnnPlaneKernels;

ANB_ISA_TABLE(AnbKnnPlaneKernels, anb_knn_plane_kernels);

/* u_ij of k rows, anb_ridge_plane_stride(d) apart, and p_j, by near = 1 / distance_k. Whole lanes are written
 * of both. */
static inline void anb_knn_plane_offsets(const AnbKnnRows *rows, float near, float *u, float *place)
{
    anb_knn_plane_kernels.offsets(rows, near, u, place);
}

/* Roots of n squares, and weights 1 / (soft + root); n a multiple of sixteen. */
static inline void anb_knn_plane_weights(const float *square, size_t n, float soft, float *share, float *weight)
{
    anb_knn_plane_kernels.weights(square, n, soft, share, weight);
}

#endif
