#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const int budgets[] = {5, 20, 50, 100};
static const size_t widths[] = {1, 2, 8, 16, 17, 40, 128, 1024};

static StreamingLearner *make(size_t d, const char *expression)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(d, expression, NULL, &error);
    ck_assert_msg(model != NULL, "%s at %zu features: %s", expression, d, error.message);
    return model;
}

/* Whatever it expands to can be made, says so, and makes the same again. */
START_TEST(it_stands_for_an_expression)
{
    for (size_t b = 0; b < 4; b++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (int lags = 0; lags < 2; lags++) {
                char text[64];
                snprintf(text, sizeof text, "auto(budget=%d, lags=%d)", budgets[b], lags);
                StreamingLearner *model = make(widths[w], text);
                const char *made = anb_expression(model);
                ck_assert_ptr_null(strstr(made, "auto"));
                ck_assert_int_eq(strncmp(made, lags ? "residual_ar(guard(scale(" : "guard(scale(refine(", 17), 0);
                StreamingLearner *again = make(widths[w], made);
                ck_assert_str_eq(anb_expression(again), made);
                anb_free(again);
                anb_free(model);
            }
}
END_TEST

START_TEST(budgets_between)
{
    StreamingLearner *a = make(8, "auto"), *b = make(8, "auto(budget=20)"), *c = make(8, "auto(budget=49)");
    ck_assert_str_eq(anb_expression(a), anb_expression(b));
    ck_assert_str_eq(anb_expression(a), anb_expression(c));
    anb_free(a);
    anb_free(b);
    anb_free(c);
    AnbError error = {0};
    ck_assert_ptr_null(anb_parse(8, "auto(budget=4)", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "budget"));
    AnbAutoOptions options = anb_auto_defaults();
    options.budget = 5;
    StreamingLearner *d = anb_new(8, &(AnbExpert){.type = &anb_auto, .options = &options}, NULL, &error);
    ck_assert_ptr_nonnull(d);
    anb_free(d);
}
END_TEST

/* Wide rows give boosted trees more work a sample and keep the neighbours. */
START_TEST(wide_rows)
{
    StreamingLearner *narrow = make(40, "auto"), *wide = make(120, "auto");
    ck_assert_ptr_nonnull(strstr(anb_expression(narrow), "budget=2000"));
    ck_assert_ptr_nonnull(strstr(anb_expression(wide), "budget=6000"));
    ck_assert_ptr_nonnull(strstr(anb_expression(wide), "knn"));
    anb_free(narrow);
    anb_free(wide);
}
END_TEST

static double noise(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) * 0x1p-53 - 0.5;
}

/* A plane, a product and a step, all of which the cheapest preset has to find; missing cells on the way. */
START_TEST(it_learns)
{
    double x[4], error = 0, around = 0;
    uint64_t seed = 1;
    StreamingLearner *model = make(4, "auto(budget=5)");
    for (int n = 0; n < 6000; n++) {
        for (size_t j = 0; j < 4; j++)
            x[j] = 2 * noise(&seed);
        double y = x[0] + 3 * x[1] * x[2] + (x[3] > 0 ? 1 : 0) + 0.1 * noise(&seed);
        x[n % 4] = n % 100 == 99 ? ANB_NAN : x[n % 4];
        double f = anb_train_one(model, x, y, 1);
        ck_assert(isfinite(f));
        error += n < 3000 ? 0 : (f - y) * (f - y);
        around += n < 3000 ? 0 : (y - 0.5) * (y - 0.5);
    }
    ck_assert_double_lt(error, 0.1 * around);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("auto");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, it_stands_for_an_expression);
    tcase_add_test(tests, budgets_between);
    tcase_add_test(tests, wide_rows);
    tcase_add_test(tests, it_learns);
    return suite;
}

CHECK_MAIN(suite)
