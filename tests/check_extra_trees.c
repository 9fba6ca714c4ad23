/* Forests of random cuts: leaves against sums over the rows, rows remembered and forgotten, snapshots amid a tree. */
#include "made.h"
#include "numbers.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>

/* No cut divides equal rows: every tree is one leaf, the weighted mean of the rows. */
START_TEST(equal_rows_give_the_weighted_mean)
{
    StreamingLearner *model = made(2, "extra_trees(window=512, trees=3, budget=100000, time=false)");
    double x[2] = {3, -1}, sum = 0, weights = 0;
    uint64_t seed = 4;
    for (int t = 0; t < 300; t++) {
        double y = 1e3 + unit_of(&seed), weight = .5 + unit_of(&seed), f = anb_train_one(model, x, y, weight);
        if (t > 0)
            ck_assert_double_eq_tol(f, sum / weights, 1e-6); /* weights are kept in short */
        sum += weight * y;
        weights += weight;
    }
    anb_free(model);
}
END_TEST

/* With leaves of one row the forest says of a row what it was, at once and as long as the window holds it. */
START_TEST(every_row_of_the_window_is_remembered)
{
    enum { ROWS = 700, WINDOW = 512 };
    static double x[ROWS][2], y[ROWS];
    StreamingLearner *model = made(2, "extra_trees(window=512, trees=4, leaf=1, cuts=16, budget=3000, time=false)");
    uint64_t seed = 8;
    size_t at_once = 0, later = 0, forgotten = 0;
    for (size_t t = 0; t < ROWS; t++) {
        x[t][0] = unit_of(&seed);
        x[t][1] = unit_of(&seed);
        y[t] = floor(1000 * unit_of(&seed));
        anb_train_one(model, x[t], y[t], 1);
        at_once += t >= 100 && fabs(anb_predict(model, x[t]) - y[t]) < 1e-9;
    }
    for (size_t t = 0; t < ROWS; t++) {
        bool same = fabs(anb_predict(model, x[t]) - y[t]) < 1e-9;
        later += same && t >= ROWS - WINDOW / 2;
        forgotten += !same && t < 100;
    }
    ck_assert_uint_ge(at_once, 590);
    ck_assert_uint_ge(later, 250);
    ck_assert_uint_ge(forgotten, 95);
    anb_free(model);
}
END_TEST

/* A step in one feature, and its opposite where that feature is missing: noise is all that is left. */
static double target(uint64_t *seed, double *x, bool turned)
{
    for (int j = 0; j < 4; j++)
        x[j] = unit_of(seed);
    double y = x[2] > .6 ? 5 : -5;
    if (unit_of(seed) < .2) {
        x[2] = NAN;
        y = 15;
    }
    return (turned ? -y : y) + x[0];
}

static double error_over(StreamingLearner *model, uint64_t *seed, bool turned, int n)
{
    double sum = 0, x[4];
    for (int t = 0; t < n; t++) {
        double y = target(seed, x, turned), e = y - anb_train_one(model, x, y, 1);
        sum += e * e;
    }
    return sqrt(sum / n);
}

START_TEST(missing_cells_are_routed_and_old_rows_forgotten)
{
    StreamingLearner *model = made(4, "extra_trees(window=1024, trees=10, cuts=8, budget=3000)");
    uint64_t seed = 3;
    error_over(model, &seed, false, 2000);
    ck_assert_double_lt(error_over(model, &seed, false, 1000), .8); /* the target's deviation is 8 */
    error_over(model, &seed, true, 2500);
    ck_assert_double_lt(error_over(model, &seed, true, 500), .8);
    anb_free(model);
}
END_TEST

static double steady_row(uint64_t *seed, double *x)
{
    return target(seed, x, false);
}

/* A tree under way goes on after loading as it would have. */
START_TEST(snapshots_amid_a_tree)
{
    assert_reloads_go_on(4, "extra_trees(window=64, trees=3, budget=37)", 40, 17, steady_row, 5);
}
END_TEST

START_TEST(extremes_stay_finite)
{
    static const double odd[] = {1e300, -1e308, 0, 1e-300, 1.7e308, -1e150, 7};
    StreamingLearner *model = made(2, "extra_trees(window=64, trees=4)");
    for (int t = 0; t < 3000; t++) {
        double x[2] = {odd[t % 7], odd[t / 3 % 7]}, f = anb_train_one(model, x, odd[t / 5 % 7], t % 11 ? 1 : 1e30);
        ck_assert(isfinite(f));
    }
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("extra_trees");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, equal_rows_give_the_weighted_mean);
    tcase_add_test(tests, every_row_of_the_window_is_remembered);
    tcase_add_test(tests, missing_cells_are_routed_and_old_rows_forgotten);
    tcase_add_test(tests, snapshots_amid_a_tree);
    tcase_add_test(tests, extremes_stay_finite);
    return suite;
}

CHECK_MAIN(suite)
