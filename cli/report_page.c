/* The page: its head and error, then the sections. The figures are those of the last record. */
#define _GNU_SOURCE
#include "cli.h"
#include "page.h"
#include "report_page.h"
#include "report_run.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void find_marks(Run *run)
{
    const Record *point = run->records.point;
    for (size_t i = 1; i < run->records.n && run->n_marks < REPORT_MARKS; i++)
        if (record_number(&point[i], "drifts", 0) > record_number(&point[i - 1], "drifts", 0))
            run->marks[run->n_marks++] = record_number(&point[i], "samples", 0);
}

static void tile(Run *run, const char *name, const char *metric, const char *note)
{
    fprintf(run->out, "<div class=\"tile\"><span>%s</span>", name);
    report_value(run, metric, 0, "b", false);
    fprintf(run->out, "<small>%s</small></div>\n", note);
}

static const char *base_name(const char *stream)
{
    const char *slash = stream ? strrchr(stream, '/') : NULL;
    return slash && slash[1] ? slash + 1 : stream ? stream : "A stream";
}

static void put_header(Run *run)
{
    const char *stream = record_text(&run->records.summary, "summary.stream", 0);
    const char *target = record_text(&run->records.summary, "summary.target", 0);
    const char *learner = record_text(&run->records.summary, "summary.learner", 0);
    double rmse = record_number(&run->records.last, "rmse_overall", 0),
           mean = record_number(&run->records.last, "mean_rmse_overall", 0);
    double last = record_number(&run->records.last, "last_rmse_overall", 0), gain = 1 - rmse / fmin(mean, last);
    gain = fabs(gain) < .0005 ? 0 : gain; /* no -0.0 */
    fprintf(run->out, "<header><h1>");
    put_html(run->out, base_name(stream));
    if (target && *target) {
        fprintf(run->out, " &rarr; ");
        put_html(run->out, target);
    }
    fprintf(run->out,
            "</h1><p>Every sample was predicted before it was learned. %zu of %llu records are drawn; the figures are "
            "the last record's.</p>\n",
            run->records.n, (unsigned long long)run->records.lines);
    if (learner) {
        fprintf(run->out, "<code>");
        put_html(run->out, learner);
        fprintf(run->out, "</code>");
    }
    fprintf(run->out, "</header>\n<div class=\"tiles\">\n");
    tile(run, "Samples learned", "samples", "&nbsp;");
    tile(run, "RMSE overall", "rmse_overall", "in the target's unit");
    fprintf(run->out,
            "<div class=\"tile\"><span>Better than the best baseline</span><b class=\"%s\">%.1f %%</b><small>running "
            "mean, last value</small></div>\n",
            gain >= 0 ? "good" : "bad", 100 * gain);
    tile(run, "RMSE lately", "rmse", "faded over 500 samples");
    tile(run, "Missing cells", "missing_cells", "numbers and times");
    tile(run, "Drifts marked", "drifts", run->n_marks ? "dashed lines below" : "&nbsp;");
    tile(run, "Experts reset", "resets", "dead ones, by their mixture");
    tile(run, "Memory", "state_bytes", "bytes of state");
    fprintf(run->out, "</div>\n");
}

/* The links to the sections of the page. */
static void put_contents(Run *run)
{
    fprintf(run->out,
            "<nav aria-label=\"Sections\"><a href=\"#predictions\">Predictions</a><a "
            "href=\"#columns\">Columns</a><a href=\"#why\">Why</a><a href=\"#missing\">Missing and "
            "rejected</a>%s%s</nav>\n",
            run->k ? "<a href=\"#experts\">Experts</a>" : "",
            record_field(&run->records.last, "rules.stable_loss") ? "<a href=\"#rules\">Rules</a>" : "");
}

static void put_errors(Run *run)
{
    Series s[] = {report_series(run, "model", "rmse", 0, false, 0),
                  report_series(run, "running mean", "mean_rmse", 0, false, 11),
                  report_series(run, "last value", "last_rmse", 0, false, 1)};
    Chart c = report_chart(
        run, "Error over time",
        "Root mean square of the errors, faded over 500 samples. A useful model stays below both baselines.", 0, 0);
    chart_lines(&c, s, 3);
}

static void put_page(Run *run)
{
    page_open(run->out, base_name(record_text(&run->records.summary, "summary.stream", 0)));
    put_header(run);
    put_contents(run);
    put_errors(run);
    report_predictions(run);
    report_columns(run);
    report_why(run);
    report_missing(run);
    report_experts(run);
    const char *version = record_text(&run->records.summary, "summary.version", 0);
    fprintf(run->out, "<footer>anabranch %s</footer>\n", version ? version : anb_version());
    report_put_data(run);
    page_close(run->out);
}

int report_page(FILE *in, const char *name, FILE *out)
{
    Run *run = calloc(1, sizeof *run);
    if (!run)
        return complain(BAD_DATA, "out of memory");
    int status = records_read(&run->records, in, name);
    if (!status) {
        run->out = out;
        run->k = record_size(&run->records.last, "expert_share");
        run->x = report_data(run, "x", run->records.n);
        for (size_t i = 0; run->x && i < run->records.n; i++)
            run->x[i] = record_number(&run->records.point[i], "samples", 0);
        find_marks(run);
        if (run->x)
            put_page(run);
        else
            status = complain(BAD_DATA, "out of memory");
    }
    records_free(&run->records);
    for (size_t i = 0; i < run->n_data; i++)
        free(run->data[i].value);
    free(run);
    return status;
}
