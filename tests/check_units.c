/* What any learner or router keeps in units of its features follows a change of their units (reframe in type.h). */
#include "made.h"
#include "zoo.h"
#include "src/host/model.h"
#include <anabranch/drift.h>
#include <math.h>
#include <string.h>

enum { ROWS = 700, D = ZOO_FEATURES };

/* A node that is given rows without what stands above it. */
typedef struct Driven {
    StreamingLearner *model;
    const AnbNode *node;
    AnbRoom room;
} Driven;

/* The root, or what a scale at the root holds. */
static Driven driven(StreamingLearner *model)
{
    const AnbNode *root = model->plan->nodes;
    return (Driven){.model = model, .node = strcmp(root->type->name, "scale") == 0 ? &root->children[0] : root};
}

static void *state_of(const Driven *at)
{
    return anb_state_of(at->model, at->node);
}

static double *scratch_of(Driven *at)
{
    return anb_scratch_in(at->model, &at->room) + anb_node_scratch_offset(at->node);
}

static double said(Driven *at, const double *x, const double *raw)
{
    AnbRow row = {x, raw, NULL, &at->model->counters, NULL};
    return at->node->type->predict(at->node, state_of(at), &row, scratch_of(at));
}

static double learned(Driven *at, const double *x, const double *raw, double y)
{
    AnbRow row = {x, raw, NULL, &at->model->counters, NULL};
    return anb_node_step(at->node, state_of(at), &row, y, 1, scratch_of(at));
}

static void in_unit(const double *x, const double *alpha, const double *beta, double *now)
{
    for (size_t j = 0; j < D; j++)
        now[j] = (x[j] - beta[j]) / alpha[j];
}

/* The largest difference between what is said of rows before a change of unit and after it. */
static double moved(StreamingLearner *model, const double *alpha, const double *beta)
{
    Driven old = driven(model), changed;
    ZooStream s = zoo_stream(11, false);
    double most = 0, now[D];
    for (int t = 0; t < ROWS; t++) {
        zoo_next(&s);
        learned(&old, s.x, s.x, s.y);
    }
    changed = driven(anb_clone(model, NULL));
    ck_assert_ptr_nonnull(changed.model);
    anb_node_reframe(changed.node, state_of(&changed), alpha, beta);
    for (int t = 0; t < 100; t++) {
        zoo_next(&s);
        in_unit(s.x, alpha, beta, now);
        most = fmax(most, fabs(said(&changed, now, s.x) - said(&old, s.x, s.x)));
    }
    anb_free(changed.model);
    anb_free(model);
    return most;
}

/* How far what is said may move: rounding, but neighbours are told apart by other features. Waves, what the gates
 * softmax and blend keep of the features, and the initial weights of the gate linear stay as they are. */
static double allowed(const char *name)
{
    static const struct {
        const char *name;
        double most;
    } others[] = {{"knn", .1},          {"rff", 10},           {"router_softmax", 10},
                  {"router_blend", 10}, {"router_linear", 10}, {"moe", 10},
                  {"mlp_single", 10},   {"rls_single", 10},    {"mlp_every", 1e-5}, /* single precision */
                  {"knn_coarse", .5}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].name, name) == 0)
            return others[i].most;
    return 1e-9;
}

/* In smaller units, in which slopes stay the same functions. */
START_TEST(what_is_said_stays)
{
    static const double alpha[D] = {.8, .95, .6, .9, .75}, beta[D] = {.3, -.4, .2, 0, -.3};
    char name[ZOO_TEXT];
    AnbError error = {0};
    for (size_t i = 0; i < zoo_count(); i++) {
        StreamingLearner *model = zoo_model(i, NULL, &error);
        ck_assert_msg(model != NULL, "%s: %s", zoo_name(i, name), error.message);
        double most = moved(model, alpha, beta);
        ck_assert_msg(most <= allowed(zoo_name(i, name)), "%s has moved by %g", name, most);
    }
}
END_TEST

static const double larger[D] = {3, .25, 1, 8, .1}, far[D] = {-2, 5, .5, 0, 7};

/* In any unit. Waves are nearly flat here, so what rests on the features beside them shows. */
START_TEST(what_rls_says_stays)
{
    ck_assert_double_lt(moved(made(D, "tree(leaf=rls)"), larger, far), 1e-9);
    ck_assert_double_lt(moved(made(D, "rff(rls, bandwidth=1000, features=4)"), larger, far), 1e-2);
}
END_TEST

/* Two models of the same rows, one in another unit from the middle on, learn the same. */
START_TEST(what_is_learned_stays)
{
    static const char *const texts[] = {"tree", "forest(trees=3)", "quantile(rls, levels=[0.1, 0.5])",
                                        "quantile(rls, scale(rls), levels=[0.5])",
                                        "moe(rls, tree, mean, router=linear(standardize=true))"};
    Driven old = driven(made(D, texts[_i])), changed = {0};
    ZooStream s = zoo_stream(12, false);
    double now[D];
    for (int t = 0; t < 2 * ROWS; t++) {
        zoo_next(&s);
        if (t == ROWS) {
            changed = driven(anb_clone(old.model, NULL));
            ck_assert_ptr_nonnull(changed.model);
            anb_node_reframe(changed.node, state_of(&changed), larger, far);
        }
        double f = learned(&old, s.x, s.x, s.y);
        in_unit(s.x, larger, far, now);
        if (t >= ROWS)
            ck_assert_double_eq_tol(learned(&changed, now, s.x, s.y), f, 1e-6);
    }
    anb_free(old.model);
    anb_free(changed.model);
}
END_TEST

static void write_logits(const StreamingLearner *model, const StreamingLearner *initial, const double *x, double *out)
{
    AnbGateWeights g, zero;
    ck_assert(anb_gate_weights(model, &g) == 0 && anb_gate_weights(initial, &zero) == 0);
    for (size_t i = 0; i < g.k; i++) {
        out[i] = g.bias[i];
        for (size_t j = 0; j < D; j++)
            out[i] += (g.weight[i * g.stride + j] - zero.weight[i * zero.stride + j]) * x[j];
    }
}

/* The logits of the gate linear, but for those of its initial weights. */
START_TEST(what_a_gate_has_learned_stays)
{
    enum { K = 3 };
    static const double alpha[D] = {.8, .95, .6, .9, .75}, x[D] = {1, -2, .5, 0, 3};
    Driven at = driven(made(D, "moe(rls, mean, last, router=linear(router_lr=0.1, load_balance_rate=0))")),
           initial = driven(made(D, "moe(rls, mean, last, router=linear(router_lr=0, load_balance_rate=0))"));
    ZooStream s = zoo_stream(14, false);
    double now[D], before[K], after[K], bare[K];
    for (int t = 0; t < ROWS; t++) {
        zoo_next(&s);
        learned(&at, s.x, s.x, s.y);
        learned(&initial, s.x, s.x, s.y);
    }
    in_unit(x, alpha, far, now);
    write_logits(at.model, initial.model, x, before);
    anb_node_reframe(at.node, state_of(&at), alpha, far);
    write_logits(at.model, initial.model, now, after);
    anb_node_reframe(initial.node, state_of(&initial), alpha, far);
    write_logits(initial.model, initial.model, x, bare);
    for (size_t i = 0; i < K; i++) {
        ck_assert(fabs(before[i]) > .1 && bare[i] == 0);
        ck_assert_double_eq_tol(after[i], before[i], 1e-9);
    }
    anb_free(at.model);
    anb_free(initial.model);
}
END_TEST

/* A drift's fresh child, which learns beside the old one and takes its place, in another unit from its tenth row on. */
START_TEST(a_trial_follows)
{
    Driven old = driven(made(D, "drift(rls, action=reset)")), changed = {0};
    ZooStream s = zoo_stream(13, false);
    AnbDriftView view = {0};
    double now[D];
    int trial = 0;
    for (int t = 0; t < 1200; t++) {
        zoo_next(&s);
        double y = (t < 600 ? 1 : -1) * (s.x[0] + 2 * s.x[1] + 5) + .1 * s.x[2], f = learned(&old, s.x, s.x, y);
        if (changed.model) {
            in_unit(s.x, larger, far, now);
            ck_assert_double_eq_tol(learned(&changed, now, s.x, y), f, 1e-6);
        }
        anb_drift_view(old.model, &view);
        trial += view.trial;
        if (trial == 10 && !changed.model) {
            changed = driven(anb_clone(old.model, NULL));
            ck_assert_ptr_nonnull(changed.model);
            anb_node_reframe(changed.node, state_of(&changed), larger, far);
        }
    }
    ck_assert_uint_eq(view.resets, 1);
    anb_free(old.model);
    anb_free(changed.model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("units");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, what_is_said_stays);
    tcase_add_test(tests, what_rls_says_stays);
    tcase_add_loop_test(tests, what_is_learned_stays, 0, 5);
    tcase_add_test(tests, what_a_gate_has_learned_stays);
    tcase_add_test(tests, a_trial_follows);
    return suite;
}

CHECK_MAIN(suite)
