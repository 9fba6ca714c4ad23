/* How far beyond the targets so far predictions go: the rule itself, then streams whose tails carry the target, or do
 * not. */
#include "frames.h"
#include "reload.h"
#include "src/host/model.h"
#include "src/numeric/frame.h"
#include "src/numeric/outlook.h"
#include "suite.h"
#include <anabranch/reach.h>
#include <anabranch/workers.h>
#include <math.h>

/* ---- the rule ---------------------------------------------------------------------------------------------------- */

/* After 200 targets from 0 to 10. */
static void begin(AnbRange *range, AnbOutlook *outlook)
{
    *range = (AnbRange){0};
    *outlook = (AnbOutlook){0};
    for (int i = 0; i < 200; i++) {
        anb_range_add(range, i % 11);
        anb_outlook_follow(outlook, i + 1, i % 11);
    }
}

START_TEST(a_record_that_was_foreseen_opens)
{
    AnbRange range;
    AnbOutlook outlook;
    begin(&range, &outlook);
    ck_assert_double_eq(anb_outlook_limit(&range, &outlook, 25, 25), 11);
    anb_outlook_judge(&outlook, &range, 1, 25, 25, 24.5);
    ck_assert(anb_outlook_open(&outlook));
    ck_assert_double_eq(anb_outlook_limit(&range, &outlook, 12, 25), 25);
    ck_assert_double_eq(anb_outlook_limit(&range, &outlook, -3, -14), -14);
    ck_assert_double_eq_tol(anb_outlook_limit(&range, &outlook, 12, 1e9), 30, 1e-12); /* twice the width beyond */
    ck_assert_double_eq(anb_outlook_limit(&range, &outlook, 9, 10.5), 9);
    /* A prediction within the range goes a part of the way, which grows with the evidence. */
    double share = outlook.gain * outlook.gain / (outlook.gain * outlook.gain + 4);
    ck_assert_double_eq_tol(anb_outlook_limit(&range, &outlook, 9, 25), 9 + 16 * share, 1e-12);
    anb_outlook_judge(&outlook, &range, 1, 25, 25, 25);
    ck_assert_double_gt(anb_outlook_limit(&range, &outlook, 9, 25), 9 + 16 * share);
    ck_assert_double_eq_tol(anb_outlook_limit(&range, &outlook, -3, 25), -1 + 26 * anb_outlook_share(&outlook), 1e-12);
    ck_assert_double_eq(anb_outlook_limit(&range, &outlook, 12, ANB_NAN), 11);
}
END_TEST

START_TEST(one_that_was_not_closes)
{
    AnbRange range;
    AnbOutlook outlook;
    begin(&range, &outlook);
    anb_outlook_judge(&outlook, &range, 1, 25, 25, 24.5);
    for (int i = 0; i < 2; i++)
        anb_outlook_judge(&outlook, &range, 1, 11, 25, 12);
    ck_assert(!anb_outlook_open(&outlook));
    begin(&range, &outlook);
    for (int i = 0; i < 20; i++)
        anb_outlook_judge(&outlook, &range, 1, 9, 25, 18); /* nearer than the limits, but half way only */
    ck_assert(!anb_outlook_open(&outlook));
}
END_TEST

/* Targets beyond all earlier ones are rare, so those more than 3 deviations from their mean are evidence too. */
START_TEST(the_edge_of_the_range_is_evidence_too)
{
    AnbRange range;
    AnbOutlook outlook;
    begin(&range, &outlook);
    anb_range_add(&range, 100);
    double limit = outlook.mean + 3 * sqrt(outlook.variance);
    ck_assert_double_gt(limit, 14);
    anb_outlook_judge(&outlook, &range, 1, 13, 13, 13);
    ck_assert_double_eq(outlook.gain, 0);
    anb_outlook_judge(&outlook, &range, 1, 40, 50, 50);
    ck_assert_double_eq_tol(outlook.gain, (50 - limit) / (50 - limit + 1), 1e-12);
}
END_TEST

START_TEST(what_was_foreseen_is_no_wrong_target)
{
    AnbRange range;
    AnbOutlook outlook;
    begin(&range, &outlook);
    ck_assert_double_eq(anb_outlook_target(&range, 25, 15, 20), 20);
    ck_assert_double_eq(anb_outlook_target(&range, 25, 15, 1e9), 25);
    ck_assert_double_eq(anb_outlook_target(&range, 1e9, 15, 1e9), 30);
    ck_assert_double_eq(anb_outlook_target(&range, 25, -15, -20), -15);
    ck_assert_double_eq(anb_outlook_target(&range, -18, -15, -20), -18);
    ck_assert_double_eq(anb_outlook_target(&range, ANB_NAN, 15, 20), 15);
    ck_assert_double_eq(anb_outlook_target(&range, 25, 5, 5), 5);
}
END_TEST

START_TEST(it_stays_finite)
{
    const double sizes[] = {0, 1, 1e150, 1.7e308, -1.7e308, 5e-324};
    AnbRange range = {0};
    AnbOutlook outlook = {0};
    for (size_t i = 0; i < 2000; i++) {
        double y = sizes[i % 6], g = sizes[i / 6 % 6], said = anb_outlook_limit(&range, &outlook, g, g);
        ck_assert(said - said == 0 || !range.seen);
        anb_outlook_judge(&outlook, &range, sizes[i / 36 % 6], g, g, y);
        anb_range_follow(&range, y);
        anb_outlook_follow(&outlook, (double)i + 1, y);
        ck_assert(anb_outlook_valid(&outlook));
    }
}
END_TEST

/* ---- trials of tails --------------------------------------------------------------------------------------------- */

enum { STATE = 64 };

/* z of a cell of the only feature at 5 deviations, after a trial that went wrong by much either way and one that the
 * whole tail won. */
static double z_after_trials(double level)
{
    const AnbFrame frame = {.d = 1, .clip = 4, .far = 2, .trust = 2, .tails = true, .level = level};
    double memory[STATE] = {0}, scratch[STATE];
    AnbFrameState *state = (AnbFrameState *)memory;
    AnbReframing moved;
    uint64_t restarts = 0;
    ck_assert_uint_le(anb_frame_state(1), sizeof memory);
    anb_frame_init(&frame, state);
    seed = 8;
    for (int i = 0; i < 600; i++) {
        double x = i == 590 ? 7 : normal();
        anb_frame_apply(&frame, state, &x, scratch);
        anb_frame_learn(&frame, state, &x, 1, scratch, &restarts, &moved);
    }
    anb_frame_judge(&frame, state, &(AnbFrameTrial){.feature = 0, .z = 5}, 30, 29.9);
    anb_frame_judge(&frame, state, &(AnbFrameTrial){.feature = 0, .z = 5}, 9, 1);
    double x = 5;
    anb_frame_apply(&frame, state, &x, scratch);
    return scratch[0];
}

/* Trials are measured by the errors' scale, where one is known, and not by the error of the first trial. */
START_TEST(trials_are_measured_by_the_errors)
{
    ck_assert_double_le(z_after_trials(0), 4);
    ck_assert_double_le(z_after_trials(20), 4);
    ck_assert_double_gt(z_after_trials(1), 4.5);
}
END_TEST

/* ---- streams ----------------------------------------------------------------------------------------------------- */

enum { D = 3, LONG = 3000 };

typedef struct Tail {
    double level; /* beyond it the tail of x[0] says nothing more of the target */
    bool damaged; /* one target and one cell of 300 are -9999 or 1e9 */
} Tail;

static double tail_row(const Tail *tail, double *x)
{
    x[0] = exp(1.2 * normal());
    x[1] = normal();
    x[2] = uniform();
    return fmin(x[0], tail->level) + .4 * x[1] + .3 * normal();
}

/* Learns; returns the largest target that was right. */
static double learn_tail(StreamingLearner *model, const Tail *tail)
{
    double x[D], most = 0;
    seed = 11;
    for (int i = 0; i < LONG; i++) {
        double y = tail_row(tail, x);
        most = y > most ? y : most;
        if (tail->damaged && i % 300 == 299)
            *(i % 600 < 300 ? &y : &x[i % D]) = i % 1200 < 600 ? -9999 : 1e9;
        anb_train_one(model, x, y, 1);
    }
    return most;
}

static double said_of(StreamingLearner *model, double x0)
{
    return anb_predict(model, (double[D]){x0, 0, 0});
}

static const char *const extrapolating[] = {
    "scale(rls, trust=8)",
    "scale(linear(normalized=true), trust=8)",
    "scale(moe(rls, mean, tree, router=boa), trust=8)",
    "residual_ar(guard(scale(refine(moe(rls, mean, mlp, router=stack), linear(normalized=true)), trust=8)), last=true)",
    "auto(budget=1)",
};
enum { EXTRAPOLATING = sizeof extrapolating / sizeof *extrapolating };

START_TEST(a_tail_that_carries_the_target_goes_on)
{
    StreamingLearner *model = made(D, extrapolating[_i]);
    double most = learn_tail(model, &(Tail){INFINITY, false}), far = 1.6 * most, said = said_of(model, far);
    ck_assert_msg(fabs(said - far) < .15 * far, "%s: %g of %g, largest target %g", extrapolating[_i], said, far, most);
    ck_assert_double_le(said_of(model, 1e7), 3.5 * most);
    anb_free(model);
}
END_TEST

START_TEST(one_that_does_not_ends_at_the_range)
{
    StreamingLearner *model = made(D, extrapolating[_i]);
    double most = learn_tail(model, &(Tail){6, false}), said = said_of(model, 100);
    ck_assert_msg(said < 1.25 * most, "%s: %g, largest target %g", extrapolating[_i], said, most);
    anb_free(model);
}
END_TEST

START_TEST(wrong_numbers_do_not_lead_there)
{
    StreamingLearner *model = made(D, extrapolating[_i]);
    double most = learn_tail(model, &(Tail){INFINITY, true}), at_two = said_of(model, 2);
    ck_assert_msg(fabs(at_two - 2) < 1.5, "%s: %g of 2", extrapolating[_i], at_two);
    ck_assert_double_le(fabs(said_of(model, -9999)), 3.5 * most);
    ck_assert_double_le(fabs(said_of(model, 1e9)), 3.5 * most);
    anb_free(model);
}
END_TEST

/* Many rows at once, on two threads, and after a snapshot: the same bits where predictions leave the range. */
START_TEST(every_way_says_the_same_beyond)
{
    enum { ROWS = 20 };
    double x[ROWS * D], out[ROWS], most;
    StreamingLearner *model = made(D, extrapolating[_i]), *again;
    most = learn_tail(model, &(Tail){INFINITY, false});
    for (int i = 0; i < ROWS * D; i++)
        x[i] = i % D == 0 ? most * (.1 + .1 * i / D) : normal();
    again = reloaded(model, NULL);
    anb_predict_many(model, x, ROWS, out);
    ck_assert_int_eq(anb_use_threads(again, 2, NULL), 0);
    for (int i = 0; i < ROWS; i++) {
        double said = anb_predict(model, x + (size_t)i * D);
        ck_assert(out[i] == said && said == anb_predict(again, x + (size_t)i * D));
    }
    ck_assert_double_gt(out[ROWS - 1], 1.3 * most);
    anb_free(again);
    anb_free(model);
}
END_TEST

/* Below a link a mixture predicts another target than the model does, below residual a part of it: no outlook of the
 * model. */
START_TEST(an_outlook_is_one_of_the_whole)
{
    static const struct {
        const char *expression;
        bool known;
    } cases[] = {{"scale(refine(moe(rls, mean, router=boa), linear))", true},
                 {"scale(link(moe(rls, mean, router=boa), f=log1p))", false},
                 {"scale(residual(moe(rls, mean, router=boa), rls))", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        StreamingLearner *model = made(D, cases[i].expression);
        ck_assert(anb_node_can(&model->plan->nodes[1], ANB_CAN_FORESEE) == cases[i].known);
        anb_free(model);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("outlook");
    TCase *tests = case_of(suite, 120);
    tcase_add_test(tests, a_record_that_was_foreseen_opens);
    tcase_add_test(tests, one_that_was_not_closes);
    tcase_add_test(tests, the_edge_of_the_range_is_evidence_too);
    tcase_add_test(tests, what_was_foreseen_is_no_wrong_target);
    tcase_add_test(tests, it_stays_finite);
    tcase_add_test(tests, trials_are_measured_by_the_errors);
    tcase_add_loop_test(tests, a_tail_that_carries_the_target_goes_on, 0, EXTRAPOLATING);
    tcase_add_loop_test(tests, one_that_does_not_ends_at_the_range, 0, EXTRAPOLATING);
    tcase_add_loop_test(tests, wrong_numbers_do_not_lead_there, 0, EXTRAPOLATING);
    tcase_add_loop_test(tests, every_way_says_the_same_beyond, 0, EXTRAPOLATING);
    tcase_add_test(tests, an_outlook_is_one_of_the_whole);
    return suite;
}

CHECK_MAIN(suite)
