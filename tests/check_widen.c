/* anb_widen: a model for more columns says what the one for fewer did, keeps learning, and uses the new columns. */
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 1500 };

static AnbSchema *schema_of(const char *text)
{
    AnbError error = {0};
    AnbSchema *schema = anb_schema_parse(text, NULL, &error);
    ck_assert_msg(schema != NULL, "%s", error.message);
    return schema;
}

static StreamingLearner *model_of(const AnbSchema *schema, const char *expression)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse_schema(schema, expression, NULL, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    return model;
}

/* Two numbers or a number and a category, then a number and a category that only the wider model sees. */
static double sample(uint64_t *seed, bool typed, double *x)
{
    int colour = (int)(4 * (noise(seed) + 0.5)), town = (int)(6 * (noise(seed) + 0.5));
    x[0] = 4 * noise(seed);
    x[1] = typed ? colour : noise(seed);
    x[2] = 4 * noise(seed);
    x[3] = town;
    return 2 * x[0] + (typed ? 3 * (colour == 2) : x[1]) + 3 * x[2] + 5 * (town == 4) + 0.1 * noise(seed);
}

static double squares(StreamingLearner *model, uint64_t seed, bool typed, int n)
{
    double x[4], sum = 0;
    for (int i = 0; i < n; i++) {
        double y = sample(&seed, typed, x), f = anb_train_one(model, x, y, 1);
        sum += i < n / 2 ? 0 : (f - y) * (f - y);
    }
    return sum;
}

/* The wider model is the old one to the bit where the new columns are 0, anything, or missing where it takes that. */
static void same_answers(StreamingLearner *old, StreamingLearner *wide, bool typed, bool missing)
{
    uint64_t seed = 77;
    for (int i = 0; i < 200; i++) {
        double x[4];
        sample(&seed, typed, x);
        if (i % 3 == 0)
            x[2] = 0;
        if (i % 3 == 1 && missing)
            x[2] = x[3] = ANB_NAN;
        double a = anb_predict(old, x), b = anb_predict(wide, x);
        ck_assert_msg(memcmp(&a, &b, sizeof a) == 0, "%s: %.17g, widened %.17g", anb_expression(old), a, b);
    }
}

static void widens(const char *expression, bool typed, bool missing)
{
    AnbError error = {0};
    AnbSchema *narrow = schema_of(typed ? "a b:category" : "a b"),
              *wider = schema_of(typed ? "a b:category c d:category" : "a b c d:category");
    StreamingLearner *old = model_of(narrow, expression);
    squares(old, 5, typed, N);
    StreamingLearner *wide = anb_widen(old, wider, NULL, &error);
    ck_assert_msg(wide != NULL, "%s: %s", expression, error.message);
    ck_assert_uint_eq(anb_n_samples_seen(wide), N);
    same_answers(old, wide, typed, missing);
    double before = squares(old, 6, typed, N), after = squares(wide, 6, typed, N);
    ck_assert_msg(after < 0.2 * before, "%s: %g before, %g after", expression, before, after);
    AnbSchema *widest = schema_of(typed ? "a b:category c d:category e" : "a b c d:category e");
    StreamingLearner *twice = anb_widen(wide, widest, NULL, &error);
    ck_assert_msg(twice != NULL, "%s", error.message);
    for (uint64_t seed = 3, i = 0; i < 50; i++) {
        double x[5] = {0};
        sample(&seed, typed, x);
        ck_assert_double_eq(anb_predict(wide, x), anb_predict(twice, x));
    }
    anb_free(twice);
    anb_free(wide);
    anb_free(old);
    anb_schema_drop(widest);
    anb_schema_drop(wider);
    anb_schema_drop(narrow);
}

START_TEST(every_kind_of_model)
{
    widens("linear", false, false);
    widens("scale(rls)", false, true);
    widens("auto(budget=5)", false, true);
    widens("moe(scale(rls), scale(mlp), sgbt, router=linear)", false, false);
    widens("interval(scale(rls))", false, true);
    widens("scale(poly(rls))", false, true);
    widens("scale(rls)", true, true);
    widens("auto(budget=20)", true, true);
    widens("interval(guard(scale(forest)))", true, true);
}
END_TEST

/* What the wider model has learned is in its snapshot. */
START_TEST(snapshots)
{
    AnbError error = {0};
    AnbSchema *narrow = schema_of("a b:category"), *wider = schema_of("a b:category c d:category");
    StreamingLearner *old = model_of(narrow, "interval(auto(budget=5))");
    squares(old, 5, true, 600);
    StreamingLearner *wide = anb_widen(old, wider, NULL, &error);
    ck_assert_msg(wide != NULL, "%s", error.message);
    squares(wide, 7, true, 600);
    ck_assert_int_eq(anb_save(wide, NULL, "widen.anb", &error), 0);
    StreamingLearner *loaded = anb_load("widen.anb", NULL, &error);
    ck_assert_msg(loaded != NULL, "%s", error.message);
    ck_assert(anb_schema_equal(anb_model_schema(loaded), wider));
    same_answers(wide, loaded, true, true);
    remove("widen.anb");
    anb_free(loaded);
    anb_free(wide);
    anb_free(old);
    anb_schema_drop(wider);
    anb_schema_drop(narrow);
}
END_TEST

static void refused(const char *expression, const char *before, const char *after, int code)
{
    AnbError error = {0};
    AnbSchema *narrow = schema_of(before), *wider = schema_of(after);
    StreamingLearner *model = model_of(narrow, expression);
    ck_assert_ptr_null(anb_widen(model, wider, NULL, &error));
    ck_assert_msg(error.code == code, "%d: %s", error.code, error.message);
    anb_free(model);
    anb_schema_drop(wider);
    anb_schema_drop(narrow);
}

START_TEST(what_is_refused)
{
    refused("scale(rls)", "a b", "a b", ANB_E_ARGUMENT);
    refused("scale(rls)", "a b", "b a c", ANB_E_ARGUMENT);
    refused("scale(rls)", "a b", "a b:category c", ANB_E_ARGUMENT);
    refused("pending(scale(rls), capacity=8)", "a b", "a b c", ANB_E_UNSUPPORTED);
}
END_TEST

/* A narrow child sees what a model of those columns alone does. */
START_TEST(narrow_rows)
{
    AnbError error = {0};
    StreamingLearner *whole = anb_parse(2, "scale(auto(budget=5))", NULL, &error),
                     *some = anb_parse(4, "narrow(scale(auto(budget=5)), of=\"y n y n\")", NULL, &error);
    ck_assert_msg(whole && some, "%s", error.message);
    uint64_t seed = 9;
    for (int i = 0; i < 800; i++) {
        double x[4], y = sample(&seed, false, x), both[2] = {x[0], x[2]};
        double a = anb_train_one(whole, both, y, 1), b = anb_train_one(some, x, y, 1);
        ck_assert_double_eq(a, b);
    }
    ck_assert_ptr_null(anb_parse(4, "narrow(rls, of=\"4n\")", NULL, &error));
    ck_assert_ptr_null(anb_parse(4, "narrow(rls, of=\"3y\")", NULL, &error));
    anb_free(whole);
    anb_free(some);
}
END_TEST

static Suite *suite_of(void)
{
    Suite *suite = suite_create("widen");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, every_kind_of_model);
    tcase_add_test(tests, snapshots);
    tcase_add_test(tests, what_is_refused);
    tcase_add_test(tests, narrow_rows);
    return suite;
}
CHECK_MAIN(suite_of)
