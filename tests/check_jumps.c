#include "made.h"
#include "numbers.h"
#include <math.h>

enum { D = 2, N = 6000 };

static double learned(StreamingLearner *model, double y)
{
    static const double x[D] = {0, 0};
    double said = anb_predict(model, x), f = anb_train_one(model, x, y, 1);
    ck_assert_double_eq(said, f);
    return f;
}

/* Targets of 1 and -1 in turn, then a level near 100. Before the jump R is 4 (learners/jumps.c), so p = 0 and a jump is
 * believed only after one has stayed: after one sure jump that stayed g = .5 - .3 / 2 = .35, after two .6644 - .2565 /
 * (2 . .6644 . 2.98) = .5997. */
START_TEST(shares_by_hand)
{
    static const double g[] = {0, 0, 0.35, 0.59965};
    StreamingLearner *jumps = made(D, "jumps(mean)"), *mean = made(D, "mean");
    for (int t = 0; t < 100; t++)
        ck_assert_double_eq(learned(jumps, t % 2 ? 1 : -1), learned(mean, t % 2 ? 1 : -1));
    ck_assert_double_eq(learned(jumps, 100), learned(mean, 100));
    /* the first row after it is no sure jump; the two numbers are not the same */
    for (int t = 0; t < 4; t++) {
        double f = learned(mean, 101 + t % 2), said = learned(jumps, 101 + t % 2), last = t ? 101 + (t + 1) % 2 : 100;
        ck_assert_double_eq_tol((said - f) / (last - f), g[t], 0.02);
    }
    anb_free(jumps);
    anb_free(mean);
}
END_TEST

/* What happens to the target every 150 rows or so: nothing, it goes to a new level, it is wrong in one row. */
typedef enum Kind { QUIET, LEVELS, WRONG } Kind;

/* Mean squared errors of a model over all rows and over those behind a jump; rows with a wrong target are left out. */
typedef struct Errors {
    double all, behind;
    int different; /* rows in which the two are not the same number */
} Errors;

static Errors errors_of(const char *expression, const char *child, Kind kind, double factor)
{
    StreamingLearner *model = made(D, expression), *bare = made(D, child);
    Errors e = {0, 0, 0};
    uint64_t seed = 5;
    double level = 0;
    int jumped = 0, behind = 0, rows = 0;
    for (int t = 0; t < N; t++) {
        double x[D] = {nearly_normal(&seed), nearly_normal(&seed)}, size = 50 * nearly_normal(&seed);
        int before = jumped;
        jumped = unit_of(&seed) < 1 / 150. && kind != QUIET;
        level = jumped && kind == LEVELS ? size : level;
        double y = level + 2 * x[0] + nearly_normal(&seed) + (jumped && kind == WRONG ? size : 0);
        double f = anb_train_one(model, x, factor * y, 1) / factor, g = anb_train_one(bare, x, factor * y, 1) / factor;
        e.different += f != g;
        if (t < N / 4 || (jumped && kind == WRONG))
            continue;
        rows++;
        e.all += (f - y) * (f - y);
        if (before) {
            behind++;
            e.behind += (f - y) * (f - y);
        }
    }
    anb_free(model);
    anb_free(bare);
    e.all /= rows;
    e.behind /= behind ? behind : 1;
    return e;
}

static const char child[] = "residual_ar(scale(rls(lambda=0.98)), last=true)";
static const char whole[] = "jumps(residual_ar(scale(rls(lambda=0.98)), last=true))";

/* The row behind a jump errs by a tenth of what the child errs there, or less. */
START_TEST(levels_are_followed)
{
    Errors with = errors_of(whole, child, LEVELS, 1), without = errors_of(child, child, LEVELS, 1);
    ck_assert_double_lt(with.behind, 0.1 * without.behind);
    ck_assert_double_lt(with.all, 0.96 * without.all);
}
END_TEST

START_TEST(wrong_numbers_are_not)
{
    Errors with = errors_of(whole, child, WRONG, 1), without = errors_of(child, child, WRONG, 1);
    ck_assert_double_lt(with.all, 1.002 * without.all);
}
END_TEST

/* Without far errors it is the child to the bit. */
START_TEST(nothing_without_jumps)
{
    ck_assert_int_eq(errors_of(whole, child, QUIET, 1).different, 0);
}
END_TEST

/* A walk changes by less than the mean misses it by, so R < 1 and p = 1: a jump is believed before any was seen, but no
 * further than to the targets before, widened by a tenth. */
START_TEST(a_walk_is_believed_within_its_range)
{
    StreamingLearner *jumps = made(D, "jumps(mean)"), *mean = made(D, "mean");
    uint64_t seed = 7;
    double level = 0, low = 0, high = 0;
    for (int t = 0; t < 500; t++) {
        level += nearly_normal(&seed);
        low = level < low ? level : low;
        high = level > high ? level : high;
        ck_assert_double_eq(learned(jumps, level), learned(mean, level));
    }
    ck_assert_double_eq(learned(jumps, 200), learned(mean, 200));
    double said = learned(jumps, level), f = learned(mean, level), edge = high + 0.1 * (high - low);
    const double g = 1 - 0.1 / 2; /* n = 0, a = p = 1, v = .1 */
    ck_assert_double_eq_tol(said, f + g * (edge - f), 1e-2 * edge);
    anb_free(jumps);
    anb_free(mean);
}
END_TEST

START_TEST(targets_times_a_power_of_two)
{
    double one = errors_of(whole, child, LEVELS, 1).all;
    ck_assert_double_eq(errors_of(whole, child, LEVELS, 0x1p40).all, one);
    ck_assert_double_eq(errors_of(whole, child, LEVELS, 0x1p-40).all, one);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("jumps");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, shares_by_hand);
    tcase_add_test(tests, levels_are_followed);
    tcase_add_test(tests, wrong_numbers_are_not);
    tcase_add_test(tests, nothing_without_jumps);
    tcase_add_test(tests, a_walk_is_believed_within_its_range);
    tcase_add_test(tests, targets_times_a_power_of_two);
    return suite;
}

CHECK_MAIN(suite)
