#include "stale.h"
#include "cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 100, CELLS = 1 << 16, LEAST = 8 }; /* rows to tell of; cells that are kept; rows to judge by */
enum { YOUNG = 500 };                            /* samples up to which each moves all predictions */
static const size_t large = (size_t)1 << 30;     /* bytes of models that are not copied */
/* How far the predictions follow a target that is off by their deviation, as a share of it. Models of rows in random
 * order follow by up to .1, those of hourly traffic and rentals by .4 to .9. */
static const double clear = .2;

void stale_see(Stale *stale, const double *x, const double *prediction, size_t n, size_t d)
{
    size_t most = CELLS / d < MANY ? CELLS / d : MANY, more = most - stale->kept < n ? most - stale->kept : n;
    stale->d = d;
    stale->rows += n;
    if (!stale->x && most > 0)
        stale->x = malloc(most * (d + 1) * sizeof *x);
    if (!stale->x || more == 0)
        return;
    stale->prediction = stale->x + most * d;
    memcpy(stale->x + stale->kept * d, x, more * d * sizeof *x);
    memcpy(stale->prediction + stale->kept, prediction, more * sizeof *prediction);
    stale->kept += more;
}

static bool has_past_targets(const StreamingLearner *model)
{
    static const char *const names[] = {"residual_ar(", "season(", "jumps(", "past(", "last"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        found |= strstr(anb_expression(model), names[i]) != NULL;
    return found;
}

/* Of n predictions, those that are not NaN. */
static double deviation(const double *prediction, size_t n)
{
    double count = 0, sum = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(prediction[i])) {
            count++;
            sum += prediction[i];
        }
    for (size_t i = 0; i < n && count > 0; i++)
        square += isnan(prediction[i]) ? 0 : (prediction[i] - sum / count) * (prediction[i] - sum / count);
    return count >= LEAST ? sqrt(square / count) : 0;
}

/* By how much the predictions change, in the mean, where the first row had a target that is off by so much. `other`:
 * room for as many predictions as are kept. */
static double change(const Stale *stale, const StreamingLearner *model, double off, double *other)
{
    const double *prediction = stale->prediction;
    size_t first = 0, count = 0;
    double sum = 0;
    StreamingLearner *copy = anb_clone(model, NULL);
    if (!copy)
        return 0;
    while (isnan(prediction[first]))
        first++;
    anb_train_one(copy, stale->x + first * stale->d, prediction[first] + off, 1);
    anb_predict_many(copy, stale->x, stale->kept, other);
    anb_free(copy);
    for (size_t i = 0; i < stale->kept; i++)
        if (!isnan(prediction[i]) && !isnan(other[i])) {
            sum += other[i] - prediction[i];
            count++;
        }
    return count > 0 ? sum / (double)count : 0;
}

/* Whether one more target, too high or too low by the deviation of the predictions, moves these by more than the share
 * `clear` of it. */
static bool follows(const Stale *stale, const StreamingLearner *model)
{
    double *other = malloc(stale->kept * sizeof *other), by = deviation(stale->prediction, stale->kept);
    bool found = other && by > 0 && change(stale, model, by, other) - change(stale, model, -by, other) > 2 * clear * by;
    free(other);
    return found;
}

void stale_warn(Stale *stale, const StreamingLearner *model, const char *table)
{
    bool asked = stale->rows >= MANY && stale->kept >= LEAST && has_past_targets(model) &&
                 anb_counters(model)->trained >= YOUNG && anb_total_bytes(model) <= large;
    if (asked && follows(stale, model))
        complain(0,
                 "%s: %llu rows were predicted without a target between them, by a model that follows the last targets "
                 "it has learned: where rows are in the order of time, one of auto(lags=false) errs less",
                 table, (unsigned long long)stale->rows);
    free(stale->x);
    *stale = (Stale){0};
}
