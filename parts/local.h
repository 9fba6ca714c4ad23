/*
 * Weighted ridge regression of a few rows about a point, as used on the neighbours of a query.
 *
 *     minimise  sum over i of w_i (y_i - a - b.(x_i - m))^2 + sum over j of penalty_j b_j^2
 *
 * with m the weighted mean of the rows: a is then the weighted mean of y, and the value at the query q is a + b.(q - m).
 * Cost: rows d^2 / 2 multiply-adds for the moments, d^3 / 6 for Cholesky's factors.
 */
#ifndef ANB_PARTS_LOCAL_H
#define ANB_PARTS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

/* Doubles of work space for `rows` rows of d features. */
size_t anb_local_work(size_t rows, size_t d);

/**
 * Fits a plane.
 *
 * @param x        rows of d values each, `stride` apart
 * @param y        one value a row
 * @param weight   one weight a row, > 0
 * @param metric   d factors > 0: feature j's penalty is ridge / metric[j] times the mean over l of metric[l] A[l][l], A the
 *                 weighted moments
 * @param ridge    > 0
 * @param query    d values
 * @param slope    out: b, d values
 * @param mean     out: a
 * @param work     anb_local_work doubles
 * @return         the plane at the query; a where no feature varies (the slopes are 0 then)
 */
double anb_local_fit(const double *x, size_t stride, const double *y, const double *weight, size_t rows, size_t d,
                     const double *metric, double ridge, const double *query, double *slope, double *mean,
                     double *work);

#endif
