/* Single numbers of a state, changed under a right checksum to what no samples lead to: the type's own check refuses
 * them. */
#include "src/numeric/conformal.h"
#include "reload.h"
#include "src/host/bytes.h"
#include "src/host/model.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <float.h>

enum { D = 3 };

/* ---- a field of a state ------------------------------------------------------------------------------------------ */

typedef struct Place {
    AnbVisitor visitor;
    size_t skip, count;
    AnbScalar kind;
    void *data;
} Place;

static void pass(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Place *p = (Place *)visitor;
    if (p->skip-- == 0) {
        p->data = data;
        p->kind = kind;
        p->count = count;
    }
}

/* The field of that number in the order in which the node shows them. */
static void *field_of(const StreamingLearner *model, size_t node, size_t field, AnbScalar kind, size_t at)
{
    const AnbNode *n = &model->plan->nodes[node];
    Place p = {.visitor = {pass}, .skip = field};
    anb_visit_own(n, anb_state_of(model, n), &p.visitor);
    ck_assert_msg(p.data && p.kind == kind && at < p.count, "%s has no such field %zu", anb_expression(model), field);
    return p.data;
}

static double *real_at(const StreamingLearner *model, size_t node, size_t field, size_t at)
{
    return (double *)field_of(model, node, field, ANB_F64, at) + at;
}

static int code_of(const StreamingLearner *model)
{
    AnbError error = {0};
    StreamingLearner *again = reloaded(model, &error);
    anb_free(again);
    return again ? 0 : error.code;
}

static StreamingLearner *learned(const char *expression, size_t n)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(D, expression, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", expression, error.message);
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
    size_t learned, field, at;
    double value;
} reals[] = {{"interval(last)", 1100, 3, 500, 77},  /* a score that arrived, but is not among the sorted ones */
             {"interval(last)", 1100, 4, 999, 1e9}, /* a sorted one that never arrived */
             {"sgbt(window=64, trees=3, depth=2, budget=1000)", 300, 4, 1, HUGE_VAL},
             {"sgbt(window=64, trees=3, depth=2, budget=1000)", 300, 4, 1, -1},
             {"moe(last, sgbt(window=64, trees=2, depth=1), router=boa)", 300, 7, 2, -.5},
             {"rls(adaptive=true)", 300, 7, 0, HUGE_VAL},
             {"rls(adaptive=true)", 300, 7, 0, ANB_NAN},
             {"rls(adaptive=true)", 300, 7, 0, -1},
             {"scale(last)", 300, 3, 0, -1}, /* a count of cells */
             {"drift(last)", 300, 1, 0, -1},
             {"pending(last, capacity=4)", 20, 4, 0, ANB_NAN},  /* what was answered */
             {"pending(last, capacity=4)", 20, 4, 1, HUGE_VAL}, /* its sigma */
             {"pending(last, capacity=4)", 20, 4, 1, -1},
             {"pending(last, capacity=4)", 20, 4, 3, ANB_NAN},    /* the first level's limit */
             {"pending(last, capacity=4)", 20, 4, 11, HUGE_VAL},  /* what it had asked */
             {"pending(last, capacity=4)", 20, 4, 20, -HUGE_VAL}, /* a cell */
             {"knn(window=20, k=3)", 300, 8, 3, DBL_MAX}, /* a target that the others' squares could not have borne */
             {"knn(window=20, k=3)", 300, 8, 3, -DBL_MAX}};

START_TEST(numbers_that_no_samples_lead_to_are_refused)
{
    StreamingLearner *model = learned(reals[_i].expression, reals[_i].learned);
    *real_at(model, 0, reals[_i].field, reals[_i].at) = reals[_i].value;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* Any one number that is none: the file is refused, or the model that comes of it answers numbers all the same. */
static const char *const forms[] = {"linear(normalized=true)",
                                    "rls(adaptive=true, walk=1)",
                                    "scale(mlp(hidden=3, memory=16, replay=2))",
                                    "tree",
                                    "tree(leaf=rls)",
                                    "forest(trees=2, leaf=linear)",
                                    "sgbt(window=64, trees=3, depth=2, budget=1000)",
                                    "guard(residual_ar(rff(rls, features=4)))",
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

/* The first, the last and one real between of a field, each put back behind it. 0: there is no such field. */
static size_t disturb(StreamingLearner *model, const char *where, size_t node, size_t field)
{
    static const double values[] = {NAN, HUGE_VAL, -HUGE_VAL};
    const AnbNode *n = &model->plan->nodes[node];
    Place p = {.visitor = {pass}, .skip = field};
    if (n->type->fields || n->type->ranges)
        anb_visit_own(n, anb_state_of(model, n), &p.visitor);
    for (size_t i = 0; p.data && p.kind == ANB_F64 && i < 9; i++) {
        size_t which = i / 3 == 0 ? 0 : i / 3 == 1 ? p.count - 1 : (field * 7 + 3) % p.count;
        double *at = (double *)p.data + which, old = *at;
        *at = values[i % 3];
        answers_numbers(reloaded(model, NULL), where, node, field, *at);
        *at = old;
    }
    return p.data ? 1 : 0;
}

START_TEST(no_real_of_a_file_makes_answers_that_are_none)
{
    StreamingLearner *model = learned(forms[_i], 700);
    for (size_t node = 0; node < model->plan->n_nodes; node++)
        for (size_t field = 0; field < 120 && disturb(model, forms[_i], node, field); field++)
            continue;
    anb_free(model);
}
END_TEST

/* ---- counts ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *expression;
    size_t learned, field;
} rings[] = {{"interval(last)", 1100, 2},
             {"pending(last, capacity=4)", 20, 0},
             {"drift(last, detector=kswin)", 300, 8},
             {"knn(window=20, k=3)", 300, 0},
             {"mlp(hidden=2, memory=10, replay=1)", 300, 1}};

START_TEST(rings_that_would_wrap_are_refused)
{
    StreamingLearner *model = learned(rings[_i].expression, rings[_i].learned);
    *(uint64_t *)field_of(model, 0, rings[_i].field, ANB_U64, 0) |= UINT64_C(1) << 62;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* Before the first mark there are no bins of arrivals to settle a block by. */
START_TEST(an_unsettled_block_needs_a_mark)
{
    enum { WINDOW = 6, GAP = 4, UNSETTLED = 17 };
    StreamingLearner *model = learned("sgbt(window=64, trees=3, depth=2, budget=1000)", 5);
    ck_assert_uint_eq(((uint64_t *)field_of(model, 0, WINDOW, ANB_U64, GAP))[GAP], 0);
    *(uint8_t *)field_of(model, 0, UNSETTLED, ANB_U8, 0) = 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* A sample that is being gathered has no work behind it, and no nodes that wait: growing would begin outside of them.
 */
START_TEST(a_tree_that_is_not_begun_has_nothing_done)
{
    enum { WAITING = 0, PHASE, CURSOR = 5, N = 8, ADDING = 0 };
    StreamingLearner *model = learned("sgbt(window=64, trees=3, depth=2, budget=1000)", 5);
    size_t field = 0;
    uint32_t *counts = NULL;
    for (Place p; !counts; field++) { /* eight counts in a row: the grower's */
        const AnbNode *node = &model->plan->nodes[0];
        p = (Place){.visitor = {pass}, .skip = field};
        anb_visit_own(node, anb_state_of(model, node), &p.visitor);
        ck_assert_ptr_nonnull(p.data);
        counts = p.kind == ANB_U32 && p.count == N ? p.data : NULL;
    }
    ck_assert_uint_eq(counts[PHASE], ADDING);
    counts[CURSOR] = 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    counts[CURSOR] = 0;
    ck_assert_int_eq(code_of(model), 0);
    counts[WAITING] = 1;
    ck_assert_int_eq(code_of(model), ANB_E_STATE);
    anb_free(model);
}
END_TEST

/* ---- rows that wait ---------------------------------------------------------------------------------------------- */

/* A slot that no id leads to would never be freed, and the searches of a full index never end. */
START_TEST(every_slot_of_the_index_is_found_by_its_id)
{
    enum { INDEX = 5, SLOTS = 16 };
    static const double x[D] = {1, 2, 3};
    StreamingLearner *model = learned("pending(last, capacity=4)", 0);
    anb_predict_pending(model, 5, x);
    anb_predict_pending(model, 5, x);
    uint32_t *index = field_of(model, 0, INDEX, ANB_U32, SLOTS - 1);
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
    *real_at(model, 0, 4, sizeof(AnbAnswer) / sizeof(double)) = ANB_NAN;
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
    static AnbScores scores;
    for (size_t i = 0; i < ANB_SCORES; i++)
        anb_scores_add(&scores, 1);
    for (size_t i = 0; i < ANB_SCORES; i++)
        scores.arrived[i] = 2;
    ck_assert(!anb_scores_valid(&scores));
    for (size_t i = 0; i < ANB_SCORES; i++)
        anb_scores_add(&scores, 3);
    ck_assert_double_eq(scores.sorted[0], 1);
    ck_assert_double_eq(scores.sorted[ANB_SCORES - 2], 1);
    ck_assert_double_eq(scores.sorted[ANB_SCORES - 1], 3);
    ck_assert_double_eq(anb_scores_quantile(&scores, ANB_NAN), 0);
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
    StreamingLearner *model = anb_parse(D, "interval(last, coverage=[1e-6, 0.999999])", NULL, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
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
    tcase_add_loop_test(tests, rings_that_would_wrap_are_refused, 0, sizeof rings / sizeof *rings);
    tcase_add_test(tests, an_unsettled_block_needs_a_mark);
    tcase_add_test(tests, a_tree_that_is_not_begun_has_nothing_done);
    tcase_add_loop_test(tests, no_real_of_a_file_makes_answers_that_are_none, 0, FORMS);
    tcase_add_test(tests, every_slot_of_the_index_is_found_by_its_id);
    tcase_add_test(tests, a_missing_cell_that_cannot_be_learned_leaves_its_row_waiting);
    tcase_add_test(tests, scores_that_do_not_match_stay_in_their_lists);
    tcase_add_test(tests, weights_that_all_vanish_start_again);
    tcase_add_test(tests, coverages_keep_away_from_their_bounds);
    return suite;
}

CHECK_MAIN(suite)
