/* A tree grown in slices is the tree of a plain recursive fit; a copy of a half-grown one goes the same way. */
#include "carrier.h"
#include "numbers.h"
#include "learners/boost/tree_builder.h"
#include "src/text/field_reader.h"
#include "suite.h"
#include <math.h>

enum { ROWS = 3000, COLUMNS = 6, DEPTH = 4, EDGES = 7, MIN = 5, REFINED = 64 };

static const AnbTreeBuilderRoom room = {ROWS, COLUMNS + 2, DEPTH};
static const double ridge = 1.5;
static uint64_t seed = 3;
static double target[ROWS];
static uint8_t codes[ROWS][COLUMNS];
static uint8_t fine[COLUMNS] = {1, 0, 1, 0, 1, 0};
static size_t refined; /* cuts that are between fine codes */

static void make_sample(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < COLUMNS; k++)
            codes[i][k] = (uint8_t)((uniform_of(&seed) + 1) / 2 * ANB_FINE * (EDGES + 1));
        for (size_t k = 0; k < COLUMNS; k++)
            codes[i][k] &= fine[k] ? 255 : 255 - ANB_FINE + 1;
        if (uniform_of(&seed) > .7)
            codes[i][2] = ANB_FINE_MISSING;
        target[i] = (codes[i][0] > 13) * (codes[i][1] > 20 ? 4 : -1) + (codes[i][2] == ANB_FINE_MISSING) +
                    (codes[i][2] > 9) + uniform_of(&seed);
    }
}

static size_t room_bytes(void)
{
    AnbTreeBuilderView v;
    return anb_tree_builder_view(room, NULL, &v);
}

static AnbTreeBuilderView new_grower(void)
{
    AnbTreeBuilderView v;
    anb_tree_builder_view(room, calloc(1, room_bytes()), &v);
    anb_tree_builder_begin(&v, COLUMNS, ridge, MIN);
    memset(v.edges, EDGES, COLUMNS);
    memcpy(v.fine, fine, COLUMNS);
    for (size_t i = 0; i < ROWS; i++)
        memcpy(anb_tree_builder_add(&v, target[i]), codes[i], COLUMNS);
    anb_tree_builder_start(&v);
    return v;
}

static void grow(const AnbTreeBuilderView *v)
{
    for (int slices = 0; v->head->phase != ANB_BUILD_DONE; slices++) {
        ck_assert_int_lt(slices, 5000);
        ck_assert(anb_tree_builder_valid(v));
        ck_assert_uint_le(anb_tree_builder_slice(v), 4096);
    }
}

typedef struct Cut {
    double gain;
    size_t column, left; /* rows on the left */
    unsigned code, way;  /* way: 1 where missing cells go left */
} Cut;

/* Whether a cut sends a row right. */
static bool goes_right(const Cut *cut, size_t row)
{
    uint8_t c = codes[row][cut->column];
    return c == ANB_FINE_MISSING ? !cut->way : c > cut->code;
}

/* Takes the cut in place of the best one where it gains more. */
static void consider(Cut cut, const uint16_t *rows, size_t n, Cut *best)
{
    double sum[2] = {0}, count[2] = {0};
    for (size_t i = 0; i < n; i++) {
        bool right = goes_right(&cut, rows[i]);
        sum[right] += target[rows[i]];
        count[right]++;
    }
    double all = sum[0] + sum[1];
    cut.left = (size_t)count[0];
    cut.gain =
        sum[0] * sum[0] / (count[0] + ridge) + sum[1] * sum[1] / (count[1] + ridge) - all * all / ((double)n + ridge);
    if (count[0] >= MIN && count[1] >= MIN && cut.gain > best->gain + 1e-9)
        *best = cut;
}

/* The plain fit: of every node's cuts between the histogram's codes the best, then the best of the fine ones beside it.
 * Fills what each row is told. */
static void fit(const uint16_t *rows, size_t n, unsigned depth, double *told)
{
    Cut best = {0};
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += target[rows[i]];
    for (size_t k = 0; depth > 0 && n >= 2 * MIN && k < COLUMNS; k++)
        for (unsigned w = 0; w < 2; w++)
            for (unsigned c = 0; c <= EDGES; c++)
                consider((Cut){.column = k, .code = anb_fine(c), .way = w}, rows, n, &best);
    if (best.gain == 0) {
        for (size_t i = 0; i < n; i++)
            told[rows[i]] = sum / ((double)n + ridge);
        return;
    }
    const Cut coarse = best;
    for (unsigned c = 0; fine[coarse.column] && n >= REFINED && coarse.code < anb_fine(EDGES) && c < 2 * ANB_FINE - 1;
         c++)
        consider((Cut){.column = coarse.column, .code = coarse.code + 1 - ANB_FINE + c, .way = coarse.way}, rows, n,
                 &best);
    refined += best.code != coarse.code;
    uint16_t *side[2] = {malloc(n * sizeof **side), malloc(n * sizeof **side)};
    size_t size[2] = {0};
    for (size_t i = 0; i < n; i++) {
        bool right = goes_right(&best, rows[i]);
        side[right][size[right]++] = rows[i];
    }
    ck_assert_uint_eq(size[0], best.left);
    for (int s = 0; s < 2; s++) {
        fit(side[s], size[s], depth - 1, told);
        free(side[s]);
    }
}

static double said(const AnbTreeBuilderView *v, size_t row)
{
    unsigned k = 1;
    while (k < 1u << DEPTH) {
        AnbCut cut = v->cuts[k];
        uint8_t code = codes[row][cut.feature % room.columns];
        bool right = cut.code < ANB_FINE_MISSING && (code == ANB_FINE_MISSING ? !cut.missing_left : code > cut.code);
        k = 2 * k + right;
    }
    return v->leaf[k - (1u << DEPTH)];
}

START_TEST(is_the_plain_fit)
{
    static uint16_t rows[ROWS];
    static double told[ROWS];
    for (int round = 0; round < 5; round++) {
        make_sample();
        AnbTreeBuilderView v = new_grower();
        grow(&v);
        for (size_t i = 0; i < ROWS; i++)
            rows[i] = (uint16_t)i;
        refined = 0;
        fit(rows, ROWS, DEPTH, told);
        ck_assert_uint_gt(refined, 0);
        for (size_t i = 0; i < ROWS; i++)
            ck_assert_msg(fabs(said(&v, i) - told[i]) < 1e-6, "row %zu: %g, plain %g", i, said(&v, i), told[i]);
        free(v.head);
    }
}
END_TEST

/* Each row stands in `order` once. */
static void check_order(const AnbTreeBuilderView *v)
{
    static uint8_t seen[ROWS];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < ROWS; i++)
        seen[v->order[i]]++;
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_msg(seen[i] == 1, "row %zu: %d times", i, seen[i]);
}

/* A step anywhere is found: between codes of the histogram, and between fine ones. */
static void check_step(size_t column, unsigned code)
{
    for (size_t i = 0; i < ROWS; i++)
        target[i] = codes[i][column] > code ? 1000 : -1000;
    AnbTreeBuilderView v = new_grower();
    grow(&v);
    check_order(&v);
    ck_assert_uint_eq(v.cuts[1].feature % room.columns, column);
    ck_assert_uint_eq(v.cuts[1].code, code);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_double_le(fabs(said(&v, i) - target[i]), 30); /* what the ridge takes of a leaf of 80 rows */
    free(v.head);
}

START_TEST(a_step_is_learned_exactly)
{
    make_sample();
    for (unsigned c = 0; c < EDGES; c++)
        check_step(3, anb_fine(c));
    for (unsigned c = 0; c < ANB_FINE * (EDGES + 1) - 1; c++)
        check_step(4, c);
}
END_TEST

START_TEST(a_half_grown_tree_can_be_carried_over)
{
    make_sample();
    AnbTreeBuilderView whole = new_grower();
    grow(&whole);
    AnbTreeBuilderView v = new_grower();
    while (v.head->phase != ANB_BUILD_DONE) {
        AnbTreeBuilderView copy;
        anb_tree_builder_view(room, malloc(room_bytes()), &copy);
        memset(copy.head, 0xa5, room_bytes());
        Carrier c = carrier(v.head, copy.head);
        anb_tree_builder_visit(&v, &c.visitor);
        ck_assert(anb_tree_builder_valid(&copy));
        grow(&copy);
        ck_assert_mem_eq(copy.cuts, whole.cuts, sizeof(AnbCut) << DEPTH);
        ck_assert_mem_eq(copy.leaf, whole.leaf, sizeof(double) << DEPTH);
        free(copy.head);
        anb_tree_builder_slice(&v);
    }
    free(v.head);
    free(whole.head);
}
END_TEST

/* Writes a state as it was before version 4, when no cut was refined and codes had six bits. */
typedef struct Older {
    AnbVisitor visitor;
    const AnbTreeBuilder *head;
    uint8_t *at;
} Older;

static bool is_new(const char *name, AnbScalar kind)
{
    return strcmp(name, "n_beside") == 0 || strcmp(name, "fine") == 0 || strcmp(name, "beside_rows") == 0 ||
           (strcmp(name, "code") == 0 && kind == ANB_U32);
}

static void write_older(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Older *o = (Older *)visitor;
    const size_t size = anb_scalar_bytes(kind) * count;
    const bool coded = kind == ANB_U8 && (strcmp(visitor->name, "code") == 0 || strcmp(visitor->name, "codes") == 0);
    if (is_new(visitor->name, kind))
        return;
    memcpy(o->at, data, size);
    for (size_t i = 0; coded && i < size; i++)
        o->at[i] = (uint8_t)(o->at[i] / ANB_FINE);
    if (strcmp(visitor->name, "phase") == 0 && o->head->phase > ANB_BUILD_SHARE)
        *o->at = (uint8_t)(o->head->phase - 2);
    if (strcmp(visitor->name, "gain") == 0 && count == COLUMNS && o->head->phase == ANB_BUILD_DIVIDE) {
        double gain[COLUMNS];
        memcpy(gain, data, sizeof gain);
        gain[o->head->best.column] += o->head->best.gain;
        memcpy(o->at, gain, sizeof gain);
    }
    o->at += size;
}

/* In every phase: what is read of the older layout grows to the same tree. */
START_TEST(a_half_grown_tree_of_an_older_layout_goes_on)
{
    size_t phases[ANB_BUILD_DONE + 1] = {0};
    memset(fine, 0, sizeof fine);
    make_sample();
    AnbTreeBuilderView whole = new_grower(), v = new_grower();
    grow(&whole);
    uint8_t *bytes = malloc(2 * room_bytes());
    for (bool done = false; !done; anb_tree_builder_slice(&v)) {
        AnbTreeBuilderView copy;
        Older older = {{.field = write_older}, v.head, bytes};
        phases[v.head->phase]++;
        anb_tree_builder_visit(&v, &older.visitor);
        AnbFieldReader reader = anb_field_reader(bytes, (size_t)(older.at - bytes));
        reader.visitor.version = 3;
        anb_tree_builder_view(room, calloc(1, room_bytes()), &copy);
        anb_tree_builder_visit(&copy, &reader.visitor);
        ck_assert_int_eq(anb_fields_end(&reader), 0);
        ck_assert(anb_tree_builder_valid(&copy));
        ck_assert_uint_eq(copy.head->phase, v.head->phase);
        grow(&copy);
        ck_assert_mem_eq(copy.cuts, whole.cuts, sizeof(AnbCut) << DEPTH);
        ck_assert_mem_eq(copy.leaf, whole.leaf, sizeof(double) << DEPTH);
        for (size_t k = 0; k < COLUMNS; k++)
            ck_assert_double_le(fabs(copy.gain[k] - whole.gain[k]), 1e-12 * whole.gain[k]);
        free(copy.head);
        done = v.head->phase == ANB_BUILD_DONE;
    }
    for (int phase = 0; phase <= ANB_BUILD_DONE; phase++)
        ck_assert((phases[phase] > 0) ==
                  (phase > ANB_BUILD_ADDING && phase != ANB_BUILD_REFINE && phase != ANB_BUILD_SHARE));
    free(bytes);
    free(v.head);
    free(whole.head);
}
END_TEST

static Suite *grow_suite(void)
{
    Suite *suite = suite_create("grow");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, is_the_plain_fit);
    tcase_add_test(tests, a_step_is_learned_exactly);
    tcase_add_test(tests, a_half_grown_tree_can_be_carried_over);
    tcase_add_test(tests, a_half_grown_tree_of_an_older_layout_goes_on);
    return suite;
}

CHECK_MAIN(grow_suite)
