/*
 * Streaming gradient boosted trees over a window of rows. One tree is always under construction.
 *
 *     f = base + sum_t slow_t(x) + c sum_t fast_t(x)
 *
 * The last W rows lie in a ring, each with the output of the ensemble and its leaf in every tree.
 *
 * New trees. A new tree of depth D is grown all the time, on 3/4 of the ring and 4/5 of the columns, the arrival index
 * being one more column, and replaces the oldest one. Its target is rate times the residual of all trees plus 0.7 of
 * the oldest tree's output, so that most of that output is kept. Gain s^2 / (n + 2), leaves s / (n + 2), at
 * least 5 rows each. A cut lies at one of up to 251 quantiles of its feature: the best of 62, then, in nodes of 64 rows
 * and more, the best of the seven beside it (learners/boost/fine_codes.h).
 *
 * Leaves. Between trees, with e = y - base - sum slow and T trees,
 *
 *     slow += eta e / T                          in every leaf reached: of the new sample, and of `replay` rows of the
 *                                                ring with 0.05 for eta and their own errors
 *     fast <- 0.8 fast + (e - sum fast) / T      in the new sample's leaves, discarded with the tree
 *     c     = [0, 1] least squares of e on sum fast, faded by 0.998: how much of the last errors nearby comes again
 *     eta   = the option / (1 + u), with the squared loss: u, from 0 to 5, rises where errors nearby tend to have the
 *             opposite sign of the last ones, since leaves follow noise there (learners/boost/step_caution.h)
 *
 * Outliers. A target enters the ring clipped to 10 times the running scale of the errors around its prediction
 * (src/numeric/error_scale.h).
 *
 * Another loss: its pull (src/numeric/loss.h) takes the place of a residual in the targets of trees and in the steps of
 * leaves. There is no fast part then, since that follows means.
 *
 * Work. The work of a tree is done in slices, in units of about half a nanosecond. Each sample pays for `budget` of
 * them, bins included (learners/boost/tree_builder.h, learners/boost/window.h), and for up to 4.5 times as many while
 * the ring fills. So no sample waits for a tree.
 *
 *     remake bins if due -> gather residuals -> grow -> swap the tree in -> settle the ring, 64 rows at a time
 *
 * A block of 64 rows that is not settled yet is settled before anything else reads or changes it.
 *
 * Drift. When most of the last 40 errors are above three times their usual size, the concept has changed
 * (src/numeric/drift_alarm.h): rows before those 40 are discarded, and the ring is treated as newly filled.
 *
 * Weights. A weight, in units of the mean weight, multiplies the steps, which stop at the target, and is the number of
 * places that the row takes in the window: up to four, a fraction by chance.
 *
 * State, d features: 4 W (d + 1) bytes of values and W (d + 1) of codes, W T of leaves, 16 T 2^D of leaf values, the
 * sample of the tree under construction: about 1 MB at the defaults and 12 features.
 * Friedman 2001, 2002 on (stochastic) gradient boosting.
 */
#include "src/numeric/drift_alarm.h"
#include "src/numeric/error_scale.h"
#include "src/numeric/fields.h"
#include "src/numeric/loss.h"
#include "src/numeric/weight_unit.h"
#include "learners/boost/boost.h"
#include "learners/boost/boosted_shapley.h"
#include "learners/boost/step_caution.h"
#include <anabranch/learners.h>

enum {
    BASE_SAMPLES = 200, /* base is the mean of so many targets */
    MIN_ROWS = 5,
    MOST_PLACES = 4,  /* in the window, of one row */
    ALARM_PAUSE = 500 /* samples in the window before a drift is accepted */
};

static const double ridge = 2, youngest = 4.5, inherit = .7, replay_rate = .05, fast_keep = .8, trust_fade = .998;
static const double newton_share =
    .35; /* of steps that do not shrink with the error: .2 to .4 did best on the first rows of fried and bike */
static const double most_target = 1e300; /* targets are clipped to it, so that sums over the trees stay finite */

typedef struct Sgbt {
    double base;
    AnbDriftAlarm alarm;     /* of |y - f| */
    double cross, square;    /* faded: e sum fast, (sum fast)^2 */
    double credit, due_rows; /* units not spent yet, rows not replayed yet */
    double caution;          /* u: divides the steps by 1 + u */
} Sgbt;

/* What version 2 added. */
typedef struct Scales {
    AnbErrorScale error; /* of y - f */
    AnbWeightUnit unit;
    AnbStepSums steps; /* in units of error.level; since version 5 */
} Scales;

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbSgbtOptions, window), 4096, 64, ANB_PACKED_ROWS, 0, NULL,
     "rows that trees are fitted to, rounded up to a multiple of 64"},
    {"trees", ANB_COUNT, offsetof(AnbSgbtOptions, trees), 100, 1, 1024, 0, NULL, "trees in the ensemble"},
    {"depth", ANB_COUNT, offsetof(AnbSgbtOptions, depth), 5, 1, ANB_CUTS_DEPTH, 0, NULL, "cuts from root to leaf"},
    {"rate", ANB_REAL, offsetof(AnbSgbtOptions, rate), .08, 0, 1, 0, NULL, "share of the residual that a tree takes"},
    {"budget", ANB_REAL, offsetof(AnbSgbtOptions, budget), 4000, 1, 1e9, 0, NULL,
     "work on the next tree at each sample, in half nanoseconds"},
    {"eta", ANB_REAL, offsetof(AnbSgbtOptions, eta), .3, 0, 1, 0, NULL, "largest step of the leaves between fits"},
    {"replay", ANB_REAL, offsetof(AnbSgbtOptions, replay), 4, 0, 64, 0, NULL,
     "rows of the window learned again with each sample"},
    {"seed", ANB_SEED, offsetof(AnbSgbtOptions, seed), 0, 0, 0, 0, NULL,
     "of the rows and columns that a tree is fitted to"},
    ANB_LOSS_PARAMS(AnbSgbtOptions),
    {0}};

/* ---- state and scratch ------------------------------------------------------------------------------------------- */

static const AnbField alarm_members[] = {
    {ANB_MEMBER(AnbDriftAlarm, large), .must = ANB_FINITE}, {ANB_MEMBER(AnbDriftAlarm, calm), .must = ANB_FINITE}, {0}};
static const AnbField members[] = {{ANB_MEMBER(Sgbt, base), .must = ANB_FINITE},
                                   {ANB_INNER(Sgbt, alarm, AnbDriftAlarm, alarm_members)},
                                   {ANB_MEMBER(Sgbt, cross), .must = ANB_FINITE},
                                   {ANB_MEMBER(Sgbt, square), .must = ANB_FINITE},
                                   {ANB_MEMBER(Sgbt, credit), .must = ANB_FINITE},
                                   {ANB_MEMBER(Sgbt, due_rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Sgbt, caution), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};
static const AnbField step_members[] = {
    {ANB_MEMBER(AnbStepSums, cross), .must = ANB_FINITE, .since = 5},
    {ANB_MEMBER(AnbStepSums, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 5},
    {0}};
static const AnbField scale_members[] = {{ANB_INNER(Scales, error, AnbErrorScale, anb_error_scale_fields)},
                                         {ANB_INNER(Scales, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                         {ANB_INNER(Scales, steps, AnbStepSums, step_members)},
                                         {0}};

static void boost_of(const AnbNode *self, void *memory, AnbBoostView *boost)
{
    const AnbSgbtOptions *o = self->options;
    const AnbBoostRoom room = {((size_t)o->window + 63) / 64 * 64, self->n_features, (size_t)o->trees,
                               (unsigned)o->depth};
    anb_boost_view(room, memory, boost);
}

static size_t boost_size(const AnbNode *self, const AnbField *field)
{
    AnbBoostView boost;
    (void)field;
    boost_of(self, NULL, &boost);
    return boost.bytes;
}

static void boost_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbBoostView boost;
    (void)field, (void)state;
    boost_of(self, part, &boost);
    anb_boost_visit(&boost, visitor);
}

static int boost_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                          AnbError *error)
{
    AnbBoostView boost;
    (void)field, (void)state;
    boost_of(self, anb_view_of(part), &boost);
    return anb_boost_valid(&boost)
               ? 0
               : anb_fail(error, ANB_E_STATE, "sgbt: a count, an index or a value is out of its range");
}

static const AnbPart boost_part = {boost_size, boost_visit, boost_validate};

enum { HEAD, BOOST, SCALES };
static const AnbField fields[] = {[HEAD] = {ANB_STRUCT(Sgbt, members)},
                                  [BOOST] = {.name = "boost", .part = &boost_part},
                                  [SCALES] = {ANB_STRUCT(Scales, scale_members)},
                                  {0}};

typedef struct View {
    Sgbt *head;
    Scales *scales;
    AnbBoostView boost;
} View;

static void view_of(const AnbNode *self, const void *state, View *v)
{
    void *at = anb_view_of(state);
    v->head = at;
    v->scales = anb_field(self, at, SCALES);
    boost_of(self, anb_field(self, at, BOOST), &v->boost);
}

static int check(const AnbNode *self, AnbError *error)
{
    if (self->n_features <= ANB_BOOST_FEATURES)
        return 0;
    return anb_fail(error, ANB_E_LIMIT, "sgbt takes up to %d features, not %zu", ANB_BOOST_FEATURES, self->n_features);
}

/* What predict leaves for update. */
typedef struct Scratch {
    AnbBoostLeaf *sum; /* over the trees */
    float *row;        /* doubled, of d + 1 cells, the last being the arrival index */
    uint8_t *leaf;     /* of each tree */
} Scratch;

static size_t cells(const AnbNode *self)
{
    return 2 * (self->n_features + 1);
}

static size_t leaves(const AnbNode *self)
{
    return anb_cuts_padded((size_t)((const AnbSgbtOptions *)self->options)->trees);
}

enum { SUM, ROW, LEAF };
static const AnbField scratch_fields[] = {
    [SUM] = {ANB_SCRATCH_STRUCT(AnbBoostLeaf)},
    [ROW] = {.name = "row", .kind = ANB_F32, .count = cells},
    [LEAF] = {.name = "leaf", .kind = ANB_U8, .count = leaves, .must = ANB_ALIGNED},
    {0}};

static Scratch scratch_of(const AnbNode *self, double *scratch)
{
    return (Scratch){anb_scratch(self, scratch, SUM), anb_scratch(self, scratch, ROW),
                     anb_scratch(self, scratch, LEAF)};
}

static int init(const AnbNode *self, void *state)
{
    View v;
    view_of(self, state, &v);
    anb_boost_init(&v.boost, self->seed);
    return 0;
}

/* c: the factor of the fast values. */
static double trust(const Sgbt *h)
{
    return h->cross > 0 ? h->cross < h->square ? h->cross / h->square : 1 : 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v;
    view_of(self, state, &v);
    const AnbBoostedTreesView *trees = &v.boost.trees;
    Scratch s = scratch_of(self, scratch);
    anb_boost_row(&v.boost, row->raw, s.row);
    anb_cuts_descend(trees->cuts, trees->head->grown, trees->room.depth, s.row, s.leaf);
    anb_boosted_trees_sum(trees, s.leaf, s.sum);
    double f = v.head->base + s.sum->slow + trust(v.head) * s.sum->fast;
    return f - f == 0 ? f : v.head->base;
}

/* Predicts blocks of ANB_ROWS rows together, if their columns fit on the stack. */
static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    enum { ROOM = 8192 };
    View v;
    view_of(self, state, &v);
    AnbBoostLeaf sum[ANB_ROWS];
    float columns[ROOM];
    if (rows->n < 8 || cells(self) * ANB_CUTS_ROWS > ROOM) {
        anb_predict_each(self, state, rows, scratch, out);
        return;
    }
    anb_boost_rows(&v.boost, rows, columns);
    anb_boosted_trees_sum_rows(&v.boost.trees, columns, rows->n, sum);
    double share = trust(v.head);
    for (size_t i = 0; i < rows->n; i++) {
        double f = v.head->base + sum[i].slow + share * sum[i].fast;
        out[i] = f - f == 0 ? f : v.head->base;
    }
}

/* The pull that takes the place of a residual. A new tree, the replay and the row's own step use one residual before it
 * is computed again. A pull of fixed size does not shrink near the target, so each of the three takes a share of it:
 * with the whole of it they would overshoot. */
static AnbPull pull_of(const AnbNode *self, const View *v)
{
    const AnbSgbtOptions *o = self->options;
    double share = o->loss == ANB_LOSS_HUBER ? 1 : newton_share;
    return anb_pull_of((AnbLossKind)o->loss, o->level, share * v->scales->error.level);
}

/* Updates u, by which the steps are divided. */
static void judge_step(const View *v, double share, double error, double nearby)
{
    double unit = v->scales->error.level > 0 ? v->scales->error.level : 1;
    v->head->caution = anb_step_caution(&v->scales->steps, v->head->caution, share, error / unit, nearby / unit);
}

/* Updates the leaves of the row; returns the sum of the slow values afterwards. No weight moves it beyond the
 * target. */
static double move_leaves(const AnbNode *self, const View *v, const Scratch *s, double error, double weight)
{
    const AnbSgbtOptions *o = self->options;
    Sgbt *h = v->head;
    const double step = fmin(o->eta * weight / (1 + h->caution), 1), share = fmin(weight, 1),
                 keep = 1 - (1 - fast_keep) * share;
    const AnbPull pull = pull_of(self, v);
    double slow = step * anb_pull(&pull, error) / o->trees;
    double fast = anb_loss_other(o->loss) ? 0 : share * (error - s->sum->fast) / o->trees;
    h->cross = h->cross * trust_fade + share * error * s->sum->fast;
    h->square = h->square * trust_fade + share * s->sum->fast * s->sum->fast;
    if (h->cross - h->cross != 0 || h->square - h->square != 0)
        h->cross = h->square = 0;
    judge_step(v, share, error, s->sum->fast);
    anb_boosted_trees_move(&v->boost.trees, s->leaf, slow, keep, fast);
    return s->sum->slow + slow * (double)v->boost.trees.head->grown;
}

static void replay(const AnbNode *self, const View *v)
{
    const AnbSgbtOptions *o = self->options;
    const AnbWindowView *window = &v->boost.window;
    Sgbt *h = v->head;
    const AnbPull pull = pull_of(self, v);
    size_t groups = anb_window_size(window) / ANB_REPLAYED;
    uint32_t live = (uint32_t)anb_window_live(window);
    for (h->due_rows += o->replay; h->due_rows >= ANB_REPLAYED; h->due_rows -= ANB_REPLAYED) {
        uint64_t row = window->head->pushed - 1 - anb_random_below(&v->boost.head->random, live);
        size_t group = row % window->room.rows / ANB_REPLAYED, slot = ANB_REPLAYED * (group < groups ? group : 0);
        h->credit -= anb_boost_settle(&v->boost, slot);
        anb_boosted_trees_replay(&v->boost.trees, slot, h->base, replay_rate / o->trees, &pull);
    }
}

/* Does a sample's share of work: `budget` units; up to 4.5 times as many while the ring fills, when trees help most and
 * cost least. */
static void fit(const AnbNode *self, const View *v)
{
    const AnbSgbtOptions *o = self->options;
    const AnbBoostRule rule = {{v->head->base, o->rate, inherit, pull_of(self, v)}, ridge, MIN_ROWS};
    const AnbWindowView *window = &v->boost.window;
    Sgbt *h = v->head;
    double work = youngest - (youngest - 1) * (double)anb_window_live(window) / (double)window->room.rows;
    for (h->credit += o->budget * work; h->credit > 0;)
        h->credit -= anb_boost_slice(&v->boost, &rule);
}

/* After an abrupt drift drops the rows from before it. */
static void watch(const View *v, double error, AnbCounters *counters)
{
    const AnbWindowView *window = &v->boost.window;
    if (!anb_drift_alarm_see(&v->head->alarm, error, window->head->pushed) || anb_window_live(window) < ALARM_PAUSE)
        return;
    anb_window_forget(window, ANB_DRIFT_ALARM_QUICK);
    anb_drift_alarm_accept(&v->head->alarm);
    counters->drifts++;
}

/* How many places in the window a row takes: as many as its weight, on average, and up to four. */
static unsigned places(const View *v, double weight)
{
    double whole = floor(fmin(weight, MOST_PLACES)), rest = fmin(weight, MOST_PLACES) - whole;
    if (rest > 0)
        whole += anb_random_uniform(&v->boost.head->random) < rest;
    return (unsigned)whole;
}

static void keep(const View *v, const Scratch *s, double y, double output)
{
    Sgbt *h = v->head;
    h->credit -= anb_boost_keep(&v->boost, s->row, s->leaf, y, output);
    uint64_t seen = v->boost.window.head->pushed;
    if (seen <= BASE_SAMPLES)
        h->base += (y - h->base) / (double)seen;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v;
    view_of(self, state, &v);
    Scratch s = scratch_of(self, scratch);
    Sgbt *h = v.head;
    weight = anb_weight_relative(&v.scales->unit, weight);
    y = fmax(-most_target, fmin(y, most_target));
    double believed = trust(h) * s.sum->fast;
    y = anb_target_kept(&v.scales->error, h->base + s.sum->slow + believed, y);
    double error = y - h->base - s.sum->slow, rest = error - s.sum->fast;
    double output = move_leaves(self, &v, &s, error, weight);
    if (output - output != 0 || rest - rest != 0) {
        anb_restart(self, state, row);
        return;
    }
    unsigned n = places(&v, weight);
    if (n == 0)
        return;
    for (unsigned i = 0; i < n; i++)
        keep(&v, &s, y, output);
    watch(&v, error - believed, row->counters);
    if (anb_window_live(&v.boost.window) < ANB_WINDOW_FIRST)
        return;
    replay(self, &v);
    fit(self, &v);
}

static int shares(const AnbNode *self, const void *state, double *share)
{
    const size_t d = self->n_features;
    double sum = 0;
    View v;
    view_of(self, state, &v);
    const double *gain = v.boost.importance;
    for (size_t j = 0; j < d; j++)
        sum += gain[j];
    for (size_t j = 0; j < d; j++)
        share[j] = sum > 0 && sum - sum == 0 ? gain[j] / sum : 1 / (double)d;
    return 0;
}

static const AnbImportanceTable importance = {shares};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Sgbt *h = state;
    (void)self;
    if (h->due_rows < ANB_REPLAYED && h->credit <= 0 && h->caution <= ANB_MOST_CAUTION)
        return 0;
    return anb_fail(error, ANB_E_STATE,
                    "sgbt: work or rows that are due or the caution of steps are out of their range");
}

/* ---- Shapley values ---------------------------------------------------------------------------------------------- */

static bool split(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    View v;
    view_of(self, state, &v);
    AnbBoostPair rows = {scratch_of(self, pair->scratch).row, scratch_of(self, pair->other_scratch).row,
                         self->n_features + 1};
    out->low = out->high = v.head->base;
    anb_boosted_trees_split(&v.boost.trees, &rows, trust(v.head), share, out);
    return out->high - out->low < (double)INFINITY;
}

static const AnbShapleyTable shapley = {split};

const StreamingLearnerType anb_sgbt = {
    .name = "sgbt",
    .brief = "gradient boosted trees over a window, one always being built",
    .example = "sgbt(window=256, trees=10, depth=3, budget=1000)",
    .options_size = sizeof(AnbSgbtOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 5,
    .check = check,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .upgrade = anb_fields_upgrade,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .shapley = &shapley,
    .importance = &importance,
    .validate = validate,
};
