/* The page. Its figures are those of the last record. */
#define _GNU_SOURCE
#include "chart.h"
#include "cli.h"
#include "page.h"
#include "records.h"
#include "report_page.h"
#include "show.h"
#include <anabranch/anabranch.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 12, ROWS = 32, RULES = 12, TABLE = 200, NETWORKS = 16 };

typedef struct Run {
    Records records;
    double *column[256]; /* what charts are made of; freed at the end */
    size_t n_columns;
    double *x;
    double marks[64];
    size_t n_marks;
    size_t k; /* experts */
    FILE *out;
} Run;

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static double *column(Run *run, const char *key, size_t index)
{
    bool room = run->n_columns < sizeof run->column / sizeof *run->column;
    double *values = room ? malloc((run->records.n + 1) * sizeof *values) : NULL; /* never of size 0 */
    if (!values)
        return NULL;
    run->column[run->n_columns++] = values;
    for (size_t i = 0; i < run->records.n; i++)
        values[i] = record_number(&run->records.point[i], key, index);
    return values;
}

/* A series and its values for the page's data. */
static Series series_of(Run *run, const char *name, const char *key, size_t index, bool indexed, int colour)
{
    Series s = {.name = name, .y = column(run, key, index), .colour = colour};
    if (indexed)
        snprintf(s.key, sizeof s.key, "%s.%zu", key, index);
    else
        snprintf(s.key, sizeof s.key, "%s", key);
    if (!s.y)
        s.y = run->x;
    s.last = record_number(&run->records.last, key, index);
    return s;
}

/* A share of something. */
static Series share_of(Run *run, const char *name, const char *key, size_t index)
{
    Series s = series_of(run, name, key, index, true, (int)index);
    s.percent = true;
    return s;
}

/* A truth or severity: steps jump, so a mean over six records on both sides is drawn. */
static Series truth_of(Run *run, const char *name, const char *key, size_t index, int colour)
{
    enum { SIDE = 6 };
    Series s = series_of(run, name, key, index, true, colour);
    double *smooth = column(run, key, index);
    for (size_t i = 0; smooth && i < run->records.n; i++) {
        size_t from = i < SIDE ? 0 : i - SIDE, to = i + SIDE + 1 < run->records.n ? i + SIDE + 1 : run->records.n;
        smooth[i] = 0;
        for (size_t j = from; j < to; j++)
            smooth[i] += s.y[j] / (double)(to - from);
    }
    s.y = smooth ? smooth : s.y;
    return s;
}

static const char *expert_name(const Run *run, size_t i)
{
    const char *name = record_text(&run->records.last, "expert_name", i);
    return name ? name : "?";
}

static void find_marks(Run *run)
{
    for (size_t i = 1; i < run->records.n && run->n_marks < sizeof run->marks / sizeof *run->marks; i++)
        if (record_number(&run->records.point[i], "drifts", 0) > record_number(&run->records.point[i - 1], "drifts", 0))
            run->marks[run->n_marks++] = record_number(&run->records.point[i], "samples", 0);
}

/* ---- the page's data --------------------------------------------------------------------------------------------- */

static void put_data(Run *run, const char *key, const double *values)
{
    fprintf(run->out, ",\n\"%s\":[", key);
    for (size_t i = 0; i < run->records.n; i++)
        if (values[i] - values[i] == 0)
            fprintf(run->out, "%s%.5g", i ? "," : "", values[i]);
        else
            fprintf(run->out, "%snull", i ? "," : "");
    fprintf(run->out, "]");
}

static void put_all_data(Run *run, const Series *series, size_t n)
{
    fprintf(run->out, "<script>\nconst D={\"x\":[");
    for (size_t i = 0; i < run->records.n; i++)
        fprintf(run->out, "%s%.0f", i ? "," : "", run->x[i]);
    fprintf(run->out, "]");
    for (size_t s = 0; s < n; s++)
        put_data(run, series[s].key, series[s].y);
    fprintf(run->out, "};\n</script>\n");
}

/* ---- sections ---------------------------------------------------------------------------------------------------- */

/* A figure whose exact value a test, or a reader's script, can find: data-m is the metric, data-v the value. */
static void put_value(Run *run, const char *metric, size_t index, const char *tag, bool percent)
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

static void tile(Run *run, const char *name, const char *metric, const char *note)
{
    fprintf(run->out, "<div class=\"tile\"><span>%s</span>", name);
    put_value(run, metric, 0, "b", false);
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
    tile(run, "Missing cells", "missing_cells", "in rows that were learned");
    tile(run, "Drifts marked", "drifts", run->n_marks ? "dashed lines below" : "&nbsp;");
    tile(run, "Experts reset", "resets", "dead ones, by their mixture");
    tile(run, "Memory", "state_bytes", "bytes of state");
    fprintf(run->out, "</div>\n");
}

static Chart chart_of(Run *run, const char *title, const char *note, double low, double high)
{
    return (Chart){run->out, title, note, run->records.n, run->x, low, high, run->marks, run->n_marks};
}

static void put_errors(Run *run, const Series *s)
{
    Chart c = chart_of(run, "Error over time",
                       "Root mean square of the errors, faded over 500 samples. A useful model stays below "
                       "both baselines.",
                       0, 0);
    chart_lines(&c, s, 3);
}

static void put_experts(Run *run, const Series *share, const Series *used, size_t rows)
{
    Chart c = chart_of(run, "Who carries the prediction", "Weight of each expert in the prediction, faded.", 0, 1);
    fprintf(run->out, "<h2>Experts</h2>\n");
    chart_areas(&c, share, run->k < SHOWN ? run->k : SHOWN);
    c = chart_of(run, "Utilization", "Running mean of the gate's probability for each expert.", 0, 1);
    chart_rows(&c, used, rows);
}

static void put_gate(Run *run, const Series *s)
{
    Chart entropy = chart_of(run, "Gate entropy", "1: every expert as likely; 0: one expert has it all.", 0, 1);
    Chart apart = chart_of(run, "Disagreement", "Deviation among the active experts, in the target's unit.", 0, 0);
    fprintf(run->out, "<div class=\"grid\">\n");
    chart_lines(&entropy, s, 1);
    chart_lines(&apart, s + 1, 1);
    fprintf(run->out, "</div>\n");
}

static void put_table(Run *run)
{
    static const struct {
        const char *head, *metric;
        bool percent;
    } columns[] = {{"rmse", "expert_rmse", false},
                   {"regret", "expert_regret", false},
                   {"share", "expert_share", true},
                   {"load", "expert_load", true},
                   {"utilization", "expert_utilization", true},
                   {"trained", "expert_trained", false},
                   {"age", "expert_age", false},
                   {"magnitude", "expert_magnitude", false},
                   {"contribution", "expert_contribution", false},
                   {"specialization", "expert_specialization", true},
                   {"sparsity", "expert_sparsity", true}};
    enum { N = sizeof columns / sizeof *columns };
    fprintf(run->out,
            "<div class=\"card\"><h3>Expert by expert</h3><div class=\"scroll\"><table><thead><tr><th>expert</th>");
    for (int c = 0; c < N; c++)
        fprintf(run->out, "<th>%s</th>", columns[c].head);
    fprintf(run->out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < run->k && i < TABLE; i++) {
        bool best = record_number(&run->records.last, "expert_regret", i) == 0;
        fprintf(run->out, "<tr%s><td><i class=\"c%d\"></i>", best ? " class=\"best\"" : "", (int)(i % CHART_COLOURS));
        put_html(run->out, expert_name(run, i));
        if (record_dead(&run->records.last, i))
            fprintf(run->out, " <span class=\"chip bad\">dead</span>");
        else if (record_number(&run->records.last, "expert_progress", i) < 1)
            fprintf(run->out, " <span class=\"chip\">warming</span>");
        fprintf(run->out, "</td>");
        for (int c = 0; c < N; c++)
            put_value(run, columns[c].metric, i, "td", columns[c].percent);
        fprintf(run->out, "</tr>\n");
    }
    fprintf(run->out, "</tbody></table></div></div>\n");
}

/* Which rules there are: the keys rules.NAME of the last record. */
static size_t find_rules(const Run *run, const char **name)
{
    size_t n = 0;
    for (size_t i = 0; i < run->records.last.n_fields && n < RULES; i++) {
        const char *key = run->records.last.text + run->records.last.field[i].key;
        if (strncmp(key, "rules.", 6) == 0 && run->records.last.field[i].n == 3)
            name[n++] = key + 6;
    }
    return n;
}

static void put_rules(Run *run, Series (*series)[3], const char **name, size_t n)
{
    if (n == 0)
        return;
    fprintf(run->out,
            "<h2>Rule audit</h2><p class=\"lead\">How true each rule is: at least the band's lower edge, at most its "
            "upper one. The line is the severity, the middle of the band times the rule's weight. Drawn as moving "
            "means; the numbers are the last step's.</p>"
            "<div class=\"grid\">\n");
    for (size_t i = 0; i < n; i++) {
        char title[64];
        snprintf(title, sizeof title, "%s", name[i]);
        for (char *p = title; *p; p++)
            *p = (char)(*p == '_' ? ' ' : *p);
        title[0] = (char)(title[0] >= 'a' && title[0] <= 'z' ? title[0] - 'a' + 'A' : title[0]);
        Chart c = chart_of(run, title, NULL, 0, 1);
        chart_band(&c, series[i]);
    }
    fprintf(run->out, "</div>\n");
}

static void put_pairs(Run *run)
{
    const char *names[64];
    const Field *pairs = record_field(&run->records.summary, "summary.coactivation");
    if (!pairs || run->k == 0 || run->k > 64 || pairs->n != run->k * run->k)
        return;
    const double *value = run->records.summary.number + pairs->first;
    bool all = true;
    for (size_t i = 0; i < pairs->n; i++)
        all &= value[i] == 1 || value[i] == 0;
    if (all) /* a dense router: every expert is always active */
        return;
    for (size_t i = 0; i < run->k; i++)
        names[i] = expert_name(run, i);
    fprintf(run->out,
            "<div class=\"card\"><h3>Active together</h3><p class=\"lead\">Row i, column j: the share of expert i's "
            "samples in which expert j was active too.</p>");
    chart_square(run->out, "", value, run->k, 1, names);
    fprintf(run->out, "</div>\n");
}

static void put_networks(Run *run)
{
    const char *names[64];
    for (size_t e = 0; e < NETWORKS; e++) {
        char key[6][80];
        static const char *const parts[] = {"norm", "polysemanticity", "gram", "expert", "hidden", "features"};
        for (int i = 0; i < 6; i++)
            snprintf(key[i], sizeof key[i], "summary.superposition.%zu.%s", e, parts[i]);
        const Field *norm = record_field(&run->records.summary, key[0]),
                    *mixed = record_field(&run->records.summary, key[1]);
        const Field *gram = record_field(&run->records.summary, key[2]);
        const double *number = run->records.summary.number;
        if (!norm || !mixed || norm->n == 0 || mixed->n != norm->n)
            break;
        for (size_t i = 0; i < 64; i++) {
            const char *name = record_text(&run->records.summary, key[5], i);
            names[i] = name ? name : "";
        }
        if (e == 0)
            fprintf(run->out,
                    "<h2>Superposition</h2><p class=\"lead\">How each network spreads the features over its hidden "
                    "units. Bars: the length of a feature's weights, from yellow, a direction of its own, to violet, "
                    "lost among others (polysemanticity over itself and the length). Squares: W W<sup>T</sup>, "
                    "features by features.</p>"
                    "<div class=\"squares\">\n");
        char title[160];
        const char *expert = record_text(&run->records.summary, key[3], 0);
        snprintf(title, sizeof title, "%s, %.0f hidden units", expert ? expert : "network",
                 record_number(&run->records.summary, key[4], 0));
        double most = 1e-300, mixture[4096];
        for (size_t i = 0; i < norm->n && i < 4096; i++) {
            double length = number[norm->first + i], with = number[mixed->first + i];
            mixture[i] = length + with > 0 ? with / (length + with) : 0;
        }
        for (size_t i = 0; gram && i < gram->n; i++)
            most = fmax(most, fabs(number[gram->first + i]));
        fprintf(run->out, "<div class=\"card\">");
        chart_bars(run->out, title, number + norm->first, mixture, norm->n < 4096 ? norm->n : 4096);
        if (gram && gram->n == norm->n * norm->n)
            chart_square(run->out, "", number + gram->first, norm->n, most, norm->n <= 64 ? names : NULL);
        fprintf(run->out, "</div>\n");
        if (e + 1 == NETWORKS)
            break;
    }
    if (record_field(&run->records.summary, "summary.superposition.0.norm"))
        fprintf(run->out, "</div>\n");
}

/* ---- the page ---------------------------------------------------------------------------------------------------- */

static void put_page(Run *run)
{
    static Series s[3 + 2 + SHOWN + ROWS + 3 * RULES];
    size_t n = 0, shown = run->k < SHOWN ? run->k : SHOWN, rows = run->k < ROWS ? run->k : ROWS;
    const char *rule[RULES], *stream = record_text(&run->records.summary, "summary.stream", 0);
    s[n++] = series_of(run, "model", "rmse", 0, false, 0);
    s[n++] = series_of(run, "running mean", "mean_rmse", 0, false, 11);
    s[n++] = series_of(run, "last value", "last_rmse", 0, false, 1);
    s[n++] = series_of(run, "entropy", "gate_entropy", 0, false, 4);
    s[n++] = series_of(run, "disagreement", "disagreement", 0, false, 2);
    for (size_t i = 0; i < shown; i++)
        s[n++] = share_of(run, expert_name(run, i), "expert_share", i);
    for (size_t i = 0; i < rows; i++)
        s[n++] = share_of(run, expert_name(run, i), "expert_utilization", i);
    size_t rules = find_rules(run, rule), at = n;
    for (size_t i = 0; i < rules; i++) {
        char key[80];
        snprintf(key, sizeof key, "rules.%s", rule[i]);
        s[n++] = truth_of(run, "at least", key, 0, 0);
        s[n++] = truth_of(run, "at most", key, 1, 0);
        s[n++] = truth_of(run, "severity", key, 2, 9);
    }
    page_open(run->out, base_name(stream));
    put_header(run);
    put_errors(run, s);
    if (run->k) {
        put_experts(run, s + 5, s + 5 + shown, rows);
        put_gate(run, s + 3);
        put_table(run);
        put_rules(run, (Series(*)[3])(s + at), rule, rules);
        put_pairs(run);
    }
    put_networks(run);
    const char *version = record_text(&run->records.summary, "summary.version", 0);
    fprintf(run->out, "<footer>anabranch %s</footer>\n", version ? version : anb_version());
    put_all_data(run, s, n);
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
        run->x = column(run, "samples", 0);
        find_marks(run);
        if (run->x)
            put_page(run);
        else
            status = complain(BAD_DATA, "out of memory");
    }
    records_free(&run->records);
    for (size_t i = 0; i < run->n_columns; i++)
        free(run->column[i]);
    free(run);
    return status;
}
