#include "reading.h"
#include "columns.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const Option reading_table[] = {
    {0, "delimiter", "CHAR",
     "the delimiter between cells: a character, or comma, semicolon, tab, pipe, blanks; default: "
     "guessed"},
    {0, "no-header", NULL, "the first line is a row; columns are called 1, 2, 3, ..."},
    {0, "header", NULL, "the first line is the header even where it holds numbers"},
    {0, "comment", "TEXT", "skip lines that begin with it, e.g. '#'"},
    {0, "skip-lines", "N", "skip N lines before the header"},
    {0, "skip-rows", "N", "skip N rows after the header, e.g. one of units"},
    {0, "decimal", "CHAR", "the decimal mark: . or ,; default: . or guessed where the delimiter is ;"},
    {0, "thousands", "CHAR", "the mark between groups of three digits, e.g. ,"},
    {0, "missing", "A,B", "words that mean a missing cell, besides nothing, na, nan, n/a, #n/a, <na>, null, none",
     true},
    {0, "ignore", "A,B", "columns to leave out; like every column: by name, or by number from 1", true, "drop"},
    {0, "category", "A,B", "columns of names, numbers among them", true},
    {0, "code", "A,B", "columns of numbers that are names and whose size may matter too", true},
    {0, "time", "A,B", "columns of dates or points in time", true},
    {0, "boolean", "A,B", "columns of true and false, yes and no", true},
    {0, "number", "A,B", "columns of numbers, whatever their cells look like", true},
    {0, "date-order", "ORDER", "of dates like 02/10/2012: ymd, dmy or mdy; default: guessed"},
    {0, "schema", "FILE", "the columns' kinds, as --print-schema prints them; others are left out"},
    {0, "print-schema", NULL, "print the columns' kinds and exit"},
    {0, "on-bad-row", "WHAT",
     "stop (the default), skip the row, or missing: take cells that cannot be read for missing"},
    {0, "bad-rows", "FILE", "where bad rows are written: line, problem, cells"},
    {0}};

static int read_delimiter(const char *text, char *delimiter)
{
    static const struct {
        const char *word;
        char c;
    } words[] = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'},    {"\\t", '\t'},
                 {"pipe", '|'},  {"blanks", BLANKS}, {"blank", BLANKS}};
    if (!text)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].word) == 0) {
            *delimiter = words[i].c;
            return 0;
        }
    if (can_delimit(text[0]) && !text[1]) {
        *delimiter = text[0];
        return 0;
    }
    return complain(BAD_USE, "--delimiter takes one character, or comma, semicolon, tab, pipe, blanks, not \"%s\"",
                    text);
}

static int read_marks(const Arguments *a, CellFormat *cells)
{
    const char *decimal = option_value(a, "decimal"), *thousands = option_value(a, "thousands");
    if (decimal && strcmp(decimal, ",") != 0 && strcmp(decimal, ".") != 0)
        return complain(BAD_USE, "--decimal takes . or , not \"%s\"", decimal);
    if (thousands && (strlen(thousands) != 1 || !strchr(",.' _", *thousands)))
        return complain(BAD_USE, "--thousands takes one of , . ' _ and a blank, not \"%s\"", thousands);
    cells->decimal = decimal ? *decimal : 0; /* guessed */
    cells->thousands = thousands ? *thousands : 0;
    if (cells->thousands && cells->thousands == (decimal ? *decimal : '.'))
        return complain(BAD_USE, "the decimal mark and the one between thousands are the same: \"%c\"; say both",
                        cells->thousands);
    return 0;
}

static int read_bad_rows(const Arguments *a, RowsOptions *options)
{
    static const char *const words[] = {"stop", "skip", "missing"};
    const char *what = option_value(a, "on-bad-row");
    options->bad_rows = option_value(a, "bad-rows");
    for (int i = 0; what && i < 3; i++)
        if (strcmp(what, words[i]) == 0) {
            options->on_bad = (OnBadRow)i;
            return 0;
        }
    if (what)
        return complain(BAD_USE, "--on-bad-row takes stop, skip or missing, not \"%s\"", what);
    options->on_bad = options->bad_rows ? SKIP_BAD : STOP_AT_BAD;
    return 0;
}

int reading_options(const Arguments *a, RowsOptions *options)
{
    TableOptions *table = &options->table;
    table->no_header = option_value(a, "no-header") != NULL;
    table->header = option_value(a, "header") != NULL;
    table->dialect.comment = option_value(a, "comment");
    options->cells.missing = option_value(a, "missing");
    options->ignore = option_value(a, "ignore");
    options->schema = option_value(a, "schema");
    options->quiet = option_value(a, "print-schema") != NULL;
    options->date_order = option_value(a, "date-order");
    options->kind[ANB_COLUMN_NUMBER] = option_value(a, "number");
    options->kind[ANB_COLUMN_CATEGORY] = option_value(a, "category");
    options->kind[ANB_COLUMN_CODE] = option_value(a, "code");
    options->kind[ANB_COLUMN_BOOLEAN] = option_value(a, "boolean");
    options->kind[ANB_COLUMN_TIME] = option_value(a, "time");
    if (table->no_header && table->header)
        return complain(BAD_USE, "--header and --no-header exclude each other");
    if (table->dialect.comment && !*table->dialect.comment)
        return complain(BAD_USE, "--comment \"\" would skip every line");
    int status = read_delimiter(option_value(a, "delimiter"), &table->dialect.delimiter);
    status = status ? status : read_marks(a, &options->cells);
    status = status ? status : read_bad_rows(a, options);
    status = status ? status
                    : count_option("skip-lines", option_value(a, "skip-lines"), 0, UINT64_MAX / 2,
                                   &table->dialect.skip_lines);
    return status ? status
                  : count_option("skip-rows", option_value(a, "skip-rows"), 0, UINT64_MAX / 2, &table->skip_rows);
}

/* Names as --schema finds them: by number where a name is not the only one. */
int reading_print_schema(const Rows *rows)
{
    enum { NUMBER = 24 };
    AnbError error = {0};
    size_t n = rows->table.columns;
    AnbColumn *column = calloc(n, sizeof *column);
    char(*number)[NUMBER] = calloc(n, NUMBER);
    for (size_t i = 0; column && number && i < n; i++) {
        column[i] = rows->column[i];
        snprintf(number[i], NUMBER, "#%zu", i + 1);
        column[i].name = columns_distinct(&rows->table, i) ? column[i].name : number[i];
    }
    AnbSchema *schema = column && number ? anb_schema_new(column, n, NULL, &error) : NULL;
    if (schema)
        puts(anb_schema_text(schema));
    free(number);
    free(column);
    anb_schema_drop(schema);
    return schema ? 0
                  : complain(BAD_DATA, "%s: %s", rows->table.name, *error.message ? error.message : "out of memory");
}

void reading_help(void)
{
    printf(
        "\nFILE is CSV or JSON Lines, plain, gzip or zstd; - is standard input. The delimiter (comma, semicolon, tab, "
        "| "
        "or\n"
        "blanks) is guessed from the first two lines; UTF-16 is read where it has a byte order mark. What a column "
        "holds "
        "is\n"
        "guessed from the first 100 rows: numbers, codes (whole numbers in a column called id, code or the like), "
        "times, "
        "true\n"
        "and false, else categories; from a pipe whose first row is all numbers, from that row. A row with inf or, in "
        "CSV,\n"
        "1e400 is rejected and counted; a row without target is predicted only.\n");
}

int reading_nothing(int status, const Rows *rows, const Arguments *a, const char *so)
{
    const char *limit = option_value(a, "limit"), *skip = option_value(a, "skip-rows");
    const char *name = rows->table.name;
    if (rows->left_out > 0)
        return complain(status, "%s: none of %llu rows can be read (--bad-rows FILE says why of each)%s", name,
                        (unsigned long long)rows->left_out, so);
    if (limit)
        return complain(status, "%s: --limit %s reads no row%s", name, limit, so);
    if (skip)
        return complain(status, "%s: there are no rows behind those that --skip-rows %s leaves out%s", name, skip, so);
    return complain(status, "%s: there are no rows below the header%s", name, so);
}

void reading_summary(const Rows *rows)
{
    unsigned long long bad = rows->bad, left_out = rows->left_out;
    const char *plural = bad > 1 ? "s" : "";
    if (bad > left_out && left_out > 0)
        fprintf(stderr, "anabranch: %s: %llu bad rows: %llu read with missing cells, %llu skipped\n", rows->table.name,
                bad, bad - left_out, left_out);
    else if (bad > 0)
        fprintf(stderr, "anabranch: %s: %llu bad row%s %s\n", rows->table.name, bad, plural,
                left_out ? "skipped" : "read with missing cells");
}
