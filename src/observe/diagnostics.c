/*
 * The observer. A sample costs sums; roots, logarithms and quotients are computed when a metric is read.
 *
 *     a faded mean   w <- g w + 1,  m <- m + (v - m) / w,  g = 1 - 2/(span+1): one w for all that see every sample
 *
 * An expert's own error fades over the rows it was active in, so it has a weight of its own.
 */
#include "diagnostics.h"
#include "src/numeric/elementary.h"
#include "src/text/sized.h"
#include "src/text/given.h"
#include <anabranch/pending.h>

enum { PAIRS_MAX = 64 };

static const AnbDiagnosticsOptions usual = {.size = sizeof usual, .span = 500, .pairs = true, .activation = true};

void anb_diagnostics_options_init(AnbDiagnosticsOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double prediction);

/* ---- making one -------------------------------------------------------------------------------------------------- */

static size_t values_of_shape(const AnbDiagnostics *d, AnbMetricShape shape)
{
    switch (shape) {
    case ANB_OF_MODEL:
        return 1;
    case ANB_OF_MIXTURE:
        return d->k > 0;
    case ANB_OF_EXPERT:
        return d->k;
    case ANB_OF_LEVEL:
        return d->n_levels;
    case ANB_OF_FEATURE:
        return d->n_features;
    case ANB_OF_SERVER:
        return 0;
    default:
        return d->k <= PAIRS_MAX && d->options.pairs ? d->k * d->k : 0;
    }
}

static void lay_out(AnbDiagnostics *d)
{
    size_t at = 0;
    for (int i = 0; i < ANB_METRIC_COUNT; i++) {
        d->offset[i] = at;
        at += values_of_shape(d, anb_metrics()[i].shape);
    }
    d->offset[ANB_METRIC_COUNT] = at;
}

static AnbDiagnostics *allocate(const AnbDiagnostics *plan, const AnbAllocator *from)
{
    size_t pairs = values_of_shape(plan, ANB_OF_PAIR), levels = plan->n_levels;
    size_t doubles = plan->offset[ANB_METRIC_COUNT] + pairs + levels;
    size_t size = sizeof *plan + plan->k * sizeof(AnbWatched) + levels * sizeof(AnbBounded) + doubles * sizeof(double);
    AnbDiagnostics *d = from->alloc(size, from->context);
    if (!d)
        return NULL;
    memset(d, 0, size);
    *d = *plan;
    d->base.observe = observe;
    d->allocator = *from;
    d->watched = (AnbWatched *)(d + 1);
    d->bounded = (AnbBounded *)(d->watched + plan->k);
    d->level = (double *)(d->bounded + levels);
    d->values = d->level + levels;
    d->together = pairs ? d->values + plan->offset[ANB_METRIC_COUNT] : NULL;
    return d;
}

static int check_options(const AnbDiagnosticsOptions *o, AnbError *error)
{
    if (o->span < 1)
        return anb_fail(error, ANB_E_ARGUMENT, "span = %d is below 1", o->span);
    if (o->importance < 0)
        return anb_fail(error, ANB_E_ARGUMENT, "importance = %d is below 0", o->importance);
    return 0;
}

/* The observers inside. 0 or a code. */
static int make_parts(AnbDiagnostics *d, const StreamingLearner *model, AnbError *error)
{
    d->pool = d->k > 0 ? anb_expert_pool_new(model, error) : NULL;
    if (d->k > 0 && !d->pool)
        return ANB_E_MEMORY;
    if (d->options.importance == 0)
        return 0;
    AnbImportanceOptions how = anb_importance_defaults();
    how.every = d->options.importance;
    how.sage_rows = 2;
    d->importance = anb_importance_new(model, &how, error);
    return d->importance ? anb_feature_names_keep(d, model, error) : ANB_E_MEMORY;
}

AnbDiagnostics *anb_diagnostics_new(const StreamingLearner *model, const AnbDiagnosticsOptions *options,
                                    AnbError *error)
{
    if (!anb_given(model, "model", error))
        return NULL;
    const AnbNode *moe = model->plan->moe;
    const double *level;
    AnbDiagnostics plan = {.options = usual, .k = moe ? moe->n_children : 0};
    if (options && anb_sized_take("diagnostics", &plan.options, sizeof usual, options, error))
        return NULL;
    if (check_options(&plan.options, error))
        return NULL;
    plan.n_levels = anb_interval_levels(model, &level);
    plan.n_features = plan.options.importance > 0 ? anb_n_features(model) : 0;
    lay_out(&plan);
    AnbDiagnostics *d = allocate(&plan, &model->plan->allocator);
    if (!d) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    if (d->n_levels > 0)
        memcpy(d->level, level, d->n_levels * sizeof *level);
    if (make_parts(d, model, error)) {
        anb_diagnostics_free(d);
        return NULL;
    }
    d->logits = moe && moe->router && anb_router_type(moe->router)->logits;
    d->log_k = moe ? anb_log((double)d->k) : 0;
    d->state_bytes = (double)anb_state_bytes(model);
    d->counters = *anb_counters(model);
    d->waiting = (double)anb_n_pending(model);
    anb_diagnostics_reset(d);
    return d;
}

void anb_diagnostics_free(AnbDiagnostics *d)
{
    if (!d)
        return;
    AnbAllocator allocator = d->allocator;
    anb_expert_pool_free(d->pool);
    anb_importance_free(d->importance);
    if (d->names)
        allocator.free(d->names, allocator.context);
    allocator.free(d, allocator.context);
}

void anb_diagnostics_reset(AnbDiagnostics *d)
{
    d->own = (AnbOwn){0};
    memset(d->watched, 0, d->k * sizeof *d->watched);
    if (d->together)
        memset(d->together, 0, d->k * d->k * sizeof(double));
    memset(d->bounded, 0, d->n_levels * sizeof *d->bounded);
    if (d->pool)
        anb_expert_pool_reset(d->pool);
    if (d->importance)
        anb_importance_reset(d->importance);
    for (size_t i = 0; i < d->offset[ANB_METRIC_COUNT]; i++)
        d->values[i] = ANB_NAN;
    d->derived = 0;
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

static void fade(double *mean, double value, double rate)
{
    *mean += (value - *mean) * rate;
}

/* Adds the errors of the model and of the two baselines. */
static void watch_errors(AnbOwn *o, double y, double prediction, double rate)
{
    double n = (double)o->samples;
    double error = anb_summable(y - prediction), from_mean = anb_summable(y - o->mean),
           from_last = anb_summable(y - o->last);
    double square = error * error, mean_square = from_mean * from_mean, last_square = from_last * from_last;
    o->target = y;
    o->prediction = prediction;
    o->before_mean = o->mean;
    o->before_last = o->last;
    fade(&o->mse, square, rate);
    fade(&o->mae, fabs(error), rate);
    fade(&o->mean_mse, mean_square, rate);
    fade(&o->last_mse, last_square, rate);
    o->sum += square;
    o->mean_sum += mean_square;
    o->last_sum += last_square;
    o->mean += y / n - o->mean / n; /* each side apart: y - mean may be beyond the doubles */
    o->last = y;
}

/* The row's two largest probabilities; the first of equals is the row's expert. */
static void watch_gate(AnbDiagnostics *d, const AnbMixture *m, double rate)
{
    double first = -1, second = -1;
    size_t top = 0;
    for (size_t i = 0; i < m->k; i++) {
        double p = m->probability[i];
        if (p > first)
            second = first, first = p, top = i;
        else if (p > second)
            second = p;
    }
    fade(&d->own.confidence, first, rate);
    fade(&d->own.margin, first - second, rate);
    if (d->own.samples > 1)
        fade(&d->own.switching, top != d->own.top, 1 / (d->own.weight - d->own.oldest));
    d->own.top = top;
}

/* (log sum exp of the logits)^2, where the gate has logits. */
static void watch_logits(AnbDiagnostics *d, const StreamingLearner *model, double rate)
{
    if (!d->logits)
        return;
    const AnbNode *router = model->plan->moe->router;
    const double *z = anb_router_type(router)->logits->logits(router, anb_scratch_of(model, router));
    double most = z[0], sum = 0;
    for (size_t i = 1; i < d->k; i++)
        most = z[i] > most ? z[i] : most;
    for (size_t i = 0; i < d->k; i++)
        sum += anb_exp(z[i] - most);
    double total = anb_summable(most + anb_log(sum));
    fade(&d->own.z, total * total, rate);
}

static void watch_experts(AnbDiagnostics *d, const AnbMixture *m, double y, double rate)
{
    for (size_t i = 0; i < m->k; i++) {
        AnbWatched *w = &d->watched[i];
        w->load -= w->load * rate;
        w->first -= w->first * rate;
        fade(&w->mass, m->probability[i], rate);
        fade(&w->share, m->weight[i], rate);
        w->age = m->n_reset > 0 && m->reset[i] ? 0 : w->age + 1;
    }
    d->watched[d->own.top].first += rate;
    for (size_t a = 0; a < m->n_active; a++) {
        AnbWatched *w = &d->watched[m->active[a]];
        double error = anb_summable(y - m->expert[m->active[a]]);
        w->load += rate;
        w->weight = d->own.keep * w->weight + 1;
        fade(&w->mse, error * error, 1 / w->weight);
    }
}

/* The view's arrays belong to the model and are valid until its next call: copies what is needed. */
static void keep_view(AnbDiagnostics *d, const AnbMixture *m)
{
    double *active = d->values + d->offset[ANB_METRIC_EXPERT_ACTIVE];
    double *trained = d->values + d->offset[ANB_METRIC_EXPERT_TRAINED];
    double *dead = d->values + d->offset[ANB_METRIC_EXPERT_DEAD];
    size_t bytes = m->k * sizeof(double);
    memcpy(d->values + d->offset[ANB_METRIC_EXPERT_WEIGHT], m->weight, bytes);
    memcpy(d->values + d->offset[ANB_METRIC_EXPERT_PROBABILITY], m->probability, bytes);
    memcpy(d->values + d->offset[ANB_METRIC_EXPERT_PREDICTION], m->expert, bytes);
    memcpy(d->values + d->offset[ANB_METRIC_EXPERT_UTILIZATION], m->utilization, bytes);
    memcpy(d->values + d->offset[ANB_METRIC_EXPERT_PROGRESS], m->progress, bytes);
    for (size_t i = 0; i < m->k; i++) {
        active[i] = 0;
        trained[i] = (double)m->trained[i];
        dead[i] = m->dead[i];
    }
    for (size_t a = 0; a < m->n_active; a++)
        active[m->active[a]] = 1;
}

static void watch_pairs(AnbDiagnostics *d, const AnbMixture *m)
{
    if (!d->together || m->dense)
        return;
    for (size_t a = 0; a < m->n_active; a++)
        for (size_t b = 0; b < m->n_active; b++)
            d->together[m->active[a] * m->k + m->active[b]]++;
}

/* Observers inside see a sample that was refused, or a reset, as this one does. */
static void note_reset(AnbDiagnostics *d, StreamingLearner *model)
{
    if (d->importance)
        anb_observe_reset(anb_importance_observer(d->importance), model);
    if (d->pool)
        anb_observe_reset(anb_expert_pool_observer(d->pool), model);
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double prediction)
{
    AnbDiagnostics *d = (AnbDiagnostics *)self;
    AnbOwn *o = &d->own;
    bool learned = model->counters.trained != d->counters.trained;
    if (memcmp(&model->counters, &d->counters, sizeof d->counters) == 0)
        return; /* observed already, or nothing was learned */
    d->drift = model->counters.drifts > d->counters.drifts;
    d->waiting = (double)anb_n_pending(model);
    d->counters = model->counters;
    d->derived = 0;
    if (prediction != prediction) {
        note_reset(d, model);
        return;
    }
    if (!learned)
        return;
    o->keep = 1 - 2 / ((double)d->options.span + 1);
    o->oldest = o->samples == 0 ? 1 : o->keep * o->oldest;
    o->weight = o->keep * o->weight + 1;
    o->samples++;
    double rate = 1 / o->weight;
    watch_errors(o, y, prediction, rate);
    anb_watch_intervals(d, model, y);
    if (d->importance)
        anb_observe(anb_importance_observer(d->importance), model, x, y, prediction);
    if (!d->k || anb_mixture(model, &d->mixture) || d->mixture.k != d->k)
        return;
    watch_gate(d, &d->mixture, rate);
    watch_logits(d, model, rate);
    watch_experts(d, &d->mixture, y, rate);
    watch_pairs(d, &d->mixture);
    keep_view(d, &d->mixture);
    anb_expert_pool_add(d->pool, model, &d->mixture, d->options.activation ? x : NULL);
}

AnbObserver *anb_diagnostics_observer(AnbDiagnostics *d)
{
    return &d->base;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

const double *anb_diagnostics_values(AnbDiagnostics *d, AnbMetricId id, size_t *n)
{
    if ((unsigned)id >= ANB_METRIC_COUNT) {
        if (n)
            *n = 0;
        return NULL;
    }
    unsigned shape = 1u << anb_metrics()[id].shape;
    if (!(d->derived & shape))
        anb_diagnostics_derive(d, anb_metrics()[id].shape);
    d->derived |= shape;
    if (n)
        *n = d->offset[id + 1] - d->offset[id];
    return d->values + d->offset[id];
}

double anb_diagnostics_value(AnbDiagnostics *d, AnbMetricId id)
{
    size_t n;
    const double *values = anb_diagnostics_values(d, id, &n);
    return n == 1 ? values[0] : ANB_NAN;
}

size_t anb_diagnostics_experts(const AnbDiagnostics *d)
{
    return d->k;
}

AnbExpertPool *anb_diagnostics_pool(AnbDiagnostics *d)
{
    return d->pool;
}
