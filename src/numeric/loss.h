/*
 * Loss functions for learning rules. Each rule (gradient descent, recursive least squares, leaves of boosted trees,
 * regrets of a gate) uses an error e = y - f. For another loss than the squared one it uses the following pull in place
 * of e:
 *
 *     squared    e
 *     huber      e clipped to +-1.345 s                          95 % efficient for normal errors (Huber 1964)
 *     absolute   as quantile with level 1/2
 *     quantile   s k (level - 1{e < 0}), 0 at e = 0              k = 1/(1.6 level (1 - level)), at most 8
 *
 * s is a running scale of the errors. The pull is the negative derivative of the loss by f, times a constant. The
 * constant does not move the point where the mean pull is 0, which is the quantile. For quantiles it is chosen as a
 * Newton step would be: s k is about 1/density, the derivative of the quantile by the probability, of a normal error.
 * So steps do not depend on the target's unit.
 *
 * Koenker & Bassett 1978 on quantile regression; Robbins & Monro 1951 on the steps.
 */
#ifndef ANB_NUMERIC_LOSS_H
#define ANB_NUMERIC_LOSS_H

#include "error_scale.h"
#include <anabranch/loss.h>
#include <anabranch/type.h>

/* The two options of a learner that takes losses: members `double level` and `int loss`, the last of its struct. */
#define ANB_LOSS_PARAMS(Options)                                                                                       \
    {"loss",                                                                                                           \
     ANB_WORD,                                                                                                         \
     offsetof(Options, loss),                                                                                          \
     ANB_LOSS_SQUARED,                                                                                                 \
     0,                                                                                                                \
     0,                                                                                                                \
     0,                                                                                                                \
     "squared|absolute|huber|quantile",                                                                                \
     "the loss that predictions minimise"},                                                                            \
    {                                                                                                                  \
        "level", ANB_REAL, offsetof(Options, level), .5, 0, 1, ANB_OPEN_MIN | ANB_OPEN_MAX, NULL,                      \
            "with loss=quantile: the share of targets below the prediction"                                            \
    }

/* The rule of a pull. `level` of absolute is 1/2; `step` is s k, or the bound of huber. */
typedef struct AnbPull {
    AnbLossKind kind;
    double level, step;
} AnbPull;

static inline double anb_loss_gain(double level)
{
    const double most = 8, gain = 1 / (1.6 * level * (1 - level));
    return gain < most ? gain : most;
}

/* The rule of a loss where errors have the scale s. */
static inline AnbPull anb_pull_of(AnbLossKind kind, double level, double s)
{
    double of = kind == ANB_LOSS_QUANTILE ? level : .5;
    return (AnbPull){kind, of, kind == ANB_LOSS_HUBER ? 1.345 * s : s * anb_loss_gain(of)};
}

static inline double anb_pull(const AnbPull *pull, double error)
{
    if (pull->kind == ANB_LOSS_SQUARED)
        return error;
    if (pull->kind == ANB_LOSS_HUBER)
        return error > pull->step ? pull->step : error < -pull->step ? -pull->step : error;
    return error > 0 ? pull->step * pull->level : error < 0 ? pull->step * (pull->level - 1) : 0;
}

/* The pull of an error at the scale s; loss NULL: the error. */
static inline double anb_pull_by(const AnbLoss *loss, double error, double s)
{
    if (!loss || loss->kind == ANB_LOSS_SQUARED)
        return error;
    AnbPull pull = anb_pull_of(loss->kind, loss->level, s);
    return anb_pull(&pull, error);
}

/* Whether the loss is another than the squared one, which needs no scale. */
static inline bool anb_loss_other(int kind)
{
    return kind != ANB_LOSS_SQUARED;
}

#endif
