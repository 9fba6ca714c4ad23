/*
 * A divisor for steps that follow noise, from the errors of rows that reach the same leaves.
 *
 *     e, f      the error of a row, and the sum of its leaves' fast values, which follow the last errors there
 *               (learners/sgbt.c); both in units of the level of errors
 *     b       = least squares of e on f, faded by 0.99, in [-1, 1]
 *     1 + u  <- (1 + u) (1 - 0.003 b)         u in [0, 5]: divides the steps by 1 + u
 *
 * b > 0: errors in the same leaves tend to have the same sign as the last ones, so the steps are too small. b < 0: they
 * tend to have the opposite sign, since the leaves follow noise. In units of their level, errors from before a fall of
 * the noise count no more than those after it.
 */
#ifndef ANB_LEARNERS_BOOST_STEP_CAUTION_H
#define ANB_LEARNERS_BOOST_STEP_CAUTION_H

#include "src/numeric/clip.h"

#define ANB_MOST_CAUTION 5.

typedef struct AnbStepSums {
    double cross, square; /* faded: e f, f^2 */
} AnbStepSums;

/* Returns u after a row. `share` is the row's weight, 1 at most. */
static inline double anb_step_caution(AnbStepSums *sums, double caution, double share, double error, double nearby)
{
    const double keep = .99, pace = .003;
    sums->cross = keep * sums->cross + share * error * nearby;
    sums->square = keep * sums->square + share * nearby * nearby;
    if (sums->cross - sums->cross != 0 || sums->square - sums->square != 0)
        sums->cross = sums->square = 0;
    double again = sums->square > 0 ? anb_clip(sums->cross / sums->square, 1) : 0;
    return anb_clamp((1 + caution) * (1 - pace * share * again) - 1, 0, ANB_MOST_CAUTION);
}

#endif
