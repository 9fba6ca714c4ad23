/*
 * A table as samples: which column is the target, which are features, which are left out; what is done with bad rows.
 */
#ifndef ANB_CLI_ROWS_H
#define ANB_CLI_ROWS_H

#include "cells.h"
#include "remedy.h"
#include "table.h"
#include <anabranch/features.h>
#include <anabranch/schema.h>
#include <stdio.h>

/* Rows that tell what the columns hold; kinds of columns. */
enum { ROWS_GUESSED = 100, ROWS_KINDS = ANB_COLUMN_IGNORED + 1 };

/* What a column is besides a feature, in `place` behind the features. */
enum { ROLE_TARGET, ROLE_WEIGHT, ROLE_AFTER, ROLE_CURSOR, ROLES };

typedef enum OnBadRow { STOP_AT_BAD, SKIP_BAD, BAD_IS_MISSING } OnBadRow;

typedef struct RowsOptions {
    TableOptions table;
    CellFormat cells;
    const char *target;           /* its column; NULL: the last one that is not left out */
    const char *ignore;           /* columns that are left out, or NULL; see columns.h */
    const char *kind[ROWS_KINDS]; /* lists of columns whose kind is given, by AnbColumnKind; or NULL */
    const char *date_order;       /* ymd, dmy or mdy of times; NULL: guessed */
    const char *schema;           /* the file with names and kinds, or NULL */
    const AnbSchema *known;       /* the columns of a model, or NULL: numbers */
    const char *weight;           /* a column with the row's weight, or NULL */
    const char *after;            /* one that says when its label is known: a count of rows or a time; or NULL */
    const char *clock;            /* the feature with the row's own time; NULL: the first time */
    const char *cursor;           /* a column with the number of the row in its log, or NULL */
    const char *keep;             /* columns whose text is kept beside the row, or NULL */
    const char *const *features;  /* names that the columns are matched with, or NULL: every other column, in order */
    size_t n_features;
    const char *model_name; /* the target's name in the model, or NULL */
    bool model_target;      /* the target is the name that a model knows, not one that was asked for */
    bool no_target;         /* the target, where there is one by that name, is not read */
    bool distinct;          /* features and target are to be found by name later: no two may have the same */
    bool missing_columns;   /* a feature without a column is missing in every row */
    bool add_columns;       /* columns that the model does not know are features behind its own */
    OnBadRow on_bad;
    const char *bad_rows; /* the file that bad rows are written to, or NULL */
    bool quiet;           /* do not print what was decided */
    bool names;           /* the texts of categories are kept, for reports */
} RowsOptions;

/* The first bad rows, for reports. */
enum { ROWS_NOTED = 24, ROWS_PROBLEM = 160 };
typedef struct NotedRow {
    uint64_t line;
    char problem[ROWS_PROBLEM];
} NotedRow;

typedef struct Rows {
    Table table;
    CellFormat cells;
    size_t n_features;
    char **names;           /* n_features of them, then the target's (NULL where there is none) */
    uint64_t read;          /* rows so far, bad ones apart */
    uint64_t number;        /* of the row in the table, from 1, bad ones counted */
    uint64_t bad;           /* rows that were skipped, or of which a cell was taken for missing */
    uint64_t left_out;      /* of them, those that were skipped */
    size_t *place;          /* where each column goes: a feature's index, n_features + a role, SIZE_MAX for none */
    AnbColumn *column;      /* of the table: name, which the table owns, and kind */
    RemedyFailing *failing; /* of the table's columns, by the rows that were guessed from */
    AnbSchema *reader;      /* of the table's columns */
    AnbSchema *schema;      /* of the features */
    size_t *kept;           /* columns whose text is kept, in the order they were asked for */
    size_t n_kept;
    double weight;     /* of the row; 1 where there is no column of weights */
    bool has_after;    /* there is a column with the time at which labels are known */
    bool timed;        /* by a point in time, not by a count of rows */
    size_t clock;      /* the feature with the row's own time */
    double after;      /* what the column says of the row; NaN where no column does */
    double now;        /* the row's number, or its time; where that is missing the last one known */
    double due;        /* the same of its label; where it is no later than `now`, or NaN, the label is known at once */
    double due_before; /* labels due up to here are learned before the row is predicted, */
    double due_behind; /* and those up to here behind it */
    double cursor;     /* of the row; NaN where there is no such column */
    bool known;        /* features are a model's */
    bool odd_bytes;    /* whether the warning of a name that is not UTF-8 was given */
    size_t *absent;    /* features without a column */
    size_t n_absent;
    AnbCategoryNames *categories; /* texts of categories; NULL: not kept */
    NotedRow noted[ROWS_NOTED];   /* of the `bad` ones */
    OnBadRow on_bad;
    FILE *skipped; /* NULL: bad rows are not written */
} Rows;

/* Reads the header. 0, or the exit status with the message printed; close it in both cases. */
int rows_open(Rows *rows, const char *path, const RowsOptions *options);
/* The rows that were skipped are in their file then. 0, or BAD_DATA with the message printed. */
int rows_close(Rows *rows);

/**
 * The next sample.
 *
 * @param x  n_features values; NaN where a cell is missing; infinite where it is inf or too large
 * @param y  the target likewise; NULL where it is of no interest
 * @return   0; -1 at the end; else the exit status with the message printed
 */
int rows_next(Rows *rows, double *x, double *y);

/* The text of a kept column of the row that rows_next gave. */
Cell rows_kept(const Rows *rows, size_t i);

/* Whether the next row is there already, so that rows_next will not wait for it. */
bool rows_ready(const Rows *rows);

#endif
