/*
 * The running mean of the target: what a stream without signal deserves, and what every other learner has to beat.
 *
 *     n += weight     mean += (y - mean) weight / n
 */
#include "src/numeric/moments.h"
#include <anabranch/learners.h>

typedef struct Mean {
    double n, mean;
} Mean;

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){sizeof(Mean), 0};
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    return ((const Mean *)state)->mean;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Mean *s = state;
    (void)self, (void)row, (void)scratch;
    s->n += weight;
    s->mean = anb_toward(s->mean, y, weight / s->n);
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    (void)self;
    anb_visit(visitor, state, ANB_F64, sizeof(Mean) / sizeof(double));
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Mean *s = state;
    (void)self;
    bool fine = s->n >= 0 && s->n - s->n == 0 && s->mean - s->mean == 0;
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "mean: not a mean");
}

const StreamingLearnerType anb_mean = {
    .name = "mean",
    .brief = "the running mean of the target",
    .example = "mean",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_EXACT | ANB_CLIPPED,
    .version = 1,
    .need = need,
    .predict = predict,
    .update = update,
    .ranges = ranges,
    .validate = validate,
};
