/* The phases of making a tree: see boost.h. Costs are in half nanoseconds, as measured. */
#include "boost.h"
#include "code_rows.h"
#include "src/numeric/fields.h"
#include "src/numeric/places.h"

enum {
    BLOCK = ANB_CUTS_BLOCK,
    REBASE = 1 << 22, /* arrival indices restart from half of this */
    SETTLE_COST = 340,
    GATHER_COST = 180,
    GATHER_ROW = 12,
    START_COST = 100,
    SWAP_COST = 100,
    SWAP_LEAF = 24
};

static const double importance_fade = .99;

void anb_boost_view(AnbBoostRoom room, void *memory, AnbBoostView *v)
{
    const size_t all = room.features + 1, most = (4 * all + 4) / 5;
    const size_t columns = most < ANB_BOOST_COLUMNS ? most : ANB_BOOST_COLUMNS;
    const AnbBoostedTreesRoom trees = {room.rows, room.trees, all, room.depth};
    const AnbWindowRoom window = {room.rows, room.features};
    const AnbTreeBuilderRoom grow = {room.rows, columns, room.depth};
    uintptr_t base = (uintptr_t)memory;
    size_t at = 0;
    v->columns = columns;
    v->room = room;
    v->head = anb_place_in(base, &at, sizeof(AnbBoost));
    v->importance = anb_place_in(base, &at, room.features * sizeof(double));
    v->column = anb_place_in(base, &at, all * sizeof(uint16_t));
    at += anb_boosted_trees_view(trees, (void *)(base + at), &v->trees);
    at += anb_window_view(window, (void *)(base + at), &v->window);
    at += anb_tree_builder_view(grow, (void *)(base + at), &v->grow);
    v->bytes = at;
}

void anb_boost_init(const AnbBoostView *v, uint64_t seed)
{
    anb_random_seed(&v->head->random, seed);
    for (size_t j = 0; j <= v->room.features; j++)
        v->column[j] = (uint16_t)j;
    anb_window_init(&v->window);
}

void anb_boost_row(const AnbBoostView *v, const double *raw, float *row)
{
    const size_t d = v->room.features;
    for (size_t j = 0; j < d; j++)
        anb_cuts_cell(row, d + 1, j, anb_cuts_value(raw[j]));
    anb_cuts_cell(row, d + 1, d, (float)(v->window.head->pushed - v->head->origin));
}

_Static_assert((int)ANB_CUTS_ROWS == (int)ANB_ROWS, "a block of rows is one of cuts");

void anb_boost_rows(const AnbBoostView *v, const AnbRows *rows, float *columns)
{
    const size_t d = v->room.features;
    const float arrival = (float)(v->window.head->pushed - v->head->origin);
    float *other = columns + (d + 1) * ANB_CUTS_ROWS;
    for (size_t j = 0; j <= d; j++, columns += ANB_CUTS_ROWS, other += ANB_CUTS_ROWS)
        for (size_t i = 0; i < ANB_CUTS_ROWS; i++) {
            size_t row = i < rows->n ? i : 0;
            float x = j < d ? anb_cuts_value(rows->raw[row * rows->raw_stride + j]) : arrival;
            columns[i] = x == x ? x : INFINITY;
            other[i] = x == x ? x : -INFINITY;
        }
}

uint32_t anb_boost_keep(const AnbBoostView *v, float *row, const uint8_t *leaf, double target, double output)
{
    uint32_t cost = anb_boost_settle(v, v->window.head->pushed % v->room.rows);
    for (size_t j = 0; j < v->room.features; j++)
        row[j] = row[j] < INFINITY ? row[j] : (float)ANB_NAN;
    anb_boosted_trees_keep(&v->trees, anb_window_push(&v->window, row), leaf, target, output);
    return cost;
}

uint32_t anb_boost_settle(const AnbBoostView *v, size_t slot)
{
    size_t block = slot / BLOCK;
    if (!anb_boosted_trees_unsettled(&v->trees, block))
        return 0;
    anb_window_arrivals(&v->window, block);
    anb_boosted_trees_settle(&v->trees, block, anb_window_block(&v->window, block));
    return SETTLE_COST;
}

/* Arrival indices stay small enough for floats. */
static void rebase(const AnbBoostView *v)
{
    const size_t d = v->room.features;
    const uint32_t half = REBASE / 2;
    if (v->window.head->pushed - v->head->origin < REBASE)
        return;
    v->head->origin += half;
    for (size_t i = 0; i < v->trees.head->grown * v->trees.leaves; i++)
        if (v->trees.cuts[i].feature % (d + 1) == d)
            v->trees.cuts[i].threshold -= (float)half;
}

static void choose_columns(const AnbBoostView *v)
{
    for (size_t k = 0; k < v->columns; k++) {
        size_t other = k + anb_random_below(&v->head->random, (uint32_t)(v->room.features + 1 - k));
        uint16_t swap = v->column[k];
        v->column[k] = v->column[other];
        v->column[other] = swap;
        v->grow.edges[k] = (uint8_t)anb_window_edges(&v->window, v->column[k]);
        v->grow.fine[k] = anb_window_fine(&v->window, v->column[k]);
    }
}

static uint32_t begin(const AnbBoostView *v, const AnbBoostRule *rule)
{
    if (anb_window_due(&v->window))
        return 1 + anb_window_slice(&v->window);
    rebase(v);
    anb_window_mark(&v->window);
    anb_tree_builder_begin(&v->grow, v->columns, rule->ridge, rule->min_rows);
    choose_columns(v);
    v->head->cursor = 0;
    v->head->phase = ANB_BOOST_GATHER;
    return START_COST + (uint32_t)(8 * v->columns + 2 * v->trees.leaves);
}

/* Which of a block's rows are in the sample: 3/4 of the live ones, in order. */
static size_t choose_rows(const AnbBoostView *v, size_t block, uint8_t *row)
{
    const uint8_t *arrival = anb_window_block(&v->window, block) + v->room.features * BLOCK;
    size_t left = anb_window_size(&v->window) - block * BLOCK, rows = left < BLOCK ? left : BLOCK, n = 0;
    uint64_t chosen = anb_random_three_of_four(&v->head->random);
    for (size_t i = 0; i < rows; i++, chosen >>= 1) {
        row[n] = (uint8_t)i;
        n += (chosen & 1) && arrival[i] != ANB_FINE_MISSING;
    }
    return n;
}

/* Copies the codes of n rows of a block, in the order of the sample's columns, and zeros up to whole eights. */
static void copy_codes(const AnbBoostView *v, size_t block, const uint8_t *row, size_t n, uint8_t *to)
{
    static const uint8_t none[BLOCK];
    const uint8_t *codes = anb_window_block(&v->window, block);
    for (size_t k = 0; k < v->columns; k += ANB_CODE_COLUMNS) {
        const uint8_t *column[ANB_CODE_COLUMNS];
        uint8_t rows[BLOCK * ANB_CODE_COLUMNS];
        for (size_t c = 0; c < ANB_CODE_COLUMNS; c++)
            column[c] = k + c < v->columns ? codes + (size_t)v->column[k + c] * BLOCK : none;
        anb_code_rows(column, rows);
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * v->grow.stride + k, rows + row[i] * ANB_CODE_COLUMNS, ANB_CODE_COLUMNS);
    }
}

/* Adds a block's rows to the sample. */
static uint32_t gather_block(const AnbBoostView *v, const AnbBoostRule *rule, size_t block)
{
    uint8_t row[BLOCK], *to = v->grow.codes + v->grow.head->rows * v->grow.stride;
    double aim[BLOCK];
    anb_window_arrivals(&v->window, block);
    anb_boosted_trees_aim(&v->trees, block, &rule->aim, aim);
    size_t n = choose_rows(v, block, row);
    for (size_t i = 0; i < n; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): the first n rows are set */
        anb_tree_builder_add(&v->grow, aim[row[i]]);
    copy_codes(v, block, row, n, to);
    return GATHER_COST + (uint32_t)(n * (GATHER_ROW + v->columns));
}

static uint32_t gather(const AnbBoostView *v, const AnbBoostRule *rule)
{
    AnbBoost *h = v->head;
    uint32_t cost = gather_block(v, rule, h->cursor++);
    if (h->cursor < anb_window_blocks(&v->window))
        return cost;
    h->phase = v->grow.head->rows ? ANB_BOOST_GROW : ANB_BOOST_IDLE;
    if (h->phase == ANB_BOOST_GROW)
        anb_tree_builder_start(&v->grow);
    return cost;
}

/* Converts a cut on codes to one on values, and the grower's column to a feature. */
static AnbCut with_threshold(const AnbBoostView *v, AnbCut cut)
{
    size_t feature = v->column[cut.feature % v->columns];
    if (cut.code == ANB_FINE_MISSING)
        return anb_cuts_none();
    cut.threshold = anb_window_threshold(&v->window, feature, cut.code, v->head->origin);
    cut.feature = (uint16_t)(feature + (cut.missing_left ? v->room.features + 1 : 0));
    return cut;
}

static void credit_features(const AnbBoostView *v)
{
    double unit = v->grow.head->unit * v->grow.head->unit;
    for (size_t j = 0; j < v->room.features; j++)
        v->importance[j] *= importance_fade;
    for (size_t k = 0; k < v->columns; k++) {
        double gain = v->grow.gain[k] * unit;
        if (v->column[k] < v->room.features && v->importance[v->column[k]] + gain < (double)INFINITY)
            v->importance[v->column[k]] += gain;
    }
}

/* Puts the grown tree into the ensemble; the rows of the ring follow block by block. */
static uint32_t swap_in(const AnbBoostView *v)
{
    for (size_t i = 0; i < v->trees.leaves; i++)
        v->grow.cuts[i] = with_threshold(v, v->grow.cuts[i]);
    anb_boosted_trees_swap(&v->trees, v->grow.cuts, v->grow.leaf, anb_window_blocks(&v->window));
    credit_features(v);
    anb_tree_builder_begin(&v->grow, 0, 0, 0);
    v->head->cursor = 0;
    v->head->phase = ANB_BOOST_SETTLE;
    return SWAP_COST + (uint32_t)(SWAP_LEAF * v->trees.leaves + 2 * v->room.features);
}

static uint32_t settle_next(const AnbBoostView *v)
{
    AnbBoost *h = v->head;
    uint32_t cost = anb_boost_settle(v, (size_t)h->cursor++ * BLOCK);
    if (h->cursor >= anb_window_blocks(&v->window))
        h->phase = ANB_BOOST_IDLE;
    return cost + 1;
}

uint32_t anb_boost_slice(const AnbBoostView *v, const AnbBoostRule *rule)
{
    switch (v->head->phase) {
    case ANB_BOOST_IDLE:
        return begin(v, rule);
    case ANB_BOOST_GATHER:
        return gather(v, rule);
    case ANB_BOOST_GROW:
        return v->grow.head->phase == ANB_BUILD_DONE ? swap_in(v) : 1 + anb_tree_builder_slice(&v->grow);
    default:
        return settle_next(v);
    }
}

static const AnbField head[] = {{ANB_INNER(AnbBoost, random, AnbRandom, anb_random_fields)},
                                {ANB_MEMBER(AnbBoost, origin)},
                                {ANB_MEMBER(AnbBoost, phase)},
                                {ANB_MEMBER(AnbBoost, cursor)},
                                {0}};

void anb_boost_visit(const AnbBoostView *v, AnbVisitor *visitor)
{
    anb_struct_visit(head, v->head, visitor);
    anb_visit(visitor, "importance", v->importance, ANB_F64, v->room.features);
    anb_visit(visitor, "column", v->column, ANB_U16, v->room.features + 1);
    anb_window_visit(&v->window, visitor);
    anb_boosted_trees_visit(&v->trees, anb_window_size(&v->window), visitor);
    anb_tree_builder_visit(&v->grow, visitor);
}

static bool valid_fit(const AnbBoostView *v)
{
    const AnbBoost *h = v->head;
    const AnbTreeBuilder *grow = v->grow.head;
    const AnbWindow *window = v->window.head;
    if (h->phase == ANB_BOOST_IDLE)
        return true;
    if (h->phase > ANB_BOOST_SETTLE || window->gap == 0 || window->pushed == 0 || h->origin > window->first ||
        (h->phase != ANB_BOOST_GROW && h->cursor >= anb_window_blocks(&v->window)))
        return false;
    if (h->phase == ANB_BOOST_GATHER)
        return grow->phase == ANB_BUILD_ADDING && grow->rows <= h->cursor * BLOCK && grow->columns == v->columns;
    return h->phase != ANB_BOOST_GROW || (grow->phase != ANB_BUILD_ADDING && grow->columns == v->columns);
}

/* Blocks may be unsettled only after a mark, by which their arrivals are coded. */
static bool valid_unsettled(const AnbBoostView *v)
{
    size_t unsettled = 0;
    for (size_t b = 0; b < anb_window_blocks(&v->window); b++)
        unsettled += anb_boosted_trees_unsettled(&v->trees, b);
    return unsettled == 0 || v->window.head->gap > 0;
}

bool anb_boost_valid(const AnbBoostView *v)
{
    const size_t d = v->room.features;
    bool fine = v->head->origin <= v->window.head->pushed && anb_window_valid(&v->window) &&
                anb_boosted_trees_valid(&v->trees, anb_window_size(&v->window)) && anb_tree_builder_valid(&v->grow) &&
                valid_fit(v) && valid_unsettled(v);
    for (size_t j = 0; j < d; j++)
        fine &= v->importance[j] >= 0 && v->importance[j] < (double)INFINITY;
    for (size_t j = 0; j <= d; j++)
        fine &= v->column[j] <= d;
    return fine;
}
