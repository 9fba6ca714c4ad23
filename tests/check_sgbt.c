#include "concepts.h"
#include "learners/boost/step_caution.h"
#include "made.h"
#include "src/numeric/random.h"
#include "reload.h"
#include "state_field.h"
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include "src/host/model.h"
#include <string.h>

static const char small[] = "sgbt(window=512, trees=30, depth=4, rate=0.1, budget=1500)";

/* A step without noise, and missing cells with a value of their own: off by a third of a percent beside the step. */
START_TEST(a_step_is_learned)
{
    StreamingLearner *model = made(3, "sgbt(window=1024)");
    AnbRandom random;
    double x[3], sum = 0, n = 0;
    anb_random_seed(&random, 5);
    for (int t = 0; t < 8000; t++) {
        uniform_row(&random, x, 3);
        double y = x[1] > 0 ? 100 : -20;
        if (t % 10 == 0) {
            x[1] = ANB_NAN;
            y = 300;
        }
        double f = anb_train_one(model, x, y, 1);
        if (t >= 7000 && !(fabs(x[1]) < .05))
            sum += fabs(y - f), n++;
    }
    ck_assert_msg(sum < n, "off by %g", sum / n);
    anb_free(model);
}
END_TEST

/* Sums over four streams: on one of them the error after the drift is 1.05 to 1.45 times that before it. */
START_TEST(comes_back_after_drift)
{
    double level = 0, shock = 0, after = 0;
    for (uint64_t stream = 17; stream < 21; stream++) {
        StreamingLearner *model = made(5, "scale(sgbt)");
        AnbRandom random;
        anb_random_seed(&random, stream);
        run(model, &random, 0, 9000);
        level += run(model, &random, 0, 1000);
        shock += run(model, &random, 1, 100);
        run(model, &random, 1, 2900);
        after += run(model, &random, 1, 1000);
        ck_assert_uint_eq(anb_counters(model)->drifts, 1);
        anb_free(model);
    }
    ck_assert_msg(level < 4 && shock > 4 * level, "level %g, shock %g", level, shock);
    ck_assert_msg(after <= 1.25 * level, "level %g, after %g", level, after);
}
END_TEST

/* Copies taken at every phase of a fit go the same way. */
START_TEST(clones_and_snapshots_in_the_middle_of_a_fit_go_on_alike)
{
    StreamingLearner *model = made(4, "sgbt(window=256, trees=12, depth=3, budget=150)");
    AnbRandom random;
    double x[4];
    anb_random_seed(&random, 9);
    for (int t = 0; t < 1200; t++) {
        uniform_row(&random, x, 4);
        anb_train_one(model, x, concept(x, 0), 1);
        if (t % 7)
            continue;
        size_t size = anb_snapshot_size(model, NULL);
        void *bytes = malloc(size);
        ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, size, NULL), 0);
        AnbSnapshot *snapshot = anb_snapshot_open(bytes, size, NULL, NULL);
        StreamingLearner *copies[] = {anb_clone(model, NULL), anb_snapshot_model(snapshot, NULL, NULL)};
        ck_assert(anb_equal(model, copies[0]) && anb_equal(model, copies[1]));
        AnbRandom ahead = random;
        for (int i = 0; i < 60; i++) {
            uniform_row(&ahead, x, 4);
            double f = anb_train_one(copies[0], x, concept(x, 0), 1), g = anb_train_one(copies[1], x, concept(x, 0), 1);
            ck_assert_msg(same_bits(f, g), "sample %d, %d on: %.17g, %.17g", t, i, f, g);
        }
        ck_assert(anb_equal(copies[0], copies[1]));
        for (int c = 0; c < 2; c++)
            anb_free(copies[c]);
        anb_snapshot_close(snapshot);
        free(bytes);
    }
    anb_free(model);
}
END_TEST

START_TEST(a_seed_decides_everything)
{
    double sum[3] = {0};
    for (int i = 0; i < 3; i++) {
        AnbSgbtOptions o = anb_sgbt_defaults();
        o.window = 512;
        o.seed = i == 2 ? 8 : 7;
        StreamingLearner *model = anb_new(5, &(AnbExpert){.type = &anb_sgbt, .options = &o}, NULL, NULL);
        AnbRandom random;
        anb_random_seed(&random, 3);
        sum[i] = run(model, &random, 0, 1500);
        anb_free(model);
    }
    ck_assert_double_eq(sum[0], sum[1]);
    ck_assert_double_ne(sum[0], sum[2]);
}
END_TEST

START_TEST(scaling_the_target_scales_the_prediction)
{
    static const int power[] = {-400, -40, 40, 400};
    for (size_t p = 0; p < sizeof power / sizeof *power; p++) {
        StreamingLearner *one = made(5, small), *two = made(5, small);
        AnbRandom random;
        double x[5];
        anb_random_seed(&random, 21);
        for (int t = 0; t < 2500; t++) {
            uniform_row(&random, x, 5);
            double y = concept(x, 0) + anb_random_normal(&random);
            double f = anb_train_one(one, x, y, 1), g = anb_train_one(two, x, ldexp(y, power[p]), 1);
            ck_assert_msg(ldexp(f, power[p]) == g, "2^%d, sample %d: %g, %g", power[p], t, f, ldexp(g, -power[p]));
        }
        anb_free(one);
        anb_free(two);
    }
}
END_TEST

static double odd_target(int kind, int t, const double *x)
{
    switch (kind) {
    case 0:
        return 7;
    case 1:
        return 1e12 * x[0];
    case 2:
        return 1e-12 * x[0];
    case 3:
        return t == 700 ? 1e9 : x[0];
    default:
        return t % 2 ? 3e307 : -3e307;
    }
}

START_TEST(odd_streams_stay_finite)
{
    for (int kind = 0; kind < 5; kind++)
        for (size_t d = 1; d <= 200; d = d == 1 ? 3 : d == 3 ? 200 : 201) {
            StreamingLearner *model = made(d, small);
            AnbRandom random;
            double x[200], f = 0, sum = 0, squares = 0;
            anb_random_seed(&random, 2);
            for (int t = 0; t < 1500; t++) {
                uniform_row(&random, x, d);
                x[d - 1] = d > 1 ? 4 : x[0];
                if (d == 3)
                    x[1] = t % 3 ? 1e150 * x[1] : t % 2 ? ANB_NAN : 1e-150;
                double y = odd_target(kind, t, x);
                f = anb_train_one(model, x, y, 1);
                ck_assert_msg(isfinite(f), "kind %d, d %zu, sample %d", kind, d, t);
                if (t >= 1000 && kind < 3) {
                    sum += (y - f) * (y - f);
                    squares += y * y;
                }
            }
            ck_assert_msg(kind >= 3 || sum < .2 * squares, "kind %d, d %zu: %g of %g", kind, d, sum, squares);
            ck_assert(kind != 0 || fabs(f - 7) < 1e-6);
            anb_free(model);
        }
}
END_TEST

/* Whatever the targets, a state that learning leads to can be saved and loaded. */
START_TEST(targets_at_the_end_of_the_doubles_leave_a_state_that_loads)
{
    static const double target[] = {1e308, -1e308, 1e306, 3, -1.7e308, 1e12, 1.7e308}, weight[] = {1, 1e6, .5, 4};
    for (int pace = 1; pace <= 60; pace = pace == 1 ? 7 : pace == 7 ? 60 : 61) {
        StreamingLearner *model = made(3, "sgbt(window=256, trees=20, rate=0.3, budget=1000)");
        AnbRandom random;
        double x[3];
        anb_random_seed(&random, 8);
        for (int t = 0; t < 1200; t++) {
            uniform_row(&random, x, 3);
            double f = anb_train_one(model, x, target[t / pace % 7], weight[t % 4]);
            ck_assert_msg(isfinite(f), "pace %d, sample %d", pace, t);
            if (t >= 3 && t % 11)
                continue;
            AnbError error = {0};
            StreamingLearner *loaded = reloaded(model, &error);
            ck_assert_msg(loaded && anb_equal(model, loaded), "pace %d, sample %d: %s", pace, t, error.message);
            anb_free(loaded);
        }
        ck_assert_uint_eq(anb_counters(model)->restarts, 0);
        anb_free(model);
    }
}
END_TEST

/* Nine rows of ten say the opposite: hardly heard at a weight of 0.01 against 5, believed where all weigh the same. */
START_TEST(weights_count)
{
    double square[2] = {0};
    for (int weighted = 0; weighted < 2; weighted++) {
        StreamingLearner *model = made(3, small);
        AnbRandom random;
        double x[3];
        anb_random_seed(&random, 6);
        for (int t = 0; t < 6000; t++) {
            uniform_row(&random, x, 3);
            bool lie = t % 10 != 0;
            double y = x[0] > 0 ? 10 : -10, f = anb_train_one(model, x, lie ? -y : y, lie && weighted ? .01 : 5);
            if (t >= 5000)
                square[weighted] += (f - y) * (f - y) / 1000;
        }
        anb_free(model);
    }
    ck_assert_msg(square[1] < 20, "weighted: %g", square[1]);
    ck_assert_msg(square[0] > 300, "alike: %g", square[0]);
}
END_TEST

/* The mean squared distance of the predictions from what is behind the noise, and the mean square of the errors, over
 * the last half. */
typedef struct Apart {
    double from_truth, error;
} Apart;

/* y = the level, which walks by `step` a row, + noise of deviation `noise`; five features that say nothing. */
static Apart apart_on_levels(double step, double noise)
{
    enum { ROWS = 8000 };
    StreamingLearner *model = made(5, "sgbt(window=2048, eta=0.9)");
    AnbRandom random;
    Apart apart = {0};
    double x[5], level = 0;
    anb_random_seed(&random, 12);
    for (int t = 0; t < ROWS; t++) {
        uniform_row(&random, x, 5);
        level += step * anb_random_normal(&random);
        double y = level + noise * anb_random_normal(&random), f = anb_train_one(model, x, y, 1);
        if (t >= ROWS / 2) {
            apart.from_truth += (f - level) * (f - level) / (ROWS / 2);
            apart.error += (f - y) * (f - y) / (ROWS / 2);
        }
    }
    anb_free(model);
    return apart;
}

/* With steps of .9 throughout the distance in noise is .53; a walk needs them, so there they stay as they are (5.2). */
START_TEST(steps_shrink_where_errors_are_noise_alone)
{
    Apart noise = apart_on_levels(0, 1), walk = apart_on_levels(1, .1);
    ck_assert_msg(noise.from_truth < .2, "in noise: %g", noise.from_truth);
    ck_assert_msg(walk.error < 5.5, "on a walk: %g", walk.error);
}
END_TEST

START_TEST(caution_keeps_its_pace_and_its_bounds)
{
    AnbStepSums sums[3] = {{0}};
    ck_assert_double_eq_tol(anb_step_caution(&sums[0], 1, 1, -1, .5), 1 + 2 * .003, 1e-12);
    ck_assert_double_eq_tol(anb_step_caution(&sums[1], 1, .5, -1, .5), 1 + 2 * .0015, 1e-12);
    ck_assert_double_eq_tol(anb_step_caution(&sums[2], 1, 1, .25, .5), 1 - 2 * .0015, 1e-12);
    double caution = 0;
    for (int t = 0; t < 1000; t++)
        caution = anb_step_caution(&sums[0], caution, 1, -1, .5);
    ck_assert_double_eq(caution, 5);
    for (int t = 0; t < 1000; t++)
        caution = anb_step_caution(&sums[0], caution, 1, 1, .5);
    ck_assert_double_eq(caution, 0);
}
END_TEST

/* Learns `n` rows of noise around a step; the weight is `heavy` once in ten rows where that is above 1. Returns u
 * behind them. */
static double caution_after(StreamingLearner *model, AnbRandom *random, int n, double noise, double heavy)
{
    double x[3];
    for (int t = 0; t < n; t++) {
        uniform_row(random, x, 3);
        double y = 5 * (x[0] > 0) + noise * anb_random_normal(random);
        anb_train_one(model, x, y, heavy > 1 && t % 10 ? .01 : heavy);
    }
    return *real_at(model, 0, "caution", 0);
}

/* Where noise falls to a twentieth, u falls while the level of errors does, not when the last noisy row
 * is forgotten. */
START_TEST(caution_falls_with_noise)
{
    for (uint64_t stream = 1; stream < 5; stream++) {
        StreamingLearner *model = made(3, "sgbt(window=2048, eta=0.9)");
        AnbRandom random;
        anb_random_seed(&random, stream);
        double noisy = caution_after(model, &random, 4000, 6, 1), after = caution_after(model, &random, 1000, .3, 1);
        ck_assert_msg(noisy > 4 && after < 2.5, "stream %d: %g, %g", (int)stream, noisy, after);
        anb_free(model);
    }
}
END_TEST

/* Rows of hardly any weight count hardly here either. */
START_TEST(caution_heeds_weights)
{
    double caution[2];
    for (int weighted = 0; weighted < 2; weighted++) {
        StreamingLearner *model = made(3, "sgbt(window=2048, eta=0.9)");
        AnbRandom random;
        anb_random_seed(&random, 3);
        caution[weighted] = caution_after(model, &random, 2000, 6, weighted ? 10 : 1);
        anb_free(model);
    }
    ck_assert_msg(caution[0] > 4 && caution[1] < 1, "alike %g, weighted %g", caution[0], caution[1]);
}
END_TEST

START_TEST(two_alternating_rows_are_told_apart)
{
    StreamingLearner *model = made(2, small);
    const double rows[2][2] = {{1, 5}, {2, 5}};
    double f = 0, g = 0;
    for (int t = 0; t < 2000; t++) {
        f = t % 2 ? f : anb_train_one(model, rows[0], 10, 1);
        g = t % 2 ? anb_train_one(model, rows[1], -4, 1) : g;
    }
    ck_assert_double_le(fabs(f - 10), .1);
    ck_assert_double_le(fabs(g + 4), .1);
    anb_free(model);
}
END_TEST

START_TEST(importance_names_what_matters)
{
    StreamingLearner *model = made(6, "sgbt(window=1024)");
    AnbRandom random;
    double x[6], share[6], sum = 0;
    anb_random_seed(&random, 4);
    for (int t = 0; t < 3000; t++) {
        uniform_row(&random, x, 6);
        anb_train_one(model, x, 3 * x[4] + (x[1] > 0), 1);
    }
    const AnbNode *node = &model->plan->nodes[0];
    ck_assert_int_eq(node->type->importance->shares(node, anb_state_of(model, node), share), 0);
    for (int j = 0; j < 6; j++)
        sum += share[j];
    ck_assert_double_le(fabs(sum - 1), 1e-9);
    ck_assert_double_gt(share[4], .7);
    for (int j = 0; j < 6; j++)
        ck_assert(j == 4 || share[j] < share[1] || j == 1);
    anb_free(model);
}
END_TEST

START_TEST(too_many_features_are_refused)
{
    AnbError error;
    ck_assert_ptr_null(anb_parse(40000, "sgbt(window=64, trees=1)", NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
}
END_TEST

static Suite *sgbt_suite(void)
{
    Suite *suite = suite_create("sgbt");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, a_step_is_learned);
    tcase_add_test(tests, comes_back_after_drift);
    tcase_add_test(tests, clones_and_snapshots_in_the_middle_of_a_fit_go_on_alike);
    tcase_add_test(tests, a_seed_decides_everything);
    tcase_add_test(tests, scaling_the_target_scales_the_prediction);
    tcase_add_test(tests, odd_streams_stay_finite);
    tcase_add_test(tests, targets_at_the_end_of_the_doubles_leave_a_state_that_loads);
    tcase_add_test(tests, weights_count);
    tcase_add_test(tests, steps_shrink_where_errors_are_noise_alone);
    tcase_add_test(tests, caution_keeps_its_pace_and_its_bounds);
    tcase_add_test(tests, caution_falls_with_noise);
    tcase_add_test(tests, caution_heeds_weights);
    tcase_add_test(tests, two_alternating_rows_are_told_apart);
    tcase_add_test(tests, importance_names_what_matters);
    tcase_add_test(tests, too_many_features_are_refused);
    return suite;
}

CHECK_MAIN(sgbt_suite)
