/*
 * The registry of metrics: one table with the name, type, shape, unit and meaning of every metric. The record in
 * memory, JSON Lines, CSV, the Prometheus text, the audit's predicates and the documents are all generated from it.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_METRICS_H
#define ANABRANCH_METRICS_H

#include <anabranch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Counters only grow, until a reset; gauges rise and fall. */
typedef enum AnbMetricType { ANB_COUNTER, ANB_GAUGE } AnbMetricType;

/** How many values a metric has, and where it exists. */
typedef enum AnbMetricShape {
    ANB_OF_MODEL,   /* one, of every model */
    ANB_OF_MIXTURE, /* one, of models that hold a mixture */
    ANB_OF_EXPERT,  /* K, one for each expert of the first mixture */
    ANB_OF_PAIR,    /* K rows of K; up to 64 experts */
    ANB_OF_LEVEL,   /* one for each coverage of the model's intervals; since 0.3 */
    ANB_OF_FEATURE, /* one for each feature of the row, with AnbDiagnosticsOptions.importance; since 0.3 */
    ANB_OF_SERVER   /* one, of a model behind a server (serve.h); only in the Prometheus text; since 0.3 */
} AnbMetricShape;

/*
 * X(id, name, type, shape, unit, meaning); new ones come last. "faded": of an exponentially weighted mean, in which the
 * weight of a sample shrinks by the factor 1 - 2/(span+1) with each later one, corrected for the start; "the row" is
 * the last sample learned.
 */
#define ANB_METRICS(X)                                                                                                 \
    X(SAMPLES, "samples", ANB_COUNTER, ANB_OF_MODEL, "samples", "samples learned")                                     \
    X(REJECTED_FEATURES, "rejected_features", ANB_COUNTER, ANB_OF_MODEL, "samples",                                    \
      "rows refused for a cell that is infinite, or missing where the model takes none")                               \
    X(REJECTED_TARGET, "rejected_target", ANB_COUNTER, ANB_OF_MODEL, "samples",                                        \
      "samples refused for a target that is not finite")                                                               \
    X(REJECTED_WEIGHT, "rejected_weight", ANB_COUNTER, ANB_OF_MODEL, "samples",                                        \
      "samples refused for a weight that is negative or not finite")                                                   \
    X(MISSING_CELLS, "missing_cells", ANB_COUNTER, ANB_OF_MODEL, "cells", "missing cells in the rows learned")         \
    X(RESTARTS, "restarts", ANB_COUNTER, ANB_OF_MODEL, "learners",                                                     \
      "learners that restarted because a step would have left them non-finite")                                        \
    X(WEIGHT_SKIPPED, "weight_skipped", ANB_COUNTER, ANB_OF_MODEL, "samples",                                          \
      "weighted samples that a learner of weight class unit skipped")                                                  \
    X(RESETS, "resets", ANB_COUNTER, ANB_OF_MODEL, "experts", "dead experts that were reset")                          \
    X(DRIFTS, "drifts", ANB_COUNTER, ANB_OF_MODEL, "drifts", "drifts that detectors marked")                           \
    X(LABELS_UNKNOWN, "labels_unknown", ANB_COUNTER, ANB_OF_MODEL, "samples",                                          \
      "delayed labels whose id was never seen")                                                                        \
    X(LABELS_REPEATED, "labels_repeated", ANB_COUNTER, ANB_OF_MODEL, "samples",                                        \
      "delayed labels whose id had been learned already")                                                              \
    X(LABELS_EVICTED, "labels_evicted", ANB_COUNTER, ANB_OF_MODEL, "samples",                                          \
      "delayed labels that came after their row had left the ring")                                                    \
    X(STATE_BYTES, "state_bytes", ANB_GAUGE, ANB_OF_MODEL, "bytes", "memory of the model's mutable state")             \
    X(DRIFT, "drift", ANB_GAUGE, ANB_OF_MODEL, "0 or 1", "whether a detector marked a drift at the row")               \
    X(TARGET, "target", ANB_GAUGE, ANB_OF_MODEL, "target", "the row's target")                                         \
    X(PREDICTION, "prediction", ANB_GAUGE, ANB_OF_MODEL, "target", "the prediction before the target was learned")     \
    X(ERROR, "error", ANB_GAUGE, ANB_OF_MODEL, "target", "target - prediction")                                        \
    X(MEAN_PREDICTION, "mean_prediction", ANB_GAUGE, ANB_OF_MODEL, "target", "the mean of the targets before the row") \
    X(LAST_PREDICTION, "last_prediction", ANB_GAUGE, ANB_OF_MODEL, "target", "the target before the row's")            \
    X(RMSE, "rmse", ANB_GAUGE, ANB_OF_MODEL, "target", "faded root mean square of the error")                          \
    X(MAE, "mae", ANB_GAUGE, ANB_OF_MODEL, "target", "faded mean of the error's magnitude")                            \
    X(MEAN_RMSE, "mean_rmse", ANB_GAUGE, ANB_OF_MODEL, "target", "rmse of predicting the running mean")                \
    X(LAST_RMSE, "last_rmse", ANB_GAUGE, ANB_OF_MODEL, "target", "rmse of predicting the last target")                 \
    X(RMSE_OVERALL, "rmse_overall", ANB_GAUGE, ANB_OF_MODEL, "target",                                                 \
      "root mean square of the error over all samples observed")                                                       \
    X(MEAN_RMSE_OVERALL, "mean_rmse_overall", ANB_GAUGE, ANB_OF_MODEL, "target",                                       \
      "rmse_overall of predicting the running mean")                                                                   \
    X(LAST_RMSE_OVERALL, "last_rmse_overall", ANB_GAUGE, ANB_OF_MODEL, "target",                                       \
      "rmse_overall of predicting the last target")                                                                    \
    X(SKILL, "skill", ANB_GAUGE, ANB_OF_MODEL, "ratio", "1 - rmse / the smaller of mean_rmse and last_rmse")           \
    X(EXPERTS, "experts", ANB_GAUGE, ANB_OF_MIXTURE, "experts", "experts in the mixture, K")                           \
    X(EXPERTS_ACTIVE, "experts_active", ANB_GAUGE, ANB_OF_MIXTURE, "experts", "experts that took part in the row")     \
    X(EXPERTS_DEAD, "experts_dead", ANB_GAUGE, ANB_OF_MIXTURE, "experts",                                              \
      "experts that learned more than span samples and are hardly used")                                               \
    X(ALIGNMENT, "alignment", ANB_GAUGE, ANB_OF_MIXTURE, "-1 to 1",                                                    \
      "running agreement of the prediction's accelerations")                                                           \
    X(LOAD_BALANCE_RATE, "load_balance_rate", ANB_GAUGE, ANB_OF_MIXTURE, "ratio",                                      \
      "step size of the bias that balances the load; 0 where the router has none")                                     \
    X(GATE_ENTROPY, "gate_entropy", ANB_GAUGE, ANB_OF_MIXTURE, "0 to 1",                                               \
      "running entropy of the gate after learning, divided by ln K")                                                   \
    X(GATE_CONFIDENCE, "gate_confidence", ANB_GAUGE, ANB_OF_MIXTURE, "0 to 1",                                         \
      "faded mean of the largest probability")                                                                         \
    X(GATE_MARGIN, "gate_margin", ANB_GAUGE, ANB_OF_MIXTURE, "0 to 1",                                                 \
      "faded mean of the largest probability less the second")                                                         \
    X(DISAGREEMENT, "disagreement", ANB_GAUGE, ANB_OF_MIXTURE, "target",                                               \
      "sample standard deviation of the active experts' predictions")                                                  \
    X(EFFECTIVE_EXPERTS, "effective_experts", ANB_GAUGE, ANB_OF_MIXTURE, "experts",                                    \
      "exp of the entropy of the gate masses: how many experts share the stream")                                      \
    X(EFFECTIVE_EXPERTS_ROW, "effective_experts_row", ANB_GAUGE, ANB_OF_MIXTURE, "experts",                            \
      "K to the power of gate_entropy: how many experts share one row")                                                \
    X(LOAD_CV, "load_cv", ANB_GAUGE, ANB_OF_MIXTURE, "ratio",                                                          \
      "population standard deviation of the loads over their mean")                                                    \
    X(MAX_VIOLATION, "max_violation", ANB_GAUGE, ANB_OF_MIXTURE, "ratio", "(largest load - mean load) / mean load")    \
    X(SWITCHING_RATE, "switching_rate", ANB_GAUGE, ANB_OF_MIXTURE, "0 to 1",                                           \
      "faded share of rows whose first expert is not the row's before")                                                \
    X(REGRET, "regret", ANB_GAUGE, ANB_OF_MIXTURE, "target", "the mixture's faded rmse less the best expert's")        \
    X(SWITCH_LOSS, "switch_loss", ANB_GAUGE, ANB_OF_MIXTURE, "ratio",                                                  \
      "K times the sum of dispatch share times mean probability: 1 when balanced")                                     \
    X(Z_LOSS, "z_loss", ANB_GAUGE, ANB_OF_MIXTURE, "nats squared",                                                     \
      "faded mean of the squared log sum exp of the linear router's logits")                                           \
    X(POOL_SPARSITY, "pool_sparsity", ANB_GAUGE, ANB_OF_MIXTURE, "0 to 1",                                             \
      "share of the experts that processed no sample")                                                                 \
    X(EXPERT_WEIGHT, "expert_weight", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1", "weight in the row's prediction")            \
    X(EXPERT_SHARE, "expert_share", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1", "faded mean of its weight in the prediction")  \
    X(EXPERT_PROBABILITY, "expert_probability", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1",                                    \
      "the gate's probability for the row, with warmup penalty")                                                       \
    X(EXPERT_PREDICTION, "expert_prediction", ANB_GAUGE, ANB_OF_EXPERT, "target",                                      \
      "the expert's prediction for the row; absent where it was not active")                                           \
    X(EXPERT_ACTIVE, "expert_active", ANB_GAUGE, ANB_OF_EXPERT, "0 or 1", "whether it took part in the row")           \
    X(EXPERT_UTILIZATION, "expert_utilization", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1",                                    \
      "running mean of its probability after learning")                                                                \
    X(EXPERT_LOAD, "expert_load", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1", "faded share of rows it was active in")          \
    X(EXPERT_MASS, "expert_mass", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1", "faded mean of its probability")                 \
    X(EXPERT_FIRST, "expert_first", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1",                                                \
      "faded share of rows where its probability was the largest")                                                     \
    X(EXPERT_TRAINED, "expert_trained", ANB_COUNTER, ANB_OF_EXPERT, "samples", "samples learned since its last reset") \
    X(EXPERT_SHARE_TRAINED, "expert_share_trained", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1",                                \
      "share of the observed samples in which it was active")                                                          \
    X(EXPERT_AGE, "expert_age", ANB_GAUGE, ANB_OF_EXPERT, "samples", "samples observed since its last reset")          \
    X(EXPERT_PROGRESS, "expert_progress", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1", "how far its warmup is")                 \
    X(EXPERT_DEAD, "expert_dead", ANB_GAUGE, ANB_OF_EXPERT, "0 or 1",                                                  \
      "whether it learned more than span samples and is hardly used")                                                  \
    X(EXPERT_RMSE, "expert_rmse", ANB_GAUGE, ANB_OF_EXPERT, "target",                                                  \
      "root mean square of its own error, faded over the rows it was active in")                                       \
    X(EXPERT_REGRET, "expert_regret", ANB_GAUGE, ANB_OF_EXPERT, "target", "its rmse less the best expert's")           \
    X(EXPERT_PROCESSED, "expert_processed", ANB_COUNTER, ANB_OF_EXPERT, "samples",                                     \
      "observed samples in which it was active")                                                                       \
    X(EXPERT_MAGNITUDE, "expert_magnitude", ANB_GAUGE, ANB_OF_EXPERT, "target", "root mean square of its outputs")     \
    X(EXPERT_SPARSITY, "expert_sparsity", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1",                                          \
      "mean share of its hidden units or contributions that are near zero; absent where it has none")                  \
    X(EXPERT_SPECIALIZATION, "expert_specialization", ANB_GAUGE, ANB_OF_EXPERT, "0 to 1",                              \
      "how far its outputs are from the active experts' mean output")                                                  \
    X(EXPERT_CONTRIBUTION, "expert_contribution", ANB_GAUGE, ANB_OF_EXPERT, "target",                                  \
      "mean magnitude of its weighted output over the samples observed")                                               \
    X(COACTIVATION, "coactivation", ANB_GAUGE, ANB_OF_PAIR, "0 to 1",                                                  \
      "share of row i's samples in which expert j was active too")                                                     \
    X(INTERVAL_LOW, "interval_low", ANB_GAUGE, ANB_OF_LEVEL, "target", "lower end of the row's interval")              \
    X(INTERVAL_HIGH, "interval_high", ANB_GAUGE, ANB_OF_LEVEL, "target", "upper end of the row's interval")            \
    X(INTERVAL_COVERAGE, "interval_coverage", ANB_GAUGE, ANB_OF_LEVEL, "0 to 1",                                       \
      "faded share of targets inside their interval")                                                                  \
    X(INTERVAL_COVERAGE_OVERALL, "interval_coverage_overall", ANB_GAUGE, ANB_OF_LEVEL, "0 to 1",                       \
      "share of targets inside their interval over all samples observed")                                              \
    X(INTERVAL_WIDTH, "interval_width", ANB_GAUGE, ANB_OF_LEVEL, "target", "faded mean width of the finite intervals") \
    X(FEATURE_IMPORTANCE, "feature_importance", ANB_GAUGE, ANB_OF_FEATURE, "target squared",                           \
      "growth of squared errors where the feature is replaced by an earlier row's, faded")                             \
    X(FEATURE_SAGE, "feature_sage", ANB_GAUGE, ANB_OF_FEATURE, "target squared",                                       \
      "the feature's share of the reduction of the mean's squared error by all features, faded (SAGE)")                \
    X(FEATURE_CHANGED, "feature_changed", ANB_GAUGE, ANB_OF_FEATURE, "samples",                                        \
      "samples since the feature's distribution last shifted; absent where it never did")                              \
    X(WAITING, "waiting", ANB_GAUGE, ANB_OF_MODEL, "rows", "rows kept until their labels come")                        \
    X(PUBLISHED, "published", ANB_COUNTER, ANB_OF_SERVER, "versions", "versions that the server has shown to readers") \
    X(VERSION_AGE, "version_age", ANB_GAUGE, ANB_OF_SERVER, "seconds",                                                 \
      "since the version that readers see was published")                                                              \
    X(UNPUBLISHED, "unpublished", ANB_GAUGE, ANB_OF_SERVER, "events",                                                  \
      "samples, rows and labels that readers do not see yet")

typedef enum AnbMetricId {
#define ANB_METRIC_ID(id, ...) ANB_METRIC_##id,
    ANB_METRICS(ANB_METRIC_ID)
#undef ANB_METRIC_ID
        ANB_METRIC_COUNT
} AnbMetricId;

/** One row of the registry. */
typedef struct AnbMetric {
    const char *name; /* lower case with underscores; the key in JSON, the column in CSV */
    AnbMetricType type;
    AnbMetricShape shape;
    const char *unit, *meaning;
} AnbMetric;

/** The registry: ANB_METRIC_COUNT rows, the index of each its AnbMetricId. */
ANB_API const AnbMetric *anb_metrics(void);

/**
 * Looks a metric up by its name.
 *
 * @param name  n bytes
 * @param n     bytes
 * @return      its AnbMetricId, or ANB_E_UNKNOWN
 */
ANB_API int anb_metric_find(const char *name, size_t n);

#ifdef __cplusplus
}
#endif
#endif
