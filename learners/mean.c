/*
 * The running mean of the target: the best constant prediction, and the baseline for every other learner.
 *
 *     n += weight     mean += (y - mean) weight / n
 */
#include "src/numeric/moments.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

typedef struct Mean {
    double n, mean;
} Mean;

static const AnbField members[] = {
    {ANB_MEMBER(Mean, n), .must = ANB_FINITE | ANB_NOT_NEGATIVE}, {ANB_MEMBER(Mean, mean), .must = ANB_FINITE}, {0}};
static const AnbField fields[] = {{ANB_STRUCT(Mean, members)}, {0}};

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

static const AnbShapleyTable shapley = {anb_split_constant};

const StreamingLearnerType anb_mean = {
    .name = "mean",
    .brief = "the running mean of the target",
    .example = "mean",
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_TAKES_MISSING | ANB_WEIGHT_EXACT | ANB_CLIPPED,
    .version = 1,
    .fields = fields,
    .predict = predict,
    .update = update,
    .shapley = &shapley,
};
