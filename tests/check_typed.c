#include "suite.h"
#include "reload.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char flights[] = "distance carrier:category \"tail no\":code when:time late:boolean note:ignored";

static AnbSchema *schema_of(const char *text)
{
    AnbError error;
    AnbSchema *schema = anb_schema_parse(text, NULL, &error);
    ck_assert_msg(schema != NULL, "%s", error.message);
    return schema;
}

static StreamingLearner *model_of(const char *schema_text, const char *expression)
{
    AnbError error;
    AnbSchema *schema = schema_of(schema_text);
    StreamingLearner *model = anb_parse_schema(schema, expression, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", expression, error.message);
    anb_schema_drop(schema); /* the model has its own reference */
    return model;
}

START_TEST(columns_come_where_rows_are_read)
{
    static const struct {
        const char *schema, *given, *made;
    } cases[] = {
        {flights, "scale(rls)", "columns(scale(rls), kinds=\"n c k t n x\")"},
        {flights, "guard(scale(rls))", "guard(columns(scale(rls), kinds=\"n c k t n x\"))"},
        {flights, "pending(interval(guard(scale(rls))))",
         "pending(interval(guard(columns(scale(rls), kinds=\"n c k t n x\"))))"},
        {flights, "moe(linear, mean)", "columns(moe(linear, mean), kinds=\"n c k t n x\")"},
        {flights, "guard(columns(rls, kinds=\"n c c t 2x\"))", "guard(columns(rls, kinds=\"n 2c t 2x\"))"},
        {"a b:boolean c", "scale(rls)", "scale(rls)"},
        {flights, "narrow(scale(rls), of=\"y 2n y y n\")",
         "narrow(columns(scale(rls), kinds=\"n t n\"), of=\"y 2n 2y n\")"},
        {flights, "narrow(scale(rls), of=\"y 3n y n\")", "narrow(scale(rls), of=\"y 3n y n\")"},
        {flights, "guard(columns(rls))", "guard(columns(rls, kinds=\"n c k t n x\"))"},
        {flights, "narrow(columns(rls, slots=64), of=\"2y n y 2n\")",
         "narrow(columns(rls, kinds=\"n c t\", slots=64), of=\"2y n y 2n\")"},
        {flights, "rff(linear)", "columns(rff(linear), kinds=\"n c k t n x\")"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        StreamingLearner *model = model_of(cases[i].schema, cases[i].given);
        ck_assert_str_eq(anb_expression(model), cases[i].made);
        anb_free(model);
    }
}
END_TEST

/* A preset is chosen for the row that its learners will see. */
START_TEST(presets_know_the_wider_row)
{
    StreamingLearner *narrow = model_of("a b c d e f g h i j k l", "auto(budget=50)");
    StreamingLearner *typed =
        model_of("a:category b:category c:category d:category e f g h i j k l", "auto(budget=50)");
    ck_assert(strstr(anb_expression(narrow), "poly(") && !strstr(anb_expression(typed), "poly("));
    ck_assert_int_eq(strncmp(anb_expression(typed), "columns(jumps(season(", 21), 0);
    anb_free(narrow);
    anb_free(typed);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static const char *const bad[] = {"guard(columns(rls, kinds=\"2n k t n x\"))",
                                      "columns(rls, kinds=\"n c k n n x\")", "columns(rls, kinds=\"5n\")"};
    AnbSchema *schema = schema_of(flights), *numbers = schema_of("a b");
    AnbError error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert(!anb_parse_schema(schema, bad[i], NULL, &error) && error.code == ANB_E_ARGUMENT);
    StreamingLearner *model = anb_parse(6, "guard(scale(rls))", NULL, NULL);
    ck_assert_int_eq(anb_set_schema(model, schema, &error), ANB_E_ARGUMENT);
    ck_assert_str_eq(error.message, "scale would read column 2 (carrier), a category, as if it were a number: put "
                                    "columns(...) around it");
    ck_assert(anb_set_schema(model, numbers, &error) == ANB_E_ARGUMENT && anb_model_schema(model) == NULL);
    anb_free(model);
    model = anb_parse(6, "guard(mean)", NULL, NULL);
    ck_assert(anb_set_schema(model, schema, &error) == 0 && anb_model_schema(model) == schema);
    ck_assert(anb_set_schema(model, NULL, &error) == 0 && anb_model_schema(model) == NULL);
    anb_free(model);
    anb_schema_drop(schema);
    anb_schema_drop(numbers);
}
END_TEST

START_TEST(a_loaded_model_has_its_schema)
{
    StreamingLearner *model = model_of(flights, "scale(rls)");
    const AnbCell cells[] = {{"719", 3}, {"UA", 2}, {"17", 2}, {"2013-01-05", 10}, {"no", 2}, {"x", 1}};
    double x[6];
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(anb_schema_row(anb_model_schema(model), cells, 6, x, NULL), 0);
        anb_train_one(model, x, i % 5, 1);
    }
    StreamingLearner *clone = anb_clone(model, NULL), *again = reloaded(clone, NULL), *third = reloaded(again, NULL);
    ck_assert(anb_model_schema(clone) == anb_model_schema(model));
    ck_assert(anb_schema_equal(anb_model_schema(third), anb_model_schema(model)) && anb_equal(third, model));
    anb_free(model);
    ck_assert_str_eq(anb_schema_text(anb_model_schema(clone)), flights);
    anb_free(clone);
    anb_free(again);
    anb_free(third);
}
END_TEST

/* Its names are the features' unless the caller has others; its note stands beside the caller's. */
START_TEST(names_and_notes_travel_along)
{
    StreamingLearner *model = model_of("a \"b c\":category", "mean");
    const AnbNote note = {"offset", "12", 2};
    AnbSnapshotExtras extras = {.target = "y", .notes = &note, .n_notes = 1};
    size_t size = anb_snapshot_size(model, &extras);
    unsigned char *bytes = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, &extras, bytes, size, NULL), 0);
    AnbSnapshot *snapshot = anb_snapshot_open(bytes, size, NULL, NULL);
    ck_assert_str_eq(snapshot->extras.features[1], "b c");
    ck_assert_str_eq(snapshot->extras.target, "y");
    ck_assert_str_eq(anb_snapshot_note(snapshot, "offset"), "12");
    /* Saved again with the extras of the snapshot, the note is there once. */
    StreamingLearner *again = anb_snapshot_model(snapshot, NULL, NULL);
    ck_assert_uint_eq(anb_snapshot_size(again, &snapshot->extras), size);
    anb_free(again);
    anb_free(model);
    anb_snapshot_close(snapshot);
    free(bytes);
}
END_TEST

static Suite *suite_of(void)
{
    Suite *suite = suite_create("typed");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, columns_come_where_rows_are_read);
    tcase_add_test(tests, presets_know_the_wider_row);
    tcase_add_test(tests, what_does_not_fit_is_refused);
    tcase_add_test(tests, a_loaded_model_has_its_schema);
    tcase_add_test(tests, names_and_notes_travel_along);
    return suite;
}
CHECK_MAIN(suite_of)
