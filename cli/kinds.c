/* The kinds of a table's columns: from options, a schema file or a model, or guessed. */
#include "cli.h"
#include "columns.h"
#include "layout.h"
#include "remedy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_FILE = 1 << 24 };

/* ---- given ------------------------------------------------------------------------------------------------------- */

int kinds_refuse(const Rows *rows, size_t i, const AnbColumn *learned)
{
    return complain(BAD_USE, "column %zu, \"%s\": the model has learned it as a %s", i + 1, rows->table.names[i],
                    anb_column_word(learned));
}

static int said_before(const Rows *rows, const RowsOptions *options, size_t i, AnbColumnKind kind)
{
    const char *name = rows->table.names[i];
    if (!options->known || anb_schema_find(options->known, name, strlen(name)) < 0)
        return complain(BAD_USE, "column %zu, \"%s\", is given two kinds", i + 1, name);
    return kind == rows->column[i].kind ? 0 : kinds_refuse(rows, i, &rows->column[i]);
}

static int say_kinds(Rows *rows, const RowsOptions *options, Layout *layout, bool *chosen)
{
    static const char *const names[ROWS_KINDS] = {"--number", "--category", "--code", "--boolean", "--time", NULL};
    size_t n = rows->table.columns;
    int status = 0;
    for (int kind = 0; kind < ROWS_KINDS && !status; kind++) {
        memset(chosen, 0, n);
        status = columns_choose(&rows->table, options->kind[kind], names[kind], chosen);
        for (size_t i = 0; i < n && !status; i++) {
            if (!chosen[i])
                continue;
            if (layout->given[i] && !options->schema)
                status = said_before(rows, options, i, (AnbColumnKind)kind);
            if (status)
                return status;
            rows->column[i].kind = (AnbColumnKind)kind;
            layout->given[i] = true;
        }
    }
    return status;
}

/* The text of a file of a schema: line ends are blanks, lines that begin with # are comments. The caller's to free. */
static char *schema_text(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *text = file ? calloc(1, SCHEMA_FILE + 1) : NULL;
    size_t n = text ? fread(text, 1, SCHEMA_FILE, file) : 0;
    bool failed = !text || ferror(file) || n == SCHEMA_FILE || strlen(text) != n;
    if (file && file != stdin)
        fclose(file);
    if (failed) {
        complain(BAD_USE, "--schema %s: cannot be read as text", path);
        free(text);
        return NULL;
    }
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (*line == '#')
            memset(line, ' ', end ? (size_t)(end - line) : strlen(line));
        if (end)
            *end = ' ';
        line = end ? end + 1 : NULL;
    }
    return text;
}

static AnbSchema *schema_file(const char *path)
{
    AnbError error = {0};
    char *text = schema_text(path);
    AnbSchema *schema = text ? anb_schema_parse(text, NULL, &error) : NULL;
    if (text && !schema)
        complain(BAD_USE, "--schema %s: %s", path, error.message);
    free(text);
    return schema;
}

/* Takes the kind of one of the schema's columns; an ignored one need not exist in the file. */
static int take_column(Rows *rows, const AnbColumn *column, bool *read)
{
    size_t at;
    if (column->kind == ANB_COLUMN_IGNORED)
        return 0;
    int status = columns_find(&rows->table, column->name, "the schema's column", &at);
    if (status)
        return status;
    if (read[at])
        return complain(BAD_USE, "the schema names column %zu, \"%.60s\", twice", at + 1, rows->table.names[at]);
    rows->column[at].kind = column->kind;
    rows->column[at].order = column->order;
    read[at] = true;
    return 0;
}

/* Every column of the file has to be there; those that it does not name are left out. */
static int take_schema(Rows *rows, const char *path, Layout *layout)
{
    AnbSchema *schema = schema_file(path);
    bool *read = calloc(rows->table.columns, sizeof *read);
    int status = !schema ? BAD_USE : read ? 0 : complain(BAD_DATA, "out of memory");
    for (size_t j = 0; !status && j < anb_schema_size(schema); j++)
        status = take_column(rows, &anb_schema_columns(schema)[j], read);
    for (size_t i = 0; i < rows->table.columns && !status; i++) {
        layout->given[i] = true;
        layout->unnamed[i] = !read[i] && !layout->ignored[i];
        layout->ignored[i] |= !read[i];
    }
    free(read);
    anb_schema_drop(schema);
    return status;
}

/* Takes the kinds of a model's columns; also the order of dates, unless an option sets it. */
static void take_known(Rows *rows, const RowsOptions *options, Layout *layout)
{
    const AnbSchema *known = options->known;
    for (size_t i = 0; i < rows->table.columns; i++) {
        ptrdiff_t at = anb_schema_find(known, rows->table.names[i], strlen(rows->table.names[i]));
        if (at < 0)
            continue;
        rows->column[i].kind = anb_schema_columns(known)[at].kind;
        if (!options->date_order)
            rows->column[i].order = anb_schema_columns(known)[at].order;
        layout->given[i] = true;
    }
}

static int date_order(const char *word, AnbTimeOrder *order)
{
    static const char *const words[] = {"ymd", "dmy", "mdy"};
    for (int i = 0; i < TIME_ORDERS; i++)
        if (strcmp(word, words[i]) == 0) {
            *order = (AnbTimeOrder)i;
            return 0;
        }
    return complain(BAD_USE, "--date-order takes ymd, dmy or mdy, not \"%s\"", word);
}

int kinds_given(Rows *rows, const RowsOptions *options, Layout *layout)
{
    AnbTimeOrder order = ANB_TIME_YMD;
    bool *chosen = malloc(rows->table.columns);
    int status = chosen ? 0 : complain(BAD_DATA, "out of memory");
    if (!status && options->date_order)
        status = date_order(options->date_order, &order);
    for (size_t i = 0; i < rows->table.columns; i++)
        rows->column[i].order = order;
    if (!status && options->known)
        take_known(rows, options, layout);
    if (!status && options->schema)
        status = take_schema(rows, options->schema, layout);
    status = status ? status : say_kinds(rows, options, layout, chosen);
    free(chosen);
    return status;
}

/* ---- guessed ----------------------------------------------------------------------------------------------------- */

/* The options that would make the column's cells numbers; else those for the first cell that is none. */
static const char *remedy(const Guess *guess, char *out)
{
    char options[REMEDY_OPTIONS];
    if (guess_marks(guess, options)) {
        snprintf(out, REMEDY_SIZE, " (with %s it is one)", options);
        return out;
    }
    return remedy_of(ANB_COLUMN_NUMBER, &(Cell){(char *)guess->text, strlen(guess->text)}, guess_failing(guess), out);
}

/* Numbers in another format are not taken for categories: an option has to decide. */
static int refuse_foreign(const Rows *rows, size_t i, const Guess *guess)
{
    char word[64], cure[REMEDY_SIZE];
    return complain(BAD_DATA,
                    "%s:%llu: column %zu, \"%s\": \"%s\" is not a number%s; --category %s says that the column is one "
                    "of names",
                    rows->table.name, (unsigned long long)guess->line, i + 1, rows->table.names[i], guess->text,
                    remedy(guess, cure), columns_word(&rows->table, i, word));
}

static int refuse_role(const Rows *rows, size_t i, const Guess *guess, int role)
{
    static const char *const needs[ROLES] = {
        [ROLE_TARGET] = "the target has to be one; -t says which column it is",
        [ROLE_WEIGHT] = "a weight has to be one",
        [ROLE_AFTER] = "--label-after takes a count of rows or a time (--time COLUMN says that it is one)",
        [ROLE_CURSOR] = "a cursor has to be one"};
    char cure[REMEDY_SIZE];
    remedy(guess, cure);
    return complain(BAD_DATA, "%s:%llu: column %zu, \"%s\": \"%s\" is not a number%s, and %s%s", rows->table.name,
                    (unsigned long long)guess->line, i + 1, rows->table.names[i], guess->text, cure, needs[role],
                    *cure ? "" : table_skip_hint(&rows->table, NULL, guess->line));
}

static int guess_column(Rows *rows, const Layout *layout, size_t i)
{
    const Guess *guess = &layout->guess[i];
    if (layout->given[i] || layout->ignored[i])
        return 0;
    if (guess->foreign > 0 && guess->foreign + guess->numbers == guess->cells)
        return refuse_foreign(rows, i, guess);
    guess_kind(guess, &rows->column[i]);
    if (layout->role[i] >= 0 && guess->numbers == guess->cells)
        rows->column[i].kind = ANB_COLUMN_NUMBER;
    AnbColumnKind kind = rows->column[i].kind;
    bool fine = kind == ANB_COLUMN_NUMBER || kind == ANB_COLUMN_BOOLEAN ||
                (kind == ANB_COLUMN_TIME && layout->role[i] == ROLE_AFTER);
    return layout->role[i] >= 0 && !fine ? refuse_role(rows, i, guess, layout->role[i]) : 0;
}

int kinds_of_after(Rows *rows, const Layout *layout)
{
    for (size_t i = 0; i < rows->table.columns; i++)
        if (layout->role[i] == ROLE_AFTER)
            return guess_column(rows, layout, i);
    return 0;
}

/* A column of unknown kind becomes a code, which takes numbers and texts. In a table of numbers it becomes a number,
 * unless words mark missing cells. */
static void settle_unknown(Rows *rows, const Layout *layout)
{
    bool typed = false;
    for (size_t i = 0; i < rows->table.columns; i++)
        typed |= !layout->ignored[i] && layout->role[i] < 0 && rows->column[i].kind != ANB_COLUMN_NUMBER &&
                 rows->column[i].kind != ANB_COLUMN_BOOLEAN;
    for (size_t i = 0; i < rows->table.columns; i++)
        if (!layout->given[i] && !layout->ignored[i] && layout->role[i] < 0 && guess_unknown(&layout->guess[i]) &&
            (typed || layout->guess[i].words > 0))
            rows->column[i].kind = ANB_COLUMN_CODE;
}

int kinds_guessed(Rows *rows, const RowsOptions *options, Layout *layout)
{
    if (!options->cells.decimal && rows->table.csv.dialect.delimiter == ';' &&
        guess_decimal_comma(&rows->table, layout->guess)) {
        rows->cells.decimal = ',';
        cell_format_ready(&rows->cells);
        memset(layout->guess, 0, rows->table.columns * sizeof *layout->guess);
        int status = guess_columns(&rows->table, &rows->cells, ROWS_GUESSED, layout->guess);
        if (status)
            return status;
    }
    for (size_t i = 0; i < rows->table.columns; i++) {
        int status = guess_column(rows, layout, i);
        if (status)
            return status;
    }
    settle_unknown(rows, layout);
    return 0;
}

/* ---- put together ------------------------------------------------------------------------------------------------ */

/* The usual words and the caller's, as anb_schema_new takes them; the caller's to free. */
static char *missing_words(const CellFormat *format)
{
    static const char usual[] = "na|n/a|#n/a|<na>|nan|null|none|?|-";
    size_t size = sizeof usual + 1 + (format->missing ? strlen(format->missing) : 0);
    char *words = malloc(size);
    if (!words)
        return NULL;
    snprintf(words, size, "%s%s%s", usual, format->missing ? "|" : "", format->missing ? format->missing : "");
    for (char *p = words + sizeof usual - 1; *p; p++)
        *p = *p == ',' ? '|' : *p;
    return words;
}

static AnbSchema *make(const Rows *rows, const AnbColumn *column, size_t n)
{
    AnbError error = {0};
    AnbSchemaOptions how = anb_schema_defaults();
    char *words = missing_words(&rows->cells);
    how.missing = words;
    how.decimal = rows->cells.decimal;
    AnbSchema *schema = words ? anb_schema_new(column, n, &how, &error) : NULL;
    if (!schema)
        complain(BAD_DATA, "%s: %s", rows->table.name, words ? error.message : "out of memory");
    free(words);
    return schema;
}

int kinds_schemas(Rows *rows, const RowsOptions *options)
{
    AnbColumn *feature = calloc(rows->n_features, sizeof *feature);
    if (!feature)
        return complain(BAD_DATA, "out of memory");
    for (size_t j = 0; j < rows->n_features; j++) {
        feature[j].name = rows->names[j];
        if (options->known && j < anb_schema_size(options->known))
            feature[j] = anb_schema_columns(options->known)[j];
    }
    for (size_t i = 0; i < rows->table.columns; i++) {
        if (rows->place[i] < rows->n_features) {
            feature[rows->place[i]] = rows->column[i];
            feature[rows->place[i]].name = rows->names[rows->place[i]];
        }
        if (rows->place[i] == SIZE_MAX)
            rows->column[i].kind = ANB_COLUMN_IGNORED;
    }
    rows->schema = make(rows, feature, rows->n_features);
    rows->reader = rows->schema ? make(rows, rows->column, rows->table.columns) : NULL;
    free(feature);
    return rows->reader ? 0 : BAD_DATA;
}

/* ---- told -------------------------------------------------------------------------------------------------------- */

/* How many features are of a kind, and their names where they are not many. */
static size_t list_kind(const Rows *rows, AnbColumnKind kind, const char *one, const char *many, char *out, size_t room)
{
    static const char *const order[] = {"", " (day first)", " (month first)"};
    size_t count = 0, size = 0;
    char names[200] = "", number[24];
    for (size_t i = 0; i < rows->table.columns; i++) {
        if (rows->place[i] >= rows->n_features || rows->column[i].kind != kind)
            continue;
        snprintf(number, sizeof number, "#%zu", i + 1);
        if (size < sizeof names - 90)
            size += (size_t)snprintf(names + size, sizeof names - size, "%s%.60s%s", count ? ", " : "",
                                     *rows->table.names[i] ? rows->table.names[i] : number,
                                     kind == ANB_COLUMN_TIME ? order[rows->column[i].order] : "");
        else if (names[size - 1] != '.')
            size += (size_t)snprintf(names + size, sizeof names - size, ", ...");
        count++;
    }
    if (count == 0)
        return 0;
    bool named = kind != ANB_COLUMN_NUMBER;
    return (size_t)snprintf(out, room, "%zu %s%s%s%s; ", count, count > 1 ? many : one, named ? " (" : "",
                            named ? names : "", named ? ")" : "");
}

void kinds_report(const Rows *rows)
{
    static const char *const words[][2] = {{"number", "numbers"},
                                           {"category", "categories"},
                                           {"code", "codes"},
                                           {"boolean", "booleans"},
                                           {"time", "times"}};
    char text[1000], mark[40] = "";
    size_t size = 0;
    char delimiter = rows->table.csv.dialect.delimiter;
    bool plain = !anb_schema_is_typed(rows->schema) && rows->cells.decimal == '.' && (delimiter == ',' || !delimiter) &&
                 !rows->table.no_header;
    if (plain)
        return;
    for (int kind = 0; kind < ANB_COLUMN_IGNORED; kind++)
        size += list_kind(rows, (AnbColumnKind)kind, words[kind][0], words[kind][1], text + size, sizeof text - size);
    if (delimiter && delimiter != ',')
        snprintf(mark, sizeof mark, "; delimiter %s",
                 delimiter == BLANKS ? "blanks"
                 : delimiter == '\t' ? "tab"
                                     : (char[]){'"', delimiter, '"', 0});
    complain(0, "%s: %starget %s%s%s%s", rows->table.name, text,
             rows->names[rows->n_features] ? rows->names[rows->n_features] : "none", mark,
             rows->cells.decimal == ',' ? "; decimal comma" : "", rows->table.no_header ? "; no header" : "");
}
