/*
 * The routing options: the losses by their formulas and by differences, the gate's step against the same step written
 * plainly, jitter that predictions never see, and bounds on a batch that hold.
 */
#include "numbers.h"
#include "routers/dispatch.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { K = 5, D = 3 };

static void softmax(const double *z, double *p)
{
    double sum = 0;
    for (int i = 0; i < K; i++)
        sum += p[i] = exp(z[i]);
    for (int i = 0; i < K; i++)
        p[i] /= sum;
}

/* ---- formulas ---------------------------------------------------------------------------------------------------- */

START_TEST(switch_loss)
{
    double even[K] = {.2, .2, .2, .2, .2}, one[K] = {0, 0, 1, 0, 0}, two[K] = {1, 1, 0, 0, 0}, none[K] = {0};
    ck_assert_double_eq_tol(anb_switch_loss(even, even, K), 1, 1e-15);
    ck_assert_double_eq_tol(anb_switch_loss(one, one, K), K, 1e-15);
    ck_assert_double_eq_tol(anb_switch_loss(two, even, K), 1, 1e-15);
    ck_assert_double_eq(anb_switch_loss(none, even, K), 0);
}
END_TEST

static double losses(const double *z, const double *dispatches, double balance, double square)
{
    double p[K], sum = 0, shares = 0, product = 0;
    softmax(z, p);
    for (int i = 0; i < K; i++) {
        sum += exp(z[i]);
        shares += dispatches[i];
        product += dispatches[i] * p[i];
    }
    return balance * K * product / shares + square * log(sum) * log(sum);
}

START_TEST(slopes)
{
    uint64_t seed = 3;
    for (int round = 0; round < 50; round++) {
        double z[K], dispatches[K], p[K], slope[K] = {0}, a = round % 3 ? 0.7 : 0, b = round % 2 ? 0.3 : 0;
        for (int i = 0; i < K; i++)
            z[i] = 4 * noise(&seed), dispatches[i] = noise(&seed) + 0.5;
        softmax(z, p);
        anb_auxiliary_slope(z, p, dispatches, K, a, b, slope);
        for (int i = 0; i < K; i++) {
            double kept = z[i], step = 1e-5;
            z[i] = kept + step;
            double above = losses(z, dispatches, a, b);
            z[i] = kept - step;
            ck_assert_double_eq_tol(slope[i], (above - losses(z, dispatches, a, b)) / (2 * step), 1e-7);
            z[i] = kept;
        }
    }
}
END_TEST

START_TEST(jitter_moments)
{
    AnbRandom random;
    double factor[1000], mean = 0, square = 0;
    anb_random_seed(&random, 5);
    for (int round = 0; round < 100; round++) {
        anb_jitter(&random, 0.1, 1000, factor);
        for (int i = 0; i < 1000; i++)
            mean += factor[i] / 1e5, square += (factor[i] - 1) * (factor[i] - 1) / 1e5;
    }
    ck_assert_double_eq_tol(mean, 1, 0.002);
    ck_assert_double_eq_tol(sqrt(square), 0.1, 0.002);
}
END_TEST

START_TEST(noise_moments)
{
    AnbRandom random;
    double term[1000], mean = 0, square = 0;
    anb_random_seed(&random, 5);
    for (int round = 0; round < 100; round++) {
        anb_noise(&random, 0.01, 1000, term);
        for (int i = 0; i < 1000; i++)
            mean += term[i] / 1e5, square += term[i] * term[i] / 1e5;
    }
    ck_assert_double_eq_tol(mean, 0, 0.0002);
    ck_assert_double_eq_tol(sqrt(square), 0.01, 0.0002);
}
END_TEST

START_TEST(room)
{
    double q[K] = {.1, .3, .3, .2, .1}, left[K] = {1, 0, 2, 1, 1};
    unsigned active[K];
    ck_assert_uint_eq(anb_capacity(1, 1, 64, 4), 16);
    ck_assert_uint_eq(anb_capacity(1.25, 2, 10, 4), 7);
    ck_assert_uint_eq(anb_capacity(100, 2, 10, 4), 10);
    ck_assert_uint_eq(anb_dispatch(q, K, left, active, 2), 2);
    ck_assert(active[0] == 2 && active[1] == 3 && left[2] == 1 && left[3] == 0);
    ck_assert_uint_eq(anb_dispatch(q, K, left, active, 4), 3);
    ck_assert(active[0] == 2 && active[1] == 0 && active[2] == 4);
    ck_assert_uint_eq(anb_dispatch(q, K, left, active, 2), 0);
}
END_TEST

/* ---- the gate's step --------------------------------------------------------------------------------------------- */

static double row(uint64_t *seed, double *x)
{
    for (int j = 0; j < D; j++)
        x[j] = 2 * noise(seed);
    return 3 * x[0] - x[1] + (x[2] > 0) + 0.1 * noise(seed);
}

START_TEST(trained_losses)
{
    StreamingLearner *model = anb_parse(D,
                                        "moe(linear, linear(rate=0.03), mean, last, linear(rate=0.1), top_k=2, "
                                        "router_lr=0.05, switch_loss=0.4, z_loss=0.02)",
                                        NULL, NULL);
    uint64_t seed = 9;
    ck_assert_ptr_nonnull(model);
    for (int t = 0; t < 400; t++) {
        double x[D], y = row(&seed, x), w[K][D], b[K], load[K], z[K], p[K], sum = 0, lse, product = 0, shares = 0;
        AnbGateWeights g;
        AnbMixture m;
        anb_gate_weights(model, &g);
        anb_mixture(model, &m);
        for (int i = 0; i < K; i++) {
            memcpy(w[i], g.weight + (size_t)i * g.stride, sizeof w[i]);
            b[i] = g.bias[i];
            load[i] = m.load[i];
            z[i] = b[i] + g.load_bias[i];
            for (int j = 0; j < D; j++)
                z[i] += w[i][j] * x[j];
            sum += exp(z[i]);
        }
        softmax(z, p);
        lse = log(sum);
        for (int i = 0; i < K; i++)
            shares += load[i], product += load[i] * p[i];
        anb_train_one(model, x, y, 1);
        anb_mixture(model, &m);
        anb_gate_weights(model, &g);
        unsigned best = m.active[0];
        for (size_t a = 1; a < m.n_active; a++)
            if (fabs(y - m.expert[m.active[a]]) < fabs(y - m.expert[best]))
                best = m.active[a];
        for (unsigned i = 0; i < K && t > 0; i++) {
            double step = p[i] - (i == best) + 0.4 * K * p[i] * (load[i] - product) / shares + 0.02 * 2 * lse * p[i];
            ck_assert_double_eq_tol(g.bias[i], b[i] - 0.05 * step, 1e-12);
            for (int j = 0; j < D; j++)
                ck_assert_double_eq_tol(g.weight[i * g.stride + (size_t)j], w[i][j] - 0.05 * step * x[j], 1e-12);
        }
    }
    anb_free(model);
}
END_TEST

/* One expert wins always: without the loss the gate collapses on it, with it the load stays spread. */
static double collapsed(const char *options)
{
    char expression[200] = "moe(last, mean, mean, mean, top_k=1, router_lr=0.2, load_balance_rate=0, reset_dead=false";
    uint64_t seed = 4;
    strcat(strcat(expression, options), ")");
    StreamingLearner *model = anb_parse(D, expression, NULL, NULL);
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    for (int t = 0; t < 4000; t++) {
        double x[D] = {0}, y = noise(&seed);
        anb_observe(anb_diagnostics_observer(d), model, x, y, anb_train_one(model, x, y, 1));
    }
    double loss = anb_diagnostics_value(d, ANB_METRIC_SWITCH_LOSS);
    ck_assert_double_ge(anb_diagnostics_value(d, ANB_METRIC_Z_LOSS), 0);
    anb_diagnostics_free(d);
    anb_free(model);
    return loss;
}

START_TEST(balance)
{
    double without = collapsed(""), with = collapsed(", switch_loss=2");
    ck_assert_double_gt(without, 3.9);
    ck_assert_double_lt(with, 1.3);
}
END_TEST

/* ---- jitter ------------------------------------------------------------------------------------------------------ */

START_TEST(jitter)
{
    const char *noisy =
        "moe(linear, linear(rate=0.03), mean, last, linear(rate=0.1, warmup=40), top_k=2, router_lr=0.1, "
        "router_jitter=0.5, load_balance_rate=0)";
    StreamingLearner *model = anb_parse(D, noisy, NULL, NULL), *twin = NULL;
    uint64_t seed = 12, others = 0;
    ck_assert_ptr_nonnull(model);
    for (int t = 0; t < 1500; t++) {
        double x[D], y = row(&seed, x), before = anb_predict(model, x);
        AnbMixture m;
        if (t == 700)
            twin = anb_clone(model, NULL);
        double f = anb_train_one(model, x, y, 1);
        ck_assert_double_eq(before, f);
        if (twin)
            ck_assert_double_eq(f, anb_train_one(twin, x, y, 1));
        anb_mixture(model, &m);
        ck_assert_uint_eq(m.n_active, 2);
        for (size_t a = 0; a < m.n_active; a++) {
            others += m.weight[m.active[a]] == 0;
            ck_assert(m.expert[m.active[a]] == m.expert[m.active[a]]);
        }
    }
    ck_assert_uint_gt(others, 30);
    ck_assert(anb_equal(model, twin));
    anb_free(model);
    anb_free(twin);
}
END_TEST

/* How often each of two experts learns behind a frozen gate. */
static void learn_by_noise(const char *options, double x, double share[2])
{
    char expression[200] = "moe(mean, last, top_k=1, router_lr=0, load_balance_rate=0, reset_dead=false, ";
    StreamingLearner *model = anb_parse(1, strcat(strcat(expression, options), ")"), NULL, NULL);
    AnbMixture m;
    ck_assert_ptr_nonnull(model);
    for (int t = 0; t < 20000; t++)
        anb_train_one(model, &x, 1, 1);
    anb_mixture(model, &m);
    for (int i = 0; i < 2; i++)
        share[i] = (double)m.trained[i] / 20000;
    anb_free(model);
}

/* At x = 0 all logits are 0: noise decides, and a factor changes nothing. With logits a and b the first one learns from
 * Phi((a - b) / (noise sqrt 2)) of the samples. */
START_TEST(noise_is_added_to_the_logits)
{
    double share[2], p[2], x = .4;
    learn_by_noise("router_noise=0", 0, share);
    ck_assert_double_eq(share[0], 1);
    learn_by_noise("router_jitter=0.5", 0, share);
    ck_assert_double_eq(share[0], 1);
    learn_by_noise("router_noise=0.01", 0, share);
    ck_assert_double_eq_tol(share[0], .5, .015);
    StreamingLearner *model = anb_parse(1, "moe(mean, last, top_k=1, router_lr=0, load_balance_rate=0)", NULL, NULL);
    anb_train_one(model, &x, 1, 1);
    ck_assert_int_eq(anb_routing_probabilities(model, &x, p), 0);
    anb_free(model);
    learn_by_noise("router_noise=0.7", x, share);
    double expected = .5 * erfc(-log(p[0] / p[1]) / .7 / 2);
    ck_assert_double_gt(fabs(expected - .5), .05);
    ck_assert_double_eq_tol(share[0], expected, .012);
}
END_TEST

/* ---- batches ----------------------------------------------------------------------------------------------------- */

enum { N = 64 };

static size_t learn_batches(const char *options, uint64_t most, double *out)
{
    char expression[240] =
        "moe(last, mean, linear, linear(rate=0.1), router_lr=0.2, load_balance_rate=0, reset_dead=false, ";
    double x[N * D], y[N];
    uint64_t seed = 6, before[4] = {0};
    size_t overflowed = 0;
    AnbMixture m;
    strcat(strcat(expression, options), ")");
    StreamingLearner *model = anb_parse(D, expression, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    for (int batch = 0; batch < 20; batch++) {
        for (int i = 0; i < N; i++)
            y[i] = row(&seed, x + i * D);
        overflowed += anb_train_batch(model, x, y, NULL, N, out + batch * N);
        anb_mixture(model, &m);
        for (int i = 0; i < 4; i++) {
            ck_assert_uint_le(m.trained[i] - before[i], most);
            before[i] = m.trained[i];
        }
    }
    ck_assert_uint_eq(anb_train_batch(model, NULL, NULL, NULL, 0, NULL), 0);
    anb_free(model);
    return overflowed;
}

START_TEST(capacity)
{
    static double bounded[20 * N], loose[20 * N], off[20 * N];
    ck_assert_uint_gt(learn_batches("top_k=1, capacity_factor=1", N / 4, bounded), 100);
    ck_assert_uint_gt(learn_batches("top_k=2, capacity_factor=1.25", 40, bounded), 10);
    ck_assert_uint_eq(learn_batches("top_k=1, capacity_factor=4", N, loose), 0);
    ck_assert_uint_eq(learn_batches("top_k=1", N, off), 0);
    ck_assert_mem_eq(loose, off, sizeof off);
    AnbError error;
    ck_assert_ptr_null(anb_parse(D, "moe(mean, last, capacity_factor=0.5)", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "capacity_factor"));
}
END_TEST

static Suite *dispatch_suite(void)
{
    Suite *suite = suite_create("dispatch");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, switch_loss);
    tcase_add_test(tests, slopes);
    tcase_add_test(tests, jitter_moments);
    tcase_add_test(tests, room);
    tcase_add_test(tests, trained_losses);
    tcase_add_test(tests, balance);
    tcase_add_test(tests, jitter);
    tcase_add_test(tests, noise_moments);
    tcase_add_test(tests, noise_is_added_to_the_logits);
    tcase_add_test(tests, capacity);
    return suite;
}

CHECK_MAIN(dispatch_suite)
