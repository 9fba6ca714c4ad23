/*
 * Weighted ridge regression of a few rows about a point, as used on the neighbours of a query.
 *
 *     minimise  sum over i of w_i (y_i - a - b.(u_i - m))^2 + sum over j of penalty_j b_j^2
 *
 * with u_i the row's offset from the query and m their weighted mean: a is then the weighted mean of y, and the plane's
 * value at the query a - b.m. The moments are taken about the query, which lies among its neighbours, and moved to m
 * afterwards; a feature whose variance is below 1e-10 of its square there counts as constant.
 *
 * Cost: rows d^2 / 2 multiply-adds for the moments, d^3 / 6 for the factors L D L'. Same bits on every instruction set.
 */
#ifndef ANB_LEARNERS_KNN_RIDGE_PLANE_H
#define ANB_LEARNERS_KNN_RIDGE_PLANE_H

#include "src/simd/isa.h"
#include <stddef.h>

typedef struct AnbRidgePlaneKernels {
    double (*fit)(double *u, const double *y, const double *weight, size_t rows, size_t d, const double *metric,
                  double ridge, double *slope, double *mean, double *work);
    void (*fit_many)(double *many, size_t d, const double *metric, double ridge, double *plane, double *mean);
    void (*squares)(const double *u, size_t stride, size_t rows, size_t d, const double *by, double *out);
} AnbRidgePlaneKernels;

ANB_ISA_TABLE(AnbRidgePlaneKernels, anb_ridge_plane_kernels);

/* Doubles from one row to the next: d offsets, two of work space, zeros up to whole lanes. */
static inline size_t anb_ridge_plane_stride(size_t d)
{
    return (d + 2 + 7) / 8 * 8;
}

/* Doubles of work space for `rows` rows of d features. */
static inline size_t anb_ridge_plane_work(size_t rows, size_t d)
{
    return (rows + d + 1) * anb_ridge_plane_stride(d);
}

/**
 * Fits a plane.
 *
 * @param u       rows of d offsets from the query, anb_ridge_plane_stride(d) apart; what is behind them is overwritten
 * @param y       one value a row
 * @param weight  one weight a row, > 0
 * @param metric  d factors > 0: feature j's penalty is ridge / metric[j] times the mean over l of metric[l] A[l][l], A
 *                the weighted moments
 * @param ridge   > 0
 * @param slope   out: b, d values
 * @param mean    out: a
 * @param work    anb_ridge_plane_work doubles
 * @return        the plane at the query; a where no feature varies (the slopes are 0 then)
 */
static inline double anb_ridge_plane_fit(double *u, const double *y, const double *weight, size_t rows, size_t d,
                                         const double *metric, double ridge, double *slope, double *mean, double *work)
{
    return anb_ridge_plane_kernels.fit(u, y, weight, rows, d, metric, ridge, slope, mean, work);
}

/* Right after a fit of `rows` rows that left `work`: what each of d features adds to the mean, out_j = -b_j m_j. */
static inline void anb_ridge_plane_parts(size_t rows, size_t d, const double *slope, const double *work, double *out)
{
    const double *sums = work + (rows + d) * anb_ridge_plane_stride(d);
    for (size_t j = 0; j < d; j++)
        out[j] = -slope[j] * (sums[j] / sums[d + 1]);
}

enum { ANB_RIDGE_PLANE_MANY = 8 };

/* Where column c >= j of row j of the moments of d features lies among those of several queries: the upper triangle, of each
 * row the columns up to d, of y, and d + 1, of a constant 1. From (d, d) on: the sums of the weights, of the weighted y,
 * and what y is about. Each has ANB_RIDGE_PLANE_MANY doubles. */
static inline size_t anb_ridge_plane_cell(size_t d, size_t j, size_t c)
{
    return j * (d + 1) - j * (j - 1) / 2 + c;
}

/* Doubles that the moments of ANB_RIDGE_PLANE_MANY queries take. */
static inline size_t anb_ridge_plane_room(size_t d)
{
    return (anb_ridge_plane_cell(d, d, d) + 3) * ANB_RIDGE_PLANE_MANY;
}

/* Fits all ANB_RIDGE_PLANE_MANY of them, whose moments are used up: to the bit what anb_ridge_plane_fit says of each. */
static inline void anb_ridge_plane_fit_many(double *many, size_t d, const double *metric, double ridge, double *plane,
                                            double *mean)
{
    anb_ridge_plane_kernels.fit_many(many, d, metric, ridge, plane, mean);
}

/* out[j] = sum over the rows of by_i u_ij^2, for j below d rounded up to whole lanes, out as well. */
static inline void anb_ridge_plane_squares(const double *u, size_t stride, size_t rows, size_t d, const double *by,
                                           double *out)
{
    anb_ridge_plane_kernels.squares(u, stride, rows, d, by, out);
}

#endif
