/* Frames that stand still under learners that remember, and moments that no single value owns. */
#include "frames.h"
#include "src/numeric/elementary.h"
#include "src/host/model.h"
#include <math.h>

/* ---- re-framings ------------------------------------------------------------------------------------------------- */

/* y = x for x = 1 to 1000 in order, asked within what was seen and beyond. */
START_TEST(a_ramp_is_remembered)
{
    static const char *const texts[] = {"scale(rls)", "scale(rls(lambda=0.99))", "guard(scale(rls))",
                                        "scale(scale(rls))", "scale(moe(rls, rls(lambda=0.99)))"};
    static const double asked[] = {1001, 500, 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        StreamingLearner *model = made(1, texts[i]);
        for (int t = 1; t <= 1000; t++) {
            double x = t;
            anb_train_one(model, &x, x, 1);
        }
        for (size_t a = 0; a < sizeof asked / sizeof *asked; a++) {
            double said = anb_predict(model, &asked[a]);
            ck_assert_msg(fabs(said - asked[a]) <= .01 * asked[a], "%s: %g for %g", texts[i], said, asked[a]);
        }
        anb_free(model);
    }
}
END_TEST

/* What two descriptions of the same rows say stays the same, before the change of unit and on from it. */
static void same_through_reframing(const char *text, const double *alpha, const double *beta)
{
    enum { D = 3, ROWS = 400 };
    StreamingLearner *old = made(D, text), *changed = NULL;
    double x[D], unit[D];
    seed = 5;
    for (int t = 0; t < 2 * ROWS; t++) {
        double y = .1 * normal(), said;
        for (int j = 0; j < D; j++) {
            x[j] = normal();
            y += (j + 1) * x[j];
            unit[j] = (x[j] - beta[j]) / alpha[j];
        }
        if (t == ROWS) {
            changed = anb_clone(old, NULL);
            ck_assert_ptr_nonnull(changed);
            anb_node_reframe(changed->plan->nodes, anb_state_of(changed, changed->plan->nodes), alpha, beta);
        }
        said = anb_train_one(old, x, y, 1);
        if (t >= ROWS)
            ck_assert_double_eq_tol(said, anb_train_one(changed, unit, y, 1), 1e-8);
    }
    anb_free(old);
    anb_free(changed);
}

START_TEST(coefficients_follow_the_unit)
{
    static const double alpha[] = {.25, 3, 1}, beta[] = {-2, .5, 7};
    same_through_reframing("rls(lambda=0.99)", alpha, beta);
    same_through_reframing("moe(rls(lambda=0.99, walk=0.1), mean, rls, router=boa)", alpha, beta);
    same_through_reframing("scale(rls)", alpha, beta);
    same_through_reframing("narrow(rls(lambda=0.99), of=\"yny\")", alpha, beta);
}
END_TEST

/* Lines of a feature whose deviation shrinks: the error over the last half. */
START_TEST(lines_follow_a_unit_that_shrinks)
{
    StreamingLearner *model = made(2, "scale(additive)");
    double squares = 0;
    seed = 73;
    for (int t = 0; t < 3000; t++) {
        double x[2] = {normal() * 5 / (1 + t / 300.), normal()}, y = x[0] - x[1] + .1 * normal();
        double away = y - anb_train_one(model, x, y, 1);
        squares += t < 1500 ? 0 : away * away / 1500;
    }
    ck_assert_double_lt(sqrt(squares), .13);
    anb_free(model);
}
END_TEST

/* Columns are read as they came, so a scale above them changes nothing for the child. */
START_TEST(raw_columns_keep_their_unit)
{
    StreamingLearner *bare = made(3, "columns(rls)"), *below = made(3, "scale(columns(rls))");
    seed = 71;
    for (int t = 0; t < 1000; t++) {
        double x[3] = {t + normal(), 5 * normal(), 3 + normal()}, y = x[0] - x[1] + 2 * x[2] + .1 * normal();
        double said = anb_train_one(bare, x, y, 1), other = anb_train_one(below, x, y, 1);
        ck_assert(t < 500 || fabs(other - said) < .1);
    }
    anb_free(bare);
    anb_free(below);
}
END_TEST

/* Products too, as long as the centres that they are taken about stay near: within 1 in the new unit. */
START_TEST(products_follow_the_unit)
{
    static const double alpha[] = {.8, 3, 1}, beta[] = {-.7, .5, .9}, near[] = {-.3, .5, .4}, far[] = {-.3, .5, 7};
    same_through_reframing("poly(rls(lambda=0.99))", alpha, beta);
    same_through_reframing("moe(poly(rls), mean, rls, router=boa)", alpha, beta);
    StreamingLearner *model = made(3, "poly(rls)");
    seed = 6;
    for (int t = 0; t < 300; t++) {
        double row[3] = {normal(), normal(), normal()};
        anb_train_one(model, row, row[0] * row[1] + row[2] * row[2], 1);
    }
    double x[3] = {.3, -1, 2}, said = anb_predict(model, x);
    for (int times = 0; times < 3; times++) { /* the last one is too far */
        const double *shift = times < 2 ? near : far;
        anb_node_reframe(model->plan->nodes, anb_state_of(model, model->plan->nodes), alpha, shift);
        for (int j = 0; j < 3; j++)
            x[j] = (x[j] - shift[j]) / alpha[j];
        ck_assert((times < 2) == (fabs(anb_predict(model, x) - said) < 1e-9));
    }
    anb_free(model);
}
END_TEST

/* A bent target of two features of deviation 1. */
static double bent(double *x)
{
    for (int j = 0; j < 2; j++)
        x[j] = normal();
    return 3 * fabs(x[0]) + x[1] + .1 * normal();
}

/* The error over 300 rows after 3,000, the features given in another unit from there on, or not; how far what is said
 * of the first of these rows is from what it was before. */
static double error_in_unit(const char *text, const double *alpha, const double *beta, double *moved)
{
    StreamingLearner *model = made(2, text);
    double squares = 0, x[2];
    seed = 67;
    for (int t = 0; t < 3300; t++) {
        double y = bent(x), said = t == 3000 ? anb_predict(model, x) : 0;
        if (t == 3000 && alpha)
            anb_node_reframe(model->plan->nodes, anb_state_of(model, model->plan->nodes), alpha, beta);
        for (int j = 0; j < 2 && t >= 3000 && alpha; j++)
            x[j] = (x[j] - beta[j]) / alpha[j];
        if (t == 3000)
            *moved = fabs(anb_predict(model, x) - said);
        double away = y - anb_train_one(model, x, y, 1);
        squares += t < 3000 ? 0 : away * away / 300;
    }
    anb_free(model);
    return sqrt(squares);
}

/* What is remembered moves along: weights, rows, neighbours. Of a unit that does not grow nothing shows in what is
 * said, but that neighbours are told apart by other features. */
START_TEST(memories_follow_the_unit)
{
    static const char *const texts[] = {"mlp(hidden=16, replay=8)", "mlp(activation=swiglu, momentum=0.5)", "knn",
                                        "mlp(hidden=16, replay=8, precision=single)",
                                        "refine(moe(rls, mean, router=boa), mlp(replay=4))"};
    static const double alpha[] = {.9, .25}, beta[] = {1, -3};
    double moved, still = error_in_unit(texts[_i], NULL, NULL, &moved);
    double error = error_in_unit(texts[_i], alpha, beta, &moved);
    ck_assert_msg(moved < (_i == 2 ? .3 : _i == 3 ? 1e-4 : 1e-9), "%s: moved by %g", texts[_i], moved);
    ck_assert_msg(error < (_i == 2 ? 2 : 1.5) * still, "%s: %g, %g in the old unit", texts[_i], error, still);
}
END_TEST

/* A column that counts the rows takes nothing from what forgets. */
START_TEST(a_row_number_is_no_burden)
{
    double squares[2] = {0};
    for (int with = 0; with < 2; with++) {
        StreamingLearner *model = made(3, with ? "scale(rls(lambda=0.99))" : "rls(lambda=0.99)");
        seed = 7;
        for (int t = 0; t < 6000; t++) {
            double x[3] = {normal(), normal(), with ? t : 0}, sign = t < 3000 ? 1 : -1;
            double y = sign * (x[0] + 2 * x[1]) + .1 * normal(), said = anb_train_one(model, x, y, 1);
            squares[with] += t < 3000 ? 0 : (y - said) * (y - said);
        }
        anb_free(model);
    }
    ck_assert_double_le(sqrt(squares[1]), 1.1 * sqrt(squares[0]));
}
END_TEST

/* ---- far values -------------------------------------------------------------------------------------------------- */

/* y = 3 x1 - x2 + noise of .1; cell x1 of a row is `wrong` where bad says so, and such a row does not count. Root mean
 * square error from row 2,000 of 5,000 on. */
static double error_with(const char *text, bool (*bad)(int), double wrong)
{
    StreamingLearner *model = made(2, text);
    double squares = 0;
    int n = 0;
    seed = 17;
    for (int t = 0; t < 5000; t++) {
        double x[2] = {normal(), normal()}, y = 3 * x[0] - x[1] + .1 * normal();
        bool is_bad = bad(t);
        if (is_bad)
            x[0] = wrong;
        double said = anb_train_one(model, x, y, 1);
        if (t >= 2000 && !is_bad) {
            squares += (y - said) * (y - said);
            n++;
        }
    }
    anb_free(model);
    return sqrt(squares / n);
}

static bool never(int t)
{
    (void)t;
    return false;
}

static bool once(int t)
{
    return t == 500;
}

static bool in_200(int t)
{
    return t % 200 == 100;
}

START_TEST(sentinels_do_not_blind_a_feature)
{
    static const char *const texts[] = {"scale(rls)", "scale(linear)", "scale(linear(normalized=true))", "scale(mlp)",
                                        "scale(knn)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double clean = error_with(texts[i], never, 0);
        ck_assert_double_le(error_with(texts[i], once, -9999), 1.05 * clean + .005);
        ck_assert_double_le(error_with(texts[i], once, 1e6), 1.05 * clean + .005);
    }
    ck_assert_double_le(error_with("scale(rls)", in_200, -9999), .2); /* 3 where the feature is blind */
}
END_TEST

/* A skewed feature that carries the target to thirty deviations, and a level that moves by a hundred. */
START_TEST(a_tail_and_a_new_level_are_followed)
{
    StreamingLearner *model = made(1, "scale(rls)");
    double tail = 0, level = 0;
    seed = 23;
    for (int t = 0; t < 8000; t++) {
        double u = fabs(uniform()), x = .3 / (u + .01), y = 2 * x + .1 * normal();
        double said = anb_train_one(model, &x, y, 1);
        tail += t < 4000 ? 0 : (y - said) * (y - said) / 4000;
    }
    ck_assert_double_le(sqrt(tail), .5); /* of targets to 60 */
    anb_free(model);
    model = made(1, "scale(rls)");
    for (int t = 0; t < 8000; t++) {
        double x = normal() + (t < 4000 ? 0 : 100), y = 2 * x + .1 * normal(), said = anb_train_one(model, &x, y, 1);
        level += t < 4600 ? 0 : (y - said) * (y - said) / 3400;
    }
    ck_assert_double_le(sqrt(level), .5); /* of slopes that carry 2 */
    anb_free(model);
}
END_TEST

/* A feature that fills +-1.7 deviations: cells ten times too large teach a network little. */
START_TEST(wrong_cells_teach_little)
{
    double squares[2] = {0};
    for (int bad = 0; bad < 2; bad++) {
        StreamingLearner *model = made(4, "scale(mlp)");
        int n = 0;
        seed = 59;
        for (int t = 0; t < 8000; t++) {
            double x[4], noise = .1 * normal();
            for (int j = 0; j < 4; j++)
                x[j] = .5 + .5 * uniform();
            double y = 8 * x[0] * x[1] + x[2] + x[3] + noise;
            bool wrong = bad && t % 50 == 3;
            if (wrong)
                x[t / 50 % 4] *= 10;
            double away = y - anb_train_one(model, x, y, 1);
            squares[bad] += t < 2000 || wrong ? 0 : away * away;
            n += t >= 2000 && !wrong;
        }
        squares[bad] /= n;
        anb_free(model);
    }
    ck_assert_msg(sqrt(squares[1]) < 1.2 * sqrt(squares[0]), "%g, %g without", sqrt(squares[1]), sqrt(squares[0]));
}
END_TEST

/* ---- targets and weights ----------------------------------------------------------------------------------------- */

/* Root mean square error over the last tenth of `rows` rows of y = 10 + 3 x1 - 2 x2 + noise of .1, each of one weight;
 * the target of row 501 is `wrong` unless that is 0. */
static double error_at_the_end(const char *text, int rows, double weight, double wrong)
{
    StreamingLearner *model = made(2, text);
    double squares = 0;
    int first = rows * 9 / 10;
    seed = 41;
    for (int t = 0; t < rows; t++) {
        double x[2] = {normal(), normal()}, y = 10 + 3 * x[0] - 2 * x[1] + .1 * normal();
        double said = anb_train_one(model, x, t == 500 && wrong != 0 ? wrong : y, weight);
        squares += t < first ? 0 : (y - said) * (y - said);
    }
    ck_assert_uint_eq(anb_counters(model)->weight_skipped, 0);
    anb_free(model);
    return sqrt(squares / (rows - first));
}

START_TEST(one_wrong_target_is_forgotten)
{
    static const char *const texts[] = {"auto(budget=5)", "guard(scale(rls))", "scale(rls)", "scale(linear)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_double_le(error_at_the_end(texts[i], 20000, 1, 1e6), .12);
        ck_assert_double_le(error_at_the_end(texts[i], 20000, 1, -1e6), .12);
    }
}
END_TEST

START_TEST(one_weight_for_all_is_no_weight)
{
    static const char *const texts[] = {
        "scale(knn)",          "scale(rls)", "sgbt",   "tree",          "forest",
        "scale(mlp)",          "auto",       "linear", "scale(linear)", "linear(normalized=true)",
        "interval(scale(rls))"};
    static const double weights[] = {2, .5, 1e-3, 1000};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double one = error_at_the_end(texts[i], 2000, 1, 0);
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++) {
            double other = error_at_the_end(texts[i], 2000, weights[w], 0);
            ck_assert_msg(fabs(other - one) <= .03 * one, "%s: %g at weight %g, %g at 1", texts[i], other, weights[w],
                          one);
        }
    }
}
END_TEST

/* A unit that becomes a million times as large at once, as where a sentinel is among the first rows, makes no slope of
 * what was one. One ten times as large keeps its slope a unit. What was said at the old centre stays in both. */
START_TEST(a_jump_of_the_unit_makes_no_slope)
{
    enum { D = 2 };
    static const double alpha[D] = {1e6, 10}, beta[D] = {-5e5, -3};
    StreamingLearner *model = made(D, "linear");
    seed = 43;
    for (int t = 0; t < 3000; t++) {
        double x[D] = {normal(), normal()};
        anb_train_one(model, x, 2 * x[0] - x[1] + .1 * normal(), 1);
    }
    double old = anb_predict(model, (double[D]){0, 0}), slope = anb_predict(model, (double[D]){0, 1}) - old;
    anb_node_reframe(model->plan->nodes, anb_state_of(model, model->plan->nodes), alpha, beta);
    for (int far = -4; far <= 4; far++) {
        ck_assert_double_eq_tol(anb_predict(model, (double[D]){far, .3}), old, 1e-9);
        ck_assert_double_eq_tol(anb_predict(model, (double[D]){far, 1.3}), old + slope, 1e-9);
    }
    anb_free(model);
}
END_TEST

/* Features that rise with time, each in its own way, beside a target that does not. */
START_TEST(several_ramps_do_not_diverge)
{
    static const char *const texts[] = {"scale(linear)", "scale(linear(normalized=true))", "scale(rls)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        StreamingLearner *model = made(5, texts[i]);
        double squares = 0;
        seed = 47;
        for (int t = 0; t < 3000; t++) {
            double x[5] = {t, (double)t * t, anb_log1p(t), sqrt(t), t / (t + 500.)}, y = 13 + normal();
            double away = anb_train_one(model, x, y, 1) - 13;
            squares += t < 500 ? 0 : away * away / 2500;
        }
        ck_assert_msg(sqrt(squares) < .8, "%s: %g", texts[i], sqrt(squares));
        anb_free(model);
    }
}
END_TEST

/* One sentinel a feature among the first rows, in a feature that moves and in one that hardly does. */
START_TEST(a_sentinel_among_the_first_rows)
{
    static const char *const texts[] = {"scale(rls)", "scale(linear(normalized=true))", "scale(knn)", "scale(mlp)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int at = 0; at < 20; at++) {
            double squares[2] = {0};
            for (int bad = 0; bad < 2; bad++) {
                StreamingLearner *model = made(2, texts[i]);
                seed = 53;
                for (int t = 0; t < 1000; t++) {
                    double x[2] = {normal(), 1e-3 * normal()}, y = 3 * x[0] - 1e3 * x[1] + .1 * normal();
                    if (bad && (t == at || t == (at + 7) % 20))
                        x[t != at] = -9999;
                    double away = y - anb_train_one(model, x, y, 1);
                    squares[bad] += t < 500 ? 0 : away * away / 500;
                }
                anb_free(model);
            }
            ck_assert_msg(sqrt(squares[1]) <= 1.2 * sqrt(squares[0]) + .1, "%s, row %d: %g, %g without", texts[i], at,
                          sqrt(squares[1]), sqrt(squares[0]));
        }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *tests = case_of(suite, 120);
    tcase_add_test(tests, a_ramp_is_remembered);
    tcase_add_test(tests, coefficients_follow_the_unit);
    tcase_add_test(tests, raw_columns_keep_their_unit);
    tcase_add_test(tests, lines_follow_a_unit_that_shrinks);
    tcase_add_test(tests, products_follow_the_unit);
    tcase_add_loop_test(tests, memories_follow_the_unit, 0, 5);
    tcase_add_test(tests, a_row_number_is_no_burden);
    tcase_add_test(tests, sentinels_do_not_blind_a_feature);
    tcase_add_test(tests, a_tail_and_a_new_level_are_followed);
    tcase_add_test(tests, wrong_cells_teach_little);
    tcase_add_test(tests, one_wrong_target_is_forgotten);
    tcase_add_test(tests, one_weight_for_all_is_no_weight);
    tcase_add_test(tests, a_jump_of_the_unit_makes_no_slope);
    tcase_add_test(tests, several_ramps_do_not_diverge);
    tcase_add_test(tests, a_sentinel_among_the_first_rows);
    return suite;
}

CHECK_MAIN(suite)
