/* Ten million samples through a mixture: nothing allocated, nothing drifts, everything finite. For make check-long. */
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <sys/resource.h>

enum { D = 8, SAMPLES = 10000000, LOOK_EVERY = 1000000 };

static size_t allocations;

static void *count_alloc(size_t size, void *context)
{
    (void)context;
    allocations++;
    return malloc(size);
}

static void plain_free(void *memory, void *context)
{
    (void)context;
    free(memory);
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static double bias_sum(const StreamingLearner *model)
{
    AnbGateWeights g;
    ck_assert_int_eq(anb_gate_weights(model, &g), 0);
    double sum = 0;
    for (size_t i = 0; i < g.k; i++) {
        ck_assert(isfinite(g.bias[i]) && isfinite(g.load_bias[i]));
        sum += g.load_bias[i];
    }
    return sum;
}

START_TEST(ten_million_samples)
{
    AnbAllocator allocator = {count_alloc, plain_free, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.allocator = &allocator;
    StreamingLearner *model = anb_parse(D, "scale(moe(linear, rls, rls(lambda=0.99), mean, top_k=2))", &options, NULL);
    ck_assert_ptr_nonnull(model);
    Stream s = {1, D};
    double x[D], start = 0, squares = 0;
    size_t made = allocations;
    long memory = 0;
    for (int i = 1; i <= SAMPLES; i++) {
        double y = stream_next(&s, x), f = anb_train_one(model, x, y, 1);
        ck_assert_msg(f - f == 0, "sample %d", i);
        squares += i > SAMPLES / 2 ? (y - f) * (y - f) : 0;
        if (i % LOOK_EVERY == 0) {
            double sum = bias_sum(model);
            start = i == LOOK_EVERY ? sum : start;
            memory = i == LOOK_EVERY ? peak_kilobytes() : memory;
            ck_assert_double_eq_tol(sum, start, 1e-6);
        }
    }
    ck_assert_uint_eq(allocations, made);
    ck_assert_int_le(peak_kilobytes(), memory + 256);
    ck_assert_double_lt(sqrt(squares / (SAMPLES / 2)),
                        1); /* the noise is 0.06, the interaction and the step are the rest */
    ck_assert_uint_eq(anb_counters(model)->restarts, 0);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("endurance");
    TCase *tests = case_of(suite, 300);
    tcase_add_test(tests, ten_million_samples);
    return suite;
}

CHECK_MAIN(suite)
