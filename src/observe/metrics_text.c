/*
 * The metrics as text: JSON Lines, CSV and Prometheus, each one loop over the registry.
 */
#include "diagnostics.h"
#include <anabranch/audit.h>
#include <anabranch/number.h>
#include <anabranch/pending.h>
#include <stdarg.h>
#include <stdio.h>

/* Text goes out in pieces; the first refusal stays. */
typedef struct Out {
    AnbWrite write;
    void *context;
    int code;
    size_t held;
    char text[512];
} Out;

/* Text for a caller's function; nothing is written where that is NULL. */
static Out out_to(AnbWrite write, void *context)
{
    return (Out){.write = write, .context = context, .code = write ? 0 : ANB_E_ARGUMENT};
}

static int flush(Out *out)
{
    if (out->held > 0 && out->code == 0)
        out->code = out->write(out->context, out->text, out->held);
    out->held = 0;
    return out->code;
}

static void put_bytes(Out *out, const char *text, size_t n)
{
    for (; n > 0; n--) {
        if (out->held == sizeof out->text)
            flush(out);
        out->text[out->held++] = *text++;
    }
}

static void put_text(Out *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

static void put_number(Out *out, double value)
{
    char text[ANB_NUMBER_SIZE];
    put_bytes(out, text, anb_number_format(value, text));
}

static bool is_number(double value)
{
    return value - value == 0;
}

/* ---- JSON Lines -------------------------------------------------------------------------------------------------- */

static void put_json_string(Out *out, const char *text)
{
    char escaped[8];
    put_text(out, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put_text(out, "\\");
        if (c < 0x20)
            put_bytes(out, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", c));
        else
            put_bytes(out, text, 1);
    }
    put_text(out, "\"");
}

static void put_json_value(Out *out, double value)
{
    if (is_number(value))
        put_number(out, value);
    else
        put_text(out, "null");
}

static void put_json_array(Out *out, const double *values, size_t n)
{
    put_text(out, "[");
    for (size_t i = 0; i < n; i++) {
        put_text(out, i ? "," : "");
        put_json_value(out, values[i]);
    }
    put_text(out, "]");
}

static void put_json_names(Out *out, const AnbDiagnostics *d)
{
    put_text(out, ",\"expert_name\":[");
    for (size_t i = 0; i < d->k; i++) {
        put_text(out, i ? "," : "");
        put_json_string(out, anb_expert_pool_expert(d->pool, i).name);
    }
    put_text(out, "]");
}

static bool is_list(AnbMetricShape shape)
{
    return shape == ANB_OF_EXPERT || shape == ANB_OF_LEVEL || shape == ANB_OF_FEATURE;
}

static void put_json_metric(Out *out, const AnbMetric *metric, const double *values, size_t n, size_t k)
{
    put_text(out, "\"");
    put_text(out, metric->name);
    put_text(out, "\":");
    if (is_list(metric->shape))
        put_json_array(out, values, n);
    else if (metric->shape != ANB_OF_PAIR)
        put_json_value(out, values[0]);
    for (size_t i = 0; metric->shape == ANB_OF_PAIR && i < k; i++) {
        put_text(out, i ? "," : "[");
        put_json_array(out, values + i * k, k);
    }
    put_text(out, metric->shape == ANB_OF_PAIR ? "]" : "");
}

static void put_json_audit(Out *out, const AnbAudit *audit)
{
    bool stepped = anb_audit_history(audit) > 0;
    for (int i = 0; i < ANB_AUDIT_METRIC_COUNT; i++) {
        put_text(out, i ? ",\"" : ",\"audit\":{\"");
        put_text(out, anb_audit_metric_name((AnbAuditMetric)i));
        put_text(out, "\":");
        put_json_value(out, stepped ? anb_audit_step(audit, 0).metric[i] : ANB_NAN);
    }
    put_text(out, "},\"rules\":{");
    for (size_t i = 0; i < anb_audit_n_rules(audit); i++) {
        AnbTruth truth = anb_audit_truth(audit, i);
        double values[] = {truth.lower, truth.upper, anb_audit_severity(audit, i)};
        put_text(out, i ? ",\"" : "\"");
        put_text(out, anb_audit_rule_name(audit, i));
        put_text(out, "\":");
        put_json_array(out, values, 3);
    }
    put_text(out, "}");
}

int anb_diagnostics_json(AnbDiagnostics *d, const AnbAudit *audit, bool pairs, AnbWrite write, void *context)
{
    if (!d)
        return ANB_E_ARGUMENT;
    Out out = out_to(write, context);
    put_text(&out, "{");
    for (int i = 0; i < ANB_METRIC_COUNT; i++) {
        const AnbMetric *metric = &anb_metrics()[i];
        size_t n;
        const double *values = anb_diagnostics_values(d, (AnbMetricId)i, &n);
        if (n == 0 || (metric->shape == ANB_OF_PAIR && !pairs))
            continue;
        put_text(&out, i ? "," : "");
        put_json_metric(&out, metric, values, n, d->k);
    }
    if (d->k)
        put_json_names(&out, d);
    if (audit)
        put_json_audit(&out, audit);
    put_text(&out, "}\n");
    return flush(&out);
}

/* Always true for more than 64 experts: comparing would take K times K comparisons for each metric. */
static bool name_is_shared(const AnbDiagnostics *d, size_t i, const char *name)
{
    bool shared = d->k > 64;
    for (size_t j = 0; j < d->k && !shared; j++)
        shared = j != i && strcmp(anb_expert_pool_expert(d->pool, j).name, name) == 0;
    return shared;
}

/* ---- CSV --------------------------------------------------------------------------------------------------------- */

/* Writes what value i of a metric belongs to: an expert's name, with its index behind where two have it; a coverage; a
 * feature's name. Each byte goes through `put`. */
static void put_owner(Out *out, const AnbDiagnostics *d, AnbMetricShape shape, size_t i, void (*put)(Out *, char))
{
    char text[ANB_NUMBER_SIZE + 1] = "";
    const char *name = shape == ANB_OF_FEATURE ? anb_diagnostics_feature(d, i) : text;
    if (shape == ANB_OF_LEVEL)
        anb_number_format(d->level[i], text);
    if (shape == ANB_OF_EXPERT)
        name = anb_expert_pool_expert(d->pool, i).name;
    for (const char *at = name; *at; at++)
        put(out, *at);
    if (shape != ANB_OF_EXPERT || !name_is_shared(d, i, name))
        return;
    put(out, '_');
    put_number(out, (double)i);
}

static void put_csv_byte(Out *out, char c)
{
    put_text(out, c == '"' ? "\"" : "");
    put_bytes(out, &c, 1);
}

/* Whether the name of value i needs quotes. */
static bool is_quoted(const AnbDiagnostics *d, AnbMetricShape shape, size_t i)
{
    const char *name = shape == ANB_OF_EXPERT    ? anb_expert_pool_expert(d->pool, i).name
                       : shape == ANB_OF_FEATURE ? anb_diagnostics_feature(d, i)
                                                 : "";
    return strpbrk(name, ",\"\r\n") != NULL;
}

/* A name that holds a comma, a quote or a line's end stands in quotes. */
static void put_csv_column(Out *out, const AnbDiagnostics *d, const AnbMetric *metric, size_t i)
{
    bool quoted = is_quoted(d, metric->shape, i);
    put_text(out, quoted ? "\"" : "");
    put_text(out, metric->name);
    if (is_list(metric->shape)) {
        put_text(out, ".");
        put_owner(out, d, metric->shape, i, put_csv_byte);
    }
    put_text(out, quoted ? "\"" : "");
}

static void put_csv_audit_head(Out *out, const AnbAudit *audit)
{
    static const char *const ends[] = {".lower", ".upper", ".severity"};
    for (int i = 0; i < ANB_AUDIT_METRIC_COUNT; i++) {
        put_text(out, ",audit.");
        put_text(out, anb_audit_metric_name((AnbAuditMetric)i));
    }
    for (size_t i = 0; i < 3 * anb_audit_n_rules(audit); i++) {
        put_text(out, ",rule.");
        put_text(out, anb_audit_rule_name(audit, i / 3));
        put_text(out, ends[i % 3]);
    }
}

static void put_csv_audit(Out *out, const AnbAudit *audit)
{
    bool stepped = anb_audit_history(audit) > 0;
    for (int i = 0; i < ANB_AUDIT_METRIC_COUNT; i++) {
        put_text(out, ",");
        if (stepped)
            put_number(out, anb_audit_step(audit, 0).metric[i]);
    }
    for (size_t i = 0; i < 3 * anb_audit_n_rules(audit); i++) {
        AnbTruth truth = anb_audit_truth(audit, i / 3);
        put_text(out, ",");
        put_number(out, i % 3 == 0 ? truth.lower : i % 3 == 1 ? truth.upper : anb_audit_severity(audit, i / 3));
    }
}

int anb_diagnostics_csv_head(AnbDiagnostics *d, const AnbAudit *audit, AnbWrite write, void *context)
{
    if (!d)
        return ANB_E_ARGUMENT;
    Out out = out_to(write, context);
    for (int i = 0; i < ANB_METRIC_COUNT; i++) {
        const AnbMetric *metric = &anb_metrics()[i];
        size_t n;
        anb_diagnostics_values(d, (AnbMetricId)i, &n);
        for (size_t j = 0; j < n && metric->shape != ANB_OF_PAIR; j++) {
            put_text(&out, i ? "," : "");
            put_csv_column(&out, d, metric, j);
        }
    }
    if (audit)
        put_csv_audit_head(&out, audit);
    put_text(&out, "\n");
    return flush(&out);
}

int anb_diagnostics_csv(AnbDiagnostics *d, const AnbAudit *audit, AnbWrite write, void *context)
{
    if (!d)
        return ANB_E_ARGUMENT;
    Out out = out_to(write, context);
    for (int i = 0; i < ANB_METRIC_COUNT; i++) {
        size_t n;
        const double *values = anb_diagnostics_values(d, (AnbMetricId)i, &n);
        for (size_t j = 0; j < n && anb_metrics()[i].shape != ANB_OF_PAIR; j++) {
            put_text(&out, i ? "," : "");
            if (is_number(values[j]))
                put_number(&out, values[j]);
        }
    }
    if (audit)
        put_csv_audit(&out, audit);
    put_text(&out, "\n");
    return flush(&out);
}

/* ---- Prometheus -------------------------------------------------------------------------------------------------- */

static void put_head(Out *out, const AnbMetric *metric)
{
    const char *suffix = metric->type == ANB_COUNTER ? "_total" : "";
    const char *type = metric->type == ANB_COUNTER ? " counter\n" : " gauge\n";
    const char *const words[] = {"# HELP anabranch_", metric->name, suffix,       " ",
                                 metric->meaning,     " (",         metric->unit, ")\n# TYPE anabranch_",
                                 metric->name,        suffix,       type,         NULL};
    for (const char *const *word = words; *word; word++)
        put_text(out, *word);
}

static void put_label_byte(Out *out, char c)
{
    if (c == '\n') {
        put_text(out, "\\n");
        return;
    }
    put_text(out, c == '"' || c == '\\' ? "\\" : "");
    put_bytes(out, &c, 1);
}

static void put_labels(Out *out, const AnbMetric *metric, const AnbMetricsOf *of, size_t i)
{
    const char *label = metric->shape == ANB_OF_EXPERT  ? "expert=\""
                        : metric->shape == ANB_OF_LEVEL ? "coverage=\""
                                                        : "feature=\"";
    bool several = is_list(metric->shape);
    if (!of->name && !several)
        return;
    put_text(out, of->name ? "{model=\"" : "{");
    for (const char *at = of->name; at && *at; at++)
        put_label_byte(out, *at);
    put_text(out, of->name ? "\"" : "");
    if (several) {
        put_text(out, of->name ? "," : "");
        put_text(out, label);
        put_owner(out, of->diagnostics, metric->shape, i, put_label_byte);
        put_text(out, "\"");
    }
    put_text(out, "}");
}

static void put_sample(Out *out, const AnbMetric *metric, const AnbMetricsOf *of, size_t i, double value)
{
    put_text(out, "anabranch_");
    put_text(out, metric->name);
    put_text(out, metric->type == ANB_COUNTER ? "_total" : "");
    put_labels(out, metric, of, i);
    put_text(out, " ");
    put_number(out, value);
    put_text(out, "\n");
}

/* Each returns how many values a model has of a metric; one value goes into the room. */
static size_t of_model(const AnbMetricsOf *of, int id, double *room)
{
    double counts[ANB_METRIC_STATE_BYTES + 1];
    anb_derive_counters(anb_counters(of->model), (double)anb_state_bytes(of->model), counts);
    *room = id == ANB_METRIC_WAITING ? (double)anb_n_pending(of->model) : counts[id];
    return 1;
}

static size_t of_server(const AnbMetricsOf *of, int id, double *room)
{
    if (!of->server)
        return 0;
    *room = id == ANB_METRIC_PUBLISHED     ? (double)anb_serve_version(of->server)
            : id == ANB_METRIC_VERSION_AGE ? anb_serve_age(of->server)
                                           : (double)anb_serve_unpublished(of->server);
    return 1;
}

static size_t values_of(const AnbMetricsOf *of, int id, double *room, const double **values)
{
    size_t n = 0;
    *values = room;
    if (id <= ANB_METRIC_STATE_BYTES || id == ANB_METRIC_WAITING)
        return of_model(of, id, room);
    if (anb_metrics()[id].shape == ANB_OF_SERVER)
        return of_server(of, id, room);
    if (of->diagnostics && anb_metrics()[id].shape != ANB_OF_PAIR)
        *values = anb_diagnostics_values(of->diagnostics, (AnbMetricId)id, &n);
    return n;
}

/* One metric of all models, behind one head. */
static void put_series(Out *out, const AnbMetricsOf *models, size_t n, int id)
{
    const AnbMetric *metric = &anb_metrics()[id];
    size_t present = 0;
    for (size_t m = 0; m < n; m++) {
        double room;
        const double *values;
        size_t many = values_of(&models[m], id, &room, &values);
        for (size_t i = 0; i < many; i++) {
            if (!is_number(values[i]))
                continue;
            if (present++ == 0)
                put_head(out, metric);
            put_sample(out, metric, &models[m], i, values[i]);
        }
    }
}

int anb_metrics_prometheus_of(const AnbMetricsOf *models, size_t n, AnbWrite write, void *context)
{
    if (n > 0 && !models)
        return ANB_E_ARGUMENT;
    for (size_t i = 0; i < n; i++)
        if (!models[i].model)
            return ANB_E_ARGUMENT;
    Out out = out_to(write, context);
    for (int id = 0; id < ANB_METRIC_COUNT; id++)
        put_series(&out, models, n, id);
    return flush(&out);
}

int anb_metrics_prometheus(const StreamingLearner *model, AnbDiagnostics *d, AnbWrite write, void *context)
{
    AnbMetricsOf one = {NULL, model, d, NULL};
    return anb_metrics_prometheus_of(&one, 1, write, context);
}
