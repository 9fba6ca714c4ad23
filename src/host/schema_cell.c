/* Cells to doubles and back. */
#include "schema.h"
#include "src/text/words.h"
#include <anabranch/number.h>
#include <anabranch/type.h>

static bool is_word(const char *word, size_t size, AnbCell cell)
{
    if (size != cell.size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (anb_lower(word[i]) != anb_lower(cell.text[i]))
            return false;
    return true;
}

/* Whether the cell is one of the words, separated by '|'. */
static bool is_among(const char *words, AnbCell cell)
{
    for (size_t n; *words; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (is_word(words, n, cell))
            return true;
    }
    return false;
}

static bool is_missing(const AnbSchema *s, AnbCell cell)
{
    return cell.size == 0 || (cell.size <= s->missing_longest && is_among(s->missing, cell));
}

static AnbCell trimmed(AnbCell cell)
{
    if (!cell.text)
        cell.size = 0;
    while (cell.size > 0 && (*cell.text == ' ' || *cell.text == '\t'))
        cell.text++, cell.size--;
    while (cell.size > 0 && (cell.text[cell.size - 1] == ' ' || cell.text[cell.size - 1] == '\t'))
        cell.size--;
    return cell;
}

static int read_number(const AnbSchema *s, AnbCell cell, double *value)
{
    char copy[512];
    if (s->decimal == ',') {
        if (cell.size > sizeof copy || memchr(cell.text, '.', cell.size))
            return ANB_E_SYNTAX;
        for (size_t i = 0; i < cell.size; i++)
            copy[i] = cell.text[i] == ',' ? '.' : cell.text[i];
        cell.text = copy;
    }
    int code = anb_number_parse_all(cell.text, cell.size, value);
    return code == 0 && *value - *value != 0 ? ANB_E_SYNTAX : code;
}

static int read_boolean(AnbCell cell, double *value)
{
    *value = is_among("true|yes|t|y|on|1", cell);
    return *value == 1 || is_among("false|no|f|n|off|0", cell) ? 0 : ANB_E_SYNTAX;
}

/* A whole number of up to 15 digits, as programs print it: its own category. */
static bool is_whole(AnbCell cell, double *value)
{
    size_t first = cell.text[0] == '-';
    int64_t whole = 0;
    if (cell.size == first || cell.size - first > 15 || (cell.text[first] == '0' && cell.size > 1))
        return false;
    for (size_t i = first; i < cell.size; i++) {
        if (cell.text[i] < '0' || cell.text[i] > '9')
            return false;
        whole = 10 * whole + (cell.text[i] - '0');
    }
    *value = (double)(first ? -whole : whole);
    return true;
}

static double category_of(AnbCell cell)
{
    double whole;
    return is_whole(cell, &whole) ? whole : anb_category(cell.text, cell.size);
}

/* Reads a cell that is not missing. */
static int read_cell(const AnbSchema *s, const AnbColumn *column, AnbCell cell, double *value)
{
    switch (column->kind) {
    case ANB_COLUMN_NUMBER:
        return read_number(s, cell, value);
    case ANB_COLUMN_BOOLEAN:
        return read_boolean(cell, value);
    case ANB_COLUMN_TIME:
        return anb_time_parse(cell.text, cell.size, column->order, value);
    case ANB_COLUMN_CODE:
        if (read_number(s, cell, value) == 0)
            return 0;
        /* fall through */
    default:
        *value = category_of(cell);
        return 0;
    }
}

static int refuse(const AnbSchema *s, size_t j, AnbCell cell, AnbError *error)
{
    static const char *const wanted[] = {"a number",
                                         "",
                                         "",
                                         "true or false",
                                         "a time in the order year, month, day",
                                         "a time in the order day, month, year",
                                         "a time in the order month, day, year"};
    const AnbColumn *column = &s->columns[j];
    size_t what = column->kind == ANB_COLUMN_TIME ? (size_t)ANB_COLUMN_TIME + column->order : (size_t)column->kind;
    int shown = cell.size > 40 ? 40 : (int)cell.size;
    anb_fail(error, ANB_E_INPUT, "column %zu (%.60s): \"%.*s\"%s is not %s", j + 1, column->name, shown, cell.text,
             cell.size > 40 ? ".." : "", wanted[what]);
    if (error)
        error->position = j;
    return ANB_E_INPUT;
}

static int cell_of(const AnbSchema *s, size_t j, AnbCell given, double *value, AnbError *error)
{
    const AnbColumn *column = &s->columns[j];
    if (column->kind == ANB_COLUMN_IGNORED) {
        *value = 0;
        return 0;
    }
    AnbCell cell = trimmed(given);
    bool names = column->kind == ANB_COLUMN_CATEGORY || column->kind == ANB_COLUMN_CODE;
    /* A number is the usual case and never one of the words. */
    if (column->kind == ANB_COLUMN_NUMBER && cell.size > 0 && read_number(s, cell, value) == 0)
        return 0;
    if (is_missing(s, cell)) {
        *value = names ? anb_category(NULL, 0) : ANB_NAN;
        return 0;
    }
    return read_cell(s, column, cell, value) == 0 ? 0 : refuse(s, j, cell, error);
}

int anb_schema_cell(const AnbSchema *schema, size_t column, AnbCell cell, double *value, AnbError *error)
{
    if (column >= schema->n)
        return anb_fail(error, ANB_E_ARGUMENT, "column %zu: the schema has %zu", column + 1, schema->n);
    return cell_of(schema, column, cell, value, error);
}

int anb_schema_row(const AnbSchema *schema, const AnbCell *cells, size_t n, double *x, AnbError *error)
{
    if (n != schema->n)
        return anb_fail(error, ANB_E_ARGUMENT, "%zu cells: the schema has %zu columns", n, schema->n);
    int code = 0;
    for (size_t j = 0; j < n && code == 0; j++)
        code = cell_of(schema, j, cells[j], &x[j], error);
    return code;
}

size_t anb_schema_format(const AnbSchema *schema, size_t column, double value, char *out)
{
    const AnbColumn *c = &schema->columns[column];
    bool names = c->kind == ANB_COLUMN_CATEGORY || c->kind == ANB_COLUMN_CODE;
    out[0] = 0;
    if (value != value || (names && value == anb_category(NULL, 0)))
        return 0;
    if (c->kind == ANB_COLUMN_BOOLEAN && (value == 0 || value == 1))
        return strlen(strcpy(out, value == 1 ? "true" : "false"));
    if (c->kind == ANB_COLUMN_TIME)
        return anb_time_format(value, out);
    size_t n = anb_number_format(value, out);
    if (schema->decimal == ',' && strchr(out, '.'))
        *strchr(out, '.') = ',';
    return n;
}
