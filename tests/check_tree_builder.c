/* A tree grown in slices is the tree of a plain recursive fit; a copy of a half-grown one goes the same way. */
#include "carrier.h"
#include "numbers.h"
#include "learners/boost/tree_builder.h"
#include "suite.h"
#include <math.h>

enum { ROWS = 900, COLUMNS = 6, DEPTH = 4, EDGES = 15, MIN = 5 };

static const AnbTreeBuilderRoom room = {1000, COLUMNS + 2, DEPTH};
static const double ridge = 1.5;
static uint64_t seed = 3;
static double target[ROWS];
static uint8_t codes[ROWS][COLUMNS];

static void make_sample(void)
{
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < COLUMNS; k++)
            codes[i][k] = (uint8_t)((uniform_of(&seed) + 1) / 2 * (EDGES + 1));
        if (uniform_of(&seed) > .7)
            codes[i][2] = ANB_MISSING;
        target[i] = (codes[i][0] > 6) * (codes[i][1] > 9 ? 4 : -1) + (codes[i][2] == ANB_MISSING) + uniform_of(&seed);
    }
}

static AnbTreeBuilderView new_grower(void)
{
    AnbTreeBuilderView v;
    anb_tree_builder_view(room, calloc(1, anb_tree_builder_bytes(room)), &v);
    anb_tree_builder_begin(&v, COLUMNS, ridge, MIN);
    memset(v.edges, EDGES, COLUMNS);
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

/* The plain fit: every cut of every node tried on its rows. Fills what each row is told. */
static void fit(const uint16_t *rows, size_t n, unsigned depth, double *told)
{
    double sum = 0, most = 0, low[2] = {0};
    for (size_t i = 0; i < n; i++)
        sum += target[rows[i]];
    size_t column = 0;
    unsigned code = 0, way = 0;
    for (size_t k = 0; depth > 0 && n >= 2 * MIN && k < COLUMNS; k++)
        for (unsigned w = 0; w < 2; w++)
            for (unsigned c = 0; c <= EDGES; c++) {
                double s = 0, m = 0;
                for (size_t i = 0; i < n; i++)
                    if (codes[rows[i]][k] == ANB_MISSING ? w : codes[rows[i]][k] <= c) {
                        s += target[rows[i]];
                        m++;
                    }
                double rest = sum - s, other = (double)n - m;
                double gain = s * s / (m + ridge) + rest * rest / (other + ridge) - sum * sum / ((double)n + ridge);
                if (m >= MIN && other >= MIN && gain > most + 1e-9) {
                    most = gain;
                    column = k;
                    code = c;
                    way = w;
                    low[0] = m;
                }
            }
    if (most == 0) {
        for (size_t i = 0; i < n; i++)
            told[rows[i]] = sum / ((double)n + ridge);
        return;
    }
    uint16_t *side[2] = {malloc(n * sizeof **side), malloc(n * sizeof **side)};
    size_t size[2] = {0};
    for (size_t i = 0; i < n; i++) {
        uint8_t c = codes[rows[i]][column];
        int right = c == ANB_MISSING ? !way : c > code;
        side[right][size[right]++] = rows[i];
    }
    ck_assert_uint_eq(size[0], (size_t)low[0]);
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
        bool right = cut.code < ANB_MISSING && (code == ANB_MISSING ? !cut.missing_left : code > cut.code);
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
        fit(rows, ROWS, DEPTH, told);
        for (size_t i = 0; i < ROWS; i++)
            ck_assert_msg(fabs(said(&v, i) - told[i]) < 1e-6, "row %zu: %g, plain %g", i, said(&v, i), told[i]);
        free(v.head);
    }
}
END_TEST

START_TEST(a_step_is_learned_exactly)
{
    make_sample();
    for (size_t i = 0; i < ROWS; i++)
        target[i] = codes[i][3] > 7 ? 1000 : -1000;
    AnbTreeBuilderView v = new_grower();
    grow(&v);
    ck_assert_uint_eq(v.cuts[1].feature % room.columns, 3);
    ck_assert_uint_eq(v.cuts[1].code, 7);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_double_le(fabs(said(&v, i) - target[i]), 10);
    free(v.head);
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
        anb_tree_builder_view(room, malloc(anb_tree_builder_bytes(room)), &copy);
        memset(copy.head, 0xa5, anb_tree_builder_bytes(room));
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

static Suite *grow_suite(void)
{
    Suite *suite = suite_create("grow");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, is_the_plain_fit);
    tcase_add_test(tests, a_step_is_learned_exactly);
    tcase_add_test(tests, a_half_grown_tree_can_be_carried_over);
    return suite;
}

CHECK_MAIN(grow_suite)
