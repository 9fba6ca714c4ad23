/*
 * Streaming gradient boosted trees over a window, one tree always under way.
 *
 *     f = base + sum_t slow_t(x) + c sum_t fast_t(x)
 *
 * The last W rows lie in a ring, each with the output of the ensemble and the leaf of every tree that it reaches. Without
 * end, a new tree of depth D is grown on 3/4 of the ring and 4/5 of the columns, the arrival index being one more column,
 * and takes the place of the oldest. Its target is rate times the residual of all trees plus 0.7 of what that oldest one
 * says, which goes on instead of being lost; gain s^2 / (n + 2), leaves s / (n + 2), at least 5 rows each. Between fits,
 * with e = y - base - sum slow and T trees,
 *
 *     slow += eta e / T                          in every reached leaf: of the new sample, and of `replay` rows of the
 *                                                ring with 0.05 for eta and their own errors
 *     fast <- 0.8 fast + (e - sum fast) / T      in the new sample's leaves, forgotten with the tree
 *     c     = [0, 1] least squares of e on sum fast, faded by 0.998: how much of the last errors nearby comes again
 *
 * The work of a fit is done in slices by units of about half a nanosecond; each sample pays for `budget` of them, bins
 * included (parts/grow.h, parts/window.h), so that no sample waits for a tree; while the ring fills, for up to four times
 * as many.
 *
 *     remake bins if due -> gather residuals -> grow -> swap the tree in -> settle: the ring's outputs, 64 rows at a time
 *
 * Where most of the last 40 errors are above three times their usual size, the concept has changed (parts/alarm.h): rows
 * before those 40 are forgotten, and the ring counts as young again.
 *
 * A block of 64 rows that is not settled yet is settled before anything else touches it.
 *
 * State, d features: 4 W (d + 1) bytes of values and W (d + 1) of codes, W T of leaves, 16 T 2^D of leaf values, the fit's
 * sample: some 1 MB at the defaults and 12 features. Friedman 2001, 2002 on (stochastic) gradient boosting.
 */
#include "parts/alarm.h"
#include "parts/ensemble.h"
#include "parts/grow.h"
#include "parts/random.h"
#include "parts/window.h"
#include <anabranch/learners.h>

enum {
    BASE_SAMPLES = 200, /* base is the mean of so many targets */
    MIN_ROWS = 5,
    ALARM_PAUSE = 500,  /* samples kept before a drift is believed */
    COLUMNS = 64,       /* of one tree, at most */
    BLOCK = ANB_CUTS_BLOCK,
    FEATURES = 32766,   /* at most: cuts number them, and the arrival index, twice in 16 bits */
    REBASE = 1 << 22,   /* arrival indices are floats: they restart from half of this */
    SETTLE_COST = 400, GATHER_COST = 150, GATHER_ROW = 5, START_COST = 200, SWAP_COST = 400 /* units, measured */
};

static const double ridge = 2, inherit = .7, replay_rate = .05;
static const double fast_keep = .8, c_fade = .998, importance_fade = .99;

typedef enum Phase { IDLE, GATHER, GROW, SETTLE } Phase;

typedef struct Sgbt {
    AnbRandom random;
    uint64_t origin;         /* subtracted from arrival indices */
    double base;
    AnbAlarm alarm;          /* of |y - f| */
    double cross, square;    /* faded: e sum fast, (sum fast)^2 */
    double credit, due_rows; /* units not spent yet, rows not replayed yet */
    uint32_t phase, cursor;  /* Phase; blocks done in it */
} Sgbt;

/* Where everything lies. */
typedef struct View {
    Sgbt *head;
    double *importance;
    uint16_t *column; /* a permutation; the first ones are the fit's */
    AnbWindowView window;
    AnbEnsembleView trees;
    AnbGrowView grow;
    size_t d, columns, end;
} View;

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbSgbtOptions, window), 4096, 64, ANB_PACKED_ROWS, 0, NULL,
     "rows that trees are fitted to, rounded up to a multiple of 64"},
    {"trees", ANB_COUNT, offsetof(AnbSgbtOptions, trees), 100, 1, 1024, 0, NULL, "trees in the ensemble"},
    {"depth", ANB_COUNT, offsetof(AnbSgbtOptions, depth), 5, 1, ANB_CUTS_DEPTH, 0, NULL, "cuts from root to leaf"},
    {"rate", ANB_REAL, offsetof(AnbSgbtOptions, rate), .08, 0, 1, 0, NULL, "share of the residual that a tree takes"},
    {"budget", ANB_REAL, offsetof(AnbSgbtOptions, budget), 4000, 1, 1e9, 0, NULL,
     "work on the next tree that a sample pays for, in half nanoseconds"},
    {"eta", ANB_REAL, offsetof(AnbSgbtOptions, eta), .3, 0, 1, 0, NULL, "step of the leaves between fits"},
    {"replay", ANB_REAL, offsetof(AnbSgbtOptions, replay), 4, 0, 64, 0, NULL, "rows of the ring learned again a sample"},
    {"seed", ANB_SEED, offsetof(AnbSgbtOptions, seed), 0, 0, 0, 0, NULL, "of the rows and columns that trees are shown"},
    {0}};

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static AnbWindowRoom window_room(const AnbNode *self)
{
    const AnbSgbtOptions *o = self->options;
    return (AnbWindowRoom){((size_t)o->window + BLOCK - 1) / BLOCK * BLOCK, self->n_features};
}

static AnbGrowRoom grow_room(const AnbNode *self)
{
    const AnbSgbtOptions *o = self->options;
    size_t columns = (4 * (self->n_features + 1) + 4) / 5;
    return (AnbGrowRoom){window_room(self).rows, columns < COLUMNS ? columns : COLUMNS, (unsigned)o->depth};
}

static AnbEnsembleRoom ensemble_room(const AnbNode *self)
{
    const AnbSgbtOptions *o = self->options;
    return (AnbEnsembleRoom){window_room(self).rows, (size_t)o->trees, self->n_features + 1, (unsigned)o->depth};
}

static void *take(uintptr_t base, size_t *at, size_t bytes)
{
    void *here = (void *)(base + *at);
    *at += (bytes + 63) / 64 * 64;
    return here;
}

static View view_of(const AnbNode *self, const void *state)
{
    const AnbWindowRoom window = window_room(self);
    const AnbEnsembleRoom trees = ensemble_room(self);
    const AnbGrowRoom grow = grow_room(self);
    uintptr_t base = (uintptr_t)state;
    size_t at = 0;
    View v = {.d = self->n_features, .columns = grow.columns};
    v.head = take(base, &at, sizeof(Sgbt));
    v.importance = take(base, &at, v.d * sizeof(double));
    v.column = take(base, &at, (v.d + 1) * sizeof(uint16_t));
    v.trees = anb_ensemble_view(trees, take(base, &at, anb_ensemble_bytes(trees)));
    v.window = anb_window_view(window, take(base, &at, anb_window_bytes(window)));
    v.grow = anb_grow_view(grow, take(base, &at, anb_grow_bytes(grow)));
    v.end = at;
    return v;
}

static int check(const AnbNode *self, AnbError *error)
{
    if (self->n_features <= FEATURES)
        return 0;
    return anb_fail(error, ANB_E_LIMIT, "sgbt takes up to %d features, not %zu", FEATURES, self->n_features);
}

/* What predict leaves for update. */
typedef struct Scratch {
    AnbLeaf *sum;        /* over the trees */
    float *row;          /* doubled, of d + 1 cells, the last being the arrival index */
    uint8_t *leaf;       /* of each tree */
} Scratch;

static Scratch scratch_of(const View *v, double *scratch)
{
    double *row = scratch + 2;
    return (Scratch){(AnbLeaf *)scratch, (float *)row, (uint8_t *)(row + v->d + 1)};
}

static AnbNeed need(const AnbNode *self)
{
    View v = view_of(self, NULL);
    return (AnbNeed){v.end, 2 + v.d + 1 + anb_cuts_padded(v.trees.room.trees) / sizeof(double)};
}

static int init(const AnbNode *self, void *state)
{
    View v = view_of(self, state);
    anb_random_seed(&v.head->random, self->seed);
    for (size_t j = 0; j <= v.d; j++)
        v.column[j] = (uint16_t)j;
    anb_window_init(&v.window);
    return 0;
}

/* ---- predicting ------------------------------------------------------------------------------------------------ */

static void make_row(const View *v, const double *raw, float *row)
{
    for (size_t j = 0; j < v->d; j++)
        anb_cuts_cell(row, v->d + 1, j, anb_cuts_value(raw[j]));
    anb_cuts_cell(row, v->d + 1, v->d, (float)(v->window.head->pushed - v->head->origin));
}

/* c: what part of the fast values to believe. */
static double trust(const Sgbt *h)
{
    return h->cross > 0 ? h->cross < h->square ? h->cross / h->square : 1 : 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = view_of(self, state);
    Scratch s = scratch_of(&v, scratch);
    const Sgbt *h = v.head;
    make_row(&v, row->raw, s.row);
    anb_cuts_descend(v.trees.cuts, v.trees.head->grown, v.trees.room.depth, s.row, s.leaf);
    anb_ensemble_sum(&v.trees, s.leaf, s.sum);
    double f = h->base + s.sum->slow + trust(h) * s.sum->fast;
    return f - f == 0 ? f : h->base;
}

/* ---- the leaves between fits ----------------------------------------------------------------------------------- */

/* Returns the sum of the slow values after it. */
static double move_leaves(const AnbNode *self, const View *v, const Scratch *s, double error)
{
    const AnbSgbtOptions *o = self->options;
    Sgbt *h = v->head;
    double slow = o->eta * error / o->trees, fast = (error - s->sum->fast) / o->trees;
    h->cross = h->cross * c_fade + error * s->sum->fast;
    h->square = h->square * c_fade + s->sum->fast * s->sum->fast;
    anb_ensemble_move(&v->trees, s->leaf, slow, fast_keep, fast);
    return s->sum->slow + slow * (double)v->trees.head->grown;
}

static uint32_t settle(const View *v, size_t block)
{
    if (!anb_ensemble_unsettled(&v->trees, block))
        return 0;
    anb_window_arrivals(&v->window, block);
    anb_ensemble_settle(&v->trees, block, anb_window_block(&v->window, block));
    return SETTLE_COST;
}

static void replay_some(const AnbNode *self, const View *v)
{
    const AnbSgbtOptions *o = self->options;
    Sgbt *h = v->head;
    size_t groups = anb_window_size(&v->window) / ANB_REPLAYED;
    uint32_t live = (uint32_t)anb_window_live(&v->window);
    for (h->due_rows += o->replay; h->due_rows >= ANB_REPLAYED; h->due_rows -= ANB_REPLAYED) {
        uint64_t row = v->window.head->pushed - 1 - anb_random_below(&h->random, live);
        size_t group = row % v->window.room.rows / ANB_REPLAYED, slot = ANB_REPLAYED * (group < groups ? group : 0);
        h->credit -= settle(v, slot / BLOCK);
        anb_ensemble_replay(&v->trees, slot, h->base, replay_rate / o->trees);
    }
}

/* ---- fitting, in slices ---------------------------------------------------------------------------------------- */

/* Arrival indices stay small enough for floats. */
static void rebase(const View *v)
{
    Sgbt *h = v->head;
    if (v->window.head->pushed - h->origin < REBASE)
        return;
    h->origin += REBASE / 2;
    for (size_t i = 0; i < v->trees.head->grown * v->trees.leaves; i++)
        if (v->trees.cuts[i].feature % (v->d + 1) == v->d)
            v->trees.cuts[i].threshold -= REBASE / 2;
}

static void choose_columns(const View *v)
{
    for (size_t k = 0; k < v->columns; k++) {
        size_t other = k + anb_random_below(&v->head->random, (uint32_t)(v->d + 1 - k));
        uint16_t swap = v->column[k];
        v->column[k] = v->column[other];
        v->column[other] = swap;
        v->grow.edges[k] = (uint8_t)anb_window_edges(&v->window, v->column[k]);
    }
}

static uint32_t begin(const View *v)
{
    Sgbt *h = v->head;
    if (anb_window_due(&v->window))
        return anb_window_slice(&v->window);
    rebase(v);
    anb_window_mark(&v->window);
    anb_grow_begin(&v->grow, v->columns, ridge, MIN_ROWS);
    choose_columns(v);
    h->cursor = 0;
    h->phase = GATHER;
    return START_COST + (uint32_t)(8 * v->columns + 2 * v->trees.leaves);
}

/* A block's share of the sample. */
static uint32_t gather_block(const AnbNode *self, const View *v, size_t block)
{
    const AnbSgbtOptions *o = self->options;
    Sgbt *h = v->head;
    const uint8_t *codes = anb_window_block(&v->window, block), *arrival = codes + v->d * BLOCK;
    size_t left = anb_window_size(&v->window) - block * BLOCK, rows = left < BLOCK ? left : BLOCK;
    uint64_t chosen = anb_random_three_of_four(&h->random);
    uint32_t cost = GATHER_COST;
    double aim[BLOCK];
    anb_window_arrivals(&v->window, block);
    anb_ensemble_aim(&v->trees, block, h->base, o->rate, inherit, aim);
    for (size_t i = 0; i < rows; i++) {
        if (!(chosen >> i & 1) || arrival[i] == ANB_MISSING)
            continue;
        uint8_t *to = anb_grow_add(&v->grow, aim[i]);
        for (size_t k = 0; k < v->columns; k++)
            to[k] = codes[v->column[k] * BLOCK + i];
        cost += GATHER_ROW + (uint32_t)v->columns;
    }
    return cost;
}

static uint32_t gather(const AnbNode *self, const View *v)
{
    Sgbt *h = v->head;
    uint32_t cost = gather_block(self, v, h->cursor++);
    if (h->cursor < anb_window_blocks(&v->window))
        return cost;
    h->phase = v->grow.head->rows ? GROW : IDLE;
    if (h->phase == GROW)
        anb_grow_start(&v->grow);
    return cost;
}

/* A cut on codes becomes one on values: the grower's columns are features again. */
static AnbCut with_threshold(const View *v, AnbCut cut)
{
    size_t feature = v->column[cut.feature % v->columns];
    if (cut.code == ANB_MISSING)
        return anb_cuts_none();
    cut.threshold = anb_window_threshold(&v->window, feature, cut.code, v->head->origin);
    cut.feature = (uint16_t)(feature + (cut.missing_left ? v->d + 1 : 0));
    return cut;
}

static void credit_features(const View *v)
{
    double unit = v->grow.head->unit * v->grow.head->unit;
    for (size_t j = 0; j < v->d; j++)
        v->importance[j] *= importance_fade;
    for (size_t k = 0; k < v->columns; k++) {
        double gain = v->grow.gain[k] * unit;
        if (v->column[k] < v->d && gain - gain == 0)
            v->importance[v->column[k]] += gain;
    }
}

/* The grown tree serves from now on; the ring follows block by block. */
static uint32_t swap_in(const View *v)
{
    for (size_t i = 0; i < v->trees.leaves; i++)
        v->grow.cuts[i] = with_threshold(v, v->grow.cuts[i]);
    anb_ensemble_swap(&v->trees, v->grow.cuts, v->grow.leaf, anb_window_blocks(&v->window));
    credit_features(v);
    anb_grow_begin(&v->grow, 0, ridge, MIN_ROWS);
    v->head->cursor = 0;
    v->head->phase = SETTLE;
    return SWAP_COST + (uint32_t)(4 * v->trees.leaves + 2 * v->d);
}

static uint32_t slice(const AnbNode *self, const View *v)
{
    Sgbt *h = v->head;
    switch (h->phase) {
    case IDLE:
        return begin(v);
    case GATHER:
        return gather(self, v);
    case GROW:
        return v->grow.head->phase == ANB_GROWN ? swap_in(v) : anb_grow_slice(&v->grow);
    default: {
        uint32_t cost = settle(v, h->cursor++);
        if (h->cursor >= anb_window_blocks(&v->window))
            h->phase = IDLE;
        return cost + 1;
    }
    }
}

/* ---- learning -------------------------------------------------------------------------------------------------- */

static void keep(const View *v, const Scratch *s, double y, double output)
{
    float *row = s->row;
    size_t slot = v->window.head->pushed % v->window.room.rows;
    v->head->credit -= settle(v, slot / BLOCK);
    for (size_t j = 0; j < v->d; j++)
        row[j] = row[j] < INFINITY ? row[j] : (float)ANB_NAN;
    anb_window_push(&v->window, row);
    anb_ensemble_keep(&v->trees, slot, s->leaf, y, output);
}

/* A young window learns most from each tree: 4 times the budget, falling to once as the ring fills. */
static double eagerness(const View *v)
{
    return 4 - 3 * (double)anb_window_live(&v->window) / (double)v->window.room.rows;
}

/* After an abrupt drift what lies behind is forgotten. */
static void watch(const View *v, double error, AnbCounters *counters)
{
    AnbAlarm *alarm = &v->head->alarm;
    if (!anb_alarm_see(alarm, error, v->window.head->pushed) || anb_window_live(&v->window) < ALARM_PAUSE)
        return;
    anb_window_forget(&v->window, ANB_ALARM_QUICK);
    anb_alarm_accept(alarm);
    counters->drifts++;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbSgbtOptions *o = self->options;
    View v = view_of(self, state);
    Scratch s = scratch_of(&v, scratch);
    Sgbt *h = v.head;
    double believed = trust(h) * s.sum->fast, error = y - h->base - s.sum->slow, output = move_leaves(self, &v, &s, error);
    (void)weight;
    if (output - output != 0) {
        anb_restart(self, state, row);
        return;
    }
    if (h->cross - h->cross != 0 || h->square - h->square != 0)
        h->cross = h->square = 0;
    keep(&v, &s, y, output);
    watch(&v, error - believed, row->counters);
    uint64_t seen = v.window.head->pushed;
    if (seen <= BASE_SAMPLES)
        h->base += (y - h->base) / (double)seen;
    if (anb_window_live(&v.window) < ANB_WINDOW_FIRST)
        return;
    replay_some(self, &v);
    for (h->credit += o->budget * eagerness(&v); h->credit > 0;)
        h->credit -= slice(self, &v);
}

/* ---- questions and snapshots ----------------------------------------------------------------------------------- */

static int query(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, AnbQuery what, void *out)
{
    View v = view_of(self, state);
    double *share = out, sum = 0;
    (void)row;
    (void)scratch;
    if (what != ANB_QUERY_IMPORTANCE)
        return ANB_E_UNSUPPORTED;
    for (size_t j = 0; j < v.d; j++)
        sum += v.importance[j];
    for (size_t j = 0; j < v.d; j++)
        share[j] = sum > 0 && sum - sum == 0 ? v.importance[j] / sum : 1 / (double)v.d;
    return 0;
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    View v = view_of(self, state);
    anb_random_visit(&v.head->random, visitor);
    anb_visit(visitor, &v.head->origin, ANB_U64, 1);
    anb_visit(visitor, &v.head->base, ANB_F64, 7);
    anb_visit(visitor, &v.head->phase, ANB_U32, 2);
    anb_visit(visitor, v.importance, ANB_F64, v.d);
    anb_visit(visitor, v.column, ANB_U16, v.d + 1);
    anb_window_visit(&v.window, visitor);
    anb_ensemble_visit(&v.trees, anb_window_size(&v.window), visitor);
    anb_grow_visit(&v.grow, visitor);
}

static bool valid_fit(const View *v)
{
    const Sgbt *h = v->head;
    const AnbGrow *grow = v->grow.head;
    const AnbWindow *window = v->window.head;
    if (h->phase == IDLE)
        return true;
    if (h->phase > SETTLE || window->gap == 0 || window->pushed < ANB_WINDOW_FIRST || h->origin > window->first ||
        (h->phase != GROW && h->cursor >= anb_window_blocks(&v->window)))
        return false;
    if (h->phase == GATHER)
        return grow->phase == ANB_GROW_ADDING && grow->rows <= h->cursor * BLOCK && grow->columns == v->columns;
    return h->phase != GROW || (grow->phase != ANB_GROW_ADDING && grow->columns == v->columns);
}

static bool valid_numbers(const View *v)
{
    const double *n = &v->head->base;
    bool fine = true;
    for (size_t i = 0; i < 7; i++)
        fine &= n[i] - n[i] == 0;
    for (size_t j = 0; j < v->d; j++)
        fine &= v->importance[j] >= 0;
    for (size_t j = 0; j <= v->d; j++)
        fine &= v->column[j] <= v->d;
    return fine;
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = view_of(self, state);
    const Sgbt *h = v.head;
    bool fine = valid_numbers(&v) && h->due_rows >= 0 && h->due_rows < ANB_REPLAYED &&
                h->origin <= v.window.head->pushed && anb_window_valid(&v.window) &&
                anb_ensemble_valid(&v.trees, anb_window_size(&v.window)) && anb_grow_valid(&v.grow) && valid_fit(&v);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "sgbt: a count, an index or a value is out of its range");
}

const StreamingLearnerType anb_sgbt = {
    .name = "sgbt",
    .brief = "gradient boosted trees over a window, one always under way",
    .example = "sgbt(window=256, trees=10, depth=3, budget=1000)",
    .options_size = sizeof(AnbSgbtOptions),
    .params = params,
    .flags = ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_UNIT,
    .version = 1,
    .check = check,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .query = query,
    .ranges = ranges,
    .validate = validate,
};

AnbSgbtOptions anb_sgbt_defaults(void)
{
    AnbSgbtOptions o;
    anb_options_defaults(&anb_sgbt, &o);
    return o;
}
