/*
 * A CSV file as samples: which column is the target, which are features, which are left out.
 */
#ifndef ANB_CLI_ROWS_H
#define ANB_CLI_ROWS_H

#include "csv.h"

typedef struct RowsOptions {
    const char *target;          /* name of the target's column; NULL: the last one that is not dropped */
    const char *drop;            /* names with commas between them, or NULL */
    const char *const *features; /* names that the columns are matched with, or NULL: every other column, in order */
    size_t n_features;
    bool model_target; /* it is the name that a model knows, not one that was asked for */
    bool no_target;    /* the target, where there is one by that name, is not read */
    bool distinct;     /* features and target are to be found by name later: no two may have the same */
} RowsOptions;

typedef struct Rows {
    Csv csv;
    size_t n_features;
    char **names;  /* n_features of them, then the target's (NULL where there is none) */
    uint64_t read; /* rows so far */
    size_t columns;
    size_t *place; /* where each column goes: a feature's index, n_features for the target, SIZE_MAX for none */
} Rows;

/* Reads the header. 0, or the exit status with the complaint made; close it in both cases. */
int rows_open(Rows *rows, const char *path, const RowsOptions *options);
void rows_close(Rows *rows);

/**
 * The next sample.
 *
 * @param x  n_features values; NaN where a cell is empty, na or nan; infinite where it is inf or too large
 * @param y  the target likewise; NULL where it is of no interest
 * @return   0; -1 at the end; else the exit status with the complaint made
 */
int rows_next(Rows *rows, double *x, double *y);

#endif
