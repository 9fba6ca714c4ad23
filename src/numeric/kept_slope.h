/*
 * Slopes after a change of a feature's unit, old x = alpha new x + beta (reframe in type.h): the part of the slope w,
 * in the old unit, that is kept. The new slope is kept alpha, and kept beta is added to the constant, so that the
 * prediction at the old centre stays.
 *
 * If the unit has become smaller the slope stays the same function. If it has become larger the weight keeps its value
 * in the new unit, which is a flatter slope: a step corrects one number, the error, and slopes that grew with their
 * units would grow without end where several features rise together. If the unit has grown by more than `most`, all
 * rows so far lie close to one point in the new unit, so they do not determine a slope: it restarts at 0.
 */
#ifndef ANB_NUMERIC_KEPT_SLOPE_H
#define ANB_NUMERIC_KEPT_SLOPE_H

#include <math.h>
#include <stddef.h>

static inline double anb_slope_kept(double w, double alpha)
{
    const double most = 16, size = fabs(alpha);
    return size > most ? 0 : size > 1 ? w / size : w;
}

/* Converts n slopes and their constant. */
static inline void anb_slopes_keep(double *w, double *constant, const double *alpha, const double *beta, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        double kept = anb_slope_kept(w[j], alpha[j]);
        *constant += kept * beta[j];
        w[j] = kept * alpha[j];
    }
}

#endif
