/* Links: predictions stay in the range, their mean is that of the targets, and bounds are targets like any other. */
#include "made.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 2, N = 6000 };
static const char *const links[] = {"log", "log1p", "sqrt", "logit", "positive"};

static StreamingLearner *linked(const char *child, const char *link)
{
    char text[200];
    snprintf(text, sizeof text, "link(%s, f=%s)", child, link);
    return made(D, text);
}

/* A target of the link's kind from z. */
static double target(const char *link, double z)
{
    if (!strcmp(link, "log"))
        return exp(z);
    if (!strcmp(link, "log1p"))
        return floor(exp(z)); /* counts, many of them 0 */
    if (!strcmp(link, "sqrt") || !strcmp(link, "positive"))
        return z < 0 ? 0 : z * z;
    return z < -1.5 ? 0 : z > 1.5 ? 1 : 1 / (1 + exp(-z)); /* rates, some exactly 0 or 1 */
}

static double next(Stream *s, const char *link, double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = stream_uniform(s);
    return target(link, x[0] - x[1] + .6 * nearly_normal(&s->bits));
}

static void in_range(const char *link, double f)
{
    ck_assert_msg(isfinite(f) && f >= 0, "%s: %g", link, f);
    if (!strcmp(link, "log"))
        ck_assert_double_gt(f, 0);
    if (!strcmp(link, "logit"))
        ck_assert_double_le(f, 1);
}

/* Rows far beyond those learned, where a plane leaves any range. */
static void ask_far(StreamingLearner *model, const char *link)
{
    for (int i = 0; i < 8; i++) {
        double far[] = {i & 1 ? 1e6 : -1e6, i & 2 ? 1e3 : -50};
        in_range(link, anb_predict(model, far));
    }
}

START_TEST(predictions_stay_in_the_range)
{
    static const char *const children[] = {"rls", "scale(linear)", "scale(moe(rls, tree, mean, router=blend))"};
    for (size_t c = 0; c < sizeof children / sizeof *children; c++) {
        StreamingLearner *model = linked(children[c], links[_i]);
        Stream s = {3, D};
        double x[D];
        for (int i = 0; i < N; i++) {
            double y = next(&s, links[_i], x);
            in_range(links[_i], anb_train_one(model, x, y, 1));
            if (i % 50 == 0)
                ask_far(model, links[_i]);
        }
        anb_free(model);
    }
}
END_TEST

/* The mean of exp(m + s n) is exp(m + s^2/2); the exponential of the mean alone is exp(m). */
START_TEST(the_mean_is_that_of_the_targets)
{
    StreamingLearner *model = linked("rls(lambda=1)", "log");
    Stream s = {5, D};
    double x[D], ratio = 0;
    const double sd = .8;
    for (int i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++)
            x[j] = stream_uniform(&s);
        double m = 2 + x[0], f = anb_train_one(model, x, exp(m + sd * nearly_normal(&s.bits)), 1);
        if (i >= N / 2)
            ratio += f / exp(m + sd * sd / 2) / (N / 2.);
    }
    ck_assert_double_eq_tol(ratio, 1, .04);
    ck_assert_double_gt(ratio, 1.3 * exp(-sd * sd / 2));
    anb_free(model);
}
END_TEST

/* Where the logarithm is linear the link is far better than the plane, and it is no worse where the target
 * is linear. */
START_TEST(what_a_link_gains_and_costs)
{
    static const char *const texts[] = {"scale(rls)", "link(scale(rls), f=log)", "link(scale(rls), f=sqrt)"};
    double squares[2][3] = {{0}};
    for (int linear = 0; linear < 2; linear++)
        for (int m = 0; m < 3; m++) {
            StreamingLearner *model = anb_parse(D, texts[m], NULL, NULL);
            Stream s = {7, D};
            double x[D];
            for (int i = 0; i < N; i++) {
                double y = next(&s, "log", x);
                y = linear ? 20 + x[0] - x[1] + stream_uniform(&s) : y * y;
                double e = y - anb_train_one(model, x, y, 1);
                squares[linear][m] += i >= 200 ? e * e : 0;
            }
            anb_free(model);
        }
    ck_assert_double_lt(squares[0][1], .9 * squares[0][0]);
    ck_assert_double_lt(squares[1][1], 1.01 * squares[1][0]);
    ck_assert_double_lt(squares[1][2], 1.01 * squares[1][0]);
}
END_TEST

/* Targets out of the range count as what is near: nothing is rejected, nothing is lost. */
START_TEST(targets_out_of_the_range)
{
    StreamingLearner *model = linked("scale(rls)", links[_i]);
    Stream s = {11, D};
    double x[D];
    for (int i = 0; i < 3000; i++) {
        double y = next(&s, links[_i], x);
        y = i % 100 == 0 ? -5 : i % 100 == 50 ? 1e300 : y;
        in_range(links[_i], anb_train_one(model, x, y, 1));
    }
    ck_assert_uint_eq(anb_counters(model)->rejected_target, 0);
    ck_assert_uint_eq(anb_n_samples_seen(model), 3000);
    anb_free(model);
}
END_TEST

/* An interval around a link is in units of the target, the experts' spread included. */
START_TEST(an_interval_around_a_link)
{
    StreamingLearner *model =
        anb_parse(D, "interval(link(scale(moe(rls, mean, tree, router=boa)), f=log), coverage=[0.9])", NULL, NULL);
    Stream s = {13, D};
    double x[D], low, high, held = 0;
    for (int i = 0; i < N; i++) {
        double y = 1e4 * next(&s, "log", x);
        ck_assert_int_eq(anb_predict_interval(model, x, .9, &low, &high), 0);
        held += i >= N / 2 && y >= low && y <= high;
        anb_train_one(model, x, y, 1);
    }
    ck_assert_double_eq_tol(held / (N / 2.), .9, .02);
    anb_free(model);
}
END_TEST

/* One wrong target lets the next answer no further out than the targets before are wide, whatever its child says. */
START_TEST(one_wrong_target_bounds_what_is_said)
{
    StreamingLearner *model = linked("last", links[_i]);
    Stream s = {5, 3};
    double x[D], high = 0;
    for (int i = 0; i < 500; i++) {
        double y = next(&s, links[_i], x);
        anb_train_one(model, x, y, 1);
        high = y > high ? y : high;
    }
    anb_train_one(model, x, 1e9, 1);
    double said = anb_predict(model, x);
    ck_assert_msg(said <= 4 * high, "%s: %g, targets to %g", links[_i], said, high);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("link");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, predictions_stay_in_the_range, 0, 5);
    tcase_add_test(tests, the_mean_is_that_of_the_targets);
    tcase_add_test(tests, what_a_link_gains_and_costs);
    tcase_add_loop_test(tests, targets_out_of_the_range, 0, 5);
    tcase_add_test(tests, an_interval_around_a_link);
    tcase_add_loop_test(tests, one_wrong_target_bounds_what_is_said, 0, 5);
    return suite;
}

CHECK_MAIN(suite)
