/*
 * Prediction intervals whose coverage holds while the stream changes.
 *
 *     StreamingLearner *model = anb_parse(8, "interval(scale(moe(linear, rls)), coverage=[0.8, 0.95])", NULL, NULL);
 *     anb_train_one(model, x, y, 1);   // for each sample
 *     double low, high;
 *     anb_predict_interval(model, x, 0.95, &low, &high);
 *     anb_free(model);
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_INTERVAL_H
#define ANABRANCH_INTERVAL_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * interval(child, coverage=[0.8, 0.9, 0.95], window=0): the child's predictions with adaptive conformal intervals
 * around them. The half width is the row's sigma times a quantile of the last scores |y - f| / sigma, of which every
 * second one is stored. The quantile's level follows the misses: DtACI (Gibbs & Candes 2024) and an integral term over
 * the intervals that were answered. sigma^2 is the faded squared error plus, around a mixture, the variance of its
 * experts' predictions. Stands at the root, or directly below pending. Memory: 3 KB with the defaults. Weight class:
 * scaled (the child as it is; intervals count samples).
 */
typedef struct AnbIntervalOptions {
    size_t size;        /* of this struct; set by the defaults */
    AnbLevels coverage; /* 0.8, 0.9, 0.95; the coverages of the intervals, each in [1e-6, 1 - 1e-6], no two equal */
    /* 0; scores stored, up to 10,000, of 4 bytes each; 0: 600, or as many as are needed for ten scores beyond the
     * largest coverage, up to 1,000. Since 0.4. */
    int window;
} AnbIntervalOptions;
ANB_API extern const StreamingLearnerType anb_interval;
ANB_DEFAULTS(AnbIntervalOptions, anb_interval)

/**
 * Predicts a row with an interval around it.
 *
 * @param model     a model whose root has intervals (AnbIntervalTable), or wraps what has them
 * @param x         n_features values
 * @param coverage  one of anb_interval_levels
 * @param low       the interval's lower end; -INFINITY before two labels were scored
 * @param high      its upper end
 * @return          0; ANB_E_UNSUPPORTED where the model has no intervals; ANB_E_ARGUMENT for another coverage;
 *                  ANB_E_INPUT where the row would be rejected; after an error low and high are unchanged
 *
 * Cost: a prediction and a look-up. Never allocates.
 */
ANB_API int anb_predict_interval(StreamingLearner *model, const double *x, double coverage, double *low, double *high);

/**
 * The coverages that a model has intervals for.
 *
 * @param model     any model
 * @param coverage  set to the levels, owned by the model's plan
 * @return          how many there are; 0 where the model has no intervals
 */
ANB_API size_t anb_interval_levels(const StreamingLearner *model, const double **coverage);

/** As anb_predict_interval, with a reader's scratch; the model is only read. */
ANB_API int anb_predict_interval_with(const StreamingLearner *model, AnbReader *reader, const double *x,
                                      double coverage, double *low, double *high);

#ifdef __cplusplus
}
#endif
#endif
