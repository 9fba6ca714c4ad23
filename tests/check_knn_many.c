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

/* Many queries say what each alone says: while codes follow a new metric, with more features than a plane has, and
 * where the codes of one, which is far out, are bounded and leave all rows as candidates. */
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

/* ---- queries with nothing to tell their neighbours by ------------------------------------------------------------ */

/* Rows of up to eight features, and their targets. */
typedef struct Kind {
    const char *expression;
    size_t d, rows;
    double levels, unit, target; /* values of a feature, and what they and the target are multiplied by */
} Kind;

/* Distances that are equal at the last neighbour; all rows within a distance whose square is no number of floats; rows
 * that coincide; a range of targets that has no inverse; all of that where all rows are neighbours. */
static const Kind alike[] = {{"knn(window=1000)", 8, 1200, 3, 1, 1},
                             {"scale(knn(time=false))", 8, 1200, 3, 1, 1},
                             {"scale(knn(time=false, coarse=4))", 8, 1200, 3, 1, 1},
                             {"knn(window=300, time=false)", 3, 700, 2, 1, 1},
                             {"knn(window=300, time=false, k=40)", 4, 45, 4, 1, 1},
                             {"knn(window=300, time=false)", 4, 400, 4, 2e-19, 1},
                             {"knn(window=300, time=false, k=40)", 4, 30, 4, 2e-19, 1},
                             {"knn(window=300, time=false, k=40)", 4, 30, 1, 1, 1},
                             {"knn(window=300, time=false)", 4, 400, 1, 1, 1},
                             {"knn(window=300, time=false)", 4, 400, 30, 1, 1e-311},
                             {"knn(window=300, time=false, k=40)", 4, 30, 30, 1, 1e-311}};

static void draw_kind(AnbRandom *random, const Kind *k, double *x, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        x[i] = k->unit * floor(k->levels * anb_random_uniform(random));
}

static const Kind *kind;

static void ask_of_kind(void)
{
    enum { ASKED = 50, MOST = 8 };
    double x[ASKED * MOST];
    StreamingLearner *model = made(kind->d, kind->expression);
    AnbRandom random;
    anb_random_seed(&random, 7);
    for (size_t i = 0; i < kind->rows; i++) {
        draw_kind(&random, kind, x, kind->d);
        const double y = x[0] / kind->unit + .1 * anb_random_uniform(&random);
        anb_train_one(model, x, kind->target * y, 1);
        if (i % 100 != 29)
            continue;
        draw_kind(&random, kind, x, ASKED * kind->d);
        assert_many_say_what_each_says(model, kind->expression, x, kind->d, ASKED);
    }
    anb_free(model);
}

static void no_seed(void)
{
}

START_TEST(many_queries_of_neighbours_that_are_alike)
{
    kind = &alike[_i];
    on_each_isa(no_seed, ask_of_kind);
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

/* Which are not above, the bound itself among them. What is behind them is looked at in whole lanes, and is not to be
 * there. */
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

/* Whether k of a query's values, and no more, can be told from the others. */
static bool separable(size_t q, size_t n, size_t k)
{
    return rising_value[q][k - 1] < 1e30 && (k == n || rising_value[q][k] > rising_value[q][k - 1]);
}

/* A bound of k values; of more where the k-th has equals. Returns how many have one of k. */
static size_t check_bound(size_t n, size_t k)
{
    float bound[LANES_N];
    size_t exact = 0;
    const uint32_t found = anb_knn_many_bound(lanes, n, k, bound);
    for (size_t q = 0; q < LANES_N; q++) {
        const bool wanted = separable(q, n, k), told = found >> q & 1;
        size_t within = 0;
        ck_assert_msg(told == wanted, "%zu of %zu on %s: bound %d", k, n, anb_isa_name(anb_isa_in_use()), told);
        exact += told;
        for (size_t i = 0; i < n; i++)
            within += value[q * NEXT + i] <= bound[q];
        ck_assert(told ? within == k : within > k || !(rising_value[q][k - 1] < 1e30));
        if (told)
            check_picked(value + q * NEXT, n, bound[q]);
    }
    return exact;
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
        for (size_t k = 1; k <= n; k += 1 + k / 8)
            check_bound(n, k);
        draw_values(n, (size_t)1 << 24);
        for (size_t k = 1; k <= n; k += 1 + k / 8, asked += LANES_N)
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
    tcase_add_loop_test(tests, many_queries_of_neighbours_that_are_alike, 0, (int)(sizeof alike / sizeof *alike));
    tcase_add_test(tests, lanes_are_turned_bounded_and_picked);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
