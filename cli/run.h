/*
 * A stream that is predicted, then learned, row by row. Rows are read in blocks, so that the time of learning can be
 * told from that of reading; a block ends where the next row would have to be waited for.
 */
#ifndef ANB_CLI_RUN_H
#define ANB_CLI_RUN_H

#include "answers.h"
#include "coverage.h"
#include "delay.h"
#include "losses.h"
#include "output.h"
#include "progress.h"
#include "rows.h"
#include "saved.h"
#include "watch.h"

typedef struct Run {
    Rows rows;
    Saved saved; /* with -m */
    StreamingLearner *model;
    AnbScore *score;
    Fit fit; /* without the first answer of a model that had learned nothing */
    Output predictions;
    Answers answers;
    Progress progress;
    Watch watch;
    Coverage coverage;
    Losses losses;
    Delay delay;
    uint64_t limit, burn_in; /* rows to read; targets that are not scored */
    uint64_t targets, scored, unlabelled;
    uint64_t weightless;    /* rows with a target and of weight 0, which are predicted only */
    bool live;              /* rows may come later */
    AnbCounters before;     /* those of the saved model */
    double learning, start; /* seconds */
    size_t block;           /* rows of it; 1 where something is asked of every row */
    double *x, *y, *prediction, *weight;
    uint64_t *number; /* of the rows in the table */
    FILE *text;       /* where the table and the result go: stderr where rows go to standard output */
} Run;

/* Memory for blocks, when the columns and the model are known. */
int run_start(Run *run);
void run_end(Run *run);

/* Reads to the end, the limit or an interrupt. 0, or the exit status with the message printed. */
int run_stream(Run *run);

/* The result, for people and as JSON. */
void result_print(const Run *run);
void result_print_json(const Run *run, const char *stream_name);

#endif
