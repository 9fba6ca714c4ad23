/* The mixture: weights of the experts, the gate, each expert, the rules; and the networks of any model. */
#include "report_run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 12, ROWS = 32, RULES = 12, TABLE = 200, NETWORKS = 16, BARS = 4096, NAMED = 64 };

/* A truth or severity: steps jump, so a mean over six records on both sides is drawn. */
static Series truth_of(Run *run, const char *name, const char *key, size_t index, int colour)
{
    enum { SIDE = 6 };
    Series s = report_series(run, name, key, index, true, colour);
    double *smooth = (double *)s.y, *raw = malloc((run->records.n + 1) * sizeof *raw);
    for (size_t i = 0; raw && i < run->records.n; i++)
        raw[i] = s.y[i];
    for (size_t i = 0; raw && smooth != run->x && i < run->records.n; i++) {
        size_t from = i < SIDE ? 0 : i - SIDE, to = i + SIDE + 1 < run->records.n ? i + SIDE + 1 : run->records.n;
        smooth[i] = 0;
        for (size_t j = from; j < to; j++)
            smooth[i] += raw[j] / (double)(to - from);
    }
    free(raw);
    return s;
}

static void put_experts(Run *run, const Series *share, const Series *used, size_t rows)
{
    Chart c = report_chart(run, "Weights of the experts", "Weight of each expert in the prediction, faded.", 0, 1);
    fprintf(run->out, "<h2 id=\"experts\">Experts</h2>\n");
    chart_areas(&c, share, run->k < SHOWN ? run->k : SHOWN);
    c = report_chart(run, "Utilization", "Running mean of the gate's probability for each expert.", 0, 1);
    chart_rows(&c, used, rows);
}

static void put_gate(Run *run, const Series *s)
{
    Chart entropy =
        report_chart(run, "Gate entropy", "1: all experts equally likely; 0: one expert has all weight.", 0, 1);
    Chart apart = report_chart(run, "Disagreement", "Deviation among the active experts, in the target's unit.", 0, 0);
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
        put_html(run->out, report_expert(run, i));
        if (record_dead(&run->records.last, i))
            fprintf(run->out, " <span class=\"chip bad\">dead</span>");
        else if (record_number(&run->records.last, "expert_progress", i) < 1)
            fprintf(run->out, " <span class=\"chip\">warming</span>");
        fprintf(run->out, "</td>");
        for (int c = 0; c < N; c++)
            report_value(run, columns[c].metric, i, "td", columns[c].percent);
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
            "<h2 id=\"rules\">Rule audit</h2><p class=\"lead\">How true each rule is: at least the band's lower edge, "
            "at most its "
            "upper one. The line is the severity, the middle of the band times the rule's weight. Drawn as moving "
            "means; the numbers are the last step's.</p>"
            "<div class=\"grid\">\n");
    for (size_t i = 0; i < n; i++) {
        char title[64];
        snprintf(title, sizeof title, "%s", name[i]);
        for (char *p = title; *p; p++)
            *p = (char)(*p == '_' ? ' ' : *p);
        title[0] = (char)(title[0] >= 'a' && title[0] <= 'z' ? title[0] - 'a' + 'A' : title[0]);
        Chart c = report_chart(run, title, NULL, 0, 1);
        chart_band(&c, series[i]);
    }
    fprintf(run->out, "</div>\n");
}

static void put_pairs(Run *run)
{
    const char *names[NAMED];
    const Field *pairs = record_field(&run->records.summary, "summary.coactivation");
    if (!pairs || run->k == 0 || run->k > NAMED || pairs->n != run->k * run->k)
        return;
    const double *value = run->records.summary.number + pairs->first;
    bool all = true;
    for (size_t i = 0; i < pairs->n; i++)
        all &= value[i] == 1 || value[i] == 0;
    if (all) /* a dense router: every expert is always active */
        return;
    for (size_t i = 0; i < run->k; i++)
        names[i] = report_expert(run, i);
    fprintf(run->out,
            "<div class=\"card\"><h3>Active together</h3><p class=\"lead\">Row i, column j: the share of expert i's "
            "samples in which expert j was active too.</p>");
    chart_square(run->out, "", value, run->k, 1, names);
    fprintf(run->out, "</div>\n");
}

/* ---- networks ---------------------------------------------------------------------------------------------------- */

/* The numbers of one part of network e, and how many; NULL where there are none. */
static const double *network_numbers(const Run *run, size_t e, const char *part, size_t *n)
{
    char key[80];
    snprintf(key, sizeof key, "summary.superposition.%zu.%s", e, part);
    const Field *field = record_field(&run->records.summary, key);
    *n = field ? field->n : 0;
    return field ? run->records.summary.number + field->first : NULL;
}

/* A bar for each feature: its length, and which share of it is spread over directions of other features. */
static void put_lengths(Run *run, size_t e, const double *length, const double *mixed, size_t n)
{
    char title[160];
    double share[BARS];
    const char *expert = report_text(run, "summary.superposition.%zu.expert", e);
    snprintf(title, sizeof title, "%s, %.0f hidden units", expert ? expert : "network",
             report_number(run, 0, "summary.superposition.%zu.hidden", e));
    n = n < BARS ? n : BARS;
    for (size_t i = 0; i < n; i++)
        share[i] = length[i] + mixed[i] > 0 ? mixed[i] / (length[i] + mixed[i]) : 0;
    chart_bars(run->out, title, length, share, n);
}

/* The products of the features' weights, where all n x n of them are there. */
static void put_gram(Run *run, size_t e, size_t n)
{
    const char *names[NAMED];
    char key[80];
    size_t cells;
    double most = 1e-300;
    const double *gram = network_numbers(run, e, "gram", &cells);
    if (!gram || cells != n * n)
        return;
    snprintf(key, sizeof key, "summary.superposition.%zu.features", e);
    for (size_t i = 0; i < NAMED; i++) {
        const char *name = record_text(&run->records.summary, key, i);
        names[i] = name ? name : "";
    }
    for (size_t i = 0; i < cells; i++)
        most = fmax(most, fabs(gram[i]));
    chart_square(run->out, "", gram, n, most, n <= NAMED ? names : NULL);
}

static bool put_network(Run *run, size_t e)
{
    size_t n, n_mixed;
    const double *length = network_numbers(run, e, "norm", &n);
    const double *mixed = network_numbers(run, e, "polysemanticity", &n_mixed);
    if (!length || !mixed || n == 0 || n_mixed != n)
        return false;
    if (e == 0)
        fprintf(run->out,
                "<h2>Superposition</h2><p class=\"lead\">How each network spreads the features over its hidden "
                "units. Bars: the length of a feature's weights, from yellow, a direction of its own, to violet, "
                "lost among others (polysemanticity over itself and the length). Squares: W W<sup>T</sup>, "
                "features by features.</p>"
                "<div class=\"squares\">\n");
    fprintf(run->out, "<div class=\"card\">");
    put_lengths(run, e, length, mixed, n);
    put_gram(run, e, n);
    fprintf(run->out, "</div>\n");
    return true;
}

static void put_networks(Run *run)
{
    size_t e = 0;
    while (e < NETWORKS && put_network(run, e))
        e++;
    if (e > 0)
        fprintf(run->out, "</div>\n");
}

void report_experts(Run *run)
{
    Series share[SHOWN], used[ROWS], truth[RULES][3];
    Series gate[] = {report_series(run, "entropy", "gate_entropy", 0, false, 4),
                     report_series(run, "disagreement", "disagreement", 0, false, 2)};
    size_t shown = run->k < SHOWN ? run->k : SHOWN, rows = run->k < ROWS ? run->k : ROWS;
    const char *rule[RULES];
    for (size_t i = 0; i < shown; i++)
        share[i] = report_share(run, report_expert(run, i), "expert_share", i);
    for (size_t i = 0; i < rows; i++)
        used[i] = report_share(run, report_expert(run, i), "expert_utilization", i);
    size_t rules = find_rules(run, rule);
    for (size_t i = 0; i < rules; i++) {
        char key[80];
        snprintf(key, sizeof key, "rules.%s", rule[i]);
        truth[i][0] = truth_of(run, "at least", key, 0, 0);
        truth[i][1] = truth_of(run, "at most", key, 1, 0);
        truth[i][2] = truth_of(run, "severity", key, 2, 9);
    }
    if (run->k) {
        put_experts(run, share, used, rows);
        put_gate(run, gate);
        put_table(run);
        put_rules(run, truth, rule, rules);
        put_pairs(run);
    }
    put_networks(run);
}
