/* A caller's own router, mixture and interval have the same rights as the library's. */
#include "mixtures.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/audit.h>
#include <anabranch/diagnostics.h>
#include <anabranch/interval.h>
#include <anabranch/moe.h>
#include <anabranch/pending.h>
#include <anabranch/pool.h>
#include <math.h>
#include <stdio.h>

/* ---- a router: every expert weighs the same, and so far that is all -------------------------------------------- */

static size_t experts(const AnbNode *self)
{
    return self->gate.k;
}

static const AnbField of_experts[] = {{.name = "samples", .kind = ANB_F64, .count = experts}, {0}};
static const AnbField scratch_of_experts[] = {{.name = "order", .kind = ANB_F64, .count = experts}, {0}};

static void even_gate(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)state, (void)row;
    for (size_t i = 0; i < self->gate.k; i++) {
        gate->p[i] = gate->weight[i] = 1 / (double)gate->k;
        gate->active[i] = (unsigned)i;
        scratch[i] = (double)i;
    }
    gate->n_active = gate->k;
}

static double even_mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    double sum = 0;
    (void)self, (void)state, (void)row, (void)scratch;
    for (size_t i = 0; i < gate->k; i++)
        sum += gate->weight[i] * gate->f[i];
    return sum;
}

/* The state counts samples, by expert: its load. */
static void even_learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                       double *scratch)
{
    (void)self, (void)row, (void)y, (void)weight, (void)scratch;
    for (size_t i = 0; i < gate->k; i++) {
        gate->after[i] = gate->p[i];
        ((double *)state)[i] += 1;
    }
}

static void even_weights(const AnbNode *self, const void *state, AnbGateWeights *weights)
{
    *weights = (AnbGateWeights){.k = self->gate.k, .bias = state};
}

static const double *even_load(const AnbNode *self, const void *state)
{
    (void)self;
    return state;
}

/* What the plan told the router. */
static double even_rate(const AnbNode *self)
{
    return (double)self->gate.span + (self->gate.standardized ? .5 : 0);
}

static const double *even_logits(const AnbNode *self, double *scratch)
{
    (void)self;
    return scratch;
}

static const AnbGateTable even_readable = {even_weights};
static const AnbLoadTable even_balance = {even_load, even_rate};
static const AnbLogitsTable even_scores = {even_logits};

static const AnbRouterType even = {
    .type =
        {.name = "even", .flags = ANB_WEIGHT_SCALED, .version = 1, .fields = of_experts, .scratch = scratch_of_experts},
    .dense = true,
    .gate = even_gate,
    .mix = even_mix,
    .learn = even_learn,
    .readable = &even_readable,
    .load = &even_balance,
    .logits = &even_scores,
};

/* ---- a mixture without a router: the mean of its children ------------------------------------------------------- */

enum { PAIR = 2 };

typedef struct PairState {
    uint64_t samples, trained[PAIR];
} PairState;

/* The scratch: predictions, weights, the active ones and the flags. */
typedef struct PairWork {
    double f[PAIR], weight[PAIR], one[PAIR], prediction;
    unsigned active[PAIR];
    unsigned char none[PAIR];
} PairWork;

static const AnbField pair_members[] = {{ANB_MEMBER(PairState, samples)}, {ANB_MEMBER(PairState, trained)}, {0}};
static const AnbField pair_fields[] = {{ANB_STRUCT(PairState, pair_members)}, {0}};
static const AnbField pair_scratch[] = {{ANB_SCRATCH_STRUCT(PairWork)}, {0}};

static double predict_pair(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    PairWork *w = (PairWork *)scratch;
    for (unsigned i = 0; i < PAIR; i++) {
        w->f[i] = anb_child_predict(self, i, state, row, scratch);
        w->weight[i] = .5;
        w->one[i] = 1;
        w->active[i] = i;
        w->none[i] = 0;
    }
    return w->prediction = (w->f[0] + w->f[1]) / 2;
}

static void update_pair(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    PairState *s = state;
    s->samples++;
    for (size_t i = 0; i < PAIR; i++, s->trained[i - 1]++)
        anb_child_update(self, i, state, row, y, weight, scratch);
}

static int pair_span(const AnbNode *self)
{
    (void)self;
    return 10;
}

static void pair_view(const AnbNode *self, const void *state, double *scratch, AnbMixture *m)
{
    const PairState *s = state;
    PairWork *w = (PairWork *)scratch;
    (void)self;
    *m = (AnbMixture){.k = PAIR, .samples = s->samples, .prediction = w->prediction, .n_active = PAIR, .dense = true};
    m->active = w->active;
    m->weight = m->probability = m->after = m->utilization = m->load = w->weight;
    m->expert = w->f;
    m->trained = s->trained;
    m->progress = w->one;
    m->dead = m->reset = w->none;
}

static void pair_routing(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *p)
{
    (void)self, (void)state, (void)row, (void)scratch;
    p[0] = p[1] = .5;
}

static void pair_experts(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *f)
{
    predict_pair(self, state, row, scratch);
    memcpy(f, ((PairWork *)scratch)->f, PAIR * sizeof *f);
}

static double pair_disagreement(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double f[PAIR];
    pair_experts(self, state, row, scratch, f);
    return fabs(f[0] - f[1]) * sqrt(.5);
}

static const AnbMixtureTable pair_table = {pair_span, pair_view, pair_routing, pair_experts, pair_disagreement};

static const StreamingLearnerType pair = {
    .name = "pair",
    .flags = ANB_WEIGHT_SCALED,
    .version = 1,
    .min_children = PAIR,
    .max_children = PAIR,
    .fields = pair_fields,
    .scratch = pair_scratch,
    .predict = predict_pair,
    .update = update_pair,
    .mixture = &pair_table,
};

/* ---- an interval of a fixed width, and a type that merely holds a router ---------------------------------------- */

static const AnbField one_real[] = {{.name = "value", .kind = ANB_F64, .fixed = 1}, {0}};

static double predict_first(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    return scratch[0] = anb_child_predict(self, 0, state, row, scratch);
}

static void update_first(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static size_t band_levels(const AnbNode *self, const double **coverage)
{
    static const double levels[] = {.5};
    (void)self;
    *coverage = levels;
    return 1;
}

static int band_interval(const AnbNode *self, const void *state, const double *scratch, double coverage, double *low,
                         double *high)
{
    (void)self, (void)state;
    if (coverage != .5)
        return ANB_E_ARGUMENT;
    *low = scratch[0] - 1;
    *high = scratch[0] + 1;
    return 0;
}

static const AnbWrapperTable through = {0};
static const AnbIntervalTable band_table = {band_levels, band_interval};

static const StreamingLearnerType band = {
    .name = "band",
    .flags = ANB_WEIGHT_SCALED | ANB_ROOT_ONLY,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .fields = one_real,
    .scratch = one_real,
    .predict = predict_first,
    .update = update_first,
    .wrapper = &through,
    .interval = &band_table,
};

typedef struct HolderOptions {
    size_t size;
    AnbRouterChoice router;
} HolderOptions;

static const AnbParam holder_params[] = {
    {"router", ANB_ROUTER, offsetof(HolderOptions, router), 0, 0, 0, 0, "linear", "not used"}, {0}};

static const StreamingLearnerType holder = {
    .name = "holder",
    .options_size = sizeof(HolderOptions),
    .params = holder_params,
    .flags = ANB_WEIGHT_SCALED,
    .version = 1,
    .min_children = 2,
    .max_children = 9,
    .fields = one_real,
    .scratch = one_real,
    .predict = predict_first,
    .update = update_first,
};

static StreamingLearner *made(const char *text, AnbError *error)
{
    static const StreamingLearnerType *const types[] = {&pair, &band, &holder, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    return anb_parse(2, text, &options, error);
}

static StreamingLearner *make(const char *text)
{
    AnbError error = {0};
    StreamingLearner *model = made(text, &error);
    ck_assert_msg(model != NULL, "%s: %s", text, error.message);
    return model;
}

/* Every observer and every read-out on a mixture of K experts, whoever wrote it. */
static void read_all(StreamingLearner *model, size_t k)
{
    double x[] = {1, 2}, p[8], f[8];
    AnbMixture m;
    AnbMixtureSummary five;
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    ck_assert_ptr_nonnull(d);
    AnbAudit *audit = anb_audit_new(model, d, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(audit);
    for (int i = 0; i < 50; i++) {
        double row[] = {i % 7, i % 3}, y = i % 5, before = anb_train_one(model, row, y, 1);
        anb_observe(anb_diagnostics_observer(d), model, row, y, before);
        anb_observe(anb_audit_observer(audit), model, row, y, before);
    }
    ck_assert_int_eq(anb_mixture(model, &m), 0);
    ck_assert_uint_eq(m.k, k);
    ck_assert_uint_eq(m.samples, 50);
    ck_assert_uint_eq(anb_expert_pool_samples(anb_diagnostics_pool(d)), 50);
    ck_assert_uint_eq(anb_expert_pool_expert(anb_diagnostics_pool(d), k - 1).processed, 50);
    ck_assert_uint_eq(anb_diagnostics_experts(d), k);
    ck_assert_double_eq_tol(anb_diagnostics_value(d, ANB_METRIC_GATE_CONFIDENCE), 1 / (double)k, 1e-12);
    ck_assert_int_eq(anb_mixture_summary(model, &five), 0);
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), 0);
    ck_assert_int_eq(anb_expert_predictions(model, x, f), 0);
    ck_assert_double_eq_tol(p[0], 1 / (double)k, 1e-15);
    ck_assert_double_eq_tol(anb_predict(model, x), k == 2 ? (f[0] + f[1]) / 2 : (f[0] + f[1] + f[2]) / 3, 1e-12);
    ck_assert_double_gt(anb_expert_disagreement(model, x), 0);
    ck_assert_ptr_nonnull(anb_expert_name(model, k - 1));
    ck_assert_ptr_null(anb_expert_name(model, k));
    anb_audit_free(audit);
    anb_diagnostics_free(d);
}

START_TEST(a_router_of_the_callers)
{
    AnbMoeOptions options = anb_moe_defaults();
    options.router = (AnbRouterChoice){&even, NULL};
    options.utilization_span = 123;
    const AnbExpert experts[] = {{.type = &anb_mean}, {.type = &anb_last}, {.type = &anb_linear}};
    const AnbExpert moe = {.type = &anb_moe, .options = &options, .children = experts, .n_children = 3};
    const AnbExpert root = {.type = &anb_scale, .children = &moe, .n_children = 1};
    StreamingLearner *model = anb_new(2, &root, NULL, NULL);
    AnbGateWeights g;
    AnbMixture m;
    read_all(model, 3);
    ck_assert_int_eq(anb_gate_weights(model, &g), 0);
    ck_assert_uint_eq(g.k, 3);
    ck_assert_double_eq(g.bias[2], 50);
    ck_assert_int_eq(anb_mixture(model, &m), 0);
    ck_assert_double_eq(m.load[1], 50);
    ck_assert_double_eq(m.load_balance_rate, 123.5); /* the span, and that x is standardised */
    anb_free(model);
}
END_TEST

/* By its name in a text, and when a snapshot comes back, among the caller's types. */
START_TEST(a_router_of_the_callers_by_name)
{
    static const StreamingLearnerType *const types[] = {&even.type, NULL};
    static unsigned char bytes[1 << 14];
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    options.types = types;
    StreamingLearner *model = anb_parse(2, "moe(mean, last, router=even)", &options, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    read_all(model, 2);
    size_t size = anb_snapshot_size(model, NULL);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, sizeof bytes, NULL), 0);
    ck_assert_ptr_null(anb_load_memory(bytes, size, NULL, &error));
    ck_assert(error.code == ANB_E_UNKNOWN && strstr(error.message, "router 'even'"));
    StreamingLearner *again = anb_load_memory(bytes, size, &options, &error);
    ck_assert_msg(again != NULL && anb_equal(model, again), "%s", error.message);
    ck_assert_ptr_null(anb_parse(2, "moe(mean, even)", &options, &error));
    ck_assert(error.code == ANB_E_UNKNOWN && strstr(error.message, "learner 'even'"));
    anb_free(again);
    anb_free(model);
}
END_TEST

START_TEST(a_router_lacks_nothing)
{
    AnbError error = {0};
    AnbRouterType half = even;
    AnbMoeOptions options = anb_moe_defaults();
    const AnbExpert experts[] = {{.type = &anb_mean}, {.type = &anb_last}};
    const AnbExpert root = {.type = &anb_moe, .options = &options, .children = experts, .n_children = 2};
    const AnbLoadTable no_rate = {.load = even_load};
    half.load = &no_rate;
    options.router = (AnbRouterChoice){&half, NULL};
    ck_assert_ptr_null(anb_new(2, &root, NULL, &error));
    ck_assert_msg(strstr(error.message, "even: its table `load`") != NULL, "%s", error.message);
    half = even;
    half.learn = NULL;
    ck_assert_ptr_null(anb_new(2, &root, NULL, &error));
    ck_assert_msg(strstr(error.message, "gate, mix and learn") != NULL, "%s", error.message);
}
END_TEST

START_TEST(a_mixture_of_the_callers)
{
    StreamingLearner *model = make("scale(pair(mean, last))");
    AnbGateWeights g;
    read_all(model, PAIR);
    ck_assert_int_eq(anb_gate_weights(model, &g), ANB_E_UNSUPPORTED);
    ck_assert_uint_eq(see(model, "pair_0").k, PAIR);
    anb_free(model);
    AnbError error = {0};
    model = make("refine(pair(mean, last), linear)"); /* the second stage sees where its experts stand */
    feed(model, 50);
    ck_assert_uint_eq(see(model, "pair_0").samples, 50);
    anb_free(model);
    ck_assert_ptr_null(made("refine(holder(mean, last), linear)", &error));
    ck_assert_msg(strstr(error.message, "has to be a mixture") != NULL, "%s", error.message);
}
END_TEST

START_TEST(an_interval_of_the_callers)
{
    static const char *const texts[] = {"band(scale(mean))", "pending(band(scale(mean)))"};
    for (int i = 0; i < 2; i++) {
        StreamingLearner *model = make(texts[i]);
        const double *levels;
        double low, high, x[] = {1, 2};
        feed(model, 20);
        ck_assert_uint_eq(anb_interval_levels(model, &levels), 1);
        ck_assert_double_eq(levels[0], .5);
        ck_assert_int_eq(anb_predict_interval(model, x, .5, &low, &high), 0);
        ck_assert_double_eq_tol((low + high) / 2, anb_predict(model, x), 1e-12);
        ck_assert_double_eq_tol(high - low, 2, 1e-12);
        ck_assert_int_eq(anb_predict_interval(model, x, .6, &low, &high), ANB_E_ARGUMENT);
        ck_assert_int_eq(anb_keeps_pending(model), i == 1);
        anb_predict_pending(model, 7, x);
        ck_assert_uint_eq(anb_n_pending(model), (size_t)i);
        ck_assert(isfinite(anb_learn_label(model, 7, 3, 1)) == (i == 1));
        anb_free(model);
    }
}
END_TEST

START_TEST(holding_a_router_makes_no_mixture)
{
    StreamingLearner *model = make("holder(mean, last)");
    double x[] = {1, 2}, p[2];
    AnbMixture m;
    AnbGateWeights g;
    feed(model, 50);
    ck_assert_int_eq(anb_mixture(model, &m), ANB_E_UNSUPPORTED);
    ck_assert_int_eq(anb_mixture_at(model, "", &m), ANB_E_UNSUPPORTED);
    ck_assert_int_eq(anb_gate_weights(model, &g), ANB_E_UNSUPPORTED);
    ck_assert_int_eq(anb_routing_probabilities(model, x, p), ANB_E_UNSUPPORTED);
    ck_assert_ptr_null(anb_expert_name(model, 0));
    ck_assert_ptr_null(anb_expert_pool_new(model, NULL));
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    ck_assert_uint_eq(anb_diagnostics_experts(d), 0);
    anb_diagnostics_free(d);
    ck_assert_uint_eq(anb_train_batch(model, x, &(double){1}, NULL, 1, NULL), 0);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("capability");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, a_router_of_the_callers);
    tcase_add_test(tests, a_router_of_the_callers_by_name);
    tcase_add_test(tests, a_router_lacks_nothing);
    tcase_add_test(tests, a_mixture_of_the_callers);
    tcase_add_test(tests, an_interval_of_the_callers);
    tcase_add_test(tests, holding_a_router_makes_no_mixture);
    return suite;
}

CHECK_MAIN(suite)
