#include "made.h"
#include "numbers.h"
#include "reload.h"
#include <math.h>

enum { D = 3 };

enum { SIDES = 3, MEMORY = 500 };

/* S of each side, t, W and V. */
typedef struct Evidence {
    double square[SIDES], rows, mass, masses;
} Evidence;

static void learn_from(Evidence *evidence, const double f[SIDES], double y, double weight)
{
    const double grown = evidence->rows / (evidence->rows + 1), keep = fmin(grown, 1 - 1. / MEMORY);
    for (int i = 0; i < SIDES; i++)
        evidence->square[i] = keep * evidence->square[i] + weight * (y - f[i]) * (y - f[i]);
    evidence->mass = keep * evidence->mass + weight;
    evidence->masses = keep * evidence->masses + weight * weight;
    evidence->rows += 1;
}

/* Of what the sides say, in shares of 0.6, 0.2, 0.2 over S_i^(m/2), S_0 in units of itself. */
static double mean_by_evidence(const double f[SIDES], const Evidence *of)
{
    static const double prior[SIDES] = {.6, .2, .2};
    double sum = 0, weights = 0;
    for (int i = 0; i < SIDES; i++) {
        double rows = of->mass * of->mass / of->masses;
        double w = prior[i] * pow(of->square[i] / of->square[0], -rows / 2);
        sum += w * f[i];
        weights += w;
    }
    return sum / weights;
}

/* What is said for the child is what the guard says without rivals. Rows of any weight, the first of which is no
 * evidence. */
START_TEST(rivals_are_weighed_by_their_evidence)
{
    static const char *const sides[SIDES] = {"guard(scale(rls))", "mean", "last"};
    StreamingLearner *model = made(D, "guard(scale(rls), mean, last)"), *side[SIDES];
    uint64_t seed = 3;
    Evidence evidence = {0};
    for (int i = 0; i < SIDES; i++)
        side[i] = made(D, sides[i]);
    for (int t = 0; t < 1200; t++) {
        double x[D] = {nearly_normal(&seed), nearly_normal(&seed), nearly_normal(&seed)}, f[SIDES];
        double y = 9 + .1 * x[0] + nearly_normal(&seed), weight = t % 9 == 4 ? 7 : t % 2 + .1;
        double said = anb_train_one(model, x, y, weight);
        for (int i = 0; i < SIDES; i++)
            f[i] = anb_train_one(side[i], x, y, weight);
        if (t >= 3)
            ck_assert_double_eq_tol(said, mean_by_evidence(f, &evidence), 1e-9);
        if (t > 0)
            learn_from(&evidence, f, y, weight);
    }
    for (int i = 0; i < SIDES; i++)
        anb_free(side[i]);
    anb_free(model);
}
END_TEST

/* A rival without limits of its own gets those of the guard. */
START_TEST(no_rival_leaves_the_range)
{
    StreamingLearner *model = made(D, "guard(scale(rls), rls, linear(normalized=true))");
    uint64_t seed = 9;
    for (int t = 0; t < 500; t++) {
        double x[D] = {fmod(t * .37, 3), nearly_normal(&seed), nearly_normal(&seed)};
        anb_train_one(model, x, x[0], 1);
    }
    double far[2 * D] = {1e6, 0, 0, -1e6, 1e6, 0}, out[2];
    anb_predict_many(model, far, 2, out);
    for (int i = 0; i < 2; i++) {
        ck_assert_double_eq(out[i], anb_predict(model, far + i * D));
        ck_assert_msg(out[i] >= -.31 && out[i] <= 3.31, "%g", out[i]);
    }
    anb_free(model);
}
END_TEST

/* Targets and weights in units of any power of two get the same answers to the bit. */
START_TEST(units_change_nothing)
{
    static const struct {
        double target, weight;
    } units[] = {{0x1p-540, 1}, {0x1p-900, 1}, {0x1p520, 1}, {0x1p1000, 1}, {1, 0x1p-64}, {1, 0x1p64}};
    const double target = units[_i].target, weight = units[_i].weight;
    StreamingLearner *plain = made(D, "guard(mean, last)"), *other = made(D, "guard(mean, last)");
    uint64_t seed = 6;
    double level = 0;
    for (int t = 0; t < 700; t++) {
        double x[D] = {0}, heavy = t % 5 ? 1 : 3;
        level += t < 300 ? 0 : nearly_normal(&seed);
        double y = level + nearly_normal(&seed), f = anb_train_one(plain, x, y, heavy);
        ck_assert_double_eq(anb_train_one(other, x, target * y, weight * heavy), target * f);
    }
    anb_free(plain);
    anb_free(other);
}
END_TEST

/* Squares below and beyond the doubles, and the least weight there is. */
START_TEST(the_least_targets_and_weights)
{
    static const double targets[] = {1, 1.5, .75, 1, 1, 1, 1};
    static const double units[] = {2.2227587494850775e-162, 1e-310, 1, 1.7e308 / 1.5}, weights[] = {1, 5e-324, 1e308};
    for (size_t i = 0; i < sizeof units / sizeof *units * 3; i++) {
        StreamingLearner *model = made(1, "guard(mean, last)");
        for (size_t t = 0; t < 7; t++) {
            double x = 0, f = anb_train_one(model, &x, units[i / 3] * targets[t], weights[i % 3]);
            ck_assert_msg(f >= 0 && f <= 1.6 * units[i / 3], "%g, %g: row %zu: %g", units[i / 3], weights[i % 3], t, f);
        }
        anb_free(model);
    }
}
END_TEST

static double says_nothing(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)self, (void)state, (void)row, (void)scratch;
    return NAN;
}

/* A type of somebody's own that breaks its promise of a number takes nobody's answer away. */
START_TEST(a_rival_that_says_nothing)
{
    StreamingLearnerType silent = anb_mean;
    silent.name = "silent";
    silent.predict = says_nothing;
    silent.predict_many = NULL;
    silent.direct = NULL;
    StreamingLearner *model = made_with(D, "guard(mean, silent)", &silent), *alone = made(D, "guard(mean)");
    uint64_t seed = 5;
    for (int t = 0; t < 300; t++) {
        double x[D] = {0}, y = nearly_normal(&seed);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), anb_train_one(alone, x, y, 1));
    }
    anb_free(model);
    anb_free(alone);
}
END_TEST

/* What a rival marks is counted as what any learner below marks. */
START_TEST(drifts_of_rivals_are_counted)
{
    StreamingLearner *model = made(D, "guard(mean, drift(linear))"), *alone = made(D, "drift(linear)");
    uint64_t seed = 2;
    for (int t = 0; t < 3000; t++) {
        double x[D] = {nearly_normal(&seed), 0, 0}, y = (t / 1000 == 1 ? 30 : 1) * nearly_normal(&seed);
        anb_train_one(model, x, y, 1);
        anb_train_one(alone, x, y, 1);
    }
    ck_assert_uint_gt(anb_counters(alone)->drifts, 0);
    ck_assert_uint_eq(anb_counters(model)->drifts, anb_counters(alone)->drifts);
    anb_free(model);
    anb_free(alone);
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
    tcase_add_test(tests, no_rival_leaves_the_range);
    tcase_add_loop_test(tests, units_change_nothing, 0, 6);
    tcase_add_test(tests, the_least_targets_and_weights);
    tcase_add_test(tests, a_rival_that_says_nothing);
    tcase_add_test(tests, drifts_of_rivals_are_counted);
    tcase_add_test(tests, near_the_best_of_its_children);
    tcase_add_test(tests, no_target_stops_it);
    tcase_add_test(tests, blocks_and_snapshots_say_the_same);
    return suite;
}

CHECK_MAIN(guard_suite)
