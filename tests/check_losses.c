/* Losses: their definitions against values by hand, and what learners and gates end at that minimise them. */
#include "made.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 2, N = 12000 };

START_TEST(values_by_hand)
{
    const AnbLoss pinball = {ANB_LOSS_QUANTILE, .9}, huber = {ANB_LOSS_HUBER, 2}, poisson = {ANB_LOSS_POISSON, 0};
    const AnbLoss squared = {ANB_LOSS_SQUARED, 0}, absolute = {ANB_LOSS_ABSOLUTE, 0}, logarithm = {ANB_LOSS_LOG, 0};
    ck_assert_double_eq_tol(anb_loss(&pinball, 10, 7), 2.7, 1e-15);
    ck_assert_double_eq_tol(anb_loss(&pinball, 7, 10), .3, 1e-15);
    ck_assert_double_eq(anb_loss(&huber, 1, 0), .5);
    ck_assert_double_eq(anb_loss(&huber, 0, 5), 8);
    ck_assert_double_eq(anb_loss(&squared, 1, 4), 9);
    ck_assert_double_eq(anb_loss(&absolute, 1, 4), 3);
    ck_assert_double_eq_tol(anb_loss(&poisson, 3, 2), 2 * (3 * log(1.5) - 1), 1e-14);
    ck_assert_double_eq_tol(anb_loss(&poisson, 0, 2), 4, 1e-15);
    ck_assert_double_eq_tol(anb_loss(&poisson, 1, -5), 2 * (log(1e15) - 1), 1e-12); /* f counts as 1e-15 */
    ck_assert_double_eq_tol(anb_loss(&logarithm, 1, .25), log(4), 1e-15);
    ck_assert_double_eq_tol(anb_loss(&logarithm, 0, .25), -log(.75), 1e-15);
    ck_assert_double_eq_tol(anb_loss(&logarithm, 1, 7), 0, 1e-14);
    ck_assert(isnan(anb_loss(&poisson, -1, 2)) && isnan(anb_loss(&logarithm, 1.5, .5)));
    ck_assert(isnan(anb_loss(&squared, NAN, 1)) && isnan(anb_loss(&squared, 1, INFINITY)));
}
END_TEST

START_TEST(texts_there_and_back)
{
    static const char *const good[][2] = {
        {"squared", "squared"},          {"mae", "absolute"}, {"huber:1.5", "huber:1.5"},
        {"quantile:0.9", "pinball:0.9"}, {"log", "log"},      {"pinball:.05", "pinball:0.05"}};
    static const char *const unknown[] = {"", "rmse", "pinbal:.5", ":1"};
    static const char *const wrong[] = {"pinball", "pinball:1", "pinball:0", "pinball:x", "huber:-1", "mae:1", "log:"};
    AnbLoss loss;
    char text[40];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(anb_loss_parse(good[i][0], &loss), 0);
        ck_assert_uint_eq(anb_loss_format(&loss, text, sizeof text), strlen(good[i][1]));
        ck_assert_str_eq(text, good[i][1]);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        ck_assert_int_eq(anb_loss_parse(unknown[i], &loss), ANB_E_UNKNOWN);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(anb_loss_parse(wrong[i], &loss), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_loss_parse(NULL, &loss), ANB_E_ARGUMENT);
}
END_TEST

/* Exponential noise of mean 1: its quantile of level t is -log(1 - t), its median .69. */
static double next(Stream *s, double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = stream_uniform(s);
    double u = (stream_uniform(s) + 1) / 2;
    return 5 + 2 * x[0] - x[1] - log(1 - u);
}

/* Over the second half: how many targets lay below the prediction, and the mean pinball loss. */
typedef struct Outcome {
    double below, loss;
} Outcome;

static Outcome outcome_of(const char *expression, double level)
{
    StreamingLearner *model = made(D, expression);
    const AnbLoss loss = {ANB_LOSS_QUANTILE, level};
    Stream s = {21, D};
    Outcome out = {0};
    double x[D];
    for (int i = 0; i < N; i++) {
        double y = next(&s, x), f = anb_train_one(model, x, y, 1);
        if (i < N / 2)
            continue;
        out.below += (y < f) / (N / 2.);
        out.loss += anb_loss(&loss, y, f) / (N / 2.);
    }
    anb_free(model);
    return out;
}

/* The loss of the true quantile of that noise: E[pinball] = (1 - t) (-log(1 - t)) for level t. */
static double best_loss(double level)
{
    return (1 - level) * -log(1 - level);
}

#define SGBT "sgbt(window=1024, trees=40, depth=3, rate=0.15, budget=1500"

START_TEST(learners_end_at_the_quantile)
{
    static const char *const forms[] = {"linear(", "linear(normalized=true, ", "mlp(hidden=8, ", SGBT ", "};
    static const double levels[] = {.1, .5, .9};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
        for (size_t l = 0; l < 3; l++) {
            char text[200];
            snprintf(text, sizeof text, "scale(%sloss=quantile, level=%g))", forms[f], levels[l]);
            Outcome out = outcome_of(text, levels[l]);
            ck_assert_msg(fabs(out.below - levels[l]) < .05, "%s: %g below", text, out.below);
            ck_assert_msg(out.loss < best_loss(levels[l]) + .1, "%s: loss %g, best %g", text, out.loss,
                          best_loss(levels[l]));
        }
}
END_TEST

/* Absolute is the quantile of 1/2; huber lies between the median and the mean, which has 63 % of the targets below. */
START_TEST(absolute_and_huber)
{
    static const char *const forms[] = {"linear(", "mlp(hidden=8, ", SGBT ", "};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        char text[200];
        snprintf(text, sizeof text, "scale(%sloss=absolute))", forms[f]);
        ck_assert_double_eq_tol(outcome_of(text, .5).below, .5, .04);
        snprintf(text, sizeof text, "scale(%sloss=huber))", forms[f]);
        Outcome huber = outcome_of(text, .5);
        snprintf(text, sizeof text, "scale(%sloss=squared))", forms[f]);
        Outcome squared = outcome_of(text, .5);
        ck_assert_msg(huber.below < squared.below - .01 && huber.below > .5, "%s: %g, squared %g", text, huber.below,
                      squared.below);
    }
}
END_TEST

#define EXPERTS                                                                                                        \
    "linear(loss=quantile, level=0.1), linear(loss=quantile, level=0.9), linear, linear(loss=quantile, level=0.5)"

/* Every gate finds the expert of the level that it is scored by, or a mix that is as good. */
START_TEST(gates_score_by_pinball)
{
    static const char *const routers[] = {"boa", "stack", "blend", "softmax", "linear"};
    for (size_t r = 0; r < sizeof routers / sizeof *routers; r++) {
        char text[400];
        snprintf(text, sizeof text, "scale(moe(" EXPERTS ", router=%s, loss=quantile, level=0.9))", routers[r]);
        Outcome asked = outcome_of(text, .9);
        snprintf(text, sizeof text, "scale(moe(" EXPERTS ", router=%s))", routers[r]);
        Outcome squared = outcome_of(text, .9);
        bool sparse = strcmp(routers[r], "linear") == 0; /* mixes the two that its scores name */
        ck_assert_msg(asked.loss < (sparse ? .97 : .8) * squared.loss, "%s: %g, squared %g", routers[r], asked.loss,
                      squared.loss);
        ck_assert_msg(sparse || fabs(asked.below - .9) < .07, "%s: %g below", routers[r], asked.below);
        ck_assert_msg(sparse || asked.loss < best_loss(.9) + .05, "%s: loss %g", routers[r], asked.loss);
    }
}
END_TEST

/* In C the options say the same as in text. */
START_TEST(options_in_c)
{
    AnbLinearOptions o = anb_linear_defaults();
    ck_assert_int_eq(o.loss, ANB_LOSS_SQUARED);
    ck_assert_double_eq(o.level, .5);
    o.loss = ANB_LOSS_QUANTILE;
    o.level = .25;
    StreamingLearner *model = anb_new(D, &(AnbExpert){.type = &anb_linear, .options = &o}, NULL, NULL);
    ck_assert_str_eq(anb_expression(model), "linear(loss=quantile, level=0.25)");
    anb_free(model);
    AnbError error = {0};
    ck_assert_ptr_null(anb_parse(D, "mlp(loss=quantile, level=1)", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "level"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("losses");
    TCase *tests = case_of(suite, 120);
    tcase_add_test(tests, values_by_hand);
    tcase_add_test(tests, texts_there_and_back);
    tcase_add_test(tests, learners_end_at_the_quantile);
    tcase_add_test(tests, absolute_and_huber);
    tcase_add_test(tests, gates_score_by_pinball);
    tcase_add_test(tests, options_in_c);
    return suite;
}

CHECK_MAIN(suite)
