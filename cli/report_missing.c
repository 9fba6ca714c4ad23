/* Which cells were missing where, and which rows were not learned. */
#include "report_run.h"
#include "show.h"
#include <math.h>

enum { COLUMNS = 24, ROWS = 24 };

static double of_column(const Run *run, size_t i, const char *what)
{
    return report_number(run, 0, "summary.missing.columns.%zu.%s", i, what);
}

/* A row's share of missing cells in each stretch of the run. */
static Series parts_of(Run *run, size_t column, size_t n, double width, double rows)
{
    char key[80];
    Series s = {.name = report_text(run, "summary.missing.columns.%zu.column", column), .y = run->x, .percent = true};
    snprintf(key, sizeof key, "summary.missing.columns.%zu.parts", column);
    snprintf(s.key, sizeof s.key, "missing.%zu", column);
    double *y = report_data(run, s.key, n);
    for (size_t i = 0; y && i < n; i++)
        y[i] = record_number(&run->records.summary, key, i) / fmin(width, rows - (double)i * width);
    s.y = y ? y : s.y;
    return s;
}

static void put_chart(Run *run, size_t columns)
{
    size_t n = record_size(&run->records.summary, "summary.missing.columns.0.parts");
    double width = report_number(run, 0, "summary.missing.width"), rows = report_number(run, 0, "summary.missing.rows");
    double *x = report_data(run, "missing.x", n);
    Series s[COLUMNS];
    if (!x || n < 2)
        return;
    for (size_t i = 0; i < n; i++)
        x[i] = 1 + (double)i * width;
    for (size_t i = 0; i < columns; i++)
        s[i] = parts_of(run, i, n, width, rows);
    Chart c = report_chart(run, "Where cells were missing",
                           "The stronger the colour, the larger the share of rows that lacked the cell.", 0, 1);
    c.n = n;
    c.x = x;
    c.x_key = "missing.x";
    c.x_name = "rows";
    c.n_marks = 0;
    chart_rows(&c, s, columns);
}

static void put_table(Run *run, size_t columns)
{
    char text[3][SHOW_SIZE];
    fprintf(
        run->out,
        "<div class=\"card\"><h3>Missing cells by column</h3><div class=\"scroll\" "
        "tabindex=\"0\"><table><thead><tr><th>column</th>"
        "<th>missing cells</th><th>of the rows</th><th>first in row</th><th>last in row</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < columns; i++) {
        double cells = of_column(run, i, "cells");
        fprintf(run->out, "<tr><td>");
        put_html(run->out, report_text(run, "summary.missing.columns.%zu.column", i));
        fprintf(run->out, "</td><td>%s</td><td>", show_count((uint64_t)cells, text[0]));
        put_percent(run->out, cells / report_number(run, 0, "summary.missing.rows"));
        fprintf(run->out, "</td><td>%s</td><td>%s</td></tr>\n",
                show_count((uint64_t)of_column(run, i, "first"), text[1]),
                show_count((uint64_t)of_column(run, i, "last"), text[2]));
    }
    fprintf(run->out, "</tbody></table></div></div>\n");
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Files of 0.11 and before do not say how many were left out where cells were taken for missing. */
static void put_fate(Run *run, double bad)
{
    char text[SHOW_SIZE];
    double left_out = report_number(run, 0, "summary.rejected.left_out");
    bool skipped = left_out == bad || report_number(run, 0, "summary.rejected.skipped") == 1;
    fprintf(run->out, "%s %s", show_count((uint64_t)bad, text),
            skipped ? "were skipped" : "had a cell that was taken for missing");
    if (left_out > 0 && !skipped)
        fprintf(run->out, " or, %s of them, were skipped", show_count((uint64_t)left_out, text));
}

static void put_bad_rows(Run *run, double bad)
{
    char text[SHOW_SIZE];
    fprintf(run->out, "<div class=\"card\"><h3>Rows that could not be read as they stand</h3><p class=\"lead\">");
    put_fate(run, bad);
    fprintf(run->out, "; the first:</p><div class=\"scroll\" tabindex=\"0\"><table class=\"wrap\"><thead><tr><th>line"
                      "</th><th style=\"text-align:left\">what was wrong</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < ROWS; i++) {
        const char *problem = report_text(run, "summary.rejected.rows.%zu.problem", i);
        if (!problem)
            break;
        fprintf(run->out, "<tr><td>%s</td><td>",
                show_count((uint64_t)report_number(run, 0, "summary.rejected.rows.%zu.line", i), text));
        put_html(run->out, problem);
        fprintf(run->out, "</td></tr>\n");
    }
    fprintf(run->out, "</tbody></table></div></div>\n");
}

static void put_refused(Run *run, double refused)
{
    static const char *const why[][2] = {
        {"rejected_features", "an infinite cell, or a missing one that the model does not take"},
        {"rejected_target", "a target that is not finite"},
        {"rejected_weight", "a weight that is negative or not finite"}};
    char text[2][SHOW_SIZE];
    fprintf(run->out, "<p>The model refused %s rows, the first was row %s:</p><ul>",
            show_count((uint64_t)refused, text[0]),
            show_count((uint64_t)report_number(run, 0, "summary.rejected.first_refused"), text[1]));
    for (size_t i = 0; i < sizeof why / sizeof *why; i++) {
        double n = record_number(&run->records.last, why[i][0], 0);
        if (n > 0)
            fprintf(run->out, "<li>%s with %s</li>", show_count((uint64_t)n, text[0]), why[i][1]);
    }
    fprintf(run->out, "</ul>\n");
}

void report_missing(Run *run)
{
    size_t columns = 0;
    double bad = report_number(run, 0, "summary.rejected.bad"),
           refused = report_number(run, 0, "summary.rejected.refused");
    while (columns < COLUMNS && report_text(run, "summary.missing.columns.%zu.column", columns))
        columns++;
    fprintf(run->out, "<h2 id=\"missing\">Missing and rejected</h2>\n");
    if (columns > 0) {
        put_chart(run, columns);
        put_table(run, columns);
    } else
        fprintf(run->out, "<p class=\"lead\">No cell was missing.</p>\n");
    if (bad > 0)
        put_bad_rows(run, bad);
    if (refused > 0)
        put_refused(run, refused);
    if (!(bad > 0) && !(refused > 0))
        fprintf(run->out, "<p class=\"lead\">Every row was read and learned.</p>\n");
}
