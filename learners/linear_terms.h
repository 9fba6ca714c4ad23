/* Shared by learners that predict b + w . x: predictions after a step that diverged, and the share of small terms. */
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

#endif
