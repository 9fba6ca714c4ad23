/*
 * The usual size of errors: a running mean of |e|, where each |e| counts as at most four times the mean.
 *
 *     m <- m + a (min(|e|, 4 m) - m)     a = max(.01, 1 / (n + 1)); the first 16 are not bounded
 *
 * Unlike the scale of error_scale.h, m grows by at most 3 % a row. So after a jump of the target the errors stay far
 * above m for some rows, which is how a jump is told from noise.
 */
#ifndef ANB_NUMERIC_ERROR_SIZE_H
#define ANB_NUMERIC_ERROR_SIZE_H

#include <math.h>
#include <stdbool.h>

/* Whether n, from a file, can be a count of rows. */
static inline bool anb_error_size_counts(double n)
{
    return n >= 0 && n <= 0x1p53 && n == floor(n);
}

/* m after the error e; n errors came before. */
static inline double anb_error_size_next(double m, double e, double n)
{
    const double pace = .01, most = 4 * m, bounded = 16;
    double rate = 1 / (n + 1), size = fabs(e);
    size = n >= bounded && size > most ? most : size;
    return m + (rate > pace ? rate : pace) * (size - m);
}

#endif
