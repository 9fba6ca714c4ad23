#include "made.h"
#include "numbers.h"
#include "reload.h"
#include <math.h>

enum { D = 3 };

/* w_i of 0.6, 0.2, 0.2 over S_i^(n/2), S_0 in units of itself. */
static double mean_by_evidence(const double f[3], const double square[3], double n)
{
    static const double prior[3] = {.6, .2, .2};
    double sum = 0, weights = 0;
    for (int i = 0; i < 3; i++) {
        double w = prior[i] * pow(square[i] / square[0], -n / 2);
        sum += w * f[i];
        weights += w;
    }
    return sum / weights;
}

/* What is said for the child is what the guard says without rivals. */
START_TEST(rivals_are_weighed_by_their_evidence)
{
    static const char *const sides[3] = {"guard(scale(rls))", "mean", "last"};
    StreamingLearner *model = made(D, "guard(scale(rls), mean, last)"), *side[3];
    uint64_t seed = 3;
    double n = 0, square[3] = {0};
    for (int i = 0; i < 3; i++)
        side[i] = made(D, sides[i]);
    for (int t = 0; t < 600; t++) {
        const double keep = t < 499 ? t / (t + 1.) : .998;
        double x[D] = {nearly_normal(&seed), nearly_normal(&seed), nearly_normal(&seed)}, f[3];
        double y = .1 * x[0] + nearly_normal(&seed), said = anb_train_one(model, x, y, 1);
        for (int i = 0; i < 3; i++)
            f[i] = anb_train_one(side[i], x, y, 1);
        if (t >= 3)
            ck_assert_double_eq_tol(said, mean_by_evidence(f, square, n), 1e-9);
        n = keep * n + 1;
        for (int i = 0; i < 3; i++)
            square[i] = keep * square[i] + (y - f[i]) * (y - f[i]);
    }
    for (int i = 0; i < 3; i++)
        anb_free(side[i]);
    anb_free(model);
}
END_TEST

typedef enum Kind { NOISE, WALK, LINE } Kind;

static double target_of(Kind kind, const double *x, double *level, uint64_t *seed)
{
    *level += kind == WALK ? nearly_normal(seed) : 0;
    return *level + (kind == LINE ? 3 * x[0] - 2 * x[1] : 0) + (kind == WALK ? 0 : nearly_normal(seed));
}

/* The root mean squared error over the first rows of eight streams. */
static double error_over(const char *expression, Kind kind, int rows)
{
    double sum = 0;
    for (uint64_t stream = 1; stream <= 8; stream++) {
        StreamingLearner *model = made(D, expression);
        uint64_t seed = stream;
        double level = 0;
        for (int t = 0; t < rows; t++) {
            double x[D] = {nearly_normal(&seed), nearly_normal(&seed), nearly_normal(&seed)};
            double y = target_of(kind, x, &level, &seed), f = anb_train_one(model, x, y, 1);
            sum += (f - y) * (f - y) / rows / 8;
        }
        anb_free(model);
    }
    return sqrt(sum);
}

/* Whatever is right, the guard is near it: a network knows none of the three within so few rows. */
START_TEST(near_the_best_of_its_children)
{
    static const char all[] = "guard(scale(mlp), scale(rls(lambda=1)), mean, last)";
    static const char *const best[] = {[NOISE] = "mean", [WALK] = "last", [LINE] = "scale(rls(lambda=1))"};
    for (Kind kind = NOISE; kind <= LINE; kind++) {
        double whole = error_over(all, kind, 400), alone = error_over(best[kind], kind, 400);
        double child = error_over("guard(scale(mlp))", kind, 400);
        ck_assert_msg(whole < 1.06 * alone, "kind %d: %g, alone %g", kind, whole, alone);
        ck_assert_msg(kind == NOISE || child > 1.1 * alone, "kind %d: the child %g, alone %g", kind, child, alone);
    }
}
END_TEST

/* A rival whose squared errors leave the doubles, and targets without errors at all. */
START_TEST(no_target_stops_it)
{
    StreamingLearner *model = made(D, "guard(linear(normalized=true), rls, last)");
    uint64_t seed = 4;
    for (int t = 0; t < 3000; t++) {
        double x[D] = {nearly_normal(&seed), nearly_normal(&seed), 1};
        double y = t < 1000 ? 7 : t < 1200 ? 1e200 * nearly_normal(&seed) : nearly_normal(&seed);
        double f = anb_train_one(model, x, y, t % 3 ? 1 : .1);
        ck_assert(isfinite(f));
        ck_assert(t < 50 || t >= 1000 || fabs(f - 7) < 1e-6);
    }
    anb_free(model);
}
END_TEST

static double next(uint64_t *seed, double *x)
{
    for (int j = 0; j < D; j++)
        x[j] = nearly_normal(seed);
    return 2 * x[0] + nearly_normal(seed);
}

/* A block of rows gets the answers of the rows, and a snapshot goes on. */
START_TEST(blocks_and_snapshots_say_the_same)
{
    StreamingLearner *model = made(D, "guard(scale(rls), mean, linear(normalized=true), last)");
    enum { ROWS = 70 };
    double x[ROWS * D], out[ROWS];
    uint64_t seed = 8;
    for (int t = 0; t < 300; t++) {
        double y = next(&seed, x);
        anb_train_one(model, x, y, 1);
    }
    for (int i = 0; i < ROWS; i++)
        next(&seed, x + i * D);
    anb_predict_many(model, x, ROWS, out);
    for (int i = 0; i < ROWS; i++)
        ck_assert_double_eq(out[i], anb_predict(model, x + i * D));
    assert_reload_goes_on(model, 200, next, &seed);
    anb_free(model);
}
END_TEST

static Suite *guard_suite(void)
{
    Suite *suite = suite_create("guard");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, rivals_are_weighed_by_their_evidence);
    tcase_add_test(tests, near_the_best_of_its_children);
    tcase_add_test(tests, no_target_stops_it);
    tcase_add_test(tests, blocks_and_snapshots_say_the_same);
    return suite;
}

CHECK_MAIN(guard_suite)
