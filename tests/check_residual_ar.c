#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>

enum { D = 3 };

/* RMSE from `from` on over n samples of a plane and an autoregressive disturbance of coefficient phi and variance 1. */
static double error_of(const char *expression, double phi, double signal, double factor, int from, int n)
{
    StreamingLearner *model = anb_parse(D, expression, NULL, NULL);
    ck_assert_msg(model != NULL, "%s", expression);
    uint64_t seed = 9;
    double x[D], u = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        for (size_t j = 0; j < D; j++)
            x[j] = nearly_normal(&seed);
        u = phi * u + sqrt(1 - phi * phi) * nearly_normal(&seed);
        double y = signal * (2 * x[0] - x[1]) + u, said = anb_predict(model, x);
        double f = anb_train_one(model, x, y * factor, 1) / factor;
        ck_assert_double_eq(f, said / factor);
        sum += i < from ? 0 : (f - y) * (f - y);
    }
    anb_free(model);
    return sqrt(sum / (n - from));
}

/* The best that the last residual can do on AR(.9) leaves sqrt(1 - .81) of the child's error. */
START_TEST(an_autoregressive_rest)
{
    double child = error_of("scale(rls(lambda=1))", 0.9, 1, 1, 1000, 8000);
    double with = error_of("residual_ar(scale(rls(lambda=1)))", 0.9, 1, 1, 1000, 8000);
    ck_assert_double_eq_tol(child, 1, 0.1);
    ck_assert_double_lt(with, 1.04 * sqrt(1 - 0.81) * child);
    ck_assert_double_gt(with, 0.97 * sqrt(1 - 0.81) * child);
}
END_TEST

START_TEST(nothing_lost_without_it)
{
    double child = error_of("scale(rls(lambda=1))", 0, 1, 1, 0, 8000);
    ck_assert_double_lt(error_of("residual_ar(scale(rls(lambda=1)))", 0, 1, 1, 0, 8000), 1.004 * child);
}
END_TEST

/* Without autocorrelation the test stays closed: the child to the bit. With it, the last target is worth what the rest
 * is. */
START_TEST(the_last_target_behind_a_test)
{
    double child = error_of("scale(rls(lambda=1))", 0, 1, 1, 0, 8000);
    ck_assert_double_lt(error_of("residual_ar(scale(rls(lambda=1)), last=true)", 0, 1, 1, 0, 8000), 1.0005 * child);
    child = error_of("scale(rls(lambda=1))", 0.9, 1, 1, 1000, 8000);
    ck_assert_double_lt(error_of("residual_ar(scale(rls(lambda=1)), last=true)", 0.9, 1, 1, 1000, 8000),
                        1.04 * sqrt(1 - 0.81) * child);
    ck_assert_double_lt(error_of("residual_ar(mean, last=true)", 0.9, 0, 1, 100, 8000),
                        1.01 * error_of("last", 0.9, 0, 1, 100, 8000));
}
END_TEST

START_TEST(a_guard_without_signal)
{
    static const char child[] = "scale(moe(linear(rate=0.05), rls(lambda=0.99), rls(lambda=0.98), router=blend))";
    double mean = error_of("mean", 0, 0, 1, 0, 8000);
    char text[256];
    snprintf(text, sizeof text, "guard(%s)", child);
    ck_assert_double_gt(error_of(child, 0, 0, 1, 0, 8000), 1.006 * mean);
    ck_assert_double_lt(error_of(text, 0, 0, 1, 0, 8000), 1.005 * mean);
}
END_TEST

START_TEST(a_guard_with_signal)
{
    double child = error_of("scale(rls(lambda=1))", 0.5, 1, 1, 0, 4000);
    ck_assert_double_lt(error_of("guard(scale(rls(lambda=1)))", 0.5, 1, 1, 0, 4000), 1.003 * child);
    child = error_of("scale(rls(lambda=1))", 0.5, 0.1, 1, 0, 8000);
    ck_assert_double_lt(error_of("guard(scale(rls(lambda=1)))", 0.5, 0.1, 1, 0, 8000), 1.003 * child);
}
END_TEST

START_TEST(targets_times_a_power_of_two)
{
    static const char *const of[] = {"residual_ar(scale(rls))", "residual_ar(scale(rls), last=true)",
                                     "guard(scale(rls))"};
    for (size_t i = 0; i < 3; i++) {
        double one = error_of(of[i], 0.7, 1, 1, 0, 1000);
        ck_assert_double_eq(error_of(of[i], 0.7, 1, 0x1p40, 0, 1000), one);
        ck_assert_double_eq(error_of(of[i], 0.7, 1, 0x1p-40, 0, 1000), one);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("residual_ar and guard");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, an_autoregressive_rest);
    tcase_add_test(tests, nothing_lost_without_it);
    tcase_add_test(tests, the_last_target_behind_a_test);
    tcase_add_test(tests, a_guard_without_signal);
    tcase_add_test(tests, a_guard_with_signal);
    tcase_add_test(tests, targets_times_a_power_of_two);
    return suite;
}

CHECK_MAIN(suite)
