/*
 * Weighted ridge regression on a few rows about a point, in floats: the plane through the neighbours of a query.
 *
 *     minimise  sum over i of w_i (y_i - a - b.(u_i - m))^2 + sum over j of penalty_j b_j^2
 *
 * u_i is the row's offset from an origin, m the weighted mean of the u_i; a is then the weighted mean of y, and the
 * plane's value at a place p, also an offset, is a + b.(p - m). The moments are computed about the origin and moved to
 * m afterwards. A feature whose variance is below 1e-6 of its mean square about the origin counts as constant.
 *
 * Why floats are enough. Required are |u| <= 2, |y| <= 1, weights of .9 to 50, up to 1024 rows, metrics of 1 to 4, and
 * an origin that is one of the rows or no further from them than they from each other. Then no sum leaves the floats,
 * and the variance of a feature that varies is at least 2e-5 of its mean square. As the penalties are at least ridge /
 * 4 of the mean moment, the condition number is at most 4 d / ridge. So b has about four digits in the worst case, and
 * the plane's value six, at a place about as far from the rows as these from each other; farther out the error grows
 * with the ratio of the distances. If the rows lie so close together, in units of the place's distance, that the ridge
 * is below 1e-10 of the sum of weights (3e-5 a feature apart with a ridge of .1), the result is the mean alone.
 *
 * Cost: rows d^2 / 2 multiply-adds for the moments, d^3 / 6 for the factors L D L'. Same bits on every instruction set.
 */
#ifndef ANB_LEARNERS_KNN_RIDGE_PLANE_H
#define ANB_LEARNERS_KNN_RIDGE_PLANE_H

#include "src/simd/isa.h"
#include <stddef.h>

/* Rows with targets and weights. */
typedef struct AnbRidgeRows {
    float *u;                /* anb_ridge_plane_stride(d) apart; what is behind the d offsets is overwritten */
    const float *y, *weight; /* one a row */
    size_t rows, d;
} AnbRidgeRows;

/* The penalties of a plane, and the point where it is evaluated. */
typedef struct AnbRidgeRule {
    const float *metric; /* d factors: feature j's penalty is ridge / metric[j] times the mean over l of metric[l]
                            A[l][l], A the weighted moments */
    const float *place;  /* p: d values; of several queries in lanes */
    float ridge;         /* > 0 */
} AnbRidgeRule;

typedef struct AnbRidgePlaneKernels {
    float (*fit)(const AnbRidgeRows *rows, const AnbRidgeRule *rule, float *slope, float *mean, float *work);
    void (*fit_many)(float *many, size_t d, const AnbRidgeRule *rule, float *plane, float *mean);
    void (*lines)(const float *u, size_t stride, size_t rows, const float *slope, float *out);
    void (*squares)(const float *u, size_t stride, size_t rows, size_t d, const float *place, const float *by,
                    float *out);
} AnbRidgePlaneKernels;

ANB_ISA_TABLE(AnbRidgePlaneKernels, anb_ridge_plane_kernels);

/* Floats from one row to the next: d offsets, two of work space, zeros up to whole lanes. */
static inline size_t anb_ridge_plane_stride(size_t d)
{
    return (d + 2 + 15) / 16 * 16;
}

/* Floats of work space for `rows` rows of d features. */
static inline size_t anb_ridge_plane_work(size_t rows, size_t d)
{
    return (rows + 2 * d + 1) * anb_ridge_plane_stride(d);
}

/**
 * Fits a plane.
 *
 * @param rows   rows of d offsets
 * @param rule   penalties, and the point where the plane is evaluated
 * @param slope  out: b, d values
 * @param mean   out: a
 * @param work   anb_ridge_plane_work floats
 * @return       the plane at the place; a where no feature varies (the slopes are 0 then)
 */
static inline float anb_ridge_plane_fit(const AnbRidgeRows *rows, const AnbRidgeRule *rule, float *slope, float *mean,
                                        float *work)
{
    return anb_ridge_plane_kernels.fit(rows, rule, slope, mean, work);
}

/* Right after a fit of `rows` rows that left `work`: what each of d features adds to the mean, out_j = b_j (p_j
 * - m_j). */
static inline void anb_ridge_plane_parts(size_t rows, size_t d, const float *slope, const float *place,
                                         const float *work, float *out)
{
    const float *sums = work + (rows + d) * anb_ridge_plane_stride(d);
    for (size_t j = 0; j < d; j++)
        out[j] = slope[j] * (place[j] - sums[j] / sums[d + 1]);
}

enum { ANB_RIDGE_PLANE_MANY = 16 };

/* Where column c >= j of row j of the moments of d features lies among those of several queries: the upper triangle, of
 * each row the columns up to d, of y, and d + 1, of a constant 1. From (d, d) on: the sums of the weights and of the
 * weighted y. Each has ANB_RIDGE_PLANE_MANY floats. */
static inline size_t anb_ridge_plane_cell(size_t d, size_t j, size_t c)
{
    return j * (d + 1) - j * (j - 1) / 2 + c;
}

/* Floats that the moments of ANB_RIDGE_PLANE_MANY queries take. */
static inline size_t anb_ridge_plane_room(size_t d)
{
    return (anb_ridge_plane_cell(d, d, d) + 2) * ANB_RIDGE_PLANE_MANY;
}

/* Fits all ANB_RIDGE_PLANE_MANY of them, whose moments are used up: to the bit the results of anb_ridge_plane_fit for
 * each. */
static inline void anb_ridge_plane_fit_many(float *many, size_t d, const AnbRidgeRule *rule, float *plane, float *mean)
{
    anb_ridge_plane_kernels.fit_many(many, d, rule, plane, mean);
}

/* out_i = slope . u_i; the slope has zeros up to the stride. */
static inline void anb_ridge_plane_lines(const float *u, size_t stride, size_t rows, const float *slope, float *out)
{
    anb_ridge_plane_kernels.lines(u, stride, rows, slope, out);
}

/* out_j = sum over the rows of by_i (u_ij - p_j)^2, for j below d rounded up to whole lanes, place and out as well. */
static inline void anb_ridge_plane_squares(const float *u, size_t stride, size_t rows, size_t d, const float *place,
                                           const float *by, float *out)
{
    anb_ridge_plane_kernels.squares(u, stride, rows, d, place, by, out);
}

#endif
