/* Single numbers of a state, changed under a right checksum to what no samples lead to: the type's own check refuses
 * them. */
#include "src/numeric/conformal.h"
#include "src/numeric/scores.h"
#include "src/numeric/sizes.h"
#include "learners/boost/tree_builder.h"
#include "reload.h"
#include "state_field.h"
#include "src/host/bytes.h"
#include "src/host/model.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <float.h>
#include <stdio.h>

enum { D = 3 };

static int code_of(const StreamingLearner *model)
{
    AnbError error = {0};
    StreamingLearner *again = reloaded(model, &error);
    anb_free(again);
    return again ? 0 : error.code;
}

static StreamingLearner *learned(const char *expression, size_t n)
{
    StreamingLearner *model = made(D, expression);
    for (size_t t = 0; t < n; t++) {
        double x[D] = {(double)(t * 7 % 11) - 5, (double)(t * 5 % 13), (double)(t % 3)};
        anb_predict_pending(model, t, x);
        anb_train_one(model, x, x[0] + (double)(t % 5), 1);
    }
    ck_assert_int_eq(code_of(model), 0);
    return model;
}

/* ---- reals ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *expression;
    size_t learned;
    const char *field;
    size_t at;
    double value;
} reals[] = {{"sgbt(window=64, trees=3, depth=2, budget=1000)", 300, "importance", 1, HUGE_VAL},
             {"sgbt(window=64, trees=3, depth=2, budget=1000)", 300, "importance", 1, -1},
             {"sgbt(window=64, trees=3, depth=2, budget=1000)", 300, "caution", 0, -.5},
             {"sgbt(window=64, trees=3, depth=2, budget=1000)", 300, "caution", 0, 5.5},
             {"moe(last, sgbt(window=64, trees=2, depth=1), router=boa)", 300, "importance", 2, -.5},
             {"rls(adaptive=true)", 300, "base", 0, HUGE_VAL},
             {"rls(adaptive=true)", 300, "base", 0, ANB_NAN},
             {"rls(adaptive=true)", 300, "base", 0, -1},
             {"guard(last, mean)", 300, "rivals", 3, 600},      /* a count of rows */
             {"guard(last, mean)", 300, "rivals", 5, 0x1p1000}, /* a sum of squares */
             {"scale(last)", 300, "frame", 0, -1},              /* a count of cells */
             {"drift(last)", 300, "better", 0, -1},
             {"pending(last, capacity=4)", 20, "row", 0, ANB_NAN},   /* what was answered */
             {"pending(last, capacity=4)", 20, "row", 1, -HUGE_VAL}, /* a cell */
             {"pending(interval(last), capacity=4)", 20, "row", 0, ANB_NAN},
             {"pending(interval(last), capacity=4)", 20, "row", 1, HUGE_VAL}, /* its sigma */
             {"pending(interval(last), capacity=4)", 20, "row", 1, -1},
             {"pending(interval(last), capacity=4)", 20, "row", 3, ANB_NAN},   /* the first level's limit */
             {"pending(interval(last), capacity=4)", 20, "row", 6, HUGE_VAL},  /* what it had asked */
             {"pending(interval(last), capacity=4)", 20, "row", 9, -HUGE_VAL}, /* a cell */
             {"knn(window=20, k=3)", 300, "y", 3, DBL_MAX}, /* a target that the others' squares could not have borne */
             {"knn(window=20, k=3)", 300, "y", 3, -DBL_MAX},
             {"knn(window=20, k=3)", 300, "reach", 0, 1e200},
             {"knn(window=20, k=3)", 300, "inverse", D, 2}, /* of time */
             {"knn(window=20, k=3)", 300, "origin", D, 1},
             {"mlp(hidden=3, memory=16, replay=2)", 300, "pulls", 0, -1e200},
             {"mlp(hidden=3, memory=16, replay=2)", 300, "pulls", D, -1},        /* a mean square */
             {"mlp(hidden=3, memory=16, replay=2)", 300, "weights", 2 * 48, -1}, /* a mean square, of Adam */
             {"mlp(hidden=3, memory=16, replay=2)", 300, "inverse", 1, 1e-300},
             {"mlp(hidden=3, memory=16, replay=2)", 300, "origin", 1, 1e200},
             {"additive(cells=3, pairs=1)", 300, "unit", 0, 1e30},
             {"additive(cells=3, pairs=1)", 300, "level", 0, 1e-300},
             {"additive(cells=3, pairs=1)", 300, "p", 0, 1e30},
             {"additive(cells=3, pairs=1)", 300, "lift", 1, 1e30},
             {"additive(cells=3, pairs=1)", 300, "lift", 1, .1}};

START_TEST(numbers_that_no_samples_lead_to_are_refused)
{
    StreamingLearner *model = learned(reals[_i].expression, reals[_i].learned);
    *real_at(model, 0, reals[_i].field, reals[_i].at) = reals[_i].value;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* One number made infinite or NaN: the file is refused, or the model that comes of it answers numbers all the same. */
static const char *const forms[] = {"linear(normalized=true)",
                                    "rls(adaptive=true, walk=1)",
                                    "scale(mlp(hidden=3, memory=16, replay=2))",
                                    "scale(mlp(hidden=3, memory=16, replay=2, precision=single))",
                                    "tree",
                                    "tree(leaf=rls)",
                                    "forest(trees=2, leaf=linear)",
                                    "sgbt(window=64, trees=3, depth=2, budget=1000)",
                                    "extra_trees(window=16, trees=2, budget=40)",
                                    "additive(cells=3, pairs=1)",
                                    "guard(residual_ar(rff(rls, features=4)))",
                                    "guard(scale(linear), rls, linear(normalized=true), last)",
                                    "interval(drift(scale(linear), detector=kswin))",
                                    "drift(last, detector=page_hinkley)",
                                    "moe(linear, mean, router=linear(explore=true, standardize=true, z_loss=0.1))",
                                    "refine(moe(linear, mean, router=blend(wide=true)), linear)",
                                    "residual(moe(linear, mean, router=softmax), moe(last, mean, router=stack))"};
enum { FORMS = sizeof forms / sizeof *forms };

static void answers_numbers(StreamingLearner *model, const char *where, size_t node, size_t field, double value)
{
    for (size_t t = 0; model && t < 60; t++) {
        double x[D] = {(double)(t * 7 % 11) - 5, (double)(t * 5 % 13), (double)(t % 3)};
        double f = anb_predict(model, x), g = anb_train_one(model, x, x[0], 1);
        ck_assert_msg(f - f == 0 && g - g == 0, "%s: node %zu, field %zu: %g makes %g, %g", where, node, field, value,
                      f, g);
    }
    anb_free(model);
}

/* The first, the last and one real between of a field, each put back behind it. */
static void disturb(StreamingLearner *model, const char *where, size_t node, size_t field, const Place *p)
{
    static const double values[] = {NAN, HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; p->kind == ANB_F64 && i < 9; i++) {
        size_t which = i / 3 == 0 ? 0 : i / 3 == 1 ? p->count - 1 : (field * 7 + 3) % p->count;
        double *at = (double *)p->data + which, old = *at;
        *at = values[i % 3];
        answers_numbers(reloaded(model, NULL), where, node, field, *at);
        *at = old;
    }
}

/* The field of that number, where it is one of the first two of its name. 0: there is no such field. */
static size_t disturb_new(StreamingLearner *model, const char *where, size_t node, size_t field)
{
    const AnbNode *n = &model->plan->nodes[node];
    Place p = {.visitor = {.field = pass}, .skip = field}, second;
    anb_visit_own(n, anb_state_of(model, n), &p.visitor);
    if (!p.data)
        return 0;
    second = (Place){.visitor = {.field = pass}, .name = p.found, .skip = 2};
    anb_visit_own(n, anb_state_of(model, n), &second.visitor);
    if (!second.data || (char *)p.data < (char *)second.data || field < 20)
        disturb(model, where, node, field, &p);
    return 1;
}

START_TEST(no_invalid_real_of_a_file_makes_invalid_answers)
{
    StreamingLearner *model = learned(forms[_i], 700);
    for (size_t node = 0; node < model->plan->n_nodes; node++)
        for (size_t field = 0; field < 300 && disturb_new(model, forms[_i], node, field); field++)
            continue;
    anb_free(model);
}
END_TEST

/* The same of a field behind one of another part. */
static const struct {
    const char *expression, *after, *field;
    double value;
} behind[] = {{"season(last, longest=32)", "pushed", "unit", 1e-300},
              {"season(last, longest=32)", "pushed", "weight", 1e200}, /* of a row in sums of floats */
              {"drift(last, detector=page_hinkley)", "better", "n", -1},
              {"jumps(last)", "seen", "seen", 1e-300}};

START_TEST(numbers_of_parts_that_no_samples_lead_to_are_refused)
{
    StreamingLearner *model = learned(behind[_i].expression, 700);
    *(double *)field_after(model, 0, behind[_i].after, behind[_i].field, ANB_F64, 0) = behind[_i].value;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* Floats that learning never makes: in sums of them the next row would leave the floats. */
START_TEST(floats_that_no_samples_lead_to_are_refused)
{
    static const char *const fields[] = {"recent", "errors", "square", "cross", "own"};
    StreamingLearner *model = learned("season(last, longest=32)", 700);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        float *at = (float *)field_of(model, 0, fields[i], ANB_F32, 0) + i, old = *at;
        *at = i % 2 ? FLT_MAX : -FLT_MAX;
        ck_assert_int_eq(code_of(model), ANB_E_STATE);
        *at = old;
    }
    ck_assert_int_eq(code_of(model), 0);
    anb_free(model);
}
END_TEST

/* Types whose checks leave nothing that a few rows more make invalid: what is saved then loads again. */
static const char *const lasting[] = {
    "season(last, longest=32)",           "knn(window=20, k=3)",
    "knn(window=100, k=3, coarse=2)",     "jumps(mean)",
    "mlp(hidden=3, memory=16, replay=2)", "mlp(hidden=3, memory=16, replay=2, precision=single)",
    "drift(last, detector=page_hinkley)", "additive(cells=3, pairs=1)"};

static void lasts(StreamingLearner *model, const char *where, const char *field, double value)
{
    for (size_t t = 0; model && t < 100; t++) {
        double x[D] = {(double)(t * 7 % 11) - 5, (double)(t * 5 % 13), (double)(t % 3)};
        anb_train_one(model, x, x[0], 1);
        if (t == 0 || t == 10 || t == 40 || t == 99)
            ck_assert_msg(code_of(model) == 0, "%s: %s %g, %zu rows on", where, field, value, t + 1);
    }
    anb_free(model);
}

static void replace_cell(const Place *p, size_t which, double value, double *old)
{
    double *real = p->data;
    float *single = p->data;
    if (p->kind == ANB_F64) {
        *old = real[which];
        real[which] = value;
    } else {
        *old = (double)single[which];
        single[which] = (float)value;
    }
}

START_TEST(what_a_file_makes_can_be_saved_and_loaded)
{
    static const double values[] = {DBL_MAX, -DBL_MAX, 1e200, -1e200, 1e30, -1e30, 1e-300};
    StreamingLearner *model = learned(lasting[_i], 700);
    for (size_t field = 0; field < 100; field++) {
        const AnbNode *n = &model->plan->nodes[0];
        Place p = {.visitor = {.field = pass}, .skip = field};
        double old, unused;
        anb_visit_own(n, anb_state_of(model, n), &p.visitor);
        for (size_t i = 0; p.data && p.count > 0 && (p.kind == ANB_F64 || p.kind == ANB_F32) && i < 21; i++) {
            size_t which = i / 7 == 0 ? 0 : i / 7 == 1 ? p.count - 1 : (field * 7 + 3) % p.count;
            double value = p.kind == ANB_F64 ? values[i % 7] : fmax(fmin(values[i % 7], FLT_MAX), -FLT_MAX);
            replace_cell(&p, which, value, &old);
            lasts(reloaded(model, NULL), lasting[_i], p.found, value);
            replace_cell(&p, which, old, &unused);
        }
    }
    anb_free(model);
}
END_TEST

/* ---- counts ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *expression;
    size_t learned;
} rings[] = {{"interval(last)", 1100},
             {"pending(last, capacity=4)", 20},
             {"drift(last, detector=kswin)", 300},
             {"knn(window=20, k=3)", 300},
             {"mlp(hidden=2, memory=10, replay=1)", 300}};

START_TEST(rings_that_would_wrap_are_refused)
{
    StreamingLearner *model = learned(rings[_i].expression, rings[_i].learned);
    *(uint64_t *)field_of(model, 0, "pushed", ANB_U64, 0) |= UINT64_C(1) << 62;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* Before the first mark there are no bins of arrivals to settle a block by. */
START_TEST(an_unsettled_block_needs_a_mark)
{
    StreamingLearner *model = learned("sgbt(window=64, trees=3, depth=2, budget=1000)", 5);
    ck_assert_uint_eq(*(uint64_t *)field_of(model, 0, "gap", ANB_U64, 0), 0);
    *(uint8_t *)field_of(model, 0, "unsettled", ANB_U8, 0) = 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* A sample that is being gathered has no work behind it, and no nodes that wait: growing would begin outside
 * of them. */
START_TEST(a_tree_that_is_not_begun_has_nothing_done)
{
    StreamingLearner *model = learned("sgbt(window=64, trees=3, depth=2, budget=1000)", 5);
    uint32_t *waiting = field_of(model, 0, "n_waiting", ANB_U32, 0);
    uint32_t *cursor = field_after(model, 0, "n_waiting", "cursor", ANB_U32, 0);
    ck_assert_uint_eq(*(uint32_t *)field_after(model, 0, "n_waiting", "phase", ANB_U32, 0), ANB_BUILD_ADDING);
    *cursor = 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    *cursor = 0;
    ck_assert_int_eq(code_of(model), 0);
    *waiting = 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* ---- rows that wait ---------------------------------------------------------------------------------------------- */

/* A slot that no id leads to would never be freed, and the searches of a full index never end. */
START_TEST(every_slot_of_the_index_is_found_by_its_id)
{
    enum { SLOTS = 16 };
    static const double x[D] = {1, 2, 3};
    StreamingLearner *model = learned("pending(last, capacity=4)", 0);
    anb_predict_pending(model, 5, x);
    anb_predict_pending(model, 5, x);
    uint16_t *index = field_of(model, 0, "index", ANB_U16, SLOTS - 1);
    ck_assert_int_eq(code_of(model), 0);
    for (size_t i = 0; i < SLOTS; i++)
        if (!index[i]) {
            index[i] = 1;
            ck_assert_int_eq(code_of(model), ANB_E_STATE);
            index[i] = 0;
        }
    anb_free(model);
}
END_TEST

START_TEST(a_missing_cell_that_cannot_be_learned_leaves_its_row_waiting)
{
    static const double x[D] = {1, 2, 3};
    StreamingLearner *model = learned("pending(linear, capacity=4)", 0);
    anb_predict_pending(model, 5, x);
    *real_at(model, 0, "row", 1) = ANB_NAN; /* behind the prediction */
    double f = anb_learn_label(model, 5, 1, 1);
    ck_assert(f != f);
    ck_assert_uint_eq(anb_counters(model)->rejected_features, 1);
    ck_assert_uint_eq(anb_counters(model)->trained, 0);
    ck_assert_int_eq(anb_pending_fate(model, 5), ANB_PENDING_WAITING);
    f = anb_predict(model, x);
    ck_assert_double_eq(f, 0);
    anb_free(model);
}
END_TEST

/* ---- intervals --------------------------------------------------------------------------------------------------- */

START_TEST(scores_that_do_not_match_stay_in_their_lists)
{
    enum { WINDOW = 1000 };
    static double memory[2 * WINDOW];
    AnbScores scores = anb_scores_at(memory, WINDOW);
    for (size_t i = 0; i < WINDOW; i++)
        anb_scores_add(&scores, 1);
    for (size_t i = 0; i < WINDOW; i++)
        scores.arrived[i] = i % 2 ? 2 : 0;
    ck_assert(!anb_scores_valid(&scores));
    for (size_t i = 0; i < WINDOW; i++)
        anb_scores_add(&scores, 3);
    ck_assert(anb_scores_valid(&scores));
    ck_assert_double_eq(anb_scores_between(&scores, 1e-6), 3);
    memset(scores.order, 0, WINDOW * sizeof *scores.order);
    ck_assert(!anb_scores_valid(&scores));
    for (size_t i = 0; i < WINDOW; i++)
        anb_scores_add(&scores, (double)i);
    for (size_t i = 0; i < WINDOW; i++)
        ck_assert_uint_lt(scores.order[i], WINDOW);
}
END_TEST

/* A score that arrived, but is not among the sorted ones; a sorted one that never arrived; more kept than
 * were shown. */
START_TEST(scores_that_no_samples_lead_to_are_refused)
{
    StreamingLearner *model = learned("interval(last)", 1500);
    ((uint16_t *)field_of(model, 0, "arrived", ANB_U16, 500))[500] += 77;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    ((uint16_t *)field_of(model, 0, "arrived", ANB_U16, 500))[500] -= 77;
    ck_assert_int_eq(code_of(model), 0);
    ((uint16_t *)field_of(model, 0, "sorted", ANB_U16, 599))[599] = UINT16_MAX;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
    model = learned("interval(last)", 1500);
    *(uint64_t *)field_of(model, 0, "shown", ANB_U64, 0) = 10;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
    model = learned("quantile(last)", 1500);
    ((uint16_t *)field_of(model, 0, "order", ANB_U16, 9))[9] += 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

START_TEST(sizes_that_do_not_match_stay_in_their_lists)
{
    enum { WINDOW = 1000 };
    static double memory[WINDOW];
    AnbSizes sizes = anb_sizes_at(memory, WINDOW);
    for (size_t i = 0; i < WINDOW; i++)
        anb_sizes_add(&sizes, 1);
    for (size_t i = 0; i < WINDOW; i++)
        sizes.arrived[i] = UINT16_MAX;
    ck_assert(!anb_sizes_valid(&sizes));
    for (size_t i = 0; i < 2 * WINDOW; i++)
        anb_sizes_add(&sizes, 3);
    ck_assert_double_eq(anb_sizes_quantile(&sizes, .001), 1);
    ck_assert_double_eq(anb_sizes_quantile(&sizes, 1), 3);
    ck_assert_double_eq(anb_sizes_quantile(&sizes, ANB_NAN), 0);
    ck_assert(!anb_sizes_valid(&sizes));
}
END_TEST

START_TEST(weights_that_all_vanish_start_again)
{
    AnbAdaptive adaptive;
    anb_adaptive_init(&adaptive, 1e-6);
    for (int k = 0; k < ANB_STEPS; k++)
        adaptive.alpha[k] = 1;
    anb_adaptive_add(&adaptive, 1e-6, 0, 0);
    ck_assert(anb_adaptive_valid(&adaptive));
}
END_TEST

START_TEST(coverages_keep_away_from_their_bounds)
{
    AnbError error = {0};
    StreamingLearner *model = made(D, "interval(last, coverage=[1e-6, 0.999999])");
    anb_free(model);
    ck_assert_ptr_null(anb_parse(D, "interval(last, coverage=[1e-17])", NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    ck_assert_ptr_null(anb_parse(D, "interval(last, coverage=[0.99999999])", NULL, &error));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("damage");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, numbers_that_no_samples_lead_to_are_refused, 0, sizeof reals / sizeof *reals);
    tcase_add_loop_test(tests, numbers_of_parts_that_no_samples_lead_to_are_refused, 0, sizeof behind / sizeof *behind);
    tcase_add_test(tests, floats_that_no_samples_lead_to_are_refused);
    tcase_add_loop_test(tests, what_a_file_makes_can_be_saved_and_loaded, 0, sizeof lasting / sizeof *lasting);
    tcase_add_loop_test(tests, rings_that_would_wrap_are_refused, 0, sizeof rings / sizeof *rings);
    tcase_add_test(tests, an_unsettled_block_needs_a_mark);
    tcase_add_test(tests, a_tree_that_is_not_begun_has_nothing_done);
    tcase_add_loop_test(tests, no_invalid_real_of_a_file_makes_invalid_answers, 0, FORMS);
    tcase_add_test(tests, every_slot_of_the_index_is_found_by_its_id);
    tcase_add_test(tests, a_missing_cell_that_cannot_be_learned_leaves_its_row_waiting);
    tcase_add_test(tests, scores_that_do_not_match_stay_in_their_lists);
    tcase_add_test(tests, scores_that_no_samples_lead_to_are_refused);
    tcase_add_test(tests, sizes_that_do_not_match_stay_in_their_lists);
    tcase_add_test(tests, weights_that_all_vanish_start_again);
    tcase_add_test(tests, coverages_keep_away_from_their_bounds);
    return suite;
}

CHECK_MAIN(suite)
