#include "numbers.h"
#include "src/host/model.h"
#include "staying.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 2, LAGS = 2, N = 3000 };

/* Target t in deviations from the mean of the n before the row, by two passes; 0 where there is none. */
static double deviations(const double *y, int n, int t)
{
    double mean = 0, square = 0;
    if (t < 0)
        return 0;
    for (int i = 0; i < n; i++)
        mean += y[i] / n;
    for (int i = 0; i < n; i++)
        square += (y[i] - mean) * (y[i] - mean) / n;
    double z = square > 0 ? (y[t] - mean) / sqrt(square) : 0;
    return z > 6 ? 6 : z < -6 ? -6 : z;
}

/* What past makes of a row, made here and given to the bare child. */
START_TEST(the_rows_that_the_child_sees)
{
    StreamingLearner *past = made(D, "past(rls(lambda=1), lags=2)"), *bare = made(D + LAGS, "rls(lambda=1)");
    uint64_t seed = 3;
    double y[300];
    for (int n = 0; n < 300; n++) {
        double x[D + LAGS] = {noise(&seed), noise(&seed), deviations(y, n, n - 1), deviations(y, n, n - 2)};
        y[n] = 100 + x[0] + (n > 0 ? 0.6 * (y[n - 1] - 100) : 0) + noise(&seed);
        double said = anb_predict(past, x), f = anb_train_one(past, x, y[n], 1);
        ck_assert_double_eq(said, f);
        ck_assert_double_eq_tol(f, anb_train_one(bare, x, y[n], 1), 1e-7);
    }
    anb_free(past);
    anb_free(bare);
}
END_TEST

START_TEST(what_the_last_target_means_depends_on_the_row)
{
    double best = staying_best();
    ck_assert_double_lt(staying_error("scale(past(mlp(hidden=32)))", 1, 1, NO_ROW), 1.06 * best);
    ck_assert_double_gt(staying_error("scale(mlp(hidden=32))", 1, 1, NO_ROW), 1.3 * best);
    ck_assert_double_gt(staying_error("residual_ar(scale(mlp(hidden=32)), last=true)", 1, 1, NO_ROW), 1.15 * best);
}
END_TEST

START_TEST(one_wrong_target)
{
    double clean = staying_error("scale(past(mlp(hidden=32)))", 1, 1, NO_ROW);
    ck_assert_double_lt(staying_error("scale(past(mlp(hidden=32)))", 1, 1, STAYING_ROWS / 4), 1.03 * clean);
}
END_TEST

START_TEST(targets_times_a_power_of_two)
{
    double one = staying_error("scale(past(sgbt, lags=3))", 1, 1, NO_ROW);
    ck_assert_double_eq(staying_error("scale(past(sgbt, lags=3))", 0x1p40, 1, NO_ROW), one);
    ck_assert_double_eq(staying_error("scale(past(sgbt, lags=3))", 0x1p-40, 1, NO_ROW), one);
}
END_TEST

/* The target follows x_0 and the last target alike: of the row's own features x_0 is all that matters. */
START_TEST(importances_of_the_rows_own_features)
{
    StreamingLearner *model = made(D, "past(sgbt(window=512))");
    uint64_t seed = 5;
    double y = 0, share[D];
    for (int n = 0; n < N; n++) {
        double x[D] = {noise(&seed), noise(&seed)};
        y = x[0] + 0.7 * y;
        anb_train_one(model, x, y, 1);
    }
    const AnbNode *root = &model->plan->nodes[0];
    ck_assert_int_eq(root->type->importance->shares(root, anb_block(model), share), 0);
    ck_assert_double_eq_tol(share[0] + share[1], 1, 1e-12);
    ck_assert_double_gt(share[0], 0.9);
    anb_free(model);
}
END_TEST

START_TEST(what_is_refused)
{
    static const char *const cases[][2] = {{"past(rls, lags=0)", "lags = 0 is outside [1, 32]"},
                                           {"past(rls, lags=33)", "lags = 33 is outside [1, 32]"},
                                           {"past(rls, mlp)", "past takes 1 child, not 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AnbError error = {0};
        ck_assert_ptr_null(anb_parse(D, cases[i][0], NULL, &error));
        ck_assert_msg(strstr(error.message, cases[i][1]) != NULL, "%s: %s", cases[i][0], error.message);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("past");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, the_rows_that_the_child_sees);
    tcase_add_test(tests, what_the_last_target_means_depends_on_the_row);
    tcase_add_test(tests, one_wrong_target);
    tcase_add_test(tests, targets_times_a_power_of_two);
    tcase_add_test(tests, importances_of_the_rows_own_features);
    tcase_add_test(tests, what_is_refused);
    return suite;
}

CHECK_MAIN(suite)
