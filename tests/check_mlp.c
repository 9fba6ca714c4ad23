#include "isa_here.h"
#include "made.h"
#include "many.h"
#include "src/numeric/random.h"
#include "alone.h"
#include "concepts.h"
#include "numbers.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/learner.h>
#include <anabranch/learners.h>
#include <anabranch/type.h>
#include <math.h>

/* Means over four streams: of one alone the ratio differs by a fifth with the weights that were drawn. */
static void check_drift(const char *expression, int patience)
{
    enum { STREAMS = 4 };
    double level = 0, shock = 0, after = 0;
    for (uint64_t stream = 17; stream < 17 + STREAMS; stream++) {
        StreamingLearner *model = made(5, expression);
        AnbRandom random;
        anb_random_seed(&random, stream);
        run(model, &random, 0, 9000);
        level += run(model, &random, 0, 1000) / STREAMS;
        shock += run(model, &random, 1, 100) / STREAMS;
        run(model, &random, 1, patience - 100);
        after += run(model, &random, 1, 1000) / STREAMS;
        anb_free(model);
    }
    ck_assert_msg(level < 2 && shock > 4 * level, "%s: level %g, shock %g", expression, level, shock);
    ck_assert_msg(after <= 1.15 * level, "%s: level %g, after %g", expression, level, after);
}

START_TEST(comes_back_after_drift)
{
    check_drift("scale(mlp(hidden=16))", 3000);
    check_drift("scale(mlp(hidden=32, replay=4))", 6000);
    check_drift("scale(mlp(hidden=64, replay=8))", 6000);
    check_drift("scale(mlp(hidden=64, replay=8, precision=single))", 6000);
}
END_TEST

/* RMSE over the last 3,000 of 7,000 rows of a plane whose slopes walk about. */
static double error_on_a_walk(const char *expression)
{
    StreamingLearner *model = made(5, expression);
    AnbRandom random;
    double slope[5] = {0}, sum = 0;
    anb_random_seed(&random, 3);
    for (int t = 0; t < 7000; t++) {
        double x[5], y = 0.1 * anb_random_normal(&random);
        for (int j = 0; j < 5; j++) {
            x[j] = 2 * anb_random_uniform(&random) - 1;
            slope[j] += 0.03 * anb_random_normal(&random);
            y += slope[j] * x[j];
        }
        double error = y - anb_train_one(model, x, y, 1);
        sum += t < 4000 ? 0 : error * error / 3000;
    }
    anb_free(model);
    return sqrt(sum);
}

/* Rows learned again are of the recent past where the stream drifts: of the whole memory they would hold it back. */
START_TEST(replay_follows_what_drifts)
{
    double without = error_on_a_walk("scale(mlp)"), with = error_on_a_walk("scale(mlp(replay=8))");
    ck_assert_msg(with < 1.5 * without, "with replay %g, without %g", with, without);
}
END_TEST

START_TEST(every_activation_and_optimizer_learns)
{
    static const char *const expressions[] = {"scale(mlp(activation=relu))",
                                              "scale(mlp(activation=leaky))",
                                              "scale(mlp(activation=gelu))",
                                              "scale(mlp(activation=swiglu))",
                                              "scale(mlp(activation=geglu))",
                                              "scale(mlp(activation=hardgelu))",
                                              "scale(mlp(momentum=0.9))",
                                              "scale(mlp(optimizer=sgd, rate=0.02))",
                                              "scale(mlp(hidden=13, replay=3, memory=50))",
                                              "scale(mlp(hidden=32, replay=2, dropout=0.2))",
                                              "scale(mlp(activation=relu, precision=single))",
                                              "scale(mlp(activation=gelu, precision=single))",
                                              "scale(mlp(activation=hardgelu, precision=single))",
                                              "scale(mlp(activation=swiglu, precision=single))",
                                              "scale(mlp(momentum=0.9, precision=single))",
                                              "scale(mlp(optimizer=sgd, rate=0.02, precision=single))",
                                              "scale(mlp(hidden=13, replay=3, memory=50, precision=single))",
                                              "scale(mlp(hidden=32, replay=2, dropout=0.2, precision=single))"};
    for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
        StreamingLearner *model = made(5, expressions[e]);
        AnbRandom random;
        anb_random_seed(&random, 23);
        run(model, &random, 0, 4000);
        double level = run(model, &random, 0, 1000);
        ck_assert_msg(level < 3, "%s: %g", expressions[e], level); /* the target's own deviation is above 4 */
        ck_assert_uint_eq(anb_counters(model)->restarts, 0);
        anb_free(model);
    }
}
END_TEST

/* Of doubles and, as long as the average has no part in it, of floats: the same predictions but for rounding. */
START_TEST(floats_learn_as_doubles_do)
{
    static const char *const kinds[] = {"leaky", "gelu", "geglu", "hardgelu"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char text[2][128];
        for (int single = 0; single < 2; single++)
            snprintf(text[single], sizeof text[single], "scale(mlp(hidden=24, replay=2, activation=%s, precision=%s))",
                     kinds[k], single ? "single" : "double");
        StreamingLearner *one = made(5, text[0]), *other = made(5, text[1]);
        AnbRandom random;
        anb_random_seed(&random, 29);
        double apart = 0, size = 0;
        for (int t = 0; t < 300; t++) {
            double x[5];
            for (int j = 0; j < 5; j++)
                x[j] = anb_random_normal(&random);
            double y = concept(x, 0), f = anb_train_one(one, x, y, 1), g = anb_train_one(other, x, y, 1);
            apart += fabs(f - g);
            size += fabs(f);
        }
        ck_assert_msg(apart > 0 && apart < 1e-3 * size, "%s: %g of %g", kinds[k], apart, size);
        anb_free(one);
        anb_free(other);
    }
}
END_TEST

/* Rows at once say what each alone says: of whole blocks of rows and units, and of parts of them. */
static void ask_many(size_t d, const char *expression)
{
    enum { MOST_D = 300, ASKED = 32 };
    static double x[ASKED * MOST_D];
    StreamingLearner *model = made(d, expression);
    AnbRandom random;
    anb_random_seed(&random, 31);
    for (int t = 0; t < 120; t++) {
        for (size_t j = 0; j < d; j++)
            x[j] = anb_random_normal(&random);
        anb_train_one(model, x, concept(x, 0), 1);
    }
    for (size_t i = 0; i < ASKED * d; i++)
        x[i] = (i % 7 ? 1 : 40) * anb_random_normal(&random);
    for (size_t n = 1; n <= ASKED; n += n < 20 ? 3 : 1)
        assert_many_say_what_each_says(model, expression, x, d, n);
    anb_free(model);
}

/* `form` has the network at its %s. */
static void ask_networks(size_t d, const char *form, int hidden)
{
    static const char *const kinds[] = {"relu", "leaky", "gelu", "swiglu", "geglu", "hardgelu"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int single = 0; single < 2; single++) {
            char network[128], text[160];
            snprintf(network, sizeof network, "mlp(hidden=%d, replay=2, activation=%s, precision=%s)", hidden, kinds[k],
                     single ? "single" : "double");
            snprintf(text, sizeof text, form, network);
            ask_many(d, text);
        }
}

/* With 150 and 300 features a network takes a batch in parts of 24 (floats: 16) and 8 rows; scale hands it fewer at
 * once. */
static void ask_all(void)
{
    ask_networks(5, "scale(%s)", 9);
    ask_networks(5, "scale(%s)", 48);
    ask_networks(150, "%s", 9);
    ask_networks(300, "%s", 9);
}

static void prepare_nothing(void)
{
}

START_TEST(many_rows_say_what_each_says)
{
    on_each_isa(prepare_nothing, ask_all);
}
END_TEST

START_TEST(floats_take_half_the_memory)
{
    StreamingLearner *one = made(40, "mlp(hidden=64)"), *other = made(40, "mlp(hidden=64, precision=single)");
    ck_assert_double_lt((double)anb_state_bytes(other), .55 * (double)anb_state_bytes(one));
    anb_free(one);
    anb_free(other);
}
END_TEST

START_TEST(scaling_the_target_scales_the_prediction)
{
    static const double factor[] = {0x1p40, 0x1p-40};
    static const char *const texts[] = {"scale(mlp(replay=2))", "scale(mlp(replay=2, precision=single))"};
    for (int f = 0; f < 4; f++) {
        StreamingLearner *one = made(5, texts[f / 2]), *other = made(5, texts[f / 2]);
        AnbRandom random;
        anb_random_seed(&random, 3);
        for (int t = 0; t < 3000; t++) {
            double x[5];
            for (int j = 0; j < 5; j++)
                x[j] = anb_random_normal(&random);
            double y = concept(x, 0);
            ck_assert_double_eq(anb_train_one(one, x, y, 1) * factor[f % 2],
                                anb_train_one(other, x, y * factor[f % 2], 1));
        }
        anb_free(one);
        anb_free(other);
    }
}
END_TEST

START_TEST(odd_streams_stay_finite)
{
    static const double odd[] = {1e150, -1e150, 1e-150, 1e12, -1e12, 0, 1e300};
    static const char *const expressions[] = {"mlp(replay=2)",
                                              "mlp(optimizer=sgd, rate=1)",
                                              "mlp(activation=swiglu)",
                                              "scale(mlp(activation=geglu, replay=1))",
                                              "mlp(replay=2, precision=single)",
                                              "mlp(optimizer=sgd, rate=1, precision=single)",
                                              "mlp(activation=swiglu, momentum=0.9, precision=single)",
                                              "scale(mlp(activation=geglu, replay=1, precision=single))"};
    for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
        StreamingLearner *model = made(2, expressions[e]);
        for (int t = 0; t < 2000; t++) {
            double x[2] = {odd[t % 7], odd[(t / 7) % 7]}, y = odd[(t / 3) % 6];
            ck_assert(isfinite(anb_train_one(model, x, y, 1)));
        }
        anb_free(model);
    }
}
END_TEST

static double wandering_row(uint64_t *seed, double *x)
{
    double level = 50 * uniform_of(seed);
    for (int j = 0; j < 3; j++)
        x[j] = level + (j + 1) * uniform_of(seed);
    return x[0] - x[2];
}

/* The frame moves, and remembered rows stay in the units that they came in. */
START_TEST(snapshots_amid_moving_frames)
{
    assert_reloads_go_on(3, "scale(mlp(replay=3, memory=40))", 30, 9, wandering_row, 6);
    assert_reloads_go_on(3, "scale(mlp(replay=3, memory=40, precision=single))", 30, 9, wandering_row, 6);
}
END_TEST

/* A row unlike all others, of which a network says what is far from every target: its own target must not
 * follow that. */
START_TEST(a_wild_output_moves_no_target)
{
    StreamingLearner *model = made(2, "mlp(hidden=16, replay=8, activation=swiglu, precision=single)");
    AnbRandom random;
    double before = 0, after = 0;
    anb_random_seed(&random, 23);
    for (int t = 0; t < 4000; t++) {
        double x[] = {anb_random_normal(&random), anb_random_normal(&random)}, y = x[0] * x[1];
        if (t == 2000)
            x[0] = 60;
        double e = y - anb_train_one(model, x, y, 1);
        before += t >= 1000 && t < 2000 ? e * e : 0;
        after += t >= 3000 ? e * e : 0;
    }
    ck_assert_msg(after < 10 * before, "squares %g before, %g after", before, after);
    anb_free(model);
}
END_TEST

START_TEST(a_constant_target_is_predicted)
{
    StreamingLearner *model = made(1, "scale(mlp(replay=1))");
    double x[1] = {0};
    ck_assert_double_eq(anb_predict(model, x), 0);
    for (int t = 0; t < 100; t++) {
        x[0] = t % 2;
        double f = anb_train_one(model, x, 7e5, 1);
        ck_assert_double_eq(f, t ? 7e5 : 0);
    }
    anb_free(model);
}
END_TEST

START_TEST(two_alternating_rows_are_told_apart)
{
    StreamingLearner *model = made(200, "scale(mlp)");
    double x[200] = {0};
    for (int t = 0; t < 2000; t++) {
        for (int j = 0; j < 200; j++)
            x[j] = t % 2;
        double y = t % 2 ? 3 : -1, f = anb_train_one(model, x, y, 1);
        if (t > 1500)
            ck_assert_double_eq_tol(f, y, 0.1);
    }
    anb_free(model);
}
END_TEST

/* Dropout is of steps alone: predictions and the sparsity are of all units, and 0 is no dropout. */
START_TEST(dropout_is_of_steps_alone)
{
    const char *text[] = {"scale(mlp(replay=2))", "scale(mlp(replay=2, dropout=0))",
                          "scale(mlp(replay=2, dropout=0.5))"};
    StreamingLearner *model[3];
    AnbRandom random;
    size_t apart = 0;
    anb_random_seed(&random, 9);
    for (int i = 0; i < 3; i++)
        model[i] = made(5, text[i]);
    for (int t = 0; t < 500; t++) {
        double x[5], said[3];
        for (int j = 0; j < 5; j++)
            x[j] = anb_random_normal(&random);
        double y = concept(x, 0);
        for (int i = 0; i < 3; i++) {
            double before = anb_predict(model[i], x);
            said[i] = anb_train_one(model[i], x, y, 1);
            ck_assert_double_eq(said[i], before);
        }
        ck_assert_double_eq(said[0], said[1]);
        apart += said[0] != said[2];
    }
    ck_assert_uint_gt(apart, 400);
    for (int i = 0; i < 3; i++)
        anb_free(model[i]);
}
END_TEST

/* The type's own answers, without a host between. */
START_TEST(shows_what_is_hidden)
{
    enum { D = 3, HIDDEN = 5 };
    AnbMlpOptions options = anb_mlp_defaults();
    options.hidden = HIDDEN;
    Alone a = {.node = {.type = &anb_mlp, .options = &options, .n_features = D, .seed = 4}};
    AnbCounters counters = {0};
    double x[D] = {.5, -1, 2}, sparsity;
    AnbRow row = {x, x, NULL, &counters, NULL};
    AnbMatrix matrix;
    alone_start(&a);
    anb_mlp.predict(&a.node, a.state, &row, a.scratch);
    anb_mlp.network->matrix(&a.node, a.state, &matrix);
    sparsity = anb_mlp.sparsity->share(&a.node, a.state, &row, a.scratch);
    ck_assert_uint_eq(matrix.rows, D);
    ck_assert_uint_eq(matrix.columns, HIDDEN);
    size_t small = 0;
    for (size_t h = 0; h < HIDDEN; h++) { /* the constants are still 0 */
        double sum = 0;
        for (size_t j = 0; j < D; j++)
            sum += x[j] * matrix.value[j * matrix.stride + h];
        small += fabs(sum > 0 ? sum : .01 * sum) < .01; /* leaky */
    }
    ck_assert_double_eq(sparsity, (double)small / HIDDEN);
    alone_end(&a);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("mlp");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, comes_back_after_drift);
    tcase_add_test(tests, replay_follows_what_drifts);
    tcase_add_test(tests, every_activation_and_optimizer_learns);
    tcase_add_test(tests, floats_learn_as_doubles_do);
    tcase_add_test(tests, many_rows_say_what_each_says);
    tcase_add_test(tests, floats_take_half_the_memory);
    tcase_add_test(tests, scaling_the_target_scales_the_prediction);
    tcase_add_test(tests, odd_streams_stay_finite);
    tcase_add_test(tests, snapshots_amid_moving_frames);
    tcase_add_test(tests, a_wild_output_moves_no_target);
    tcase_add_test(tests, a_constant_target_is_predicted);
    tcase_add_test(tests, two_alternating_rows_are_told_apart);
    tcase_add_test(tests, dropout_is_of_steps_alone);
    tcase_add_test(tests, shows_what_is_hidden);
    return suite;
}

CHECK_MAIN(suite)
