#include "suite.h"
#include <float.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include "src/numeric/moments.h"
#include "src/numeric/random.h"

enum { n = 1000 };
static double value[n], weight[n];

static void fill(double offset)
{
    AnbRandom random;
    anb_random_seed(&random, 5);
    for (int i = 0; i < n; i++) {
        value[i] = offset + anb_random_normal(&random);
        weight[i] = 0.1 + anb_random_uniform(&random);
    }
}

START_TEST(mean_and_variance_equal_two_passes)
{
    static const double offsets[] = {0, 1e6, -1e8};
    for (int k = 0; k < 3; k++) {
        AnbMoments m = {0};
        fill(offsets[k]);
        for (int i = 0; i < n; i++)
            anb_moments_add(&m, value[i], 1);
        ck_assert_double_eq_tol(m.mean, gsl_stats_mean(value, 1, n), 1e-15 * fabs(offsets[k]) + 1e-14);
        ck_assert_double_eq_tol(anb_moments_variance(&m) * n / (n - 1), gsl_stats_variance(value, 1, n), 1e-7);
    }
}
END_TEST

START_TEST(weights_count)
{
    AnbMoments m = {0}, twice = {0}, once = {0};
    fill(3);
    for (int i = 0; i < n; i++) {
        anb_moments_add(&m, value[i], weight[i]);
        anb_moments_add(&once, value[i], 2);
        anb_moments_add(&twice, value[i], 1);
        anb_moments_add(&twice, value[i], 1);
    }
    ck_assert_double_eq_tol(m.mean, gsl_stats_wmean(weight, 1, value, 1, n), 1e-13);
    ck_assert_double_eq_tol(anb_moments_sd(&m), gsl_stats_wsd_with_fixed_mean(weight, 1, value, 1, n, m.mean), 1e-13);
    ck_assert_double_eq_tol(once.mean, twice.mean, 1e-14);
    ck_assert_double_eq_tol(once.square, twice.square, 1e-10);
    AnbMoments before = m;
    anb_moments_add(&m, 1e9, 0);
    ck_assert_mem_eq(&m, &before, sizeof m);
}
END_TEST

START_TEST(joined_parts_equal_the_whole)
{
    AnbMoments all = {0}, first = {0}, second = {0}, none = {0};
    fill(-7);
    for (int i = 0; i < n; i++) {
        anb_moments_add(&all, value[i], weight[i]);
        anb_moments_add(i < 300 ? &first : &second, value[i], weight[i]);
    }
    anb_moments_join(&first, &second);
    anb_moments_join(&first, &none);
    anb_moments_join(&none, &first);
    ck_assert_double_eq_tol(none.mean, all.mean, 1e-13);
    ck_assert_double_eq_tol(none.square, all.square, 1e-10);
    ck_assert_double_eq_tol(none.weight, all.weight, 1e-10);
}
END_TEST

START_TEST(a_discount_fades_the_past)
{
    AnbFaded f = {0};
    double top = 0, bottom = 0, average = 0;
    fill(2);
    for (int i = 0; i < n; i++) {
        anb_faded_add(&f, value[i], weight[i], 0.99);
        top = 0.99 * top + weight[i] * value[i];
        bottom = 0.99 * bottom + weight[i];
        average = anb_ewma(average, 1, 0.25);
    }
    ck_assert_double_eq_tol(f.mean, top / bottom, 1e-12);
    ck_assert_double_eq_tol(f.weight, bottom, 1e-10);
    ck_assert_double_eq_tol(average, 1, 1e-12);
    ck_assert(anb_ewma(0, 8, 0.25) == 2);
}
END_TEST

START_TEST(clipping_to_the_seen_range)
{
    AnbRange range = {0};
    ck_assert(anb_range_clip(&range, 1e300) == 1e300);
    anb_range_add(&range, 5);
    ck_assert(anb_range_clip(&range, 1e300) == 5 && anb_range_clip(&range, 0) == 5);
    anb_range_add(&range, 15);
    anb_range_add(&range, 10);
    ck_assert_double_eq_tol(anb_range_clip(&range, 100), 16, 1e-14);
    ck_assert_double_eq_tol(anb_range_clip(&range, -100), 4, 1e-14);
    ck_assert(anb_range_clip(&range, 7) == 7 && anb_range_clip(&range, HUGE_VAL) < 17);
    anb_range_add(&range, -1.7e308);
    anb_range_add(&range, 1.7e308);
    ck_assert(anb_range_clip(&range, 1e308) == 1e308);
    ck_assert(anb_range_clip(&range, HUGE_VAL) == DBL_MAX && anb_range_clip(&range, -HUGE_VAL) == -DBL_MAX);
}
END_TEST

/* One wrong value widens by one width, and is forgotten; a new level is reached within some values. */
START_TEST(a_followed_range_forgets)
{
    AnbRange range = {0};
    for (int i = 0; i < 100; i++)
        anb_range_follow(&range, i % 11);
    anb_range_follow(&range, 1e6);
    ck_assert_double_eq_tol(range.high, 20, .1);
    for (int i = 0; i < 200000; i++)
        anb_range_follow(&range, i % 11);
    ck_assert_double_eq_tol(range.high, 10, .5);
    ck_assert(range.low < .01 && range.seen == 200101);
    for (int i = 0; i < 12; i++)
        anb_range_follow(&range, 5000);
    ck_assert(range.high == 5000);
    anb_range_follow(&range, -DBL_MAX);
    anb_range_follow(&range, DBL_MAX);
    for (int i = 0; i < 3000; i++)
        anb_range_follow(&range, i % 2 ? DBL_MAX : -DBL_MAX);
    ck_assert(anb_range_valid(&range) && range.high == DBL_MAX && range.low <= -1e308);
}
END_TEST

/* A target that was moved toward a limited prediction beyond the range is one of the range, or lies between it and the
 * target; toward an outlook it is moved as far as it was. */
START_TEST(moved_targets_stay_in_the_range)
{
    AnbRange range = {0};
    ck_assert(anb_range_target(&range, 7, 3) == 7);
    anb_range_add(&range, -1);
    anb_range_add(&range, 2);
    ck_assert(anb_range_target(&range, -1.2, 0) == -1 && anb_range_target(&range, 2.3, 0) == 2);
    ck_assert(anb_range_target(&range, 1.5, 0) == 1.5);
    ck_assert(anb_range_target(&range, 30, 90) == 30 && anb_range_target(&range, 95, 90) == 95);
    ck_assert(anb_range_target(&range, -30, -90) == -30 && anb_range_target(&range, -30, 90) == -30);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("moments");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, mean_and_variance_equal_two_passes);
    tcase_add_test(tests, weights_count);
    tcase_add_test(tests, joined_parts_equal_the_whole);
    tcase_add_test(tests, a_discount_fades_the_past);
    tcase_add_test(tests, clipping_to_the_seen_range);
    tcase_add_test(tests, a_followed_range_forgets);
    tcase_add_test(tests, moved_targets_stay_in_the_range);
    return suite;
}

CHECK_MAIN(suite)
