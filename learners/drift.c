/*
 * A drift detector around a learner.
 *
 *     v = e / 4m, at most 1     e = |y - f|     m: the median of the errors when the detector's frame was set
 *
 * v is in [0, 1] whatever the unit of the target, and no single error weighs more than four times the median. One of
 * three detectors reads it: ADWIN (src/numeric/adwin.h), Page-Hinkley or KSWIN (src/numeric/detectors.h); KSWIN reads v
 * with the sign of y - f.
 *
 * m is set 100 samples after the start and after each drift, and again when the errors have halved. In between it is
 * fixed, so stationary errors give a stationary v, and a child that still learns raises no alarm.
 *
 * Where the detector sees a rise, the drift is counted. By option the child is also refreshed or put on trial: a new
 * child learns beside it and replaces it as soon as it is better (run_trial); after 2,000 samples the trial has failed.
 *
 * State: the counts, m, the memory of all three detectors (15 KB) and, for action=reset, the child's state once more.
 * Scratch: f, and the child's once more. Cost: that of the detector; in a trial that of the child once more.
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
    double better;  /* evidence that the fresh child is better */
    AnbMoments error;
    double scale, frame; /* median of the errors, now and when the frame was set; 0: none yet */
    AnbRandom random;
    AnbPageHinkley page_hinkley;
} Drift;

static const AnbParam params[] = {
    {"detector", ANB_WORD, offsetof(AnbDriftOptions, detector), ANB_DRIFT_ADWIN, 0, 0, 0, "adwin|page_hinkley|kswin",
     "the test on the errors"},
    {"action", ANB_WORD, offsetof(AnbDriftOptions, action), ANB_DRIFT_MARK, 0, 0, 0, "mark|refresh|reset",
     "how the child is changed at a drift"},
    {"factor", ANB_REAL, offsetof(AnbDriftOptions, factor), 100, 1, 1e9, 0, NULL,
     "factor by which refresh multiplies covariances"},
    {"delta", ANB_REAL, offsetof(AnbDriftOptions, delta), .002, 0, 1, ANB_OPEN_MIN | ANB_OPEN_MAX, NULL,
     "false alarm probability of each test of adwin and kswin"},
    {"seed", ANB_SEED, offsetof(AnbDriftOptions, seed), 0, 0, 0, 0, NULL, "of the samples that kswin draws"},
    {0}};

/* ---- state and scratch ------------------------------------------------------------------------------------------- */

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

static uint64_t longest_trial(const AnbNode *self)
{
    return has_trials(self) ? TRIAL : 0;
}

static const AnbField members[] = {{ANB_MEMBER(Drift, drifts)},
                                   {ANB_MEMBER(Drift, since_last)},
                                   {ANB_MEMBER(Drift, resets)},
                                   {ANB_MEMBER(Drift, trial), .most = longest_trial},
                                   {ANB_MEMBER(Drift, better), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_INNER(Drift, error, AnbMoments, anb_moments_fields)},
                                   {ANB_MEMBER(Drift, scale), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Drift, frame), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_INNER(Drift, random, AnbRandom, anb_random_fields)},
                                   {ANB_INNER(Drift, page_hinkley, AnbPageHinkley, anb_page_hinkley_fields)},
                                   {0}};

static size_t fresh_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return has_trials(self) ? self->children[0].subtree_size : 0;
}

/* Nodes of a subtree. */
static size_t size_of_tree(const AnbNode *node)
{
    size_t parts = node->n_children + (node->router != NULL), n = 1;
    for (size_t i = 0; i < parts; i++)
        n += size_of_tree(&node->children[i]);
    return n;
}

/* Writes the layouts of a subtree's nodes, the root's first. Returns the end. */
static uint32_t *note_layouts(const AnbNode *node, uint32_t *layout)
{
    size_t parts = node->n_children + (node->router != NULL);
    *layout++ = node->type->version;
    for (size_t i = 0; i < parts; i++)
        layout = note_layouts(&node->children[i], layout);
    return layout;
}

/* Compares layouts that were written with the subtree's. Returns the end; NULL where one differs. */
static const uint32_t *match_layouts(const AnbNode *node, const uint32_t *layout)
{
    size_t parts = node->n_children + (node->router != NULL);
    layout = *layout == node->type->version ? layout + 1 : NULL;
    for (size_t i = 0; i < parts && layout; i++)
        layout = match_layouts(&node->children[i], layout);
    return layout;
}

static size_t layouts(const AnbNode *self)
{
    return has_trials(self) ? size_of_tree(&self->children[0]) : 0;
}

/* Visits the fresh child's nodes in their present layouts, whatever layout of the drift is read. */
static void fresh_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    unsigned version = visitor->version;
    (void)field, (void)state;
    visitor->version = 0;
    anb_visit_subtree(&self->children[0], part, visitor);
    visitor->version = version;
}

static int validate_tree(const AnbNode *node, const void *state, AnbError *error)
{
    size_t parts = node->n_children + (node->router != NULL);
    int code = 0;
    for (size_t i = 0; i < parts && !code; i++)
        code = validate_tree(&node->children[i], anb_child_state_const(&node->children[i], state), error);
    return code ? code : anb_validate_own(node, state, error);
}

static int fresh_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                          AnbError *error)
{
    (void)field, (void)state;
    return validate_tree(&self->children[0], part, error);
}

static const AnbPart fresh_part = {fresh_size, fresh_visit, fresh_validate};

enum { HEAD, KSWIN, ADWIN, LAYOUTS, FRESH };

/* 1 where there is a fresh child, in the present layouts; else 0. */
static size_t on_trial(const AnbNode *self, const void *state)
{
    return has_trials(self) && ((const Drift *)state)->trial > 0 &&
           match_layouts(&self->children[0], anb_field_const(self, state, LAYOUTS)) != NULL;
}

static const AnbField fields[] = {[HEAD] = {ANB_STRUCT(Drift, members)},
                                  [KSWIN] = {.name = "kswin", .part = &anb_kswin_part},
                                  [ADWIN] = {.name = "adwin", .part = &anb_adwin_part},
                                  [LAYOUTS] = {.name = "layouts", .kind = ANB_U32, .count = layouts, .since = 3},
                                  [FRESH] = {.name = "fresh", .part = &fresh_part, .used = on_trial},
                                  {0}};

static size_t fresh_scratch(const AnbNode *self)
{
    return has_trials(self) ? self->children[0].scratch_size : 0;
}

enum { F, FRESH_SCRATCH };
static const AnbField scratch_fields[] = {
    [F] = {.name = "f", .kind = ANB_F64, .fixed = 1},
    [FRESH_SCRATCH] = {.name = "fresh", .kind = ANB_F64, .count = fresh_scratch, .must = ANB_ALIGNED},
    {0}};

static int init(const AnbNode *self, void *state)
{
    anb_random_seed(&((Drift *)state)->random, self->seed);
    if (has_trials(self)) {
        note_layouts(&self->children[0], anb_field(self, state, LAYOUTS));
        memset(anb_field(self, state, FRESH), 0, self->children[0].subtree_size);
    }
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

/* Restarts the detectors and fixes the unit of the errors at the present scale. */
static void set_frame(const AnbNode *self, Drift *s, double scale)
{
    s->frame = scale;
    s->page_hinkley = (AnbPageHinkley){0};
    memset(anb_field(self, s, KSWIN), 0, sizeof(AnbKswin));
    memset(anb_field(self, s, ADWIN), 0, sizeof(AnbAdwin));
}

/* `value` is the error's size; `off` the same with its sign. */
static bool risen(const AnbNode *self, Drift *s, double value, double off)
{
    const AnbDriftOptions *o = self->options;
    switch (o->detector) {
    case ANB_DRIFT_PAGE_HINKLEY:
        return anb_page_hinkley_add(&s->page_hinkley, value);
    case ANB_DRIFT_KSWIN:
        return anb_kswin_add(anb_field(self, s, KSWIN), &s->random, off, o->delta);
    default:
        return anb_adwin_add(anb_field(self, s, ADWIN), value, o->delta) > 0;
    }
}

static double in_frame(double error, double frame)
{
    double most = 4 * frame;
    return error < most ? error / most : 1;
}

/* Whether the errors have risen within the frame. A child that still improves only sets a new frame. */
static bool detect(const AnbNode *self, Drift *s, double off)
{
    double error = fabs(off);
    follow_scale(s, error);
    anb_moments_add(&s->error, error, 1);
    s->error.square = 0;
    if (s->error.weight < SETTLE)
        return false;
    if (s->frame == 0 || s->scale < s->frame / 2)
        set_frame(self, s, s->scale);
    double size = in_frame(error, s->frame);
    return risen(self, s, size, off < 0 ? -size : size);
}

/* ---- the trial --------------------------------------------------------------------------------------------------- */

static void start_trial(const AnbNode *self, Drift *s)
{
    if (s->trial > 0)
        return;
    anb_node_reset(&self->children[0], anb_field(self, s, FRESH));
    s->trial = 1;
    s->better = 0;
}

static void end_trial(const AnbNode *self, Drift *s)
{
    memset(anb_field(self, s, FRESH), 0, self->children[0].subtree_size);
    s->trial = 0;
    s->better = 0;
}

/* Replaces the old child by the fresh one, state and scratch. */
static void take_place(const AnbNode *self, Drift *s, double *scratch)
{
    const AnbNode *child = &self->children[0];
    memcpy(anb_child_state(child, s), anb_field(self, s, FRESH), child->subtree_size);
    memcpy(scratch + child->scratch_offset, anb_scratch(self, scratch, FRESH_SCRATCH),
           child->scratch_size * sizeof(double));
    end_trial(self, s);
    s->resets++;
    s->error = (AnbMoments){0};
    set_frame(self, s, 0);
}

/* The fresh child predicts and learns beside the old one. The evidence is the sum of (e - e') / (e + e') - .1, at least
 * 0; at 20 the fresh child replaces the old one. */
static void run_trial(const AnbNode *self, Drift *s, const AnbRow *row, double y, double weight, double *scratch)
{
    const double allowed = .1, enough = 20;
    const AnbNode *child = &self->children[0];
    AnbCounters uncounted = {0};
    AnbRow own = *row;
    own.counters = &uncounted;
    own.outcome = NULL;
    void *fresh = anb_field(self, s, FRESH);
    double *room = anb_scratch(self, scratch, FRESH_SCRATCH), old = fabs(y - scratch[F]);
    double f = child->type->predict(child, fresh, &own, room), error = fabs(y - f);
    if (!anb_sits_out(child, &own, weight))
        child->type->update(child, fresh, &own, y, weight, room);
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
    set_frame(self, s, 0);
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
    double off = y - scratch[F];
    anb_child_update(self, 0, state, row, y, weight, scratch);
    s->since_last++;
    if (s->trial > 0)
        run_trial(self, s, row, y, weight, scratch);
    if (fabs(off) < (double)INFINITY && detect(self, s, off))
        act(self, s, row);
}

/* During a trial the fresh child is converted too. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    const AnbNode *child = &self->children[0];
    anb_node_reframe(child, anb_child_state(child, state), alpha, beta);
    if (((const Drift *)state)->trial > 0)
        anb_node_reframe(child, anb_field(self, state, FRESH), alpha, beta);
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

/* Version 1 had no frame and no trials: the counts are kept, the detectors start again. */
static int upgrade_first(const unsigned char *bytes, size_t size, void *state)
{
    enum { WINDOW = 100 };
    AnbFieldReader reader = anb_field_reader(bytes, size);
    AnbVisitor *visitor = &reader.visitor;
    Drift *s = state;
    double unused[WINDOW];
    AnbRing ring;
    AnbAdwin adwin;
    memset(&adwin, 0, sizeof adwin);
    anb_visit(visitor, "drifts", &s->drifts, ANB_U64, 1);
    anb_visit(visitor, "since_last", &s->since_last, ANB_U64, 1);
    anb_moments_visit(&s->error, visitor);
    anb_random_visit(&s->random, visitor);
    anb_visit(visitor, "page_hinkley", unused, ANB_F64, 4);
    ring.pushed = 0;
    anb_ring_visit(&ring, visitor);
    anb_visit(visitor, "value", unused, ANB_F64, anb_ring_size(&ring, WINDOW));
    anb_adwin_visit(&adwin, visitor);
    s->scale = s->error.mean;
    return anb_fields_end(&reader);
}

/* A trial continues if its learners were saved in their present layouts; otherwise it ends and the old child stays.
 * Version 2 did not save which layouts those were. Before version 4 the errors of KSWIN had no sign: it starts
 * again. */
static int upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    AnbFieldReader reader = anb_field_reader(bytes, size);
    Drift *s = state;
    uint32_t *layout = anb_field(self, state, LAYOUTS);
    if (from == 1)
        return upgrade_first(bytes, size, state);
    memset(layout, 0, layouts(self) * sizeof *layout);
    reader.visitor.version = from;
    anb_visit_own(self, state, &reader.visitor);
    if (from < 4)
        memset(anb_field(self, state, KSWIN), 0, sizeof(AnbKswin));
    bool lost = has_trials(self) && s->trial > 0 && !on_trial(self, state);
    if (has_trials(self))
        note_layouts(&self->children[0], layout);
    if (!lost)
        return anb_fields_end(&reader);
    end_trial(self, s);
    return reader.short_of ? ANB_E_STATE : 0;
}

/* The mean of absolute errors. */
static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Drift *s = state;
    (void)self;
    if (!(s->page_hinkley.n >= 0 && fabs(s->page_hinkley.mean) <= 2))
        return anb_fail(error, ANB_E_STATE, "drift: a number of Page-Hinkley is out of its range");
    return s->error.mean >= 0 ? 0 : anb_fail(error, ANB_E_STATE, "drift: a mean error below 0");
}

const StreamingLearnerType anb_drift = {
    .name = "drift",
    .brief = "a drift detector on a learner's errors",
    .example = "drift(rls, action=refresh)",
    .options_size = sizeof(AnbDriftOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED | ANB_READS_OWN,
    .version = 4,
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .reframe = reframe,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .drift = &drift,
    .validate = validate,
    .upgrade = upgrade,
};
