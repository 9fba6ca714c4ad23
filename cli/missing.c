#include "missing.h"
#include <anabranch/schema.h>
#include <stdlib.h>

enum { SHOWN = 24 };

bool missing_start(Missing *m, size_t columns)
{
    *m = (Missing){.n = columns < MISSING_COLUMNS ? columns : MISSING_COLUMNS, .width = 1};
    m->column = calloc(m->n + 1, sizeof *m->column);
    return m->column != NULL;
}

/* Two parts become one. */
static void fold(Missing *m)
{
    for (size_t j = 0; j < m->n; j++)
        for (int i = 0; i < MISSING_PARTS; i++) {
            uint32_t *part = m->column[j].part;
            part[i] = 2 * i < MISSING_PARTS ? part[2 * i] + part[2 * i + 1] : 0;
        }
    m->width *= 2;
}

void missing_add(Missing *m, const double *x, uint64_t row)
{
    if (m->rows / m->width == MISSING_PARTS)
        fold(m);
    uint64_t part = m->rows++ / m->width;
    const double none = anb_category(NULL, 0); /* a category that is missing */
    for (size_t j = 0; j < m->n; j++) {
        MissingColumn *column = &m->column[j];
        if (x[j] == x[j] && x[j] != none)
            continue;
        column->first = column->cells++ == 0 ? row : column->first;
        column->last = row;
        column->part[part]++;
    }
}

/* The column that lacks most cells of those that lack fewer than `below`, or as many and stands behind `after`. */
static size_t next_column(const Missing *m, uint64_t below, size_t after)
{
    size_t best = m->n;
    for (size_t j = 0; j < m->n; j++) {
        uint64_t cells = m->column[j].cells;
        bool left = cells < below || (cells == below && j > after);
        if (left && cells > 0 && (best == m->n || cells > m->column[best].cells))
            best = j;
    }
    return best;
}

static void put_column(const Missing *m, Json *json, size_t j, const char *name)
{
    const MissingColumn *column = &m->column[j];
    json_open(json, NULL, '{');
    json_text(json, "column", name);
    json_count(json, "cells", column->cells);
    json_count(json, "first", column->first);
    json_count(json, "last", column->last);
    json_open(json, "parts", '[');
    for (uint64_t i = 0; i < MISSING_PARTS && i * m->width < m->rows; i++)
        json_count(json, NULL, column->part[i]);
    json_close(json, ']');
    json_close(json, '}');
}

void missing_json(const Missing *m, Json *json, const char *const *names)
{
    json_open(json, "missing", '{');
    json_count(json, "rows", m->rows);
    json_count(json, "width", m->width);
    json_open(json, "columns", '[');
    size_t j = next_column(m, UINT64_MAX, 0);
    for (int shown = 0; j < m->n && shown < SHOWN; shown++) {
        char number[24];
        snprintf(number, sizeof number, "x%zu", j + 1);
        put_column(m, json, j, names ? names[j] : number);
        j = next_column(m, m->column[j].cells, j);
    }
    json_close(json, ']');
    json_close(json, '}');
}

void missing_end(Missing *m)
{
    free(m->column);
    *m = (Missing){0};
}
