/* The last rows of a run, and why the model predicts for them what it does: kept while it runs, explained when asked. */
#ifndef ANB_CLI_LATELY_H
#define ANB_CLI_LATELY_H

#include "categories.h"

enum { LATELY_ROWS = 8 };

/* A row with what was said of it before its target was known. */
typedef struct LateRow {
    uint64_t row; /* in the table */
    double y, said, low, high;
} LateRow;

typedef struct Lately {
    size_t d, n; /* columns; rows asked for */
    uint64_t seen;
    AnbExplainer *explainer;
    LateRow last[LATELY_ROWS];
    double *x; /* n rows of d */
} Lately;

/* Up to LATELY_ROWS rows are kept; 0: none. 0, or BAD_DATA with the complaint made. */
int lately_start(Lately *lately, const StreamingLearner *model, size_t n);
/* After the model has learned the row. */
void lately_add(Lately *lately, const double *x, const LateRow *row);
/* A list under the key `lately`: each row with its prediction of now, the base, and the columns that add most. */
void lately_json(const Lately *lately, Json *json, const Categories *of, const char *const *names);
void lately_end(Lately *lately);

#endif
