#include "warnings.h"
#include "layout.h"
#include "cli.h"
#include "columns.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Every column that is neither left out nor the target or the like is a feature. */
static int place_all(Rows *rows, const Layout *layout)
{
    Table *table = &rows->table;
    for (size_t i = 0; i < table->columns; i++)
        if (!layout->ignored[i] && layout->role[i] < 0) {
            rows->names[rows->n_features] = strdup(table->names[i]);
            rows->place[i] = rows->n_features++;
        }
    if (rows->n_features > 0)
        return 0;
    return complain(BAD_DATA, "%s: no feature column: all but the target are left out", table->name);
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

static bool is_named(AnbColumnKind kind)
{
    return kind == ANB_COLUMN_CATEGORY || kind == ANB_COLUMN_CODE;
}

/* Refuses a column of names that the model has learned as one of numbers: a name's number (anb_category) is not a
 * quantity. */
static int check_kinds(const Rows *rows, const RowsOptions *options)
{
    size_t known = options->known ? anb_schema_size(options->known) : 0;
    for (size_t i = 0; i < rows->table.columns; i++) {
        size_t at = rows->place[i];
        if (at >= options->n_features || !is_named(rows->column[i].kind))
            continue;
        const AnbColumn numbers = {.kind = ANB_COLUMN_NUMBER};
        const AnbColumn *column = at < known ? &anb_schema_columns(options->known)[at] : &numbers;
        if (!is_named(column->kind))
            return kinds_refuse(rows, i, column);
    }
    return 0;
}

static int default_target(Rows *rows, Layout *layout)
{
    const Table *table = &rows->table;
    size_t target = SIZE_MAX;
    for (size_t i = 0; i < table->columns; i++)
        target = layout->ignored[i] || layout->role[i] >= 0 ? target : i;
    if (target == SIZE_MAX)
        return 0;
    layout->role[target] = ROLE_TARGET;
    if (table->names[target][0])
        return 0;
    return complain(BAD_USE, "%s: the last column has no name: -t #%zu where it is the target, --ignore #%zu where not",
                    table->name, target + 1, target + 1);
}

/* Marks the model's columns, whose kinds are not guessed. */
static void mark_known(const Rows *rows, const RowsOptions *options, Layout *layout)
{
    for (size_t i = 0; i < rows->table.columns; i++)
        for (size_t j = 0; j < options->n_features && !layout->given[i]; j++)
            layout->given[i] = strcmp(rows->table.names[i], options->features[j]) == 0;
}

/* Columns that the model does not have become features after its own. */
static void place_new(Rows *rows, const RowsOptions *options, const Layout *layout)
{
    for (size_t i = 0; i < rows->table.columns; i++) {
        const char *name = rows->table.names[i];
        bool target = options->model_name && strcmp(name, options->model_name) == 0;
        if (rows->place[i] != SIZE_MAX || layout->ignored[i] || layout->role[i] >= 0 || target)
            continue;
        rows->names[rows->n_features] = strdup(name);
        rows->place[i] = rows->n_features++;
        complain(0, "%s: new column \"%s\", a %s", rows->table.name, name, anb_column_word(&rows->column[i]));
    }
}

/* A column that an option names for a role. */
static int give_role(Rows *rows, Layout *layout, const char *word, const char *what, int role)
{
    size_t at = 0;
    int status = word ? columns_find(&rows->table, word, what, &at) : 0;
    if (!word || status)
        return status;
    if (layout->ignored[at])
        return complain(BAD_USE, "%s \"%s\" is left out by %s", what, word,
                        layout->unnamed[at] ? "--schema, which does not name it" : "--ignore");
    if (layout->role[at] >= 0)
        return complain(BAD_USE, "the column \"%s\" can have one role only: target, weight, --label-after or --cursor",
                        word);
    layout->role[at] = role;
    return 0;
}

static int find_roles(Rows *rows, const RowsOptions *options, Layout *layout)
{
    int status = give_role(rows, layout, options->weight, "weight", ROLE_WEIGHT);
    status = status ? status : give_role(rows, layout, options->after, "column of --label-after", ROLE_AFTER);
    status = status ? status : give_role(rows, layout, options->cursor, "column of --cursor", ROLE_CURSOR);
    if (status || options->no_target)
        return status;
    if (!options->target)
        return default_target(rows, layout);
    status =
        give_role(rows, layout, options->target, options->model_target ? "the model's target" : "target", ROLE_TARGET);
    return status && options->model_target ? BAD_DATA : status;
}

static int place_roles(Rows *rows, const Layout *layout)
{
    for (size_t i = 0; i < rows->table.columns; i++) {
        if (layout->role[i] < 0)
            continue;
        if (rows->place[i] != SIZE_MAX)
            return complain(BAD_USE, "the %s \"%s\" is a feature of the model",
                            layout->role[i] == ROLE_TARGET ? "target" : "column", rows->table.names[i]);
        rows->place[i] = rows->n_features + (size_t)layout->role[i];
        rows->has_after |= layout->role[i] == ROLE_AFTER;
        rows->timed |= layout->role[i] == ROLE_AFTER && rows->column[i].kind == ANB_COLUMN_TIME;
        if (layout->role[i] == ROLE_TARGET)
            rows->names[rows->n_features] = strdup(rows->table.names[i]);
    }
    return 0;
}

/* The feature with the row's own time, where labels are known at a time. */
static int find_clock(Rows *rows, const RowsOptions *options)
{
    size_t at = 0;
    if (!rows->timed && options->clock)
        return complain(BAD_USE, "--now goes with a column of times at --label-after");
    int status = options->clock ? columns_find(&rows->table, options->clock, "column of --now", &at) : 0;
    if (!rows->timed || status)
        return status;
    for (size_t i = 0; i < rows->table.columns && !options->clock; i++)
        if (rows->place[i] < rows->n_features && rows->column[i].kind == ANB_COLUMN_TIME) {
            rows->clock = rows->place[i];
            return 0;
        }
    bool time = options->clock && rows->place[at] < rows->n_features && rows->column[at].kind == ANB_COLUMN_TIME;
    if (!time)
        return complain(BAD_USE,
                        "--label-after \"%s\" is a time: the row's own time is to be a feature, a column of times "
                        "(--now COLUMN says which)",
                        options->after);
    rows->clock = rows->place[at];
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

/* Drops the column without name and values that a delimiter at the end of every line makes. */
static void drop_trailing(const Rows *rows, Layout *layout)
{
    size_t last = rows->table.columns - 1;
    const Guess *guess = &layout->guess[last];
    if (last > 0 && rows->table.names[last][0] == 0 && guess->cells == 0 && guess->missing > 0)
        layout->ignored[last] = true;
}

/* Prints one warning about columns that the model does not have. */
static void report_new(const Rows *rows, const RowsOptions *options, const Layout *layout)
{
    char list[200] = "", word[64];
    size_t size = 0, count = 0;
    for (size_t i = 0; i < rows->table.columns; i++) {
        bool target = options->model_name && strcmp(rows->table.names[i], options->model_name) == 0;
        bool kept = false;
        for (size_t k = 0; k < rows->n_kept; k++)
            kept |= rows->kept[k] == i;
        if (rows->place[i] != SIZE_MAX || layout->ignored[i] || target || kept)
            continue;
        if (size < sizeof list - 70)
            size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", count ? ", " : "",
                                     columns_word(&rows->table, i, word));
        count++;
    }
    if (count > 0)
        complain(0, "%s: %zu column%s that the model does not have %s left out: %s", rows->table.name, count,
                 count > 1 ? "s" : "", count > 1 ? "are" : "is", list);
}

static int find_kept(Rows *rows, const RowsOptions *options)
{
    bool *chosen = calloc(rows->table.columns, sizeof *chosen);
    rows->kept = calloc(rows->table.columns, sizeof *rows->kept);
    int status = chosen && rows->kept ? columns_choose(&rows->table, options->keep, "--keep", chosen)
                                      : complain(BAD_DATA, "out of memory");
    for (size_t i = 0; !status && i < rows->table.columns; i++)
        if (chosen[i])
            rows->kept[rows->n_kept++] = i;
    free(chosen);
    return status;
}

static int lay_out(Rows *rows, const RowsOptions *options, Layout *layout)
{
    Table *table = &rows->table;
    bool known = rows->known = options->features != NULL;
    if (table->columns == 1 && !known)
        return complain(BAD_DATA,
                        "%s: no feature column: the table has one column, \"%s\"; --delimiter says what "
                        "stands between columns, --skip-lines how many lines come before the header%s",
                        table->name, table->names[0], table_skip_hint(table, NULL, 0));
    int status = columns_choose(table, options->ignore, "--ignore", layout->ignored);
    bool guessed = !known || options->add_columns;
    status = status ? status : kinds_given(rows, options, layout);
    if (!status && (guessed || options->after))
        status = guess_columns(table, &rows->cells, ROWS_GUESSED, layout->guess);
    if (!status && guessed)
        drop_trailing(rows, layout);
    if (known)
        mark_known(rows, options, layout);
    status = status ? status : find_roles(rows, options, layout);
    if (!status && guessed)
        status = kinds_guessed(rows, options, layout);
    else if (!status)
        status = kinds_of_after(rows, layout);
    status = status ? status : known ? place_named(rows, options, layout) : place_all(rows, layout);
    if (!status && known)
        status = check_kinds(rows, options);
    if (!status && known && options->add_columns)
        place_new(rows, options, layout);
    status = status ? status : place_roles(rows, layout);
    status = status ? status : find_clock(rows, options);
    status = status ? status : find_kept(rows, options);
    if (!status && options->distinct)
        status = check_distinct(rows);
    if (!status && known && !options->quiet)
        report_new(rows, options, layout);
    status = status ? status : kinds_schemas(rows, options);
    if (!status && !known && !options->quiet) {
        kinds_report(rows);
        warnings_print(rows, layout);
    }
    return status;
}

int layout_rows(Rows *rows, const RowsOptions *options)
{
    size_t columns = rows->table.columns;
    Layout layout = {calloc(columns, 1),
                     calloc(columns, 1),
                     malloc(columns * sizeof *layout.role),
                     calloc(columns, sizeof *layout.guess),
                     calloc(columns, 1),
                     options->cells.decimal != 0};
    rows->place = malloc(columns * sizeof *rows->place);
    rows->column = calloc(columns, sizeof *rows->column);
    rows->failing = calloc(columns, sizeof *rows->failing);
    rows->absent = malloc((options->n_features + 1) * sizeof *rows->absent);
    rows->names = calloc(columns + options->n_features + 2, sizeof *rows->names);
    bool failed = !layout.ignored || !layout.given || !layout.role || !layout.guess || !layout.unnamed ||
                  !rows->place || !rows->column || !rows->failing || !rows->absent || !rows->names;
    for (size_t i = 0; i < columns && !failed; i++) {
        rows->place[i] = SIZE_MAX;
        rows->column[i] = (AnbColumn){.name = rows->table.names[i]};
        layout.role[i] = -1;
    }
    int status = failed ? complain(BAD_DATA, "out of memory") : lay_out(rows, options, &layout);
    for (size_t i = 0; i < columns && !status; i++)
        rows->failing[i] = guess_failing(&layout.guess[i]);
    free(layout.ignored);
    free(layout.given);
    free(layout.role);
    free(layout.guess);
    free(layout.unnamed);
    return status;
}
