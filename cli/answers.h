/* Predictions as CSV: for `predict`, and for `eval --predictions`. */
#ifndef ANB_CLI_ANSWERS_H
#define ANB_CLI_ANSWERS_H

#include "range.h"
#include "rows.h"
#include <anabranch/anabranch.h>
#include <stdio.h>

typedef struct Answers {
    FILE *file;
    bool targets;     /* row and target stand before the prediction */
    Range range;      /* behind the prediction; coverage 0: none */
    double low, high; /* of the row */
    size_t levels;    /* quantiles behind that; 0: none */
    double quantile[ANB_LEVELS_MAX];
    bool kept; /* the text of kept columns stands behind all */
} Answers;

/* The columns that are written beside predictions. */
typedef struct AnswersWanted {
    const char *interval;
    bool quantiles;
} AnswersWanted;

/**
 * Writes the header.
 *
 * @param wanted  the interval's coverage as --interval gives it, or NULL; whether quantiles are wanted
 * @return        0, or BAD_USE with the message printed: no coverage, or none that the model has, or no quantiles
 */
int answers_start(Answers *answers, FILE *file, bool targets, const AnswersWanted *wanted,
                  const StreamingLearner *model, const Rows *rows);

/* Whether more than the prediction is written. */
static inline bool answers_more(const Answers *answers)
{
    return answers->range.coverage > 0 || answers->levels > 0;
}

/* Predicts the row's interval and quantiles, where they are written; before the row is learned. */
void answers_take(Answers *answers, StreamingLearner *model, const double *x);

/* A line. `row` and y are for those with targets; NaN y is no target. */
void answers_write(const Answers *answers, const Rows *rows, uint64_t row, double y, double prediction);

#endif
