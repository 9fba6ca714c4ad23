/* Of a mixture: who carries the prediction, the gate, expert by expert, the rules; and the networks of any model. */
#include "report_run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 12, ROWS = 32, RULES = 12, TABLE = 200, NETWORKS = 16 };

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
    Chart c = report_chart(run, "Who carries the prediction", "Weight of each expert in the prediction, faded.", 0, 1);
    fprintf(run->out, "<h2 id=\"experts\">Experts</h2>\n");
    chart_areas(&c, share, run->k < SHOWN ? run->k : SHOWN);
    c = report_chart(run, "Utilization", "Running mean of the gate's probability for each expert.", 0, 1);
    chart_rows(&c, used, rows);
}

static void put_gate(Run *run, const Series *s)
{
    Chart entropy = report_chart(run, "Gate entropy", "1: every expert as likely; 0: one expert has it all.", 0, 1);
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
        names[i] = report_expert(run, i);
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
