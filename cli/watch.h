/* `eval --diag`: what the library's observers say of a run, written sample by sample. */
#ifndef ANB_CLI_WATCH_H
#define ANB_CLI_WATCH_H

#include "evidence.h"
#include "rows.h"
#include <anabranch/anabranch.h>
#include <stdio.h>

typedef struct Watch {
    FILE *file; /* NULL: nothing is watched */
    const char *path;
    bool csv;
    uint64_t every, seen, written;
    AnbDiagnostics *d;
    AnbAudit *audit;                 /* NULL where there is no mixture */
    Evidence evidence;               /* of JSON Lines */
    uint64_t refused, first_refused; /* rows that the model rejected; the first one's number */
} Watch;

typedef struct WatchOptions {
    const char *path;    /* CSV where it ends in .csv, else JSON Lines */
    uint64_t every;      /* a record so many samples */
    uint64_t importance; /* of the columns, measured in every so many-th sample; 0: not */
    uint64_t explained;  /* of the last rows why they were predicted so, in the summary */
    const char *rules;   /* a file of the audit's language, or NULL */
} WatchOptions;

/* Starts a file, which is written as the run goes, so that `top` can follow. 0, or the exit status with the complaint
 * made. */
int watch_start(Watch *watch, const WatchOptions *options, const StreamingLearner *model, const Rows *rows);
/* After train_one; `row` is the number of the row in the table. */
void watch_sample(Watch *watch, StreamingLearner *model, const double *x, double y, double prediction, uint64_t row);
/* The last record, in JSON Lines a summary line, and the end. `stream`, and the rows' names, are for the summary. */
int watch_end(Watch *watch, const StreamingLearner *model, const Rows *rows, const char *stream);

/* What a summary tells besides what the diagnostics hold. */
typedef struct WatchSummary {
    const StreamingLearner *model;
    const char *stream, *target;
    const char *const *features; /* the columns' names, or NULL */
    Categories categories;
    const Evidence *evidence;
    const Rows *rows; /* with the bad ones, or NULL */
    uint64_t refused, first_refused;
} WatchSummary;

/* The summary line: the learner, the stream, the names of the columns, evidence, bad rows, categories, pairs of
 * experts, networks. */
void watch_summary(FILE *file, AnbDiagnostics *d, const WatchSummary *of);

#endif
