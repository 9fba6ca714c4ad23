#include "chart.h"
#include "show.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WIDTH = 1000, HEIGHT = 300, COLUMNS = 160, LEVELS = 24 };

void put_html(FILE *out, const char *text)
{
    for (; *text; text++)
        if (strchr("<>&\"'", *text))
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
}

void put_percent(FILE *out, double share)
{
    if (!(share - share == 0))
        fprintf(out, "-");
    else if (share > 0 && share < 0.0005)
        fprintf(out, "&lt;0.1 %%");
    else
        fprintf(out, "%.1f %%", 100 * share);
}

/* ---- axes -------------------------------------------------------------------------------------------------------- */

/* The step of about `parts` round labels over a span. */
static double round_step(double span, int parts)
{
    double power = pow(10, floor(log10(span / parts))), share = span / parts / power;
    return power * (share > 5 ? 10 : share > 2 ? 5 : share > 1 ? 2 : 1);
}

/* Sets the range from 0, or the smallest value, to the largest one, without the first fiftieth of the values. */
static Chart with_range(const Chart *chart, const Series *series, size_t n)
{
    Chart c = *chart;
    if (c.low < c.high)
        return c;
    c.low = 0;
    c.high = 0;
    for (size_t s = 0; s < n; s++)
        for (size_t i = c.n / 50; i < c.n; i++)
            if (series[s].y[i] - series[s].y[i] == 0) {
                c.high = fmax(c.high, series[s].y[i]);
                c.low = fmin(c.low, series[s].y[i]);
            }
    c.high = c.high > c.low ? c.high + 0.04 * (c.high - c.low) : c.low + 1;
    return c;
}

static double across(const Chart *c, size_t i)
{
    double span = c->x[c->n - 1] - c->x[0];
    return span > 0 ? WIDTH * (c->x[i] - c->x[0]) / span : WIDTH / 2;
}

static double down(const Chart *c, double y)
{
    double at = HEIGHT * (1 - (y - c->low) / (c->high - c->low));
    return at < -HEIGHT ? -HEIGHT : at > 2 * HEIGHT ? 2 * HEIGHT : at;
}

static void put_label(FILE *out, const char *side, double percent, double value)
{
    char text[SHOW_SIZE];
    if (fabs(value) >= 1000 && fabs(value) < 1e9 && value == floor(value))
        fprintf(out, "<span style=\"%s:%.2f%%\">%s%s</span>", side, percent, value < 0 ? "-" : "",
                show_count((uint64_t)fabs(value), text));
    else
        fprintf(out, "<span style=\"%s:%.2f%%\">%.4g</span>", side, percent, value);
}

static void put_x_labels(const Chart *c)
{
    double first = c->x[0], last = c->x[c->n - 1], span = last - first;
    fprintf(c->out, "<div class=\"xs\">");
    if (span > 0) {
        double step = round_step(span, 5);
        for (double v = ceil(first / step) * step; v <= last - 0.16 * span; v += step)
            put_label(c->out, "left", 100 * (v - first) / span, v);
    }
    fprintf(c->out, "<em>%s</em></div>\n", c->x_name);
}

/* ---- the frame --------------------------------------------------------------------------------------------------- */

static void put_legend(const Chart *c, const Series *series, size_t n)
{
    char text[SHOW_SIZE];
    fprintf(c->out, "<div class=\"legend\">");
    for (size_t s = 0; s < n; s++) {
        fprintf(c->out, "<span><i class=\"c%d%s\"></i>", series[s].colour % CHART_COLOURS,
                series[s].faint ? " faint" : "");
        put_html(c->out, series[s].name);
        fprintf(c->out, " <b data-k=\"%s\"%s>", series[s].key, series[s].percent ? " data-p" : "");
        if (series[s].percent)
            put_percent(c->out, series[s].last);
        else
            fputs(show_number(series[s].last, text), c->out);
        fprintf(c->out, "</b></span>");
    }
    fprintf(c->out, "</div>\n");
}

static void open_figure(const Chart *c, const char *kind)
{
    fprintf(c->out, "<figure class=\"chart %s\" data-x=\"%s\"><figcaption><h3>", kind, c->x_key);
    put_html(c->out, c->title);
    fprintf(c->out, "</h3>");
    if (c->note) {
        fprintf(c->out, "<p>");
        put_html(c->out, c->note);
        fprintf(c->out, "</p>");
    }
    fprintf(c->out, "</figcaption>\n");
}

/* The box that the pointer moves over and that the keyboard reaches. */
static void put_plot(const Chart *c, const char *style)
{
    fprintf(c->out, "<div class=\"plot\" tabindex=\"0\" role=\"img\" aria-label=\"");
    put_html(c->out, c->title);
    fprintf(c->out, "; arrow keys tell the values\"%s>", style);
}

static void open_plot(const Chart *c, bool grid)
{
    double step = round_step(c->high - c->low, 4);
    put_plot(c, "");
    fprintf(c->out, "<div class=\"ys\">");
    for (double v = ceil(c->low / step) * step; grid && v <= c->high + step * 1e-9; v += step)
        put_label(c->out, "top", 100 * down(c, v) / HEIGHT, fabs(v) < step * 1e-9 ? 0 : v);
    fprintf(c->out, "</div><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" aria-hidden=\"true\">", WIDTH,
            HEIGHT);
    for (double v = ceil(c->low / step) * step; grid && v <= c->high + step * 1e-9; v += step)
        fprintf(c->out, "<path class=\"grid\" d=\"M0 %.1fH%d\"/>", down(c, v), WIDTH);
}

static void close_plot(const Chart *c)
{
    double span = c->x[c->n - 1] - c->x[0];
    for (size_t i = 0; i < c->n_levels; i++)
        fprintf(c->out, "<path class=\"level\" d=\"M0 %.1fH%d\"/>", down(c, c->levels[i]), WIDTH);
    for (size_t i = 0; i < c->n_marks && span > 0; i++)
        fprintf(c->out, "<path class=\"mark\" d=\"M%.1f 0V%d\"/>", WIDTH * (c->marks[i] - c->x[0]) / span, HEIGHT);
    fprintf(c->out, "</svg><div class=\"cursor\"></div></div>\n");
    put_x_labels(c);
    fprintf(c->out, "</figure>\n");
}

/* ---- drawings ---------------------------------------------------------------------------------------------------- */

static void put_line(const Chart *c, const double *y, const char *class, int colour)
{
    bool pen = false;
    fprintf(c->out, "<path class=\"%s c%d\" d=\"", class, colour % CHART_COLOURS);
    for (size_t i = 0; i < c->n; i++) {
        bool there = y[i] - y[i] == 0;
        if (there)
            fprintf(c->out, "%c%.1f %.1f", pen ? 'L' : 'M', across(c, i), down(c, y[i]));
        pen = there;
    }
    fprintf(c->out, "\"/>\n");
}

/* The area between two lines; what is not there is 0. */
static void put_area(const Chart *c, const double *low, const double *high, const char *class, int colour)
{
    fprintf(c->out, "<path class=\"%s c%d\" d=\"", class, colour % CHART_COLOURS);
    for (size_t i = 0; i < c->n; i++)
        fprintf(c->out, "%c%.1f %.1f", i ? 'L' : 'M', across(c, i), down(c, high[i] == high[i] ? high[i] : 0));
    for (size_t i = c->n; i-- > 0;)
        fprintf(c->out, "L%.1f %.1f", across(c, i), down(c, low[i] == low[i] ? low[i] : 0));
    fprintf(c->out, "Z\"/>\n");
}

void chart_lines(const Chart *chart, const Series *series, size_t n)
{
    Chart c = with_range(chart, series, n);
    open_figure(&c, "lines");
    put_legend(&c, series, n);
    open_plot(&c, true);
    for (size_t s = n; s-- > 0;)
        put_line(&c, series[s].y, "line", series[s].colour);
    close_plot(&c);
}

void chart_areas(const Chart *chart, const Series *series, size_t n)
{
    enum { MOST = 4096 };
    double low[MOST] = {0}, high[MOST];
    Chart c = *chart;
    c.n = c.n < MOST ? c.n : MOST;
    open_figure(&c, "areas");
    put_legend(&c, series, n);
    open_plot(&c, true);
    for (size_t s = 0; s < n; s++) {
        for (size_t i = 0; i < c.n; i++)
            high[i] = low[i] + (series[s].y[i] == series[s].y[i] ? series[s].y[i] : 0);
        put_area(&c, low, high, "area", series[s].colour);
        memcpy(low, high, c.n * sizeof *low);
    }
    close_plot(&c);
}

void chart_band(const Chart *chart, const Series *series)
{
    open_figure(chart, "band");
    put_legend(chart, series, 3);
    open_plot(chart, true);
    put_area(chart, series[0].y, series[1].y, "area", series[0].colour);
    put_line(chart, series[2].y, "line", series[2].colour);
    close_plot(chart);
}

/* A dot is a line of no length with round ends: it stays round however the drawing is stretched. */
static void put_dots(const Chart *c, const double *y, int colour)
{
    fprintf(c->out, "<path class=\"dots c%d\" d=\"", colour % CHART_COLOURS);
    for (size_t i = 0; i < c->n; i++)
        if (y[i] - y[i] == 0)
            fprintf(c->out, "M%.1f %.1fh0", across(c, i), down(c, y[i]));
    fprintf(c->out, "\"/>\n");
}

/* From a little below the least value to a little above the largest. */
static Chart with_tight_range(const Chart *chart, const Series *series, size_t n)
{
    Chart c = *chart;
    c.low = (double)INFINITY;
    c.high = -c.low;
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < c.n; i++)
            if (series[s].y[i] - series[s].y[i] == 0) {
                c.high = fmax(c.high, series[s].y[i]);
                c.low = fmin(c.low, series[s].y[i]);
            }
    double margin = c.high > c.low ? .04 * (c.high - c.low) : 1;
    c.high = c.high >= c.low ? c.high + margin : 1;
    c.low = c.high > c.low ? c.low - margin : 0;
    return c;
}

void chart_forecast(const Chart *chart, const Series *series, size_t n)
{
    Chart c = with_tight_range(chart, series, n);
    const Series *predicted = series + (n - 2);
    open_figure(&c, "forecast");
    put_legend(&c, series, n);
    open_plot(&c, true);
    if (n == 4)
        put_area(&c, series[0].y, series[1].y, "area", series[0].colour);
    put_line(&c, predicted[0].y, "line", predicted[0].colour);
    put_dots(&c, predicted[1].y, predicted[1].colour);
    close_plot(&c);
}

void chart_histogram(const Chart *chart, const Series *series)
{
    Chart c = with_range(chart, series, 1);
    double width = (double)WIDTH / (double)(c.n > 1 ? c.n - 1 : 1);
    open_figure(&c, "histogram");
    put_legend(&c, series, 1);
    open_plot(&c, true);
    for (size_t i = 0; i < c.n; i++)
        fprintf(c.out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", across(&c, i) - .46 * width,
                down(&c, series->y[i]), .92 * width, HEIGHT - down(&c, series->y[i]));
    close_plot(&c);
}

/* Runs of columns of the same level are one rectangle. */
static void put_row(const Chart *c, const double *y, double most, double top, double height)
{
    size_t columns = c->n < COLUMNS ? c->n : COLUMNS;
    int level = -1;
    size_t from = 0;
    for (size_t column = 0; column <= columns; column++) {
        double v = column < columns ? y[column * c->n / columns] : -1;
        int now = column == columns ? -1 : v > 0 ? (int)(LEVELS * fmin(1, v / most) + 0.5) : 0;
        if (now == level)
            continue;
        if (level > 0)
            fprintf(c->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" opacity=\"%.2f\"/>",
                    (double)WIDTH * (double)from / (double)columns, top,
                    (double)WIDTH * (double)(column - from) / (double)columns, height, (double)level / LEVELS);
        level = now;
        from = column;
    }
    fprintf(c->out, "\n");
}

void chart_rows(const Chart *chart, const Series *series, size_t n)
{
    double most = 1e-300, height = (double)HEIGHT / (double)n;
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < chart->n; i++)
            most = series[s].y[i] > most ? series[s].y[i] : most;
    open_figure(chart, "rows");
    char style[40];
    snprintf(style, sizeof style, " style=\"height:%zupx\"", n * 22 + 4);
    put_plot(chart, style);
    fprintf(chart->out, "<div class=\"ys named\">");
    for (size_t s = 0; s < n; s++) {
        fprintf(chart->out, "<span style=\"top:%.2f%%\">", 100 * ((double)s + 0.5) / (double)n);
        put_html(chart->out, series[s].name);
        fprintf(chart->out, " <b data-k=\"%s\" data-p></b></span>", series[s].key);
    }
    fprintf(chart->out, "</div><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" aria-hidden=\"true\">", WIDTH,
            HEIGHT);
    for (size_t s = 0; s < n; s++)
        put_row(chart, series[s].y, most, (double)s * height + 0.04 * height, 0.92 * height);
    close_plot(chart);
}

/* ---- pictures without an axis of samples ------------------------------------------------------------------------- */

void chart_square(FILE *out, const char *title, const double *value, size_t n, double most, const char *const *names)
{
    fprintf(out, "<figure class=\"square\"><figcaption>");
    put_html(out, title);
    fprintf(
        out,
        "</figcaption><svg viewBox=\"0 0 %zu %zu\" role=\"img\"><rect class=\"ground\" width=\"%zu\" height=\"%zu\"/>",
        n, n, n, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double v = value[i * n + j], share = fmin(1, fabs(v) / most);
            if (!(share > 0.02))
                continue;
            fprintf(out, "<rect class=\"%s\" x=\"%zu\" y=\"%zu\" width=\"1\" height=\"1\" opacity=\"%.2f\">",
                    v > 0 ? "plus" : "minus", j, i, share);
            if (names) {
                fprintf(out, "<title>");
                put_html(out, names[i]);
                fprintf(out, ", ");
                put_html(out, names[j]);
                fprintf(out, ": %.3g</title>", v);
            }
            fprintf(out, "</rect>");
        }
    fprintf(out, "</svg></figure>\n");
}

void chart_bars(FILE *out, const char *title, const double *value, const double *colour, size_t n)
{
    double most = 1e-300;
    for (size_t i = 0; i < n; i++)
        most = value[i] > most ? value[i] : most;
    fprintf(out, "<figure class=\"bars\"><figcaption>");
    put_html(out, title);
    fprintf(out, "</figcaption><svg viewBox=\"0 0 %zu 40\" preserveAspectRatio=\"none\" role=\"img\">", n);
    for (size_t i = 0; i < n; i++) {
        double height = 40 * value[i] / most, mixed = fmin(1, colour[i]);
        fprintf(out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"0.84\" height=\"%.2f\" fill=\"hsl(%.0f 65%% 55%%)\"/>",
                (double)i + 0.08, 40 - height, height,
                mixed == mixed ? 48 - 130 * mixed + (48 < 130 * mixed ? 360 : 0) : 48);
    }
    fprintf(out, "</svg></figure>\n");
}
