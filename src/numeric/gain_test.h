/*
 * A test whether correcting a prediction lowers its squared error.
 *
 *     u: by how much the correction lowers the squared error of a row, in units of the errors' squared size
 *     D = sum of u, discounted by .999     V = sum of u^2, discounted by .998
 *     the correction is used from D > clear sqrt(V) on, until D < 0
 *
 * A u that is not a number, or whose square cannot be summed, is passed over: D and V stay finite.
 */
#ifndef ANB_NUMERIC_GAIN_TEST_H
#define ANB_NUMERIC_GAIN_TEST_H

#include <math.h>

typedef struct AnbGainTest {
    double gain, noise, open; /* D, V, 1: the correction counts */
} AnbGainTest;

static inline void anb_gain_test_learn(AnbGainTest *test, double u, double clear)
{
    const double fade = .999, most = 0x1p500;
    if (!(u < most && u > -most))
        return;
    test->gain = fade * test->gain + u;
    test->noise = fade * fade * test->noise + u * u;
    if (test->gain > clear * sqrt(test->noise))
        test->open = 1;
    else if (test->gain < 0)
        test->open = 0;
}

#endif
