/* The errors: the last predictions beside their targets, the distribution of the errors, the calibration of the
 * intervals. */
#include "report_run.h"
#include "show.h"
#include <anabranch/interval.h>
#include <math.h>

/* ---- the last predictions ---------------------------------------------------------------------------------------- */

static Series tail_series(Run *run, const char *name, const char *key, const char *metric, size_t index, int colour)
{
    Series s = {.name = name, .colour = colour, .y = run->x, .last = record_number(&run->records.last, metric, index)};
    double *y = report_data(run, key, run->records.n_tail);
    snprintf(s.key, sizeof s.key, "%s", key);
    for (size_t i = 0; y && i < run->records.n_tail; i++)
        y[i] = record_number(&run->records.tail[i], metric, index);
    s.y = y ? y : s.y;
    return s;
}

static void put_tail(Run *run)
{
    double level = report_number(run, 0, "summary.level"), coverage;
    size_t at = level >= 0 ? (size_t)level : 0, n = 0;
    char note[200];
    Series x = tail_series(run, "", "tail.x", "samples", 0, 0), s[4];
    coverage = report_number(run, at, "summary.levels");
    bool bounded = coverage == coverage && record_size(&run->records.last, "interval_low") > at;
    if (bounded) {
        s[n++] = tail_series(run, "low", "tail.low", "interval_low", at, 0);
        s[n++] = tail_series(run, "high", "tail.high", "interval_high", at, 0);
        s[0].faint = s[1].faint = true;
    }
    s[n++] = tail_series(run, "prediction", "tail.prediction", "prediction", 0, 0);
    s[n++] = tail_series(run, "truth", "tail.target", "target", 0, 1);
    int size = snprintf(note, sizeof note, "The last %zu records. ", run->records.n_tail);
    if (bounded)
        snprintf(note + size, sizeof note - (size_t)size, "The band is to hold %g %% of the targets.", 100 * coverage);
    else
        snprintf(note + size, sizeof note - (size_t)size,
                 "A learner interval(...) draws a band that holds most targets.");
    Chart c = report_chart(run, "Predictions against the truth", note, 0, 0);
    c.n = run->records.n_tail;
    c.x = x.y;
    c.x_key = "tail.x";
    c.n_marks = 0;
    chart_forecast(&c, s, n);
}

/* ---- residuals --------------------------------------------------------------------------------------------------- */

static void put_residuals(Run *run)
{
    size_t n = record_size(&run->records.summary, "summary.residuals.counts");
    double most = report_number(run, 0, "summary.residuals.most"), total = report_number(run, 0, "summary.residuals.n");
    double *x = n > 0 ? report_data(run, "residual.x", n) : NULL, *y = x ? report_data(run, "residual.n", n) : NULL;
    char note[300], text[4][SHOW_SIZE];
    if (!y)
        return;
    for (size_t i = 0; i < n; i++) {
        x[i] = most * ((2 * (double)i + 1) / (double)n - 1);
        y[i] = report_number(run, i, "summary.residuals.counts") / total;
    }
    snprintf(note, sizeof note,
             "Target less prediction; 99 %% of all are shown. Median %s; half lie between %s and %s.",
             show_number(report_number(run, 2, "summary.residuals.quantiles"), text[1]),
             show_number(report_number(run, 1, "summary.residuals.quantiles"), text[2]),
             show_number(report_number(run, 3, "summary.residuals.quantiles"), text[3]));
    Series s = {.name = "share of the errors in the bar at 0", .y = y, .colour = 0, .percent = true, .last = y[n / 2]};
    snprintf(s.key, sizeof s.key, "residual.n");
    Chart c = report_chart(run, "How the errors are distributed", note, 0, 0);
    c.n = n;
    c.x = x;
    c.x_key = "residual.x";
    c.x_name = "error";
    double zero = 0;
    c.marks = &zero;
    c.n_marks = 1;
    chart_histogram(&c, &s);
}

/* ---- calibration ------------------------------------------------------------------------------------------------- */

static void put_level(Run *run, size_t i, double asked)
{
    double off = record_number(&run->records.last, "interval_coverage_overall", i) - asked;
    off = fabs(off) < .0005 ? 0 : off; /* no -0.0 */
    fprintf(run->out, "<tr><td>%g %%</td>", 100 * asked);
    report_value(run, "interval_coverage_overall", i, "td", true);
    fprintf(run->out, "<td class=\"%s\">%+.1f</td>", fabs(off) <= .02 ? "good" : "bad", 100 * off);
    report_value(run, "interval_coverage", i, "td", true);
    report_value(run, "interval_width", i, "td", false);
    fprintf(run->out, "</tr>\n");
}

static void put_calibration(Run *run)
{
    size_t n = record_size(&run->records.last, "interval_coverage");
    char name[ANB_LEVELS_MAX][24];
    Series s[ANB_LEVELS_MAX];
    double level[ANB_LEVELS_MAX], low = 1;
    if (n == 0 || n > ANB_LEVELS_MAX || record_size(&run->records.summary, "summary.levels") != n)
        return;
    for (size_t i = 0; i < n; i++) {
        level[i] = report_number(run, i, "summary.levels");
        low = fmin(low, level[i]);
        snprintf(name[i], sizeof name[i], "%g %%", 100 * level[i]);
        s[i] = report_share(run, name[i], "interval_coverage", i);
    }
    Chart c = report_chart(run, "Coverage of the intervals over time",
                           "Share of the targets inside, faded over 500 samples; dotted: what was asked for.",
                           fmax(0, low - .1), 1);
    c.levels = level;
    c.n_levels = n;
    chart_lines(&c, s, n);
    fprintf(run->out, "<div class=\"card wide\"><h3>Calibration of the intervals</h3><div class=\"scroll\" "
                      "tabindex=\"0\"><table><thead><tr>"
                      "<th>asked for</th><th>held</th><th>off by</th><th>held of late</th><th>mean width of "
                      "late</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++)
        put_level(run, i, level[i]);
    fprintf(run->out, "</tbody></table></div></div>\n");
}

void report_predictions(Run *run)
{
    fprintf(run->out, "<h2 id=\"predictions\">Predictions</h2>\n");
    put_tail(run);
    fprintf(run->out, "<div class=\"grid\">\n");
    put_residuals(run);
    put_calibration(run);
    fprintf(run->out, "</div>\n");
}
