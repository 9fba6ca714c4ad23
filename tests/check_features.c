/* Names of features wherever a learner sees other ones than the model; the categories that a model knows, and their
 * texts. */
#include "made.h"
#include "suite.h"
#include "src/numeric/random.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* All names of the learner at the path, with commas between. */
static const char *names_at(const StreamingLearner *model, const char *path, const char *const *columns)
{
    static char all[4096];
    size_t at = 0, n = anb_feature_count(model, path);
    for (size_t i = 0; i < n; i++) {
        char name[ANB_FEATURE_NAME];
        ptrdiff_t size = anb_feature_name(model, path, i, columns, name, sizeof name);
        ck_assert_uint_eq((size_t)size, strlen(name));
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i ? "," : "", name);
    }
    return all;
}

static const char *const columns[] = {"a", "city", "host", "when"};

START_TEST(names_behind_columns)
{
    StreamingLearner *model = made(4, "columns(scale(linear), kinds=\"n c k t\")");
    ck_assert_str_eq(names_at(model, "", columns), "a,city,host,when");
    ck_assert_str_eq(names_at(model, "", NULL), "x1,x2,x3,x4");
    ck_assert_str_eq(names_at(model, "scale_0/linear_0", columns),
                     "a,host,when=hour-sine,when=hour-cosine,when=weekday-sine,when=weekday-cosine,when=year-sine,"
                     "when=year-cosine,when=days,when=gap,city=mean,city=recent,city=log-count,city=effect,"
                     "host=mean,host=recent,host=log-count,host=effect,when=hour-of-week-mean,"
                     "when=hour-of-week-recent,when=hour-of-week-log-count,when=hour-of-week-effect");
    char name[8];
    ck_assert_int_eq(anb_feature_name(model, "scale_0", 2, columns, name, sizeof name), 14);
    ck_assert_str_eq(name, "when=ho");
    ck_assert_int_eq(anb_feature_name(model, "scale_0", 22, columns, name, sizeof name), ANB_E_UNKNOWN);
    ck_assert_int_eq(anb_feature_name(model, "nowhere", 0, columns, name, sizeof name), ANB_E_UNKNOWN);
    ck_assert_uint_eq(anb_feature_count(model, "nowhere"), 0);
    anb_free(model);
}
END_TEST

START_TEST(names_below_maps)
{
    StreamingLearner *model = made(4, "narrow(poly(rls), of=\"n y n y\")");
    ck_assert_str_eq(names_at(model, "poly_0", columns), "city,when");
    ck_assert_str_eq(names_at(model, "poly_0/rls_0", columns), "city,when,city^2,city*when,when^2");
    anb_free(model);
    model = made(2, "refine(moe(rls, mean), rff(linear, features=2))");
    ck_assert_str_eq(names_at(model, "moe_0", columns), "a,city");
    ck_assert_str_eq(names_at(model, "rff_1", columns), "a,city,rls_0,mean_1");
    ck_assert_str_eq(names_at(model, "rff_1/linear_0", columns), "a,city,rls_0,mean_1,wave 1,wave 2");
    anb_free(model);
    model = made(2, "refine(moe(rls, mean), past(linear, lags=2), last=true)");
    ck_assert_str_eq(names_at(model, "past_1", columns), "a,city,rls_0,mean_1,residual,target");
    ck_assert_str_eq(names_at(model, "past_1/linear_0", columns),
                     "a,city,rls_0,mean_1,residual,target,target 1,target 2");
    anb_free(model);
    model = made(3, "poly(rls)");
    ck_assert_str_eq(names_at(model, "rls_0", NULL), "x1,x2,x3,x1^2,x1*x2,x1*x3,x2^2,x2*x3,x3^2");
    anb_free(model);
}
END_TEST

/* Whoever shows its child other features says where they come from. */
START_TEST(every_map_names_its_features)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        ck_assert_msg(!(*type)->child_features || (*type)->features, "%s", (*type)->name);
}
END_TEST

START_TEST(names_of_a_network)
{
    StreamingLearner *model = made(3, "columns(scale(moe(rls, mlp(hidden=4))), kinds=\"n c n\")");
    AnbSuperposition *s = anb_superposition_of_model(model, NULL);
    char name[ANB_FEATURE_NAME];
    ck_assert_uint_eq(anb_superposition_features(s), 6);
    anb_superposition_feature_name(s, model, 0, 5, columns, name, sizeof name);
    ck_assert_str_eq(name, "city=effect");
    ck_assert_int_eq(anb_superposition_feature_name(s, model, 0, 6, columns, name, sizeof name), ANB_E_UNKNOWN);
    ck_assert_int_eq(anb_superposition_feature_name(s, model, 1, 0, columns, name, sizeof name), ANB_E_UNKNOWN);
    anb_superposition_free(s);
    anb_free(model);
}
END_TEST

/* ---- categories -------------------------------------------------------------------------------------------------- */

enum { CITIES = 30, ROWS = 4000 };

/* City i comes the oftener the smaller i is, and adds i to the target. */
START_TEST(frequent_categories)
{
    AnbSchema *schema = anb_schema_parse("a city:category when:time", NULL, NULL);
    StreamingLearner *model = anb_parse_schema(schema, "guard(linear(normalized=true))", NULL, NULL);
    AnbCategoryNames *names = anb_category_names_new(schema, NULL);
    AnbCategoryEffect top[5];
    AnbRandom random;
    double sum[CITIES] = {0}, n[CITIES] = {0};
    anb_random_seed(&random, 2);
    ck_assert_uint_eq(anb_frequent_categories(model, 1, top, 5), 0);
    for (size_t t = 0; t < ROWS; t++) {
        double u = anb_random_uniform(&random), x[3], noise = anb_random_normal(&random);
        unsigned i = (unsigned)(CITIES * u * u);
        char text[20];
        size_t size = (size_t)snprintf(text, sizeof text, "city %u", i);
        x[0] = anb_random_normal(&random);
        x[1] = anb_category(text, size);
        x[2] = 3600.0 * (double)(t % 2);
        anb_category_names_keep(names, 1, text, size, x[1]);
        double y = i + .1 * noise;
        sum[i] += y;
        n[i]++;
        anb_train_one(model, x, y, 1);
    }
    ck_assert_uint_eq(anb_frequent_categories(model, 1, top, 5), 5);
    for (size_t k = 0; k < 5; k++) {
        char expected[20], name[ANB_CATEGORY_NAME];
        snprintf(expected, sizeof expected, "city %zu", k);
        ck_assert_str_eq(anb_category_name(names, 1, top[k].cell, name), expected);
        ck_assert_double_eq(top[k].weight, n[k]);
        ck_assert_double_eq_tol(top[k].mean, sum[k] / n[k], 1e-9);
        ck_assert_double_eq_tol(top[k].recent, (double)k, .2);
        ck_assert_double_le(top[k].count, n[k]);
        ck_assert(k == 0 || top[k].count <= top[k - 1].count);
        ck_assert_msg(k == 0 || top[k].effect > top[k - 1].effect + .5, "%zu: %g", k, top[k].effect);
    }
    char name[ANB_CATEGORY_NAME];
    ck_assert_uint_eq(anb_frequent_categories(model, 2, top, 5), 2);
    double last = top[0].cell > top[1].cell ? top[0].cell : top[1].cell;
    ck_assert_str_eq(anb_category_name(names, 2, last, name), "Thu 01:00");
    ck_assert_uint_eq(anb_frequent_categories(model, 0, top, 5), 0);
    ck_assert_uint_eq(anb_frequent_categories(model, 3, top, 5), 0);
    anb_category_names_free(names);
    anb_free(model);
    anb_schema_drop(schema);
}
END_TEST

START_TEST(texts_of_categories)
{
    AnbSchema *schema = anb_schema_parse("a city:category host:code when:time", NULL, NULL);
    AnbCategoryNames *names = anb_category_names_new(schema, NULL);
    char name[ANB_CATEGORY_NAME], text[100];
    double often = anb_category("often", 5);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "once %d", i);
        anb_category_names_keep(names, 1, text, n, anb_category(text, n));
        if (i % 50 == 0)
            anb_category_names_keep(names, 1, "often", 5, often);
    }
    ck_assert_str_eq(anb_category_name(names, 1, often, name), "often");
    ck_assert_str_eq(anb_category_name(names, 1, anb_category("once 3", 6), name), "(not known)");
    memset(text, 'x', 50);
    memcpy(text + 50, "\u00fc\u00fc", 4);
    anb_category_names_keep(names, 2, text, 54, anb_category(text, 54));
    anb_category_name(names, 2, anb_category(text, 54), name);
    ck_assert_uint_eq(strlen(name), 50); /* not cut within a character */
    ck_assert_str_eq(anb_category_name(names, 2, 17, name), "17");
    ck_assert_str_eq(anb_category_name(names, 2, anb_category(NULL, 0), name), "(missing)");
    ck_assert_str_eq(anb_category_name(names, 3, 30, name), "Tue 06:00");
    ck_assert_str_eq(anb_category_name(names, 3, ANB_NAN, name), "(missing)");
    ck_assert_str_eq(anb_category_name(names, 0, often, name), "(not known)");
    ck_assert_str_eq(anb_category_name(names, 9, often, name), "(not known)");
    anb_category_names_keep(names, 0, "often", 5, often);
    anb_category_names_keep(names, 9, "often", 5, often);
    anb_category_names_free(names);
    anb_category_names_free(NULL);
    anb_schema_drop(schema);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("features");
    TCase *tests = case_of(s, 60);
    tcase_add_test(tests, names_behind_columns);
    tcase_add_test(tests, names_below_maps);
    tcase_add_test(tests, every_map_names_its_features);
    tcase_add_test(tests, names_of_a_network);
    tcase_add_test(tests, frequent_categories);
    tcase_add_test(tests, texts_of_categories);
    return s;
}

CHECK_MAIN(suite)
