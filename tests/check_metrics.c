/*
 * The metrics as text: what is written is what can be read in memory.
 */
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/interval.h>
#include <anabranch/schema.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Run {
    StreamingLearner *model;
    AnbDiagnostics *d;
    AnbAudit *audit;
} Run;

static Run run_of(int n)
{
    Run run;
    run.model = anb_parse(2, "moe(linear(rate=0.02), linear(rate=0.005), mean, last)", NULL, NULL);
    run.d = anb_diagnostics_new(run.model, NULL, NULL);
    run.audit = anb_audit_new(run.model, run.d, NULL, NULL, NULL);
    for (int t = 0; t < n; t++) {
        double x[2] = {(t * 7) % 11 / 11.0, (t * 5) % 13 / 13.0}, y = 3 * x[0] - x[1];
        double f = anb_train_one(run.model, x, y, 1);
        anb_observe(anb_diagnostics_observer(run.d), run.model, x, y, f);
        anb_observe(anb_audit_observer(run.audit), run.model, x, y, f);
    }
    return run;
}

static void done(Run run)
{
    anb_audit_free(run.audit);
    anb_diagnostics_free(run.d);
    anb_free(run.model);
}

typedef struct Text {
    size_t n;
    char bytes[40000];
} Text;

static int append(void *context, const void *text, size_t n)
{
    Text *to = context;
    ck_assert_uint_lt(to->n + n, sizeof to->bytes);
    memcpy(to->bytes + to->n, text, n);
    to->bytes[to->n += n] = 0;
    return 0;
}

static int refuse(void *context, const void *text, size_t n)
{
    (void)text, (void)n;
    ++*(int *)context;
    return ANB_E_IO;
}

static double number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    ck_assert_msg(at != NULL, "no %s", key);
    return strtod(at + strlen(key), NULL);
}

START_TEST(json)
{
    Run run = run_of(300);
    Text text = {0}, paired = {0};
    ck_assert_int_eq(anb_diagnostics_json(run.d, NULL, false, append, &text), 0);
    ck_assert_int_eq(anb_diagnostics_json(run.d, run.audit, true, append, &paired), 0);
    ck_assert(text.bytes[0] == '{' && strcmp(text.bytes + text.n - 2, "}\n") == 0);
    ck_assert_double_eq(number_after(text.bytes, "\"rmse\":"), anb_diagnostics_value(run.d, ANB_METRIC_RMSE));
    ck_assert_double_eq(number_after(text.bytes, "\"expert_rmse\":["),
                        anb_diagnostics_values(run.d, ANB_METRIC_EXPERT_RMSE, NULL)[0]);
    ck_assert_ptr_nonnull(strstr(text.bytes, "\"expert_name\":[\"linear_0\",\"linear_1\",\"mean_2\",\"last_3\"]"));
    ck_assert_ptr_nonnull(strstr(text.bytes, "null"));
    ck_assert_ptr_null(strstr(text.bytes, "coactivation"));
    ck_assert_double_eq(number_after(paired.bytes, "\"coactivation\":[["), 1);
    ck_assert_ptr_null(strstr(text.bytes, "\"rules\""));
    ck_assert_double_eq(number_after(paired.bytes, "\"routing_stability\":["), anb_audit_truth(run.audit, 2).lower);
    ck_assert_ptr_null(strstr(paired.bytes, "nan"));
    int calls = 0;
    ck_assert_int_eq(anb_diagnostics_json(run.d, NULL, true, refuse, &calls), ANB_E_IO);
    ck_assert_int_eq(calls, 1);
    done(run);
}
END_TEST

START_TEST(csv)
{
    Run run = run_of(300);
    Text head = {0}, line = {0};
    anb_expert_pool_set_name(anb_diagnostics_pool(run.d), 1, "a, \"b\"");
    anb_diagnostics_csv_head(run.d, run.audit, append, &head);
    anb_diagnostics_csv(run.d, run.audit, append, &line);
    ck_assert_ptr_nonnull(strstr(head.bytes, ",expert_rmse.linear_0,\"expert_rmse.a, \"\"b\"\"\",expert_rmse.mean_2,"));
    ck_assert_ptr_nonnull(strstr(head.bytes, ",audit.loss,"));
    ck_assert_ptr_nonnull(strstr(head.bytes, ",rule.routing_stability.severity,"));
    size_t columns = 0, cells = 0;
    bool quoted = false;
    for (const char *at = head.bytes; *at; at++) {
        quoted ^= *at == '"';
        columns += *at == ',' && !quoted;
    }
    for (const char *at = line.bytes; *at; at++)
        cells += *at == ',';
    ck_assert_uint_eq(columns, cells);
    ck_assert_double_eq(strtod(line.bytes, NULL), 300);
    Text twins = {0}; /* no two columns have one name */
    anb_expert_pool_set_name(anb_diagnostics_pool(run.d), 0, "twin");
    anb_expert_pool_set_name(anb_diagnostics_pool(run.d), 2, "twin");
    anb_diagnostics_csv_head(run.d, NULL, append, &twins);
    ck_assert_ptr_nonnull(strstr(twins.bytes, ",expert_rmse.twin_0,\"expert_rmse.a, \"\"b\"\"\",expert_rmse.twin_2,"));
    done(run);
}
END_TEST

START_TEST(prometheus)
{
    Run run = run_of(300);
    Text text = {0}, bare = {0};
    anb_expert_pool_set_name(anb_diagnostics_pool(run.d), 0, "twin");
    anb_expert_pool_set_name(anb_diagnostics_pool(run.d), 1, "twin");
    anb_expert_pool_set_name(anb_diagnostics_pool(run.d), 2, "q\"\\\n");
    anb_metrics_prometheus(run.model, run.d, append, &text);
    anb_metrics_prometheus(run.model, NULL, append, &bare);
    ck_assert_double_eq(number_after(text.bytes, "\nanabranch_samples_total "), 300);
    ck_assert_ptr_nonnull(strstr(text.bytes, "# TYPE anabranch_samples_total counter\n"));
    ck_assert_ptr_nonnull(strstr(text.bytes, "# TYPE anabranch_expert_rmse gauge\n"));
    ck_assert_ptr_nonnull(strstr(text.bytes, "anabranch_expert_load{expert=\"twin_1\"} "));
    ck_assert_ptr_nonnull(strstr(text.bytes, "anabranch_expert_load{expert=\"q\\\"\\\\\\n\"} "));
    ck_assert_ptr_null(strstr(text.bytes, "nan"));
    ck_assert_ptr_nonnull(strstr(bare.bytes, "anabranch_state_bytes "));
    ck_assert_ptr_null(strstr(bare.bytes, "rmse"));
    done(run);
}
END_TEST

/* ---- intervals and features -------------------------------------------------------------------------------------- */

static Run run_with_features(const char *const *features)
{
    AnbDiagnosticsOptions options = anb_diagnostics_defaults();
    options.importance = 1;
    options.features = features;
    Run run = {anb_parse(3, "interval(scale(rls), coverage=[0.8, 0.95])", NULL, NULL), NULL, NULL};
    run.d = anb_diagnostics_new(run.model, &options, NULL);
    for (int t = 0; t < 3000; t++) {
        double x[3] = {(t * 7) % 11 / 11.0, (t * 5) % 13 / 13.0, (t * 3) % 17 / 17.0};
        double y = 3 * x[0] - x[1] + .2 * ((t * 37) % 101 / 101.0);
        double low, high, kept;
        anb_predict_interval(run.model, x, .8, &low, &high);
        anb_observe(anb_diagnostics_observer(run.d), run.model, x, y, anb_train_one(run.model, x, y, 1));
        kept = anb_diagnostics_values(run.d, ANB_METRIC_INTERVAL_LOW, NULL)[0];
        ck_assert(kept == low); /* what was answered before the row was learned */
    }
    return run;
}

START_TEST(levels_and_features)
{
    const char *const names[] = {"tem\"p", "twin", "twin"};
    Run run = run_with_features(names);
    Text record = {0}, head = {0}, line = {0}, text = {0};
    size_t n;
    const double *coverage = anb_diagnostics_values(run.d, ANB_METRIC_INTERVAL_COVERAGE_OVERALL, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_double_eq_tol(coverage[0], .8, .03);
    ck_assert_double_eq_tol(coverage[1], .95, .03);
    const double *importance = anb_diagnostics_values(run.d, ANB_METRIC_FEATURE_IMPORTANCE, &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_double_eq_tol(importance[0], 2 * 9 * 120 / 1452., .3); /* 2 w^2 Var x */
    ck_assert_double_eq_tol(importance[2], 0, .02);
    anb_diagnostics_json(run.d, NULL, false, append, &record);
    ck_assert_double_eq(number_after(record.bytes, "\"feature_importance\":["), importance[0]);
    ck_assert_double_eq(number_after(record.bytes, "\"interval_coverage_overall\":["), coverage[0]);
    ck_assert_ptr_nonnull(strstr(record.bytes, "\"feature_changed\":[null,null,null]"));
    anb_diagnostics_csv_head(run.d, NULL, append, &head);
    anb_diagnostics_csv(run.d, NULL, append, &line);
    ck_assert_ptr_nonnull(strstr(head.bytes, ",interval_low.0.8,interval_low.0.95,"));
    ck_assert_ptr_nonnull(strstr(head.bytes, ",\"feature_sage.tem\"\"p\",feature_sage.twin_2,feature_sage.twin_3,"));
    anb_metrics_prometheus(run.model, run.d, append, &text);
    ck_assert_double_eq(number_after(text.bytes, "anabranch_feature_importance{feature=\"tem\\\"p\"} "), importance[0]);
    ck_assert_double_eq(number_after(text.bytes, "anabranch_interval_coverage_overall{coverage=\"0.95\"} "),
                        coverage[1]);
    ck_assert_str_eq(anb_diagnostics_feature(run.d, 1), "twin_2");
    done(run);
}
END_TEST

START_TEST(names_of_features)
{
    AnbSchema *schema = anb_schema_parse("distance carrier:category x", NULL, NULL);
    StreamingLearner *model = anb_parse_schema(schema, "scale(rls)", NULL, NULL);
    AnbDiagnosticsOptions options = anb_diagnostics_defaults();
    options.importance = 5;
    AnbDiagnostics *d = anb_diagnostics_new(model, &options, NULL), *plain = anb_diagnostics_new(model, NULL, NULL);
    ck_assert_str_eq(anb_diagnostics_feature(d, 1), "carrier");
    ck_assert_ptr_null(anb_diagnostics_feature(plain, 1));
    anb_diagnostics_free(d);
    anb_diagnostics_free(plain);
    options.importance = -1;
    ck_assert_ptr_null(anb_diagnostics_new(model, &options, NULL));
    anb_free(model);
    anb_schema_drop(schema);
    Run run = run_with_features(NULL);
    ck_assert_str_eq(anb_diagnostics_feature(run.d, 2), "x3");
    anb_diagnostics_reset(run.d);
    ck_assert(anb_diagnostics_values(run.d, ANB_METRIC_FEATURE_SAGE, NULL)[0] !=
              anb_diagnostics_values(run.d, ANB_METRIC_FEATURE_SAGE, NULL)[0]);
    done(run);
}
END_TEST

/* Two models in one text: every metric has one head, and its lines behind it. */
START_TEST(prometheus_of_several)
{
    Run run = run_of(300);
    StreamingLearner *bounded = anb_parse(1, "pending(interval(mean, coverage=[0.5, 0.9]))", NULL, NULL);
    AnbServer *server = anb_serve_new(bounded, 10, NULL);
    AnbDiagnostics *d = anb_diagnostics_new(bounded, NULL, NULL);
    Text text = {0};
    double x = 0;
    anb_serve_attach(server, anb_diagnostics_observer(d));
    for (int t = 0; t < 25; t++)
        anb_serve_train(server, &x, t % 2, 1);
    anb_serve_predict_pending(server, 7, &x);
    AnbMetricsOf models[] = {{"a \"b\"", run.model, run.d, NULL}, {"served", anb_serve_model(server), d, server}};
    ck_assert_int_eq(anb_metrics_prometheus_of(models, 2, append, &text), 0);
    ck_assert_double_eq(number_after(text.bytes, "\nanabranch_samples_total{model=\"a \\\"b\\\"\"} "), 300);
    ck_assert_double_eq(number_after(text.bytes, "\nanabranch_samples_total{model=\"served\"} "), 25);
    ck_assert_double_eq(number_after(text.bytes, "\nanabranch_waiting{model=\"served\"} "), 1);
    ck_assert_double_eq(number_after(text.bytes, "\nanabranch_published_total{model=\"served\"} "), 2);
    ck_assert_double_eq(number_after(text.bytes, "\nanabranch_unpublished{model=\"served\"} "), 6);
    ck_assert(number_after(text.bytes, "\nanabranch_version_age{model=\"served\"} ") >= 0);
    ck_assert(number_after(text.bytes, "\nanabranch_interval_width{model=\"served\",coverage=\"0.5\"} ") > 0);
    ck_assert_ptr_nonnull(strstr(text.bytes, "anabranch_expert_load{model=\"a \\\"b\\\"\",expert=\"linear_0\"} "));
    ck_assert_ptr_null(strstr(text.bytes, "anabranch_published_total{model=\"a"));
    for (const char *head = strstr(text.bytes, "# TYPE "); head; head = strstr(head + 1, "# TYPE ")) {
        char line[120] = {0};
        sscanf(head, "%119[^\n]", line);
        ck_assert_msg(!strstr(head + 1, line), "%s comes twice", line);
    }
    anb_diagnostics_free(d);
    anb_serve_free(server);
    anb_free(bounded);
    done(run);
}
END_TEST

START_TEST(registry)
{
    for (int i = 0; i < ANB_METRIC_COUNT; i++) {
        const AnbMetric *m = &anb_metrics()[i];
        ck_assert_int_eq(anb_metric_find(m->name, strlen(m->name)), i);
        ck_assert(m->meaning[0] && m->unit[0]);
    }
    ck_assert_int_eq(anb_metric_find("rmsee", 5), ANB_E_UNKNOWN);
    ck_assert_int_eq(anb_metric_find("rmsee", 4), ANB_METRIC_RMSE);
    AnbDiagnosticsOptions options = anb_diagnostics_defaults();
    options.span = 0;
    StreamingLearner *model = anb_parse(1, "mean", NULL, NULL);
    ck_assert_ptr_null(anb_diagnostics_new(model, &options, NULL));
    anb_free(model);
    anb_diagnostics_free(NULL);
    anb_expert_pool_free(NULL);
}
END_TEST

/* Every metric has its line in the document. */
START_TEST(documented)
{
    static char text[100000];
    char path[1024], quoted[80];
    const char *root = getenv("ANB_SOURCE_ROOT");
    snprintf(path, sizeof path, "%s/docs/diagnostics.md", root ? root : "..");
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 1000);
    fclose(file);
    for (int i = 0; i < ANB_METRIC_COUNT; i++) {
        snprintf(quoted, sizeof quoted, "`%s`", anb_metrics()[i].name);
        ck_assert_msg(strstr(text, quoted) != NULL, "docs/diagnostics.md does not say what %s is", quoted);
    }
}
END_TEST

static Suite *metrics_suite(void)
{
    Suite *suite = suite_create("metrics");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, json);
    tcase_add_test(tests, csv);
    tcase_add_test(tests, prometheus);
    tcase_add_test(tests, levels_and_features);
    tcase_add_test(tests, names_of_features);
    tcase_add_test(tests, prometheus_of_several);
    tcase_add_test(tests, registry);
    tcase_add_test(tests, documented);
    return suite;
}

CHECK_MAIN(metrics_suite)
