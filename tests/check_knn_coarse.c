/* Rows found by codes of a few features: the kernels against plain loops, and the learner beside one that looks at all
 * rows. */
#include "numbers.h"
#include "isa_here.h"
#include "learners/knn/knn_coarse.h"
#include "learners/knn/knn_state.h"
#include "src/host/model.h"
#include "reload.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 5;

/* ---- kernels ---- */

enum { BLOCKS = 13, ROWS = BLOCKS * ANB_KNN_SEARCH_ROWS, PAIRS = 12, SETS = 5 };

static int8_t code[ROWS * PAIRS * 2], query[PAIRS * 2];
static int16_t distance[ROWS], minima[SETS * ANB_KNN_SEARCH_ROWS];

/* Codes over all of their range; the query and one row have the extreme ones. */
static void draw_codes(size_t pairs)
{
    const int limit = anb_knn_coarse_limit(pairs);
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = (int8_t)lrint(uniform_of(&seed) * limit);
    for (size_t j = 0; j < 2 * pairs; j++) {
        query[j] = (int8_t)(unit_of(&seed) < .5 ? limit : -limit);
        code[j % 2 + j / 2 * 2 * ANB_KNN_SEARCH_ROWS] = (int8_t)-query[j];
    }
}

static int plain_distance(size_t i, size_t pairs)
{
    int sum = 0;
    for (size_t j = 0; j < 2 * pairs; j++) {
        int off = code[anb_knn_coarse_at(i, pairs) + j / 2 * 2 * ANB_KNN_SEARCH_ROWS + j % 2] - query[j];
        sum += off * off;
    }
    return sum;
}

static void check_distances(size_t rows, size_t pairs, size_t sets)
{
    int16_t least[SETS * ANB_KNN_SEARCH_ROWS];
    const AnbKnnCoarse coarse = {code, query, rows, pairs, distance, minima, sets};
    for (size_t i = 0; i < sets * ANB_KNN_SEARCH_ROWS; i++)
        least[i] = ANB_KNN_COARSE_NONE;
    anb_knn_coarse_distances(&coarse);
    for (size_t i = 0; i < anb_knn_search_blocks(rows) * ANB_KNN_SEARCH_ROWS; i++) {
        size_t at = i / ANB_KNN_SEARCH_ROWS % sets * ANB_KNN_SEARCH_ROWS + i % ANB_KNN_SEARCH_ROWS;
        int plain = i < rows ? plain_distance(i, pairs) : ANB_KNN_COARSE_NONE;
        ck_assert_int_eq(distance[i], plain);
        ck_assert(i >= rows || plain < ANB_KNN_COARSE_NONE);
        least[at] = (int16_t)(plain < least[at] ? plain : least[at]);
    }
    ck_assert_mem_eq(minima, least, sets * ANB_KNN_SEARCH_ROWS * sizeof *least);
}

static void check_collected(size_t rows, int16_t bound)
{
    uint32_t index[ROWS + ANB_KNN_SEARCH_SPARE];
    size_t found = anb_knn_coarse_collect(distance, rows, bound, index), taken = 0;
    for (size_t i = 0; i < rows; i++)
        if (distance[i] <= bound)
            ck_assert_uint_eq(index[taken++], i);
    ck_assert_uint_eq(found, taken);
}

START_TEST(distances_are_those_of_a_loop)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            for (size_t pairs = 1; pairs <= PAIRS; pairs++)
                for (size_t rows = 1; rows <= ROWS; rows += rows / 2 + 1) {
                    size_t blocks = anb_knn_search_blocks(rows);
                    draw_codes(pairs);
                    check_distances(rows, pairs, blocks < SETS ? blocks : SETS);
                    check_distances(rows, pairs, 1);
                    check_collected(rows, distance[rows / 2]);
                    check_collected(rows, ANB_KNN_COARSE_NONE);
                }
    anb_isa_use(before);
}
END_TEST

static size_t count(const int16_t *value, size_t n, int16_t bound)
{
    size_t within = 0;
    for (size_t i = 0; i < n; i++)
        within += value[i] <= bound;
    return within;
}

/* Enough values and not many more, the same on every instruction set: what knn says depends on it. */
START_TEST(bounds_are_the_same_everywhere)
{
    int16_t value[SETS * ANB_KNN_SEARCH_ROWS];
    AnbIsa before = anb_isa_in_use();
    for (int round = 0; round < 300; round++) {
        const size_t n = ANB_KNN_SEARCH_ROWS * (1 + (size_t)round % SETS);
        const bool tied = round % 5 == 0;
        const int16_t other = round % 2 ? ANB_KNN_COARSE_NONE : ANB_KNN_COARSE_NONE - 1; /* no row; the farthest */
        for (size_t i = 0; i < n; i++)
            value[i] = tied ? (int16_t)(i % 3 == 0 ? 0 : other)
                            : (int16_t)(unit_of(&seed) * unit_of(&seed) * (round % 2 ? 30000 : 3000));
        for (size_t k = 1; k <= n; k += 7) {
            anb_isa_use(ANB_ISA_BASELINE);
            const int16_t bound = anb_knn_coarse_bound(value, n, k);
            ck_assert(count(value, n, bound) >= k);
            ck_assert(tied || count(value, n, bound) <= k + k / 2 || count(value, n, (int16_t)(bound - 1)) < k);
            for (int isa = 1; isa < ANB_ISA_COUNT; isa++)
                if (anb_isa_use((AnbIsa)isa))
                    ck_assert_int_eq(anb_knn_coarse_bound(value, n, k), bound);
        }
    }
    anb_isa_use(before);
}
END_TEST

/* ---- the learner ---- */

enum { D = 6, LEARNED = 2600 };

/* Two of six features carry the target, at first; from row 1,800 on another two. */
static double next_row(uint64_t *draws, double *x)
{
    static int rows;
    for (int j = 0; j < D; j++)
        x[j] = 2 * uniform_of(draws);
    size_t from = rows++ % LEARNED < 1800 ? 1 : 3;
    return sin(2 * x[from]) + x[from] * x[from + 1] + .1 * unit_of(draws);
}

/* Sum of the squared errors from row 400 on; what is said of the last rows. */
static double run(const char *expression, double *last, size_t n)
{
    StreamingLearner *model = made(D, expression);
    uint64_t draws = 9;
    double x[D], sum = 0;
    for (size_t i = 0; i < LEARNED; i++) {
        double y = next_row(&draws, x), said = anb_train_one(model, x, y, 1);
        sum += i >= 400 ? (said - y) * (said - y) : 0;
        if (i >= LEARNED - n)
            last[i - (LEARNED - n)] = said;
    }
    anb_free(model);
    return sum;
}

/* Codes of two features find about what all rows have, also after others have become the ones that matter; without
 * codes of those that matter the errors would be several times as large. */
START_TEST(few_features_find_the_neighbours)
{
    double last[1];
    double all = run("knn(window=1500, time=false)", last, 1);
    double few = run("knn(window=1500, time=false, coarse=2)", last, 1);
    ck_assert_msg(few < 1.1 * all, "%g %g", few, all);
}
END_TEST

START_TEST(as_many_as_there_are_is_exact)
{
    double exact[500], coarse[500];
    run("knn(window=700)", exact, 500);
    run("knn(window=700, coarse=7)", coarse, 500);
    ck_assert_mem_eq(exact, coarse, sizeof exact);
    run("knn(window=700, coarse=3)", coarse, 500);
    ck_assert(memcmp(exact, coarse, sizeof exact) != 0);
}
END_TEST

START_TEST(the_same_on_every_instruction_set)
{
    static const char *const expressions[] = {"knn(window=1500, coarse=4)", "knn(window=1500, time=false, coarse=3)",
                                              "knn(window=300, k=30, coarse=1)"};
    double first[900], other[900];
    AnbIsa before = anb_isa_in_use();
    for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
        anb_isa_use(ANB_ISA_BASELINE);
        run(expressions[e], first, 900);
        for (int isa = 1; isa < ANB_ISA_COUNT; isa++)
            if (anb_isa_use((AnbIsa)isa)) {
                run(expressions[e], other, 900);
                ck_assert_mem_eq(first, other, sizeof first);
            }
    }
    anb_isa_use(before);
}
END_TEST

static View view_of(const StreamingLearner *model)
{
    return anb_knn_view(model->plan->nodes, anb_state_of(model, model->plan->nodes));
}

/* Half way through new codes as well. */
START_TEST(snapshots_keep_the_codes)
{
    StreamingLearner *model = made(D, "knn(window=1500, coarse=3)");
    View v = view_of(model);
    uint64_t draws = 9;
    double x[D];
    size_t amid = 0;
    for (size_t i = 0; i < LEARNED && amid < 3; i++) {
        double y = next_row(&draws, x);
        anb_train_one(model, x, y, 1);
        if (i > 1400 && v.turn->under_way) {
            assert_reload_goes_on(model, 3, next_row, &draws);
            amid++;
        }
    }
    ck_assert_uint_eq(amid, 3);
    assert_reload_goes_on(model, 300, next_row, &draws);
    anb_free(model);
}
END_TEST

START_TEST(damaged_codes_are_refused)
{
    StreamingLearner *model = made(D, "knn(window=300, coarse=3)");
    View v = view_of(model);
    uint64_t draws = 9;
    double x[D];
    for (size_t i = 0; i < 400; i++) {
        double y = next_row(&draws, x);
        anb_train_one(model, x, y, 1);
    }
    AnbError error;
    const int8_t byte = v.coarse_code[100];
    const uint32_t feature = v.coded_of[1];
    v.coarse_code[100] = 46;
    ck_assert(!reloaded(model, &error));
    v.coarse_code[100] = byte;
    v.coded_of[1] = D + 1;
    ck_assert(!reloaded(model, &error));
    v.coded_of[1] = v.coded_of[0];
    ck_assert(!reloaded(model, &error));
    v.coded_of[1] = feature;
    StreamingLearner *again = reloaded(model, &error);
    ck_assert(again != NULL);
    anb_free(again);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn_coarse");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, distances_are_those_of_a_loop);
    tcase_add_test(tests, bounds_are_the_same_everywhere);
    tcase_add_test(tests, few_features_find_the_neighbours);
    tcase_add_test(tests, as_many_as_there_are_is_exact);
    tcase_add_test(tests, the_same_on_every_instruction_set);
    tcase_add_test(tests, snapshots_keep_the_codes);
    tcase_add_test(tests, damaged_codes_are_refused);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
