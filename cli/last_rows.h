/* The last rows of a run, with explanations of their predictions, which are computed at the end. */
#ifndef ANB_CLI_LAST_ROWS_H
#define ANB_CLI_LAST_ROWS_H

#include "categories.h"

enum { LAST_ROWS_MOST = 8 };

/* A row with its prediction before its target was known. */
typedef struct LastRow {
    uint64_t row; /* in the table */
    double y, prediction, low, high;
} LastRow;

typedef struct LastRows {
    size_t d, n; /* columns; rows asked for */
    uint64_t seen;
    AnbExplainer *explainer;
    LastRow last[LAST_ROWS_MOST];
    double *x; /* n rows of d */
} LastRows;

/* Up to LAST_ROWS_MOST rows are kept; 0: none. 0, or BAD_DATA with the message printed. */
int last_rows_start(LastRows *last, const StreamingLearner *model, size_t n);
/* After the model has learned the row. */
void last_rows_add(LastRows *last, const double *x, const LastRow *row);
/* A list under the key `lately`: each row with its prediction of now, the base, and the columns that add most. */
void last_rows_json(const LastRows *last, Json *json, const Categories *of, const char *const *names);
void last_rows_end(LastRows *last);

#endif
