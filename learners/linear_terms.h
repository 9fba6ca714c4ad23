/* Shared by learners that predict b + w . x: predictions after a step that diverged, the share of small terms, and
 * slopes after a change of a feature's unit. */
#ifndef ANB_LEARNERS_LINEAR_TERMS_H
#define ANB_LEARNERS_LINEAR_TERMS_H

#include <math.h>
#include <stddef.h>

/* v, or 0 where it is not finite. A restarted model predicts 0; so does one that has diverged and restarts at its next
 * update. */
static inline double anb_finite_or_0(double v)
{
    return v - v == 0 ? v : 0;
}

static inline void anb_all_finite_or_0(double *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        f[i] = anb_finite_or_0(f[i]);
}

/* Which share of the n terms unit * w_j * x_j is below a hundredth of the prediction f. */
static inline double anb_small_terms(const double *w, double unit, const double *x, size_t n, double f)
{
    double bound = .01 * fabs(f);
    size_t small = 0;
    for (size_t j = 0; j < n; j++)
        small += fabs(unit * w[j] * x[j]) < bound;
    return (double)small / (double)n;
}

/*
 * A feature changes its unit, old x = alpha new x + beta: the part of the slope w, in the old unit, that is kept. The
 * new slope is kept alpha, and kept beta is added to the constant, so that the prediction at the old centre stays.
 *
 * If the unit has become smaller the slope stays the same function. If it has become larger the weight keeps its value
 * in the new unit, which is a flatter slope: a step corrects one number, the error, and slopes that grew with their
 * units would grow without end where several features rise together. If the unit has grown by more than `most`, all
 * rows so far lie at one point of the new unit and tell no slope: it restarts at 0.
 */
static inline double anb_slope_kept(double w, double alpha)
{
    const double most = 16, size = fabs(alpha);
    return size > most ? 0 : size > 1 ? w / size : w;
}

#endif
