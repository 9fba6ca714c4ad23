/*
 * A learner that is watched.
 *
 *     v = e / (e + m)     e = |y - f|     m the mean of e since the last drift
 *
 * v is in [0, 1] whatever the target's unit; one of three detectors reads it: src/numeric/adwin.h, src/numeric/detectors.h. Where
 * it sees a rise the drift is counted, the detector and m start over, and the child is refreshed or reset if so told.
 *
 * State: the counts, m, and all three detectors' memory (3.5 KB). Scratch: f. Cost: that of the detector.
 */
#include "src/numeric/adwin.h"
#include "src/numeric/detectors.h"
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include <anabranch/drift.h>

typedef struct Drift {
    uint64_t drifts, since_last;
    AnbMoments error;
    AnbRandom random;
    AnbPageHinkley page_hinkley;
    AnbKswin kswin;
    AnbAdwin adwin;
} Drift;

static const AnbParam params[] = {
    {"detector", ANB_WORD, offsetof(AnbDriftOptions, detector), ANB_DRIFT_ADWIN, 0, 0, 0, "adwin|page_hinkley|kswin",
     "what watches the error"},
    {"action", ANB_WORD, offsetof(AnbDriftOptions, action), ANB_DRIFT_MARK, 0, 0, 0, "mark|refresh|reset",
     "what a drift does to the child"},
    {"factor", ANB_REAL, offsetof(AnbDriftOptions, factor), 100, 1, 1e9, 0, NULL,
     "what refresh multiplies covariances by"},
    {"delta", ANB_REAL, offsetof(AnbDriftOptions, delta), .002, 0, 1, ANB_OPEN_MIN | ANB_OPEN_MAX, NULL,
     "chance of a false alarm that adwin and kswin allow a test"},
    {"seed", ANB_SEED, offsetof(AnbDriftOptions, seed), 0, 0, 0, 0, NULL, "of the samples that kswin draws"},
    {0}};

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){sizeof(Drift), 1};
}

static int init(const AnbNode *self, void *state)
{
    anb_random_seed(&((Drift *)state)->random, self->seed);
    return 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    return scratch[0] = anb_child_predict(self, 0, state, row, scratch);
}

static bool risen(const AnbDriftOptions *o, Drift *s, double value)
{
    switch (o->detector) {
    case ANB_DRIFT_PAGE_HINKLEY:
        return anb_page_hinkley_add(&s->page_hinkley, value);
    case ANB_DRIFT_KSWIN:
        return anb_kswin_add(&s->kswin, &s->random, value, o->delta);
    default:
        return anb_adwin_add(&s->adwin, value, o->delta) > 0;
    }
}

static void act(const AnbNode *self, Drift *s, const AnbRow *row)
{
    const AnbDriftOptions *o = self->options;
    const AnbNode *child = &self->children[0];
    s->drifts++;
    s->since_last = 0;
    s->error = (AnbMoments){0};
    s->page_hinkley = (AnbPageHinkley){0};
    memset(&s->kswin, 0, sizeof s->kswin);
    memset(&s->adwin, 0, sizeof s->adwin);
    row->counters->drifts++;
    if (o->action == ANB_DRIFT_REFRESH)
        anb_node_refresh(child, anb_child_state(child, s), o->factor);
    if (o->action == ANB_DRIFT_RESET)
        anb_child_reset(self, 0, s);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Drift *s = state;
    double error = fabs(y - scratch[0]);
    anb_child_update(self, 0, state, row, y, weight, scratch);
    s->since_last++;
    if (!(error < (double)INFINITY))
        return;
    double sum = error + s->error.mean;
    double value = sum > 0 && sum < (double)INFINITY ? error / sum : .5;
    anb_moments_add(&s->error, error, 1);
    s->error.square = 0;
    if (risen(self->options, s, value))
        act(self, s, row);
}

static void view(const AnbNode *self, const void *state, AnbDriftView *out)
{
    const Drift *s = state;
    (void)self;
    *out = (AnbDriftView){s->drifts, s->since_last, s->error.mean};
}

static const AnbWrapperTable wrapper = {0};
static const AnbDriftTable drift = {view};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Drift *s = state;
    (void)self;
    anb_visit(visitor, &s->drifts, ANB_U64, 2);
    anb_moments_visit(&s->error, visitor);
    anb_random_visit(&s->random, visitor);
    anb_visit(visitor, &s->page_hinkley, ANB_F64, sizeof s->page_hinkley / sizeof(double));
    anb_kswin_visit(&s->kswin, visitor);
    anb_adwin_visit(&s->adwin, visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Drift *s = state;
    (void)self;
    bool fine = anb_nonfinite(&s->error.weight, 3) == 0 && s->error.weight >= 0 && s->error.mean >= 0 &&
                anb_nonfinite(&s->page_hinkley.n, 4) == 0;
    fine = fine && anb_ring_valid(&s->kswin.ring);
    fine = fine && anb_nonfinite(s->kswin.value, anb_ring_size(&s->kswin.ring, ANB_KSWIN_WINDOW)) == 0;
    return fine && anb_adwin_valid(&s->adwin) ? 0 : anb_fail(error, ANB_E_STATE, "drift: not a detector's state");
}

const StreamingLearnerType anb_drift = {
    .name = "drift",
    .brief = "a learner whose error is watched for drifts",
    .example = "drift(rls, action=refresh)",
    .options_size = sizeof(AnbDriftOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .drift = &drift,
    .ranges = ranges,
    .validate = validate,
};
