/* The end of AnbDirectTable.predict_or. */
#ifndef ANB_NUMERIC_FALLBACK_H
#define ANB_NUMERIC_FALLBACK_H

#include <anabranch/capability.h>
#include <float.h>
#include <math.h>

/* f where it is finite, else what the fallback returns. */
static inline double anb_finite_or(double f, const void *state, const double *x, AnbFallback fallback)
{
    return __builtin_expect(fabs(f) <= DBL_MAX, 1) ? f : fallback(state, x);
}

/* A fallback that changes nothing. */
static inline double anb_unsure(const void *state, const double *x)
{
    (void)state, (void)x;
    return ANB_NAN;
}

#endif
