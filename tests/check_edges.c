/*
 * Streams at the edge of what there is, for every expert: constant targets and features, one feature and two hundred,
 * two rows in turn, targets of 1e12 and 1e-12; and the same stream with its targets times powers of two.
 */
#include "made.h"
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>

#define BOOSTED "sgbt(window=512, trees=30, depth=4, rate=0.1, budget=1500)"

typedef struct Expert {
    const char *expression;
    double r2, wide; /* that it must pass, over samples 1,000 to 2,000; of 200 features */
} Expert;

static const Expert experts[] = {
    {"scale(tree)", .99, .86},
    {"scale(tree(leaf=mean))", .85, .4},
    {"scale(tree(leaf=linear))", .99, .86},
    {"scale(tree(leaf=rls))", .99, .99},
    {"scale(forest(trees=3))", .99, .95},
    {"scale(forest(trees=3, leaf=rls))", .98, .99},
    {"scale(" BOOSTED ")", .98, .7},
    {"scale(knn(window=400))", .99, .99},
    {"scale(mlp(hidden=16))", .99, .55},
    {"scale(mlp(hidden=16, replay=4, memory=500))", .99, .75},
    {"scale(mlp(hidden=16, precision=single))", .99, .55},
    {"scale(mlp(activation=relu))", .99, .55},
    {"scale(mlp(activation=gelu))", .99, .7},
    {"scale(mlp(activation=hardgelu))", .99, .7},
    {"scale(mlp(activation=hardgelu, every=4))", .99, .7},
    {"scale(mlp(activation=swiglu))", .99, .2},
    {"scale(mlp(activation=geglu))", .99, .3},
    {"scale(mlp(optimizer=sgd, rate=0.02))", .98, .05},
    {"scale(poly(rls))", .99, -1}, /* refuses */
    {"scale(rff(rls, features=30))", .99, .99},
    {"scale(residual(rls, " BOOSTED "))", .99, .95},
};
enum { EXPERTS = sizeof experts / sizeof *experts, WIDE = 200, N = 2000 };

typedef enum Edge { PLAIN, CONSTANT_FEATURES, ONE_FEATURE, WIDE_ROWS, LARGE, SMALL, EDGES } Edge;

static const char *const names[] = {"plain", "constant features", "one feature", "200 features", "1e12", "1e-12"};

static size_t features_of(Edge edge)
{
    return edge == ONE_FEATURE ? 1 : edge == WIDE_ROWS ? WIDE : 5;
}

/* Three features have a say, of constant ones the first alone; a little noise. */
static double next(Edge edge, uint64_t *seed, double *x)
{
    size_t d = features_of(edge);
    for (size_t j = 0; j < d; j++)
        x[j] = uniform_of(seed);
    for (size_t j = 1; j < d && edge == CONSTANT_FEATURES; j++)
        x[j] = j == 1 ? 0 : 1e6;
    double y = 3 * x[0] + .05 * uniform_of(seed);
    if (d > 1 && edge != CONSTANT_FEATURES)
        y += 2 * x[1] + x[2];
    return (y + 5) * (edge == LARGE ? 1e12 : edge == SMALL ? 1e-12 : 1);
}

/* R^2 over the second half of N samples, targets times 2^power. */
static double r2_of(const char *expression, Edge edge, int power)
{
    StreamingLearner *model = made(features_of(edge), expression);
    uint64_t seed = 40;
    double x[WIDE], sum = 0, squares = 0, misses = 0;
    for (int t = 0; t < N; t++) {
        double y = next(edge, &seed, x), f = ldexp(anb_train_one(model, x, ldexp(y, power), 1), -power);
        ck_assert_msg(isfinite(f), "%s, 2^%d", expression, power);
        if (t < N / 2)
            continue;
        sum += y / (N / 2);
        squares += y * y / (N / 2);
        misses += (y - f) * (y - f) / (N / 2);
    }
    ck_assert_uint_eq(anb_counters(model)->restarts, 0);
    anb_free(model);
    return 1 - misses / (squares - sum * sum);
}

START_TEST(what_can_be_learned_is)
{
    const Expert *expert = &experts[_i / EDGES];
    Edge edge = (Edge)(_i % EDGES);
    double least = edge == WIDE_ROWS ? expert->wide : expert->r2;
    if (least < 0) {
        AnbError error = {0};
        ck_assert_ptr_null(anb_parse(WIDE, expert->expression, NULL, &error));
        ck_assert_int_eq(error.code, ANB_E_LIMIT);
        return;
    }
    double r2 = r2_of(expert->expression, edge, 0);
    ck_assert_msg(r2 > least, "%s, %s: R^2 %.4f", expert->expression, names[edge], r2);
}
END_TEST

START_TEST(a_power_of_two_leaves_r2_as_it_is)
{
    static const int powers[] = {-300, -40, -1, 1, 40, 300};
    const char *expression = experts[_i].expression;
    double plain = r2_of(expression, PLAIN, 0);
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
        double r2 = r2_of(expression, PLAIN, powers[p]);
        ck_assert_msg(fabs(r2 - plain) <= 5e-7, "%s, 2^%d: %.9f, not %.9f", expression, powers[p], r2, plain);
    }
}
END_TEST

START_TEST(a_constant_target_is_known)
{
    static const double targets[] = {7, -1e12, 1e-12, 0};
    const char *expression = experts[_i].expression;
    for (size_t k = 0; k < sizeof targets / sizeof *targets; k++) {
        StreamingLearner *model = made(5, expression);
        uint64_t seed = 3;
        double x[5], f = 0;
        for (int t = 0; t < 600; t++) {
            next(PLAIN, &seed, x);
            f = anb_train_one(model, x, targets[k], 1);
        }
        ck_assert_msg(fabs(f - targets[k]) <= 1e-6 * fabs(targets[k]), "%s: %.17g, not %g", expression, f, targets[k]);
        anb_free(model);
    }
}
END_TEST

START_TEST(two_rows_in_turn_are_told_apart)
{
    StreamingLearner *model = made(3, experts[_i].expression);
    const double rows[2][3] = {{1, 5, -2}, {2, 5, 3}}, targets[2] = {10, -4};
    double f[2] = {0};
    for (int t = 0; t < N; t++)
        f[t % 2] = anb_train_one(model, rows[t % 2], targets[t % 2], 1);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(fabs(f[i] - targets[i]) <= .1, "%s: %g, not %g", experts[_i].expression, f[i], targets[i]);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("edges");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, what_can_be_learned_is, 0, EXPERTS * EDGES);
    tcase_add_loop_test(tests, a_power_of_two_leaves_r2_as_it_is, 0, EXPERTS);
    tcase_add_loop_test(tests, a_constant_target_is_known, 0, EXPERTS);
    tcase_add_loop_test(tests, two_rows_in_turn_are_told_apart, 0, EXPERTS);
    return suite;
}

CHECK_MAIN(suite)
