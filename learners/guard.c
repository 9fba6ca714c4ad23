/*
 * A guard for streams without signal: there the running mean is the best there is, and what a child says beyond it is
 * noise.
 *
 *     d = f(x) - mean     A += d (y - mean)     B += d^2     a = A / B clipped to 0 .. 1
 *     output = BOA over { mean, mean + a d, f }
 *
 * a shrinks a child that exaggerates; the BOA gives all its weight to one of the three within some hundred samples
 * where they differ, and none of them is ever more than its small regret away.
 *
 * State: range, mean, A, B, a BOA of 3. Cost: about 60 ns.
 */
#include "src/numeric/boa.h"
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include <anabranch/learners.h>

enum { OFFERS = 3, BOA = 16 };

typedef struct Guard {
    AnbRange range;
    double weight, mean, along, square; /* sum of weights, running mean, A, B */
    double boa[BOA];
} Guard;

/* The scratch: the three offers and their weights. */
enum { MEAN, SHRUNK, CHILD, W = 4, SCRATCH = 8 };

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){sizeof(Guard), SCRATCH};
}

static int init(const AnbNode *self, void *state)
{
    (void)self;
    anb_boa_start(((Guard *)state)->boa, OFFERS);
    return 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Guard *s = state;
    double f = anb_range_clip(&s->range, anb_child_predict(self, 0, state, row, scratch));
    double share = s->square > 0 ? s->along / s->square : 1;
    share = share > 1 ? 1 : share > 0 ? share : 0;
    scratch[MEAN] = s->range.seen ? s->mean : f;
    scratch[SHRUNK] = anb_within_doubles(scratch[MEAN] * (1 - share) + f * share);
    scratch[CHILD] = f;
    anb_boa_weights(s->boa, OFFERS, NULL, scratch + W);
    return anb_mix(scratch + W, scratch, OFFERS);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Guard *s = state;
    double d = scratch[CHILD] - scratch[MEAN];
    anb_boa_learn(s->boa, OFFERS, 1, NULL, scratch, anb_mix(scratch + W, scratch, OFFERS), y, weight);
    s->along += weight * (d * (y - scratch[MEAN]));
    s->square += weight * (d * d);
    if (!(fabs(s->along) + s->square < 0x1p1000))
        s->along = s->square = 0;
    s->weight += weight;
    s->mean = anb_toward(s->mean, y, weight / s->weight);
    anb_range_add(&s->range, y);
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static const AnbWrapperTable wrapper = {0};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Guard *s = state;
    (void)self;
    anb_range_visit(&s->range, visitor);
    anb_visit(visitor, &s->weight, ANB_F64, 4);
    anb_boa_visit(s->boa, OFFERS, visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Guard *s = state;
    (void)self;
    if (!(s->weight >= 0 && s->square >= 0 && anb_nonfinite(&s->weight, 4) == 0) || !anb_range_valid(&s->range) ||
        !anb_boa_valid(s->boa, OFFERS))
        return anb_fail(error, ANB_E_STATE, "guard: a sum is not finite or the weights are none");
    return 0;
}

const StreamingLearnerType anb_guard = {
    .name = "guard",
    .brief = "keeps a learner close to the running mean where there is no signal",
    .example = "guard(scale(linear))",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .ranges = ranges,
    .validate = validate,
};
