/* Importances beside a model: against batch values, after a drift; changes of features; what is refused. */
#include "suite.h"
#include "src/numeric/random.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 10, HELD = 20000 };

/* Friedman's function of five of ten features: the first ones, or the last ones. */
static double next_row(AnbRandom *random, size_t from, double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = anb_random_uniform(random);
    const double *u = x + from;
    return 10 * sin(3.14159265358979 * u[0] * u[1]) + 20 * (u[2] - .5) * (u[2] - .5) + 10 * u[3] + 5 * u[4] +
           anb_random_normal(random);
}

static void feed(StreamingLearner *model, AnbImportance *m, AnbRandom *random, size_t from, size_t n)
{
    double x[D];
    for (size_t t = 0; t < n; t++) {
        double y = next_row(random, from, x), before = anb_train_one(model, x, y, 1);
        anb_observe(anb_importance_observer(m), model, x, y, before);
        anb_observe(anb_importance_observer(m), model, x, y, before); /* told twice: counted once */
    }
}

static AnbImportance *importance_of(const StreamingLearner *model, double span)
{
    AnbImportanceOptions options = anb_importance_defaults();
    options.span = span;
    AnbImportance *m = anb_importance_new(model, &options, NULL);
    ck_assert_ptr_nonnull(m);
    return m;
}

/* Of rows that the model has not learned, each cell replaced by that of the row before. */
static void batch(StreamingLearner *model, AnbRandom *random, double *value)
{
    double x[D], last[D], mixed[D];
    next_row(random, 0, last);
    memset(value, 0, D * sizeof *value);
    for (size_t t = 0; t < HELD; t++) {
        double y = next_row(random, 0, x), plain = y - anb_predict(model, x);
        for (size_t j = 0; j < D; j++) {
            memcpy(mixed, x, sizeof mixed);
            mixed[j] = last[j];
            double error = y - anb_predict(model, mixed);
            value[j] += (error * error - plain * plain) / HELD;
        }
        memcpy(last, x, sizeof last);
    }
}

static const char *const models[] = {"scale(poly(rls(lambda=1)))", "sgbt", "auto(budget=5)"};

START_TEST(test_near_batch)
{
    StreamingLearner *model = anb_parse(D, models[_i], NULL, NULL);
    AnbImportance *m = importance_of(model, 8000);
    AnbRandom random;
    double value[D], sum = 0;
    anb_random_seed(&random, 3);
    feed(model, m, &random, 0, 12000);
    batch(model, &random, value);
    for (size_t j = 0; j < D; j++)
        sum += value[j];
    for (size_t j = 0; j < D; j++) {
        double got = anb_importance_value(m, j), room = j < 5 ? .1 * value[j] : .01 * sum;
        ck_assert_msg(fabs(got - (j < 5 ? value[j] : 0)) <= room, "%s: feature %zu: %g, batch %g", models[_i], j, got,
                      value[j]);
        ck_assert(anb_importance_changed(m, j) == UINT64_MAX);
    }
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

START_TEST(test_turns_after_a_drift)
{
    StreamingLearner *model = anb_parse(D, models[_i], NULL, NULL);
    AnbImportance *m = importance_of(model, 1000);
    AnbRandom random;
    anb_random_seed(&random, 4);
    feed(model, m, &random, 0, 5000);
    ck_assert_double_gt(anb_importance_value(m, 3), 4 * fabs(anb_importance_value(m, 8)));
    feed(model, m, &random, 5, 2000);
    ck_assert_double_gt(anb_importance_value(m, 8), 2 * fabs(anb_importance_value(m, 3)));
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

START_TEST(test_tells_the_feature_that_changed)
{
    StreamingLearner *model = anb_parse(D, "scale(rls)", NULL, NULL);
    AnbImportance *m = importance_of(model, 1000);
    AnbRandom random;
    double x[D];
    anb_random_seed(&random, 5);
    feed(model, m, &random, 0, 3000);
    for (size_t t = 0; t < 1000; t++) {
        double y = next_row(&random, 0, x);
        x[7] += .3;
        anb_observe(anb_importance_observer(m), model, x, y, anb_train_one(model, x, y, 1));
    }
    for (size_t j = 0; j < D; j++)
        ck_assert_msg((anb_importance_changed(m, j) < 1000) == (j == 7), "feature %zu", j);
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

START_TEST(test_refused)
{
    StreamingLearner *model = anb_parse(2, "linear", NULL, NULL);
    AnbImportanceOptions options = anb_importance_defaults();
    AnbError error;
    double inf[2] = {INFINITY, 1};
    options.span = 3;
    ck_assert_ptr_null(anb_importance_new(model, &options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "span = 3"));
    AnbImportance *m = anb_importance_new(model, NULL, &error);
    for (int t = 0; t < 3; t++)
        anb_observe(anb_importance_observer(m), model, inf, 1, anb_train_one(model, inf, 1, 1));
    ck_assert_double_eq(anb_importance_value(m, 0), 0);
    anb_importance_free(m);
    anb_importance_free(NULL);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("importance");
    TCase *tests = case_of(s, 120);
    tcase_add_loop_test(tests, test_near_batch, 0, sizeof models / sizeof *models);
    tcase_add_loop_test(tests, test_turns_after_a_drift, 0, sizeof models / sizeof *models);
    tcase_add_test(tests, test_tells_the_feature_that_changed);
    tcase_add_test(tests, test_refused);
    return s;
}

CHECK_MAIN(suite)
