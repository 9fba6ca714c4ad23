/*
 * A stream in which the target stays near the last one where x_0 > 0 and is drawn anew elsewhere: what the last target
 * means depends on the row.
 */
#ifndef ANB_TESTS_STAYING_H
#define ANB_TESTS_STAYING_H

#include "made.h"
#include "numbers.h"
#include <math.h>

enum { STAYING_FEATURES = 2, STAYING_ROWS = 6000, NO_ROW = -1 };

/* The best there is: no error where the target stays, the deviation of the draw, 4 / sqrt(12), in the other half. */
static inline double staying_best(void)
{
    return sqrt(0.5 * 16 / 12.0);
}

/* RMSE over the second half, in units of the factor that the targets are multiplied by. The target of row `wrong` is
 * 1e9. */
static inline double staying_error(const char *expression, double factor, uint64_t seed, int wrong)
{
    StreamingLearner *model = made(STAYING_FEATURES, expression);
    double y = 0, sum = 0, x[STAYING_FEATURES];
    for (int n = 0; n < STAYING_ROWS; n++) {
        for (size_t j = 0; j < STAYING_FEATURES; j++)
            x[j] = noise(&seed);
        y = x[0] > 0 ? y + 0.05 * noise(&seed) : 4 * noise(&seed);
        double said = anb_predict(model, x), f = anb_train_one(model, x, n == wrong ? 1e9 : y * factor, 1);
        ck_assert_double_eq(f, said);
        f /= factor;
        sum += n < STAYING_ROWS / 2 ? 0 : (f - y) * (f - y);
    }
    anb_free(model);
    return sqrt(sum / (STAYING_ROWS - STAYING_ROWS / 2));
}

#endif
