/* The learner rls: the target's unit, forgetting, overflow. */
#include "made.h"
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>

static uint64_t seed;

static double uniform(void)
{
    return uniform_of(&seed);
}

/* Targets times 2^40, 2^-40: predictions too, exactly. */
START_TEST(the_targets_unit_does_not_matter)
{
    static const char *const kinds[] = {"rls", "rls(lambda=0.98, adaptive=true, walk=0.1)", "rls(surprise=1.2)"};
    static const double units[] = {1, 0x1p40, 0x1p-40};
    for (size_t kind = 0; kind < 3; kind++) {
        StreamingLearner *models[3];
        for (size_t u = 0; u < 3; u++)
            models[u] = made(5, kinds[kind]);
        for (int t = 0; t < 1000; t++) {
            double x[5], y = 3, f[3];
            for (size_t i = 0; i < 5; i++)
                y += (double)i * (x[i] = uniform());
            y += uniform();
            for (size_t u = 0; u < 3; u++)
                f[u] = anb_train_one(models[u], x, y * units[u], 1) / units[u];
            ck_assert(f[0] == f[1] && f[0] == f[2]);
        }
        for (size_t u = 0; u < 3; u++)
            anb_free(models[u]);
    }
}
END_TEST

/* Forgetting tracks a line that turns; without it half of the past stays. */
START_TEST(forgetting_follows_a_change)
{
    StreamingLearner *quick = made(2, "rls(lambda=0.98)"), *never = made(2, "rls(lambda=1)");
    double x[2], last_quick = 0, last_never = 0;
    for (int t = 0; t < 2000; t++) {
        x[0] = uniform(), x[1] = uniform();
        double y = t < 1000 ? x[0] + 5 : 5 - x[0];
        last_quick = fabs(y - anb_train_one(quick, x, y, 1));
        last_never = fabs(y - anb_train_one(never, x, y, 1)) / (fabs(x[0]) + 1e-9);
    }
    ck_assert_double_le(last_quick, 1e-6);
    ck_assert_double_ge(last_never, 0.5);
    anb_free(quick);
    anb_free(never);
}
END_TEST

/* Mean squared errors over a plane of five features under noise of variance 1/12, which turns after 1,000 of 1,400 rows
 * or stays. */
static double turning_error(const char *expression, bool turns)
{
    StreamingLearner *model = made(5, expression);
    double sum = 0;
    seed = 3;
    for (int t = 0; t < 1400; t++) {
        double x[5], y = noise(&seed);
        for (size_t i = 0; i < 5; i++)
            y += (turns && t >= 1000 ? -3 : 3) * (x[i] = uniform());
        double e = y - anb_train_one(model, x, y, 1);
        sum += t >= 1030 ? e * e / 370 : 0;
    }
    anb_free(model);
    return sum;
}

/* Behind the turn it learns as a fresh model does: 6 weights from n rows add 6 / n of the noise, which is .1 in the
 * mean of rows 30 to 400. Where nothing turns it is the same as without. */
START_TEST(a_surprise_makes_it_learn_anew)
{
    ck_assert_double_lt(turning_error("rls(lambda=0.998, surprise=2)", true), 1.3 / 12);
    ck_assert_double_gt(turning_error("rls(lambda=0.998)", true), 10. / 12);
    ck_assert_double_lt(turning_error("rls(lambda=0.998, surprise=2)", false),
                        1.01 * turning_error("rls(lambda=0.998)", false));
}
END_TEST

/* A finite row whose prediction overflows: 0 is said, and the learner starts again, counted. */
START_TEST(an_overflow_restarts)
{
    StreamingLearner *model = made(1, "rls(intercept=false)");
    double one = 1, large = 1e300;
    for (int t = 0; t < 5; t++)
        anb_train_one(model, &one, 1e200, 1);
    ck_assert(anb_predict(model, &one) > 1e199);
    ck_assert(anb_predict(model, &large) == 0);
    ck_assert(anb_train_one(model, &large, 1, 1) == 0);
    ck_assert_uint_eq(anb_counters(model)->restarts, 1);
    ck_assert(anb_predict(model, &one) == 0);
    anb_free(model);
}
END_TEST

/* The rows far from 0 that it takes with eight features, of which one counts, until 20 errors in turn are below .3. */
static int rows_taken(const char *expression)
{
    StreamingLearner *model = made(8, expression);
    int good = 0, t = 0;
    seed = 3;
    for (; t < 1000 && good < 20; t++) {
        double x[8], y = 1000 + 0.2 * uniform();
        for (size_t i = 0; i < 8; i++)
            x[i] = uniform();
        good = fabs(y + 0.1 * x[3] - anb_train_one(model, x, y + 0.1 * x[3], 1)) < 0.3 ? good + 1 : 0;
    }
    anb_free(model);
    return t;
}

/* A small delta holds back the slopes; of the intercept as well it takes a thousand rows to a level of a thousand. */
START_TEST(a_small_delta_does_not_hold_back_the_level)
{
    ck_assert_int_lt(rows_taken("rls(lambda=1, delta=0.1, level=10000)"), 40);
    ck_assert_int_ge(rows_taken("rls(lambda=1, delta=0.1)"), 1000);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("rls_learner");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, the_targets_unit_does_not_matter);
    tcase_add_test(tests, forgetting_follows_a_change);
    tcase_add_test(tests, a_surprise_makes_it_learn_anew);
    tcase_add_test(tests, an_overflow_restarts);
    tcase_add_test(tests, a_small_delta_does_not_hold_back_the_level);
    return suite;
}

CHECK_MAIN(suite)
