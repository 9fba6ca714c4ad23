/* Helpers of wrappers that append features to the row: their scale, importances, and changes of unit for the
 * children. */
#ifndef ANB_LEARNERS_EXTENDED_H
#define ANB_LEARNERS_EXTENDED_H

#include "src/numeric/clip.h"
#include <stddef.h>

/* v in deviations from the mean, clipped to +-most; 0 where that is NaN. */
static inline double anb_standing(double v, double mean, double inverse, double most)
{
    double z = (v - mean) * inverse;
    return z != z ? 0 : anb_clip(z, most);
}

/* Importance shares of d features and of those appended, which get the mean share; NULL where there are no shares. */
static inline const double *anb_extended_shares(const double *share, size_t d, size_t width, double *out)
{
    for (size_t j = 0; share && j < width; j++)
        out[j] = j < d ? share[j] * (double)d / (double)width : 1 / (double)width;
    return share ? out : NULL;
}

/* The change of unit (reframe in type.h) of d features and those behind them, whose unit stays: `width` factors, then
 * as many shifts. */
static inline void anb_extended_units(const double *alpha, const double *beta, size_t d, size_t width, double *unit)
{
    for (size_t j = 0; j < width; j++) {
        unit[j] = j < d ? alpha[j] : 1;
        unit[width + j] = j < d ? beta[j] : 0;
    }
}

#endif
