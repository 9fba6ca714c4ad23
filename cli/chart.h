/*
 * Charts as inline SVG inside HTML: the drawing stretches to the page's width, its labels are HTML and keep their size.
 *
 *     figure.chart
 *       figcaption   title, note
 *       .legend      a key for each series with its value, which the page's script changes under the pointer
 *       .plot        y labels, svg, cursor
 *       .xs          x labels
 */
#ifndef ANB_CLI_CHART_H
#define ANB_CLI_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One line, area or row. */
typedef struct Series {
    const char *name;
    char key[64];    /* of its values in the page's data, "" where they are not there */
    const double *y; /* n values, NaN where there is none */
    int colour;      /* of the palette, CHART_COLOURS of them */
    bool percent;    /* how its values are written */
    bool faint;      /* drawn as an area behind others */
    double last;     /* the value that the legend shows */
} Series;

typedef struct Chart {
    FILE *out;
    const char *title, *note;
    size_t n;
    const double *x;     /* n values, ascending */
    double low, high;    /* of y; low == high: found from the values */
    const double *marks; /* where drifts were marked; n_marks of them */
    size_t n_marks;
    const double *levels; /* heights that are marked; n_levels of them */
    size_t n_levels;
    const char *x_key, *x_name; /* of x in the page's data; what it counts */
} Chart;

enum { CHART_COLOURS = 12 };

void chart_lines(const Chart *chart, const Series *series, size_t n);
/* Stacked from the first one up; missing values are 0. */
void chart_areas(const Chart *chart, const Series *series, size_t n);
/* Between series[0] and series[1], with series[2] as a line. */
void chart_band(const Chart *chart, const Series *series);
/* series[0] and series[1] are the ends of intervals (n == 4), then a line, then dots; without intervals n is 2. */
void chart_forecast(const Chart *chart, const Series *series, size_t n);
/* A bar around each x, as high as the one series says; `marks` are drawn upright. */
void chart_histogram(const Chart *chart, const Series *series);
/* A row for each series, light at 0, full at the largest value. */
void chart_rows(const Chart *chart, const Series *series, size_t n);

/* n x n values, |v| up to `most`: one colour for positive, one for negative; names of the rows or NULL. */
void chart_square(FILE *out, const char *title, const double *value, size_t n, double most, const char *const *names);
/* A bar for each of n values, coloured by another: 0 is one end of the scale, 1 and more the other. */
void chart_bars(FILE *out, const char *title, const double *value, const double *colour, size_t n);

/* 0.123 as 12.3 %; what is less than 0.05 % but more than nothing as <0.1 %. */
void put_percent(FILE *out, double share);
/* Text with what HTML would take for markup escaped. */
void put_html(FILE *out, const char *text);

#endif
