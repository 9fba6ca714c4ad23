/* Options structs: what a caller compiled with an earlier header hands in, and constants for every word. */
#include "suite.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>
#include <string.h>

/* The expression of a model of one learner, or the error's message; the caller frees it. */
static char *made(const StreamingLearnerType *type, const void *options, const AnbExpert *children, size_t n)
{
    AnbError error = {0};
    StreamingLearner *model =
        anb_new(3, &(AnbExpert){.type = type, .options = options, .children = children, .n_children = n}, NULL, &error);
    char *text = strdup(model ? anb_expression(model) : error.message);
    anb_free(model);
    return text;
}

#define EXPECT(type, options, children, n, wanted)                                                                     \
    do {                                                                                                               \
        char *got = made(type, options, children, n);                                                                  \
        ck_assert_str_eq(got, wanted);                                                                                 \
        free(got);                                                                                                     \
    } while (0)

/* What AnbRlsOptions and AnbRouterLinearOptions would have been before their last members were added. */
typedef struct OldRls {
    size_t size;
    double lambda, delta;
} OldRls;
typedef struct OldLinear {
    size_t size;
    int top_k;
    double router_lr;
} OldLinear;

/* On the heap at its exact size, so that a tool sees who reads or writes behind its end. */
START_TEST(an_older_struct_gets_the_defaults_of_newer_members)
{
    OldRls *old = malloc(sizeof *old);
    anb_options_defaults(&anb_rls, old, sizeof *old);
    ck_assert_uint_eq(old->size, sizeof *old);
    ck_assert(old->lambda == 0.999 && old->delta == 100);
    old->lambda = 0.9;
    EXPECT(&anb_rls, old, NULL, 0, "rls(lambda=0.9)");
    free(old);
}
END_TEST

START_TEST(so_does_an_older_router)
{
    const AnbExpert children[] = {{.type = &anb_linear}, {.type = &anb_mean}};
    OldLinear *old = malloc(sizeof *old);
    anb_options_defaults(&anb_router_linear.type, old, sizeof *old);
    old->top_k = 1;
    AnbMoeOptions options = anb_moe_defaults();
    options.router = (AnbRouterChoice){&anb_router_linear, old};
    EXPECT(&anb_moe, &options, children, 2, "moe(linear, mean, router=linear(top_k=1))");
    free(old);
}
END_TEST

START_TEST(a_struct_without_a_size_or_of_a_newer_version_is_refused)
{
    struct {
        AnbRlsOptions known;
        double added;
    } newer = {.known = anb_rls_defaults()};
    AnbRlsOptions bare = {.lambda = 0.9};
    newer.known.size = sizeof newer;
    char *text = made(&anb_rls, &newer, NULL, 0);
    ck_assert_msg(strstr(text, "newer version") != NULL, "%s", text);
    free(text);
    EXPECT(&anb_rls, &bare, NULL, 0,
           "rls: its options have no size: start them from the function that returns the defaults");
}
END_TEST

START_TEST(options_of_models_and_observers_are_sized_alike)
{
    struct {
        size_t size;
        uint64_t seed;
    } old;
    AnbModelOptions *exact = malloc(sizeof old), none = {.seed = 7};
    AnbError error = {0};
    anb_model_options_init((AnbModelOptions *)&old, sizeof old);
    ck_assert(old.size == sizeof old && old.seed == 1);
    old.seed = 7;
    memcpy(exact, &old, sizeof old);
    StreamingLearner *model = anb_parse(2, "moe(linear, mean)", exact, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    ck_assert_uint_eq(anb_seed(model), 7);
    ck_assert_ptr_null(anb_parse(2, "linear", &none, &error));
    ck_assert_ptr_null(anb_diagnostics_new(model, &(AnbDiagnosticsOptions){.span = 9}, &error));
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    ck_assert_ptr_null(anb_audit_new(model, NULL, NULL, &(AnbAuditOptions){.period = 9}, &error));
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    free(exact);
    anb_free(model);
}
END_TEST

/* For every type: a struct that ends before any one of its options makes the model that its defaults make. */
static void cut_everywhere(const StreamingLearnerType *type)
{
    const AnbExpert children[] = {
        {.type = &anb_moe, .children = (AnbExpert[]){{.type = &anb_mean}, {.type = &anb_last}}, .n_children = 2},
        {.type = &anb_mean}};
    size_t n = type->min_children < 2 ? type->min_children : 2;
    char *usual = made(type, NULL, children, n);
    ck_assert_msg(type->flags & ANB_SIZED_OPTIONS, "%s: options without a size", type->name);
    for (const AnbParam *p = type->params; p->name; p++) {
        size_t size = p->offset;
        ck_assert_uint_ge(size, sizeof(size_t));
        if (size == sizeof(size_t))
            continue;
        void *options = malloc(size);
        anb_options_defaults(type, options, size);
        EXPECT(type, options, children, n, usual);
        free(options);
    }
    free(usual);
}

START_TEST(every_type_takes_older_structs)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        if ((*type)->options_size > 0)
            cut_everywhere(*type);
}
END_TEST

START_TEST(reset_dead_is_what_c_calls_true_and_false)
{
    const AnbExpert children[] = {{.type = &anb_linear}, {.type = &anb_mean}};
    AnbMoeOptions options = anb_moe_defaults();
    ck_assert_int_eq(options.reset_dead, ANB_AUTO);
    options.reset_dead = true;
    EXPECT(&anb_moe, &options, children, 2, "moe(linear, mean, reset_dead=true)");
    options.reset_dead = false;
    EXPECT(&anb_moe, &options, children, 2, "moe(linear, mean, reset_dead=false)");
    options.reset_dead = ANB_AUTO;
    EXPECT(&anb_moe, &options, children, 2, "moe(linear, mean)");
}
END_TEST

START_TEST(every_word_has_its_constant)
{
    const AnbExpert child = {.type = &anb_mean};
    AnbMlpOptions mlp = anb_mlp_defaults();
    AnbDriftOptions drift = anb_drift_defaults();
    AnbTreeOptions tree = anb_tree_defaults();
    AnbForestOptions forest = anb_forest_defaults();
    mlp.activation = ANB_MLP_GEGLU, mlp.optimizer = ANB_MLP_SGD;
    EXPECT(&anb_mlp, &mlp, NULL, 0, "mlp(activation=geglu, optimizer=sgd)");
    mlp.activation = ANB_MLP_RELU, mlp.optimizer = ANB_MLP_ADAM;
    EXPECT(&anb_mlp, &mlp, NULL, 0, "mlp(activation=relu)");
    mlp.activation = ANB_MLP_LEAKY, mlp.precision = ANB_MLP_SINGLE;
    EXPECT(&anb_mlp, &mlp, NULL, 0, "mlp(precision=single)");
    AnbRlsOptions rls = anb_rls_defaults();
    rls.precision = ANB_RLS_SINGLE;
    EXPECT(&anb_rls, &rls, NULL, 0, "rls(precision=single)");
    drift.detector = ANB_DRIFT_KSWIN, drift.action = ANB_DRIFT_RESET;
    EXPECT(&anb_drift, &drift, &child, 1, "drift(mean, detector=kswin, action=reset)");
    drift.detector = ANB_DRIFT_PAGE_HINKLEY, drift.action = ANB_DRIFT_REFRESH;
    EXPECT(&anb_drift, &drift, &child, 1, "drift(mean, detector=page_hinkley, action=refresh)");
    tree.leaf = ANB_LEAVES_RLS, forest.leaf = ANB_LEAVES_MEAN;
    EXPECT(&anb_tree, &tree, NULL, 0, "tree(leaf=rls)");
    EXPECT(&anb_forest, &forest, NULL, 0, "forest(leaf=mean)");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, an_older_struct_gets_the_defaults_of_newer_members);
    tcase_add_test(tests, so_does_an_older_router);
    tcase_add_test(tests, a_struct_without_a_size_or_of_a_newer_version_is_refused);
    tcase_add_test(tests, options_of_models_and_observers_are_sized_alike);
    tcase_add_test(tests, every_type_takes_older_structs);
    tcase_add_test(tests, reset_dead_is_what_c_calls_true_and_false);
    tcase_add_test(tests, every_word_has_its_constant);
    return suite;
}

CHECK_MAIN(suite)
