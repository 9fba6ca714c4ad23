/* What small models take: their bytes to the last one, the allocator's memory, and what they leave nowhere. */
#include "made.h"
#include "numbers.h"
#include "src/host/model.h"
#include <anabranch/host.h>
#include <anabranch/moe.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { D = 8 };

/* Bytes of the state, of a clone (head 112, state, and where a scratch is kept or blocks are aligned more), and of that
 * with what malloc of glibc keeps: 8 bytes, and up to the next 16. Of a million `scale(rls)` at most 1,200 each are
 * promised. */
static const struct {
    const char *expression;
    size_t state, clone, given;
} sizes[] = {{"mean", 16, 128, 144},
             {"linear", 128, 240, 256},
             {"rls", 432, 544, 560},
             {"scale(linear)", 776, 888, 896},
             {"scale(rls)", 1080, 1192, 1200}};

static size_t taken, given;

static void *count(size_t size, void *context)
{
    void *memory = malloc(size);
    (void)context;
    taken += size;
#ifdef __GLIBC__
    given += malloc_usable_size(memory) + sizeof(size_t); /* and what malloc keeps of it */
#endif
    return memory;
}

static void release(void *memory, void *context)
{
    (void)context;
    free(memory);
}

START_TEST(small_models_take_what_they_say)
{
    AnbModelOptions options = anb_model_defaults();
    AnbAllocator allocator = {count, release, NULL};
    options.allocator = &allocator;
    StreamingLearner *model = anb_parse(D, sizes[_i].expression, &options, NULL);
    ck_assert_ptr_nonnull(model);
    ck_assert_uint_eq(anb_state_bytes(model), sizes[_i].state);
    ck_assert_uint_eq(anb_clone_bytes(model), sizes[_i].clone);
    taken = given = 0;
    StreamingLearner *clone = anb_clone(model, NULL);
    ck_assert_uint_eq(taken, anb_clone_bytes(model));
    ck_assert_uint_le(given, sizes[_i].given);
    ck_assert_uint_eq(anb_clone_bytes(clone), sizes[_i].clone);
    anb_free(clone);
    anb_free(model);
}
END_TEST

/* Fills what lies below this function's caller on the stack with what no number may come from. */
static __attribute__((noinline)) void spoil(void)
{
    volatile double stack[1024];
    for (size_t i = 0; i < sizeof stack / sizeof *stack; i++)
        stack[i] = ANB_NAN;
}

static double row(uint64_t *seed, double *x, size_t d)
{
    double y = 0;
    for (size_t j = 0; j < d; j++) {
        x[j] = uniform_of(seed);
        x[j] = x[j] > .98 ? 40 * x[j] : x[j];
        y += (double)j * x[j];
    }
    return y;
}

/* Models that keep no scratch, over rows whose tail is no whole vector. */
static const char *const passing[] = {"mean",
                                      "last",
                                      "linear",
                                      "rls",
                                      "scale(linear)",
                                      "scale(rls)",
                                      "scale(poly(rls))",
                                      "guard(scale(rls))",
                                      "link(scale(rls), f=positive)",
                                      "residual(scale(linear), narrow(rls, of=\"2y 1n\"))"};
static const size_t widths[] = {3, 4, 7, 8, 9, 12};

/* One model in a clean stack, one in a spoilt one. False: there is none of this width. */
static bool same_on_any_stack(const char *expression, size_t d)
{
    double x[16];
    uint64_t seed = 11;
    AnbError error = {0};
    StreamingLearner *a = anb_parse(d, expression, NULL, &error), *b = anb_parse(d, expression, NULL, NULL);
    if (error.code == ANB_E_ARGUMENT)
        return false;
    ck_assert_msg(a && a->plan->passing == (a->plan->nodes[0].scratch_size <= ANB_PASSING_MOST),
                  "%s at %zu features keeps a scratch", expression, d);
    for (int t = 0; t < 300; t++) {
        double y = row(&seed, x, d), said = anb_train_one(a, x, y, 1), other;
        spoil();
        other = anb_train_one(b, x, y, 1);
        ck_assert_msg(said == other, "%s at %zu features: %g and %g in row %d", expression, d, said, other, t);
        row(&seed, x, d);
        said = anb_predict(a, x);
        spoil();
        ck_assert(said == anb_predict(b, x));
        spoil();
        anb_predict_many(b, x, 1, &other);
        ck_assert(said == other);
    }
    ck_assert(anb_equal(a, b));
    anb_free(a);
    anb_free(b);
    return true;
}

START_TEST(no_call_reads_what_another_left_on_the_stack)
{
    size_t ran = 0;
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        ran += same_on_any_stack(passing[_i], widths[w]);
    ck_assert_uint_gt(ran, 0);
}
END_TEST

/* Types that say nothing of themselves get their 64 bytes, wherever the allocator's memory lies. */
static void *shifted(size_t size, void *context)
{
    size_t *shift = context;
    char *memory = malloc(size + 64), *place;
    *shift = (*shift + 16) % 64;
    place = memory + 16 + *shift % 48;
    ((void **)(void *)place)[-1] = memory;
    return place;
}

static void give_back(void *memory, void *context)
{
    (void)context;
    if (memory)
        free(((void **)memory)[-1]);
}

START_TEST(other_blocks_lie_on_whole_lines)
{
    size_t shift = 0;
    AnbModelOptions options = anb_model_defaults();
    AnbAllocator allocator = {shifted, give_back, &shift};
    options.allocator = &allocator;
    StreamingLearner *model = anb_parse(D, "moe(linear, rls, mean)", &options, NULL);
    double x[D];
    uint64_t seed = 5;
    for (int i = 0; i < 8; i++) {
        StreamingLearner *clone = anb_clone(model, NULL);
        for (size_t n = 0; n < clone->plan->n_nodes; n++)
            ck_assert_uint_eq((uintptr_t)anb_state_of(clone, &clone->plan->nodes[n]) % 64, 0);
        ck_assert_uint_eq((uintptr_t)anb_scratch_kept(clone) % 64, 0);
        double y = row(&seed, x, D);
        ck_assert(anb_train_one(clone, x, y, 1) == anb_train_one(model, x, y, 1));
        ck_assert(anb_equal(clone, model));
        anb_free(clone);
    }
    anb_free(model);
}
END_TEST

/* A model that differs in its seed alone takes another's plan and keeps its seed. */
START_TEST(a_shared_plan_leaves_the_seed)
{
    AnbModelOptions options = anb_model_defaults();
    StreamingLearner *first = anb_parse(D, "scale(rls)", &options, NULL);
    options.seed = 77;
    StreamingLearner *other = anb_parse(D, "scale(rls)", &options, NULL);
    size_t alone = anb_clone_bytes(other);
    ck_assert(anb_share_plan(other, first));
    ck_assert_uint_eq(anb_seed(other), 77);
    ck_assert_uint_gt(anb_clone_bytes(other), alone);
    StreamingLearner *clone = anb_clone(other, NULL);
    ck_assert_uint_eq(anb_seed(clone), 77);
    ck_assert_uint_eq(anb_seed(first), 1);
    anb_free(clone);
    anb_free(first);
    anb_free(other);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("sizes");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, small_models_take_what_they_say, 0, sizeof sizes / sizeof *sizes);
    tcase_add_loop_test(tests, no_call_reads_what_another_left_on_the_stack, 0, sizeof passing / sizeof *passing);
    tcase_add_test(tests, other_blocks_lie_on_whole_lines);
    tcase_add_test(tests, a_shared_plan_leaves_the_seed);
    return suite;
}

CHECK_MAIN(suite)
