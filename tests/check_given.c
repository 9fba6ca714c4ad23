/*
 * What is NULL, and may not be, is refused with ANB_E_ARGUMENT by what makes something or returns a code: models,
 * trees, texts, paths, functions, arrays of more than no entries. What an index or an allocator lacks, likewise.
 */
#include "made.h"
#include <anabranch/anabranch.h>
#include <string.h>

enum { D = 2 };

/* Nothing was made, for the reason that something is missing. */
static void assert_refused(const void *made, AnbError *error)
{
    ck_assert_ptr_null(made);
    ck_assert_int_eq(error->code, ANB_E_ARGUMENT);
    ck_assert_uint_gt(strlen(error->message), 0);
    *error = (AnbError){0};
}

START_TEST(no_model)
{
    AnbError error = {0};
    assert_refused(anb_clone(NULL, &error), &error);
    assert_refused(anb_reader_new(NULL, &error), &error);
    assert_refused(anb_diagnostics_new(NULL, NULL, &error), &error);
    assert_refused(anb_audit_new(NULL, NULL, NULL, NULL, &error), &error);
    assert_refused(anb_explainer_new(NULL, NULL, &error), &error);
    assert_refused(anb_importance_new(NULL, NULL, &error), &error);
    assert_refused(anb_expert_pool_new(NULL, &error), &error);
    assert_refused(anb_superposition_of_model(NULL, &error), &error);
    assert_refused(anb_serve_new(NULL, 64, &error), &error);
    assert_refused(anb_serve_reader_new(NULL, &error), &error);
    assert_refused(anb_serve_clone(NULL, &error), &error);
    assert_refused(anb_save_aside(NULL, NULL, "given.anb", &error), &error);
    assert_refused(anb_widen(NULL, NULL, NULL, &error), &error);
    assert_refused(anb_snapshot_model(NULL, NULL, &error), &error);
    ck_assert_int_eq(anb_save(NULL, NULL, "given.anb", &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_serve_save(NULL, NULL, "given.anb", &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_use_threads(NULL, 2, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_source_add(NULL, "a", 1, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_set_schema(NULL, NULL, &error), ANB_E_ARGUMENT);
    ck_assert_uint_eq(anb_snapshot_size(NULL, NULL), 0);
}
END_TEST

START_TEST(no_tree)
{
    AnbError error = {0};
    const AnbExpert one = {.type = &anb_scale, .n_children = 1};
    assert_refused(anb_new(D, &one, NULL, &error), &error);
    assert_refused(anb_moe_new(D, NULL, 2, &error), &error);
    assert_refused(anb_schema_new(NULL, 3, NULL, &error), &error);
    assert_refused(anb_superposition_new(2, NULL, &error), &error);
    const AnbMatrix empty = {2, 2, 2, NULL}, narrow = {2, 2, 1, (double[4]){0}};
    assert_refused(anb_superposition_new(1, &empty, &error), &error);
    ck_assert_ptr_null(anb_superposition_new(1, &narrow, &error));
    ck_assert_str_eq(error.message, "matrix 0: its stride is below its columns");
}
END_TEST

START_TEST(no_text)
{
    AnbError error = {0};
    AnbMixture mixture;
    char name[ANB_FEATURE_NAME];
    StreamingLearner *model = made(D, "moe(linear, mean)");
    AnbSchema *schema = anb_schema_parse("a b", NULL, &error);
    assert_refused(anb_schema_parse(NULL, NULL, &error), &error);
    assert_refused(anb_parse_schema(NULL, "mean", NULL, &error), &error);
    assert_refused(anb_parse_schema(schema, NULL, NULL, &error), &error);
    assert_refused(anb_widen(model, NULL, NULL, &error), &error);
    assert_refused(anb_category_names_new(NULL, &error), &error);
    ck_assert_int_eq(anb_mixture_at(model, NULL, &mixture), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_feature_name(model, NULL, 0, NULL, name, sizeof name), ANB_E_ARGUMENT);
    ck_assert_ptr_null(anb_expert_name_at(model, NULL, 0));
    anb_schema_drop(schema);
    anb_free(model);
}
END_TEST

/* An empty one is a file that is not there, and the message says so. */
START_TEST(no_path)
{
    AnbError error = {0};
    StreamingLearner *model = made(D, "linear");
    assert_refused(anb_load(NULL, NULL, &error), &error);
    assert_refused(anb_save_aside(model, NULL, NULL, &error), &error);
    ck_assert_int_eq(anb_save(model, NULL, NULL, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_save(model, NULL, "", &error), ANB_E_IO);
    ck_assert_str_eq(error.message, "no path to save to");
    ck_assert_ptr_null(anb_load("", NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_IO);
    ck_assert_str_eq(error.message, "no path to load from");
    anb_free(model);
}
END_TEST

/* Extras that say how many notes there are, and have none. */
START_TEST(no_notes)
{
    AnbError error = {0};
    StreamingLearner *model = made(D, "linear");
    const AnbSnapshotExtras extras = {.n_notes = 3};
    ck_assert_int_eq(anb_save(model, &extras, "given.anb", &error), ANB_E_ARGUMENT);
    assert_refused(anb_save_aside(model, &extras, "given.anb", &error), &error);
    ck_assert_uint_eq(anb_snapshot_size(model, &extras), 0);
    anb_free(model);
}
END_TEST

/* Read-outs of no model, into no place. */
START_TEST(nothing_to_read)
{
    AnbAnswer answer = {0};
    AnbMixture mixture;
    AnbMixtureSummary summary;
    AnbGateWeights weights;
    AnbDriftView drift;
    double low, high;
    StreamingLearner *model = made(D, "interval(drift(moe(linear, mean)))");
    ck_assert_int_eq(anb_last_answer(NULL, &answer), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_last_answer(model, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_answer_interval(NULL, &answer, .9, &low, &high), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_answer_interval(model, NULL, .9, &low, &high), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_answer_interval(model, &answer, .9, NULL, &high), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_answer_interval(model, &answer, .9, &low, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_mixture(NULL, &mixture), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_mixture(model, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_mixture_at(NULL, "", &mixture), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_mixture_at(model, "", NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_mixture_summary(NULL, &summary), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_mixture_summary(model, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_gate_weights(NULL, &weights), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_gate_weights(model, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_drift_view(NULL, &drift), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_drift_view(model, NULL), ANB_E_ARGUMENT);
    anb_free(model);
}
END_TEST

/* Names without a text, a model or a place. */
START_TEST(nothing_to_name)
{
    AnbError error = {0};
    AnbLoss loss;
    AnbColumn column = {0};
    char name[ANB_FEATURE_NAME];
    StreamingLearner *model = made(D, "moe(mlp, mean)");
    AnbSchema *schema = anb_schema_parse("a b", NULL, NULL);
    AnbSuperposition *units = anb_superposition_of_model(model, NULL);
    ck_assert_int_eq(anb_feature_name(NULL, "", 0, NULL, name, sizeof name), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_feature_name(model, "", 0, NULL, NULL, sizeof name), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_feature_name(model, "", 0, NULL, NULL, 0), 2);
    ck_assert_int_eq(anb_superposition_feature_name(NULL, model, 0, 0, NULL, name, sizeof name), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_superposition_feature_name(units, NULL, 0, 0, NULL, name, sizeof name), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_superposition_feature_name(units, model, 0, 0, NULL, NULL, 1), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_expert_pool_set_name(NULL, 0, "a"), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_source_find(NULL, "a", 1), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_source_find(model, NULL, 1), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_schema_find(NULL, "a", 1), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_schema_find(schema, NULL, 1), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_column_kind(NULL, 4, &column), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_column_kind("time", 4, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_metric_find(NULL, 4), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_loss_parse(NULL, &loss), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_loss_parse("squared", NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, NULL, 1 << 20, &error), ANB_E_ARGUMENT);
    anb_superposition_free(units);
    anb_schema_drop(schema);
    anb_free(model);
}
END_TEST

static int write_nothing(void *context, const void *bytes, size_t size)
{
    (void)context, (void)bytes, (void)size;
    return 0;
}

/* Metrics and explanations of no model, kinds of columns of no text. */
START_TEST(nothing_to_say)
{
    AnbRuns runs;
    AnbExplanation why = {0};
    StreamingLearner *model = made(D, "linear");
    AnbExplainer *explainer = anb_explainer_new(model, NULL, NULL);
    ck_assert_int_eq(anb_metrics_prometheus(NULL, NULL, write_nothing, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_metrics_prometheus_of(NULL, 1, write_nothing, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_metrics_prometheus(model, NULL, write_nothing, NULL), 0);
    ck_assert_int_eq(anb_explain(explainer, NULL, (double[D]){0}, &why), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_explain(explainer, model, NULL, &why), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_explainer_take(explainer, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_explainer_keep(NULL, (double[D]){0}), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_explainer_keep(explainer, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_explain_served(explainer, NULL, (double[D]){0}, &why), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_diagnostics_json(NULL, NULL, false, write_nothing, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_diagnostics_csv_head(NULL, NULL, write_nothing, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_diagnostics_csv(NULL, NULL, write_nothing, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_runs_parse(NULL, 3, "nc", &runs), ANB_E_ARGUMENT);
    anb_explainer_free(explainer);
    anb_free(model);
}
END_TEST

START_TEST(no_function)
{
    AnbError error = {0};
    StreamingLearner *model = made(D, "moe(linear, mean)");
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, &error);
    AnbServer *server = anb_serve_new(model, 64, &error);
    AnbServeReader *reader = anb_serve_reader_new(server, &error);
    ck_assert_int_eq(anb_metrics_prometheus(model, d, NULL, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_diagnostics_json(d, NULL, true, NULL, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_diagnostics_csv_head(d, NULL, NULL, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_diagnostics_csv(d, NULL, NULL, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_snapshot_write(model, NULL, NULL, NULL, &error), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_serve_attach(server, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_serve_attach(NULL, anb_diagnostics_observer(d)), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_serve_learn(NULL, &(AnbServeSample){0}, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_serve_learn(server, NULL, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_serve_look(reader, NULL, NULL), ANB_E_ARGUMENT);
    ck_assert_ptr_eq(anb_relocate(model, NULL, NULL), model);
    anb_serve_reader_free(reader);
    anb_serve_free(server);
    anb_diagnostics_free(d);
    anb_free(model);
}
END_TEST

static void *no_memory(size_t size, void *context)
{
    (void)size, (void)context;
    return NULL;
}

START_TEST(half_an_allocator)
{
    AnbError error = {0};
    const AnbAllocator half = {.alloc = no_memory};
    AnbModelOptions options = anb_model_defaults();
    AnbSchemaOptions cells = anb_schema_defaults();
    options.allocator = cells.allocator = &half;
    assert_refused(anb_parse(D, "linear", &options, &error), &error);
    assert_refused(anb_schema_parse("a b", &cells, &error), &error);
}
END_TEST

START_TEST(no_pool)
{
    StreamingLearner *model = made(D, "linear"), *models[] = {model};
    const double x[D] = {1, 2}, *rows[] = {x};
    double out[1] = {0};
    ck_assert_int_eq(anb_pool_train(NULL, models, rows, x, NULL, 1, out), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_pool_predict(NULL, models, rows, 1, out), ANB_E_ARGUMENT);
    AnbPool *pool = anb_pool_new(1, NULL);
    ck_assert_int_eq(anb_pool_train(pool, NULL, rows, x, NULL, 1, out), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_pool_predict(pool, models, NULL, 1, out), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_pool_predict(pool, models, rows, 1, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_pool_train(pool, models, rows, NULL, NULL, 1, out), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_pool_predict(pool, NULL, NULL, 0, NULL), 0); /* as of empty vectors in C++ */
    ck_assert_int_eq(anb_pool_train(pool, NULL, NULL, NULL, NULL, 0, NULL), 0);
    anb_pool_free(pool);
    ck_assert_uint_eq(anb_n_samples_seen(model), 0);
    anb_free(model);
}
END_TEST

/* Behind the last rule, the last metric. */
START_TEST(no_such_index)
{
    size_t n = 7;
    StreamingLearner *model = made(D, "moe(linear, mean)");
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    AnbAudit *audit = anb_audit_new(model, NULL, NULL, NULL, NULL);
    ck_assert_ptr_null(anb_diagnostics_values(d, ANB_METRIC_COUNT, &n));
    ck_assert_uint_eq(n, 0);
    ck_assert_double_nan(anb_diagnostics_value(d, ANB_METRIC_COUNT));
    ck_assert_ptr_null(anb_audit_rule_name(audit, 99));
    ck_assert_double_eq(anb_audit_rule_weight(audit, 99), 0);
    ck_assert_double_eq(anb_audit_severity(audit, 99), 0);
    ck_assert_double_eq(anb_audit_truth(audit, 99).upper, 1);
    ck_assert(!anb_audit_alarmed(audit, 99));
    anb_audit_free(audit);
    anb_diagnostics_free(d);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("given");
    TCase *tests = case_of(suite, 10);
    tcase_add_test(tests, no_model);
    tcase_add_test(tests, no_tree);
    tcase_add_test(tests, no_text);
    tcase_add_test(tests, no_path);
    tcase_add_test(tests, no_notes);
    tcase_add_test(tests, nothing_to_read);
    tcase_add_test(tests, nothing_to_name);
    tcase_add_test(tests, nothing_to_say);
    tcase_add_test(tests, no_function);
    tcase_add_test(tests, half_an_allocator);
    tcase_add_test(tests, no_pool);
    tcase_add_test(tests, no_such_index);
    return suite;
}

CHECK_MAIN(suite)
