/* Samples from CSV. */
#include "rows.h"
#include "cli.h"
#include <anabranch/type.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_name(const Cell *cell, const char *name)
{
    return cell->size == strlen(name) && memcmp(cell->text, name, cell->size) == 0;
}

/* The column of a name, which must stand there once. */
static int find_column(const Rows *rows, const char *name, const char *what, size_t *found)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->columns; i++)
        if (is_name(&rows->csv.cell[i], name)) {
            *found = i;
            count++;
        }
    if (count == 1)
        return 0;
    return complain(BAD_USE, "%s: %s \"%s\" %s", rows->csv.name, what, name,
                    count ? "is the name of several columns" : "is not the name of a column");
}

static int drop_columns(Rows *rows, const char *list, bool *dropped)
{
    int status = 0;
    char *names = list ? strdup(list) : NULL, *rest = NULL;
    for (char *name = names ? strtok_r(names, ",", &rest) : NULL; name && !status; name = strtok_r(NULL, ",", &rest)) {
        size_t at = 0;
        status = find_column(rows, name, "--drop", &at);
        if (!status)
            dropped[at] = true;
    }
    free(names);
    return status;
}

static char *name_of(const Cell *cell)
{
    return strndup(cell->text, cell->size);
}

/* Every column that is neither dropped nor the target is a feature. */
static int place_all(Rows *rows, const bool *dropped, size_t target)
{
    for (size_t i = 0; i < rows->columns; i++)
        if (!dropped[i] && i != target) {
            rows->names[rows->n_features] = name_of(&rows->csv.cell[i]);
            rows->place[i] = rows->n_features++;
        }
    if (rows->n_features == 0)
        return complain(BAD_DATA, "%s:%llu: no feature column; the header is one name a column", rows->csv.name,
                        (unsigned long long)rows->csv.line);
    return 0;
}

static int place_named(Rows *rows, const RowsOptions *options, const bool *dropped)
{
    for (size_t j = 0; j < options->n_features; j++) {
        size_t at = 0;
        int status = find_column(rows, options->features[j], "the model's feature", &at);
        if (status)
            return BAD_DATA;
        if (dropped[at])
            return complain(BAD_USE, "the model's feature \"%s\" is dropped", options->features[j]);
        rows->place[at] = j;
        rows->names[j] = strdup(options->features[j]);
    }
    rows->n_features = options->n_features;
    return 0;
}

static int find_target(Rows *rows, const RowsOptions *options, const bool *dropped, size_t *target)
{
    if (options->no_target)
        return 0;
    if (options->target) {
        const char *what = options->model_target ? "the model's target" : "target";
        int status = find_column(rows, options->target, what, target);
        if (!status && dropped[*target])
            return complain(BAD_USE, "the target \"%s\" is dropped", options->target);
        return status && options->model_target ? BAD_DATA : status;
    }
    for (size_t i = 0; i < rows->columns; i++)
        *target = dropped[i] ? *target : i;
    return 0;
}

static int place_target(Rows *rows, size_t target)
{
    if (rows->place[target] != SIZE_MAX)
        return complain(BAD_USE, "the target \"%s\" is a feature of the model", rows->names[rows->place[target]]);
    rows->place[target] = rows->n_features;
    rows->names[rows->n_features] = name_of(&rows->csv.cell[target]);
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
    return twice
               ? complain(BAD_DATA, "%s:%llu: \"%s\" is the name of several columns; a model finds its columns by name",
                          rows->csv.name, (unsigned long long)rows->csv.line, twice)
               : 0;
}

/* Line ends are LF or CRLF: with others the whole file would be one header. */
static int check_line_ends(const Rows *rows)
{
    for (size_t i = 0; i < rows->columns; i++) {
        const Cell *cell = &rows->csv.cell[i];
        const char *at = memchr(cell->text, '\r', cell->size);
        if (at && (at + 1 == cell->text + cell->size || at[1] != '\n'))
            return complain(BAD_DATA, "%s:%llu: column %zu: a carriage return inside a name; lines end in LF or CRLF",
                            rows->csv.name, (unsigned long long)rows->csv.line, i + 1);
    }
    return 0;
}

static int read_header(Rows *rows, const RowsOptions *options, bool *dropped)
{
    size_t target = SIZE_MAX; /* none */
    int status = check_line_ends(rows);
    if (!status)
        status = drop_columns(rows, options->drop, dropped);
    if (!status)
        status = find_target(rows, options, dropped, &target);
    if (!status)
        status = options->features ? place_named(rows, options, dropped) : place_all(rows, dropped, target);
    if (!status && target != SIZE_MAX)
        status = place_target(rows, target);
    return status || !options->distinct ? status : check_distinct(rows);
}

int rows_open(Rows *rows, const char *path, const RowsOptions *options)
{
    *rows = (Rows){0};
    int status = csv_open(&rows->csv, path);
    if (!status)
        status = csv_next(&rows->csv);
    if (status < 0)
        return complain(BAD_DATA, "%s: the file is empty; a header line is expected", rows->csv.name);
    if (status)
        return status;
    rows->columns = rows->csv.cells;
    rows->place = malloc(rows->columns * sizeof *rows->place);
    rows->names = calloc(rows->columns + options->n_features + 2, sizeof *rows->names);
    bool *dropped = calloc(rows->columns, sizeof *dropped);
    if (!rows->place || !rows->names || !dropped) {
        free(dropped);
        return complain(BAD_DATA, "out of memory");
    }
    for (size_t i = 0; i < rows->columns; i++)
        rows->place[i] = SIZE_MAX;
    status = read_header(rows, options, dropped);
    free(dropped);
    return status;
}

void rows_close(Rows *rows)
{
    for (size_t i = 0; rows->names && i <= rows->n_features; i++)
        free(rows->names[i]);
    free(rows->names);
    free(rows->place);
    csv_close(&rows->csv);
    *rows = (Rows){0};
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(text, word, size) == 0;
}

/* Empty, na, nan: missing. inf: infinite. Blanks around a cell do not count. */
static bool read_cell(const Csv *csv, const Cell *cell, double *value)
{
    Cell inner = *cell;
    if (csv_number(csv, cell, value))
        return true;
    while (inner.size > 0 && (*inner.text == ' ' || *inner.text == '\t'))
        inner.text++, inner.size--;
    while (inner.size > 0 && (inner.text[inner.size - 1] == ' ' || inner.text[inner.size - 1] == '\t'))
        inner.size--;
    bool sign = inner.size > 0 && (*inner.text == '-' || *inner.text == '+');
    const char *word = inner.text + sign;
    size_t size = inner.size - sign;
    if (is_word(word, size, "inf") || is_word(word, size, "infinity"))
        *value = sign && *inner.text == '-' ? -HUGE_VAL : HUGE_VAL;
    else if (inner.size == 0 || is_word(inner.text, inner.size, "na") || is_word(word, size, "nan"))
        *value = ANB_NAN;
    else
        return csv_number(csv, &inner, value);
    return true;
}

static int not_a_number(const Rows *rows, size_t i)
{
    const Cell *cell = &rows->csv.cell[i];
    size_t place = rows->place[i];
    bool first = rows->read == 0 && place < rows->n_features;
    return complain(BAD_DATA, "%s:%llu: column %zu, \"%s\": \"%.*s\" is not a number%s%s%s", rows->csv.name,
                    (unsigned long long)rows->csv.line, i + 1, rows->names[place],
                    (int)(cell->size < 40 ? cell->size : 40), cell->text, first ? "; --drop " : "",
                    first ? rows->names[place] : "", first ? " leaves the column out" : "");
}

int rows_next(Rows *rows, double *x, double *y)
{
    int status = csv_next(&rows->csv);
    if (status)
        return status;
    if (rows->csv.cells != rows->columns)
        return complain(BAD_DATA, "%s:%llu: column %zu: the row has %zu cells, the header has %zu", rows->csv.name,
                        (unsigned long long)rows->csv.line,
                        (rows->csv.cells < rows->columns ? rows->csv.cells : rows->columns) + 1, rows->csv.cells,
                        rows->columns);
    for (size_t i = 0; i < rows->columns; i++) {
        size_t place = rows->place[i];
        double *to = place < rows->n_features ? &x[place] : y, unused;
        if (place != SIZE_MAX && !read_cell(&rows->csv, &rows->csv.cell[i], to ? to : &unused))
            return not_a_number(rows, i);
    }
    rows->read++;
    return 0;
}
