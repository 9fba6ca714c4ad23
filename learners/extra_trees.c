/*
 * Extremely randomised trees over a window of rows. One tree is always under construction.
 *
 *     f(x) = mean over the trees of the mean target in the leaf that x reaches
 *
 * The window holds the last `window` rows. One tree is always being built from all of them, in slices: each sample pays
 * for `budget` units of work. A finished tree replaces the oldest one. Every new row joins the leaf that it reaches in
 * each tree; a leaf that holds enough rows splits at once. Rows that arrive while a tree is built join it at the end.
 *
 * Trees go down to `leaf` rows, so that the forest keeps the detail of every row of the window; boosted and incremental
 * trees have leaves of many rows. With `time` the arrival number is one more feature, so that a tree may split the past
 * from the present. Missing cells are sent left or right by each cut.
 *
 * State: the window (4 d + 12 bytes a row), (trees + 1) pools of 3 window / leaf nodes of 24 bytes and window numbers
 * of 4. Cost: `trees` walks of log2(window / leaf) to twice as many steps, the same to learn, and `budget` units of
 * about 3 ns. Geurts, Ernst & Wehenkel 2006; here a threshold is half way between two rows drawn at random, instead of
 * a uniform draw from the range.
 */
#include "learners/trees/random_tree.h"
#include "src/numeric/clip.h"
#include "src/numeric/fields.h"
#include <anabranch/learners.h>

enum { FIRST_ROWS = 8 };

typedef struct Head {
    AnbRandom random;
    double weight, mean;          /* of the targets */
    uint64_t pushed, ready, next; /* rows so far; trees that were built; the tree that is replaced next */
    AnbRandomBuilder builder;
} Head;

static const AnbField members[] = {{ANB_INNER(Head, random, AnbRandom, anb_random_fields)},
                                   {ANB_MEMBER(Head, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Head, mean), .must = ANB_FINITE},
                                   {ANB_MEMBER(Head, pushed)},
                                   {ANB_MEMBER(Head, ready)},
                                   {ANB_MEMBER(Head, next)},
                                   {ANB_INNER(Head, builder, AnbRandomBuilder, anb_random_builder_fields)},
                                   {0}};

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbExtraTreesOptions, window), 8192, 16, 1 << 20, 0, NULL,
     "rows stored, rounded up to a power of two"},
    {"trees", ANB_COUNT, offsetof(AnbExtraTreesOptions, trees), 15, 1, 1024, 0, NULL, "trees in the ensemble"},
    {"leaf", ANB_COUNT, offsetof(AnbExtraTreesOptions, leaf), 2, 1, ANB_RANDOM_LEAF, 0, NULL,
     "rows in a leaf at least"},
    {"cuts", ANB_COUNT, offsetof(AnbExtraTreesOptions, cuts), 8, 1, ANB_RANDOM_CUTS, 0, NULL,
     "random pairs of feature and threshold that are compared at a node"},
    {"budget", ANB_COUNT, offsetof(AnbExtraTreesOptions, budget), 2000, 1, 1e9, 0, NULL,
     "work on the next tree at each sample, in units of about 3 nanoseconds"},
    {"time", ANB_BOOL, offsetof(AnbExtraTreesOptions, time), 1, 0, 0, 0, NULL, "the arrival number is a feature"},
    {"seed", ANB_SEED, offsetof(AnbExtraTreesOptions, seed), 0, 0, 0, 0, NULL, "of the cuts; 0: the model's"},
    {0}};

static size_t trees_of(const AnbNode *self)
{
    return (size_t)((const AnbExtraTreesOptions *)self->options)->trees;
}

static size_t window_of(const AnbNode *self)
{
    size_t wanted = (size_t)((const AnbExtraTreesOptions *)self->options)->window, rows = 16;
    while (rows < wanted)
        rows *= 2;
    return rows;
}

static size_t cells_of(const AnbNode *self)
{
    return window_of(self) * self->n_features;
}

static AnbRandomRule rule_of(const AnbNode *self)
{
    const AnbExtraTreesOptions *o = self->options;
    return (AnbRandomRule){.leaf = (uint32_t)o->leaf, .cuts = (uint32_t)o->cuts, .time = o->time};
}

/* ---- the pools: of each tree how many nodes it has, the nodes, and `older` --------------------------------------- */

static size_t pools_of(const AnbNode *self)
{
    return trees_of(self) + 1;
}

static size_t pool_nodes(const AnbNode *self)
{
    return anb_random_tree_nodes(window_of(self), rule_of(self).leaf);
}

static size_t pool_bytes(const AnbNode *self)
{
    return sizeof(uint64_t) + pool_nodes(self) * sizeof(AnbRandomNode) + window_of(self) * sizeof(uint32_t);
}

static size_t pools_bytes(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return pools_of(self) * pool_bytes(self);
}

/* The tree in a pool; its count of nodes has to be put back. */
static AnbRandomTree tree_in(const AnbNode *self, void *pools, size_t pool)
{
    char *at = (char *)pools + pool * pool_bytes(self);
    AnbRandomTree tree = {.nodes = *(uint64_t *)at, .capacity = pool_nodes(self)};
    tree.node = (AnbRandomNode *)(at + sizeof(uint64_t));
    tree.older = (uint32_t *)(tree.node + tree.capacity);
    return tree;
}

static void put_back(const AnbNode *self, void *pools, size_t pool, const AnbRandomTree *tree)
{
    *(uint64_t *)((char *)pools + pool * pool_bytes(self)) = tree->nodes;
}

static const AnbField node_fields[] = {{ANB_MEMBER(AnbRandomNode, value)},  {ANB_MEMBER(AnbRandomNode, weight)},
                                       {ANB_MEMBER(AnbRandomNode, left)},   {ANB_MEMBER(AnbRandomNode, feature)},
                                       {ANB_MEMBER(AnbRandomNode, newest)}, {0}};

static void pools_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)field, (void)state;
    for (size_t p = 0; p < pools_of(self); p++) {
        uint64_t *nodes = (uint64_t *)((char *)part + p * pool_bytes(self));
        anb_visit(visitor, "nodes", nodes, ANB_U64, 1);
        AnbRandomTree tree = tree_in(self, part, p);
        if (tree.nodes > tree.capacity)
            tree.nodes = *nodes = tree.capacity;
        for (size_t i = 0; i < tree.nodes; i++)
            anb_struct_visit(node_fields, &tree.node[i], visitor);
        if (tree.nodes > 0)
            anb_visit(visitor, "older", tree.older, ANB_U32, window_of(self));
    }
}

static int pools_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                          AnbError *error)
{
    (void)field, (void)state;
    for (size_t p = 0; p < pools_of(self); p++) {
        AnbRandomTree tree = tree_in(self, anb_view_of(part), p);
        if (!anb_random_tree_valid(&tree, self->n_features))
            return anb_fail(error, ANB_E_STATE, "extra_trees: a tree cannot be walked");
    }
    return 0;
}

static const AnbPart pools_part = {pools_bytes, pools_visit, pools_validate};

/* ---- state ------------------------------------------------------------------------------------------------------- */

static size_t used_rows(const AnbNode *self, const void *state)
{
    const Head *h = state;
    return h->pushed < window_of(self) ? (size_t)h->pushed : window_of(self);
}

static size_t used_cells(const AnbNode *self, const void *state)
{
    return used_rows(self, state) * self->n_features;
}

static size_t used_order(const AnbNode *self, const void *state)
{
    (void)self;
    return ((const Head *)state)->builder.phase > ANB_RANDOM_FILL ? ((const Head *)state)->builder.rows
                                                                  : ((const Head *)state)->builder.at;
}

/* POOL: the pool of each tree; the last one is of the tree under construction. */
enum { HEAD, Y, X, WEIGHT, ORDER, POOL, POOLS };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Head, members)},
    [Y] = {.name = "y", .kind = ANB_F64, .count = window_of, .used = used_rows, .must = ANB_FINITE},
    [X] = {.name = "x", .kind = ANB_F32, .count = cells_of, .used = used_cells},
    [WEIGHT] = {.name = "weight",
                .kind = ANB_F32,
                .count = window_of,
                .used = used_rows,
                .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [ORDER] = {.name = "order", .kind = ANB_U32, .count = window_of, .used = used_order},
    [POOL] = {.name = "pool", .kind = ANB_U32, .count = pools_of},
    [POOLS] = {.name = "pools", .part = &pools_part},
    {0}};

static size_t row_cells(const AnbNode *self)
{
    return self->n_features + 1;
}

/* The row as floats with its arrival number, and its leaf in each tree. */
enum { ROW, LEAF };
static const AnbField scratch_fields[] = {[ROW] = {.name = "row", .kind = ANB_F32, .count = row_cells},
                                          [LEAF] = {.name = "leaf", .kind = ANB_U32, .count = trees_of},
                                          {0}};

typedef struct View {
    Head *head;
    AnbRandomRows rows;
    float *x, *weight;
    double *y;
    uint32_t *order, *pool;
    void *pools;
} View;

static View view(const AnbNode *self, void *state)
{
    View v = {.head = state, .y = anb_field(self, state, Y), .x = anb_field(self, state, X)};
    v.weight = anb_field(self, state, WEIGHT);
    v.order = anb_field(self, state, ORDER);
    v.pool = anb_field(self, state, POOL);
    v.pools = anb_field(self, state, POOLS);
    v.rows = (AnbRandomRows){v.x, v.y, v.weight, self->n_features, window_of(self), v.head->pushed, NULL};
    return v;
}

static int init(const AnbNode *self, void *state)
{
    View v = view(self, state);
    anb_random_seed(&v.head->random, self->seed);
    for (size_t t = 0; t < pools_of(self); t++)
        v.pool[t] = (uint32_t)t;
    return 0;
}

/* A double as a float, clipped to the range of floats. */
static float narrow(double x)
{
    return x != x ? (float)ANB_NAN : x > 3e38 ? 3e38f : x < -3e38 ? -3e38f : (float)x;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = view(self, anb_view_of(state));
    float *x = anb_scratch(self, scratch, ROW);
    uint32_t *leaf = anb_scratch(self, scratch, LEAF);
    double sum = 0;
    for (size_t j = 0; j < self->n_features; j++)
        x[j] = narrow(row->raw[j]);
    x[self->n_features] = (float)v.head->pushed;
    for (size_t from = 0; from < v.head->ready; from += ANB_RANDOM_ABREAST) {
        AnbRandomTree tree[ANB_RANDOM_ABREAST];
        size_t n = v.head->ready - from < ANB_RANDOM_ABREAST ? v.head->ready - from : ANB_RANDOM_ABREAST;
        for (size_t t = 0; t < n; t++)
            tree[t] = tree_in(self, v.pools, v.pool[from + t]);
        anb_random_tree_leaves(tree, n, x, leaf + from);
        for (size_t t = 0; t < n; t++)
            sum += tree[t].node[leaf[from + t]].value;
    }
    return v.head->ready > 0 ? sum / (double)v.head->ready : v.head->mean;
}

/* Tree by tree, all rows of a block side by side. */
static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    enum { ROOM = 4096 };
    View v = view(self, anb_view_of(state));
    size_t d = self->n_features, ready = v.head->ready, stride = d + 1;
    float x[ROOM];
    if (rows->n < 4 || stride * rows->n > ROOM) {
        anb_predict_each(self, state, rows, scratch, out);
        return;
    }
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t j = 0; j < d; j++)
            x[i * stride + j] = narrow(rows->raw[i * rows->raw_stride + j]);
        x[i * stride + d] = (float)v.head->pushed;
        out[i] = 0;
    }
    for (size_t t = 0; t < ready; t++) {
        AnbRandomTree tree = tree_in(self, v.pools, v.pool[t]);
        anb_random_tree_add(&tree, x, stride, rows->n, out);
    }
    for (size_t i = 0; i < rows->n; i++)
        out[i] = ready > 0 ? out[i] / (double)ready : v.head->mean;
}

static void keep(const AnbNode *self, View *v, const float *x, double y, double weight)
{
    Head *h = v->head;
    size_t slot = h->pushed++ % v->rows.capacity, d = self->n_features;
    h->weight += weight;
    h->mean += (y - h->mean) * (weight / h->weight);
    memcpy(v->x + slot * d, x, d * sizeof *x);
    v->y[slot] = y;
    v->weight[slot] = (float)weight;
    v->rows.pushed = h->pushed;
}

/* Replaces the oldest tree by the finished one; the next one is built in the pool of the oldest. */
static void take_over(const AnbNode *self, const View *v)
{
    Head *h = v->head;
    size_t trees = trees_of(self);
    uint32_t fresh = v->pool[trees];
    v->pool[trees] = v->pool[h->next];
    v->pool[h->next] = fresh;
    h->ready += h->ready < trees;
    h->next = (h->next + 1) % trees;
}

static void grow(const AnbNode *self, const View *v)
{
    Head *h = v->head;
    AnbRandomRule rule = rule_of(self);
    size_t pool = v->pool[trees_of(self)];
    AnbRandomTree tree = tree_in(self, v->pools, pool);
    double budget = ((const AnbExtraTreesOptions *)self->options)->budget;
    if (h->pushed < FIRST_ROWS)
        return;
    if (h->builder.phase == ANB_RANDOM_IDLE)
        anb_random_tree_begin(&h->builder, &tree, &v->rows, h->mean);
    bool done = anb_random_tree_slice(&h->builder, &tree, &v->rows, &rule, v->order, budget, &h->random);
    put_back(self, v->pools, pool, &tree);
    if (done)
        take_over(self, v);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = view(self, state);
    const uint32_t *leaf = anb_scratch(self, scratch, LEAF);
    AnbRandomRule rule = rule_of(self);
    y = anb_clamp(y, -1e300, 1e300);
    keep(self, &v, anb_scratch(self, scratch, ROW), y, anb_clamp(weight, 1e-30, 1e30));
    for (size_t t = 0; t < v.head->ready; t++) {
        AnbRandomTree tree = tree_in(self, v.pools, v.pool[t]);
        anb_random_tree_join(&tree, leaf[t], &v.rows, (uint32_t)v.rows.pushed - 1, &rule, &v.head->random);
        put_back(self, v.pools, v.pool[t], &tree);
    }
    v.rows.importance = row->importance;
    grow(self, &v);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = view(self, anb_view_of(state));
    AnbRandomRule rule = rule_of(self);
    size_t trees = trees_of(self);
    bool fine = v.head->ready <= trees && v.head->next < trees && v.head->pushed >> 62 == 0;
    for (size_t t = 0; t <= trees && fine; t++) {
        fine = v.pool[t] <= trees;
        for (size_t u = 0; u < t && fine; u++)
            fine = v.pool[u] != v.pool[t];
    }
    for (size_t t = 0; t < v.head->ready && fine; t++)
        fine = tree_in(self, v.pools, v.pool[t]).nodes > 0;
    AnbRandomTree tree = fine ? tree_in(self, v.pools, v.pool[trees]) : (AnbRandomTree){0};
    fine = fine && anb_random_builder_valid(&v.head->builder, v.order, &tree, &v.rows, &rule);
    return fine ? 0
                : anb_fail(error, ANB_E_STATE, "extra_trees: the trees or the one under way cannot be gone on with");
}

const StreamingLearnerType anb_extra_trees = {
    .name = "extra_trees",
    .brief = "extremely randomised trees over a window, one always being built",
    .example = "extra_trees(window=256, trees=5, budget=200)",
    .options_size = sizeof(AnbExtraTreesOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .validate = validate,
};
