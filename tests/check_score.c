#include "suite.h"
#include <anabranch/anabranch.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include "src/numeric/random.h"

static AnbScore *score;
static void make(void)
{
    score = anb_score_new(NULL);
}
static void unmake(void)
{
    anb_score_free(score);
}

static AnbScoreReport report(void)
{
    AnbScoreReport r;
    anb_score_report(score, &r);
    return r;
}

START_TEST(nothing_is_known_at_first)
{
    ck_assert(report().n == 0 && isnan(report().mae) && isnan(report().rmse) && isnan(report().r2));
    ck_assert(isnan(report().rmse_second_half));
    anb_observe(anb_score_observer(score), NULL, NULL, 5, 3);
    ck_assert(report().n == 1 && report().mae == 2 && report().rmse == 2 && isnan(report().r2));
    ck_assert(report().rmse_second_half == 2);
    anb_observe(anb_score_observer(score), NULL, NULL, 5, 3);
    ck_assert(isnan(report().r2));
    anb_observe(anb_score_observer(score), NULL, NULL, HUGE_VAL, 1);
    anb_observe(anb_score_observer(score), NULL, NULL, 1, ANB_NAN);
    ck_assert_uint_eq(report().n, 2);
    anb_score_reset(score);
    ck_assert(report().n == 0 && isnan(report().rmse));
}
END_TEST

/* A sample from which the model learned nothing is predicted only. */
START_TEST(rows_of_weight_0_are_not_scored)
{
    StreamingLearner *model = anb_parse(1, "rls", NULL, NULL);
    for (int i = 0; i < 10; i++) {
        const double x = i, y = i == 5 ? 1000 : 2 * x, before = anb_train_one(model, &x, y, i != 5);
        anb_observe(anb_score_observer(score), model, &x, y, before);
    }
    ck_assert_uint_eq(report().n, 9);
    ck_assert_double_lt(report().mae, 10);
    anb_free(model);
}
END_TEST

/* Against two passes over the kept values, in the natural scale and in others. */
static void compare(unsigned n, double scale)
{
    double *y = malloc(n * sizeof *y), *e = malloc(n * sizeof *e), square = 0, half = 0, absolute = 0;
    AnbRandom random;
    anb_random_seed(&random, n);
    anb_score_reset(score);
    for (unsigned i = 0; i < n; i++) {
        y[i] = scale * (3 + anb_random_normal(&random));
        double f = y[i] + scale * 0.5 * anb_random_normal(&random);
        e[i] = y[i] / scale - f / scale;
        square += e[i] * e[i];
        absolute += fabs(e[i]);
        half += i >= n / 2 ? e[i] * e[i] : 0;
        y[i] /= scale;
        anb_observe(anb_score_observer(score), NULL, NULL, scale * y[i], f);
    }
    AnbScoreReport r = report();
    ck_assert_double_eq_tol(r.mae / scale, absolute / n, 1e-12);
    ck_assert_double_eq_tol(r.rmse / scale, sqrt(square / n), 1e-12);
    ck_assert_double_eq_tol(r.rmse_second_half / scale, sqrt(half / (n - n / 2)), 1e-12);
    ck_assert_double_eq_tol(r.r2, 1 - square / gsl_stats_tss(y, 1, n), 1e-9);
    free(y);
    free(e);
}

START_TEST(two_passes_agree)
{
    static const unsigned sizes[] = {2, 3, 7, 1024, 1025, 5000, 100001};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        compare(sizes[i], 1);
    compare(1000, 1e-200);
    compare(1000, 1e150);
    compare(1000, 1e300);
}
END_TEST

START_TEST(a_jump_in_scale_keeps_the_sums)
{
    anb_observe(anb_score_observer(score), NULL, NULL, 1, 0);
    anb_observe(anb_score_observer(score), NULL, NULL, 1e200, 0);
    ck_assert_double_eq_tol(report().rmse / 1e200, sqrt(0.5), 1e-15);
    ck_assert_double_eq_tol(report().rmse_second_half / 1e200, 1, 1e-15);
    anb_observe(anb_score_observer(score), NULL, NULL, 1.7e308, -1.7e308);
    ck_assert(report().rmse > 1e308);
    ck_assert(report().mae > 1e308);
}
END_TEST

/* Beyond a million rows the blocks are joined: the first half is bad, the second one good, and the two stay apart. */
START_TEST(long_streams_stay_bounded)
{
    const unsigned n = 5000000;
    for (unsigned i = 0; i < n; i++)
        anb_observe(anb_score_observer(score), NULL, NULL, i % 2, i % 2 + (i < n / 2 ? 100 : 1));
    ck_assert_double_eq_tol(report().rmse_second_half, 1, 1e-12);
    ck_assert_double_eq_tol(report().rmse, sqrt(0.5 * 10000 + 0.5), 1e-9);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("score");
    TCase *tests = case_of(suite, 60);
    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, nothing_is_known_at_first);
    tcase_add_test(tests, rows_of_weight_0_are_not_scored);
    tcase_add_test(tests, two_passes_agree);
    tcase_add_test(tests, a_jump_in_scale_keeps_the_sums);
    tcase_add_test(tests, long_streams_stay_bounded);
    return suite;
}

CHECK_MAIN(suite)
