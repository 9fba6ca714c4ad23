/* `eval --diag`: what the library's observers say of a run, written sample by sample. */
#ifndef ANB_CLI_WATCH_H
#define ANB_CLI_WATCH_H

#include "rows.h"
#include <anabranch/anabranch.h>
#include <stdio.h>

typedef struct Watch {
    FILE *file; /* NULL: nothing is watched */
    const char *path;
    bool csv;
    uint64_t every, seen, written;
    AnbDiagnostics *d;
    AnbAudit *audit; /* NULL where there is no mixture */
} Watch;

/* Starts a file: CSV where its name ends in .csv, else JSON Lines; a record every `every` samples. It is written as the
 * run goes, so that `top` can follow. `rules` is a file of the audit's language, or NULL. 0, or the exit status with
 * the complaint made. */
int watch_start(Watch *watch, const char *path, uint64_t every, const char *rules, const StreamingLearner *model);
/* After train_one. */
void watch_sample(Watch *watch, StreamingLearner *model, const double *x, double y, double said);
/* The last record, in JSON Lines a summary line, and the end. `stream`, and the rows' names, are for the summary. */
int watch_end(Watch *watch, const StreamingLearner *model, const Rows *rows, const char *stream);

/* The summary line: the learner, the stream, the names of the columns (NULL: none), pairs of experts, networks. */
void watch_summary(FILE *file, AnbDiagnostics *d, const StreamingLearner *model, const AnbSnapshotExtras *columns,
                   const char *stream);

#endif
