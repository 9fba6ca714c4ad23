/*
 * The progress of a run. On a terminal one line that is overwritten; otherwise a table with rows at 100, 200, 400, ...
 * samples, or at every N samples if that is set. A row's rmse is that of the samples since the row before.
 */
#ifndef ANB_CLI_PROGRESS_H
#define ANB_CLI_PROGRESS_H

#include <anabranch/anabranch.h>
#include <stdbool.h>
#include <stdio.h>

/* What r2 is made of: sums about the first target. */
typedef struct Fit {
    uint64_t n;
    double first, sum, square, error; /* target; sum and squares of targets about it; squared errors */
} Fit;

void fit_add(Fit *fit, double y, double prediction);
/* 1 - SSE/SST; NaN where all targets are equal. */
double fit_r2(const Fit *fit);

typedef struct Progress {
    FILE *table;    /* where rows go; NULL: none */
    bool terminal;  /* whether there is a line on stderr */
    uint64_t every; /* 0: doubling */
    uint64_t next, shown;
    double last_line; /* seconds */
    AnbScore *recent; /* since the row before */
} Progress;

/* Rows go to `table` (NULL: none) where it is no terminal, or `every` > 0. 0, or BAD_DATA with the message printed. */
int progress_start(Progress *progress, FILE *table, uint64_t every);
/* After each prediction that was scored; `all` has it already; r2 is that of `fit`. */
void progress_step(Progress *progress, const AnbScore *all, const Fit *fit, double y, double prediction, uint64_t n);
/* The last row, and the line away. */
void progress_end(Progress *progress, const AnbScore *all, const Fit *fit);
/* Seconds from some point on. */
double progress_clock(void);

#endif
