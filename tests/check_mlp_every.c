/* mlp(every=n): rows that share a step. */
#include "learners/mlp_state.h"
#include "concepts.h"
#include "made.h"
#include "numbers.h"
#include "reload.h"
#include "src/host/model.h"
#include "src/simd/isa.h"
#include "suite.h"

enum { D = 5, DENSE = 2000 };

/* Of the root, or of its child where that is a scale. */
static Mlp *head_of(StreamingLearner *model)
{
    const AnbNode *node = model->plan->nodes;
    while (node->type != &anb_mlp)
        node++;
    return anb_state_of(model, node);
}

/* A model that has learned the rows that have a step each, and the random numbers of those that follow. */
static StreamingLearner *dense(const char *expression, AnbRandom *random)
{
    StreamingLearner *model = made(D, expression);
    anb_random_seed(random, 7);
    run(model, random, 0, DENSE);
    return model;
}

/* The first 2,000 rows have a step each, with half of the replay; from then on every n-th row makes one. */
START_TEST(steps_are_shared_after_the_first_rows)
{
    static const char *const options[] = {"memory=300", "memory=300, dropout=0.2", "precision=single", "memory=40"};
    static const int replay[] = {2, 1, 5, 0}, again[] = {3, 2, 10, 0};
    char text[96];
    snprintf(text, sizeof text, "mlp(%s, replay=%d)", options[_i], replay[_i]);
    StreamingLearner *each = made(D, text);
    snprintf(text, sizeof text, "mlp(%s, replay=%d, every=5)", options[_i], again[_i]);
    StreamingLearner *shared = made(D, text);
    AnbRandom random;
    anb_random_seed(&random, 7);
    for (uint64_t t = 0; t < DENSE + 50; t++) {
        double x[D];
        uniform_row(&random, x, D);
        double y = concept(x, 0), f = anb_train_one(each, x, y, 1), g = anb_train_one(shared, x, y, 1);
        uint64_t later = t + 1 > DENSE ? t + 1 - DENSE : 0;
        if (t <= DENSE)
            ck_assert_double_eq(f, g);
        ck_assert_uint_eq(head_of(each)->steps, t); /* the first row has no step: its deviation is 0 */
        ck_assert_uint_eq(head_of(shared)->steps, t - later + later / 5);
        ck_assert_uint_eq(head_of(shared)->waiting, later % 5);
    }
    anb_free(each);
    anb_free(shared);
}
END_TEST

/* What the row added to a mean of squares that fades. */
static double added(const AnbFaded *before, const AnbFaded *now)
{
    return (now->mean - before->mean) * now->weight + before->mean;
}

/* Both copies' predictions of the row that was learned, f in all, as the sums for the share of the average tell: these
 * got d^2 and e d, d the difference of the outputs, e the error of the newest ones. The sign of d is the one that fits
 * e d. */
typedef struct Copies {
    double newest, averaged;
} Copies;

static Copies copies_of(const Mlp *before, const Mlp *now, double f, double y)
{
    const double fading = 0.995, sd = before->scale.sd, size = sqrt(now->spread - fading * before->spread);
    double found[2];
    for (int i = 0; i < 2; i++) {
        double d = i == 0 ? size : -size, newest = f + anb_mlp_share(before) * sd * d;
        found[i] = fabs(now->cross - fading * before->cross - (newest - y) / sd * d);
    }
    ck_assert_double_le(fmin(found[0], found[1]), 1e-12);
    double d = found[0] < found[1] ? size : -size, newest = f + anb_mlp_share(before) * sd * d;
    return (Copies){newest, newest - sd * d};
}

/* While rows wait the scale of the outputs stays as it was at the last step. Errors are in that scale; a change of
 * concept is looked for in those of the present mixture of both copies. */
START_TEST(the_scale_moves_with_a_step)
{
    AnbRandom random;
    StreamingLearner *model = dense("mlp(every=4, replay=2, memory=100)", &random);
    const Mlp *s = head_of(model);
    for (int t = 0; t < 40; t++) {
        Mlp before = *s;
        double x[D];
        uniform_row(&random, x, D);
        double y = concept(x, 0), f = anb_train_one(model, x, y, 1);
        bool step = s->waiting == 0;
        ck_assert(step == (t % 4 == 3) && step == (s->scale.mean == s->target.mean));
        ck_assert(step || (s->scale.mean == before.scale.mean && s->scale.sd == before.scale.sd));
        Copies both = copies_of(&before, s, f, y);
        double e = (anb_mlp_mixed(anb_mlp_share(s), both.newest, both.averaged) - y) / s->scale.sd;
        ck_assert_double_eq_tol(added(&before.quick, &s->quick), e * e, 1e-9);
    }
    anb_free(model);
}
END_TEST

/* A row has a step at once where the scale is far from the target's mean or deviation. */
START_TEST(a_far_scale_moves_at_once)
{
    static const double ratio[] = {20, .05, 1, 1, 10, .1, 1}, shift[] = {0, 0, 20, -20, 0, 0, 10};
    AnbRandom random;
    StreamingLearner *model = dense("mlp(every=4, replay=2, memory=100)", &random);
    Mlp *s = head_of(model);
    s->scale = (MlpScale){s->scale.mean + shift[_i] * s->scale.sd, s->scale.sd * ratio[_i]};
    run(model, &random, 0, 1);
    ck_assert_uint_eq(s->waiting, _i < 4 ? 0 : 1);
    anb_free(model);
}
END_TEST

/* Rows together have the bits of rows alone while one waits, also behind a reload. */
START_TEST(many_rows_while_one_waits)
{
    enum { N = 9 };
    AnbError error;
    AnbRandom random;
    StreamingLearner *model = dense("mlp(every=4, replay=2, memory=100)", &random), *again;
    double x[N * D], f[N];
    run(model, &random, 0, 2);
    again = reloaded(model, &error);
    for (int i = 0; i < N; i++)
        uniform_row(&random, x + (size_t)i * D, D);
    ck_assert_uint_gt(head_of(model)->waiting, 0);
    ck_assert(head_of(model)->scale.mean != head_of(model)->target.mean);
    anb_predict_many(model, x, N, f);
    for (size_t i = 0; i < N; i++) {
        ck_assert_double_eq(f[i], anb_predict(model, x + i * D));
        ck_assert_double_eq(f[i], anb_predict(again, x + i * D));
    }
    anb_free(model);
    anb_free(again);
}
END_TEST

/* Evidence for features comes from rows that wait, too. */
START_TEST(rows_that_wait_give_evidence)
{
    enum { WIDE = 20 };
    StreamingLearner *model = made(WIDE, "mlp(every=4, replay=2, memory=100)");
    const double *right = anb_field(model->plan->nodes, head_of(model), MLP_RIGHT);
    AnbRandom random;
    double x[WIDE], before;
    anb_random_seed(&random, 7);
    for (int t = 0; t < DENSE + 1; t++) {
        uniform_row(&random, x, WIDE);
        before = right[0];
        anb_train_one(model, x, concept(x, 0), 1);
    }
    ck_assert_uint_eq(head_of(model)->waiting, 1);
    ck_assert(right[0] != before);
    anb_free(model);
}
END_TEST

/* Rows wait no longer than the ring holds them. */
START_TEST(a_short_ring_holds_what_waits)
{
    AnbRandom random;
    StreamingLearner *model = dense("mlp(memory=3, replay=1, every=16)", &random);
    for (int t = 0; t < 40; t++) {
        run(model, &random, 0, 1);
        ck_assert_uint_eq(head_of(model)->waiting, (uint64_t)(t + 1) % 4);
    }
    anb_free(model);
}
END_TEST

/* A step has the mean weight of its rows: rows of weights 1 and 3 in turns learn as rows of 2, but for the target's
 * mean; without the weights of rows that waited the steps would be half as large again, or half as small. */
START_TEST(a_step_has_the_mean_weight)
{
    double moved[3];
    for (int which = 0; which < 3; which++) {
        AnbRandom random;
        StreamingLearner *model = dense("mlp(every=2, optimizer=sgd)", &random);
        double x[D] = {.5, .5, .5, .5, .5};
        double before = anb_predict(model, x);
        anb_train_one(model, x, before + 1, which == 1 ? 1 : which == 2 ? 3 : 2);
        anb_train_one(model, x, before + 1, which == 1 ? 3 : which == 2 ? 1 : 2);
        moved[which] = anb_predict(model, x) - before;
        anb_free(model);
    }
    ck_assert_double_gt(moved[0], 0);
    ck_assert_double_eq_tol(moved[1] / moved[0], 1, .05);
    ck_assert_double_eq_tol(moved[2] / moved[0], 1, .05);
}
END_TEST

/* What is predicted at a middle point after three rows of the given targets and weights, which share a step. */
static double after_three(const char *expression, const double *y, const double *weights)
{
    AnbRandom random;
    StreamingLearner *model = dense(expression, &random);
    static const double rows[3][D] = {{.1, .9, .2, .3, .4}, {.3, .4, .9, .1, .6}, {.8, .2, .5, .9, .1}};
    static const double middle[D] = {.5, .5, .5, .5, .5};
    for (int i = 0; i < 3; i++)
        anb_train_one(model, rows[i], y[i], weights[i]);
    double f = anb_predict(model, middle);
    ck_assert_uint_eq(head_of(model)->waiting, 0);
    anb_free(model);
    return f;
}

/* A row that waited is learned, the last one as well, each in proportion to its weight: the step is linear in the
 * errors, so that rows of weights 1 and 3 move as three quarters of one and one quarter of the other would. */
START_TEST(each_row_of_a_step_counts_by_its_weight)
{
    static const char expression[] = "mlp(every=3, optimizer=sgd)";
    const double equal[] = {1, 1, 1}, first[] = {3, 1, 1}, last[] = {1, 1, 3};
    double base = after_three(expression, (double[]){15, 15, 15}, equal);
    double by_first = after_three(expression, (double[]){16, 15, 15}, equal) - base;
    double by_last = after_three(expression, (double[]){15, 15, 16}, equal) - base;
    ck_assert_double_gt(fabs(by_first), 1e-6);
    ck_assert_double_gt(fabs(by_last), 1e-6);
    const double *const w[] = {first, last};
    double moved[2];
    for (int i = 0; i < 2; i++)
        moved[i] = after_three(expression, (double[]){16, 15, 15}, w[i]) -
                   after_three(expression, (double[]){15, 15, 15}, w[i]);
    ck_assert_double_eq_tol(moved[0] / moved[1], 3, .1);
    ck_assert_double_eq_tol(moved[1] / by_first, 1, .1);
}
END_TEST

/* The same bits on every instruction set, also while rows share steps. */
START_TEST(every_instruction_set_gives_the_same)
{
    static const char *const expressions[] = {"scale(mlp(replay=4, every=4))",
                                              "scale(mlp(replay=4, every=4, precision=single, activation=gelu))"};
    AnbIsa before = anb_isa_in_use();
    double said = ANB_NAN;
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        StreamingLearner *model = made(D, expressions[_i]);
        AnbRandom random;
        anb_random_seed(&random, 5);
        double sum = run(model, &random, 0, DENSE + 600);
        ck_assert(isnan(said) || sum == said);
        said = sum;
        anb_free(model);
    }
    anb_isa_use(before);
}
END_TEST

/* Evidence is of rows, whether they shared a step or not: as near to what a step a row finds. */
START_TEST(evidence_is_of_rows)
{
    enum { WIDE = 20 };
    StreamingLearner *model = made(WIDE, "mlp(every=16)");
    AnbRandom random;
    anb_random_seed(&random, 5);
    for (int t = 0; t < DENSE + 160; t++) {
        double x[WIDE];
        uniform_row(&random, x, WIDE);
        anb_train_one(model, x, x[0] - x[1], 1);
    }
    const Mlp *s = head_of(model);
    ck_assert_uint_eq(s->waited, 150);
    ck_assert_uint_eq(s->steps + s->waited + 1, DENSE + 160); /* the first row has no step */
    anb_free(model);
}
END_TEST

static double concept_row(uint64_t *seed, double *x)
{
    for (int j = 0; j < D; j++)
        x[j] = uniform_of(seed);
    return concept(x, 0);
}

START_TEST(snapshots_hold_the_rows_that_wait)
{
    uint64_t draws = 3;
    StreamingLearner *model = made(D, "scale(mlp(replay=3, memory=40, every=7, precision=single))");
    for (int t = 0; t < DENSE; t++) {
        double x[D], y = concept_row(&draws, x);
        anb_train_one(model, x, y, 1);
    }
    for (int i = 0; i < 12; i++)
        assert_reload_goes_on(model, 9, concept_row, &draws);
    anb_free(model);
}
END_TEST

/* More rows wait than `every` lets wait, or than the ring holds. */
START_TEST(snapshots_with_too_many_waiting_are_refused)
{
    AnbRandom random;
    AnbError error;
    StreamingLearner *model = dense(_i == 0 ? "mlp(every=7)" : "mlp(memory=3, replay=1, every=16)", &random);
    head_of(model)->waiting = _i == 0 ? 7 : 4;
    ck_assert_ptr_null(reloaded(model, &error));
    ck_assert_int_eq(error.code, ANB_E_STATE);
    ck_assert_ptr_nonnull(strstr(error.message, "mlp"));
    anb_free(model);
}
END_TEST

/* With four new rows in a step and the replay of four steps the error is that of a step a row. */
START_TEST(shared_steps_learn_as_well)
{
    StreamingLearner *each = made(D, "scale(mlp(replay=4, memory=1000))"),
                     *shared = made(D, "scale(mlp(replay=16, memory=1000, every=4))");
    AnbRandom random, again;
    anb_random_seed(&random, 11);
    anb_random_seed(&again, 11);
    run(each, &random, 0, 6000);
    run(shared, &again, 0, 6000);
    double of_each = run(each, &random, 0, 3000), of_shared = run(shared, &again, 0, 3000);
    ck_assert_msg(of_shared < 1.1 * of_each, "each %g, shared %g", of_each, of_shared);
    anb_free(each);
    anb_free(shared);
}
END_TEST

/* After a change of concept no row waits until 2,000 are learned again; the row that showed it has the step of the next
 * one where it waited. */
START_TEST(a_change_of_concept_makes_steps_dense)
{
    StreamingLearner *model = made(D, "scale(mlp(hidden=16, replay=4, every=16))");
    AnbRandom random;
    anb_random_seed(&random, 17);
    run(model, &random, 0, 5000);
    uint64_t drifts = anb_counters(model)->drifts, waited;
    for (int t = 0; t < 1000 && anb_counters(model)->drifts == drifts; t++)
        run(model, &random, 1, 1);
    ck_assert_uint_gt(anb_counters(model)->drifts, drifts);
    ck_assert_uint_le(head_of(model)->waiting, 1);
    waited = head_of(model)->waited;
    for (int t = 0; t < 1500; t++) {
        ck_assert_uint_eq(head_of(model)->waited, waited);
        run(model, &random, 1, 1);
    }
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("mlp_every");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, steps_are_shared_after_the_first_rows, 0, 4);
    tcase_add_test(tests, the_scale_moves_with_a_step);
    tcase_add_loop_test(tests, a_far_scale_moves_at_once, 0, 7);
    tcase_add_test(tests, many_rows_while_one_waits);
    tcase_add_test(tests, rows_that_wait_give_evidence);
    tcase_add_test(tests, a_short_ring_holds_what_waits);
    tcase_add_test(tests, a_step_has_the_mean_weight);
    tcase_add_test(tests, each_row_of_a_step_counts_by_its_weight);
    tcase_add_loop_test(tests, every_instruction_set_gives_the_same, 0, 2);
    tcase_add_test(tests, evidence_is_of_rows);
    tcase_add_test(tests, snapshots_hold_the_rows_that_wait);
    tcase_add_loop_test(tests, snapshots_with_too_many_waiting_are_refused, 0, 2);
    tcase_add_test(tests, shared_steps_learn_as_well);
    tcase_add_test(tests, a_change_of_concept_makes_steps_dense);
    return suite;
}

CHECK_MAIN(suite)
