/*
 * A table as samples: which column is the target, which are features, which are left out; what is done with bad rows.
 */
#ifndef ANB_CLI_ROWS_H
#define ANB_CLI_ROWS_H

#include "cells.h"
#include "table.h"
#include <stdio.h>

enum { ROWS_GUESSED = 100 }; /* rows that tell what the columns hold */

typedef enum OnBadRow { STOP_AT_BAD, SKIP_BAD, BAD_IS_MISSING } OnBadRow;

typedef struct RowsOptions {
    TableOptions table;
    CellFormat cells;
    const char *target;          /* its column; NULL: the last one that is not left out */
    const char *ignore;          /* columns that are left out, or NULL; see columns.h */
    const char *number;          /* columns of numbers, whatever they seem to hold */
    const char *const *features; /* names that the columns are matched with, or NULL: every other column, in order */
    size_t n_features;
    bool model_target;    /* the target is the name that a model knows, not one that was asked for */
    bool no_target;       /* the target, where there is one by that name, is not read */
    bool distinct;        /* features and target are to be found by name later: no two may have the same */
    bool missing_columns; /* a feature without a column is missing in every row */
    OnBadRow on_bad;
    const char *bad_rows; /* the file that bad rows are written to, or NULL */
} RowsOptions;

typedef struct Rows {
    Table table;
    CellFormat cells;
    size_t n_features;
    char **names;    /* n_features of them, then the target's (NULL where there is none) */
    uint64_t read;   /* rows so far, bad ones apart */
    uint64_t number; /* of the row in the table, from 1, bad ones counted */
    uint64_t bad;    /* rows that were skipped, or of which a cell was taken for missing */
    size_t *place;   /* where each column goes: a feature's index, n_features for the target, SIZE_MAX for none */
    size_t *absent;  /* features without a column */
    size_t n_absent;
    OnBadRow on_bad;
    FILE *skipped; /* NULL: bad rows are not written */
} Rows;

/* Reads the header. 0, or the exit status with the complaint made; close it in both cases. */
int rows_open(Rows *rows, const char *path, const RowsOptions *options);
/* The rows that were skipped are in their file then. 0, or BAD_DATA with the complaint made. */
int rows_close(Rows *rows);

/**
 * The next sample.
 *
 * @param x  n_features values; NaN where a cell is missing; infinite where it is inf or too large
 * @param y  the target likewise; NULL where it is of no interest
 * @return   0; -1 at the end; else the exit status with the complaint made
 */
int rows_next(Rows *rows, double *x, double *y);

/* Whether the next row is there already, so that rows_next will not wait for it. */
bool rows_ready(const Rows *rows);

#endif
