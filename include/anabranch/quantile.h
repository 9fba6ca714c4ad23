/*
 * Conditional quantiles: for a row, the values below which given shares of the targets lie.
 *
 *     StreamingLearner *model = anb_parse(8, "quantile(auto, levels=[0.1, 0.5, 0.9])", NULL, NULL);
 *     double value[3];
 *     anb_predict_quantiles(model, x, value);
 *     anb_free(model);
 *
 * Since 0.3: everything.
 */
#ifndef ANABRANCH_QUANTILE_H
#define ANABRANCH_QUANTILE_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * quantile(child, levels=[0.1, 0.5, 0.9]), quantile(child, scale learner, ...): quantiles around the child's
 * prediction, several levels at once, which never cross. For each level four candidates are weighed by their pinball
 * losses: the quantile of the errors, that of the errors over their scale, the latter with a linear correction by the
 * row, and the quantile of the targets. An optional second child learns the size of the error over its faded size, and
 * gives a fifth candidate; use a tree where the noise depends on the row in a nonlinear way. Predictions are within the
 * seen target range widened by 10 %.
 *
 * Cost: the children, some 14,000 instructions at 10 features and three levels, (d + 3)^2 multiply-adds a level, of up
 * to 64 features. Memory: 32 KB, 42 KB with a second child, and some (d + 3)^2 doubles a level. Weight class: scaled
 * (quantiles of past errors count samples). Koenker & Bassett 1978.
 */
typedef struct AnbQuantileOptions {
    size_t size;      /* of this struct; set by the defaults */
    AnbLevels levels; /* 0.1, 0.5, 0.9; ascending, each in [1e-6, 1 - 1e-6] */
    double level;     /* 0; the one of the levels whose quantile anb_predict returns; 0: the one nearest to 1/2 */
} AnbQuantileOptions;
ANB_API extern const StreamingLearnerType anb_quantile;
ANB_DEFAULTS(AnbQuantileOptions, anb_quantile)

/**
 * The levels that a model predicts quantiles of.
 *
 * @param model  any model
 * @param level  set to the levels in ascending order, owned by the model's plan
 * @return       how many there are, up to ANB_LEVELS_MAX; 0 where the model has no quantiles
 */
ANB_API size_t anb_quantile_levels(const StreamingLearner *model, const double **level);

/**
 * Predicts a row's quantiles.
 *
 * @param model  a model that has quantiles (AnbQuantileTable), or wraps what has them
 * @param x      n_features values
 * @param value  out: one value a level, never descending, in the target's unit
 * @return       0; ANB_E_UNSUPPORTED where the model has no quantiles; ANB_E_INPUT where the row would be rejected
 *
 * Cost: that of a prediction. Never allocates.
 */
ANB_API int anb_predict_quantiles(StreamingLearner *model, const double *x, double *value);

/** As anb_predict_quantiles, with a reader's scratch; the model is only read. */
ANB_API int anb_predict_quantiles_with(const StreamingLearner *model, AnbReader *reader, const double *x,
                                       double *value);

#ifdef __cplusplus
}
#endif
#endif
