/* Quantiles: as many targets below each as its level says, near the best loss, in order, and readable
 * through wrappers. */
#include "made.h"
#include "reload.h"
#include "src/numeric/scores.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 3, N = 12000, LEVELS = 3 };
static const double levels[LEVELS] = {.1, .5, .9};

/* A plane, and noise whose deviation goes from .25 to 1.75 along the second feature, in a bend along the third. */
static double deviation(const double *x)
{
    return 1 + .75 * x[1] * (x[2] > 0 ? 1 : -1);
}

static double next(Stream *s, double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = stream_uniform(s);
    return 10 + 3 * x[0] - x[1] + deviation(x) * nearly_normal(&s->bits);
}

/* Over the second half: the share of targets below each level, and the mean losses. */
typedef struct Outcome {
    double below[LEVELS], loss[LEVELS];
} Outcome;

static Outcome outcome_of(const char *expression, double factor)
{
    StreamingLearner *model = made(D, expression);
    Stream s = {33, D};
    Outcome out = {{0}, {0}};
    double x[D], value[LEVELS];
    for (int i = 0; i < N; i++) {
        double y = factor * next(&s, x);
        ck_assert_int_eq(anb_predict_quantiles(model, x, value), 0);
        ck_assert(value[0] <= value[1] && value[1] <= value[2]);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), value[1]);
        for (int l = 0; l < LEVELS && i >= N / 2; l++) {
            const AnbLoss loss = {ANB_LOSS_QUANTILE, levels[l]};
            out.below[l] += (y < value[l]) / (N / 2.);
            out.loss[l] += anb_loss(&loss, y, value[l]) / factor / (N / 2.);
        }
    }
    anb_free(model);
    return out;
}

/* The expected loss of the true quantile of normal noise is its density there times the deviation, whose mean is 1. */
static const double best[LEVELS] = {.17549833, .39894228, .17549833};

START_TEST(shares_and_losses)
{
    Outcome even = outcome_of("quantile(scale(rls))", 1);
    Outcome modelled = outcome_of("quantile(scale(rls), guard(scale(tree)))", 1);
    for (int l = 0; l < LEVELS; l++) {
        ck_assert_double_eq_tol(even.below[l], levels[l], .02);
        ck_assert_double_eq_tol(modelled.below[l], levels[l], .02);
        ck_assert_double_lt(even.loss[l], 1.2 * best[l]);
    }
    ck_assert_double_lt(modelled.loss[0], .985 * even.loss[0]); /* the bend is for the tree to find */
    ck_assert_double_lt(modelled.loss[2], .985 * even.loss[2]);
    ck_assert_double_lt(modelled.loss[0], 1.15 * best[0]);
}
END_TEST

/* Nothing depends on the target's unit. */
START_TEST(units_of_the_target)
{
    Outcome one = outcome_of("quantile(scale(rls))", 1);
    static const double factors[] = {0x1p-40, 0x1p40};
    for (int i = 0; i < 2; i++) {
        Outcome other = outcome_of("quantile(scale(rls))", factors[i]);
        for (int l = 0; l < LEVELS; l++)
            ck_assert_double_eq_tol(other.loss[l], one.loss[l], 1e-3 * one.loss[l]);
    }
}
END_TEST

/* The noise grows fivefold: a thousand samples later the levels hold again. */
START_TEST(levels_hold_after_a_shift)
{
    StreamingLearner *model = made(D, "quantile(scale(rls))");
    Stream s = {35, D};
    double x[D], value[LEVELS], below[LEVELS] = {0};
    for (int i = 0; i < 10000; i++) {
        double y = next(&s, x), more = i < 5000 ? 0 : 4 * nearly_normal(&s.bits);
        anb_predict_quantiles(model, x, value);
        for (int l = 0; l < LEVELS && i >= 6000; l++)
            below[l] += (y + more < value[l]) / 4000.;
        anb_train_one(model, x, y + more, 1);
    }
    for (int l = 0; l < LEVELS; l++)
        ck_assert_double_eq_tol(below[l], levels[l], .03);
    anb_free(model);
}
END_TEST

/* The most that is ever said: of a row where the child extrapolates far beyond every target. */
static double ceiling_of(StreamingLearner *model)
{
    double x[D] = {1e9, 0, 0}, value[LEVELS];
    ck_assert_int_eq(anb_predict_quantiles(model, x, value), 0);
    return value[LEVELS - 1];
}

static void learn_rows(StreamingLearner *model, Stream *s, int n)
{
    double x[D];
    for (int i = 0; i < n; i++) {
        double y = next(s, x);
        anb_train_one(model, x, y, 1);
    }
}

START_TEST(one_wrong_target_is_forgotten)
{
    StreamingLearner *model = made(D, "quantile(rls)");
    Stream s = {35, D};
    double x[D];
    learn_rows(model, &s, 3000);
    double before = ceiling_of(model), y = next(&s, x);
    anb_train_one(model, x, y + 1e6, 1);
    double at_once = ceiling_of(model);
    learn_rows(model, &s, 100000);
    double later = ceiling_of(model);
    ck_assert_msg(at_once > before && at_once < 3 * before, "%g, then %g", before, at_once);
    ck_assert_msg(later < before + .1 * (at_once - before), "%g, then %g, then %g", before, at_once, later);
    anb_free(model);
}
END_TEST

START_TEST(readers_wrappers_and_reloads)
{
    static const char *const texts[] = {"quantile(scale(linear))", "scale(quantile(linear))",
                                        "drift(quantile(scale(rls)))", "link(quantile(scale(rls)), f=log)",
                                        "interval(quantile(scale(rls)))"};
    for (size_t m = 0; m < sizeof texts / sizeof *texts; m++) {
        StreamingLearner *model = made(D, texts[m]);
        AnbReader *reader = anb_reader_new(model, NULL);
        Stream s = {41, D};
        const double *level;
        double x[D], value[LEVELS], other[LEVELS];
        ck_assert_uint_eq(anb_quantile_levels(model, &level), LEVELS);
        ck_assert(memcmp(level, levels, sizeof levels) == 0);
        for (int i = 0; i < 1500; i++) {
            double y = exp(next(&s, x) / 5);
            anb_train_one(model, x, y, 1);
        }
        StreamingLearner *again = reloaded(model, NULL);
        ck_assert_ptr_nonnull(again);
        for (int i = 0; i < 50; i++) {
            next(&s, x);
            x[0] *= i % 10 ? 1 : 1e6;
            ck_assert_int_eq(anb_predict_quantiles(model, x, value), 0);
            ck_assert_int_eq(anb_predict_quantiles_with(model, reader, x, other), 0);
            ck_assert(memcmp(value, other, sizeof value) == 0);
            ck_assert_int_eq(anb_predict_quantiles(again, x, other), 0);
            ck_assert(memcmp(value, other, sizeof value) == 0);
            ck_assert(value[0] <= value[1] && value[1] <= value[2]);
            ck_assert(m != 3 || value[0] > 0);
        }
        x[0] = INFINITY;
        ck_assert_int_eq(anb_predict_quantiles(model, x, value), ANB_E_INPUT);
        anb_reader_free(reader);
        anb_free(again);
        anb_free(model);
    }
}
END_TEST

/* What changes the child's predictions has no quantiles of its own. */
START_TEST(who_has_none)
{
    static const char *const texts[] = {"rls",
                                        "guard(quantile(rls))",
                                        "residual_ar(quantile(rls))",
                                        "residual(rls, quantile(rls))",
                                        "moe(quantile(rls), rls)",
                                        "link(rls, f=sqrt)"};
    for (size_t m = 0; m < sizeof texts / sizeof *texts; m++) {
        StreamingLearner *model = made(D, texts[m]);
        const double *level, x[D] = {1, 2, 3};
        double value[LEVELS];
        ck_assert_uint_eq(anb_quantile_levels(model, &level), 0);
        ck_assert_int_eq(anb_predict_quantiles(model, x, value), ANB_E_UNSUPPORTED);
        anb_free(model);
    }
}
END_TEST

START_TEST(options_and_refusals)
{
    static const char *const bad[][2] = {
        {"quantile(rls, levels=[0.5, 0.1])", "levels must ascend: 0.5 stands before 0.1"},
        {"quantile(rls, levels=[0.1, 0.5, 0.5])", "0.5 stands before 0.5"},
        {"quantile(rls, levels=[0.1, 0.9], level=0.5)", "one of its levels"},
        {"quantile(rls, levels=[0, 0.9])", "levels"},
        {"quantile(rls, rls, rls)", "quantile"},
        {"quantile", "quantile"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AnbError error = {0};
        ck_assert_ptr_null(anb_parse(D, bad[i][0], NULL, &error));
        ck_assert_msg(strstr(error.message, bad[i][1]) != NULL, "%s: %s", bad[i][0], error.message);
    }
    StreamingLearner *model = made(D, "quantile(scale(rls), levels=[0.1, 0.9], level=0.9)");
    Stream s = {43, D};
    double x[D], value[2];
    for (int i = 0; i < 500; i++) {
        double y = next(&s, x);
        anb_predict_quantiles(model, x, value);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), value[1]);
    }
    anb_free(model);
}
END_TEST

/* The value between neighbours of the last thousand, of either sign. */
START_TEST(scores_of_either_sign)
{
    static double memory[2000];
    AnbScores scores = anb_scores_at(memory, 1000);
    ck_assert_double_eq(anb_scores_between(&scores, .5), 0);
    for (int i = 0; i < 3000; i++)
        anb_scores_add(&scores, (i * 617) % 1000 - 500);
    ck_assert_double_eq_tol(anb_scores_between(&scores, .25), .25 * 1001 - 1 - 500, 1e-9); /* -500 ... 499 */
    ck_assert_double_eq_tol(anb_scores_between(&scores, .5), -.5, 1e-9);
    ck_assert_double_eq(anb_scores_between(&scores, 1e-6), -500);
    ck_assert_double_eq(anb_scores_between(&scores, 1 - 1e-6), 499);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("quantile");
    TCase *tests = case_of(suite, 120);
    tcase_add_test(tests, shares_and_losses);
    tcase_add_test(tests, units_of_the_target);
    tcase_add_test(tests, levels_hold_after_a_shift);
    tcase_add_test(tests, one_wrong_target_is_forgotten);
    tcase_add_test(tests, readers_wrappers_and_reloads);
    tcase_add_test(tests, who_has_none);
    tcase_add_test(tests, options_and_refusals);
    tcase_add_test(tests, scores_of_either_sign);
    return suite;
}

CHECK_MAIN(suite)
