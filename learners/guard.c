/*
 * A guard for streams without signal: there the running mean is the best there is, and what a child says beyond it is
 * noise.
 *
 *     d = f(x) - mean     A += d (y - mean)     B += d^2     a = A / B clipped to 0 .. 1
 *     output = BOA over { mean, mean + a d, f }, its memory growing with the stream (boa.h)
 *
 * a shrinks a child that exaggerates; the BOA gives all its weight to one of the three within some hundred samples
 * where they differ, and none of them is ever more than its small regret away.
 *
 * State: range, mean, A, B, a BOA of 3. Cost: about 60 ns.
 */
#include "src/numeric/boa.h"
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include "src/numeric/outlook.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { OFFERS = 3 };

typedef struct Guard {
    AnbRange range;
    double weight, mean, along, square; /* sum of weights, running mean, A, B */
} Guard;

static const AnbField members[] = {{ANB_INNER(Guard, range, AnbRange, anb_range_fields)},
                                   {ANB_MEMBER(Guard, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Guard, mean), .must = ANB_FINITE},
                                   {ANB_MEMBER(Guard, along), .must = ANB_FINITE},
                                   {ANB_MEMBER(Guard, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};

static size_t offers(const AnbNode *self)
{
    (void)self;
    return OFFERS;
}

static const AnbBoaForm boa_form = {offers};

enum { HEAD, BOA };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Guard, members)}, [BOA] = {.name = "boa", .part = &anb_boa_part, .form = &boa_form}, {0}};

enum { OFFER, WEIGHT };
static const AnbField scratch_fields[] = {[OFFER] = {.name = "offer", .kind = ANB_F64, .fixed = OFFERS},
                                          [WEIGHT] = {.name = "weight", .kind = ANB_F64, .fixed = OFFERS},
                                          {0}};

/* The three offers. */
enum { MEAN, SHRUNK, CHILD };

static int init(const AnbNode *self, void *state)
{
    (void)self;
    anb_boa_start(anb_field(self, state, BOA), OFFERS);
    return 0;
}

/* a: how much of the child's distance from the mean to believe. */
static double shrink_of(const Guard *s)
{
    double share = s->square > 0 ? s->along / s->square : 1;
    return share > 1 ? 1 : share > 0 ? share : 0;
}

/* The mix of the three offers, whose weights are in the scratch. */
static double offered(const AnbNode *self, const Guard *s, double share, double said, double *scratch)
{
    double f = anb_child_limited(self, &s->range, said);
    scratch[MEAN] = s->range.seen ? s->mean : f;
    scratch[SHRUNK] = anb_within_doubles(scratch[MEAN] * (1 - share) + f * share);
    scratch[CHILD] = f;
    return anb_mix(anb_scratch(self, scratch, WEIGHT), scratch, OFFERS);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double f = anb_child_predict(self, 0, state, row, scratch);
    anb_boa_weights(anb_field_const(self, state, BOA), OFFERS, NULL, anb_scratch(self, scratch, WEIGHT));
    return offered(self, state, shrink_of(state), f, scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    double share = shrink_of(state);
    anb_child_predict_many(self, 0, state, rows, scratch, out);
    anb_boa_weights(anb_field_const(self, state, BOA), OFFERS, NULL, anb_scratch(self, scratch, WEIGHT));
    for (size_t i = 0; i < rows->n; i++)
        out[i] = offered(self, state, share, out[i], scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Guard *s = state;
    double d = scratch[CHILD] - scratch[MEAN], said = anb_mix(anb_scratch(self, scratch, WEIGHT), scratch, OFFERS);
    double *boa = anb_field(self, state, BOA), discount = anb_boa_growing(boa, OFFERS, 1);
    y = anb_boa_learn(boa, OFFERS, discount, NULL, scratch, said, y, weight);
    s->along += weight * (d * (y - scratch[MEAN]));
    s->square += weight * (d * d);
    if (!(fabs(s->along) + s->square < 0x1p1000))
        s->along = s->square = 0;
    s->weight += weight;
    s->mean = anb_toward(s->mean, y, weight / s->weight);
    anb_range_follow(&s->range, y);
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

/* The output is affine in the child's prediction as long as that is not clipped. */
static bool split(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    const Guard *s = state;
    const double *weight = anb_scratch(self, pair->scratch, WEIGHT);
    double shrink = shrink_of(s), taken = weight[CHILD] + weight[SHRUNK] * shrink;
    taken = s->range.seen ? taken : 1;
    if (!anb_child_split(self, 0, state, pair, share * taken, out) || !anb_range_spares(&s->range, out->low, out->high))
        return false;
    double constant = s->range.seen ? s->mean * (1 - taken) : 0;
    out->low = constant + taken * out->low;
    out->high = constant + taken * out->high;
    return true;
}

static const AnbShapleyTable shapley = {split};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Guard *s = state;
    (void)self;
    if (!anb_range_valid(&s->range))
        return anb_fail(error, ANB_E_STATE, "guard: the target range is not ordered");
    return 0;
}

const StreamingLearnerType anb_guard = {
    .name = "guard",
    .brief = "keeps a learner close to the running mean where there is no signal",
    .example = "guard(scale(linear))",
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_READS_OLDER | ANB_CLIPPED |
             ANB_SINCE_0_3,
    .version = 2,
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .validate = validate,
};
