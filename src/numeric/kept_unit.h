/*
 * Stored features in the unit that they arrived in, while the unit of new rows changes (reframe in type.h).
 *
 *     value in the present unit = (stored cell - origin) inverse
 *
 * A change of unit updates origin and inverse of each feature and touches no cell. Only when the two units are so far
 * apart that floats or codes would lose digits are the cells converted; then origin = 0 and inverse = 1 again.
 */
#ifndef ANB_NUMERIC_KEPT_UNIT_H
#define ANB_NUMERIC_KEPT_UNIT_H

#include "clip.h"
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* A cell in the present unit, clipped to +-bound; and a value in the present unit as a cell. */
static inline double anb_kept_now(double cell, double inverse, double origin, double bound)
{
    return anb_clip((cell - origin) * inverse, bound);
}

static inline double anb_kept_cell(double now, double inverse, double origin)
{
    return now / inverse + origin;
}

/* The present unit changes: old x = alpha new x + beta. */
static inline void anb_kept_move(double *inverse, double *origin, double alpha, double beta)
{
    *origin += beta / *inverse;
    *inverse /= alpha;
}

/* Whether the units differ by less than a factor of `far`, and by less than `far` in the present one. */
static inline bool anb_kept_is_near(double inverse, double origin, double far)
{
    return inverse < far && inverse * far > 1 && fabs(origin * inverse) < far;
}

/* Converts n cells, `stride` apart, to the present unit; returns the largest size of one. */
static inline double anb_kept_turn(double *inverse, double *origin, float *cell, size_t n, size_t stride, double bound)
{
    double reach = 0;
    for (size_t i = 0; i < n; i++, cell += stride) {
        double x = anb_kept_now((double)*cell, *inverse, *origin, bound);
        *cell = (float)x;
        reach = fabs(x) > reach ? fabs(x) : reach;
    }
    *inverse = 1;
    *origin = 0;
    return reach;
}

#endif
