/*
 * A learner that is watched.
 *
 *     v = e / (e + m)     e = |y - f|     m: half of the errors were below it when the frame was set
 *
 * v is in [0, 1] whatever the target's unit; one of three detectors reads it: src/numeric/adwin.h, src/numeric/detectors.h.
 * The frame is set 100 samples after the start and after each drift, and again where the errors have halved; between
 * that m stays as it is, so a stationary error gives a stationary v, and a child that still learns raises no alarm.
 *
 * Where the detector sees a rise the drift is counted, and the child is refreshed or put on trial if so told: a fresh
 * child learns beside it and takes its place where it is better (run_trial); after 2,000 samples it has lost.
 *
 * State: the counts, m, all three detectors' memory (15 KB) and, for action=reset, the child's once more. Scratch: f, and
 * the child's once more. Cost: that of the detector; in a trial that of the child once more.
 */
#include "src/numeric/adwin.h"
#include "src/numeric/detectors.h"
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include "src/numeric/fields.h"
#include "src/text/field_reader.h"
#include <float.h>
#include <anabranch/drift.h>
#include <anabranch/reach.h>

enum { SETTLE = 100, TRIAL = 2000 };

typedef struct Drift {
    uint64_t drifts, since_last, resets;
    uint64_t trial; /* samples of the trial that runs, from 1; 0: none */
    double better;  /* the trial's evidence that the fresh child is better */
    AnbMoments error;
    double scale, frame; /* what half of the errors are below, now and when the frame was set; 0: none yet */
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

/* Scratch: f, then the fresh child's from the next boundary on. */
enum { F, LINE = 64, FRESH = LINE / sizeof(double) };

/* Where the fresh child lies: behind the node's own state, as the child would. */
static void *fresh_state(const void *state)
{
    return (char *)(uintptr_t)state + (sizeof(Drift) + LINE - 1) / LINE * LINE;
}

static bool owns_pointers(const AnbNode *node)
{
    size_t parts = node->n_children + (node->router != NULL);
    bool owns = node->type->clear != NULL;
    for (size_t i = 0; i < parts; i++)
        owns = owns || owns_pointers(&node->children[i]);
    return owns;
}

/* Whether there is room for a fresh child beside the old one. A child that owns pointers is reset at once. */
static bool has_trials(const AnbNode *self)
{
    return ((const AnbDriftOptions *)self->options)->action == ANB_DRIFT_RESET && !owns_pointers(&self->children[0]);
}

static AnbNeed need(const AnbNode *self)
{
    const AnbNode *child = &self->children[0];
    if (!has_trials(self))
        return (AnbNeed){sizeof(Drift), 1};
    return (AnbNeed){(size_t)((char *)fresh_state(NULL) - (char *)NULL) + child->subtree_size,
                     FRESH + child->scratch_size};
}

static int init(const AnbNode *self, void *state)
{
    anb_random_seed(&((Drift *)state)->random, self->seed);
    if (has_trials(self))
        memset(fresh_state(state), 0, self->children[0].subtree_size);
    return 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    return scratch[F] = anb_child_predict(self, 0, state, row, scratch);
}

/* ---- the detector ------------------------------------------------------------------------------------------------ */

/* |error| over itself and a scale: in [0, 1], whatever the target's unit. */
static double share_of(double error, double scale)
{
    double sum = error + scale;
    return sum > 0 && sum < (double)INFINITY ? error / sum : .5;
}

static void follow_scale(Drift *s, double error)
{
    double rate = s->error.weight < 50 ? 1 / (s->error.weight + 1) : .02;
    if (s->scale == 0)
        s->scale = error;
    s->scale *= 1 + rate * (2 * share_of(error, s->scale) - 1);
    if (s->scale < DBL_MIN)
        s->scale = 0;
}

/* The detectors start over; the errors are measured by the present scale from now on. */
static void set_frame(Drift *s, double scale)
{
    s->frame = scale;
    s->page_hinkley = (AnbPageHinkley){0};
    memset(&s->kswin, 0, sizeof s->kswin);
    memset(&s->adwin, 0, sizeof s->adwin);
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

/* Whether the errors have risen within the frame. A child that still improves only sets a new frame. */
static bool detect(const AnbDriftOptions *o, Drift *s, double error)
{
    follow_scale(s, error);
    anb_moments_add(&s->error, error, 1);
    s->error.square = 0;
    if (s->error.weight < SETTLE)
        return false;
    if (s->frame == 0 || s->scale < s->frame / 2)
        set_frame(s, s->scale);
    return risen(o, s, share_of(error, s->frame));
}

/* ---- the trial --------------------------------------------------------------------------------------------------- */

static void start_trial(const AnbNode *self, Drift *s)
{
    if (s->trial > 0)
        return;
    anb_node_reset(&self->children[0], fresh_state(s));
    s->trial = 1;
    s->better = 0;
}

static void end_trial(const AnbNode *self, Drift *s)
{
    memset(fresh_state(s), 0, self->children[0].subtree_size);
    s->trial = 0;
    s->better = 0;
}

/* The fresh child takes the old one's place, state and scratch. */
static void take_place(const AnbNode *self, Drift *s, double *scratch)
{
    const AnbNode *child = &self->children[0];
    memcpy(anb_child_state(child, s), fresh_state(s), child->subtree_size);
    memcpy(scratch + child->scratch_offset, scratch + FRESH, child->scratch_size * sizeof(double));
    end_trial(self, s);
    s->resets++;
    s->error = (AnbMoments){0};
    set_frame(s, 0);
}

/* The fresh child answers and learns beside the old one. The sum of (e - e') / (e + e') - .1, never below 0, is the
 * evidence; at 10 the fresh one is better. */
static void run_trial(const AnbNode *self, Drift *s, const AnbRow *row, double y, double weight, double *scratch)
{
    const double allowed = .1, enough = 10;
    const AnbNode *child = &self->children[0];
    AnbCounters uncounted = {0};
    AnbRow own = *row;
    own.counters = &uncounted;
    own.outcome = NULL;
    double old = fabs(y - scratch[F]);
    double f = child->type->predict(child, fresh_state(s), &own, scratch + FRESH), error = fabs(y - f);
    if (!anb_sits_out(child, &own, weight))
        child->type->update(child, fresh_state(s), &own, y, weight, scratch + FRESH);
    double evidence = s->better + 2 * share_of(old, error) - 1 - allowed;
    s->better = evidence > 0 ? evidence : 0;
    if (s->better > enough)
        take_place(self, s, scratch);
    else if (++s->trial > TRIAL)
        end_trial(self, s);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void act(const AnbNode *self, Drift *s, const AnbRow *row)
{
    const AnbDriftOptions *o = self->options;
    const AnbNode *child = &self->children[0];
    s->drifts++;
    s->since_last = 0;
    s->error = (AnbMoments){0};
    set_frame(s, 0);
    row->counters->drifts++;
    if (o->action == ANB_DRIFT_REFRESH)
        anb_node_refresh(child, anb_child_state(child, s), o->factor);
    if (o->action == ANB_DRIFT_RESET && has_trials(self))
        start_trial(self, s);
    else if (o->action == ANB_DRIFT_RESET) {
        anb_child_reset(self, 0, s);
        s->resets++;
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Drift *s = state;
    double error = fabs(y - scratch[F]);
    anb_child_update(self, 0, state, row, y, weight, scratch);
    s->since_last++;
    if (s->trial > 0)
        run_trial(self, s, row, y, weight, scratch);
    if (error < (double)INFINITY && detect(self->options, s, error))
        act(self, s, row);
}

static void view(const AnbNode *self, const void *state, AnbDriftView *out)
{
    const Drift *s = state;
    (void)self;
    *out = (AnbDriftView){s->drifts, s->since_last, s->error.mean, s->resets, s->trial > 0};
}

static const AnbWrapperTable wrapper = {0};
static const AnbShapleyTable shapley = {anb_split_first};
static const AnbDriftTable drift = {view};

/* The fields of a subtree, node by node. */
static void visit_tree(const AnbNode *node, void *state, AnbVisitor *visitor)
{
    size_t parts = node->n_children + (node->router != NULL);
    anb_visit_own(node, state, visitor);
    for (size_t i = 0; i < parts; i++)
        visit_tree(&node->children[i], anb_child_state(&node->children[i], state), visitor);
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Drift *s = state;
    anb_visit(visitor, &s->drifts, ANB_U64, 4);
    anb_visit(visitor, &s->better, ANB_F64, 1);
    anb_moments_visit(&s->error, visitor);
    anb_visit(visitor, &s->scale, ANB_F64, 2);
    anb_random_visit(&s->random, visitor);
    anb_visit(visitor, &s->page_hinkley, ANB_F64, sizeof s->page_hinkley / sizeof(double));
    anb_kswin_visit(&s->kswin, visitor);
    anb_adwin_visit(&s->adwin, visitor);
    if (!has_trials(self))
        return;
    if (s->trial > 0)
        visit_tree(&self->children[0], fresh_state(state), visitor);
}

/* Version 1 had no frame and no trials: its counts stay, its detectors start over. */
static int upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    enum { WINDOW = 100 };
    AnbFieldReader reader = anb_field_reader(bytes, size);
    AnbVisitor *visitor = &reader.visitor;
    Drift *s = state;
    double unused[WINDOW];
    AnbRing ring;
    AnbAdwin adwin;
    (void)self, (void)from;
    memset(&adwin, 0, sizeof adwin);
    anb_visit(visitor, &s->drifts, ANB_U64, 2);
    anb_moments_visit(&s->error, visitor);
    anb_random_visit(&s->random, visitor);
    anb_visit(visitor, unused, ANB_F64, 4);
    ring.pushed = 0;
    anb_ring_visit(&ring, visitor);
    anb_visit(visitor, unused, ANB_F64, anb_ring_size(&ring, WINDOW));
    anb_adwin_visit(&adwin, visitor);
    s->scale = s->error.mean;
    return anb_fields_end(&reader);
}

static int validate_tree(const AnbNode *node, const void *state, AnbError *error)
{
    size_t parts = node->n_children + (node->router != NULL);
    int code = 0;
    for (size_t i = 0; i < parts && !code; i++)
        code = validate_tree(&node->children[i], anb_child_state_const(&node->children[i], state), error);
    return code ? code : anb_validate_own(node, state, error);
}

static bool not_negative(double v)
{
    return v >= 0 && v < (double)INFINITY;
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Drift *s = state;
    bool fine = not_negative(s->error.weight) && not_negative(s->error.mean) &&
                anb_nonfinite(&s->error.weight, 3) == 0 && not_negative(s->better) && not_negative(s->scale) &&
                not_negative(s->frame) && s->trial <= TRIAL && (s->trial == 0 || has_trials(self)) &&
                anb_nonfinite(&s->page_hinkley.n, 4) == 0;
    fine = fine && anb_ring_valid(&s->kswin.ring);
    fine = fine && anb_nonfinite(s->kswin.value, anb_ring_size(&s->kswin.ring, ANB_KSWIN_WINDOW)) == 0;
    if (!fine || !anb_adwin_valid(&s->adwin))
        return anb_fail(error, ANB_E_STATE, "drift: not a detector's state");
    return s->trial > 0 ? validate_tree(&self->children[0], fresh_state(state), error) : 0;
}

const StreamingLearnerType anb_drift = {
    .name = "drift",
    .brief = "a learner whose error is watched for drifts",
    .example = "drift(rls, action=refresh)",
    .options_size = sizeof(AnbDriftOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED,
    .version = 2,
    .min_children = 1,
    .max_children = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .drift = &drift,
    .ranges = ranges,
    .validate = validate,
    .upgrade = upgrade,
};
