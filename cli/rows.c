/* Samples from a table. */
#include "rows.h"
#include "cli.h"
#include "columns.h"
#include "guess.h"
#include "skipped.h"
#include <anabranch/type.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* While the columns find their places. */
typedef struct Layout {
    bool *ignored, *number;
    Guess *guess;
    size_t target; /* SIZE_MAX: none */
} Layout;

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Every column that is neither left out nor the target is a feature. */
static int place_all(Rows *rows, const Layout *layout)
{
    Table *table = &rows->table;
    for (size_t i = 0; i < table->columns; i++)
        if (!layout->ignored[i] && i != layout->target) {
            rows->names[rows->n_features] = strdup(table->names[i]);
            rows->place[i] = rows->n_features++;
        }
    if (rows->n_features > 0)
        return 0;
    return complain(BAD_DATA, "%s: no feature column: the table has one column, \"%s\"%s", table->name, table->names[0],
                    table->columns == 1 ? "; --delimiter says what stands between columns" : "");
}

/* A model's feature is found by its name, which only one column may have. */
static int place_feature(Rows *rows, const RowsOptions *options, size_t j)
{
    const Table *table = &rows->table;
    size_t at = SIZE_MAX, count = 0;
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->names[i], options->features[j]) == 0) {
            at = i;
            count++;
        }
    if (count == 0 && options->missing_columns) {
        rows->absent[rows->n_absent++] = j;
    } else if (count != 1) {
        return complain(BAD_DATA, "%s: the model's feature \"%s\" is %s", table->name, options->features[j],
                        count ? "the name of several columns"
                              : "not the name of a column; --missing-columns takes it for missing in every row");
    } else {
        rows->place[at] = j;
    }
    rows->names[j] = strdup(options->features[j]);
    return 0;
}

static int place_named(Rows *rows, const RowsOptions *options, const Layout *layout)
{
    int status = 0;
    for (size_t j = 0; j < options->n_features && !status; j++)
        status = place_feature(rows, options, j);
    rows->n_features = options->n_features;
    for (size_t i = 0; i < rows->table.columns && !status; i++)
        if (layout->ignored[i] && rows->place[i] != SIZE_MAX)
            status = complain(BAD_USE, "the model's feature \"%s\" is left out by --ignore", rows->table.names[i]);
    if (!status && rows->n_absent == rows->n_features)
        status = complain(BAD_DATA, "%s: none of the model's features is the name of a column", rows->table.name);
    return status;
}

static int default_target(Rows *rows, Layout *layout)
{
    const Table *table = &rows->table;
    for (size_t i = 0; i < table->columns; i++)
        layout->target = layout->ignored[i] ? layout->target : i;
    if (layout->target == SIZE_MAX || table->names[layout->target][0])
        return 0;
    return complain(BAD_USE, "%s: the last column has no name: -t #%zu where it is the target, --ignore #%zu where not",
                    table->name, layout->target + 1, layout->target + 1);
}

static int find_target(Rows *rows, const RowsOptions *options, Layout *layout)
{
    layout->target = SIZE_MAX;
    if (options->no_target)
        return 0;
    if (!options->target)
        return default_target(rows, layout);
    const char *what = options->model_target ? "the model's target" : "target";
    int status = columns_find(&rows->table, options->target, what, &layout->target);
    if (!status && layout->ignored[layout->target])
        return complain(BAD_USE, "the target \"%s\" is left out by --ignore", options->target);
    return status && options->model_target ? BAD_DATA : status;
}

static int place_target(Rows *rows, size_t target)
{
    if (rows->place[target] != SIZE_MAX)
        return complain(BAD_USE, "the target \"%s\" is a feature of the model", rows->names[rows->place[target]]);
    rows->place[target] = rows->n_features;
    rows->names[rows->n_features] = strdup(rows->table.names[target]);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_distinct(const Rows *rows)
{
    size_t n = rows->n_features + (rows->names[rows->n_features] != NULL);
    const char *twice = NULL;
    if (n < 2)
        return 0;
    char **sorted = malloc(n * sizeof *sorted);
    if (!sorted)
        return complain(BAD_DATA, "out of memory");
    memcpy(sorted, rows->names, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 1; i < n && !twice; i++)
        twice = strcmp(sorted[i - 1], sorted[i]) == 0 ? sorted[i] : NULL;
    free(sorted);
    return twice ? complain(BAD_DATA,
                            "%s: \"%s\" is the name of several columns; a model finds its columns by name: --ignore "
                            "leaves one out by its number",
                            rows->table.name, twice)
                 : 0;
}

/* ---- what the columns hold --------------------------------------------------------------------------------------- */

/* A delimiter at the end of every line makes a column that has no name and no value. */
static void drop_trailing(const Rows *rows, Layout *layout)
{
    size_t last = rows->table.columns - 1;
    const Guess *guess = &layout->guess[last];
    if (last > 0 && rows->table.names[last][0] == 0 && guess->numbers + guess->texts == 0 && guess->missing > 0)
        layout->ignored[last] = true;
}

/* Texts where numbers are wanted: one hint that names them all. */
static int check_texts(const Rows *rows, const Layout *layout)
{
    char list[400] = "", word[64];
    size_t first = SIZE_MAX, size = 0;
    for (size_t i = 0; i < rows->table.columns; i++) {
        if (rows->place[i] == SIZE_MAX || layout->number[i] || !guess_is_text(&layout->guess[i]))
            continue;
        first = first == SIZE_MAX ? i : first;
        if (size < sizeof list - 70 && rows->place[i] != rows->n_features)
            size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", size ? "," : "",
                                     columns_word(&rows->table, i, word));
    }
    if (first == SIZE_MAX)
        return 0;
    return complain(BAD_DATA, "%s:%llu: column %zu, \"%s\": \"%s\" is not a number%s%s%s", rows->table.name,
                    (unsigned long long)layout->guess[first].line, first + 1, rows->table.names[first],
                    layout->guess[first].text, size ? "; --ignore " : "", list, size ? " leaves such columns out" : "");
}

static int lay_out(Rows *rows, const RowsOptions *options, Layout *layout)
{
    Table *table = &rows->table;
    bool known = options->features != NULL;
    int status = columns_choose(table, options->ignore, "--ignore", layout->ignored);
    status = status ? status : columns_choose(table, options->number, "--number", layout->number);
    if (!status && !known)
        status = guess_columns(table, &rows->cells, ROWS_GUESSED, layout->guess);
    if (!status && !known)
        drop_trailing(rows, layout);
    status = status ? status : find_target(rows, options, layout);
    status = status ? status : known ? place_named(rows, options, layout) : place_all(rows, layout);
    if (!status && layout->target != SIZE_MAX)
        status = place_target(rows, layout->target);
    if (!status && options->distinct)
        status = check_distinct(rows);
    return status || known ? status : check_texts(rows, layout);
}

int rows_open(Rows *rows, const char *path, const RowsOptions *options)
{
    *rows = (Rows){.cells = options->cells, .on_bad = options->on_bad};
    rows->cells.decimal = rows->cells.decimal ? rows->cells.decimal : '.';
    cell_format_ready(&rows->cells);
    int status = table_open(&rows->table, path, &options->table);
    if (status)
        return status;
    size_t columns = rows->table.columns;
    Layout layout = {calloc(2, columns), NULL, calloc(columns, sizeof *layout.guess), SIZE_MAX};
    rows->place = malloc(columns * sizeof *rows->place);
    rows->absent = malloc((options->n_features + 1) * sizeof *rows->absent);
    rows->names = calloc(columns + options->n_features + 2, sizeof *rows->names);
    bool failed = !layout.ignored || !layout.guess || !rows->place || !rows->absent || !rows->names;
    layout.number = layout.ignored + columns;
    for (size_t i = 0; i < columns && !failed; i++)
        rows->place[i] = SIZE_MAX;
    status = failed ? complain(BAD_DATA, "out of memory") : lay_out(rows, options, &layout);
    free(layout.ignored);
    free(layout.guess);
    if (!status && options->bad_rows)
        status = skipped_open(&rows->skipped, options->bad_rows);
    return status;
}

int rows_close(Rows *rows)
{
    int status = skipped_close(rows->skipped);
    for (size_t i = 0; rows->names && i <= rows->n_features; i++)
        free(rows->names[i]);
    free(rows->names);
    free(rows->place);
    free(rows->absent);
    table_close(&rows->table);
    *rows = (Rows){0};
    return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* The word itself where a shell takes it as it is, for the hint. */
static const char *missing_word(const Cell *cell, char *room)
{
    bool plain = cell->size > 0 && cell->size < 20;
    for (size_t i = 0; i < cell->size && plain; i++)
        plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-./_", cell->text[i]) != NULL;
    snprintf(room, 24, "%.*s", plain ? (int)cell->size : 4, plain ? cell->text : "WORD");
    return room;
}

static int not_a_number(Rows *rows, size_t i)
{
    char word[64], missing[24];
    Table *table = &rows->table;
    Cell cell = cell_trim(table->cell[i]);
    bool target = rows->place[i] == rows->n_features;
    return bad_row(table->problem,
                   "column %zu, \"%.60s\": \"%.*s\" is not a number; what takes it: --missing %s, "
                   "--on-bad-row skip%s%s",
                   i + 1, table->names[i], (int)(cell.size < 40 ? cell.size : 40), cell.text,
                   missing_word(&cell, missing), target ? "" : ", --ignore ",
                   target ? "" : columns_word(table, i, word));
}

static int read_cells(Rows *rows, double *x, double *y)
{
    Table *table = &rows->table;
    int status = 0;
    for (size_t i = 0; i < table->columns; i++) {
        size_t place = rows->place[i];
        double *to = place < rows->n_features ? &x[place] : y, unused;
        if (place == SIZE_MAX || cell_number(&rows->cells, &table->cell[i], table->limit, to ? to : &unused))
            continue;
        status = status ? status : not_a_number(rows, i);
        if (rows->on_bad != BAD_IS_MISSING)
            return status;
        *(to ? to : &unused) = ANB_NAN;
    }
    for (size_t j = 0; j < rows->n_absent; j++)
        x[rows->absent[j]] = ANB_NAN;
    return status;
}

static int complain_of_row(const Rows *rows)
{
    return complain(BAD_DATA, "%s:%llu: %s", rows->table.name, (unsigned long long)rows->table.line,
                    rows->table.problem);
}

int rows_next(Rows *rows, double *x, double *y)
{
    for (;;) {
        int status = table_next(&rows->table);
        bool whole = status == 0;
        if (whole)
            status = read_cells(rows, x, y);
        else if (status != BAD_ROW)
            return status;
        rows->number++;
        if (status == BAD_ROW && rows->on_bad == STOP_AT_BAD)
            return complain_of_row(rows);
        if (status == BAD_ROW) {
            rows->bad++;
            skipped_add(rows->skipped, &rows->table);
        }
        if (status == 0 || (whole && rows->on_bad == BAD_IS_MISSING)) {
            rows->read++;
            return 0;
        }
    }
}

bool rows_ready(const Rows *rows)
{
    return table_ready(&rows->table);
}
