#include "made.h"
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const int budgets[] = {1, 2, 5, 20, 50, 100};
enum { BUDGETS = sizeof budgets / sizeof *budgets };
static const size_t widths[] = {1, 2, 8, 16, 17, 40, 128, 1024};

/* Whatever it expands to can be made, says so, and makes the same again. */
START_TEST(it_stands_for_an_expression)
{
    for (size_t b = 0; b < BUDGETS; b++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (int lags = 0; lags < 2; lags++) {
                char text[64];
                snprintf(text, sizeof text, "auto(budget=%d, lags=%d)", budgets[b], lags);
                StreamingLearner *model = made(widths[w], text);
                const char *whole = anb_expression(model);
                ck_assert_ptr_null(strstr(whole, "auto"));
                const char *sift = widths[w] > 20 && widths[w] <= 256 ? "sift(" : "";
                char begin[64];
                const char *around = !lags ? "" : budgets[b] >= 2 ? "jumps(season(residual_ar(" : "jumps(";
                snprintf(begin, sizeof begin, "%s%sscale(%s%smoe(", around, budgets[b] >= 5 ? "guard(" : "", sift,
                         budgets[b] >= 5 ? "refine(" : "");
                ck_assert_int_eq(strncmp(whole, begin, strlen(begin)), 0);
                ck_assert(lags ||
                          (!strstr(whole, "residual_ar") && !strstr(whole, "past(") && !strstr(whole, "season")));
                ck_assert_int_eq(strstr(whole, *sift ? ", last=true)), trust=8)" : ", last=true), trust=8)") != NULL,
                                 lags && budgets[b] >= 5);
                ck_assert_int_eq(strstr(whole, lags ? ", mean, last), last=true)" : ", mean)") != NULL,
                                 budgets[b] >= 20);
                StreamingLearner *again = made(widths[w], whole);
                ck_assert_str_eq(anb_expression(again), whole);
                anb_free(again);
                anb_free(model);
            }
}
END_TEST

/* Wide rows have a mixture of the features that count as one expert, where the budget leaves the time. */
START_TEST(wide_rows_have_an_expert_on_the_features_that_count)
{
    static const struct {
        const char *text;
        size_t from; /* features; 0: never */
    } of[] = {
        {"auto(budget=1)", 0}, {"auto(budget=2)", 0}, {"auto(budget=5)", 48}, {"auto", 48}, {"auto(budget=100)", 48}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const size_t from = of[i].from, width[] = {20, from > 0 ? from - 1 : 60, from > 0 ? from : 256, 257};
        for (size_t k = 0; k < sizeof width / sizeof *width; k++) {
            StreamingLearner *model = made(width[k], of[i].text);
            const bool there = strstr(anb_expression(model), "select(") != NULL;
            ck_assert_int_eq(there, from > 0 && width[k] == from);
            anb_free(model);
        }
    }
}
END_TEST

/* Past targets are inputs unless labels come late: below pending, where the caller says so, and with lags=false. */
START_TEST(past_targets_are_inputs_where_they_are_known)
{
    AnbModelOptions late = anb_model_defaults();
    late.late = true;
    StreamingLearner *known = made(8, "auto"), *waiting = made(8, "pending(auto)"),
                     *delayed = anb_parse(8, "interval(auto)", &late, NULL), *off = made(8, "auto(lags=false)");
    ck_assert_ptr_nonnull(strstr(anb_expression(known), "residual_ar(mean, last=true)"));
    ck_assert_ptr_null(strstr(anb_expression(waiting), "residual_ar"));
    ck_assert_ptr_null(strstr(anb_expression(delayed), "residual_ar"));
    ck_assert_str_eq(anb_expression(waiting) + strlen("pending("),
                     strcat(strcpy((char[4096]){0}, anb_expression(off)), ")"));
    anb_free(known);
    anb_free(waiting);
    anb_free(delayed);
    anb_free(off);
}
END_TEST

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        n++;
    return n;
}

/* From 50 on one network of several, boosted trees and a stage see the last targets; where those are not known as many
 * networks stand there without them. Of up to 20 features one network sees products. From 20 on, of up to 24 features,
 * neighbours see the last targets. */
START_TEST(dear_budgets_have_experts_on_past_targets)
{
    static const struct {
        const char *text;
        size_t features, networks, of_products, past_networks, past_trees, past_neighbours;
    } of[] = {{"auto", 24, 0, 0, 0, 0, 1},
              {"auto", 25, 0, 0, 0, 0, 0},
              {"auto(lags=false)", 10, 0, 0, 0, 0, 0},
              {"auto(budget=50)", 10, 2, 1, 2, 2, 1},
              {"auto(budget=100)", 10, 3, 1, 2, 2, 1},
              {"auto(budget=50)", 25, 2, 0, 2, 2, 0},
              {"auto(budget=100)", 21, 3, 0, 2, 2, 1},
              {"auto(budget=50, lags=false)", 10, 2, 1, 0, 0, 0},
              {"auto(budget=100, lags=false)", 10, 3, 1, 0, 0, 0}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        StreamingLearner *model = made(of[i].features, of[i].text);
        const char *whole = anb_expression(model);
        ck_assert_uint_eq(count(whole, "memory=16000"), of[i].networks);
        ck_assert_uint_eq(count(whole, "poly(mlp"), of[i].of_products);
        ck_assert_uint_eq(count(whole, "past(mlp"), of[i].past_networks);
        ck_assert_uint_eq(count(whole, "past(sgbt"), of[i].past_trees);
        ck_assert_uint_eq(count(whole, "past(knn"), of[i].past_neighbours);
        anb_free(model);
    }
}
END_TEST

START_TEST(budgets_between)
{
    StreamingLearner *a = made(8, "auto"), *b = made(8, "auto(budget=20)"), *c = made(8, "auto(budget=49)");
    ck_assert_str_eq(anb_expression(a), anb_expression(b));
    ck_assert_str_eq(anb_expression(a), anb_expression(c));
    anb_free(a);
    anb_free(b);
    anb_free(c);
    AnbError error = {0};
    ck_assert_ptr_null(anb_parse(8, "auto(budget=0)", NULL, &error));
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
    StreamingLearner *narrow = made(40, "auto"), *wide = made(120, "auto");
    ck_assert_ptr_nonnull(strstr(anb_expression(narrow), "budget=1500"));
    ck_assert_ptr_nonnull(strstr(anb_expression(wide), "budget=4500"));
    ck_assert_ptr_nonnull(strstr(anb_expression(wide), "knn"));
    anb_free(narrow);
    anb_free(wide);
}
END_TEST

/* Beyond 1,000 features cheap budgets have one table a feature, as the cache holds no more. */
START_TEST(very_wide_rows)
{
    static const char *const texts[] = {"auto(budget=1)", "auto(budget=2)", "auto(budget=5)",
                                        "auto(budget=5, lags=false)"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        StreamingLearner *model = made(1000, texts[i]), *wide = made(1001, texts[i]);
        ck_assert_ptr_null(strstr(anb_expression(model), "pairs=1"));
        ck_assert_ptr_nonnull(strstr(anb_expression(wide), "additive(cells=24, pairs=1)"));
        ck_assert_ptr_null(strstr(anb_expression(wide), "pairs=3"));
        ck_assert_ptr_null(strstr(anb_expression(wide), "additive(cells=24)"));
        anb_free(model);
        anb_free(wide);
        AnbError error;
        ck_assert_ptr_null(anb_parse(65536, texts[i], NULL, &error));
        ck_assert_str_eq(error.message, "auto takes at most 65535 features, not 65536; scale(linear(normalized=true)) "
                                        "takes more");
    }
}
END_TEST

/* The cheapest networks have more units where rows are narrow. */
START_TEST(narrow_rows)
{
    StreamingLearner *eight = made(8, "auto(budget=1)"), *nine = made(9, "auto(budget=1)");
    ck_assert_ptr_nonnull(strstr(anb_expression(eight), "mlp(hidden=32"));
    ck_assert_ptr_null(strstr(anb_expression(nine), "mlp(hidden=32"));
    anb_free(eight);
    anb_free(nine);
}
END_TEST

/* A plane, a product and a step, all of which the cheapest preset has to find; missing cells on the way. */
START_TEST(it_learns)
{
    double x[4], error = 0, around = 0;
    uint64_t seed = 1;
    StreamingLearner *model = made(4, "auto(budget=5)");
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

/* A dense linear relation of 250 features: at most .02 of the target's deviation is left from the 1,500th row on. */
START_TEST(wide_rows_have_a_linear_expert_that_remembers)
{
    enum { D = 250, ROWS = 3000 };
    static double x[D], w[D];
    uint64_t seed = 11;
    double left = 0, all = 0;
    StreamingLearner *model = made(D, "auto(budget=5)");
    for (int j = 0; j < D; j++)
        w[j] = noise(&seed);
    for (int t = 0; t < ROWS; t++) {
        double y = .01 * noise(&seed);
        for (int j = 0; j < D; j++) {
            x[j] = noise(&seed);
            y += w[j] * x[j];
        }
        double said = anb_train_one(model, x, y, 1);
        left += t < ROWS / 2 ? 0 : (y - said) * (y - said);
        all += t < ROWS / 2 ? 0 : y * y;
    }
    ck_assert_double_le(sqrt(left / all), .02);
    anb_free(model);
}
END_TEST

/* RMSE over n samples whose features say nothing. */
static double error_of(const char *expression, int n, double (*target)(double last, double before, uint64_t *seed))
{
    StreamingLearner *model = made(3, expression);
    uint64_t seed = 5;
    double x[3], y = 0, last = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        for (size_t j = 0; j < 3; j++)
            x[j] = noise(&seed);
        double next = target(y, last, &seed);
        last = y;
        y = next;
        double f = anb_train_one(model, x, y, 1);
        sum += (f - y) * (f - y);
    }
    anb_free(model);
    return sqrt(sum / n);
}

static double walk(double last, double before, uint64_t *seed)
{
    (void)before;
    return last + noise(seed);
}

static double near_unit_root(double last, double before, uint64_t *seed)
{
    (void)before;
    return .995 * last + noise(seed);
}

static double unrelated(double last, double before, uint64_t *seed)
{
    (void)last, (void)before;
    return noise(seed);
}

/* The delayed logistic map, around its mean: the effect of the last target depends on the one before it. */
static double delayed(double last, double before, uint64_t *seed)
{
    double y = 2.1 * (last + .5) * (.5 - before) + .02 * noise(seed);
    return (y < 0 ? 0 : y > 1 ? 1 : y) - .5;
}

/* Persistence is the best there is on a random walk; on targets in random order the past costs next to nothing. */
START_TEST(as_good_as_the_last_value)
{
    ck_assert_double_le(error_of("auto(budget=5)", 4000, walk), 1.01 * error_of("last", 4000, walk));
    ck_assert_double_le(error_of("auto(budget=5)", 4000, near_unit_root),
                        1.01 * error_of("last", 4000, near_unit_root));
    ck_assert_double_le(error_of("auto(budget=5)", 4000, unrelated),
                        1.002 * error_of("auto(budget=5, lags=false)", 4000, unrelated));
}
END_TEST

/* The text with its first `part` left out. */
static void leave_out(const char *text, const char *part, char *out, size_t size)
{
    const char *at = strstr(text, part);
    ck_assert_ptr_nonnull(at);
    snprintf(out, size, "%.*s%s", (int)(at - text), text, at + strlen(part));
}

/* What a past target says may depend on another one: neighbours see it. */
START_TEST(neighbours_see_what_followed_like_rows)
{
    StreamingLearner *model = made(3, "auto");
    char without[4096];
    leave_out(anb_expression(model), ", past(knn(window=2000, k=16, coarse=4), lags=8)", without, sizeof without);
    ck_assert_double_le(error_of("auto", 2000, delayed), .9 * error_of(without, 2000, delayed));
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("auto");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, it_stands_for_an_expression);
    tcase_add_test(tests, wide_rows_have_an_expert_on_the_features_that_count);
    tcase_add_test(tests, past_targets_are_inputs_where_they_are_known);
    tcase_add_test(tests, dear_budgets_have_experts_on_past_targets);
    tcase_add_test(tests, budgets_between);
    tcase_add_test(tests, wide_rows);
    tcase_add_test(tests, very_wide_rows);
    tcase_add_test(tests, narrow_rows);
    tcase_add_test(tests, it_learns);
    tcase_add_test(tests, as_good_as_the_last_value);
    tcase_add_test(tests, neighbours_see_what_followed_like_rows);
    tcase_add_test(tests, wide_rows_have_a_linear_expert_that_remembers);
    return suite;
}

CHECK_MAIN(suite)
