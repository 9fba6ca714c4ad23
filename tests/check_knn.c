#include "made.h"
#include "learners/knn/knn_state.h"
#include "src/host/model.h"
#include "src/numeric/random.h"
#include "alone.h"
#include "knn_oracle.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/learner.h>
#include <anabranch/learners.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Alone, and told what others know of the features. */
START_TEST(is_what_sorting_and_gsl_say)
{
    static const double shares[D] = {.5, .4, .05, .05};
    AnbKnnOptions options = anb_knn_defaults();
    options.window = WINDOW;
    options.k = K;
    options.time = false;
    Alone a = {.node = {.type = &anb_knn, .options = &options, .n_features = D}};
    AnbCounters counters = {0};
    double x[D];
    AnbRow row = {x, x, _i ? shares : NULL, &counters, NULL};
    alone_start(&a);
    Oracle *o = calloc(1, sizeof *o);
    oracle_metric(o);
    o->importance = row.importance;
    AnbRandom random;
    anb_random_seed(&random, 19);
    for (int t = 0; t < N; t++) {
        for (int j = 0; j < D; j++)
            x[j] = (double)(float)anb_random_normal(&random);
        double y = 10 + 3 * x[0] + 2 * x[1] * x[1] + .1 * anb_random_normal(&random);
        /* planes are fitted in floats, and the metric follows from them */
        ck_assert_double_eq_tol(alone_learn(&a, &row, y), oracle_predict(o, x), 5e-4);
        oracle_update(o, x, y);
    }
    ck_assert_int_eq(o->trust[3] < .5, _i);
    free(o);
    alone_end(&a);
}
END_TEST

/* ---- streams that are not nice ---- */

/* The level wanders round in 3,000 samples. */
static double drifting_error(const char *expression)
{
    StreamingLearner *model = made(3, expression);
    AnbRandom random;
    double sum = 0;
    anb_random_seed(&random, 4);
    for (int t = 0; t < 5000; t++) {
        double x[3] = {anb_random_normal(&random), anb_random_normal(&random), anb_random_normal(&random)};
        double y = x[0] + x[1] * x[1] + 4 * sin(t * 6.283185 / 3000) + .1 * anb_random_normal(&random);
        double error = y - anb_train_one(model, x, y, 1);
        sum += t < 2000 ? 0 : error * error / 3000;
    }
    anb_free(model);
    return sqrt(sum);
}

START_TEST(near_also_means_recent_where_the_target_drifts)
{
    double with = drifting_error("scale(knn(window=2000))");
    double without = drifting_error("scale(knn(window=2000, time=false))");
    ck_assert_msg(with < 0.3 * without, "%g with time, %g without", with, without);
}
END_TEST

/* The type's own answers, without a host between: which features count, and how noisy it is here. */
START_TEST(says_what_it_knows)
{
    AnbKnnOptions options = anb_knn_defaults();
    Alone a = {.node = {.type = &anb_knn, .options = &options, .n_features = 2}};
    AnbCounters counters = {0};
    double x[2], share[2], spread[2];
    AnbRow row = {x, x, NULL, &counters, NULL};
    AnbRandom random;
    alone_start(&a);
    anb_random_seed(&random, 14);
    ck_assert_int_eq(anb_knn.importance->shares(&a.node, a.state, share), ANB_E_UNSUPPORTED);
    for (int t = 0; t < 3000; t++) {
        x[0] = anb_random_normal(&random);
        x[1] = anb_random_normal(&random);
        alone_learn(&a, &row, 2 * x[0] + (x[0] > 0 ? 1 : 0.1) * anb_random_normal(&random));
    }
    for (int side = 0; side < 2; side++) {
        x[0] = side ? 1 : -1;
        x[1] = 0;
        anb_knn.predict(&a.node, a.state, &row, a.scratch);
        spread[side] = anb_knn.spread->spread(&a.node, a.state, &row, a.scratch);
    }
    ck_assert_int_eq(anb_knn.importance->shares(&a.node, a.state, share), 0);
    ck_assert_double_eq_tol(share[0] + share[1], 1, 1e-12);
    ck_assert(share[0] > 0.8);
    ck_assert(spread[0] > 0.03 && spread[0] < 0.2 && spread[1] > 0.5 && spread[1] < 1.6);
    alone_end(&a);
}
END_TEST

START_TEST(scaling_the_target_scales_the_prediction)
{
    StreamingLearner *one = made(3, "scale(knn(window=100))"), *other = made(3, "scale(knn(window=100))");
    AnbRandom random;
    anb_random_seed(&random, 4);
    for (int t = 0; t < 1000; t++) {
        double x[3] = {anb_random_normal(&random), anb_random_normal(&random), 1};
        double y = x[0] + sin(x[1]) + .1 * anb_random_normal(&random);
        ck_assert_double_eq(anb_train_one(one, x, y, 1) * 0x1p-40, anb_train_one(other, x, y * 0x1p-40, 1));
    }
    anb_free(one);
    anb_free(other);
}
END_TEST

START_TEST(odd_streams_stay_finite)
{
    static const double odd[] = {1e150, -1e150, 1e-150, 1e12, -1e12, 0, 1e300};
    static const char *const expressions[] = {"knn(window=40, k=7)", "scale(knn(window=33))", "knn(window=2)"};
    for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
        StreamingLearner *model = made(2, expressions[e]);
        for (int t = 0; t < 1000; t++) {
            double x[2] = {odd[t % 7], odd[(t / 7) % 7]}, y = odd[(t / 3) % 6];
            ck_assert(isfinite(anb_train_one(model, x, y, 1)));
        }
        anb_free(model);
    }
}
END_TEST

START_TEST(rows_seen_before_are_remembered)
{
    StreamingLearner *wide = made(200, "scale(knn(window=64, k=4))"), *constant = made(1, "scale(knn)");
    double x[200] = {0};
    for (int t = 0; t < 600; t++) {
        for (int j = 0; j < 200; j++)
            x[j] = t % 2;
        double y = t % 2 ? 3 : -1, f = anb_train_one(wide, x, y, 1);
        if (t > 100)
            ck_assert_double_eq_tol(f, y, 1e-9);
        ck_assert_double_eq(anb_train_one(constant, x, 42, 1), t ? 42 : 0);
    }
    anb_free(wide);
    anb_free(constant);
}
END_TEST

/* Places are weights over their running mean, whole ones now and fractions later. With k = window f is their mean. */
START_TEST(a_row_takes_places_by_its_weight)
{
    StreamingLearner *model = made(1, "knn(window=100, k=100, time=false)");
    const double weights[] = {3, 3, 1, 1, 1, 1};
    double x[1] = {0}, mean = 0, credit = 0, sum = 0, places = 0;
    for (int t = 0; t < 6; t++) {
        double y = t, whole;
        mean += 2. / (t + 2) * (weights[t] - mean);
        credit += weights[t] / mean;
        whole = floor(credit);
        credit -= whole;
        sum += whole * y;
        places += whole;
        anb_train_one(model, x, y, weights[t]);
    }
    ck_assert_double_lt(places, 6);
    ck_assert_double_eq_tol(anb_predict(model, x), sum / places, 1e-6);
    ck_assert_uint_eq(anb_counters(model)->weight_skipped, 0);
    anb_free(model);
}
END_TEST

START_TEST(a_clone_goes_on_alike)
{
    StreamingLearner *model = made(3, "scale(knn(window=70))"), *copy = NULL;
    AnbRandom random;
    anb_random_seed(&random, 12);
    for (int t = 0; t < 400; t++) {
        double x[3] = {anb_random_normal(&random), anb_random_normal(&random), anb_random_normal(&random)};
        double y = x[0] * x[1], f = anb_train_one(model, x, y, 1);
        if (copy)
            ck_assert_double_eq(anb_train_one(copy, x, y, 1), f);
        if (t == 200)
            copy = anb_clone(model, NULL);
    }
    ck_assert(anb_equal(model, copy));
    anb_free(model);
    anb_free(copy);
}
END_TEST

/* While the codes of a large window follow a new metric, a model that was saved goes on alike, whatever piece
 * they have got to. */
START_TEST(codes_that_follow_change_nothing)
{
    static const char *const texts[] = {"knn(window=3000)", "scale(knn(window=3000))"};
    StreamingLearner *model = made(4, texts[_i]);
    AnbRandom random;
    anb_random_seed(&random, 3);
    for (int i = 0; i < 3400; i++) {
        double x[4], y = 0;
        for (int j = 0; j < 4; j++)
            y += (j + 1) * (x[j] = anb_random_uniform(&random));
        y += i % 800 > 400 ? 5 * x[0] * x[1] : 0;
        StreamingLearner *again = i > 3000 && i % 3 == 0 ? reloaded(model, NULL) : NULL;
        double said = anb_train_one(model, x, y, 1);
        if (again) {
            ck_assert_double_eq(anb_train_one(again, x, y, 1), said);
            ck_assert(anb_equal(model, again));
        }
        anb_free(again);
    }
    anb_free(model);
}
END_TEST

/* The window keeps the unit of its rows where the new one is near, and is turned where it is far. */
START_TEST(a_near_unit_moves_no_row)
{
    static const double near[] = {1.1, .9, 1}, far[] = {9, 1, .1}, beta[] = {.1, -.2, 0};
    StreamingLearner *model = made(3, "knn(window=300)");
    const AnbNode *node = model->plan->nodes;
    double x[3], unit[3];
    AnbRandom random;
    anb_random_seed(&random, 3);
    for (int i = 0; i < 500; i++) {
        for (int j = 0; j < 3; j++)
            x[j] = anb_random_normal(&random);
        anb_train_one(model, x, 3 * x[0] - x[1] + .5 * x[0] * x[2], 1);
    }
    for (int turned = 0; turned < 2; turned++) {
        const double *alpha = turned ? far : near;
        StreamingLearner *changed = anb_clone(model, NULL);
        View v = anb_knn_view(node, anb_state_of(model, node)), own = anb_knn_view(node, anb_state_of(changed, node));
        anb_node_reframe(node, anb_state_of(changed, node), alpha, beta);
        for (int j = 0; j < 3; j++)
            unit[j] = (x[j] - beta[j]) / alpha[j];
        ck_assert_double_eq_tol(anb_predict(changed, unit), anb_predict(model, x), .02);
        ck_assert_int_eq(memcmp(v.x, own.x, 300 * v.d * sizeof *v.x) != 0, turned);
        anb_free(changed);
    }
    anb_free(model);
}
END_TEST

/* Squared distances are beyond floats then: all rows are equally far. One at a time and many at once. */
START_TEST(a_unit_far_off_leaves_numbers)
{
    double far[] = {1e17, 1e19, 1e30, 1e160, 1e-30, 1e-160};
    double alpha[2] = {far[_i], 1}, beta[2] = {0, 0}, x[40 * 2], said[40];
    StreamingLearner *model = made(2, "knn(window=300, time=false)");
    const AnbNode *node = &model->plan->nodes[0];
    AnbRandom random;
    anb_random_seed(&random, 5);
    for (int i = 0; i < 250; i++) {
        double row[2] = {anb_random_uniform(&random), anb_random_uniform(&random)};
        anb_train_one(model, row, row[0] + row[1], 1);
    }
    anb_node_reframe(node, anb_state_of(model, node), alpha, beta);
    for (int i = 0; i < 80; i++)
        x[i] = (i % 3 ? 1e8 : 1e-19) * anb_random_uniform(&random);
    anb_predict_many(model, x, 40, said);
    for (int i = 0; i < 40; i++) {
        ck_assert_double_finite(said[i]);
        ck_assert_double_eq(anb_predict(model, x + (ptrdiff_t)2 * i), said[i]);
    }
    AnbError error;
    StreamingLearner *again = reloaded(model, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    anb_free(again);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, is_what_sorting_and_gsl_say, 0, 2);
    tcase_add_test(tests, near_also_means_recent_where_the_target_drifts);
    tcase_add_test(tests, says_what_it_knows);
    tcase_add_test(tests, scaling_the_target_scales_the_prediction);
    tcase_add_test(tests, odd_streams_stay_finite);
    tcase_add_test(tests, rows_seen_before_are_remembered);
    tcase_add_test(tests, a_row_takes_places_by_its_weight);
    tcase_add_loop_test(tests, codes_that_follow_change_nothing, 0, 2);
    tcase_add_test(tests, a_near_unit_moves_no_row);
    tcase_add_loop_test(tests, a_unit_far_off_leaves_numbers, 0, 6);
    tcase_add_test(tests, a_clone_goes_on_alike);
    return suite;
}

CHECK_MAIN(suite)
