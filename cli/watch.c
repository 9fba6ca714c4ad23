#include "watch.h"
#include "cli.h"
#include "json.h"
#include "output.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRAM_FEATURES = 64, NETWORKS = 16, RULES = 65536 };

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

/* The file's text, ended by 0, the caller's to free; NULL with the message printed. */
static char *read_rules(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = file ? calloc(1, RULES + 2) : NULL;
    size_t n = text ? fread(text, 1, RULES + 1, file) : 0;
    bool failed = !text || ferror(file) || n > RULES || strlen(text) != n;
    if (failed)
        complain(BAD_USE, "%s: %s", path,
                 file && text && !ferror(file) ? "not a text of at most 64 KiB" : strerror(errno));
    if (file)
        fclose(file);
    if (failed)
        free(text);
    return failed ? NULL : text;
}

static int start_audit(Watch *watch, const char *path, const StreamingLearner *model)
{
    AnbError error = {0};
    char *rules = path ? read_rules(path) : NULL;
    if (path && !rules)
        return BAD_USE;
    watch->audit = anb_audit_new(model, watch->d, rules, NULL, &error);
    free(rules);
    return watch->audit
               ? 0
               : complain(path ? BAD_USE : BAD_DATA, "%s%s%s", path ? path : "", path ? ": " : "", error.message);
}

int watch_start(Watch *watch, const WatchOptions *options, const StreamingLearner *model, const Rows *rows)
{
    AnbMixture mixture;
    AnbError error = {0};
    AnbDiagnosticsOptions how = anb_diagnostics_defaults();
    const char *path = options->path, *rules = options->rules;
    how.importance = (int)options->importance;
    how.features = (const char *const *)rows->names;
    *watch = (Watch){.path = path, .csv = ends_in(path, ".csv"), .every = options->every};
    bool audited = anb_mixture(model, &mixture) == 0;
    if (rules && !audited)
        return complain(BAD_USE, "--rules %s: the learner holds no mixture to audit", rules);
    watch->d = anb_diagnostics_new(model, &how, &error);
    if (!watch->d)
        return complain(BAD_DATA, "%s", error.message);
    int status = audited ? start_audit(watch, rules, model) : 0;
    if (!status && !watch->csv)
        status = evidence_start(&watch->evidence, model, options->explained);
    if (status)
        return status;
    status = output_direct(&watch->file, path);
    if (status)
        return status;
    if (watch->csv)
        anb_diagnostics_csv_head(watch->d, watch->audit, write_to_file, watch->file);
    return 0;
}

static void write_record(Watch *watch)
{
    if (watch->csv)
        anb_diagnostics_csv(watch->d, watch->audit, write_to_file, watch->file);
    else
        anb_diagnostics_json(watch->d, watch->audit, false, write_to_file, watch->file);
    watch->written = watch->seen;
}

void watch_sample(Watch *watch, StreamingLearner *model, const double *x, double y, double prediction, uint64_t row)
{
    if (!watch->file)
        return;
    anb_observe(anb_diagnostics_observer(watch->d), model, x, y, prediction);
    if (watch->audit)
        anb_observe(anb_audit_observer(watch->audit), model, x, y, prediction);
    if (!watch->csv)
        evidence_add(&watch->evidence, watch->d, x, y, prediction, row);
    if (isnan(prediction))
        watch->first_refused = watch->refused++ == 0 ? row : watch->first_refused;
    if (++watch->seen % watch->every == 0)
        write_record(watch);
}

/* ---- the summary ------------------------------------------------------------------------------------------------- */

static void put_list(Json *json, const char *key, const double *value, size_t n)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < n; i++)
        json_number(json, NULL, value[i]);
    json_close(json, ']');
}

static void put_square(Json *json, const char *key, const double *value, size_t n)
{
    json_open(json, key, '[');
    for (size_t i = 0; i < n; i++)
        put_list(json, NULL, value + i * n, n);
    json_close(json, ']');
}

/* The features as a network sees them. */
static void put_features(Json *json, const AnbSuperposition *s, size_t e, const WatchSummary *of)
{
    char name[ANB_FEATURE_NAME];
    size_t n = anb_superposition_features(s);
    json_open(json, "features", '[');
    for (size_t i = 0; i < n; i++) {
        anb_superposition_feature_name(s, of->model, e, i, of->features, name, sizeof name);
        json_text(json, NULL, name);
    }
    json_close(json, ']');
}

static void put_networks(Json *json, const WatchSummary *of)
{
    const StreamingLearner *model = of->model;
    AnbSuperposition *s = anb_superposition_of_model(model, NULL);
    size_t n = s ? anb_superposition_features(s) : 0, networks = s ? anb_superposition_experts(s) : 0;
    json_open(json, "superposition", '[');
    for (size_t e = 0; e < networks && e < NETWORKS && n <= 4096; e++) {
        const char *name = anb_expert_name(model, anb_superposition_expert(s, e));
        json_open(json, NULL, '{');
        json_text(json, "expert", name ? name : "network");
        json_count(json, "hidden", anb_superposition_hidden(s));
        put_features(json, s, e, of);
        put_list(json, "norm", anb_superposition_norms(s, e), n);
        put_list(json, "dimensionality", anb_superposition_dimensionality(s, e), n);
        put_list(json, "polysemanticity", anb_superposition_polysemanticity(s, e), n);
        if (n <= GRAM_FEATURES)
            put_square(json, "gram", anb_superposition_gram(s, e), n);
        json_close(json, '}');
    }
    json_close(json, ']');
    anb_superposition_free(s);
}

/* Rows that could not be read, the first of them by their lines, and rows that the model refused. */
static void put_bad_rows(Json *json, const WatchSummary *of)
{
    uint64_t bad = of->rows ? of->rows->bad : 0;
    json_open(json, "rejected", '{');
    json_count(json, "refused", of->refused);
    json_count(json, "first_refused", of->first_refused);
    json_count(json, "bad", bad);
    json_bool(json, "skipped", of->rows && of->rows->on_bad == SKIP_BAD);
    json_count(json, "left_out", of->rows ? of->rows->left_out : 0);
    json_open(json, "rows", '[');
    for (uint64_t i = 0; i < bad && i < ROWS_NOTED; i++) {
        json_open(json, NULL, '{');
        json_count(json, "line", of->rows->noted[i].line);
        json_text(json, "problem", of->rows->noted[i].problem);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_close(json, '}');
}

void watch_summary(FILE *file, AnbDiagnostics *d, const WatchSummary *of)
{
    enum { CATEGORIES = 10 };
    Json json = {file, false};
    size_t n;
    const double *pairs = anb_diagnostics_values(d, ANB_METRIC_COACTIVATION, &n);
    json_open(&json, NULL, '{');
    json_open(&json, "summary", '{');
    json_text(&json, "version", anb_version());
    json_text(&json, "learner", anb_expression(of->model));
    json_text(&json, "stream", of->stream);
    json_text(&json, "target", of->target ? of->target : "");
    json_open(&json, "features", '[');
    for (size_t i = 0; of->features && i < anb_n_features(of->model); i++)
        json_text(&json, NULL, of->features[i]);
    json_close(&json, ']');
    evidence_json(of->evidence, &json, &of->categories, of->features);
    put_bad_rows(&json, of);
    if (n > 0)
        put_square(&json, "coactivation", pairs, anb_diagnostics_experts(d));
    categories_json(&json, &of->categories, CATEGORIES);
    put_networks(&json, of);
    json_close(&json, '}');
    json_close(&json, '}');
    fputc('\n', file);
}

int watch_end(Watch *watch, const StreamingLearner *model, const Rows *rows, const char *stream)
{
    int status = 0;
    if (watch->file) {
        if (watch->written != watch->seen)
            write_record(watch);
        if (!watch->csv)
            watch_summary(watch->file, watch->d,
                          &(WatchSummary){model,
                                          stream,
                                          rows->names[rows->n_features],
                                          (const char *const *)rows->names,
                                          {model, rows->schema, rows->categories},
                                          &watch->evidence,
                                          rows,
                                          watch->refused,
                                          watch->first_refused});
        status = output_direct_close(watch->file, watch->path);
    }
    evidence_end(&watch->evidence);
    anb_audit_free(watch->audit);
    anb_diagnostics_free(watch->d);
    watch->audit = NULL;
    watch->d = NULL;
    watch->file = NULL;
    return status;
}
