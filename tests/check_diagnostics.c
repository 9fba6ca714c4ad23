/*
 * The observer against plain sums over the whole history, kept and recomputed at the end.
 */
#include "made.h"
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { N = 1500, D = 3, K = 4, SPAN = 100 };

static double sample(uint64_t *seed, double *x)
{
    for (int j = 0; j < D; j++)
        x[j] = 2 * noise(seed);
    return 3 * x[0] - 2 * x[1] + 4 + (x[2] > 0 ? 2 * x[1] : -x[0]) + 0.2 * noise(seed);
}

static const char *sparse = "moe(linear(rate=0.02), linear(rate=0.005), mean, last, top_k=2, utilization_span=60)";

/* ---- one run, all of it kept ------------------------------------------------------------------------------------- */

typedef struct Step {
    double y, prediction, f[K], p[K], weight[K];
    unsigned active[K], n_active;
    unsigned char reset[K];
} Step;

typedef struct Run {
    StreamingLearner *model;
    AnbDiagnostics *d;
    Step step[N];
} Run;

static Run *run_of(const char *expression, int n)
{
    Run *run = calloc(1, sizeof *run);
    AnbDiagnosticsOptions options = anb_diagnostics_defaults();
    uint64_t seed = 7;
    options.span = SPAN;
    run->model = made(D, expression);
    run->d = anb_diagnostics_new(run->model, &options, NULL);
    ck_assert_ptr_nonnull(run->d);
    for (int t = 0; t < n; t++) {
        Step *s = &run->step[t];
        double x[D];
        AnbMixture m;
        s->y = sample(&seed, x);
        s->prediction = anb_train_one(run->model, x, s->y, 1);
        anb_observe(anb_diagnostics_observer(run->d), run->model, x, s->y, s->prediction);
        if (anb_mixture(run->model, &m))
            continue;
        s->n_active = (unsigned)m.n_active;
        for (size_t i = 0; i < m.k; i++) {
            s->f[i] = m.expert[i], s->p[i] = m.probability[i], s->weight[i] = m.weight[i];
            s->reset[i] = m.reset[i];
        }
        memcpy(s->active, m.active, m.n_active * sizeof *m.active);
    }
    return run;
}

static void done(Run *run)
{
    anb_diagnostics_free(run->d);
    anb_free(run->model);
    free(run);
}

static bool active_in(const Step *s, unsigned i)
{
    for (unsigned a = 0; a < s->n_active; a++)
        if (s->active[a] == i)
            return true;
    return false;
}

static unsigned first_of(const Step *s)
{
    unsigned top = 0;
    for (unsigned i = 1; i < K; i++)
        if (s->p[i] > s->p[top])
            top = i;
    return top;
}

static double fade(int age)
{
    return pow(1 - 2.0 / (SPAN + 1), age);
}

static void close_to(Run *run, AnbMetricId id, int i, double wanted)
{
    size_t n;
    double ours = anb_diagnostics_values(run->d, id, &n)[i];
    ck_assert_msg(fabs(ours - wanted) <= 1e-10 * (1 + fabs(wanted)), "%s[%d]: %.17g, not %.17g", anb_metrics()[id].name,
                  i, ours, wanted);
}

/* ---- against the sums -------------------------------------------------------------------------------------------- */

START_TEST(errors_and_baselines)
{
    Run *run = run_of(sparse, N);
    double weight = 0, mse = 0, mae = 0, mean_mse = 0, last_mse = 0, all = 0, total = 0;
    for (int t = 0; t < N; t++) {
        const Step *s = &run->step[t];
        double mean = t ? total / t : 0, last = t ? run->step[t - 1].y : 0, w = fade(N - 1 - t);
        weight += w;
        mse += w * pow(s->y - s->prediction, 2);
        mae += w * fabs(s->y - s->prediction);
        mean_mse += w * pow(s->y - mean, 2);
        last_mse += w * pow(s->y - last, 2);
        all += pow(s->y - s->prediction, 2);
        total += s->y;
    }
    close_to(run, ANB_METRIC_RMSE, 0, sqrt(mse / weight));
    close_to(run, ANB_METRIC_MAE, 0, mae / weight);
    close_to(run, ANB_METRIC_MEAN_RMSE, 0, sqrt(mean_mse / weight));
    close_to(run, ANB_METRIC_LAST_RMSE, 0, sqrt(last_mse / weight));
    close_to(run, ANB_METRIC_RMSE_OVERALL, 0, sqrt(all / N));
    close_to(run, ANB_METRIC_SKILL, 0, 1 - sqrt(mse) / fmin(sqrt(mean_mse), sqrt(last_mse)));
    close_to(run, ANB_METRIC_SAMPLES, 0, N);
    done(run);
}
END_TEST

START_TEST(gate)
{
    Run *run = run_of(sparse, N);
    double weight = 0, confidence = 0, margin = 0, switching = 0, switch_weight = 0;
    for (int t = 0; t < N; t++) {
        const Step *s = &run->step[t];
        double w = fade(N - 1 - t), second = 0;
        unsigned top = first_of(s);
        for (unsigned i = 0; i < K; i++)
            if (i != top && s->p[i] > second)
                second = s->p[i];
        weight += w;
        confidence += w * s->p[top];
        margin += w * (s->p[top] - second);
        if (t > 0) {
            switch_weight += w;
            switching += w * (top != first_of(&run->step[t - 1]));
        }
    }
    close_to(run, ANB_METRIC_GATE_CONFIDENCE, 0, confidence / weight);
    close_to(run, ANB_METRIC_GATE_MARGIN, 0, margin / weight);
    close_to(run, ANB_METRIC_SWITCHING_RATE, 0, switching / switch_weight);
    ck_assert_double_gt(switching, 0);
    done(run);
}
END_TEST

START_TEST(loads)
{
    Run *run = run_of(sparse, N);
    double weight = 0, load[K] = {0}, mass[K] = {0}, first[K] = {0}, share[K] = {0};
    for (int t = 0; t < N; t++) {
        const Step *s = &run->step[t];
        double w = fade(N - 1 - t);
        weight += w;
        first[first_of(s)] += w;
        for (unsigned i = 0; i < K; i++)
            mass[i] += w * s->p[i], share[i] += w * s->weight[i], load[i] += active_in(s, i) ? w : 0;
    }
    double mean = 2.0 / K, largest = 0, square = 0, entropy = 0, balance = 0;
    for (int i = 0; i < K; i++) {
        close_to(run, ANB_METRIC_EXPERT_LOAD, i, load[i] / weight);
        close_to(run, ANB_METRIC_EXPERT_MASS, i, mass[i] / weight);
        close_to(run, ANB_METRIC_EXPERT_SHARE, i, share[i] / weight);
        close_to(run, ANB_METRIC_EXPERT_FIRST, i, first[i] / weight);
        largest = fmax(largest, load[i] / weight);
        square += pow(load[i] / weight - mean, 2);
        entropy -= mass[i] / weight * log(mass[i] / weight);
        balance += K * (load[i] / weight / 2) * (mass[i] / weight);
    }
    close_to(run, ANB_METRIC_LOAD_CV, 0, sqrt(square / K) / mean);
    close_to(run, ANB_METRIC_MAX_VIOLATION, 0, (largest - mean) / mean);
    close_to(run, ANB_METRIC_EFFECTIVE_EXPERTS, 0, exp(entropy));
    close_to(run, ANB_METRIC_SWITCH_LOSS, 0, balance);
    done(run);
}
END_TEST

START_TEST(errors_of_experts)
{
    Run *run = run_of(sparse, N);
    double rmse[K], best = INFINITY, mse = 0, weight = 0;
    for (unsigned i = 0; i < K; i++) {
        double own_weight = 0, own = 0, age = 0;
        int processed = 0;
        for (int t = N - 1; t >= 0; t--)
            if (active_in(&run->step[t], i)) {
                own_weight += fade(processed);
                own += fade(processed++) * pow(run->step[t].y - run->step[t].f[i], 2);
            }
        for (int t = 0; t < N; t++)
            age = run->step[t].reset[i] ? 0 : age + 1;
        rmse[i] = sqrt(own / own_weight);
        best = fmin(best, rmse[i]);
        close_to(run, ANB_METRIC_EXPERT_RMSE, (int)i, rmse[i]);
        close_to(run, ANB_METRIC_EXPERT_AGE, (int)i, age);
        close_to(run, ANB_METRIC_EXPERT_PROCESSED, (int)i, processed);
        close_to(run, ANB_METRIC_EXPERT_SHARE_TRAINED, (int)i, (double)processed / N);
    }
    for (int t = 0; t < N; t++) {
        weight += fade(N - 1 - t);
        mse += fade(N - 1 - t) * pow(run->step[t].y - run->step[t].prediction, 2);
    }
    close_to(run, ANB_METRIC_REGRET, 0, sqrt(mse / weight) - best);
    for (int i = 0; i < K; i++)
        close_to(run, ANB_METRIC_EXPERT_REGRET, i, rmse[i] - best);
    done(run);
}
END_TEST

START_TEST(pairs)
{
    Run *run = run_of(sparse, N);
    for (unsigned i = 0; i < K; i++)
        for (unsigned j = 0; j < K; j++) {
            double both = 0, own = 0;
            for (int t = 0; t < N; t++) {
                own += active_in(&run->step[t], i);
                both += active_in(&run->step[t], i) && active_in(&run->step[t], j);
            }
            close_to(run, ANB_METRIC_COACTIVATION, (int)(i * K + j), both / own);
        }
    done(run);
}
END_TEST

START_TEST(pool)
{
    Run *run = run_of(sparse, N);
    AnbExpertPool *p = anb_diagnostics_pool(run->d);
    double contribution[K] = {0};
    for (unsigned i = 0; i < K; i++) {
        double square = 0, away = 0, middle = 0, n = 0;
        for (int t = 0; t < N; t++) {
            const Step *s = &run->step[t];
            if (!active_in(s, i))
                continue;
            double mean = (s->f[s->active[0]] + s->f[s->active[1]]) / 2;
            n++;
            square += s->f[i] * s->f[i];
            away += fabs(s->f[i] - mean);
            middle += fabs(mean);
            contribution[i] += fabs(s->weight[i] * s->f[i]) / N;
        }
        close_to(run, ANB_METRIC_EXPERT_MAGNITUDE, (int)i, sqrt(square / n));
        close_to(run, ANB_METRIC_EXPERT_SPECIALIZATION, (int)i, away / (away + middle));
        close_to(run, ANB_METRIC_EXPERT_CONTRIBUTION, (int)i, contribution[i]);
    }
    size_t top[K];
    ck_assert_uint_eq(anb_expert_pool_top(p, top, K + 3), K);
    for (int i = 1; i < K; i++)
        ck_assert_double_ge(contribution[top[i - 1]], contribution[top[i]]);
    size_t two[2];
    ck_assert_uint_eq(anb_expert_pool_top(p, two, 2), 2);
    ck_assert(two[0] == top[0] && two[1] == top[1]);
    done(run);
}
END_TEST

/* A linear expert with one weight that matters: the others contribute less than a hundredth. */
START_TEST(sparsity)
{
    StreamingLearner *model = anb_parse(4, "moe(linear(rate=0.1), mean, top_k=2)", NULL, NULL);
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    uint64_t seed = 3;
    for (int t = 0; t < 4000; t++) {
        double x[4] = {1 + noise(&seed), 0, 0, 0}, y = 5 * x[0];
        anb_observe(anb_diagnostics_observer(d), model, x, y, anb_train_one(model, x, y, 1));
    }
    AnbPooled linear = anb_expert_pool_expert(anb_diagnostics_pool(d), 0);
    AnbPooled mean = anb_expert_pool_expert(anb_diagnostics_pool(d), 1);
    ck_assert_double_eq_tol(linear.sparsity, 0.75, 0.01);
    ck_assert(mean.sparsity != mean.sparsity);
    anb_diagnostics_free(d);
    anb_free(model);
}
END_TEST

START_TEST(names_and_reset)
{
    StreamingLearner *model = anb_parse(D, "scale(moe(linear(name=fast), linear))", NULL, NULL);
    ck_assert_ptr_nonnull(model);
    AnbExpertPool *p = anb_expert_pool_new(model, NULL);
    double x[D] = {1, 2, 3};
    ck_assert_str_eq(anb_expert_pool_expert(p, 0).name, "fast");
    ck_assert_str_eq(anb_expert_pool_expert(p, 1).name, "linear_1");
    ck_assert_double_eq(anb_expert_pool_sparsity(p), 1);
    anb_observe(anb_expert_pool_observer(p), model, x, 1, anb_train_one(model, x, 1, 1));
    ck_assert_double_eq(anb_expert_pool_sparsity(p), 0);
    ck_assert_uint_eq(anb_expert_pool_samples(p), 1);
    ck_assert_int_eq(anb_expert_pool_set_name(p, 1, "slow"), 0);
    ck_assert_int_eq(anb_expert_pool_set_name(p, 2, "none"), ANB_E_ARGUMENT);
    anb_expert_pool_reset(p);
    ck_assert_uint_eq(anb_expert_pool_samples(p), 0);
    ck_assert_uint_eq(anb_expert_pool_expert(p, 0).processed, 0);
    ck_assert_str_eq(anb_expert_pool_expert(p, 1).name, "slow");
    /* UTF-8, whole characters of it */
    anb_expert_pool_set_name(p, 1, "caf\xe9 caf\xc3\xa9 \xf0\x9f\x98\x80 \xed\xa0\x80");
    ck_assert_str_eq(anb_expert_pool_expert(p, 1).name, "caf? caf\xc3\xa9 \xf0\x9f\x98\x80 ???");
    anb_expert_pool_set_name(p, 1, "0123456789012345678901234567890123456789012345\xc3\xa9");
    ck_assert_str_eq(anb_expert_pool_expert(p, 1).name, "0123456789012345678901234567890123456789012345");
    anb_expert_pool_set_name(p, 1, NULL);
    ck_assert_str_eq(anb_expert_pool_expert(p, 1).name, "linear_1");
    ck_assert_uint_eq(anb_n_samples_seen(model), 1);
    anb_expert_pool_free(p);
    anb_free(model);
}
END_TEST

/* ---- beside the model -------------------------------------------------------------------------------------------- */

START_TEST(changes_nothing)
{
    StreamingLearner *watched = anb_parse(D, sparse, NULL, NULL), *plain = anb_parse(D, sparse, NULL, NULL);
    AnbDiagnostics *d = anb_diagnostics_new(watched, NULL, NULL);
    uint64_t seed = 5;
    for (int t = 0; t < N; t++) {
        double x[D], y = sample(&seed, x), f = anb_train_one(watched, x, y, 1);
        anb_observe(anb_diagnostics_observer(d), watched, x, y, f);
        anb_diagnostics_value(d, ANB_METRIC_RMSE);
        ck_assert_double_eq(f, anb_train_one(plain, x, y, 1));
    }
    ck_assert(anb_equal(watched, plain));
    anb_diagnostics_free(d);
    anb_free(watched);
    anb_free(plain);
}
END_TEST

START_TEST(rejected_and_weightless)
{
    StreamingLearner *model = anb_parse(D, sparse, NULL, NULL);
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    double x[D] = {1, 2, 3}, bad[D] = {1, INFINITY, 3};
    anb_observe(anb_diagnostics_observer(d), model, bad, 1, anb_train_one(model, bad, 1, 1));
    ck_assert_double_eq(anb_diagnostics_value(d, ANB_METRIC_REJECTED_FEATURES), 1);
    ck_assert(isnan(anb_diagnostics_value(d, ANB_METRIC_RMSE)));
    anb_observe(anb_diagnostics_observer(d), model, x, 4, anb_train_one(model, x, 4, 1));
    anb_observe(anb_diagnostics_observer(d), model, x, NAN, anb_train_one(model, x, NAN, 1));
    anb_observe(anb_diagnostics_observer(d), model, x, 9, anb_train_one(model, x, 9, 0));
    ck_assert_double_eq(anb_diagnostics_value(d, ANB_METRIC_REJECTED_TARGET), 1);
    ck_assert_double_eq(anb_diagnostics_value(d, ANB_METRIC_TARGET), 4);
    ck_assert_double_eq(anb_diagnostics_value(d, ANB_METRIC_RMSE), 4);
    anb_diagnostics_reset(d);
    ck_assert(isnan(anb_diagnostics_value(d, ANB_METRIC_TARGET)));
    anb_diagnostics_free(d);
    anb_free(model);
}
END_TEST

/* After targets at the end of the doubles every metric is a finite number, and the faded ones come back to what is true
 * now. */
START_TEST(errors_beyond_the_doubles)
{
    static const double targets[] = {1.7e308, -1.7e308, 1e200, -1e160};
    Run *run = run_of(sparse, 200);
    double x[D];
    uint64_t seed = 5;
    for (int t = 0; t < 12000; t++) {
        double y = sample(&seed, x);
        y = t < 40 && t % 10 == 0 ? targets[t / 10] : y;
        anb_observe(anb_diagnostics_observer(run->d), run->model, x, y, anb_train_one(run->model, x, y, 1));
        for (int id = 0; t % 10 == 0 && id < ANB_METRIC_COUNT; id++) {
            size_t n;
            const double *v = anb_diagnostics_values(run->d, (AnbMetricId)id, &n);
            for (size_t i = 0; i < n; i++)
                ck_assert_msg(!isinf(v[i]), "%s[%zu] is infinite at sample %d", anb_metrics()[id].name, i, t);
        }
    }
    ck_assert(isfinite(anb_diagnostics_value(run->d, ANB_METRIC_RMSE)));
    ck_assert(isfinite(anb_diagnostics_value(run->d, ANB_METRIC_RMSE_OVERALL)));
    ck_assert(anb_diagnostics_value(run->d, ANB_METRIC_RMSE_OVERALL) > 1e140);
    ck_assert(anb_diagnostics_value(run->d, ANB_METRIC_LAST_RMSE) < 1e100);
    ck_assert(isfinite(anb_diagnostics_value(run->d, ANB_METRIC_MEAN_RMSE)));
    ck_assert(isfinite(anb_diagnostics_value(run->d, ANB_METRIC_SKILL)));
    ck_assert(isfinite(anb_diagnostics_value(run->d, ANB_METRIC_REGRET)));
    for (int id = 0; id < ANB_METRIC_COUNT; id++)
        ck_assert_msg(anb_metrics()[id].shape != ANB_OF_MODEL ||
                          isfinite(anb_diagnostics_value(run->d, (AnbMetricId)id)),
                      "%s is not finite", anb_metrics()[id].name);
    done(run);
}
END_TEST

START_TEST(without_a_mixture)
{
    Run *run = run_of("scale(linear)", 50);
    size_t n = 1;
    anb_diagnostics_values(run->d, ANB_METRIC_EXPERT_RMSE, &n);
    ck_assert_uint_eq(n, 0);
    ck_assert_ptr_null(anb_diagnostics_pool(run->d));
    ck_assert(anb_diagnostics_value(run->d, ANB_METRIC_RMSE) > 0);
    ck_assert(isnan(anb_diagnostics_value(run->d, ANB_METRIC_GATE_ENTROPY)));
    ck_assert_ptr_null(anb_expert_pool_new(run->model, NULL));
    done(run);
}
END_TEST

static Suite *diagnostics_suite(void)
{
    Suite *suite = suite_create("diagnostics");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, errors_and_baselines);
    tcase_add_test(tests, gate);
    tcase_add_test(tests, loads);
    tcase_add_test(tests, errors_of_experts);
    tcase_add_test(tests, pairs);
    tcase_add_test(tests, pool);
    tcase_add_test(tests, sparsity);
    tcase_add_test(tests, names_and_reset);
    tcase_add_test(tests, changes_nothing);
    tcase_add_test(tests, rejected_and_weightless);
    tcase_add_test(tests, without_a_mixture);
    tcase_add_test(tests, errors_beyond_the_doubles);
    return suite;
}

CHECK_MAIN(diagnostics_suite)
