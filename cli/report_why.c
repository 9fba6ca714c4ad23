/* The last rows, and what each column adds to their predictions. */
#include "report_run.h"
#include "show.h"
#include <math.h>

enum { ROWS = 8, OPEN = 4, COLUMNS = 12 };

static double adds(const Run *run, size_t row, size_t i)
{
    return report_number(run, 0, "summary.lately.%zu.columns.%zu.adds", row, i);
}

static void put_bar(Run *run, const char *name, const char *cell, double value, double most)
{
    char text[SHOW_SIZE];
    fprintf(run->out, "<div class=\"bar-row\"><span title=\"");
    put_html(run->out, name);
    fprintf(run->out, " ");
    put_html(run->out, cell ? cell : "");
    fprintf(run->out, "\">");
    put_html(run->out, name);
    if (cell) {
        fprintf(run->out, " <em>");
        put_html(run->out, cell);
        fprintf(run->out, "</em>");
    }
    fprintf(run->out, "</span>");
    report_bar(run->out, value, most, false);
    fprintf(run->out, "<b>%s%s</b></div>\n", value > 0 ? "+" : "", show_number(value, text));
}

static void put_bars(Run *run, size_t row)
{
    double rest = report_number(run, 0, "summary.lately.%zu.rest", row);
    double now = report_number(run, 0, "summary.lately.%zu.now", row), most = fabs(rest);
    size_t n = 0;
    for (; n < COLUMNS && report_text(run, "summary.lately.%zu.columns.%zu.name", row, n); n++)
        most = fmax(most, fabs(adds(run, row, n)));
    for (size_t i = 0; i < n; i++)
        put_bar(run, report_text(run, "summary.lately.%zu.columns.%zu.name", row, i),
                report_text(run, "summary.lately.%zu.columns.%zu.cell", row, i), adds(run, row, i), most);
    if (fabs(rest) > 1e-9 * fabs(now))
        put_bar(run, "all other columns", NULL, rest, most);
}

static void put_row(Run *run, size_t row)
{
    char text[6][SHOW_SIZE];
    double low = report_number(run, 0, "summary.lately.%zu.low", row);
    double high = report_number(run, 0, "summary.lately.%zu.high", row);
    fprintf(run->out, "<div class=\"card why\"><h3>Row %s</h3><p>Predicted %s",
            show_count((uint64_t)report_number(run, 0, "summary.lately.%zu.row", row), text[0]),
            show_number(report_number(run, 0, "summary.lately.%zu.prediction", row), text[1]));
    if (low == low && high == high)
        fprintf(run->out, " (%s to %s)", show_number(low, text[2]), show_number(high, text[3]));
    fprintf(run->out, "; it was %s.</p>\n",
            show_number(report_number(run, 0, "summary.lately.%zu.target", row), text[4]));
    put_bars(run, row);
    fprintf(run->out,
            "<div class=\"bar-row total\"><span>mean prediction %s, with all columns</span><b>%s</b></div></div>\n",
            show_number(report_number(run, 0, "summary.lately.%zu.base", row), text[5]),
            show_number(report_number(run, 0, "summary.lately.%zu.now", row), text[1]));
}

static void put_rows(Run *run, size_t from, size_t to)
{
    fprintf(run->out, "<div class=\"grid\">\n");
    for (size_t i = from; i < to; i++)
        put_row(run, i);
    fprintf(run->out, "</div>\n");
}

void report_why(Run *run)
{
    size_t n = 0;
    while (n < ROWS && report_text(run, "summary.lately.%zu.columns.0.name", n))
        n++;
    if (n == 0)
        return;
    fprintf(run->out, "<h2 id=\"why\">Why the last rows are predicted so</h2><p class=\"lead\">What each column adds "
                      "to the prediction against "
                      "rows of the stream (Shapley values), by the model as it stands at the end. Of columns that move "
                      "together the bars "
                      "show which one the model uses, not which one matters.</p>\n");
    put_rows(run, 0, n < OPEN ? n : OPEN);
    if (n <= OPEN)
        return;
    fprintf(run->out, "<details><summary>%zu more rows</summary>\n", n - OPEN);
    put_rows(run, OPEN, n);
    fprintf(run->out, "</details>\n");
}
