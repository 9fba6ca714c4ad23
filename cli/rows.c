/* Samples from a table. */
#include "rows.h"
#include "cli.h"
#include "columns.h"
#include "layout.h"
#include "skipped.h"
#include <anabranch/type.h>
#include <anabranch/utf8.h>
#include <stdlib.h>
#include <string.h>

/* Warns of the first name of a column or a category that is not UTF-8. The byte behind `text` does not continue a
 * character. */
static void warn_encoding(Rows *rows, size_t i, const char *text, size_t size)
{
    size_t at = 0, n = 1;
    if (rows->odd_bytes)
        return;
    while (at < size && (n = anb_utf8_character((const unsigned char *)text + at)) > 0)
        at += n;
    if (n > 0)
        return;
    rows->odd_bytes = true;
    complain(0,
             "%s:%llu: column %zu: \"%.*s\" is not UTF-8: in a file or a request that is, this is another name; `iconv "
             "-f windows-1252 -t utf-8 FILE` converts files of Windows and of Latin-1",
             rows->table.name, (unsigned long long)rows->table.line, i + 1, (int)(size < 40 ? size : 40), text);
}

int rows_open(Rows *rows, const char *path, const RowsOptions *options)
{
    *rows = (Rows){.cells = options->cells,
                   .on_bad = options->on_bad,
                   .weight = 1,
                   .after = ANB_NAN,
                   .cursor = ANB_NAN,
                   .now = -HUGE_VAL,
                   .due_before = -HUGE_VAL,
                   .due_behind = -HUGE_VAL};
    rows->cells.decimal = rows->cells.decimal ? rows->cells.decimal : '.';
    cell_format_ready(&rows->cells);
    int status = table_open(&rows->table, path, &options->table);
    status = status ? status : layout_rows(rows, options);
    for (size_t i = 0; !status && i < rows->table.columns; i++)
        if (rows->place[i] != SIZE_MAX)
            warn_encoding(rows, i, rows->table.names[i], strlen(rows->table.names[i]));
    if (!status && options->bad_rows)
        status = skipped_open(&rows->skipped, options->bad_rows);
    if (!status && options->names && anb_schema_is_typed(rows->schema)) {
        rows->categories = anb_category_names_new(rows->schema, NULL);
        status = rows->categories ? 0 : complain(BAD_DATA, "out of memory");
    }
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
    free(rows->kept);
    free(rows->column);
    free(rows->failing);
    anb_category_names_free(rows->categories);
    anb_schema_drop(rows->schema);
    anb_schema_drop(rows->reader);
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

static int not_of_its_kind(Rows *rows, size_t i)
{
    static const char *const wanted[ROWS_KINDS] = {"a number", "", "", "true or false", "a time", ""};
    char word[64], missing[24], cure[REMEDY_SIZE];
    Table *table = &rows->table;
    Cell cell = cell_trim(table->cell[i]);
    bool feature = rows->place[i] < rows->n_features && !rows->known;
    remedy_of(rows->column[i].kind, &cell, rows->failing[i], cure);
    return bad_row(table->problem,
                   "column %zu, \"%.60s\": \"%.*s\" is not %s%s; what takes it: --missing %s, "
                   "--on-bad-row skip%s%s%s",
                   i + 1, table->names[i], (int)(cell.size < 40 ? cell.size : 40), cell.text,
                   wanted[rows->column[i].kind], cure, missing_word(&cell, missing), feature ? ", --category " : "",
                   feature ? columns_word(table, i, word) : "",
                   *cure ? "" : table_skip_hint(table, table->cell, table->line));
}

/* A cell that is no number: a category, a time, a boolean. */
static bool typed_cell(Rows *rows, size_t i, double *value)
{
    const Cell *cell = &rows->table.cell[i];
    if (rows->column[i].kind == ANB_COLUMN_CATEGORY || rows->column[i].kind == ANB_COLUMN_CODE)
        warn_encoding(rows, i, cell->text, cell->size);
    if (anb_schema_cell(rows->reader, i, (AnbCell){cell->text, cell->size}, value, NULL))
        return false;
    if (rows->categories && rows->place[i] < rows->n_features) {
        Cell text = cell_trim(*cell);
        anb_category_names_keep(rows->categories, rows->place[i], text.text, text.size, *value);
    }
    return true;
}

static double missing_value(const AnbSchema *schema, size_t column)
{
    double value = ANB_NAN;
    anb_schema_cell(schema, column, (AnbCell){NULL, 0}, &value, NULL);
    return value;
}

/* Where the double of a column goes. */
static double *destination(Rows *rows, size_t place, double *x, double *y, double *unused)
{
    size_t n = rows->n_features;
    if (place < n)
        return &x[place];
    double *const role[ROLES] = {y ? y : unused, &rows->weight, &rows->after, &rows->cursor};
    return role[place - n];
}

static int read_cells(Rows *rows, double *x, double *y)
{
    Table *table = &rows->table;
    const char *limit = rows->cells.local ? NULL : table->limit;
    int status = 0;
    for (size_t i = 0; i < table->columns; i++) {
        size_t place = rows->place[i];
        if (place == SIZE_MAX)
            continue;
        double unused, *to = place < rows->n_features ? &x[place] : destination(rows, place, x, y, &unused);
        bool number = rows->column[i].kind == ANB_COLUMN_NUMBER;
        if (number && cell_plain_number(&table->cell[i], limit, to))
            continue;
        if (number ? cell_number(&rows->cells, &table->cell[i], table->limit, to) : typed_cell(rows, i, to))
            continue;
        status = status ? status : not_of_its_kind(rows, i);
        if (rows->on_bad != BAD_IS_MISSING)
            return status;
        *to = missing_value(rows->reader, i);
    }
    for (size_t j = 0; j < rows->n_absent; j++)
        x[rows->absent[j]] = missing_value(rows->schema, rows->absent[j]);
    return status;
}

static void note_bad(Rows *rows, bool whole)
{
    if (rows->bad < ROWS_NOTED) {
        NotedRow *noted = &rows->noted[rows->bad];
        noted->line = rows->table.line;
        snprintf(noted->problem, sizeof noted->problem, "%.*s", ROWS_PROBLEM - 1, rows->table.problem);
    }
    rows->bad++;
    rows->left_out += !whole || rows->on_bad == SKIP_BAD;
    skipped_add(rows->skipped, &rows->table);
}

static int complain_of_row(const Rows *rows)
{
    return complain(BAD_DATA, "%s:%llu: %s", rows->table.name, (unsigned long long)rows->table.line,
                    rows->table.problem);
}

/* A label that is known n rows later is learned when that row has been predicted; one known at a time before rows of a
 * later time. */
static void set_times(Rows *rows, const double *x)
{
    if (!rows->timed) {
        rows->now = rows->due_behind = (double)rows->number;
        rows->due = rows->now + rows->after;
        return;
    }
    rows->now = isnan(x[rows->clock]) ? rows->now : x[rows->clock];
    rows->due = rows->after;
    rows->due_before = nextafter(rows->now, -HUGE_VAL);
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
        if (status == BAD_ROW)
            note_bad(rows, whole);
        if (status == 0 || (whole && rows->on_bad == BAD_IS_MISSING)) {
            rows->read++;
            set_times(rows, x);
            return 0;
        }
    }
}

Cell rows_kept(const Rows *rows, size_t i)
{
    return cell_trim(rows->table.cell[rows->kept[i]]);
}

bool rows_ready(const Rows *rows)
{
    return table_ready(&rows->table);
}
