/*
 * Diagnostics: an observer that computes every metric of metrics.h while a stream runs.
 *
 *     AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
 *     double before = anb_train_one(model, x, y, 1);
 *     anb_observe(anb_diagnostics_observer(d), model, x, y, before);
 *     anb_diagnostics_json(d, NULL, false, write, stdout);   // write: an AnbWrite, here one by fwrite
 *     anb_diagnostics_free(d);
 *
 * It is not part of the model's state or of snapshots. A model without one has no cost.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_DIAGNOSTICS_H
#define ANABRANCH_DIAGNOSTICS_H

#include <anabranch/learner.h>
#include <anabranch/metrics.h>
#include <anabranch/pool.h>
#include <anabranch/serve.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbDiagnostics AnbDiagnostics;
typedef struct AnbAudit AnbAudit; /* audit.h */

typedef struct AnbDiagnosticsOptions {
    size_t size;     /* of this struct; set by the defaults */
    int span;        /* 500; samples of the faded means, >= 1 */
    bool pairs;      /* true; count which experts are active together, up to 64 experts; an addition for each pair */
    bool activation; /* true; measure the sparsity of the active experts at each sample */
    int importance;  /* 0; measure the importance of each feature at every so many-th sample, by some 5 n_features
                        predictions (AnbImportance with SAGE of 2 rows); 0: never, without metrics of features; since
                        0.3 */
    const char *const *features; /* NULL; n_features names for the text formats, copied; NULL: those of the model's
                                    schema, else x1, x2 ...; since 0.3 */
} AnbDiagnosticsOptions;
/** Fills the first `size` bytes of the defaults: what anb_diagnostics_defaults calls. */
ANB_API void anb_diagnostics_options_init(AnbDiagnosticsOptions *options, size_t size);
static inline AnbDiagnosticsOptions anb_diagnostics_defaults(void)
{
    AnbDiagnosticsOptions options;
    anb_diagnostics_options_init(&options, sizeof options);
    return options;
}

/**
 * Makes an observer for a model, with or without a mixture in it.
 *
 * @param model    the model, or any clone of it; its allocator is used
 * @param options  NULL: the defaults
 * @param error    why it failed, or NULL
 * @return         the observer, owned by the caller (anb_diagnostics_free), or NULL
 */
ANB_API AnbDiagnostics *anb_diagnostics_new(const StreamingLearner *model, const AnbDiagnosticsOptions *options,
                                            AnbError *error);
/** NULL is fine. */
ANB_API void anb_diagnostics_free(AnbDiagnostics *d);

/** The observer to feed (anb_observe), owned by d. A sample that was rejected, or from which nothing was learned,
 * changes only the counters. Cost: sums over the experts; roots, logarithms and quotients are computed when a metric is
 * read. Never allocates. */
ANB_API AnbObserver *anb_diagnostics_observer(AnbDiagnostics *d);

/** Starts all metrics again; the model is not changed. */
ANB_API void anb_diagnostics_reset(AnbDiagnostics *d);

/**
 * The values of one metric, as of the last update.
 *
 * @param d    the observer; deferred work is done now, once for all metrics of that shape
 * @param id   which metric
 * @param n    out: how many values: 1, K, K * K, the number of coverages, or n_features; 0 where the model has no such
 *             metric; or NULL
 * @return     the values, ANB_NAN where one is absent, owned by d and valid until the next update; NULL for an invalid
 *             id
 */
ANB_API const double *anb_diagnostics_values(AnbDiagnostics *d, AnbMetricId id, size_t *n);

/** The one value of a metric of the model or the mixture; ANB_NAN where it is absent. */
ANB_API double anb_diagnostics_value(AnbDiagnostics *d, AnbMetricId id);

/** The name of feature i < n_features in the text formats below; owned by d. Since 0.3. */
ANB_API const char *anb_diagnostics_feature(const AnbDiagnostics *d, size_t i);

/** Experts of the mixture, K; 0 where the model holds none. */
ANB_API size_t anb_diagnostics_experts(const AnbDiagnostics *d);
/** The expert pool that d holds, owned by d: names, top contributors; NULL where the model holds no mixture. */
ANB_API AnbExpertPool *anb_diagnostics_pool(AnbDiagnostics *d);

/* ---- text ------------------------------------------------------------------------------------------------------ */

/**
 * One record as a line of JSON: scalars as numbers, metrics of experts, coverages and features as arrays in their
 * order, absent values as null, metrics of pairs as arrays of rows. `expert_name` comes last where there are experts.
 * An audit adds `audit`, the metrics of its last step, and `rules`, [lower, upper, severity] of each rule by its name.
 *
 * @param d        the observer
 * @param audit    or NULL
 * @param pairs    also the metrics of pairs, K * K values
 * @param write    called with pieces of up to 512 bytes
 * @param context  handed to write
 * @return         0, or what write returned
 */
ANB_API int anb_diagnostics_json(AnbDiagnostics *d, const AnbAudit *audit, bool pairs, AnbWrite write, void *context);

/** The names of the CSV columns: `rmse`, `expert_rmse.NAME` for each expert (followed by its index where two have the
 * same name, or there are more than 64), `interval_low.0.9`, `feature_importance.NAME`, and with an audit `audit.loss`
 * and `rule.NAME.lower`, `.upper` and `.severity`. Metrics of pairs are left out. Returns 0, or what write returned. */
ANB_API int anb_diagnostics_csv_head(AnbDiagnostics *d, const AnbAudit *audit, AnbWrite write, void *context);
/** One record as a line of CSV; absent values are empty. Returns 0, or what write returned. */
ANB_API int anb_diagnostics_csv(AnbDiagnostics *d, const AnbAudit *audit, AnbWrite write, void *context);

/**
 * All metrics in the text format 0.0.4 of Prometheus: `anabranch_rmse 2.5`, `anabranch_expert_rmse{expert="rls_1"} 2`.
 * Counters end in _total. A metric has at most one label: `expert` (its name, followed by its index where two have the
 * same name), `coverage` or `feature` (its name, likewise). Metrics of pairs and absent values are left out.
 *
 * @param model    the model
 * @param d        its observer, or NULL: only the model's counters, its size and the number of pending rows
 * @param write    called with pieces of up to 512 bytes
 * @param context  handed to write
 * @return         0, or what write returned
 */
ANB_API int anb_metrics_prometheus(const StreamingLearner *model, AnbDiagnostics *d, AnbWrite write, void *context);

/** One of several models in a Prometheus text. Since 0.3. */
typedef struct AnbMetricsOf {
    const char *name;              /* value of the label `model`, UTF-8, in every line of this model; NULL: no label */
    const StreamingLearner *model; /* of a server: anb_serve_model, between anb_serve_hold and anb_serve_release */
    AnbDiagnostics *diagnostics;   /* its observer, or NULL: only counters, size and the number of pending rows */
    AnbServer *server;             /* the server of the model, or NULL: no metrics of a server */
} AnbMetricsOf;

/**
 * The same for several models, each with its label. The lines of one metric are adjacent, as the format requires.
 *
 * @param models   n of them; names differ where n > 1
 * @param n        how many
 * @param write    called with pieces of up to 512 bytes
 * @param context  handed to write
 * @return         0, or what write returned
 *
 * Since 0.3.
 */
ANB_API int anb_metrics_prometheus_of(const AnbMetricsOf *models, size_t n, AnbWrite write, void *context);

#ifdef __cplusplus
}
#endif
#endif
