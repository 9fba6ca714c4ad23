/*
 * The residual-lag stage: what a child left over last time, and lately, tells about what it will leave over now.
 *
 *     e = y - f(x)      s = running rms of e, discounted by .999
 *     q = (0.1, last e / s, EWMA(.2) of e / s, EWMA(.03) of e / s), the last three clipped to +-5
 *     v: recursive least squares(.999) from q to e / s, clipped to +-6
 *     output = BOA(.999) over { f, f + s v.q }, each within the seen target range widened by 10 %
 *
 * It uses past targets as inputs: right where they are known by the time of the next row, and then worth much on
 * autocorrelated targets; the BOA keeps it harmless on others. Alone for 10 samples the child speaks.
 *
 * State: range, scale, three residuals, a BOA, an RLS of 4. Cost: about 100 ns.
 */
#include "src/numeric/boa.h"
#include "src/numeric/moments.h"
#include "src/numeric/rls.h"
#include <anabranch/learners.h>

enum { LAGS = 4, FIRST = 10, BOA = 16, BLOCK = 8 };
static const double FADE = 0.999, FAST = 0.2, SLOW = 0.03, NEAR = 5, FAR = 6;
static const AnbRls rls = {.n = LAGS, .intercept = false, .delta = 1, .walk = 0};

typedef struct ResidualAr {
    AnbRange range;
    double weight, square;   /* discounted sums: of weights, of e^2 */
    double last, fast, slow; /* residuals */
    double boa[BOA];         /* of the child and the corrected child */
    double rls[];
} ResidualAr;

/* The scratch: two predictions, their weights, what the rls said, the features, the rls's own. */
enum { F, W = 2, SAID = 4, Q = BLOCK, OWN = 2 * BLOCK };

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){sizeof(ResidualAr) + anb_rls_state(LAGS) * sizeof(double), OWN + anb_rls_scratch(LAGS)};
}

static int init(const AnbNode *self, void *state)
{
    ResidualAr *s = state;
    (void)self;
    anb_boa_start(s->boa, 2);
    anb_rls_init(&rls, s->rls);
    return 0;
}

static double bounded(double v, double by)
{
    return v > by ? by : v < -by ? -by : v;
}

static double scale_of(const ResidualAr *s)
{
    return s->weight > 0 ? sqrt(s->square / s->weight) : 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const ResidualAr *s = state;
    double f = anb_range_clip(&s->range, anb_child_predict(self, 0, state, row, scratch)), scale = scale_of(s);
    scratch[F] = scratch[F + 1] = f;
    if (scale > 0) {
        double q[LAGS] = {0.1, bounded(s->last / scale, NEAR), bounded(s->fast / scale, NEAR),
                          bounded(s->slow / scale, NEAR)};
        memcpy(scratch + Q, q, sizeof q);
        scratch[SAID] = anb_rls_predict(&rls, s->rls, scratch + Q, scratch + OWN);
        double corrected = f + scale * scratch[SAID];
        if (s->range.seen >= FIRST && corrected - corrected == 0)
            scratch[F + 1] = anb_range_clip(&s->range, corrected);
    }
    anb_boa_weights(s->boa, 2, NULL, scratch + W);
    return anb_mix(scratch + W, scratch + F, 2);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    ResidualAr *s = state;
    double e = y - scratch[F], scale = scale_of(s);
    bool fine = true;
    anb_boa_learn(s->boa, 2, FADE, NULL, scratch + F, anb_mix(scratch + W, scratch + F, 2), y, weight);
    if (scale > 0)
        fine = anb_rls_update(&rls, s->rls, bounded(e / scale, FAR) - scratch[SAID], FADE, weight, scratch + OWN);
    s->weight = FADE * s->weight + weight;
    s->square = FADE * s->square + weight * (e * e);
    s->last = e;
    s->fast = anb_ewma(s->fast, e, FAST);
    s->slow = anb_ewma(s->slow, e, SLOW);
    anb_range_add(&s->range, y);
    fine = fine && s->square < 0x1p1000 && s->weight < 0x1p1000 && fabs(s->fast) + fabs(s->slow) < 0x1p1000;
    if (!fine) {
        AnbRange range = s->range;
        anb_node_reset_own(self, s);
        anb_restart_part(row); /* this stage; the child goes on */
        s->range = range;
    }
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    (void)self;
    anb_rls_refresh(&rls, ((ResidualAr *)state)->rls, factor);
}

static const AnbWrapperTable wrapper = {0};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    ResidualAr *s = state;
    (void)self;
    anb_range_visit(&s->range, visitor);
    anb_visit(visitor, &s->weight, ANB_F64, 5);
    anb_boa_visit(s->boa, 2, visitor);
    anb_rls_visit(&rls, s->rls, visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const ResidualAr *s = state;
    (void)self;
    bool fine = s->weight >= 0 && s->square >= 0 && s->weight - s->weight == 0 && s->square - s->square == 0;
    double sum = s->last + s->fast + s->slow;
    if (!fine || !(sum - sum == 0) || !anb_range_valid(&s->range) || !anb_boa_valid(s->boa, 2))
        return anb_fail(error, ANB_E_STATE, "residual_ar: a residual is not finite or the weights are none");
    return anb_rls_validate(&rls, s->rls, error);
}

const StreamingLearnerType anb_residual_ar = {
    .name = "residual_ar",
    .brief = "corrects a learner by what it left over at the samples before",
    .example = "residual_ar(scale(linear))",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .refresh = refresh,
    .ranges = ranges,
    .validate = validate,
};
