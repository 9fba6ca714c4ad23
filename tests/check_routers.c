#include "made.h"
#include "numbers.h"
#include "src/numeric/boa.h"
#include "src/numeric/stack.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>

enum { D = 4, N = 1200 };

static const char *const gates[] = {"boa",
                                    "boa(discount=0.99)",
                                    "stack",
                                    "stack(lambda=0.998, walk=0.1)",
                                    "blend",
                                    "blend(wide=true)",
                                    "softmax",
                                    "softmax(rate=0.2, discount=0.999)",
                                    "linear(top_k=2)"};
enum { GATES = sizeof gates / sizeof *gates, DENSE = GATES - 1 };
static const char experts[] = "linear(rate=0.05), linear(rate=0.01), linear(normalized=true), mean, last";

/* A plane that turns half-way, and a level that one feature switches. */
static double sample(uint64_t *seed, int n, double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = 2 * noise(seed);
    double y = 3 + 2 * x[0] - x[1] + (x[2] > 0 ? 1.5 : 0) + 0.3 * noise(seed);
    return n < N / 2 ? y : y - 4 * x[0] + 5;
}

static StreamingLearner *model_of(const char *format, const char *gate)
{
    char text[512];
    snprintf(text, sizeof text, format, experts, gate);
    return made(D, text);
}

static void check_probabilities(const StreamingLearner *model)
{
    AnbMixture m;
    double sum = 0, after = 0, weight = 0;
    ck_assert_int_eq(anb_mixture(model, &m), 0);
    for (size_t i = 0; i < m.k; i++) {
        ck_assert(m.probability[i] >= 0 && m.probability[i] <= 1 + 1e-12 && m.after[i] >= 0);
        sum += m.probability[i];
        after += m.after[i];
        weight += m.weight[i];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-12);
    ck_assert_double_eq_tol(after, 1, 1e-12);
    ck_assert_double_eq_tol(weight, 1, 1e-12);
    ck_assert(m.gate_entropy >= 0 && m.gate_entropy <= 1);
}

START_TEST(probabilities_sum_to_one)
{
    StreamingLearner *model = model_of(_i % 2 ? "scale(moe(%s, router=%s))" : "moe(%s, router=%s)", gates[_i / 2]);
    uint64_t seed = 1;
    double x[D], p[5];
    for (int n = 0; n < N; n++) {
        double y = sample(&seed, n, x), said = anb_predict(model, x);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), said);
        check_probabilities(model);
        if (n % 100 == 0) {
            double sum = 0;
            ck_assert_int_eq(anb_routing_probabilities(model, x, p), 0);
            for (size_t i = 0; i < 5; i++)
                sum += p[i];
            ck_assert_double_eq_tol(sum, 1, 1e-12);
        }
    }
    anb_free(model);
}
END_TEST

static double error_of(StreamingLearner *model, double factor, double *first)
{
    uint64_t seed = 2;
    double x[D], sum = 0;
    for (int n = 0; n < N; n++) {
        double y = sample(&seed, n, x), f = anb_train_one(model, x, y * factor, 1) / factor;
        if (first && factor == 1)
            first[n] = f;
        else if (first)
            ck_assert_double_eq(f, first[n]);
        sum += n < 50 ? 0 : (f - y) * (f - y);
    }
    return sqrt(sum / (N - 50));
}

START_TEST(targets_times_a_power_of_two)
{
    double first[N];
    for (size_t g = 0; g < DENSE; g++)
        for (int pass = 0; pass < 3; pass++) {
            StreamingLearner *model = model_of("scale(moe(%s, router=%s))", gates[g]);
            error_of(model, pass == 0 ? 1 : pass == 1 ? 0x1p30 : 0x1p-30, first);
            anb_free(model);
        }
}
END_TEST

/* Every gate against its best expert; and those that weigh by the features, where that tells. */
START_TEST(no_worse_than_the_best_expert)
{
    double best = HUGE_VAL, of[GATES];
    static const char *const alone[] = {"linear(rate=0.05)", "linear(rate=0.01)", "linear(normalized=true)", "mean",
                                        "last"};
    for (size_t i = 0; i < 5; i++) {
        char text[64];
        snprintf(text, sizeof text, "scale(%s)", alone[i]);
        StreamingLearner *model = anb_parse(D, text, NULL, NULL);
        best = fmin(best, error_of(model, 1, NULL));
        anb_free(model);
    }
    for (size_t g = 0; g < GATES; g++) {
        StreamingLearner *model = model_of("scale(moe(%s, router=%s))", gates[g]);
        of[g] = error_of(model, 1, NULL);
        anb_free(model);
        ck_assert_msg(of[g] < best * (g < DENSE ? 1.06 : 3), "%s: %g, its best expert %g", gates[g], of[g], best);
    }
    ck_assert_double_lt(of[4], best * 1.02);
    ck_assert_double_lt(of[4], of[DENSE]);
}
END_TEST

START_TEST(constant_targets)
{
    double x[D];
    for (size_t g = 0; g < GATES; g++) {
        StreamingLearner *model = model_of("scale(moe(%s, router=%s))", gates[g]);
        uint64_t seed = 3;
        for (int n = 0; n < 400; n++) {
            sample(&seed, n, x);
            double f = anb_train_one(model, x, 7, 1);
            ck_assert(isfinite(f));
            if (n > 0 && g < DENSE) /* the seen range is one point */
                ck_assert_double_eq(f, 7);
        }
        anb_free(model);
    }
}
END_TEST

START_TEST(extremes_stay_finite)
{
    static const double jumps[] = {1e9, 1e150, 1e-150, 1e12, 0, -1e9};
    double x[D];
    for (size_t g = 0; g < DENSE; g++) {
        StreamingLearner *model = model_of(g % 2 ? "scale(moe(%s, router=%s))" : "moe(%s, router=%s)", gates[g]);
        uint64_t seed = 4;
        for (int n = 0; n < N; n++) {
            double y = sample(&seed, n, x);
            x[n % D] *= n % 40 == 39 ? jumps[n / 40 % 6] : 1;
            y *= n % 50 == 49 ? jumps[n / 50 % 6] : 1;
            ck_assert(isfinite(anb_train_one(model, x, y, n % 7 ? 1 : 3)));
            check_probabilities(model);
        }
        anb_free(model);
    }
}
END_TEST

/* Rows at both ends of the doubles drive the moments that a gate keeps itself out of them: it starts those again. */
START_TEST(rows_at_the_ends_of_the_doubles)
{
    static const char *const own[] = {"blend(wide=true)", "softmax", "linear(standardize=true)"};
    for (size_t g = 0; g < 3; g++) {
        char text[128];
        uint64_t seed = 15;
        snprintf(text, sizeof text, "moe(mean, last, router=%s)", own[g]);
        StreamingLearner *model = anb_parse(D, text, NULL, NULL);
        ck_assert_ptr_nonnull(model);
        for (int n = 0; n < 1500; n++) {
            double x[D], y = sample(&seed, n, x);
            for (size_t j = 0; j < D && n % 100 < 3; j++)
                x[j] = n % 2 ? 1.7e308 : -1.7e308;
            ck_assert(isfinite(anb_train_one(model, x, y, 1)));
            check_probabilities(model);
        }
        AnbError error = {0};
        StreamingLearner *copy = anb_clone(model, &error);
        ck_assert(anb_equal(model, copy));
        anb_free(copy);
        anb_free(model);
    }
}
END_TEST

/* blend in long-hand: two stacks around a BOA of the experts whose memory grows, a discounted BOA over them and it, all
 * clipped. */
typedef struct Long {
    double samples, inner[64], outer[64], *state[2], *scratch[2];
    AnbStack form[2];
} Long;

static double long_hand(Long *l, const AnbMixture *m, double y, double low, double high)
{
    double w[8], v[8], g[3], base;
    AnbSpan span = anb_span(m->expert, m->k, NULL);
    anb_boa_weights(l->inner, m->k, NULL, w);
    base = g[2] = anb_mix(w, m->expert, m->k);
    for (int i = 0; i < 2; i++) {
        anb_stack_features(&l->form[i], l->state[i], m->expert, m->k, NULL, base, l->scratch[i]);
        g[i] = anb_stack_predict(&l->form[i], l->state[i], base, span, l->scratch[i]);
        g[i] = low <= high ? fmax(low, fmin(high, g[i])) : g[i];
    }
    anb_boa_weights(l->outer, 3, NULL, v);
    double mix = anb_mix(v, g, 3);
    y = anb_boa_learn(l->outer, 3, 0.999, &(AnbBoaSample){g, mix, y, 1});
    l->samples += 1;
    anb_boa_learn(l->inner, m->k, l->samples / (l->samples + 2), &(AnbBoaSample){m->expert, base, y, 1});
    for (int i = 0; i < 2; i++)
        anb_stack_learn(&l->form[i], NULL, l->state[i], base, y, 1, l->scratch[i]);
    return low <= high ? fmax(low, fmin(high, mix)) : mix;
}

START_TEST(blend_is_what_its_parts_make)
{
    StreamingLearner *model = model_of("moe(%s, router=%s)", "blend");
    Long l = {.form = {{5, 1, 0.03, 0}, {5, 0.998, 0.03, 0.1}}};
    double x[D], least = HUGE_VAL, most = -HUGE_VAL;
    uint64_t seed = 14;
    anb_boa_start(l.inner, 5);
    anb_boa_start(l.outer, 3);
    for (int i = 0; i < 2; i++) {
        l.state[i] = calloc(anb_stack_size(&l.form[i]), sizeof(double));
        l.scratch[i] = calloc(anb_stack_scratch(&l.form[i]), sizeof(double));
        anb_stack_start(&l.form[i], l.state[i]);
    }
    for (int n = 0; n < N; n++) {
        AnbMixture m;
        double y = sample(&seed, n, x), f = anb_train_one(model, x, y, 1), side = 0.1 * (most - least);
        anb_mixture(model, &m);
        ck_assert_double_eq_tol(long_hand(&l, &m, y, least - side, most + side), f, 1e-9);
        least = fmin(least, y);
        most = fmax(most, y);
    }
    for (int i = 0; i < 2; i++) {
        free(l.state[i]);
        free(l.scratch[i]);
    }
    anb_free(model);
}
END_TEST

/* The target stays where the first feature is positive, and is drawn anew elsewhere. Neither expert reads the row: only
 * products of what they say and the features tell one row from another. They come after 500 rows. */
START_TEST(wide_blend_follows_features)
{
    StreamingLearner *model = made(3, "moe(mean, last, router=blend(wide=true))");
    double follows = 0, square = 0, last = 5;
    uint64_t seed = 21;
    for (int n = 0; n < 2000; n++) {
        const double x[3] = {uniform_of(&seed), uniform_of(&seed), uniform_of(&seed)};
        const double low[3] = {-.5, 0, 0}, high[3] = {.5, 0, 0};
        const double apart = anb_predict(model, high) - anb_predict(model, low);
        ck_assert(n > 500 || apart == 0);
        follows += n < 1500 ? 0 : apart * (last - 5);
        square += n < 1500 ? 0 : (last - 5) * (last - 5);
        last = x[0] > 0 ? last : 5 + 2 * uniform_of(&seed);
        anb_train_one(model, x, last, 1);
    }
    ck_assert_double_gt(follows, .3 * square);
    anb_free(model);
}
END_TEST

/* The mean is no match for the others, so it dies, is reset, and sleeps for its 40 samples. */
START_TEST(a_reset_expert_sleeps)
{
    static const char format[] =
        "moe(linear(rate=0.05), linear(normalized=true), mean(warmup=40), reset_dead=true, router=%s)";
    double x[D];
    for (size_t g = 0; g < DENSE; g++) {
        char text[256];
        int asleep = 0, resets = 0;
        uint64_t seed = 5;
        snprintf(text, sizeof text, format, gates[g]);
        StreamingLearner *model = anb_parse(D, text, NULL, NULL);
        ck_assert_ptr_nonnull(model);
        for (int n = 0; n < 6000; n++) {
            double y = sample(&seed, 0, x);
            AnbMixture m;
            anb_train_one(model, x, y, 1);
            check_probabilities(model);
            anb_mixture(model, &m);
            if (asleep > 0 && asleep <= 40)
                ck_assert_double_eq(m.probability[2], 0);
            if (asleep == 41)
                ck_assert_double_gt(m.probability[2], 0);
            resets += m.reset[2];
            asleep = m.reset[2] ? 1 : asleep > 0 ? asleep + 1 : 0;
        }
        ck_assert_msg(resets > 0, "%s never reset the mean", gates[g]);
        anb_free(model);
    }
}
END_TEST

/* With top_k 1 the expert that was first is always the nearest; explore lets the others show what they can do. */
START_TEST(exploring_finds_a_cold_expert)
{
    static const char format[] =
        "scale(moe(mean, rls(lambda=1), last, top_k=1, load_balance_rate=0, reset_dead=false%s))";
    double of[2], x[D];
    for (int pass = 0; pass < 2; pass++) {
        char text[256];
        uint64_t seed = 8;
        snprintf(text, sizeof text, format, pass ? ", explore=true, standardize=true" : ", router_lr=1");
        StreamingLearner *model = anb_parse(D, text, NULL, NULL);
        ck_assert_ptr_nonnull(model);
        of[pass] = 0;
        for (int n = 0; n < 4000; n++) {
            double y = sample(&seed, 0, x), f = anb_train_one(model, x, y, 1);
            of[pass] += n < 2000 ? 0 : (f - y) * (f - y);
        }
        AnbMixture m;
        anb_mixture(model, &m);
        ck_assert_uint_eq(m.n_active, 1);
        if (pass)
            for (size_t i = 0; i < 3; i++)
                ck_assert_uint_ge(m.trained[i], 500);
        anb_free(model);
    }
    ck_assert_double_lt(of[1], 0.9 * of[0]);
}
END_TEST

/* A gate of features times a million moves by the same steps when it standardises them. */
START_TEST(standardised_routing_is_scale_free)
{
    StreamingLearner *a = anb_parse(D, "moe(linear(rate=0), mean, last, linear(rate=0), standardize=true)", NULL, NULL);
    StreamingLearner *b = anb_clone(a, NULL);
    double x[D], p[4], q[4];
    uint64_t seed = 10;
    ck_assert_ptr_nonnull(b);
    for (int n = 0; n < 500; n++) {
        double y = sample(&seed, n, x);
        anb_train_one(a, x, y, 1);
        ck_assert_int_eq(anb_routing_probabilities(a, x, p), 0);
        for (size_t j = 0; j < D; j++)
            x[j] *= 0x1p20;
        anb_train_one(b, x, y, 1);
        ck_assert_int_eq(anb_routing_probabilities(b, x, q), 0);
        ck_assert_mem_eq(p, q, sizeof p);
    }
    anb_free(a);
    anb_free(b);
}
END_TEST

START_TEST(a_cleared_expert_has_no_row)
{
    static const char text[] = "moe(linear(rate=0.1), rls(lambda=1), linear(rate=0), top_k=3, clear=true, "
                               "load_balance_rate=0, utilization_threshold=0.05)";
    StreamingLearner *model = anb_parse(D, text, NULL, NULL);
    AnbMixture m;
    double x[D];
    uint64_t seed = 12;
    int resets = 0;
    ck_assert_ptr_nonnull(model);
    for (int n = 0; n < 20000 && resets == 0; n++) {
        double y = sample(&seed, 0, x);
        anb_train_one(model, x, y, 1);
        anb_mixture(model, &m);
        for (size_t i = 0; i < 3 && m.n_reset == 1; i++)
            if (m.reset[i]) { /* its bias had kept it out */
                double p[3], zero[D] = {0};
                ck_assert_int_eq(anb_routing_probabilities(model, zero, p), 0);
                ck_assert_double_gt(p[i], m.after[i]);
                resets++;
            }
    }
    ck_assert_int_gt(resets, 0);
    anb_free(model);
}
END_TEST

START_TEST(weight_0_changes_nothing)
{
    double x[D];
    for (size_t g = 0; g < DENSE; g++) {
        StreamingLearner *model = model_of("scale(moe(%s, router=%s))", gates[g]);
        uint64_t seed = 6;
        for (int n = 0; n < 300; n++)
            anb_train_one(model, x, sample(&seed, n, x), 1);
        StreamingLearner *copy = anb_clone(model, NULL);
        anb_train_one(model, x, 1e6, 0);
        ck_assert(anb_equal(model, copy));
        anb_train_one(copy, x, 1e6, 1);
        ck_assert(!anb_equal(model, copy));
        anb_free(model);
        anb_free(copy);
    }
}
END_TEST

START_TEST(what_is_refused)
{
    static const char *const bad[] = {"boa(discount=0)",  "boa(discount=1.1)", "stack(lambda=0)", "stack(delta=0)",
                                      "softmax(rate=-1)", "blend(discount=2)", "boa(top_k=2)",    "blend, top_k=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[128];
        AnbError error = {0};
        snprintf(text, sizeof text, "moe(mean, last, router=%s)", bad[i]);
        ck_assert_ptr_null(anb_parse(D, text, NULL, &error));
        ck_assert_int_ne(error.code, 0);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("routers");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, probabilities_sum_to_one, 0, 2 * GATES);
    tcase_add_test(tests, targets_times_a_power_of_two);
    tcase_add_test(tests, no_worse_than_the_best_expert);
    tcase_add_test(tests, constant_targets);
    tcase_add_test(tests, extremes_stay_finite);
    tcase_add_test(tests, rows_at_the_ends_of_the_doubles);
    tcase_add_test(tests, blend_is_what_its_parts_make);
    tcase_add_test(tests, wide_blend_follows_features);
    tcase_add_test(tests, a_reset_expert_sleeps);
    tcase_add_test(tests, exploring_finds_a_cold_expert);
    tcase_add_test(tests, standardised_routing_is_scale_free);
    tcase_add_test(tests, a_cleared_expert_has_no_row);
    tcase_add_test(tests, weight_0_changes_nothing);
    tcase_add_test(tests, what_is_refused);
    return suite;
}

CHECK_MAIN(suite)
