/* Many queries of a window beside each of them alone, and what they are made of beside plain loops. */
#include "isa_here.h"
#include "made.h"
#include "many.h"
#include "numbers.h"
#include "learners/knn/knn_many.h"
#include "learners/knn/knn_search.h"
#include "learners/knn/knn_state.h"
#include "src/host/model.h"
#include "src/numeric/random.h"
#include "suite.h"

static void draw(AnbRandom *random, double *x, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        x[i] = anb_random_uniform(random);
}

/* Many queries say what each alone says: while codes follow a new metric, with more features than a plane has, and where
 * the codes of one, which is far out, are bounded and leave all rows as candidates. */
static void ask_while_codes_follow(size_t d, const char *expression)
{
    enum { ROWS = 3400, ASKED = 21, MOST = 70 };
    static double x[ASKED * MOST];
    StreamingLearner *model = made(d, expression);
    View v = anb_knn_view(model->plan->nodes, anb_state_of(model, model->plan->nodes));
    AnbRandom random;
    size_t under_way = 0;
    anb_random_seed(&random, 3);
    for (size_t i = 0; i < ROWS; i++) {
        draw(&random, x, d);
        const double late =
            i > ROWS - 300 ? 6 * x[1 % d] : 0; /* the metric changes, and codes of a few features with it */
        anb_train_one(model, x, x[0] + 2 * x[d / 2] * x[d - 1] + (i % 800 > 400 ? x[0] : 0) + late, 1);
        if (i < ROWS - 120 || i % 2)
            continue;
        under_way += v.turn->under_way;
        draw(&random, x, ASKED * d);
        x[d + 1] = 1e6;
        assert_many_say_what_each_says(model, expression, x, d, ASKED);
    }
    ck_assert_uint_gt(under_way, 2);
    anb_free(model);
}

START_TEST(many_queries_while_codes_follow)
{
    static const size_t widths[] = {1, 3, 8, 23, 24, 30, 70};
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            ask_while_codes_follow(widths[_i], "knn(window=3000)");
    anb_isa_use(before);
}
END_TEST

START_TEST(many_queries_by_a_few_features)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa)) {
            ask_while_codes_follow(8, "knn(window=3000, coarse=4)");
            ask_while_codes_follow(30, "knn(window=3000, coarse=3)");
        }
    anb_isa_use(before);
}
END_TEST

/* ---- what they are made of --------------------------------------------------------------------------------------- */

enum { MOST_N = 256, LANES_N = ANB_KNN_MANY, NEXT = MOST_N + 16 };

static uint64_t seed;
static float value[LANES_N * NEXT], lanes[MOST_N * LANES_N];
static double rising_value[LANES_N][MOST_N];

/* Values of sixteen queries, out of `kinds` different ones; up to four at the end are infinite. */
static void draw_values(size_t n, size_t kinds)
{
    for (size_t q = 0; q < LANES_N; q++) {
        const size_t there = n - (size_t)(unit_of(&seed) * 5);
        for (size_t i = 0; i < NEXT; i++)
            value[q * NEXT + i] = i < there ? (float)floor(unit_of(&seed) * (double)kinds) : INFINITY;
        for (size_t i = 0; i < n; i++)
            rising_value[q][i] = (double)value[q * NEXT + i];
        qsort(rising_value[q], n, sizeof(double), rising);
    }
    for (size_t i = 0; i < LANES_N * MOST_N; i++)
        lanes[i] = 77;
    anb_knn_many_turn(value, NEXT, n, lanes);
}

static void check_turn(size_t n)
{
    for (size_t i = 0; i < MOST_N; i++)
        for (size_t q = 0; q < LANES_N; q++)
            ck_assert(lanes[i * LANES_N + q] == (i < n ? value[q * NEXT + i] : 77));
}

/* Which are not above, the bound itself among them. What is behind them is looked at in whole lanes, and is not to be there. */
static void check_picked(const float *of, size_t n, float bound)
{
    static uint32_t index[NEXT], picked[NEXT + 16];
    static float least[NEXT + 16];
    size_t wanted = 0;
    for (size_t i = 0; i < NEXT; i++)
        index[i] = (uint32_t)(1000 - i);
    anb_knn_many_pick(of, index, (n + 15) / 16 * 16, bound, picked, least);
    for (size_t i = 0; i < n; i++)
        if (of[i] <= bound) {
            ck_assert_msg(picked[wanted] == 1000 - i && least[wanted] == of[i], "%zu values up to %g: %zu is missing",
                          n, (double)bound, i);
            wanted++;
        }
}

/* Whether k of each query's values, and no more, can be told from the others. */
static bool separable(size_t n, size_t k)
{
    for (size_t q = 0; q < LANES_N; q++)
        if (!(rising_value[q][k - 1] < 1e30) || (k < n && rising_value[q][k] == rising_value[q][k - 1]))
            return false;
    return true;
}

/* Returns whether there was a bound. */
static bool check_bound(size_t n, size_t k)
{
    float bound[LANES_N];
    const bool found = anb_knn_many_bound(lanes, n, k, bound);
    ck_assert_msg(found == separable(n, k), "%zu of %zu on %s: bound %d", k, n, anb_isa_name(anb_isa_in_use()), found);
    for (size_t q = 0; found && q < LANES_N; q++) {
        size_t within = 0;
        for (size_t i = 0; i < n; i++)
            within += value[q * NEXT + i] <= bound[q];
        ck_assert_uint_eq(within, k);
        check_picked(value + q * NEXT, n, bound[q]);
    }
    return found;
}

static void seed_again(void)
{
    seed = 5;
}

static void check_parts(void)
{
    size_t bounds = 0, asked = 0;
    for (size_t n = 8; n <= MOST_N; n += 8) {
        draw_values(n, n / 4);
        check_turn(n);
        for (size_t i = 0; i < n; i += n / 8)
            check_picked(value, n, value[i]);
        for (size_t k = 1; k <= n; k++)
            check_bound(n, k);
        draw_values(n, (size_t)1 << 24);
        for (size_t k = 1; k <= n; k++, asked++)
            bounds += check_bound(n, k);
    }
    ck_assert_uint_gt(bounds, asked * 8 / 10);
}

START_TEST(lanes_are_turned_bounded_and_picked)
{
    on_each_isa(seed_again, check_parts);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn_many");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, many_queries_while_codes_follow, 0, 7);
    tcase_add_test(tests, many_queries_by_a_few_features);
    tcase_add_test(tests, lanes_are_turned_bounded_and_picked);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
