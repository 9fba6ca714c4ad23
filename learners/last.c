/* The last target: persistence, the baseline that autocorrelated streams ask for. */
#include <anabranch/learners.h>

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){sizeof(double), 0};
}

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

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    (void)self;
    anb_visit(visitor, state, ANB_F64, 1);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    double last = *(const double *)state;
    (void)self;
    return last - last == 0 ? 0 : anb_fail(error, ANB_E_STATE, "last: the last target is not finite");
}

const StreamingLearnerType anb_last = {
    .name = "last",
    .brief = "the last target seen",
    .example = "last",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_EXACT | ANB_CLIPPED,
    .version = 1,
    .need = need,
    .predict = predict,
    .update = update,
    .ranges = ranges,
    .validate = validate,
};
