/*
 * Whether a correction of a prediction has shown to be better than none.
 *
 *     u: what the correction lowers the squared error by, in units of the errors' size
 *     D = sum of u     V = sum of u^2, discounted by .999 and .998
 *     the correction counts from D > clear sqrt(V) on, until D < 0
 */
#ifndef ANB_NUMERIC_GAIN_TEST_H
#define ANB_NUMERIC_GAIN_TEST_H

#include <math.h>

typedef struct AnbGainTest {
    double gain, noise, open; /* D, V, 1: the correction counts */
} AnbGainTest;

static inline void anb_gain_test_learn(AnbGainTest *test, double u, double clear)
{
    const double fade = .999;
    test->gain = fade * test->gain + u;
    test->noise = fade * fade * test->noise + u * u;
    if (test->gain > clear * sqrt(test->noise))
        test->open = 1;
    else if (test->gain < 0)
        test->open = 0;
}

#endif
