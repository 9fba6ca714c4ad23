/* What the sections of a report share. */
#include "report_run.h"
#include "cli.h"
#include "show.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = 160 };

/* ---- values ------------------------------------------------------------------------------------------------------ */

double *report_data(Run *run, const char *key, size_t n)
{
    bool room = run->n_data < REPORT_DATA;
    double *values = room ? malloc((n + 1) * sizeof *values) : NULL; /* never of size 0 */
    if (!values)
        return NULL;
    ReportData *data = &run->data[run->n_data++];
    *data = (ReportData){.value = values, .n = n};
    snprintf(data->key, sizeof data->key, "%s", key);
    for (size_t i = 0; i < n; i++)
        values[i] = ANB_NAN;
    return values;
}

Series report_series(Run *run, const char *name, const char *key, size_t index, bool indexed, int colour)
{
    Series s = {.name = name, .colour = colour, .last = record_number(&run->records.last, key, index)};
    if (indexed)
        snprintf(s.key, sizeof s.key, "%s.%zu", key, index);
    else
        snprintf(s.key, sizeof s.key, "%s", key);
    double *y = report_data(run, s.key, run->records.n);
    for (size_t i = 0; y && i < run->records.n; i++)
        y[i] = record_number(&run->records.point[i], key, index);
    s.y = y ? y : run->x;
    return s;
}

Series report_share(Run *run, const char *name, const char *key, size_t index)
{
    Series s = report_series(run, name, key, index, true, (int)index);
    s.percent = true;
    return s;
}

Chart report_chart(Run *run, const char *title, const char *note, double low, double high)
{
    return (Chart){.out = run->out,
                   .title = title,
                   .note = note,
                   .n = run->records.n,
                   .x = run->x,
                   .low = low,
                   .high = high,
                   .marks = run->marks,
                   .n_marks = run->n_marks,
                   .x_key = "x",
                   .x_name = "samples"};
}

/* Places are written whole, values with five digits. */
static void put_data(FILE *out, const ReportData *data)
{
    const char *dot = strrchr(data->key, '.');
    int digits = strcmp(dot ? dot + 1 : data->key, "x") == 0 ? 17 : 5;
    fprintf(out, "\"%s\":[", data->key);
    for (size_t i = 0; i < data->n; i++)
        if (data->value[i] - data->value[i] == 0)
            fprintf(out, "%s%.*g", i ? "," : "", digits, data->value[i]);
        else
            fprintf(out, "%snull", i ? "," : "");
    fprintf(out, "]");
}

void report_put_data(const Run *run)
{
    fprintf(run->out, "<script>\nconst D={");
    for (size_t i = 0; i < run->n_data; i++) {
        fputs(i ? ",\n" : "", run->out);
        put_data(run->out, &run->data[i]);
    }
    fprintf(run->out, "};\n</script>\n");
}

/* ---- names and figures ------------------------------------------------------------------------------------------- */

void report_value(Run *run, const char *metric, size_t index, const char *tag, bool percent)
{
    char text[SHOW_SIZE], exact[ANB_NUMBER_SIZE] = "";
    double v = record_number(&run->records.last, metric, index);
    if (v == v)
        anb_number_format(v, exact);
    fprintf(run->out, "<%s data-m=\"%s.%zu\" data-v=\"%s\">", tag, metric, index, exact);
    if (percent)
        put_percent(run->out, v);
    else
        fputs(v >= 0 && v < 1e15 && v == floor(v) ? show_count((uint64_t)v, text) : show_number(v, text), run->out);
    fprintf(run->out, "</%s>", tag);
}

const char *report_expert(const Run *run, size_t i)
{
    const char *name = record_text(&run->records.last, "expert_name", i);
    return name ? name : "?";
}

const char *report_column(const Run *run, size_t i)
{
    const char *name = record_text(&run->records.summary, "summary.features", i);
    return name && *name ? name : "?";
}

double report_number(const Run *run, size_t i, const char *format, ...)
{
    char key[KEY];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(key, sizeof key, format, arguments);
    va_end(arguments);
    return record_number(&run->records.summary, key, i);
}

const char *report_text(const Run *run, const char *format, ...)
{
    char key[KEY];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(key, sizeof key, format, arguments);
    va_end(arguments);
    return record_text(&run->records.summary, key, 0);
}

void report_bar(FILE *out, double value, double most, bool left)
{
    double share = most > 0 ? fmin(1, fabs(value) / most) : 0, width = left ? 100 * share : 50 * share;
    double from = left ? 0 : value < 0 ? 50 - width : 50;
    fprintf(out, "<div class=\"bar%s\"><i%s style=\"left:%.2f%%;width:%.2f%%\"></i></div>", left ? " left" : "",
            value < 0 ? " class=\"minus\"" : "", from, width == width ? width : 0);
}
