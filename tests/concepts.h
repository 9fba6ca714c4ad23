/* Two concepts on five uniform features, for learners that have to follow when one gives way to the other. */
#ifndef ANB_TESTS_CONCEPTS_H
#define ANB_TESTS_CONCEPTS_H

#include "src/numeric/random.h"
#include <anabranch/anabranch.h>
#include <math.h>

/* The second concept is the first with the other sign. */
static inline double concept(const double *x, int which)
{
    double f = 10 * sin(3 * x[0] * x[1]) + 5 * x[2] * x[2] + 3 * x[3];
    return which ? -f : f;
}

/* Each in [-1, 1). */
static inline void uniform_row(AnbRandom *random, double *x, size_t d)
{
    for (size_t j = 0; j < d; j++)
        x[j] = 2 * anb_random_uniform(random) - 1;
}

/* RMSE over n rows of a concept with noise of deviation 1/2; the model learns them. */
static inline double run(StreamingLearner *model, AnbRandom *random, int which, int n)
{
    double sum = 0, x[5];
    for (int t = 0; t < n; t++) {
        uniform_row(random, x, 5);
        double y = concept(x, which) + 0.5 * anb_random_normal(random), error = y - anb_train_one(model, x, y, 1);
        sum += error * error;
    }
    return sqrt(sum / n);
}

#endif
