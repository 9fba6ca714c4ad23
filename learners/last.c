/* Predicts the last target: persistence, the baseline for autocorrelated streams. */
#include <anabranch/learners.h>
#include <anabranch/reach.h>

static const AnbField fields[] = {{.name = "last", .kind = ANB_F64, .fixed = 1, .must = ANB_FINITE}, {0}};

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    return *(const double *)state;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    (void)self, (void)row, (void)weight, (void)scratch;
    *(double *)state = y;
}

static const AnbShapleyTable shapley = {anb_split_constant};

const StreamingLearnerType anb_last = {
    .name = "last",
    .brief = "the last target seen",
    .example = "last",
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_TAKES_MISSING | ANB_WEIGHT_EXACT | ANB_CLIPPED,
    .version = 1,
    .fields = fields,
    .predict = predict,
    .update = update,
    .shapley = &shapley,
};
