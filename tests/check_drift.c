/* Drift: each detector sees a swap of the concept soon, stays silent without one, and acts as told. */
#include "src/numeric/detectors.h"
#include "reload.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include "src/host/model.h"
#include <stdio.h>
#include <stdlib.h>

static StreamingLearner *make(const char *detector, const char *action, const char *child)
{
    char expression[200];
    snprintf(expression, sizeof expression, "drift(%s, detector=%s, action=%s)", child, detector, action);
    StreamingLearner *model = anb_parse(3, expression, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    return model;
}

/* y = sign 2 x0 + noise, features in [-1, 1]. Returns the mean squared error of the samples. */
static double feed(StreamingLearner *model, Stream *s, int n, double sign)
{
    double x[3], sum = 0;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < 3; j++)
            x[j] = stream_uniform(s);
        double y = sign * 2 * x[0] + x[1] + .3 * stream_uniform(s), e = y - anb_train_one(model, x, y, 1);
        sum += e * e;
    }
    return sum / n;
}

static const char *const detectors[] = {"adwin", "page_hinkley", "kswin"};

START_TEST(a_swap_is_seen_and_its_absence_is_not)
{
    StreamingLearner *model = make(detectors[_i], "mark", "rls(lambda=1)");
    Stream s = {5, 3};
    AnbDriftView view;
    feed(model, &s, 5000, 1);
    uint64_t quiet = anb_counters(model)->drifts;
    ck_assert_uint_eq(quiet, 0);
    feed(model, &s, 600, -1);
    ck_assert_uint_gt(anb_counters(model)->drifts, quiet);
    ck_assert_int_eq(anb_drift_view(model, &view), 0);
    ck_assert_uint_eq(view.drifts, anb_counters(model)->drifts);
    ck_assert_uint_lt(view.since_last, 600);
    anb_free(model);
}
END_TEST

/* The target's level changes by one deviation of the noise: seen within 500 rows from nine of ten seeds, and nothing
 * before it or when the level has stayed. The child learns at a memory of 500 rows meanwhile. */
START_TEST(a_level_is_seen_soon)
{
    enum { SEEDS = 10, BEFORE = 5000, SOON = 500 };
    int seen = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        StreamingLearner *model = make(detectors[_i], "mark", "scale(rls)");
        Stream s = {seed, 3};
        double x[3];
        for (int i = 0; i < BEFORE + SOON; i++) {
            for (int j = 0; j < 3; j++)
                x[j] = nearly_normal(&s.bits);
            anb_train_one(model, x, x[0] - x[1] / 2 + nearly_normal(&s.bits) + (i >= BEFORE), 1);
            ck_assert(i >= BEFORE || anb_counters(model)->drifts == 0);
        }
        seen += anb_counters(model)->drifts > 0;
        anb_free(model);
    }
    ck_assert_msg(seen >= SEEDS - 1, "%s: %d of %d", detectors[_i], seen, SEEDS);
}
END_TEST

static double error_after_swap(const char *action)
{
    StreamingLearner *model = make("adwin", action, "rls(lambda=1)");
    Stream s = {5, 3};
    feed(model, &s, 5000, 1);
    feed(model, &s, 500, -1);
    double error = feed(model, &s, 1500, -1);
    anb_free(model);
    return error;
}

START_TEST(acting_helps_where_marking_does_not)
{
    double mark = error_after_swap("mark");
    ck_assert_double_lt(error_after_swap("refresh"), mark / 4);
    ck_assert_double_lt(error_after_swap("reset"), mark / 4);
}
END_TEST

/* Whatever holds an rls: a refresh changes no prediction, and the next sample moves it further. */
START_TEST(a_refresh_reaches_every_rls)
{
    static const char *const expressions[] = {"scale(rls(lambda=1))", "moe(mean, linear, router=stack)",
                                              "moe(mean, linear, router=blend)", "residual_ar(mean)"};
    StreamingLearner *model = anb_parse(3, expressions[_i], NULL, NULL);
    Stream s = {5, 3};
    double x[3] = {.5, -.5, .2}, moved[2];
    feed(model, &s, 3000, 1);
    for (int refreshed = 0; refreshed < 2; refreshed++) {
        StreamingLearner *copy = anb_clone(model, NULL);
        double before = anb_predict(copy, x);
        if (refreshed)
            anb_node_refresh(&copy->plan->nodes[0], anb_block(copy), 100);
        ck_assert_double_eq(anb_predict(copy, x), before);
        anb_train_one(copy, x, before + 1, 1);
        moved[refreshed] = anb_predict(copy, x) - before;
        anb_free(copy);
    }
    ck_assert_msg(moved[1] > moved[0], "%s: %g, %g", expressions[_i], moved[0], moved[1]);
    anb_free(model);
}
END_TEST

START_TEST(the_unit_of_the_target_does_not_matter)
{
    StreamingLearner *a = make("adwin", "reset", "rls"), *b = make("adwin", "reset", "rls");
    Stream s = {6, 3};
    double x[3];
    for (int i = 0; i < 6000; i++) {
        double y = stream_next(&s, x) * (i > 3000 ? -1 : 1);
        anb_train_one(a, x, y, 1);
        anb_train_one(b, x, y * 0x1p40, 1);
    }
    ck_assert_uint_gt(anb_counters(a)->drifts, 0);
    ck_assert_uint_eq(anb_counters(a)->drifts, anb_counters(b)->drifts);
    anb_free(a);
    anb_free(b);
}
END_TEST

/* Twenty zeros, then ones: the sum of (v - mean - .03) passes 15 where direct evaluation says. */
START_TEST(page_hinkley_against_its_recurrence)
{
    AnbPageHinkley p = {0};
    double mean = 0, sum = 0, least = 0;
    int seen = -1, wanted = -1;
    for (int i = 0; i < 400 && seen < 0; i++) {
        double v = i < 120 ? .1 : .9;
        mean = (mean * i + v) / (i + 1);
        sum += v - mean - ANB_PAGE_HINKLEY_ALLOWED;
        least = fmin(least, sum);
        if (wanted < 0 && i >= 29 && sum - least > ANB_PAGE_HINKLEY_THRESHOLD)
            wanted = i;
        if (anb_page_hinkley_add(&p, v))
            seen = i;
    }
    ck_assert_int_gt(wanted, 120);
    ck_assert_int_eq(seen, wanted);
}
END_TEST

START_TEST(the_distance_of_kolmogorov_and_smirnov)
{
    const double a[] = {1, 2, 3, 4}, b[] = {3, 4, 5, 6}, c[] = {7, 8, 9, 10}, d[] = {1, 1, 1, 2};
    ck_assert_double_eq(anb_ks_distance(a, a, 4), 0);
    ck_assert_double_eq(anb_ks_distance(a, b, 4), .5);
    ck_assert_double_eq(anb_ks_distance(a, c, 4), 1);
    ck_assert_double_eq(anb_ks_distance(a, d, 4), .5);
}
END_TEST

START_TEST(a_model_without_a_detector_says_so)
{
    StreamingLearner *model = anb_parse(3, "scale(linear)", NULL, NULL);
    AnbDriftView view;
    ck_assert_int_eq(anb_drift_view(model, &view), ANB_E_UNSUPPORTED);
    anb_free(model);
}
END_TEST

/* On rows that do not change nothing is reset; a reset child has shown that it is better. */
START_TEST(a_stationary_stream_keeps_its_child)
{
    uint64_t seeds = getenv("ANB_LONG") ? 20 : 1, rows = seeds > 1 ? 100000 : 20000, reset = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        StreamingLearner *model = make(detectors[_i], "reset", "rls");
        Stream s = {seed, 3};
        AnbDriftView view;
        feed(model, &s, (int)rows, 1);
        ck_assert_int_eq(anb_drift_view(model, &view), 0);
        reset += view.resets > 0;
        feed(model, &s, 500, -1);
        anb_drift_view(model, &view);
        ck_assert_uint_gt(view.drifts, 0);
        anb_free(model);
    }
    ck_assert_uint_le(reset, seeds / 20);
}
END_TEST

/* A model on trial: the concept has changed, and the fresh child has seen some rows. */
static StreamingLearner *on_trial(void)
{
    StreamingLearner *model = make("adwin", "reset", "scale(rls)");
    Stream s = {5, 3};
    AnbDriftView view = {.trial = false};
    feed(model, &s, 3000, 1);
    for (int i = 0; i < 1000 && !view.trial; i++) {
        feed(model, &s, 1, -1);
        ck_assert_int_eq(anb_drift_view(model, &view), 0);
    }
    ck_assert(view.trial);
    feed(model, &s, 5, -1);
    return model;
}

/* Field of the layouts in the state of drift. */
enum { LAYOUTS = 3 };

/* A trial goes on in a loaded model, to the bit; it ends where a learner has another layout than the one saved, and
 * nothing else is lost. */
START_TEST(a_trial_is_loaded_or_ends)
{
    const double row[] = {.5, -.25, .125};
    StreamingLearner *model = on_trial(), *same = reloaded(model, NULL), *other;
    AnbNode *node = &model->plan->nodes[0];
    uint32_t *layout = anb_field(node, anb_block(model), LAYOUTS);
    AnbDriftView before, after;
    anb_drift_view(model, &before);
    layout[_i]++;
    other = reloaded(model, NULL);
    layout[_i]--;
    ck_assert(same && other);
    ck_assert_int_eq(anb_drift_view(other, &after), 0);
    ck_assert(!after.trial && after.drifts == before.drifts && after.resets == before.resets);
    ck_assert(anb_predict(other, row) == anb_predict(model, row));
    Stream a = {9, 3}, b = {9, 3}, c = {9, 3};
    ck_assert(feed(model, &a, 400, -1) == feed(same, &b, 400, -1));
    anb_drift_view(same, &after);
    ck_assert_uint_gt(after.resets, before.resets);
    feed(other, &c, 3000, 1);
    StreamingLearner *const models[] = {model, same, other};
    for (int i = 0; i < 3; i++)
        anb_free(models[i]);
}
END_TEST

/* Release 0.3.0 did not say in which layouts the learners of a trial were saved: such a trial ends. */
START_TEST(a_trial_of_an_older_release_ends)
{
    char path[1024];
    AnbError error;
    AnbDriftView view;
    snprintf(path, sizeof path, "%s/tests/drift-on-trial-0.3.0.anb", getenv("ANB_SOURCE_ROOT"));
    StreamingLearner *model = anb_load(path, NULL, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    ck_assert_int_eq(anb_drift_view(model, &view), 0);
    ck_assert(!view.trial && view.drifts == 1 && view.resets == 0);
    ck_assert(anb_predict(model, (double[]){.25, .75}) == 1.1816197374175383);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("drift");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, a_swap_is_seen_and_its_absence_is_not, 0, 3);
    tcase_add_loop_test(tests, a_level_is_seen_soon, 0, 3);
    tcase_add_loop_test(tests, a_stationary_stream_keeps_its_child, 0, 3);
    tcase_add_test(tests, acting_helps_where_marking_does_not);
    tcase_add_loop_test(tests, a_refresh_reaches_every_rls, 0, 4);
    tcase_add_test(tests, the_unit_of_the_target_does_not_matter);
    tcase_add_test(tests, page_hinkley_against_its_recurrence);
    tcase_add_test(tests, the_distance_of_kolmogorov_and_smirnov);
    tcase_add_test(tests, a_model_without_a_detector_says_so);
    tcase_add_loop_test(tests, a_trial_is_loaded_or_ends, 0, 2);
    tcase_add_test(tests, a_trial_of_an_older_release_ends);
    return suite;
}

CHECK_MAIN(suite)
