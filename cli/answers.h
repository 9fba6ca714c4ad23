/* What a model said of rows, as CSV: for `predict`, and for `eval --predictions`. */
#ifndef ANB_CLI_ANSWERS_H
#define ANB_CLI_ANSWERS_H

#include "rows.h"
#include <anabranch/anabranch.h>
#include <stdio.h>

typedef struct Answers {
    FILE *file;
    bool targets;     /* row and target stand before the prediction */
    double coverage;  /* of the interval behind it; 0: none */
    double low, high; /* of the row */
    bool kept;        /* the text of kept columns stands behind all */
} Answers;

/**
 * Writes the header.
 *
 * @param interval  the coverage as --interval gives it, or NULL
 * @return          0, or BAD_USE with the complaint made: no coverage, or none that the model has
 */
int answers_start(Answers *answers, FILE *file, bool targets, const char *interval, const StreamingLearner *model,
                  const Rows *rows);

/* Before the row is learned: takes its interval, where one is wanted. */
void answers_look(Answers *answers, StreamingLearner *model, const double *x);

/* A line. `row` and y are for those with targets; NaN y is no target. */
void answers_write(const Answers *answers, const Rows *rows, uint64_t row, double y, double said);

#endif
