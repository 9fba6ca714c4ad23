/* Text to models and back: what is taken, what is refused, and where the error says it is. */
#include "suite.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    const char *canonical; /* NULL: the text itself */
} good[] = {
    {"linear", NULL},
    {"  linear (\n)\t", "linear"},
    {"linear(rate=0.01)", "linear"},
    {"linear(rate=1e-2)", "linear"},
    {"linear( rate = .5 , normalized = true )", "linear(rate=0.5, normalized=true)"},
    {"scale(linear)", NULL},
    {"moe(linear, mean)", NULL},
    {"moe(linear, mean, top_k=1)", "moe(linear, mean, router=linear(top_k=1))"},
    {"moe(top_k=1, linear, mean, router=linear)", "moe(linear, mean, router=linear(top_k=1))"},
    {"moe(linear, mean, router=linear(top_k=2, seed=7))", "moe(linear, mean, router=linear(seed=7))"},
    {"moe(linear, mean, router=linear(seed=18446744073709551615))", NULL},
    {"moe(linear(warmup=5, name=first), mean, reset_dead=false)", NULL},
    {"scale(moe(moe(last, mean), scale(linear(rate=0.1)), mean))", NULL},
    /* names of version 0.1 */
    {"lags(chain(linear, mean))", "residual_ar(residual(linear, mean))"},
    {"moe(linear, mean, router=soft(rate=0.1))", "moe(linear, mean, router=softmax(rate=0.1))"},
    {"moe(chain(linear, mean), last, router=soft)", "moe(residual(linear, mean), last, router=softmax)"},
};

START_TEST(is_taken_and_printed)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(3, good[_i].text, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", good[_i].text, error.message);
    ck_assert_str_eq(anb_expression(model), good[_i].canonical ? good[_i].canonical : good[_i].text);
    anb_free(model);
}
END_TEST

static const struct {
    const char *text;
    int code;
    size_t position;
    const char *says;
} bad[] = {
    {"", ANB_E_SYNTAX, 0, "name of a learner"},
    {"Linear", ANB_E_SYNTAX, 0, "name of a learner"},
    {"nothing", ANB_E_UNKNOWN, 0, "'nothing'"},
    {"linear(rate)", ANB_E_UNKNOWN, 7, "'rate'; it is an option: rate=VALUE"},
    {"boa(linear, mean)", ANB_E_UNKNOWN, 0, "'boa'; it is a router: moe(.., router=boa)"},
    {"soft", ANB_E_UNKNOWN, 0, "it is a router: moe(.., router=softmax)"},
    {"linear linear", ANB_E_SYNTAX, 7, "behind the end"},
    {"linear(rate=0.1", ANB_E_SYNTAX, 15, "too early"},
    {"linear(rate=)", ANB_E_SYNTAX, 12, "rate takes a number"},
    {"linear(rate=0x10)", ANB_E_SYNTAX, 12, "rate takes a number"},
    {"linear(rate=1e400)", ANB_E_ARGUMENT, 12, "rate"},
    {"linear(rate=nan)", ANB_E_SYNTAX, 12, "rate"},
    {"linear(rate=-1)", ANB_E_ARGUMENT, 12, "rate = -1 is outside [0"},
    {"linear(rate=1, rate=1)", ANB_E_SYNTAX, 15, "repeated"},
    {"linear(speed=1)", ANB_E_UNKNOWN, 7, "'speed'; linear has rate, normalized, bounded, loss, level"},
    {"scale(mean(speed=1))", ANB_E_UNKNOWN, 11, "'speed'; mean has none"},
    {"linear(normalized=yes)", ANB_E_SYNTAX, 18, "true or false"},
    {"linear(mean)", ANB_E_ARGUMENT, 0, "linear takes no children, not 1"},
    {"scale", ANB_E_ARGUMENT, 0, "scale takes 1 child, not 0"},
    {"refine(moe(linear, mean))", ANB_E_ARGUMENT, 0, "refine takes 2 to 8 children, not 1"},
    {"moe(linear, scale)", ANB_E_ARGUMENT, 12, "scale takes 1 child, not 0"},
    {"scale(moe(linear))", ANB_E_ARGUMENT, 6, "moe takes 2 to 4096 children, not 1"},
    {"columns(auto, kinds=\"3x\")", ANB_E_LIMIT, 0, "auto would see 0 features"},
    {"scale(auto(mean))", ANB_E_ARGUMENT, 6, "auto takes no children, not 1"},
    {"linear(warmup=5)", ANB_E_ARGUMENT, 0, "experts of a mixture"},
    {"moe(linear, scale(rls(name=a)))", ANB_E_ARGUMENT, 0, "experts of a mixture"},
    {"scale(linear,)", ANB_E_SYNTAX, 13, "name"},
    {"scale(linear mean)", ANB_E_SYNTAX, 13, "expected ','"},
    {"scale((linear))", ANB_E_SYNTAX, 6, "name"},
    {"moe(linear, mean, top_k=1.5)", ANB_E_SYNTAX, 24, "whole number"},
    {"moe(linear, mean, top_k=3)", ANB_E_ARGUMENT, 0, "the router linear: top_k = 3 is outside [1, 2]"},
    {"moe(linear, mean, top_k=1, top_k=1)", ANB_E_SYNTAX, 27, "repeated"},
    {"moe(linear, mean, speed=1)", ANB_E_UNKNOWN, 18, "'speed'"},
    {"moe(linear, mean, router=nothing)", ANB_E_UNKNOWN, 25, "'nothing'"},
    {"moe(linear, mean, router=linear(speed=1))", ANB_E_UNKNOWN, 32, "'speed'; linear has top_k, router_lr"},
    {"moe(linear, mean, router=boa, speed=1)", ANB_E_UNKNOWN, 30,
     "'speed'; moe has router, utilization_span, utilization_threshold, reset_dead, loss, level; the router boa has "
     "discount"},
    {"moe(linear, mean, router=linear(top_k=1 top_k=1))", ANB_E_SYNTAX, 38, "top_k"},
    {"moe(linear, mean, router=linear(mean))", ANB_E_SYNTAX, 36, "key=value"},
    {"moe(linear(warmup=-1), mean)", ANB_E_ARGUMENT, 18, "warmup"},
    {"moe(linear(name=A), mean)", ANB_E_SYNTAX, 11, "a name is"},
    {"moe(linear(seed=18446744073709551616), mean)", ANB_E_UNKNOWN, 11, "'seed'"},
    {"moe(linear, mean, seed=18446744073709551616)", ANB_E_SYNTAX, 23, "below 2^64"},
    {"moe(linear, mean, reset_dead=maybe)", ANB_E_SYNTAX, 29, "false|true|auto"},
};

START_TEST(is_refused_with_its_place)
{
    AnbError error = {.position = 77}; /* of an earlier one */
    ck_assert_msg(anb_parse(3, bad[_i].text, NULL, &error) == NULL, "%s was taken", bad[_i].text);
    ck_assert_msg(error.code == bad[_i].code && error.position == bad[_i].position &&
                      strstr(error.message, bad[_i].says) != NULL,
                  "%s: code %d at %zu: %s", bad[_i].text, error.code, error.position, error.message);
    ck_assert_ptr_null(anb_parse(3, bad[_i].text, NULL, NULL));
}
END_TEST

START_TEST(is_bounded)
{
    AnbError error = {0};
    static char text[70000];
    memset(text, ' ', sizeof text - 1);
    memcpy(text, "linear", 6);
    ck_assert_ptr_null(anb_parse(3, text, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    text[65536] = 0;
    StreamingLearner *longest = anb_parse(3, text, NULL, &error);
    ck_assert_ptr_nonnull(longest);
    anb_free(longest);
    text[0] = 0;
    for (int i = 0; i < 31; i++)
        strcat(text, "scale(");
    strcat(text, "linear");
    for (int i = 0; i < 31; i++)
        strcat(text, ")");
    StreamingLearner *deepest = anb_parse(3, text, NULL, &error);
    ck_assert_ptr_nonnull(deepest);
    anb_free(deepest);
    char deeper[700];
    snprintf(deeper, sizeof deeper, "scale(%s)", text);
    ck_assert_ptr_null(anb_parse(3, deeper, NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
}
END_TEST

START_TEST(sizes_are_bounded_before_anything_is_made)
{
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    ck_assert_ptr_null(anb_parse(0, "linear", NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    ck_assert_ptr_null(anb_parse(((size_t)1 << 20) + 1, "linear", NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    ck_assert_ptr_null(anb_parse(1 << 20, "rls", NULL, &error)); /* terabytes */
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    options.max_bytes = 10000;
    ck_assert_ptr_null(anb_parse(2000, "linear", &options, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    StreamingLearner *model = anb_parse(200, "linear", &options, &error);
    ck_assert_ptr_nonnull(model);
    ck_assert_uint_le(anb_total_bytes(model), 10000);
    anb_free(model);
}
END_TEST

/* Twins in one model draw different numbers; the same seed makes the same model, another one another. */
/* What docs/wrappers.md shows is what can be written: its indented lines. */
START_TEST(the_examples_of_the_page_on_wrappers)
{
    const char *root = getenv("ANB_SOURCE_ROOT");
    char path[1024], line[512];
    size_t n = 0;
    if (!root)
        return;
    snprintf(path, sizeof path, "%s/docs/wrappers.md", root);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        AnbError error = {0};
        if (strncmp(line, "    ", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = 0;
        StreamingLearner *model = anb_parse(10, line + 4, NULL, &error);
        ck_assert_msg(model != NULL, "%s: %s", line, error.message);
        anb_free(model);
        n++;
    }
    fclose(file);
    ck_assert_uint_gt(n, 8);
}
END_TEST

START_TEST(seeds_are_derived)
{
    const char *twins = "moe(mean, mean, router=linear(seed=0))";
    double x[3] = {1, 2, 3};
    AnbModelOptions options = anb_model_defaults();
    StreamingLearner *a = anb_parse(3, twins, &options, NULL), *b = anb_parse(3, twins, &options, NULL);
    options.seed = 2;
    StreamingLearner *c = anb_parse(3, twins, &options, NULL);
    anb_train_one(a, x, 1, 1);
    anb_train_one(b, x, 1, 1);
    anb_train_one(c, x, 1, 1);
    ck_assert(anb_equal(a, b));
    ck_assert(!anb_equal(a, c));
    ck_assert_uint_eq(anb_seed(c), 2);
    anb_free(a);
    anb_free(b);
    anb_free(c);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("expression");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, is_taken_and_printed, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tests, is_refused_with_its_place, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tests, is_bounded);
    tcase_add_test(tests, sizes_are_bounded_before_anything_is_made);
    tcase_add_test(tests, seeds_are_derived);
    tcase_add_test(tests, the_examples_of_the_page_on_wrappers);
    return suite;
}

CHECK_MAIN(suite)
