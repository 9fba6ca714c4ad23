/* Reads the cells of a row from a command: numbers or typed cells, in order or by name. */
#include "cells.h"
#include "options.h"
#include "reply.h"
#include "sequence.h"
#include "statistics.h"
#include "text.h"
#include <stdio.h>
#include <string.h>

static int refuse_cell(RedisModuleCtx *ctx, const Cells *cells, const char *why)
{
    anb_statistics.rejected++;
    anb_reply_error(ctx, "row %zu: %s%s", cells->row + 1, why, cells->consequence);
    return -1;
}

static int refuse_number(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString *text)
{
    char why[160];
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    bool option = anb_before_options(&text, 1, true) == 0 || anb_before_options(&text, 1, false) == 0;
    bool numbered = memchr(at, '@', n);
    int end = snprintf(why, sizeof why, "'%.*s' is not a number", (int)(n < 40 ? n : 40), at);
    if (option)
        snprintf(why + end, sizeof why - (size_t)end, ": the model has %zu features, and there are fewer before it",
                 cells->d);
    else if (numbered)
        snprintf(why + end, sizeof why - (size_t)end,
                 ": @source:n stands behind the target of one row or the count of many");
    return refuse_cell(ctx, cells, why);
}

int anb_cells_target(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString *text, double *y, Sequence *sequence)
{
    int code = sequence ? anb_sequence_behind(ctx, text, y, sequence) : !anb_text_number(text, y);
    return code > 0 ? refuse_number(ctx, cells, text) : code;
}

int anb_cell_read(const AnbSchema *schema, size_t column, RedisModuleString *text, double *value, AnbError *error)
{
    AnbCell cell = {NULL, 0};
    AnbColumnKind kind = anb_schema_columns(schema)[column].kind;
    if (text)
        cell.text = RedisModule_StringPtrLen(text, &cell.size);
    if (kind != ANB_COLUMN_CATEGORY && kind != ANB_COLUMN_CODE && cell.text && anb_text_missing(cell.text, cell.size))
        cell = (AnbCell){NULL, 0};
    return anb_schema_cell(schema, column, cell, value, error);
}

static int typed_cell(RedisModuleCtx *ctx, const Cells *cells, size_t column, RedisModuleString *text, double *value)
{
    AnbError error = {0};
    int code = anb_cell_read(cells->schema, column, text, value, &error);
    return code ? refuse_cell(ctx, cells, error.message) : 0;
}

static int in_order(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString **argv, double *x)
{
    for (size_t j = 0; j < cells->d; j++) {
        if (cells->schema && typed_cell(ctx, cells, j, argv[j], &x[j]))
            return -1;
        if (!cells->schema && !anb_text_number(argv[j], &x[j]))
            return refuse_number(ctx, cells, argv[j]);
    }
    return (int)cells->d;
}

/* ---- by name ----------------------------------------------------------------------------------------------------- */

static int refuse_name(RedisModuleCtx *ctx, const Cells *cells, const char *name, size_t n, const char *what)
{
    char why[120];
    snprintf(why, sizeof why, "%s '%.*s'", what, (int)(n < 60 ? n : 60), name);
    return refuse_cell(ctx, cells, why);
}

static int read_by_name(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString **pairs, size_t n, double *x)
{
    for (size_t j = 0; j < cells->d; j++)
        if (typed_cell(ctx, cells, j, NULL, &x[j]))
            return -1;
    for (size_t i = 0; i < n; i++) {
        size_t size;
        const char *name = RedisModule_StringPtrLen(pairs[2 * i], &size);
        ptrdiff_t column = anb_schema_find(cells->schema, name, size);
        if (column < 0)
            return refuse_name(ctx, cells, name, size, "the model has no column");
        if (typed_cell(ctx, cells, (size_t)column, pairs[2 * i + 1], &x[column]))
            return -1;
    }
    return 0;
}

static bool names_twice(RedisModuleString **pairs, size_t n, size_t *which)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            size_t a, b;
            const char *one = RedisModule_StringPtrLen(pairs[2 * i], &a);
            const char *other = RedisModule_StringPtrLen(pairs[2 * j], &b);
            *which = i;
            if (a == b && memcmp(one, other, a) == 0)
                return true;
        }
    return false;
}

/* FIELDS n name value ..: the columns that are not named are missing. */
static int fields(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString **argv, int argc, double *x)
{
    double count;
    size_t twice, size;
    if (!cells->schema)
        return refuse_cell(ctx, cells, "FIELDS needs the names of the columns, and this model has none");
    if (!anb_text_number(argv[1], &count) || !(count >= 0 && count <= (double)cells->d) ||
        count != (double)(size_t)count || 2 + 2 * (size_t)count > (size_t)argc)
        return refuse_cell(ctx, cells, "FIELDS n is followed by n names and values, n at most the model's columns");
    if (names_twice(argv + 2, (size_t)count, &twice)) {
        const char *name = RedisModule_StringPtrLen(argv[2 + 2 * twice], &size);
        return refuse_name(ctx, cells, name, size, "named twice: the column");
    }
    return read_by_name(ctx, cells, argv + 2, (size_t)count, x) ? -1 : 2 + 2 * (int)count;
}

int anb_cells_read(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString **argv, int argc, double *x)
{
    if (argc >= 2 && anb_text_is(argv[0], "FIELDS") && (cells->schema || (size_t)argc != cells->d))
        return fields(ctx, cells, argv, argc, x);
    return (size_t)argc < cells->d ? anb_cells_width(ctx, cells, (size_t)argc) : in_order(ctx, cells, argv, x);
}

int anb_cells_width(RedisModuleCtx *ctx, const Cells *cells, size_t given)
{
    anb_statistics.rejected++;
    anb_reply_error(ctx, "the model has %zu features, the row %zu%s", cells->d, given, cells->consequence);
    return -1;
}
