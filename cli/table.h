/*
 * A table as rows of cells under a header, whatever it is written in: CSV of every dialect, or JSON Lines. Rows that
 * were looked at ahead, to guess what the columns hold, come again.
 *
 *     file -> csv.c or jsonl.c -> cells -> table.c (header, rows ahead) -> rows.c (doubles)
 */
#ifndef ANB_CLI_TABLE_H
#define ANB_CLI_TABLE_H

#include "cli.h"
#include "csv.h"

typedef struct TableOptions {
    Dialect dialect;
    bool no_header;     /* the first record is a row; columns are called 1, 2, 3, ... */
    bool header;        /* the first record is the header even where it holds numbers */
    uint64_t skip_rows; /* rows behind the header that are not looked at, as one of units */
} TableOptions;

typedef struct Table {
    Csv csv;
    const char *name; /* of the file, for messages */
    char **names;     /* of the columns */
    size_t columns;
    Cell *cell;                 /* of the row: as many as columns, but for a bad row */
    size_t cells;               /* of the row */
    uint64_t line;              /* where the row starts, from 1 */
    const char *limit;          /* how far bytes may be read behind the row's cells */
    bool no_header;             /* the names are numbers */
    bool header_given;          /* the first line is the header whatever it holds */
    char problem[PROBLEM_SIZE]; /* of the row, where it is bad */
    struct TableState *state;
} Table;

/* Reads the header. 0, or the exit status with the message printed; close it in both cases. */
int table_open(Table *table, const char *path, const TableOptions *options);
void table_close(Table *table);

/* The next row: 0; -1 at the end; BAD_ROW with the reason in table->problem; else the exit status with the complaint
 * made. */
int table_next(Table *table);

/* Reads up to n rows ahead, which table_next will give again; those that are not bad come from table_ahead. 0, or the
 * exit status with the message printed. */
int table_look_ahead(Table *table, size_t n);
size_t table_rows_ahead(const Table *table);
/* The cells of such a row; NULL where it is bad. */
const Cell *table_ahead(const Table *table, size_t row, uint64_t *line);

/* Whether the next row is there already, so that table_next will not wait for it. */
bool table_ready(const Table *table);

/* Whether more may come later: a pipe, not a file. */
bool table_is_live(const Table *table);

/* What to add to a complaint about the record at a line, with the semicolon before it: that comments, or a row of units
 * right behind the header, can be skipped. "" where it looks like neither. */
const char *table_skip_hint(const Table *table, const Cell *first, uint64_t line);

/* Takes blanks and tabs off both ends. */
Cell cell_trim(Cell cell);
bool cell_is(const Cell *cell, const char *text);

#endif
