/*
 * Prediction intervals: how far off the next target may be, with a coverage that holds while the stream changes.
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
 * interval(child, coverage=[0.8, 0.9, 0.95], window=0): the child's predictions, and adaptive conformal intervals around
 * them: the quantile of the last scores |y - f| / sigma, of which every second one is remembered, at a level that follows
 * the misses (DtACI, and an account of the misses of what was answered), at most the largest of them, times the sigma of the row: the
 * faded error and, where there is a mixture, how far its experts are apart. Stands at the root, or below pending. Memory: 3 KB
 * with the defaults. Weight class: scaled (the child as it is; intervals count samples).
 */
typedef struct AnbIntervalOptions {
    size_t size; /* of this struct; set by the defaults */
    AnbLevels
        coverage; /* 0.8, 0.9, 0.95; the coverages that can be asked for, each in [1e-6, 1 - 1e-6], no two equal */
    /* 0; scores remembered, up to 10,000, 4 bytes each; 0: 600, or as many as leave ten beyond the outermost coverage, up to
     * 1,000. Since 0.4. */
    int window;
} AnbIntervalOptions;
ANB_API extern const StreamingLearnerType anb_interval;
ANB_DEFAULTS(AnbIntervalOptions, anb_interval)

/**
 * Predicts a row with an interval around it.
 *
 * @param model     a model whose root has intervals (AnbIntervalTable), or wraps what has them
 * @param x         n_features values
 * @param coverage  one of the levels that the model was made with
 * @param low       the interval's lower end; -INFINITY before two labels were scored
 * @param high      its upper end
 * @return          0; ANB_E_UNSUPPORTED where the model has no intervals; ANB_E_ARGUMENT for another coverage;
 *                  ANB_E_INPUT where the row would be rejected; low and high are left as they are then
 *
 * Cost: a prediction and a look-up. Never allocates.
 */
ANB_API int anb_predict_interval(StreamingLearner *model, const double *x, double coverage, double *low, double *high);

/**
 * The coverages that can be asked for.
 *
 * @param model     any model
 * @param coverage  set to the levels, owned by the model's plan
 * @return          how many there are; 0 where the model has no intervals
 */
ANB_API size_t anb_interval_levels(const StreamingLearner *model, const double **coverage);

/** As anb_predict_interval, with a reader's scratch: the model is not touched. */
ANB_API int anb_predict_interval_with(const StreamingLearner *model, AnbReader *reader, const double *x,
                                      double coverage, double *low, double *high);

#ifdef __cplusplus
}
#endif
#endif
