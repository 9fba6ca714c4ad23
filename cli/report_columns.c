/* Importances of the columns, over time and now; effects of the categories. */
#include "report_run.h"
#include "show.h"
#include <anabranch/number.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE = 60, CATEGORIES = 12, COLUMNS = 64 };

/* ---- importance -------------------------------------------------------------------------------------------------- */

static double importance(const Record *record, size_t j)
{
    return fmax(0, record_number(record, "feature_importance", j));
}

/* The columns by their importance in the last record, the largest first. */
static void sort_columns(const Run *run, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && importance(&run->records.last, order[at - 1]) < importance(&run->records.last, i); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* The share of what errors would grow by without each column. */
static Series share_over_time(Run *run, const size_t *order, size_t n, size_t rank)
{
    Series s = {.name = report_column(run, order[rank]), .y = run->x, .colour = (int)rank, .percent = true};
    snprintf(s.key, sizeof s.key, "importance_share.%zu", order[rank]);
    double *y = report_data(run, s.key, run->records.n);
    for (size_t i = 0; y && i < run->records.n; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += importance(&run->records.point[i], j);
        y[i] = sum > 0 ? importance(&run->records.point[i], order[rank]) / sum : 0;
    }
    s.y = y ? y : s.y;
    s.last = y ? y[run->records.n - 1] : s.last;
    return s;
}

static void put_chart(Run *run, const size_t *order, size_t n)
{
    Series s[REPORT_COLUMNS];
    size_t shown = n < REPORT_COLUMNS ? n : REPORT_COLUMNS;
    for (size_t i = 0; i < shown; i++)
        s[i] = share_over_time(run, order, n, i);
    Chart c =
        report_chart(run, "Importance over time",
                     "How much the squared error would grow without a column, as shares of the sum. Faded, measured "
                     "while the model learned.",
                     0, 1);
    chart_areas(&c, s, shown);
}

/* NaN where the run does not tell. */
static double missing_share(const Run *run, size_t j)
{
    for (size_t i = 0; i < 24; i++) {
        const char *name = report_text(run, "summary.missing.columns.%zu.column", i);
        if (!name)
            break;
        if (strcmp(name, report_column(run, j)) == 0)
            return report_number(run, 0, "summary.missing.columns.%zu.cells", i) /
                   report_number(run, 0, "summary.missing.rows");
    }
    return report_number(run, 0, "summary.missing.rows") >= 0 ? 0 : NAN;
}

/* By how much the faded rmse would rise if the squared error were larger by `more`. */
static double rise(const Run *run, double more)
{
    double rmse = record_number(&run->records.last, "rmse", 0);
    return sqrt(rmse * rmse + fmax(0, more)) - rmse;
}

/* A column's part of what all take off the error; the exact value stands beside it for scripts. */
static void put_sage(Run *run, size_t j, double sum)
{
    char exact[ANB_NUMBER_SIZE] = "";
    double value = record_number(&run->records.last, "feature_sage", j);
    if (value == value)
        anb_number_format(value, exact);
    fprintf(run->out, "<td data-m=\"feature_sage.%zu\" data-v=\"%s\">%.1f %%</td>", j, exact, 100 * value / sum);
}

typedef struct Whole {
    double most, sage; /* the largest importance; the sum of SAGE */
} Whole;

static void put_row(Run *run, size_t j, size_t colour, const Whole *whole)
{
    double changed = record_number(&run->records.last, "feature_changed", j);
    char text[SHOW_SIZE];
    fprintf(run->out, "<tr><td><i class=\"c%zu\"></i>", colour % CHART_COLOURS);
    put_html(run->out, report_column(run, j));
    fprintf(run->out, "</td><td class=\"barred\">");
    report_bar(run->out, importance(&run->records.last, j), whole->most, true);
    fprintf(run->out, "</td>");
    report_value(run, "feature_importance", j, "td", false);
    fprintf(run->out, "<td>+%s</td>", show_number(rise(run, importance(&run->records.last, j)), text));
    put_sage(run, j, whole->sage);
    fprintf(run->out, "<td>");
    put_percent(run->out, missing_share(run, j));
    fprintf(run->out, "</td><td>%s%s</td></tr>\n", changed >= 0 ? show_count((uint64_t)changed, text) : "never",
            changed >= 0 ? " samples ago" : "");
}

static void put_table(Run *run, const size_t *order, size_t n)
{
    Whole whole = {.most = importance(&run->records.last, order[0])};
    for (size_t j = 0; j < n; j++)
        whole.sage += record_number(&run->records.last, "feature_sage", j);
    fprintf(
        run->out,
        "<div class=\"card\"><h3>Column by column</h3><p class=\"lead\">Importance: what the squared error would grow "
        "by if the column told "
        "nothing, and the rmse with it. SAGE: the column's part of what all columns together take off the error; a few "
        "per "
        "cent of it are noise. The two differ where columns say the same. Neither is a cause.</p><div class=\"scroll\" "
        "tabindex=\"0\"><table><thead><tr><th>column</th><th></th><th>importance</th><th>rmse</th><th>SAGE</"
        "th><th>missing</th>"
        "<th>last shift of its values</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n && i < TABLE; i++)
        put_row(run, order[i], i, &whole);
    fprintf(run->out, "</tbody></table></div></div>\n");
}

static void put_importances(Run *run)
{
    size_t n = record_size(&run->records.last, "feature_importance");
    size_t *order = n > 0 ? malloc(n * sizeof *order) : NULL;
    if (!order) {
        fprintf(run->out, "<p class=\"lead\">How much each column matters was not measured: "
                          "<code>eval --diag FILE --importance 10</code> does it in every tenth row.</p>\n");
        return;
    }
    sort_columns(run, order, n);
    put_chart(run, order, n);
    put_table(run, order, n);
    free(order);
}

/* ---- categories -------------------------------------------------------------------------------------------------- */

static double number_of(const Run *run, size_t column, size_t i, const char *what)
{
    return report_number(run, 0, "summary.categories.%zu.top.%zu.%s", column, i, what);
}

static void put_category(Run *run, size_t c, size_t i, double most)
{
    char text[3][SHOW_SIZE];
    double effect = number_of(run, c, i, "effect");
    fprintf(run->out, "<div class=\"bar-row\"><span>");
    put_html(run->out, report_text(run, "summary.categories.%zu.top.%zu.name", c, i));
    fprintf(run->out, "</span>");
    report_bar(run->out, effect, most, false);
    fprintf(run->out, "<b>%s</b><b>%s</b><b>%s</b></div>\n", show_number(effect, text[0]),
            show_number(number_of(run, c, i, "mean"), text[1]),
            show_count((uint64_t)number_of(run, c, i, "weight"), text[2]));
}

static void put_categories_of(Run *run, size_t c)
{
    double most = 0;
    size_t n = 0;
    for (; n < CATEGORIES && report_text(run, "summary.categories.%zu.top.%zu.name", c, n); n++)
        most = fmax(most, fabs(number_of(run, c, n, "effect")));
    fprintf(run->out, "<div class=\"card four\"><h3>");
    put_html(run->out, report_text(run, "summary.categories.%zu.column", c));
    fprintf(run->out,
            "%s</h3><div class=\"bar-row head\"><span></span><span>effect</span><b></b><b>mean</b>"
            "<b>samples</b></div>\n",
            report_number(run, 0, "summary.categories.%zu.hours", c) == 1 ? ", by the hour of the week" : "");
    for (size_t i = 0; i < n; i++)
        put_category(run, c, i, most);
    fprintf(run->out, "</div>\n");
}

static void put_categories(Run *run)
{
    if (!report_text(run, "summary.categories.0.column"))
        return;
    fprintf(
        run->out,
        "<h2>Categories</h2><p class=\"lead\">The most frequent ones. Effect: what a category adds to the prediction "
        "of a linear model of all columns, in the target's unit. Mean: of its targets.</p>"
        "<div class=\"grid\">\n");
    for (size_t c = 0; c < COLUMNS && report_text(run, "summary.categories.%zu.column", c); c++)
        put_categories_of(run, c);
    fprintf(run->out, "</div>\n");
}

void report_columns(Run *run)
{
    fprintf(run->out, "<h2 id=\"columns\">Columns</h2>\n");
    put_importances(run);
    put_categories(run);
}
