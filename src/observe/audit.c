/*
 * The audit: sums over a step's samples, the metrics of the step, then predicates and rules.
 *
 * Loss and norm of the last window + 1 steps are kept for trend and growth; the history keeps every step's metrics and
 * truths in a ring.
 */
#include "audit.h"
#include "diagnostics.h"
#include "src/numeric/elementary.h"
#include "src/simd/kernels.h"
#include "src/text/sized.h"
#include "src/numeric/ring.h"
#include "src/text/given.h"
#include <anabranch/moe.h>

/* The sums of a step, and the rings of past steps. */
struct AnbAudit {
    AnbObserver base;
    AnbAllocator allocator;
    AnbAuditOptions options;
    AnbDiagnostics *diagnostics;
    AnbRuleBook book;
    size_t k;
    double log_k;
    uint64_t trained; /* the model's count at the last update */
    uint64_t samples;
    int filled; /* samples of the step so far */
    double confidence, entropy, squares;
    AnbRing past, history;
    double *firsts;         /* [k] samples of the step whose largest p is the expert's */
    double *own, *mixed;    /* [k] squared errors of the expert, and of the mixture in its samples, fading by steps */
    double *shared, all;    /* [k] samples of the expert, and all, fading likewise */
    uint64_t *active;       /* [k] the last step in which it took part, from 1 */
    double *losses, *norms; /* [window + 1] */
    uint64_t *ends;         /* [history] */
    double *metrics;        /* [history][ANB_AUDIT_METRIC_COUNT] */
    AnbTruth *truths;       /* [history][n_rules] */
};

static const AnbAuditOptions usual = {
    .size = sizeof usual, .period = 32, .window = 10, .history = 512, .alarm_level = .8, .alarm_steps = 5};

void anb_audit_options_init(AnbAuditOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double prediction);

/* ---- making one -------------------------------------------------------------------------------------------------- */

static int check_options(const AnbAuditOptions *o, AnbError *error)
{
    if (o->period < 1)
        return anb_fail(error, ANB_E_ARGUMENT, "period = %d is below 1", o->period);
    if (o->window < 2 || o->window > 1000)
        return anb_fail(error, ANB_E_ARGUMENT, "window = %d is outside [2, 1000]", o->window);
    if (o->history < 1 || o->history > 1000000)
        return anb_fail(error, ANB_E_ARGUMENT, "history = %d is outside [1, 1000000]", o->history);
    if (!(o->alarm_level > 0 && o->alarm_level <= 1))
        return anb_fail(error, ANB_E_ARGUMENT, "alarm_level = %g is outside (0, 1]", o->alarm_level);
    return o->alarm_steps < 1 ? anb_fail(error, ANB_E_ARGUMENT, "alarm_steps = %d is below 1", o->alarm_steps) : 0;
}

/* The arrays behind the head, all of 8-byte pieces. */
static size_t place_arrays(AnbAudit *a)
{
    size_t past = (size_t)a->options.window + 1, history = (size_t)a->options.history, rules = a->book.n_rules;
    a->firsts = (double *)(a + 1);
    a->own = a->firsts + a->k;
    a->mixed = a->own + a->k;
    a->shared = a->mixed + a->k;
    a->active = (uint64_t *)(a->shared + a->k);
    a->losses = (double *)(a->active + a->k);
    a->norms = a->losses + past;
    a->metrics = a->norms + past;
    a->truths = (AnbTruth *)(a->metrics + history * ANB_AUDIT_METRIC_COUNT);
    a->ends = (uint64_t *)(a->truths + history * rules);
    return (size_t)((char *)(a->ends + history) - (char *)a);
}

AnbAudit *anb_audit_new(const StreamingLearner *model, AnbDiagnostics *diagnostics, const char *rules,
                        const AnbAuditOptions *options, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return NULL;
    const AnbNode *moe = model->plan->moe;
    AnbAllocator from = model->plan->allocator;
    AnbAuditOptions o = usual;
    if (!moe) {
        anb_fail(error, ANB_E_UNSUPPORTED, "the model holds no mixture");
        return NULL;
    }
    if ((options && anb_sized_take("an audit", &o, sizeof o, options, error)) || check_options(&o, error))
        return NULL;
    AnbAudit *head = from.alloc(sizeof *head, from.context), *audit = NULL;
    if (head) {
        *head = (AnbAudit){
            .base = {observe}, .allocator = from, .options = o, .diagnostics = diagnostics, .k = moe->n_children};
        if (anb_rules_make(&head->book, rules, diagnostics, error)) {
            from.free(head, from.context);
            return NULL;
        }
        audit = from.alloc(place_arrays(head), from.context);
    }
    if (audit) {
        *audit = *head;
        place_arrays(audit);
        audit->log_k = anb_log((double)audit->k);
        audit->trained = anb_counters(model)->trained;
        anb_audit_reset(audit);
    } else
        anb_fail(error, ANB_E_MEMORY, "out of memory");
    if (head)
        from.free(head, from.context);
    return audit;
}

void anb_audit_free(AnbAudit *audit)
{
    if (!audit)
        return;
    AnbAllocator allocator = audit->allocator;
    allocator.free(audit, allocator.context);
}

static void begin_step(AnbAudit *a)
{
    a->filled = 0;
    a->confidence = a->entropy = a->squares = 0;
    memset(a->firsts, 0, a->k * sizeof(double));
}

void anb_audit_reset(AnbAudit *audit)
{
    begin_step(audit);
    audit->samples = 0;
    audit->all = 0;
    for (size_t i = 0; i < audit->k; i++)
        audit->own[i] = audit->mixed[i] = audit->shared[i] = 0, audit->active[i] = 0;
    audit->past = audit->history = (AnbRing){0};
    for (size_t i = 0; i < audit->book.n_predicates; i++)
        audit->book.predicate[i].truth = (AnbTruth){0, 1};
    for (size_t i = 0; i < audit->book.n_rules; i++)
        audit->book.rule[i].above = 0, audit->book.rule[i].alarmed = false;
}

/* ---- the metrics of a step --------------------------------------------------------------------------------------- */

static double quotient(double a, double b)
{
    return b != 0 ? a / b : 0;
}

static double imbalance(const AnbAudit *a)
{
    double n = (double)a->filled, mean = 1 / (double)a->k, sum = 0;
    for (size_t i = 0; i < a->k; i++)
        sum += (a->firsts[i] / n - mean) * (a->firsts[i] / n - mean);
    return sqrt(sum / (double)a->k) / .5;
}

static double weight_norm(const StreamingLearner *model)
{
    AnbGateWeights w;
    double sum = 0;
    if (anb_gate_weights(model, &w))
        return 0;
    for (size_t i = 0; i < w.k; i++) {
        for (size_t j = 0; j < w.d; j++)
            sum += w.weight[i * w.stride + j] * w.weight[i * w.stride + j];
        sum += w.d == 0 ? w.bias[i] * w.bias[i] : 0;
    }
    return sqrt(sum);
}

static double idle(const AnbAudit *a)
{
    uint64_t window = (uint64_t)a->options.window, now = a->history.pushed; /* the step that is being made */
    size_t n = 0;
    for (size_t i = 0; i < a->k; i++)
        n += now >= window && a->active[i] + window <= now;
    return (double)n / (double)a->k;
}

/* The regret of the step; fades the sums by a step. */
static double regret(AnbAudit *a)
{
    double least = 1, keep = 1 - 1 / (double)a->options.window;
    for (size_t i = 0; i < a->k; i++) {
        double ratio = quotient(a->own[i], a->mixed[i]);
        if (a->mixed[i] > 0 && 4 * a->shared[i] >= a->all && ratio < least)
            least = ratio;
        a->own[i] *= keep;
        a->mixed[i] *= keep;
        a->shared[i] *= keep;
    }
    a->all *= keep;
    return 1 - sqrt(least);
}

/* Stores loss and norm of the step, and computes trend and growth from the last ones. */
static void look_back(AnbAudit *a, double *metric)
{
    size_t window = (size_t)a->options.window, room = window + 1;
    size_t now = anb_ring_push(&a->past, room), held = anb_ring_size(&a->past, room);
    size_t losses = held < window ? held : window;
    double sum = 0, loss = metric[ANB_AUDIT_LOSS], norm = metric[ANB_AUDIT_WEIGHT_NORM], trend = 0, growth = 0;
    a->losses[now] = loss;
    a->norms[now] = norm;
    for (size_t i = 0; i < losses; i++)
        sum += a->losses[anb_ring_back(&a->past, room, i)];
    if (held == room) {
        trend = (loss - a->losses[anb_ring_back(&a->past, room, window - 1)]) / (double)(window - 1);
        growth = quotient(norm - a->norms[anb_ring_back(&a->past, room, window)], norm);
    }
    metric[ANB_AUDIT_LOSS_TREND] = trend;
    metric[ANB_AUDIT_LOSS_CHANGE] = quotient((double)window * fabs(trend), sum / (double)losses);
    metric[ANB_AUDIT_LOSS_FALLING] = trend < 0;
    metric[ANB_AUDIT_WEIGHT_GROWTH] = growth;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static void judge_predicates(AnbAudit *a, const double *metric)
{
    for (size_t i = 0; i < a->book.n_predicates; i++) {
        AnbPredicate *p = &a->book.predicate[i];
        double v = p->step >= 0 ? metric[p->step] : anb_diagnostics_values(a->diagnostics, p->metric, NULL)[p->expert];
        p->truth = anb_ramp(p->base + p->sign * v, p->offset, p->slope, p->factor);
    }
}

static void watch_alarm(AnbAudit *a, size_t i, AnbTruth truth)
{
    AnbRule *rule = &a->book.rule[i];
    double lower = rule->never         ? 0
                   : rule->when.n == 0 ? truth.lower
                                       : anb_truth_and(truth, anb_formula_truth(&a->book, &rule->when)).lower;
    rule->above = lower < a->options.alarm_level ? 0 : rule->above + (rule->above < a->options.alarm_steps);
    bool alarmed = rule->above >= a->options.alarm_steps;
    if (alarmed == rule->alarmed)
        return;
    rule->alarmed = alarmed;
    if (a->options.alarm)
        a->options.alarm(a->options.context, a, i, alarmed);
}

static void make_step(AnbAudit *a, const StreamingLearner *model)
{
    size_t slot = anb_ring_push(&a->history, (size_t)a->options.history);
    double n = (double)a->filled, *metric = a->metrics + slot * ANB_AUDIT_METRIC_COUNT;
    AnbTruth *truth = a->truths + slot * a->book.n_rules;
    metric[ANB_AUDIT_CONFIDENCE] = a->confidence / n;
    metric[ANB_AUDIT_ENTROPY] = a->entropy / n;
    metric[ANB_AUDIT_IMBALANCE] = imbalance(a);
    metric[ANB_AUDIT_LOSS] = sqrt(a->squares / n);
    metric[ANB_AUDIT_WEIGHT_NORM] = weight_norm(model);
    metric[ANB_AUDIT_IDLE] = idle(a);
    metric[ANB_AUDIT_REGRET] = regret(a);
    look_back(a, metric);
    judge_predicates(a, metric);
    a->ends[slot] = a->samples;
    for (size_t i = 0; i < a->book.n_rules; i++)
        truth[i] = anb_formula_truth(&a->book, &a->book.rule[i].formula);
    for (size_t i = 0; i < a->book.n_rules; i++)
        watch_alarm(a, i, truth[i]);
    begin_step(a);
}

/* The experts' own errors beside the mixture's. */
static void watch_experts(AnbAudit *a, const AnbMixture *m, double y, double square)
{
    for (size_t j = 0; j < m->n_active; j++) {
        unsigned i = m->active[j];
        double error = anb_summable(y - m->expert[i]);
        a->own[i] += error * error;
        a->mixed[i] += square;
        a->shared[i]++;
        a->active[i] = a->history.pushed + 1;
    }
    a->all++;
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double prediction)
{
    AnbMixture m;
    AnbAudit *audit = (AnbAudit *)self;
    if (audit->diagnostics)
        anb_observe(&audit->diagnostics->base, model, x, y, prediction);
    bool learned = model->counters.trained != audit->trained;
    audit->trained = model->counters.trained;
    if (!learned || prediction != prediction || anb_mixture(model, &m) || m.k != audit->k)
        return;
    size_t top = 0;
    for (size_t i = 1; i < m.k; i++)
        if (m.probability[i] > m.probability[top])
            top = i;
    audit->firsts[top]++;
    audit->confidence += m.probability[top];
    audit->entropy += anb_entropy(m.probability, m.k) / audit->log_k;
    double error = anb_summable(y - prediction);
    audit->squares += error * error;
    watch_experts(audit, &m, y, error * error);
    audit->samples++;
    if (++audit->filled == audit->options.period)
        make_step(audit, model);
}

AnbObserver *anb_audit_observer(AnbAudit *audit)
{
    return &audit->base;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

size_t anb_audit_n_rules(const AnbAudit *audit)
{
    return audit->book.n_rules;
}

const char *anb_audit_rule_name(const AnbAudit *audit, size_t i)
{
    return i < audit->book.n_rules ? audit->book.rule[i].name : NULL;
}

double anb_audit_rule_weight(const AnbAudit *audit, size_t i)
{
    return i < audit->book.n_rules ? audit->book.rule[i].weight : 0;
}

bool anb_audit_alarmed(const AnbAudit *audit, size_t i)
{
    return i < audit->book.n_rules && audit->book.rule[i].alarmed;
}

AnbTruth anb_audit_truth(const AnbAudit *audit, size_t i)
{
    bool known = audit->history.pushed && i < audit->book.n_rules;
    return known ? anb_audit_step(audit, 0).rule[i] : (AnbTruth){0, 1};
}

double anb_audit_severity(const AnbAudit *audit, size_t i)
{
    AnbTruth t = anb_audit_truth(audit, i);
    return audit->history.pushed ? anb_audit_rule_weight(audit, i) * (t.lower + t.upper) / 2 : 0;
}

AnbTruth anb_audit_predicate(const AnbAudit *audit, const char *name)
{
    for (size_t i = 0; name && i < audit->book.n_predicates; i++)
        if (strcmp(audit->book.predicate[i].name, name) == 0)
            return audit->book.predicate[i].truth;
    return (AnbTruth){0, 1};
}

uint64_t anb_audit_steps(const AnbAudit *audit)
{
    return audit->history.pushed;
}

size_t anb_audit_history(const AnbAudit *audit)
{
    return anb_ring_size(&audit->history, (size_t)audit->options.history);
}

AnbAuditStep anb_audit_step(const AnbAudit *audit, size_t back)
{
    size_t slot = anb_ring_back(&audit->history, (size_t)audit->options.history, back);
    return (AnbAuditStep){audit->ends[slot], audit->metrics + slot * ANB_AUDIT_METRIC_COUNT,
                          audit->truths + slot * audit->book.n_rules};
}
