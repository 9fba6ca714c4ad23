/* A tree grown in slices: see tree_builder.h. Costs are counted in half nanoseconds, as measured. */
#include "tree_builder.h"
#include "src/numeric/places.h"

enum {
    SLICE = 1024,      /* target cost of a slice, in units */
    FILL = 1536,       /* additions to a histogram in a slice */
    ROWS = 512,        /* rows packed or divided in a slice */
    ASIDE = 256,       /* rows put aside, refined and assigned in a slice */
    REFINED = 64,      /* least number of rows of a node whose cut is refined: with fewer it would fit noise */
    CUT_COST = 120,    /* of a column: prefix sums and the scan, and 1 an edge */
    DIVIDE_COST = 3,   /* of a row */
    ASIDE_COST = 4,    /* of a row, where rows beside the cut are put aside */
    REFINE_COST = 3,   /* of a row beside the cut */
    SHARE_COST = 4,    /* of assigning it to a side */
    CLEAR_COST = 6,    /* of a column */
    SUBTRACT_COST = 11 /* of a column */
};

static size_t stride_of(AnbTreeBuilderRoom room)
{
    return (room.columns + 7) / 8 * 8;
}

size_t anb_tree_builder_view(AnbTreeBuilderRoom room, void *memory, AnbTreeBuilderView *v)
{
    const uintptr_t base = (uintptr_t)memory;
    const size_t nodes = (size_t)1 << room.depth;
    size_t end = 0;
    v->stride = stride_of(room);
    v->room = room;
    v->head = anb_place_in(base, &end, sizeof(AnbTreeBuilder));
    v->leaf = anb_place_in(base, &end, nodes * sizeof(double));
    v->gain = anb_place_in(base, &end, room.columns * sizeof(double));
    v->cells = anb_place_in(base, &end, room.rows * sizeof(double));
    v->histogram = anb_place_in(base, &end, room.depth * room.columns * ANB_CODES * sizeof(AnbPacked));
    v->cuts = anb_place_in(base, &end, nodes * sizeof(AnbCut));
    v->order = anb_place_in(base, &end, room.rows * sizeof(uint16_t));
    v->spare = anb_place_in(base, &end, room.rows * sizeof(uint16_t));
    v->edges = anb_place_in(base, &end, room.columns);
    v->fine = anb_place_in(base, &end, room.columns);
    v->codes = anb_place_in(base, &end, room.rows * v->stride);
    return end;
}

void anb_tree_builder_begin(const AnbTreeBuilderView *v, size_t columns, double ridge, uint32_t min_rows)
{
    size_t nodes = (size_t)1 << v->room.depth;
    memset(v->head, 0, sizeof *v->head);
    v->head->columns = (uint32_t)columns;
    v->head->ridge = ridge;
    v->head->min_rows = min_rows;
    for (size_t i = 0; i < nodes; i++) {
        v->leaf[i] = 0;
        v->cuts[i] = anb_cuts_none();
    }
    for (size_t k = 0; k < columns; k++)
        v->gain[k] = 0;
}

void anb_tree_builder_start(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    h->unit = anb_packed_unit(h->largest, h->rows);
    h->node = (AnbTreeBuilderNode){.heap = 1, .end = h->rows};
    h->phase = ANB_BUILD_PACK;
}

static void set_leaf(const AnbTreeBuilderView *v, const AnbTreeBuilderNode *node)
{
    uint32_t deepest = node->heap << (v->room.depth - anb_tree_builder_level(node->heap));
    double count = anb_packed_count(node->total);
    v->leaf[deepest - (1u << v->room.depth)] = v->head->unit * anb_packed_sum(node->total) / (count + v->head->ridge);
}

static bool divisible(const AnbTreeBuilder *h, const AnbTreeBuilderNode *node)
{
    return node->end - node->begin >= 2 * h->min_rows;
}

static void search_next(AnbTreeBuilder *h, AnbTreeBuilderNode node)
{
    h->node = node;
    h->best = (AnbPackedCut){0};
    h->cursor = 0;
    h->phase = ANB_BUILD_SEARCH;
}

static void pop(AnbTreeBuilder *h)
{
    if (h->n_waiting)
        search_next(h, h->waiting[--h->n_waiting]);
    else
        h->phase = ANB_BUILD_DONE;
}

static uint32_t pack(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    uint32_t end = h->rows - h->cursor > ROWS ? h->cursor + ROWS : h->rows, n = end - h->cursor;
    anb_packed_make(v->cells + h->cursor, n, h->unit);
    for (uint32_t i = h->cursor; i < end; i++) {
        AnbPacked word;
        memcpy(&word, v->cells + i, sizeof word);
        h->node.total += word;
        v->order[i] = (uint16_t)i;
    }
    h->cursor = end;
    if (end == h->rows) {
        h->cursor = 0;
        h->phase = ANB_BUILD_FILL;
    }
    return n + n / 2;
}

static uint32_t fill(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    AnbPacked *to = anb_tree_builder_histogram(v, h->node.level);
    uint32_t left = h->node.end - h->node.begin - h->cursor, n = FILL / h->columns + 1, cost = 0;
    n = n < left ? n : left;
    if (h->cursor == 0) {
        memset(to, 0, (size_t)h->columns * ANB_CODES * sizeof *to);
        cost = CLEAR_COST * h->columns;
    }
    anb_packed_fill(to, h->columns, (const AnbPacked *)v->cells, v->order + h->node.begin + h->cursor, n, v->codes,
                    v->stride);
    h->cursor += n;
    if (n == left) {
        if (h->node.heap == 1)
            search_next(h, h->node);
        else
            h->phase = ANB_BUILD_SUBTRACT;
    }
    return cost + n * h->columns * 17 / 20;
}

/* The node that waits on top is the larger sibling of the one that was filled. */
static uint32_t subtract(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    anb_packed_subtract(anb_tree_builder_histogram(v, h->waiting[h->n_waiting - 1].level),
                        anb_tree_builder_histogram(v, h->node.level), (size_t)h->columns * ANB_CODES);
    if (divisible(h, &h->node)) {
        search_next(h, h->node);
    } else {
        set_leaf(v, &h->node);
        pop(h);
    }
    return SUBTRACT_COST * h->columns;
}

/* After the search of a node: divides its rows by the best cut, or makes it a leaf. */
static void decide(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    if (h->best.gain > 0) {
        h->cursor = h->n_left = h->n_right = h->n_beside = 0;
        h->phase = ANB_BUILD_DIVIDE;
    } else {
        set_leaf(v, &h->node);
        pop(h);
    }
}

static uint32_t search(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    const AnbPackedRule rule = {.total = h->node.total, .ridge = h->ridge, .min_rows = h->min_rows};
    const AnbPacked *from = anb_tree_builder_histogram(v, h->node.level);
    uint32_t cost = 0;
    for (; h->cursor < h->columns && cost + CUT_COST < SLICE; h->cursor++) {
        anb_packed_cut(from + (size_t)h->cursor * ANB_CODES, v->edges[h->cursor], &rule, h->cursor, &h->best);
        cost += CUT_COST + v->edges[h->cursor];
    }
    if (h->cursor == h->columns)
        decide(v);
    return cost;
}

/* Whether the best cut is searched among finer codes as well. */
static bool refinable(const AnbTreeBuilderView *v)
{
    const AnbTreeBuilder *h = v->head;
    return v->fine[h->best.column] && h->best.code < v->edges[h->best.column] && h->node.end - h->node.begin >= REFINED;
}

/* The fine codes of a column on both sides of a cut: those below `low` are on the left, those above `high` on the
 * right. `shift` is added to codes and bounds: 1 where missing cells go left, so that 255 becomes 0. */
typedef struct Sides {
    const uint8_t *codes;
    uint8_t shift, low, high;
} Sides;

static Sides sides_of(const AnbTreeBuilderView *v, unsigned low, unsigned high)
{
    const AnbPackedCut *best = &v->head->best;
    const uint8_t shift = (uint8_t)best->missing_left;
    return (Sides){v->codes + best->column, shift, (uint8_t)(low + shift), (uint8_t)(high + shift)};
}

/* Rows that go left stay in order from the front, those that go right gather in `spare` from the front; where
 * `refines`, those in the two bins beside the cut are put aside at the end of `spare`, the first one in its last
 * place. */
static inline __attribute__((always_inline)) uint32_t divide_by(const AnbTreeBuilderView *v, Sides sides, bool refines)
{
    AnbTreeBuilder *h = v->head;
    const uint32_t left = h->node.end - h->node.begin - h->cursor, most = refines ? ASIDE : ROWS;
    const uint32_t n = left < most ? left : most;
    const uint16_t *from = v->order + h->node.begin + h->cursor;
    uint16_t *to_left = v->order + h->node.begin, *to_right = v->spare, *first_beside = v->spare + h->rows - 1;
    uint32_t n_left = h->n_left, n_right = h->n_right, n_beside = h->n_beside;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t row = from[i];
        uint8_t code = (uint8_t)(sides.codes[row * v->stride] + sides.shift);
        bool goes_left = code < sides.low;
        bool goes_right = code > sides.high;
        to_left[n_left] = row;
        to_right[n_right] = row;
        n_left += goes_left;
        n_right += goes_right;
        if (refines) {
            *(first_beside - n_beside) = row;
            n_beside += !(goes_left | goes_right);
        }
    }
    h->n_left = n_left;
    h->n_right = n_right;
    h->n_beside = n_beside;
    h->cursor += n;
    return (refines ? ASIDE_COST : DIVIDE_COST) * n;
}

static uint32_t divide_some(const AnbTreeBuilderView *v)
{
    const unsigned first = ANB_FINE * v->head->best.code, cut = anb_fine(v->head->best.code);
    return refinable(v) ? divide_by(v, sides_of(v, first, first + 2 * ANB_FINE - 1), true)
                        : divide_by(v, sides_of(v, cut + 1, cut), false);
}

/* The next rows beside the cut in this phase, and how many of them a slice takes. */
static const uint16_t *next_beside(const AnbTreeBuilderView *v, uint32_t *n)
{
    const AnbTreeBuilder *h = v->head;
    const uint32_t left = h->n_beside - h->cursor;
    *n = left < ASIDE ? left : ASIDE;
    return v->spare + h->rows - left;
}

/* The best of the cuts between the fine codes in the bins beside the best one of the histogram. Without missing cells
 * the fuller side is theirs. */
static void choose_fine(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    const AnbPackedRule rule = {.total = h->node.total, .ridge = h->ridge, .min_rows = h->min_rows};
    const AnbPacked *histogram = anb_tree_builder_histogram(v, h->node.level) + h->best.column * ANB_CODES;
    AnbPacked left = h->best.left;
    for (unsigned i = 0; i < ANB_FINE; i++)
        left -= h->beside[i];
    h->code = anb_fine(h->best.code);
    for (unsigned i = 0; i < 2 * ANB_FINE - 1; i++) {
        left += h->beside[i];
        double gain = anb_packed_gain(left, &rule);
        if (gain > h->best.gain) {
            h->best.gain = gain;
            h->best.left = left;
            h->code = ANB_FINE * h->best.code + i;
        }
    }
    if (histogram[ANB_MISSING] == 0)
        h->best.missing_left = 2 * anb_packed_count(h->best.left) >= anb_packed_count(h->node.total);
}

/* The children of a divided node: to be filled and searched, or leaves. */
static void descend(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    AnbTreeBuilderNode node = h->node, left = node, right = node;
    left.heap = 2 * node.heap;
    right.heap = left.heap + 1;
    left.end = right.begin = node.begin + h->n_left;
    left.total = h->best.left;
    right.total = node.total - h->best.left;
    AnbTreeBuilderNode large = h->n_left >= h->n_right ? left : right, small = h->n_left >= h->n_right ? right : left;
    if (anb_tree_builder_level(left.heap) == v->room.depth || !divisible(h, &large)) {
        set_leaf(v, &left);
        set_leaf(v, &right);
        pop(h);
        return;
    }
    small.level++;
    h->waiting[h->n_waiting++] = large;
    h->node = small;
    h->cursor = 0;
    h->phase = ANB_BUILD_FILL;
}

/* All rows have their side. */
static void finish_cut(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    const AnbPackedCut *best = &h->best;
    size_t feature = best->column + (best->missing_left ? v->room.columns : 0);
    v->cuts[h->node.heap] =
        (AnbCut){.feature = (uint16_t)feature, .code = (uint8_t)h->code, .missing_left = (uint8_t)best->missing_left};
    v->gain[best->column] += best->gain;
    memcpy(v->order + h->node.begin + h->n_left, v->spare, h->n_right * sizeof *v->spare);
    descend(v);
}

static uint32_t divide(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    uint32_t cost = divide_some(v);
    if (h->cursor < h->node.end - h->node.begin)
        return cost;
    h->code = anb_fine(h->best.code);
    if (h->n_beside > 0) {
        memset(h->beside, 0, sizeof h->beside);
        h->cursor = 0;
        h->phase = ANB_BUILD_REFINE;
    } else {
        finish_cut(v);
    }
    return cost;
}

static uint32_t refine(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    uint32_t n;
    const uint16_t *rows = next_beside(v, &n);
    const uint8_t first = (uint8_t)(ANB_FINE * h->best.code), *codes = v->codes + h->best.column;
    const AnbPacked *cells = (const AnbPacked *)v->cells;
    for (uint32_t i = 0; i < n; i++)
        h->beside[(uint8_t)(codes[rows[i] * v->stride] - first) % (2 * ANB_FINE)] += cells[rows[i]];
    h->cursor += n;
    if (h->cursor == h->n_beside) {
        choose_fine(v);
        h->cursor = 0;
        h->phase = ANB_BUILD_SHARE;
    }
    return REFINE_COST * n;
}

/* Rows beside the cut get their side. They are read upward, so that those that go right, written upward from further
 * below, never take the place of one that was not read yet. */
static uint32_t share(const AnbTreeBuilderView *v)
{
    AnbTreeBuilder *h = v->head;
    uint32_t n;
    const uint16_t *rows = next_beside(v, &n);
    const Sides sides = sides_of(v, h->code + 1, h->code);
    uint16_t *to_left = v->order + h->node.begin;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t row = rows[i];
        if ((uint8_t)(sides.codes[row * v->stride] + sides.shift) < sides.low)
            to_left[h->n_left++] = row;
        else
            v->spare[h->n_right++] = row;
    }
    h->cursor += n;
    if (h->cursor == h->n_beside)
        finish_cut(v);
    return SHARE_COST * n;
}

uint32_t anb_tree_builder_slice(const AnbTreeBuilderView *v)
{
    static uint32_t (*const step[])(const AnbTreeBuilderView *) = {
        [ANB_BUILD_PACK] = pack,        [ANB_BUILD_FILL] = fill,   [ANB_BUILD_SEARCH] = search,
        [ANB_BUILD_REFINE] = refine,    [ANB_BUILD_SHARE] = share, [ANB_BUILD_DIVIDE] = divide,
        [ANB_BUILD_SUBTRACT] = subtract};
    uint32_t phase = v->head->phase;
    return phase > ANB_BUILD_ADDING && phase < ANB_BUILD_DONE ? step[phase](v) : 0;
}
