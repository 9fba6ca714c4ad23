/*
 * The coverage of a model's intervals: over the whole stream, and over its best and worst window.
 */
#ifndef ANB_CLI_COVERAGE_H
#define ANB_CLI_COVERAGE_H

#include "json.h"
#include "range.h"
#include <stdio.h>
#include <anabranch/anabranch.h>

enum { COVERAGE_WINDOW = 2000 };

typedef struct CoverageLevel {
    Range range;
    uint64_t held;        /* targets inside */
    uint64_t window_held; /* in the window under way */
    double least, most;   /* coverage of a whole window; the first is left out */
    double width;         /* sum of the finite widths */
    uint64_t finite;
} CoverageLevel;

typedef struct Coverage {
    size_t n; /* levels; 0: the model has neither intervals nor quantiles */
    uint64_t samples, windows;
    CoverageLevel level[ANB_LEVELS_MAX];
} Coverage;

void coverage_start(Coverage *coverage, const StreamingLearner *model);
/* Before the sample is learned. */
void coverage_add(Coverage *coverage, StreamingLearner *model, const double *x, double y);
void coverage_print(const Coverage *coverage, FILE *file);
/* An array under the key `intervals`; nothing where there are none. */
void coverage_print_json(const Coverage *coverage, Json *json);

#endif
