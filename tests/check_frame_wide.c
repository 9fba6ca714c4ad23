/* Rows of mostly zeros under a wide frame: their moments against plain sums, their z against the kernel, and what holds
 * for whole models; steps of linear models that stay stable at every width. */
#include "made.h"
#include "numbers.h"
#include "reload.h"
#include "src/host/model.h"
#include "src/numeric/frame_wide.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <float.h>
#include <math.h>

enum { D = 600, NARROW = 512, ROWS = 300 };

static uint64_t seed;

static double uniform(void)
{
    return uniform_of(&seed);
}

/* Twenty cells or so; some features lie far from 0 whenever they are there, some are missing at times. */
static void sparse_row(double *x)
{
    memset(x, 0, D * sizeof *x);
    for (int i = 0; i < 20; i++) {
        size_t j = bits_of(&seed) % D;
        x[j] = j % 5 == 0 ? 1 : j % 5 == 1 ? 1000 + uniform() : uniform();
        x[j] = j % 50 == 7 ? ANB_NAN : x[j];
    }
}

static void dense_row(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = uniform() * (double)(j + 1) + 3;
}

static AnbFrameState *state_new(const AnbFrame *frame)
{
    AnbFrameState *state = calloc(1, anb_frame_state(frame->d));
    ck_assert_ptr_nonnull(state);
    anb_frame_init(frame, state);
    return state;
}

/* What the place of D cells is. */
static double place_of(const double *z, const double *bound, double clip)
{
    double most = 0;
    for (size_t j = 0; j < D; j++) {
        double own = fabs(z[j]) >= bound[j] || fabs(z[j]) >= clip ? 2 : z[j] == 0 ? 1 : 0;
        most = own > most ? own : most;
    }
    return most;
}

static void learn(const AnbFrame *frame, AnbFrameState *state, const double *x, double weight, double *scratch)
{
    AnbReframing moved;
    uint64_t restarts = 0;
    anb_frame_apply(frame, state, x, scratch);
    anb_frame_learn(frame, state, x, weight, scratch, &restarts, &moved);
    ck_assert_uint_eq(restarts, 0);
}

/* Makes what is due, and changes nothing else. */
static void settle(const AnbFrame *frame, AnbFrameState *state)
{
    static double one[D], none[D];
    for (size_t j = 0; j < D; j++)
        one[j] = 1;
    anb_frame_reframe(frame, state, one, none);
}

/* With no bounds on what counts, the moments are those of all cells that were there. */
START_TEST(moments_are_those_of_all_cells)
{
    const AnbFrame frame = {D, 1e6, 1e6, 1e6, false};
    AnbFrameState *state = state_new(&frame);
    double scratch[4 * D];
    static double rows[ROWS][D], weight[ROWS];
    seed = 3;
    for (size_t t = 0; t < ROWS; t++) {
        weight[t] = _i == 0 || t < 16 ? 1 : 1 + uniform() / 2;
        sparse_row(rows[t]);
        if (t < 16 || (_i == 2 && t % 9 == 8)) /* at the start outermost values count for less */
            dense_row(rows[t]);
        learn(&frame, state, rows[t], weight[t], scratch);
    }
    settle(&frame, state);
    for (size_t j = 0; j < D; j++) {
        long double sum = 0, total = 0, squares = 0;
        for (size_t t = 0; t < ROWS; t++)
            if (rows[t][j] == rows[t][j]) {
                total += weight[t];
                sum += weight[t] * rows[t][j];
            }
        for (size_t t = 0; t < ROWS; t++)
            if (rows[t][j] == rows[t][j])
                squares += weight[t] * (rows[t][j] - sum / total) * (rows[t][j] - sum / total);
        ck_assert_double_eq_tol(part(state, D, COUNT)[j], (double)total, 1e-9 * (double)total);
        ck_assert_double_eq_tol(part(state, D, MEAN)[j], (double)(sum / total), 1e-9 * sqrt((double)(squares / total)));
        ck_assert_double_eq_tol(part(state, D, M2)[j], (double)squares, 1e-9 * (double)squares);
    }
    free(state);
}
END_TEST

/* The z are the kernel's to the bit, whatever stands in the state. */
START_TEST(z_are_those_of_a_dense_row)
{
    const AnbFrame frame = {D, 4, 2, 2, true};
    AnbFrameState *state = state_new(&frame);
    double scratch[4 * D], x[D], z[D], limit[D];
    seed = 4;
    for (size_t t = 0; t < ROWS; t++) {
        if (t % 40 == 39)
            dense_row(x);
        else
            sparse_row(x);
        anb_frame_apply(&frame, state, x, scratch);
        for (size_t j = 0; j < D; j++)
            limit[j] = anb_frame_limit(&frame, state, j);
        anb_standardize_within(x, part(state, D, CENTRE), part(state, D, INVERSE), part(state, D, BOUND), limit, 1, 1,
                               DBL_MAX, D, z);
        ck_assert_mem_eq(z, scratch, sizeof z);
        bool unknown = anb_frame_starting(state) || anb_frame_is_sparse(&frame, state, scratch);
        ck_assert(anb_frame_place(&frame, scratch) == (unknown ? 2 : place_of(z, part(state, D, BOUND), frame.clip)));
        AnbFrameTrial trial;
        if (anb_frame_trial(&frame, state, x, scratch, &trial)) {
            ck_assert(x[trial.feature] != 0);
            anb_frame_judge(&frame, state, &trial, 1, t % 2 ? .5 : 2);
        }
        learn(&frame, state, x, 1, scratch);
        ck_assert(anb_frame_valid(&frame, state));
    }
    free(state);
}
END_TEST

/* Dense rows leave the bits of a frame that is not wide. */
START_TEST(dense_rows_as_ever)
{
    const AnbFrame wide = {D, 4, 2, true}, narrow = {NARROW, 4, 2, true};
    AnbFrameState *a = state_new(&wide), *b = state_new(&narrow);
    double scratch[4 * D], x[D];
    seed = 5;
    for (size_t t = 0; t < 200; t++) {
        dense_row(x);
        x[t % D] = t % 3 ? 1e9 : ANB_NAN;
        learn(&wide, a, x, 1, scratch);
        learn(&narrow, b, x, 1, scratch);
    }
    for (size_t which = 0; which < ANB_FRAME_PARTS; which++)
        ck_assert_mem_eq(part(a, D, which), part(b, NARROW, which), NARROW * sizeof(double));
    free(a);
    free(b);
}
END_TEST

/* Learns n sparse rows whose third cell is a level with noise, or 0. */
static void learn_levels(const AnbFrame *frame, AnbFrameState *state, size_t n, double level)
{
    double scratch[4 * D], x[D];
    for (size_t t = 0; t < n; t++) {
        sparse_row(x);
        x[2] = level != 0 ? level + uniform() : 0;
        learn(frame, state, x, 1, scratch);
    }
}

/* A feature whose zeros are far from what it is: they do not drag its centre away at once, and it follows if
 * they stay. */
START_TEST(zeros_far_out_count_as_values_far_out)
{
    const AnbFrame frame = {D, 4, 2, 2, true};
    AnbFrameState *state = state_new(&frame);
    seed = 6;
    learn_levels(&frame, state, 2000, 1000);
    ck_assert_double_eq_tol(part(state, D, CENTRE)[2], 1000, 1);
    learn_levels(&frame, state, 3, 0);
    settle(&frame, state);
    ck_assert_double_eq_tol(part(state, D, MEAN)[2], 1000, 5);
    learn_levels(&frame, state, 3000, 0);
    settle(&frame, state);
    ck_assert_double_lt(part(state, D, MEAN)[2], 300);
    free(state);
}
END_TEST

/* ---- models ------------------------------------------------------------------------------------------------------ */

static double target(const double *x)
{
    double y = 0;
    for (size_t j = 0; j < D; j++)
        y += j % 5 == 0 && x[j] == x[j] ? x[j] * (double)(j % 7) : 0;
    return y;
}

/* A copy from a file, made while zeros are due, goes on as the model does; so does every instruction set. */
START_TEST(copies_and_instruction_sets_agree)
{
    static const char *const texts[] = {"scale(linear)", "scale(linear(normalized=true))", "scale(moe(linear, mean))",
                                        "scale(scale(linear))"};
    AnbIsa before = anb_isa_in_use();
    uint64_t wanted = 0;
    for (int isa = ANB_ISA_BASELINE; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        StreamingLearner *model = made(D, texts[_i]), *copy = NULL;
        uint64_t hash = 0;
        double x[D];
        seed = 8;
        for (size_t t = 0; t < 400; t++) {
            sparse_row(x);
            double y = target(x), f = anb_train_one(model, x, y, 1);
            hash = hash_of(hash, &f, sizeof f);
            if (copy)
                ck_assert_double_eq(anb_train_one(copy, x, y, 1), f);
            if (t == 203)
                copy = reloaded(model, NULL);
        }
        ck_assert(anb_equal(model, copy));
        wanted = isa == ANB_ISA_BASELINE ? hash : wanted;
        ck_assert_uint_eq(hash, wanted);
        anb_free(copy);
        anb_free(model);
    }
    anb_isa_use(before);
}
END_TEST

/* One-hot rows are learned as well as at a width where each row is dense to the frame: the same features, padded. */
START_TEST(sparse_rows_are_learned)
{
    enum { SMALL = 60, LONG = 6000 };
    StreamingLearner *wide = made(D, "scale(linear)"), *narrow = anb_parse(SMALL, "scale(linear)", NULL, NULL);
    double x[D] = {0}, error[2] = {0}, spread = 0;
    seed = 9;
    for (size_t t = 0; t < LONG; t++) {
        memset(x, 0, sizeof x);
        double y = .1 * uniform();
        for (int i = 0; i < 6; i++) {
            size_t j = bits_of(&seed) % SMALL;
            y += x[j] == 0 ? (double)(j % 11) - 5 : 0;
            x[j] = 1;
        }
        double a = y - anb_train_one(wide, x, y, 1), b = y - anb_train_one(narrow, x, y, 1);
        error[0] += t >= LONG / 2 ? a * a : 0;
        error[1] += t >= LONG / 2 ? b * b : 0;
        spread += t >= LONG / 2 ? y * y : 0;
    }
    ck_assert_double_lt(error[0], .05 * spread);
    ck_assert_double_lt(error[0], 1.1 * error[1]);
    anb_free(wide);
    anb_free(narrow);
}
END_TEST

static StreamingLearner *scaled(const StreamingLearnerType *child, size_t d)
{
    AnbExpert inner = {.type = child}, outer = {.type = &anb_scale, .children = &inner, .n_children = 1};
    StreamingLearner *model = anb_new(d, &outer, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    return model;
}

/* A child that is affine is not asked about a cell that is tried out, its slope says the same: where tails carry the
 * target, and where they mislead. */
START_TEST(a_slope_says_what_the_child_would)
{
    const StreamingLearnerType *types[] = {&anb_linear, &anb_rls};
    size_t d = _i % 2 ? 3 : D, rows = _i % 2 ? 4000 : 400;
    StreamingLearnerType blind = *types[_i / 2];
    blind.affine = NULL;
    StreamingLearner *follows = scaled(types[_i / 2], d), *asks = scaled(&blind, d);
    double x[D] = {0};
    seed = 31;
    for (size_t t = 0; t < rows; t++) {
        for (size_t j = 0; j < 3; j++)
            x[j] = .3 / (fabs(uniform()) + .01);
        double y = 2 * x[0] + .1 * uniform() - (x[1] < 8 ? x[1] : 0);
        double said = anb_train_one(follows, x, y, 1), other = anb_train_one(asks, x, y, 1);
        ck_assert_double_le(fabs(said - other), 1e-9 * (1 + fabs(other)));
    }
    anb_free(follows);
    anb_free(asks);
}
END_TEST

/* Ratio of the error over the last quarter of 4,000 rows to the deviation of the target. */
static double learned(const char *text, size_t d, double size, double weight)
{
    enum { MOST = 1000, LEARNED = 4000 };
    static double x[MOST], w[MOST];
    double squares = 0, all = 0;
    StreamingLearner *model = made(d, text);
    seed = 29;
    for (size_t j = 0; j < d; j++)
        w[j] = nearly_normal(&seed);
    for (int t = 0; t < LEARNED; t++) {
        double y = .1 * nearly_normal(&seed);
        for (size_t j = 0; j < d; j++) {
            x[j] = nearly_normal(&seed);
            y += w[j] * x[j];
            x[j] *= size;
        }
        double said = anb_train_one(model, x, y, weight);
        squares += t < LEARNED * 3 / 4 ? 0 : (y - said) * (y - said);
        all += t < LEARNED * 3 / 4 ? 0 : y * y;
    }
    ck_assert_uint_eq(anb_counters(model)->restarts, 0);
    anb_free(model);
    return sqrt(squares / all);
}

START_TEST(linear_is_stable_at_every_width_and_size)
{
    static const size_t widths[] = {1, 12, 150, 250, 1000};
    static const char *const texts[] = {"linear", "linear(normalized=true)", "scale(linear)",
                                        "scale(linear(normalized=true))"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
            ck_assert_double_le(learned(texts[i], widths[w], 1, 1), widths[w] < 1000 ? .2 : .6);
            ck_assert_double_le(learned(texts[i], widths[w], 1, 1000), .9);
        }
        ck_assert_double_le(learned(texts[i], 12, 1e6, 1), .5);
    }
    ck_assert_double_gt(learned("linear(bounded=false, rate=0.001)", 12, 1, 1), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("frame_wide");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, moments_are_those_of_all_cells, 0, 3);
    tcase_add_test(tests, z_are_those_of_a_dense_row);
    tcase_add_test(tests, dense_rows_as_ever);
    tcase_add_test(tests, zeros_far_out_count_as_values_far_out);
    tcase_add_loop_test(tests, copies_and_instruction_sets_agree, 0, 4);
    tcase_add_test(tests, sparse_rows_are_learned);
    tcase_add_loop_test(tests, a_slope_says_what_the_child_would, 0, 4);
    tcase_add_test(tests, linear_is_stable_at_every_width_and_size);
    return suite;
}

CHECK_MAIN(suite)
