/* Importances beside a model, by permutation and SAGE: against batch values, after a drift; changes of features; what
 * is refused. */
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

static AnbImportance *importance_with(const StreamingLearner *model, double span, int sage_rows, int every)
{
    AnbImportanceOptions options = anb_importance_defaults();
    options.span = span;
    options.sage_rows = sage_rows;
    options.every = every;
    AnbImportance *m = anb_importance_new(model, &options, NULL);
    ck_assert_ptr_nonnull(m);
    return m;
}

static AnbImportance *importance_of(const StreamingLearner *model, double span)
{
    return importance_with(model, span, 0, 1);
}

/* Of rows that the model has not learned, each cell replaced by that of the row before. What is followed is of the
 * models of the last 8,000 rows, this of the last one. */
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
        double got = anb_importance_value(m, j), room = j < 5 ? .12 * value[j] : .01 * sum;
        ck_assert_msg(fabs(got - (j < 5 ? value[j] : 0)) <= room, "%s: feature %zu: %g, batch %g", models[_i], j, got,
                      value[j]);
        ck_assert(anb_importance_changed(m, j) == UINT64_MAX);
    }
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

/* ---- SAGE -------------------------------------------------------------------------------------------------------- */

enum { BATCH = 20000, INNER = 8, KNOWN = 512 };

/* The loss of the mean over INNER rows, less what their spread adds to it. */
static double inner_loss(StreamingLearner *model, double z[INNER][D], double y)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < INNER; i++) {
        double e = y - anb_predict(model, z[i]);
        sum += e;
        squares += e * e;
    }
    return (sum * sum - squares) / (INNER * (INNER - 1));
}

/* Half a row's gains along an order, forth or back, added to value. */
static void batch_walk(StreamingLearner *model, const double *x, double y, double z[INNER][D], const uint32_t *order,
                       int back, double mean, double *value)
{
    double before = (y - mean) * (y - mean);
    for (size_t k = 0; k < D; k++) {
        uint32_t j = order[back ? D - 1 - k : k];
        for (int i = 0; i < INNER; i++)
            z[i][j] = x[j];
        double now = inner_loss(model, z, y);
        value[j] += (before - now) / (2 * BATCH);
        before = now;
    }
}

static void batch_row(StreamingLearner *model, AnbRandom *random, double known[KNOWN][D], double mean, double *value)
{
    double x[D], z[INNER][D], y = next_row(random, 0, x);
    uint32_t order[D];
    for (uint32_t j = 0; j < D; j++)
        order[j] = j;
    anb_random_shuffle(random, order, D);
    for (int back = 0; back < 2; back++) {
        for (int i = 0; i < INNER; i++)
            memcpy(z[i], known[anb_random_below(random, KNOWN)], sizeof x);
        batch_walk(model, x, y, z, order, back, mean, value);
    }
}

static void batch_sage(StreamingLearner *model, AnbRandom *random, double *value)
{
    static double known[KNOWN][D];
    double mean = 0, x[D];
    for (size_t i = 0; i < KNOWN; i++)
        next_row(random, 0, known[i]);
    for (size_t i = 0; i < HELD; i++) {
        next_row(random, 0, x);
        mean += anb_predict(model, x) / HELD;
    }
    memset(value, 0, D * sizeof *value);
    for (size_t t = 0; t < BATCH; t++)
        batch_row(model, random, known, mean, value);
}

/* The values are noisier than those of permutation: a span of 20,000. */
START_TEST(test_sage_near_batch)
{
    StreamingLearner *model = anb_parse(D, models[_i], NULL, NULL);
    AnbImportance *m = importance_with(model, 20000, 4, 1);
    AnbRandom random;
    double value[D], sum = 0;
    anb_random_seed(&random, 11);
    feed(model, m, &random, 0, 30000);
    batch_sage(model, &random, value);
    for (size_t j = 0; j < D; j++)
        sum += value[j];
    for (size_t j = 0; j < D; j++) {
        double got = anb_importance_sage(m, j), room = j < 5 ? .12 * value[j] : .01 * sum;
        ck_assert_msg(fabs(got - (j < 5 ? value[j] : 0)) <= room, "%s: feature %zu: %g, batch %g", models[_i], j, got,
                      value[j]);
    }
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

/* A column that a model still uses after the drift, and wrongly, is below 0: it adds to the error. */
START_TEST(test_sage_turns_after_a_drift)
{
    StreamingLearner *model = anb_parse(D, models[_i], NULL, NULL);
    AnbImportance *m = importance_with(model, 1000, 2, 1);
    AnbRandom random;
    anb_random_seed(&random, 4);
    feed(model, m, &random, 0, 5000);
    ck_assert_double_gt(anb_importance_sage(m, 3), 4 * fabs(anb_importance_sage(m, 8)));
    feed(model, m, &random, 5, 2000);
    ck_assert_double_gt(anb_importance_sage(m, 8), 2 * anb_importance_sage(m, 3));
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

/* Of a linear function of independent columns a value is w^2 Var x; of two columns that are the same each has half of
 * what they say together, where permutation gives each a quarter of twice it. */
START_TEST(test_sage_of_equal_columns)
{
    StreamingLearner *model = anb_parse(3, "rls(lambda=1)", NULL, NULL);
    AnbImportance *m = importance_with(model, 20000, 4, 1);
    AnbRandom random;
    double x[3];
    anb_random_seed(&random, 6);
    for (size_t t = 0; t < 40000; t++) {
        x[0] = x[1] = 2 * anb_random_normal(&random);
        x[2] = anb_random_normal(&random);
        double y = 3 * x[0] + 2 * x[2];
        anb_observe(anb_importance_observer(m), model, x, y, anb_train_one(model, x, y, 1));
    }
    ck_assert_double_eq_tol(anb_importance_sage(m, 2), 4, .4);
    ck_assert_double_eq_tol(anb_importance_sage(m, 0), 18, 1.8);
    ck_assert_double_eq_tol(anb_importance_sage(m, 1), 18, 1.8);
    ck_assert_double_eq_tol(anb_importance_value(m, 0), 18, .9); /* (3 / 2)^2 2 Var */
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

/* A target that is wrong by 10^6 now and then changes no order. */
START_TEST(test_wrong_targets)
{
    StreamingLearner *model = anb_parse(D, "guard(sgbt)", NULL, NULL);
    AnbImportance *m = importance_with(model, 1000, 2, 1);
    AnbRandom random;
    double x[D];
    anb_random_seed(&random, 12);
    for (size_t t = 1; t <= 6000; t++) {
        double y = next_row(&random, 0, x) + (t % 700 == 0 ? 1e6 : 0);
        anb_observe(anb_importance_observer(m), model, x, y, anb_train_one(model, x, y, 1));
    }
    for (size_t j = 5; j < D; j++) {
        ck_assert_double_gt(anb_importance_value(m, 3), 5 * anb_importance_value(m, j));
        ck_assert_double_gt(anb_importance_sage(m, 3), 3 * anb_importance_sage(m, j));
    }
    ck_assert_double_lt(anb_importance_value(m, 3), 40); /* 2 w^2 Var x is 16.7 */
    anb_importance_free(m);
    anb_free(model);
}
END_TEST

/* Every fourth row measured: the same values, with more noise; reset forgets them. */
START_TEST(test_every_fourth_row)
{
    StreamingLearner *model = anb_parse(D, models[0], NULL, NULL);
    AnbImportance *all = importance_with(model, 8000, 2, 1), *some = importance_with(model, 8000, 2, 4);
    AnbRandom random;
    double x[D];
    anb_random_seed(&random, 9);
    for (size_t t = 0; t < 12000; t++) {
        double y = next_row(&random, 0, x), before = anb_train_one(model, x, y, 1);
        anb_observe(anb_importance_observer(all), model, x, y, before);
        anb_observe(anb_importance_observer(some), model, x, y, before);
    }
    for (size_t j = 0; j < D; j++) {
        ck_assert_double_eq_tol(anb_importance_value(all, j), anb_importance_value(some, j), 2);
        ck_assert_double_eq_tol(anb_importance_sage(all, j), anb_importance_sage(some, j), 2);
    }
    anb_importance_reset(all);
    ck_assert_double_eq(anb_importance_value(all, 3), 0);
    ck_assert_double_eq(anb_importance_sage(all, 3), 0);
    anb_importance_free(all);
    anb_importance_free(some);
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
    options = anb_importance_defaults();
    options.every = 0;
    ck_assert_ptr_null(anb_importance_new(model, &options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "every = 0"));
    options = anb_importance_defaults();
    options.sage_rows = 1;
    ck_assert_ptr_null(anb_importance_new(model, &options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "sage_rows = 1"));
    AnbImportance *m = anb_importance_new(model, NULL, &error);
    ck_assert(anb_importance_sage(m, 0) != anb_importance_sage(m, 0));
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
    tcase_add_loop_test(tests, test_sage_near_batch, 0, 2); /* of `auto` a million predictions would take long */
    tcase_add_loop_test(tests, test_sage_turns_after_a_drift, 0, sizeof models / sizeof *models);
    tcase_add_test(tests, test_sage_of_equal_columns);
    tcase_add_test(tests, test_every_fourth_row);
    tcase_add_test(tests, test_wrong_targets);
    tcase_add_test(tests, test_tells_the_feature_that_changed);
    tcase_add_test(tests, test_refused);
    return s;
}

CHECK_MAIN(suite)
