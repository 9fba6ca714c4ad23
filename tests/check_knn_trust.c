/* What columns that carry nothing cost the nearest neighbours, and trees of random cuts that are told which
 * those are. */
#include "alone.h"
#include "made.h"
#include "suite.h"
#include "learners/knn/knn_state.h"
#include "src/numeric/random.h"
#include <anabranch/learner.h>
#include <anabranch/learners.h>
#include <math.h>

static double friedman(const double *x)
{
    return 10 * sin(3.14159265 * x[0] * x[1]) + 20 * (x[2] - .5) * (x[2] - .5) + 10 * x[3] + 5 * x[4];
}

/* Error over the last 1,000 of 5,000 samples; the first five features count. */
static double friedman_error(size_t d)
{
    StreamingLearner *model = made(d, "scale(knn(window=2000))");
    AnbRandom random;
    double sum = 0;
    anb_random_seed(&random, 8);
    for (int t = 0; t < 5000; t++) {
        double x[10];
        for (int j = 0; j < 10; j++)
            x[j] = anb_random_uniform(&random);
        double error = friedman(x) - anb_train_one(model, x, friedman(x), 1);
        sum += t < 4000 ? 0 : error * error / 1000;
    }
    anb_free(model);
    return sqrt(sum);
}

START_TEST(features_without_a_say_cost_little)
{
    double with = friedman_error(10), without = friedman_error(5);
    ck_assert_double_lt(without, 1.3); /* the target's deviation is 4.9 */
    ck_assert_msg(with < 2 * without, "%g with five features of noise, %g without", with, without);
}
END_TEST

enum { WIDE = 6 };

/* Neighbours over rows with a curve, a product and, from the fourth feature on, noise; told the shares or not. The
 * trust and the metric of each. */
static void learn_noise(const double *share, double *trust, double *metric)
{
    AnbKnnOptions options = anb_knn_defaults();
    options.time = false;
    Alone a = {.node = {.type = &anb_knn, .options = &options, .n_features = WIDE}};
    AnbCounters counters = {0};
    double x[WIDE];
    AnbRow row = {x, x, share, &counters, NULL};
    AnbRandom random;
    alone_start(&a);
    anb_random_seed(&random, 6);
    for (int t = 0; t < 3000; t++) {
        for (int j = 0; j < WIDE; j++)
            x[j] = anb_random_normal(&random);
        alone_learn(&a, &row, x[0] + sin(2 * x[1]) + x[0] * x[2] + .1 * anb_random_normal(&random));
    }
    View v = anb_knn_view(&a.node, a.state);
    for (size_t j = 0; j < WIDE; j++) {
        trust[j] = anb_knn_trust(&v, j);
        metric[j] = anb_knn_metric(&v, j);
    }
    alone_end(&a);
}

/* The shares are those of trees that have found something in the noise as well. */
START_TEST(noise_is_not_trusted_where_shares_are_known)
{
    static const double share[WIDE] = {.3, .25, .3, .05, .05, .05};
    double told[WIDE], alone[WIDE], metric[WIDE];
    learn_noise(NULL, alone, metric);
    learn_noise(share, told, metric);
    for (size_t j = 0; j < WIDE; j++) {
        ck_assert_msg(j < 3 ? told[j] > .9 : told[j] < .4, "feature %zu is trusted by %g", j, told[j]);
        ck_assert_msg(j < 3 ? metric[j] > .3 : metric[j] < .05, "feature %zu weighs %g", j, metric[j]);
        ck_assert_double_eq(alone[j], 1);
    }
}
END_TEST

/* Error of trees of random cuts over 3,000 rows of which two features in 20 count, with shares as a mixture knows them
 * or none. */
static double random_cuts_error(const double *share)
{
    AnbExtraTreesOptions options = anb_extra_trees_defaults();
    Alone a = {.node = {.type = &anb_extra_trees, .options = &options, .n_features = 20}};
    AnbCounters counters = {0};
    double x[20], sum = 0;
    AnbRow row = {x, x, share, &counters, NULL};
    AnbRandom random;
    alone_start(&a);
    anb_random_seed(&random, 14);
    for (int t = 0; t < 3000; t++) {
        for (int j = 0; j < 20; j++)
            x[j] = anb_random_normal(&random);
        double y = x[0] + x[0] * x[1], error = y - alone_learn(&a, &row, y);
        sum += t < 1000 ? 0 : error * error / 2000;
    }
    alone_end(&a);
    return sqrt(sum);
}

START_TEST(random_cuts_go_where_something_is)
{
    double share[20] = {.6, .4}, told = random_cuts_error(share), without = random_cuts_error(NULL);
    ck_assert_msg(told < .5 * without, "%g told the shares, %g without", told, without);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn_trust");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, features_without_a_say_cost_little);
    tcase_add_test(tests, noise_is_not_trusted_where_shares_are_known);
    tcase_add_test(tests, random_cuts_go_where_something_is);
    return suite;
}

CHECK_MAIN(suite)
