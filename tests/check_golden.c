/*
 * Traces of an independent implementation of the specification: 2,000 samples through four mixtures. The project
 * carries a thinned copy; where ../shared/golden is there every step is compared.
 */
#include "made.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 2000, D = 4, K = 3, FIELDS = 64, LINE = 4096 };

static double inputs[STEPS][D + 1];

static FILE *open_golden(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "r");
}

static void own_folder(char *path, size_t size)
{
    const char *root = getenv("ANB_SOURCE_ROOT");
    snprintf(path, size, "%s/tests/golden", root ? root : "..");
}

static void read_inputs(void)
{
    char folder[512], line[LINE];
    own_folder(folder, sizeof folder);
    FILE *file = open_golden(folder, "inputs.csv");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    for (int i = 0; i < STEPS; i++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
        char *at = line;
        for (int j = 0; j <= D; j++, at++)
            inputs[i][j] = strtod(at, &at);
    }
    fclose(file);
}

/* ---- one trace --------------------------------------------------------------------------------------------------- */

typedef struct Trace {
    FILE *file;
    int n;
    char head[LINE], line[LINE];
    char *name[FIELDS], *value[FIELDS];
    double tolerance;
} Trace;

static int split(char *line, char **fields)
{
    int n = 0;
    for (char *at = strtok(line, ",\n"); at && n < FIELDS; at = strtok(NULL, ",\n"))
        fields[n++] = at;
    return n;
}

static bool next_row(Trace *t)
{
    return fgets(t->line, sizeof t->line, t->file) && split(t->line, t->value) == t->n;
}

static const char *text_of(const Trace *t, const char *name)
{
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->name[i], name) == 0)
            return t->value[i];
    ck_abort_msg("no column %s", name);
}

static double value_of(const Trace *t, const char *format, int i)
{
    char name[64];
    snprintf(name, sizeof name, format, i);
    return strtod(text_of(t, name), NULL);
}

static void close_to(const Trace *t, const char *format, int i, double ours)
{
    double wanted = value_of(t, format, i), scale = fabs(wanted) > 1 ? fabs(wanted) : 1;
    ck_assert_msg(fabs(ours - wanted) <= t->tolerance * scale, "step %s, %s (%d): %.17g, not %.17g", text_of(t, "step"),
                  format, i, ours, wanted);
}

static void same(const Trace *t, const char *format, int i, double ours)
{
    ck_assert_msg(ours == value_of(t, format, i), "step %s, %s (%d): %g, not %g", text_of(t, "step"), format, i, ours,
                  value_of(t, format, i));
}

static void compare_before(const Trace *t, StreamingLearner *model, const double *x)
{
    double p[K], f[K];
    close_to(t, "pred_before", 0, anb_predict(model, x));
    close_to(t, "expert_disagreement_before", 0, anb_expert_disagreement(model, x));
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), 0);
    ck_assert_int_eq(anb_expert_predictions(model, x, f), 0);
    for (int i = 0; i < K; i++) {
        close_to(t, "rp_before_%d", i, p[i]);
        close_to(t, "ep_before_%d", i, f[i]);
    }
}

static void compare_active(const Trace *t, const AnbMixture *m)
{
    char order[32] = "";
    for (size_t a = 0; a < m->n_active; a++)
        snprintf(order + strlen(order), sizeof order - strlen(order), "%s%u", a ? ";" : "", m->active[a]);
    ck_assert_str_eq(order, text_of(t, "active_order"));
    double reset = 0;
    for (int i = 0; i < K; i++)
        reset += m->reset[i] ? 1 << i : 0;
    same(t, "reset_mask", 0, reset);
    same(t, "n_dead_experts", 0, (double)m->n_dead);
}

/* The reference's load bias drifts by a constant common to all experts. */
static void compare_gate(const Trace *t, StreamingLearner *model, const double *x)
{
    AnbGateWeights gate;
    double p[K];
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), 0);
    ck_assert_int_eq(anb_gate_weights(model, &gate), 0);
    for (int i = 0; i < K; i++) {
        close_to(t, "rp_after_%d", i, p[i]);
        close_to(t, "gate_bias_sh_%d", i, gate.bias[i]);
        close_to(t, "load_bias_sh_%d", i, gate.load_bias[i] - gate.load_bias[0] + value_of(t, "load_bias_sh_%d", 0));
    }
}

static void compare_after(const Trace *t, StreamingLearner *model, const double *x)
{
    AnbMixture m;
    AnbMixtureSummary five;
    ck_assert_int_eq(anb_mixture(model, &m), 0);
    ck_assert_int_eq(anb_mixture_summary(model, &five), 0);
    compare_active(t, &m);
    for (int i = 0; i < K; i++) {
        close_to(t, "mixw_sh_%d", i, m.weight[i]);
        close_to(t, "util_%d", i, m.utilization[i]);
        same(t, "samples_%d", i, (double)m.trained[i]);
        close_to(t, "load_%d", i, m.load[i]);
        close_to(t, "warmup_%d", i, m.progress[i]);
    }
    close_to(t, "cached_disagreement", 0, m.disagreement);
    close_to(t, "diag_alignment", 0, five.alignment);
    close_to(t, "diag_reg", 0, five.load_balance_rate);
    close_to(t, "diag_depth", 0, five.gate_entropy);
    same(t, "diag_dof", 0, five.experts);
    close_to(t, "diag_uncertainty", 0, five.disagreement);
    compare_gate(t, model, x);
}

/* The steps that the file holds are compared, the others only learned. Returns how many were compared. */
static int follow(Trace *t, StreamingLearner *model)
{
    int compared = 0;
    bool more = next_row(t);
    for (int i = 0; i < STEPS; i++) {
        bool listed = more && atoi(text_of(t, "step")) == i;
        double *x = inputs[i], y = x[D];
        if (listed)
            compare_before(t, model, x);
        double before = anb_predict(model, x);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), before);
        if (listed) {
            compare_after(t, model, x);
            more = next_row(t);
            compared++;
        }
    }
    return compared;
}

static int compare_file(const char *folder, const char *name, const char *expression, double tolerance)
{
    Trace t = {.file = open_golden(folder, name), .tolerance = tolerance};
    if (!t.file)
        return 0;
    ck_assert_ptr_nonnull(fgets(t.head, sizeof t.head, t.file));
    t.n = split(t.head, t.name);
    StreamingLearner *model = made(D, expression);
    int compared = follow(&t, model);
    anb_free(model);
    fclose(t.file);
    return compared;
}

/* The traces, compared once with the project's copy and once, where they are there, with every step of the
 * shared ones. */
enum { OWN, SHARED, COPIES };

static void compare_trace(int copy, const char *name, const char *expression, double tolerance)
{
    char folder[512], shared[600], file[64];
    read_inputs();
    own_folder(folder, sizeof folder);
    snprintf(shared, sizeof shared, "%s/../../../shared/golden", folder);
    snprintf(file, sizeof file, copy == OWN ? "%s.csv" : "golden_%s.csv", name);
    int steps = compare_file(copy == OWN ? folder : shared, file, expression, tolerance);
    if (copy == OWN)
        ck_assert_int_ge(steps, 55);
    else if (steps == 0)
        skip_test("../shared/golden is not there");
    else
        ck_assert_int_eq(steps, STEPS);
}

#define LINEARS "linear(rate=0.01), linear(rate=0.02), linear(rate=0.05)"
#define WARMING "linear(rate=0.01), linear(rate=0.02, warmup=50), linear(rate=0.05, warmup=200)"

START_TEST(three_linears)
{
    compare_trace(_i, "linear", "moe(" LINEARS ")", 1e-9);
}
END_TEST

/* The RLS amplifies rounding. */
START_TEST(linears_and_an_adaptive_rls)
{
    compare_trace(_i, "hetero",
                  "moe(linear(rate=0.01), rls(lambda=0.99, intercept=false, adaptive=true), linear(rate=0.05))", 1e-6);
}
END_TEST

START_TEST(dead_experts_are_reset)
{
    compare_trace(_i, "reset",
                  "moe(" WARMING ", top_k=1, utilization_span=100, utilization_threshold=0.1, load_balance_rate=0.1)",
                  1e-9);
}
END_TEST

START_TEST(an_expert_that_never_warms_up)
{
    compare_trace(_i, "warmup_deadlock", "moe(" WARMING ", top_k=1, utilization_span=100, utilization_threshold=0.1)",
                  1e-9);
}
END_TEST

/* The weights that the first sample draws, with a frozen gate, for four seeds. */
START_TEST(initial_router_weights)
{
    char folder[512], line[LINE];
    own_folder(folder, sizeof folder);
    FILE *file = open_golden(folder, "router_init.csv");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    int rows = 0;
    while (fgets(line, sizeof line, file)) {
        unsigned long long seed;
        int k, d, i, j;
        double wanted, x[64] = {0};
        char expression[2048] = "moe(mean";
        AnbGateWeights gate;
        ck_assert_int_eq(sscanf(line, "%llu,%d,%d,%d,%d,%lf", &seed, &k, &d, &i, &j, &wanted), 6);
        for (int e = 1; e < k; e++)
            strcat(expression, ", mean");
        snprintf(expression + strlen(expression), 128, ", top_k=1, router_lr=0, seed=%llu)", seed);
        StreamingLearner *model = anb_parse((size_t)d, expression, NULL, NULL);
        ck_assert_ptr_nonnull(model);
        anb_train_one(model, x, 1, 1);
        ck_assert_int_eq(anb_gate_weights(model, &gate), 0);
        ck_assert_double_eq_tol(gate.weight[(size_t)i * gate.stride + (size_t)j], wanted, 1e-15);
        anb_free(model);
        rows++;
    }
    ck_assert_int_ge(rows, 100);
    fclose(file);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("golden");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, three_linears, OWN, COPIES);
    tcase_add_loop_test(tests, linears_and_an_adaptive_rls, OWN, COPIES);
    tcase_add_loop_test(tests, dead_experts_are_reset, OWN, COPIES);
    tcase_add_loop_test(tests, an_expert_that_never_warms_up, OWN, COPIES);
    tcase_add_test(tests, initial_router_weights);
    return suite;
}

CHECK_MAIN(suite)
