/* Explanations: exact and sampled values against all subsets; sums; what is kept; what is refused. */
#include "made.h"
#include "suite.h"
#include "zoo.h"
#include <math.h>
#include <string.h>

enum { MOST = 10, ROWS = 8 };

/* A stream of d features: a product, a bend, linear terms, noise. */
static void next_row(AnbRandom *random, size_t d, double *x, double *y)
{
    for (size_t j = 0; j < d; j++)
        x[j] = 2 * anb_random_uniform(random) - 1;
    *y = 3 + 2 * x[0] * x[1] + (x[2] > 0 ? 2 * x[2] : 0) + x[3] - .5 * x[4 % d] + .05 * anb_random_normal(random);
    *y += d > 6 ? x[5] * x[6] * x[2] : 0;
}

static AnbExplainer *explainer_of(const StreamingLearner *model, int rows, int pairs, bool sample_only)
{
    AnbExplainerOptions options = anb_explainer_defaults();
    options.rows = rows;
    options.pairs = pairs;
    options.sample_only = sample_only;
    AnbError error;
    AnbExplainer *e = anb_explainer_new(model, &options, &error);
    ck_assert_msg(e != NULL, "%s", error.message);
    return e;
}

/* Both learn and keep n samples. */
static void feed(StreamingLearner *model, AnbExplainer *e, AnbRandom *random, size_t n)
{
    size_t d = anb_n_features(model);
    double x[64], y;
    for (size_t t = 0; t < n; t++) {
        next_row(random, d, x, &y);
        double before = anb_train_one(model, x, y, 1);
        anb_observe(anb_explainer_observer(e), model, x, y, before);
    }
}

/* The worth of every coalition, then Shapley's sum over all of them. */
static double brute(StreamingLearner *model, const AnbExplainer *e, const double *x, double *phi)
{
    static double worth[1 << MOST];
    size_t d = anb_n_features(model), n = anb_explainer_rows(e);
    double mixed[MOST], factorial[MOST + 1] = {1};
    for (size_t i = 1; i <= d; i++)
        factorial[i] = factorial[i - 1] * (double)i;
    for (size_t s = 0; s < (size_t)1 << d; s++) {
        worth[s] = 0;
        for (size_t r = 0; r < n; r++) {
            for (size_t j = 0; j < d; j++)
                mixed[j] = s >> j & 1 ? x[j] : anb_explainer_row(e, r)[j];
            worth[s] += anb_predict(model, mixed) / (double)n;
        }
    }
    for (size_t j = 0; j < d; j++) {
        phi[j] = 0;
        for (size_t s = 0; s < (size_t)1 << d; s++) {
            size_t size = (size_t)__builtin_popcountll(s);
            if (!(s >> j & 1))
                phi[j] += factorial[size] * factorial[d - 1 - size] / factorial[d] * (worth[s | 1u << j] - worth[s]);
        }
    }
    return worth[0];
}

static void adds_up(const AnbExplanation *why)
{
    double sum = why->base, size = fabs(why->base) + fabs(why->prediction);
    for (size_t j = 0; j < why->n_features; j++) {
        sum += why->phi[j];
        size += fabs(why->phi[j]);
    }
    ck_assert_double_le(fabs(sum - why->prediction), 1e-12 * size);
}

/* ---- exact ------------------------------------------------------------------------------------------------------- */

static const char *const exact_models[] = {
    "linear",
    "linear(normalized=true)",
    "rls(intercept=false)",
    "scale(rls)",
    "poly(rls)",
    "guard(scale(linear))",
    "residual(rls, linear(normalized=true))",
    "scale(moe(rls, linear, mean, last, residual(rls(lambda=0.99), poly(rls)), router=boa))",
    "drift(scale(rls))",
    "pending(interval(scale(rls)))",
    "sgbt(trees=20, window=512)",
    "forest(trees=3, leaf=mean)",
    "tree(leaf=mean)",
    "scale(moe(rls, sgbt(trees=20, window=512), mean, router=boa))",
    "scale(poly(rls))",
    "forest(trees=3, leaf=linear)",
};

START_TEST(test_exact_is_brute_force)
{
    const char *expression = exact_models[_i];
    size_t d = 5 + 5 * (size_t)(_i % 2), exact = 0;
    StreamingLearner *model = made(d, expression);
    AnbExplainer *e = explainer_of(model, ROWS, 2, false);
    AnbRandom random;
    double x[MOST], y, phi[MOST];
    anb_random_seed(&random, 7 + (uint64_t)_i);
    feed(model, e, &random, 1500);
    for (int t = 0; t < 20; t++) {
        AnbExplanation why;
        next_row(&random, d, x, &y);
        ck_assert_int_eq(anb_explain(e, model, x, &why), 0);
        adds_up(&why);
        exact += why.exact;
        if (!why.exact)
            continue;
        double base = brute(model, e, x, phi), size = fabs(why.prediction) + fabs(base) + 1;
        ck_assert_double_le(fabs(base - why.base), 1e-9 * size);
        ck_assert_double_eq(why.prediction, anb_predict(model, x));
        ck_assert_uint_le(why.predictions, anb_explain_cost(e));
        for (size_t j = 0; j < d; j++) {
            ck_assert_msg(fabs(phi[j] - why.phi[j]) <= 1e-9 * size, "%s: column %zu: %g, not %g", expression, j,
                          why.phi[j], phi[j]);
            ck_assert_double_eq(why.error[j], 0);
        }
    }
    ck_assert_msg(exact >= 12, "%s: %zu of 20 rows exact", expression, exact);
    anb_explainer_free(e);
    anb_free(model);
}
END_TEST

/* ---- sampled ----------------------------------------------------------------------------------------------------- */

static const char *const sampled_models[] = {
    "auto(budget=5)",          "knn", "scale(mlp)", "forest(trees=3)", "scale(moe(rls, knn, tree, router=softmax))",
    "guard(scale(rls), mean)",
};

/* Within two of the stated errors of the values over all coalitions, but for one in twenty. */
START_TEST(test_sampled_within_error)
{
    const size_t d = 7;
    StreamingLearner *model = made(d, sampled_models[_i]);
    AnbExplainer *e = explainer_of(model, 32, 2, true);
    AnbRandom random;
    double x[MOST], y, phi[MOST];
    size_t asked = 0, within = 0;
    anb_random_seed(&random, 70 + (uint64_t)_i);
    feed(model, e, &random, 2000);
    for (int t = 0; t < 100; t++) {
        AnbExplanation why;
        next_row(&random, d, x, &y);
        ck_assert_int_eq(anb_explain(e, model, x, &why), 0);
        ck_assert(!why.exact);
        ck_assert_uint_le(why.predictions, anb_explain_cost(e));
        adds_up(&why);
        double base = brute(model, e, x, phi), tiny = 1e-9 * (fabs(base) + 1);
        for (size_t j = 0; j < d; j++, asked++)
            within += fabs(phi[j] - why.phi[j]) <= 2 * why.error[j] + tiny;
    }
    ck_assert_msg(within >= asked * 95 / 100, "%s: %zu of %zu", sampled_models[_i], within, asked);
    anb_explainer_free(e);
    anb_free(model);
}
END_TEST

/* Where at most four columns differ from the kept rows, all coalitions are asked: exact, of any model. */
START_TEST(test_few_columns_are_counted)
{
    StreamingLearner *model = made(4, "knn");
    AnbExplainer *e = explainer_of(model, ROWS, 1, false);
    AnbRandom random;
    double x[MOST], y, phi[MOST];
    anb_random_seed(&random, 3);
    feed(model, e, &random, 500);
    for (int t = 0; t < 20; t++) {
        AnbExplanation why;
        next_row(&random, 4, x, &y);
        ck_assert_int_eq(anb_explain(e, model, x, &why), 0);
        ck_assert(why.exact);
        adds_up(&why);
        brute(model, e, x, phi);
        for (size_t j = 0; j < 4; j++)
            ck_assert_double_le(fabs(phi[j] - why.phi[j]), 1e-9);
    }
    anb_explainer_free(e);
    anb_free(model);
}
END_TEST

/* The same seed gives the same bits, whatever was explained before; a missing cell is a cell like any other. */
START_TEST(test_seeded_and_missing)
{
    StreamingLearner *model = made(6, "scale(moe(rls, knn, router=softmax))");
    AnbExplainer *a = explainer_of(model, ROWS, 1, true), *b = explainer_of(model, ROWS, 1, true);
    AnbRandom random, again;
    double x[MOST], z[MOST], y;
    AnbExplanation why, same;
    anb_random_seed(&random, 5);
    again = random;
    feed(model, a, &random, 400);
    for (size_t t = 0; t < 400; t++) {
        next_row(&again, 6, x, &y);
        ck_assert_int_eq(anb_explainer_keep(b, x), 0);
    }
    next_row(&random, 6, z, &y);
    ck_assert_int_eq(anb_explain(b, model, z, &same), 0);
    x[2] = ANB_NAN;
    ck_assert_int_eq(anb_explain(a, model, x, &why), 0);
    ck_assert(why.error[0] != why.error[0]);
    ck_assert_int_eq(anb_explain(b, model, x, &same), 0);
    adds_up(&why);
    ck_assert_mem_eq(why.phi, same.phi, 6 * sizeof *why.phi);
    anb_explainer_free(a);
    anb_explainer_free(b);
    anb_free(model);
}
END_TEST

/* ---- what surrounds them ----------------------------------------------------------------------------------------- */

START_TEST(test_experts_make_the_mix)
{
    StreamingLearner *model = made(5, "moe(rls, linear, mean, router=boa)");
    AnbExplainer *e = explainer_of(model, ROWS, 2, false);
    AnbRandom random;
    double x[MOST], y, sum = 0;
    AnbExplanation why;
    anb_random_seed(&random, 11);
    feed(model, e, &random, 300);
    next_row(&random, 5, x, &y);
    ck_assert_int_eq(anb_explain(e, model, x, &why), 0);
    ck_assert_uint_eq(why.n_experts, 3);
    for (size_t i = 0; i < 3; i++)
        sum += why.expert[i];
    ck_assert_double_eq_tol(sum, why.prediction, 1e-12);
    ck_assert_double_gt(fabs(why.expert[0]), fabs(why.expert[2]));
    anb_explainer_free(e);
    anb_free(model);
}
END_TEST

/* Kept rows are spread over the span: their mean age is near it, and with no end of it they are of the whole stream. */
START_TEST(test_keeps_a_fading_sample)
{
    StreamingLearner *model = made(1, "mean");
    for (int whole = 0; whole < 2; whole++) {
        AnbExplainerOptions options = anb_explainer_defaults();
        options.rows = 400;
        options.span = whole ? (double)INFINITY : 1000;
        AnbExplainer *e = anb_explainer_new(model, &options, NULL);
        double age = 0, end = 20000;
        for (double t = 0; t < end; t++)
            ck_assert_int_eq(anb_explainer_keep(e, &t), 0);
        ck_assert_uint_eq(anb_explainer_rows(e), 400);
        for (size_t i = 0; i < 400; i++)
            age += (end - anb_explainer_row(e, i)[0]) / 400;
        ck_assert_double_gt(age, whole ? 9000 : 850);
        ck_assert_double_lt(age, whole ? 11000 : 1150);
        anb_explainer_free(e);
    }
    anb_free(model);
}
END_TEST

START_TEST(test_refused)
{
    StreamingLearner *model = made(3, "linear"), *other = made(4, "linear");
    AnbExplainerOptions options = anb_explainer_defaults();
    AnbError error;
    double x[4] = {1, 2, 3, 4};
    AnbExplanation why;
    options.rows = 0;
    ck_assert_ptr_null(anb_explainer_new(model, &options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "rows = 0"));
    options = anb_explainer_defaults();
    options.span = 3;
    ck_assert_ptr_null(anb_explainer_new(model, &options, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "span = 3"));
    AnbExplainer *e = anb_explainer_new(model, NULL, &error);
    ck_assert_int_eq(anb_explain(e, model, x, &why), ANB_E_UNSUPPORTED);
    ck_assert_int_eq(anb_explainer_keep(e, x), 0);
    ck_assert_int_eq(anb_explain(e, other, x, &why), ANB_E_ARGUMENT);
    x[1] = ANB_NAN;
    ck_assert_int_eq(anb_explain(e, model, x, &why), ANB_E_INPUT);
    ck_assert_int_eq(anb_explainer_keep(e, x), ANB_E_INPUT);
    ck_assert_uint_eq(anb_explainer_rows(e), 1);
    anb_explainer_free(e);
    anb_explainer_free(NULL);
    anb_free(model);
    anb_free(other);
}
END_TEST

static size_t calls;

/* Of the cells' neighbours: no column is worth the same in each coalition. */
static double predict_products(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double sum = 0;
    (void)state, (void)scratch;
    for (size_t j = 0; j + 1 < self->n_features; j++)
        sum += row->x[j] * row->x[j + 1];
    calls++;
    return sum;
}

static void predict_products_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch,
                                  double *out)
{
    size_t before = calls;
    anb_predict_each(self, state, rows, scratch, out);
    calls = before + 1;
}

static void learn_nothing(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    (void)self, (void)state, (void)row, (void)y, (void)weight, (void)scratch;
}

/* The explanation of a row of d columns, and how often the type was called. */
static size_t explained_by(bool many, size_t d, double *phi, double *error)
{
    static const AnbField fields[] = {{.name = "unused", .fixed = 1}, {0}};
    const StreamingLearnerType type = {.name = "products",
                                       .flags = ANB_WEIGHT_UNIT | (many ? ANB_SINCE_0_3 : 0),
                                       .fields = fields,
                                       .predict = predict_products,
                                       .update = learn_nothing,
                                       .predict_many = predict_products_many};
    const StreamingLearnerType *const types[] = {&type, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    StreamingLearner *model = anb_parse(d, "products", &options, NULL);
    AnbExplainer *e = explainer_of(model, 1, 2, false);
    double x[40], kept[40];
    for (size_t j = 0; j < d; j++) {
        x[j] = (double)(j * j % 7);
        kept[j] = -1 - (double)(j % 3);
    }
    ck_assert_int_eq(anb_explainer_keep(e, kept), 0);
    calls = 0;
    AnbExplanation why;
    ck_assert_int_eq(anb_explain(e, model, x, &why), 0);
    memcpy(phi, why.phi, d * sizeof *phi);
    memcpy(error, why.error, d * sizeof *error);
    anb_explainer_free(e);
    anb_free(model);
    return calls;
}

/* As many rows at a time as a block holds, with the values of one by one. */
START_TEST(test_coalitions_are_predicted_together)
{
    static const size_t widths[] = {1, 4, 5, 17, 40}, most[] = {3, 4, 5, 5, 9};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        double phi[2][40], error[2][40];
        size_t d = widths[i], one_by_one = explained_by(false, d, phi[0], error[0]);
        ck_assert_uint_le(explained_by(true, d, phi[1], error[1]), most[i]);
        ck_assert(d < 4 || one_by_one > most[i]);
        ck_assert_mem_eq(phi[0], phi[1], d * sizeof **phi);
        ck_assert_mem_eq(error[0], error[1], d * sizeof **error);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("explain");
    TCase *tests = case_of(s, 120);
    tcase_add_loop_test(tests, test_exact_is_brute_force, 0, sizeof exact_models / sizeof *exact_models);
    tcase_add_loop_test(tests, test_sampled_within_error, 0, sizeof sampled_models / sizeof *sampled_models);
    tcase_add_test(tests, test_few_columns_are_counted);
    tcase_add_test(tests, test_seeded_and_missing);
    tcase_add_test(tests, test_experts_make_the_mix);
    tcase_add_test(tests, test_keeps_a_fading_sample);
    tcase_add_test(tests, test_refused);
    tcase_add_test(tests, test_coalitions_are_predicted_together);
    return s;
}

CHECK_MAIN(suite)
