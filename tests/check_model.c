/* What can be asked of a whole model, and models that share a plan. */
#include "stream.h"
#include "reload.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <string.h>

static StreamingLearner *make(const char *expression, uint64_t seed)
{
    AnbModelOptions options = anb_model_defaults();
    options.seed = seed;
    StreamingLearner *model = anb_parse(3, expression, &options, NULL);
    ck_assert_ptr_nonnull(model);
    return model;
}

static void feed(StreamingLearner *model, int n)
{
    Stream s = {17, 3};
    double x[3];
    for (int i = 0; i < n; i++) {
        double y = stream_next(&s, x);
        anb_train_one(model, x, y, 1);
    }
}

START_TEST(sharing_a_plan_changes_no_prediction)
{
    const char *expression = "scale(moe(linear, rls, mlp(seed=3), router=boa))";
    StreamingLearner *a = make(expression, 1), *b = make(expression, 1), *alone = make(expression, 1);
    feed(a, 200);
    feed(alone, 200);
    ck_assert(anb_share_plan(a, b));
    ck_assert_ptr_eq(anb_expression(a), anb_expression(b));
    ck_assert(anb_share_plan(a, b));
    anb_free(b);
    feed(a, 200);
    feed(alone, 200);
    ck_assert(anb_equal(a, alone));
    anb_free(a);
    anb_free(alone);
}
END_TEST

/* Models that draw nothing from their seeds share a plan whatever those are, and keep them; others do not. */
START_TEST(seeds_that_nobody_reads_are_no_difference)
{
    static const char *const free_of_it = "scale(moe(linear, rls, mlp(seed=3), router=boa))";
    static const char *const bound[] = {"rff(rls)", "scale(moe(linear, mlp, router=boa))", "tree",
                                        "moe(linear, mean, router=linear(seed=0))"};
    StreamingLearner *a = make(free_of_it, 1), *b = make(free_of_it, 2), *copy;
    feed(a, 100);
    feed(b, 100);
    ck_assert(anb_equal(a, b) && !anb_reads_seed(a));
    ck_assert(anb_share_plan(a, b));
    ck_assert_ptr_eq(anb_expression(a), anb_expression(b));
    copy = anb_clone(a, NULL);
    ck_assert_uint_eq(anb_seed(a), 1);
    ck_assert_uint_eq(anb_seed(copy), 1);
    ck_assert_uint_eq(anb_seed(b), 2);
    anb_free(copy);
    copy = reloaded(a, NULL);
    ck_assert_uint_eq(anb_seed(copy), 1);
    anb_free(copy);
    anb_free(a);
    anb_free(b);
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        a = make(bound[i], 1);
        b = make(bound[i], 2);
        ck_assert_msg(!anb_share_plan(a, b) && anb_reads_seed(a), "%s", bound[i]);
        ck_assert(!anb_equal(a, b));
        anb_free(a);
        anb_free(b);
    }
}
END_TEST

static void *other_alloc(size_t size, void *context)
{
    (void)context;
    return malloc(size);
}

static void other_free(void *memory, void *context)
{
    (void)context;
    free(memory);
}

START_TEST(only_models_made_alike_share)
{
    StreamingLearner *model = make("rls", 1),
                     *others[] = {make("rls(lambda=0.9)", 1), make("linear", 1), make("mean", 1), NULL};
    const AnbAllocator allocator = {other_alloc, other_free, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.allocator = &allocator;
    others[3] = anb_parse(3, "rls", &options, NULL);
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(!anb_share_plan(model, others[i]), "%s", anb_expression(others[i]));
        anb_free(others[i]);
    }
    anb_free(model);
}
END_TEST

/* A heap that moves what it holds to every alignment in turn, or refuses. */
typedef struct Mover {
    char *given; /* what stands for the heap's own piece */
    size_t offset;
    int calls;
    bool refuses;
} Mover;

static size_t moved_bytes;

static void *sized_alloc(size_t size, void *context)
{
    Mover *mover = context;
    moved_bytes = size;
    mover->given = malloc(size + 64);
    return mover->given;
}

static void sized_free(void *memory, void *context)
{
    Mover *mover = context;
    char *at = memory;
    if (mover->given && at >= mover->given && at < mover->given + 64) {
        free(mover->given);
        mover->given = NULL;
    } else
        free(memory);
}

static void *move(void *memory, void *context)
{
    Mover *mover = context;
    mover->calls++;
    if (mover->refuses)
        return NULL;
    char *now = malloc(moved_bytes + 64), *start = now + (mover->offset += 8) % 64;
    memcpy(start, memory, moved_bytes);
    memset(memory, 0xa5, moved_bytes); /* nobody may look back */
    free(mover->given);
    mover->given = now;
    return start;
}

START_TEST(a_model_that_moves_does_not_notice)
{
    static const char *const expressions[] = {"scale(moe(linear, rls, sgbt, knn, mlp))", "forest",
                                              "residual_ar(residual(rls, tree))",
                                              "pending(interval(drift(moe(rls, mean, router=blend))))"};
    const char *expression = expressions[_i];
    Mover mover = {.offset = 0};
    const AnbAllocator allocator = {sized_alloc, sized_free, &mover};
    AnbModelOptions options = anb_model_defaults();
    options.allocator = &allocator;
    StreamingLearner *first = anb_parse(3, expression, &options, NULL), *alone = make(expression, 1);
    StreamingLearner *model = anb_clone(first, NULL); /* the last that the allocator gave */
    Stream s = {17, 3};
    double x[3];
    for (int i = 0; i < 600; i++) {
        double y = stream_next(&s, x);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), anb_train_one(alone, x, y, 1));
        if (i % 20 == 0)
            model = anb_relocate(model, move, &mover);
    }
    ck_assert_int_eq(mover.calls, 30);
    mover.refuses = true;
    ck_assert_ptr_eq(anb_relocate(model, move, &mover), model);
    ck_assert(anb_equal(model, alone));
    anb_free(model);
    anb_free(first);
    anb_free(alone);
}
END_TEST

START_TEST(expressions_short_and_full)
{
    StreamingLearner *model = make("moe(linear, mean, top_k=1)", 1);
    ck_assert_str_eq(anb_expression(model), "moe(linear, mean, router=linear(top_k=1))");
    ck_assert_ptr_nonnull(strstr(anb_full_expression(model), "rate=0.01"));
    ck_assert_ptr_nonnull(strstr(anb_full_expression(model), "utilization_span=500"));
    StreamingLearner *again = make(anb_full_expression(model), 1);
    ck_assert_str_eq(anb_expression(again), anb_expression(model));
    anb_free(model);
    anb_free(again);
}
END_TEST

START_TEST(sizes_and_counts)
{
    StreamingLearner *model = make("scale(linear)", 9);
    feed(model, 12);
    ck_assert_uint_eq(anb_n_samples_seen(model), 12);
    ck_assert_uint_eq(anb_n_features(model), 3);
    ck_assert_uint_eq(anb_seed(model), 9);
    ck_assert(anb_takes_missing(model));
    ck_assert_uint_gt(anb_total_bytes(model), anb_state_bytes(model));
    anb_free(model);
    model = make("linear", 1);
    ck_assert(!anb_takes_missing(model));
    anb_free(model);
}
END_TEST

/* A reader of another model would lie too short; one of an equal model that was made apart serves as well. */
START_TEST(what_a_model_will_take_is_told_before)
{
    static const char *const texts[] = {"linear", "scale(rls)", "knn", "tree", "pending(interval(auto(budget=5)))"};
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    size_t state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        StreamingLearner *model = anb_parse(7, texts[i], NULL, NULL);
        ck_assert_uint_eq(anb_parse_bytes(7, texts[i], NULL, &state, NULL), anb_total_bytes(model));
        ck_assert_uint_eq(state, anb_state_bytes(model));
        anb_free(model);
    }
    options.max_bytes = 1 << 20;
    ck_assert_uint_gt(anb_parse_bytes(10000, "rls", &options, NULL, &error), 400000000);
    ck_assert_ptr_null(anb_parse(10000, "scale(rls)", &options, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    ck_assert_msg(strstr(error.message, "rls over 10000 features takes 400.8 MB"), "%s", error.message);
    ck_assert_uint_eq(anb_parse_bytes(3, "no_such_thing", NULL, &state, &error), 0);
    ck_assert_int_eq(error.code, ANB_E_UNKNOWN);
    ck_assert_uint_eq(state, 0);
    ck_assert_uint_eq(anb_parse_bytes(3, NULL, NULL, NULL, &error), 0);
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
}
END_TEST

START_TEST(a_reader_of_another_model_is_refused)
{
    StreamingLearner *small = make("linear", 1), *large = make("scale(moe(rls, mlp(hidden=64), knn))", 1);
    StreamingLearner *twin = make("scale(moe(rls, mlp(hidden=64), knn))", 1);
    AnbReader *reader = anb_reader_new(small, NULL), *fits = anb_reader_new(twin, NULL);
    double x[6] = {1, 0, 0, 2, 0, 0}, f[2];
    ck_assert(anb_predict_with(large, reader, x) != anb_predict_with(large, reader, x));
    ck_assert(anb_predict_with(large, fits, x) == anb_predict(large, x));
    anb_predict_many_with(large, reader, x, 2, f);
    ck_assert(f[0] != f[0] && f[1] != f[1]);
    anb_predict_many_with(large, fits, x, 2, f);
    ck_assert(f[0] == anb_predict(large, x) && f[1] == anb_predict(large, x + 3));
    ck_assert_uint_lt(anb_clone_bytes(large), anb_total_bytes(large));
    ck_assert_uint_gt(anb_clone_bytes(large), anb_state_bytes(large));
    anb_reader_free(reader);
    anb_reader_free(fits);
    anb_free(small);
    anb_free(large);
    anb_free(twin);
}
END_TEST

/* What a type's own function returns is what its table says. */
#define SAME_DEFAULTS(function, type)                                                                                  \
    do {                                                                                                               \
        __typeof__(function()) given = function(), filled;                                                             \
        ck_assert_uint_eq(sizeof given, (type)->options_size);                                                         \
        anb_options_defaults(type, &filled, sizeof filled);                                                            \
        for (const AnbParam *p = (type)->params; p->name; p++) {                                                       \
            const char *a = (const char *)&given + p->offset, *b = (const char *)&filled + p->offset;                  \
            ck_assert_msg(memcmp(a, b, p->kind == ANB_BOOL ? 1 : 4) == 0, "%s: %s", (type)->name, p->name);            \
        }                                                                                                              \
    } while (0)

START_TEST(defaults_are_those_of_the_tables)
{
    SAME_DEFAULTS(anb_linear_defaults, &anb_linear);
    SAME_DEFAULTS(anb_rls_defaults, &anb_rls);
    SAME_DEFAULTS(anb_scale_defaults, &anb_scale);
    SAME_DEFAULTS(anb_moe_defaults, &anb_moe);
    SAME_DEFAULTS(anb_tree_defaults, &anb_tree);
    SAME_DEFAULTS(anb_forest_defaults, &anb_forest);
    SAME_DEFAULTS(anb_sgbt_defaults, &anb_sgbt);
    SAME_DEFAULTS(anb_knn_defaults, &anb_knn);
    SAME_DEFAULTS(anb_mlp_defaults, &anb_mlp);
    SAME_DEFAULTS(anb_past_defaults, &anb_past);
    SAME_DEFAULTS(anb_rff_defaults, &anb_rff);
    SAME_DEFAULTS(anb_auto_defaults, &anb_auto);
    SAME_DEFAULTS(anb_drift_defaults, &anb_drift);
    SAME_DEFAULTS(anb_interval_defaults, &anb_interval);
    SAME_DEFAULTS(anb_pending_defaults, &anb_pending);
    SAME_DEFAULTS(anb_router_linear_defaults, &anb_router_linear.type);
    SAME_DEFAULTS(anb_router_boa_defaults, &anb_router_boa.type);
    SAME_DEFAULTS(anb_router_stack_defaults, &anb_router_stack.type);
    SAME_DEFAULTS(anb_router_blend_defaults, &anb_router_blend.type);
    SAME_DEFAULTS(anb_router_softmax_defaults, &anb_router_softmax.type);
}
END_TEST

/* Each wrapper hands on what it does not know, down to the network behind it. */
START_TEST(wrappers_pass_questions_on)
{
    static const char *const wrapped[] = {"scale(mlp)",       "poly(mlp)",  "rff(mlp, features=8)",  "drift(mlp)",
                                          "residual_ar(mlp)", "guard(mlp)", "pending(interval(mlp))"};
    for (size_t i = 0; i < sizeof wrapped / sizeof *wrapped; i++) {
        StreamingLearner *model = make(wrapped[i], 1);
        AnbDriftView view;
        double x[3] = {1, 2, 3};
        feed(model, 300);
        /* no mixture and no detector anywhere: the question reaches the end and is told so */
        ck_assert_int_eq(anb_drift_view(model, &view), i == 3 ? 0 : ANB_E_UNSUPPORTED);
        ck_assert_int_eq(anb_routing_probabilities(model, x, x), ANB_E_UNSUPPORTED);
        anb_free(model);
    }
    StreamingLearner *model =
        make("guard(residual_ar(drift(scale(moe(poly(linear), rff(rls, features=8), router=boa)))))", 1);
    double x[3] = {100, .2, .3}, p[2], f[2];
    feed(model, 300);
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), 0);
    ck_assert_double_eq_tol(p[0] + p[1], 1, 1e-12);
    ck_assert_int_eq(anb_expert_predictions(model, x, f), 0);
    ck_assert(f[0] == f[0] && f[1] == f[1]);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, sharing_a_plan_changes_no_prediction);
    tcase_add_test(tests, seeds_that_nobody_reads_are_no_difference);
    tcase_add_test(tests, only_models_made_alike_share);
    tcase_add_loop_test(tests, a_model_that_moves_does_not_notice, 0, 4);
    tcase_add_test(tests, expressions_short_and_full);
    tcase_add_test(tests, sizes_and_counts);
    tcase_add_test(tests, what_a_model_will_take_is_told_before);
    tcase_add_test(tests, a_reader_of_another_model_is_refused);
    tcase_add_test(tests, defaults_are_those_of_the_tables);
    tcase_add_test(tests, wrappers_pass_questions_on);
    return suite;
}

CHECK_MAIN(suite)
