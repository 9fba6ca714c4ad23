/*
 * A report under way, as the files of its sections see it: the records, the series that are drawn, and what they share.
 */
#ifndef ANB_CLI_REPORT_RUN_H
#define ANB_CLI_REPORT_RUN_H

#include "chart.h"
#include "records.h"

enum { REPORT_MARKS = 64, REPORT_DATA = 400, REPORT_COLUMNS = 12 /* that are drawn over time */ };

/* Values that the page's script finds by a key. */
typedef struct ReportData {
    char key[64];
    double *value;
    size_t n;
} ReportData;

typedef struct Run {
    Records records;
    ReportData data[REPORT_DATA]; /* freed at the end */
    size_t n_data;
    double *x; /* samples of the records that are drawn */
    double marks[REPORT_MARKS];
    size_t n_marks;
    size_t k; /* experts */
    FILE *out;
} Run;

/* ---- report_run.c ---- */
/* Room for n values under a key of the page's data, NaN so far; NULL where there is no more. */
double *report_data(Run *run, const char *key, size_t n);
/* A value of each record that is drawn. */
Series report_series(Run *run, const char *name, const char *key, size_t index, bool indexed, int colour);
/* The same of a share. */
Series report_share(Run *run, const char *name, const char *key, size_t index);
/* A chart over the records that are drawn, with the drifts; low == high: its range is found. */
Chart report_chart(Run *run, const char *title, const char *note, double low, double high);
/* A figure whose exact value a test, or a reader's script, can find: data-m is the metric, data-v the value. */
void report_value(Run *run, const char *metric, size_t index, const char *tag, bool percent);
/* The name of column i. */
const char *report_column(const Run *run, size_t i);
const char *report_expert(const Run *run, size_t i);
/* A number, or a text, of the summary; the key is made as printf's. */
double report_number(const Run *run, size_t i, const char *format, ...) __attribute__((format(printf, 3, 4)));
const char *report_text(const Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A bar that goes right from the middle for what is positive, left for what is negative; `left`: from the left edge. */
void report_bar(FILE *out, double value, double most, bool left);
/* Writes the page's data. */
void report_put_data(const Run *run);

/* ---- the sections, each in a file of its own ---- */
void report_predictions(Run *run); /* report_errors.c: the last predictions, residuals, calibration */
void report_columns(Run *run);     /* report_columns.c: importance, categories */
void report_missing(Run *run);     /* report_missing.c: missing cells, rejected rows */
void report_why(Run *run);         /* report_why.c: the last rows explained */
void report_experts(Run *run);     /* report_experts.c: experts, gate, rules, networks */

#endif
