/*
 * Derives every metric of the registry from the observer's sums, into one array.
 *
 * Loads: of a sparse router the share of dispatches, so that k active experts a sample make k; of a dense one, where
 * every expert is active, the share of rows whose largest probability is the expert's.
 */
#include "diagnostics.h"
#include "src/numeric/elementary.h"
#include "src/numeric/moments.h"
#include <stddef.h>

static void put(AnbDiagnostics *d, AnbMetricId id, double value)
{
    d->values[d->offset[id]] = value;
}

static double quotient(double a, double b)
{
    return b != 0 ? a / b : 0;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

void anb_derive_counters(const AnbCounters *c, double state_bytes, double *out)
{
    static const struct {
        AnbMetricId id;
        size_t offset;
    } counts[] = {{ANB_METRIC_SAMPLES, offsetof(AnbCounters, trained)},
                  {ANB_METRIC_REJECTED_FEATURES, offsetof(AnbCounters, rejected_features)},
                  {ANB_METRIC_REJECTED_TARGET, offsetof(AnbCounters, rejected_target)},
                  {ANB_METRIC_REJECTED_WEIGHT, offsetof(AnbCounters, rejected_weight)},
                  {ANB_METRIC_MISSING_CELLS, offsetof(AnbCounters, missing_cells)},
                  {ANB_METRIC_RESTARTS, offsetof(AnbCounters, restarts)},
                  {ANB_METRIC_WEIGHT_SKIPPED, offsetof(AnbCounters, weight_skipped)},
                  {ANB_METRIC_RESETS, offsetof(AnbCounters, resets)},
                  {ANB_METRIC_DRIFTS, offsetof(AnbCounters, drifts)},
                  {ANB_METRIC_LABELS_UNKNOWN, offsetof(AnbCounters, labels_unknown)},
                  {ANB_METRIC_LABELS_REPEATED, offsetof(AnbCounters, labels_repeated)},
                  {ANB_METRIC_LABELS_EVICTED, offsetof(AnbCounters, labels_evicted)}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        out[counts[i].id] = (double)*(const uint64_t *)((const char *)c + counts[i].offset);
    out[ANB_METRIC_STATE_BYTES] = state_bytes;
}

static void derive_errors(AnbDiagnostics *d)
{
    const AnbOwn *o = &d->own;
    double n = (double)o->samples, rmse = sqrt(o->mse), mean = sqrt(o->mean_mse), last = sqrt(o->last_mse);
    put(d, ANB_METRIC_TARGET, o->target);
    put(d, ANB_METRIC_PREDICTION, o->prediction);
    put(d, ANB_METRIC_ERROR, anb_within_doubles(o->target - o->prediction));
    put(d, ANB_METRIC_MEAN_PREDICTION, o->before_mean);
    put(d, ANB_METRIC_LAST_PREDICTION, o->before_last);
    put(d, ANB_METRIC_RMSE, rmse);
    put(d, ANB_METRIC_MAE, o->mae);
    put(d, ANB_METRIC_MEAN_RMSE, mean);
    put(d, ANB_METRIC_LAST_RMSE, last);
    put(d, ANB_METRIC_RMSE_OVERALL, sqrt(quotient(o->sum, n)));
    put(d, ANB_METRIC_MEAN_RMSE_OVERALL, sqrt(quotient(o->mean_sum, n)));
    put(d, ANB_METRIC_LAST_RMSE_OVERALL, sqrt(quotient(o->last_sum, n)));
    put(d, ANB_METRIC_SKILL, 1 - quotient(rmse, mean < last ? mean : last));
}

/* ---- the mixture ------------------------------------------------------------------------------------------------- */

static double load_of(const AnbDiagnostics *d, size_t i)
{
    return d->mixture.dense ? d->watched[i].first : d->watched[i].load;
}

static void derive_loads(AnbDiagnostics *d)
{
    double k = (double)d->k, sum = 0, largest = 0, square = 0, entropy = 0, balance = 0;
    for (size_t i = 0; i < d->k; i++) {
        double load = load_of(d, i), mass = d->watched[i].mass;
        sum += load;
        balance += load * mass;
        largest = load > largest ? load : largest;
        entropy -= mass > 1e-15 ? mass * anb_log(mass) : 0;
    }
    double mean = sum / k;
    for (size_t i = 0; i < d->k; i++)
        square += (load_of(d, i) - mean) * (load_of(d, i) - mean);
    put(d, ANB_METRIC_LOAD_CV, quotient(sqrt(square / k), mean));
    put(d, ANB_METRIC_MAX_VIOLATION, quotient(largest - mean, mean));
    put(d, ANB_METRIC_EFFECTIVE_EXPERTS, anb_exp(entropy));
    put(d, ANB_METRIC_SWITCH_LOSS, quotient(k * balance, sum));
}

/* The least faded mean square among the experts that were ever active; -1 where none was. */
static double best_mse(const AnbDiagnostics *d)
{
    double best = -1;
    for (size_t i = 0; i < d->k; i++)
        if (d->watched[i].weight > 0 && (best < 0 || d->watched[i].mse < best))
            best = d->watched[i].mse;
    return best;
}

static void derive_mixture(AnbDiagnostics *d)
{
    const AnbMixture *m = &d->mixture;
    double best = best_mse(d);
    put(d, ANB_METRIC_EXPERTS, (double)d->k);
    put(d, ANB_METRIC_EXPERTS_ACTIVE, (double)m->n_active);
    put(d, ANB_METRIC_EXPERTS_DEAD, (double)m->n_dead);
    put(d, ANB_METRIC_ALIGNMENT, m->alignment);
    put(d, ANB_METRIC_LOAD_BALANCE_RATE, m->load_balance_rate);
    put(d, ANB_METRIC_GATE_ENTROPY, m->gate_entropy);
    put(d, ANB_METRIC_GATE_CONFIDENCE, d->own.confidence);
    put(d, ANB_METRIC_GATE_MARGIN, d->own.margin);
    put(d, ANB_METRIC_DISAGREEMENT, m->disagreement);
    put(d, ANB_METRIC_EFFECTIVE_EXPERTS_ROW, anb_exp(m->gate_entropy * d->log_k));
    put(d, ANB_METRIC_SWITCHING_RATE, d->own.switching);
    put(d, ANB_METRIC_REGRET, best < 0 ? 0 : sqrt(d->own.mse) - sqrt(best));
    put(d, ANB_METRIC_Z_LOSS, d->logits ? d->own.z : ANB_NAN);
    put(d, ANB_METRIC_POOL_SPARSITY, anb_expert_pool_sparsity(d->pool));
    derive_loads(d);
}

/* ---- the experts ------------------------------------------------------------------------------------------------- */

static void put_expert(AnbDiagnostics *d, AnbMetricId id, size_t i, double value)
{
    d->values[d->offset[id] + i] = value;
}

static void derive_watched(AnbDiagnostics *d, size_t i, double best)
{
    const AnbWatched *w = &d->watched[i];
    AnbPooled pooled = anb_expert_pool_expert(d->pool, i);
    double rmse = w->weight > 0 ? sqrt(w->mse) : ANB_NAN;
    put_expert(d, ANB_METRIC_EXPERT_LOAD, i, w->load);
    put_expert(d, ANB_METRIC_EXPERT_MASS, i, w->mass);
    put_expert(d, ANB_METRIC_EXPERT_SHARE, i, w->share);
    put_expert(d, ANB_METRIC_EXPERT_FIRST, i, w->first);
    put_expert(d, ANB_METRIC_EXPERT_AGE, i, (double)w->age);
    put_expert(d, ANB_METRIC_EXPERT_SHARE_TRAINED, i, quotient((double)pooled.processed, (double)d->own.samples));
    put_expert(d, ANB_METRIC_EXPERT_RMSE, i, rmse);
    put_expert(d, ANB_METRIC_EXPERT_REGRET, i, w->weight > 0 ? rmse - best : ANB_NAN);
    put_expert(d, ANB_METRIC_EXPERT_PROCESSED, i, (double)pooled.processed);
    put_expert(d, ANB_METRIC_EXPERT_MAGNITUDE, i, pooled.magnitude);
    put_expert(d, ANB_METRIC_EXPERT_SPARSITY, i, pooled.sparsity);
    put_expert(d, ANB_METRIC_EXPERT_SPECIALIZATION, i, pooled.specialization);
    put_expert(d, ANB_METRIC_EXPERT_CONTRIBUTION, i, pooled.contribution);
}

static void derive_pairs(AnbDiagnostics *d)
{
    double *out = d->values + d->offset[ANB_METRIC_COACTIVATION];
    for (size_t i = 0; d->together && i < d->k; i++)
        for (size_t j = 0; j < d->k; j++) {
            double both = d->together[i * d->k + j], own = d->together[i * d->k + i];
            out[i * d->k + j] = d->mixture.dense ? 1 : quotient(both, own);
        }
}

static void derive_model(AnbDiagnostics *d)
{
    anb_derive_counters(&d->counters, d->state_bytes, d->values);
    put(d, ANB_METRIC_DRIFT, d->drift);
    put(d, ANB_METRIC_WAITING, d->waiting);
    if (d->own.samples > 0)
        derive_errors(d);
}

static void derive_experts(AnbDiagnostics *d)
{
    double best = best_mse(d);
    best = best < 0 ? 0 : sqrt(best);
    for (size_t i = 0; i < d->k; i++)
        derive_watched(d, i, best);
}

void anb_diagnostics_derive(AnbDiagnostics *d, AnbMetricShape shape)
{
    bool mixture = d->own.samples > 0 && d->k > 0 && d->mixture.k == d->k;
    if (shape == ANB_OF_MODEL)
        derive_model(d);
    else if (shape == ANB_OF_LEVEL && d->own.samples > 0)
        anb_derive_intervals(d);
    else if (shape == ANB_OF_FEATURE && d->own.samples > 0 && d->importance)
        anb_derive_features(d);
    else if (mixture && shape == ANB_OF_MIXTURE)
        derive_mixture(d);
    else if (mixture && shape == ANB_OF_EXPERT)
        derive_experts(d);
    else if (mixture && shape == ANB_OF_PAIR)
        derive_pairs(d);
}
