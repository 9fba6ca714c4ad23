/*
 * The usual size of errors: a running mean of |e|, each bounded by four of it.
 *
 *     m <- m + a (min(|e|, 4 m) - m)     a = max(.01, 1 / (n + 1)); the first 16 are not bounded
 *
 * Unlike error_scale.h it grows by 3 % a row at most: a jump of the target stays far beyond it for some rows, which is how one
 * is told from noise.
 */
#ifndef ANB_NUMERIC_ERROR_SIZE_H
#define ANB_NUMERIC_ERROR_SIZE_H

#include <math.h>

/* m after the error e; n errors came before. */
static inline double anb_error_size_next(double m, double e, double n)
{
    const double pace = .01, most = 4 * m, bounded = 16;
    double rate = 1 / (n + 1), size = fabs(e);
    size = n >= bounded && size > most ? most : size;
    return m + (rate > pace ? rate : pace) * (size - m);
}

#endif
