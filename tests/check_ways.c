/*
 * Every way to a prediction gives the same bits: the short way of a type that stands alone (AnbDirectTable) beside the
 * long one, over rows and targets that are fine, missing, infinite, or overflow what a model computes of them; and
 * anb_predict_many beside the loop that it stands for, for every registered type and router, on every instruction set.
 */
#include "made.h"
#include "stream.h"
#include "suite.h"
#include "src/simd/isa.h"
#include <anabranch/anabranch.h>
#include <anabranch/type.h>
#include <math.h>
#include <string.h>

enum { WIDEST = 67, LONG = 2051, SAMPLES = 600 };

/* ---- the short way beside the long one --------------------------------------------------------------------------- */

typedef struct Alone {
    const StreamingLearnerType *type;
    const void *options;
} Alone;

static StreamingLearner *make(const StreamingLearnerType *type, const void *options, size_t d)
{
    AnbError error = {0};
    StreamingLearner *model = anb_new(d, &(AnbExpert){.type = type, .options = options}, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", type->name, error.message);
    return model;
}

/* What is wrong with sample i; its target. */
static double spoiled(const Stream *s, size_t i, double *x, double y)
{
    size_t at = i % s->d;
    switch (i % 40) {
    case 0: /* products that are all 0 or -0 while there are no weights */
        for (size_t j = 0; j < s->d; j++)
            x[j] = i > 0 ? x[j] : -fabs(x[j]);
        return y;
    case 11:
        x[at] = ANB_NAN;
        return y;
    case 17:
        x[at] = i % 80 < 40 ? (double)INFINITY : -(double)INFINITY;
        return y;
    case 23:
        return i % 80 < 40 ? ANB_NAN : (double)INFINITY;
    case 29:
        x[at] = 1e200;
        return i % 80 < 40 ? y : 1e308;
    case 31:
        x[at] = i > SAMPLES / 2 ? 1e308 : 0;
        return -1e308;
    default:
        return y / 50;
    }
}

static double weight_of(size_t i)
{
    static const double weights[] = {0, 2, -1, .5};
    return i > SAMPLES / 3 && i % 13 == 5 ? weights[i / 13 % 4] : 1;
}

static void assert_same(double a, double b, const char *what, const char *name, size_t i)
{
    ck_assert_msg(memcmp(&a, &b, sizeof a) == 0, "%s: %s of sample %zu: %.17g, %.17g", name, what, i, a, b);
}

static void walk_both_ways(const Alone *alone, size_t d)
{
    StreamingLearnerType plain = *alone->type;
    const char *name = plain.name;
    plain.direct = NULL;
    StreamingLearner *shorter = make(alone->type, alone->options, d), *longer = make(&plain, alone->options, d);
    AnbReader *reader = anb_reader_new(shorter, NULL);
    Stream s = {d, d};
    double x[LONG];
    for (size_t i = 0; i < SAMPLES; i++) {
        double y = spoiled(&s, i, x, stream_next(&s, x)), weight = weight_of(i);
        double said = anb_predict(longer, x);
        assert_same(anb_predict(shorter, x), said, "predict", name, i);
        assert_same(anb_predict_with(shorter, reader, x), said, "a reader's predict", name, i);
        assert_same(anb_train_one(shorter, x, y, weight), anb_train_one(longer, x, y, weight), "train_one", name, i);
    }
    ck_assert_msg(anb_equal(shorter, longer), "%s with %zu features ends unequal", name, d);
    ck_assert_mem_eq(anb_counters(shorter), anb_counters(longer), sizeof(AnbCounters));
    anb_reader_free(reader);
    anb_free(shorter);
    anb_free(longer);
}

static void at_every_width(const Alone *alone)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        for (size_t d = 1; d <= WIDEST && anb_isa_use((AnbIsa)isa); d += d < 26 ? 1 : 41)
            walk_both_ways(alone, d);
    anb_isa_use(before);
}

START_TEST(the_short_way_is_the_long_one)
{
    size_t walked = 0;
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        if ((*type)->direct && (*type)->min_children == 0) {
            at_every_width(&(Alone){*type, NULL});
            walked++;
        }
    ck_assert_uint_ge(walked, 2);
}
END_TEST

/* Rows that do not fit the first cache are read once for both sums. */
START_TEST(the_short_way_of_long_rows)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            walk_both_ways(&(Alone){&anb_linear, NULL}, LONG);
    anb_isa_use(before);
}
END_TEST

START_TEST(the_short_way_with_other_options)
{
    AnbLinearOptions normalized = anb_linear_defaults(), fast = anb_linear_defaults(), free = anb_linear_defaults();
    AnbRlsOptions adaptive = anb_rls_defaults(), bare = anb_rls_defaults();
    normalized.normalized = true;
    fast.rate = .7;
    free.bounded = false;
    free.rate = .4;
    adaptive.adaptive = true;
    bare.intercept = false;
    const Alone cases[] = {{&anb_linear, &normalized},
                           {&anb_linear, &fast},
                           {&anb_linear, &free},
                           {&anb_rls, &adaptive},
                           {&anb_rls, &bare}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        at_every_width(&cases[i]);
}
END_TEST

/* ---- many rows beside the loop ----------------------------------------------------------------------------------- */

enum { ROWS_MOST = 131, SHORT_ROWS = 300, D = 6, TEXT = 600, LEARNED = 900 };

/* One row in eleven misses a cell, one in seventeen holds an infinite one, one in twenty-nine a very large one. */
static void fill_rows(Stream *s, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = x + i * s->d;
        stream_next(s, row);
        if (i % 11 == 7)
            row[i % s->d] = ANB_NAN;
        if (i % 17 == 3)
            row[i % s->d] = (double)INFINITY;
        if (i % 29 == 5)
            row[i % s->d] = 1e300;
    }
}

static void assert_many(StreamingLearner *model, const double *x, size_t n, const char *expression)
{
    double out[SHORT_ROWS + 1];
    size_t d = anb_n_features(model);
    StreamingLearner *copy = anb_clone(model, NULL);
    out[n] = 17;
    anb_predict_many(model, x, n, out);
    for (size_t i = 0; i < n; i++) {
        double f = anb_predict(copy, x + i * d);
        ck_assert_msg(memcmp(&f, &out[i], sizeof f) == 0, "%s on %s: row %zu of %zu: %.17g, the loop %.17g", expression,
                      anb_isa_name(anb_isa_in_use()), i, n, out[i], f);
    }
    ck_assert_double_eq(out[n], 17);
    ck_assert(anb_equal(model, copy));
    ck_assert_mem_eq(anb_counters(model), anb_counters(copy), sizeof(AnbCounters));
    anb_free(copy);
}

static void ask_many(const char *expression, size_t d)
{
    static const size_t counts[] = {1, 2, 3, 4, 5, 7, 31, 32, 33, 64, ROWS_MOST};
    static double x[ROWS_MOST * WIDEST];
    StreamingLearner *model = made(d, expression);
    Stream s = {77, d};
    double row[WIDEST];
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        fill_rows(&s, x, counts[i]);
        assert_many(model, x, counts[i], expression);
        for (size_t t = 0; t < LEARNED / 10; t++) {
            double y = stream_next(&s, row);
            anb_train_one(model, row, y, 1);
        }
    }
    anb_free(model);
}

static void on_every_set(const char *expression, size_t d)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            ask_many(expression, d);
    anb_isa_use(before);
}

START_TEST(many_are_the_loop)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++) {
        char text[TEXT];
        on_every_set((*type)->example, D);
        snprintf(text, sizeof text, "scale(%s)", (*type)->example);
        if (!((*type)->flags & ANB_ROOT_ONLY))
            on_every_set(text, D);
    }
}
END_TEST

START_TEST(many_through_every_router)
{
    for (const AnbRouterType *const *router = anb_router_types(); *router; router++) {
        char text[TEXT];
        snprintf(text, sizeof text,
                 "guard(scale(refine(moe(linear, rls(warmup=300), mean, mlp(hidden=12), router=%s), mlp)))",
                 (*router)->type.example);
        on_every_set(text, D);
    }
}
END_TEST

/* Tails of every length, rows of more than the stack has room for, and what has a way of its own by its options. */
START_TEST(many_at_every_width)
{
    static const char *const expressions[] = {"linear",
                                              "rls",
                                              "rls(intercept=false)",
                                              "linear(normalized=true)",
                                              "scale(linear)",
                                              "scale(mlp(hidden=5, activation=relu))",
                                              "scale(mlp(hidden=17))",
                                              "mlp(hidden=9, activation=swiglu)",
                                              "residual(linear, scale(linear))",
                                              "additive(cells=24)",
                                              "knn(window=120)",
                                              "scale(knn(window=120))",
                                              "scale(mlp(hidden=8, replay=2))",
                                              "scale(mlp(hidden=40, precision=single))",
                                              "mlp(hidden=16, activation=relu, precision=single)",
                                              "mlp(hidden=9, activation=swiglu, precision=single)"};
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
        for (size_t d = 1; d <= WIDEST; d += d < 18 ? 1 : 49)
            ask_many(expressions[i], d);
}
END_TEST

/* The short way looks at many rows in one go: all fine, and one that is not, first, amid and last. */
START_TEST(many_by_the_short_way)
{
    static const char *const expressions[] = {"linear", "rls", "linear(normalized=true)"};
    static const size_t bad[] = {SHORT_ROWS, 0, 255, 256, 270, SHORT_ROWS - 1};
    static double x[SHORT_ROWS * D];
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            StreamingLearner *model = made(D, expressions[i]);
            Stream s = {5, D};
            for (size_t t = 0; t < SHORT_ROWS; t++) {
                double y = stream_next(&s, x + t * D);
                anb_train_one(model, x + t * D, y, 1);
            }
            if (bad[b] < SHORT_ROWS)
                x[bad[b] * D + 2] = b % 2 ? ANB_NAN : (double)INFINITY;
            assert_many(model, x, SHORT_ROWS, expressions[i]);
            anb_free(model);
        }
}
END_TEST

START_TEST(wide_rows_fit_nowhere)
{
    enum { WIDE = 1500, N = 5 };
    static const char *const expressions[] = {"scale(linear)", "mlp(hidden=3)", "scale(moe(linear, mean, router=boa))",
                                              "refine(moe(linear, mean, router=boa), linear)"};
    static double x[N * WIDE];
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        StreamingLearner *model = made(WIDE, expressions[i]);
        Stream s = {3, WIDE};
        for (size_t t = 0; t < 40; t++) {
            double y = stream_next(&s, x);
            anb_train_one(model, x, y, 1);
        }
        fill_rows(&s, x, N);
        assert_many(model, x, N, expressions[i]);
        anb_free(model);
    }
}
END_TEST

/* The members that 0.3 added are read of types with the flag only: the struct of one compiled for 0.2 ends before. */
START_TEST(members_have_their_flag)
{
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        if ((*type)->expand_late || (*type)->quantile || (*type)->direct || (*type)->predict_many ||
            (*type)->features || (*type)->categories)
            ck_assert_msg((*type)->flags & ANB_SINCE_0_3, "%s", (*type)->name);
    StreamingLearnerType older = anb_linear;
    older.flags &= ~(unsigned)ANB_SINCE_0_3;
    older.direct = (const AnbDirectTable *)(const void *)"no table";
    older.quantile = (const AnbQuantileTable *)(const void *)"no table";
    older.features = (const AnbFeatureTable *)(const void *)"no table";
    older.categories = (const AnbCategoryTable *)(const void *)"no table";
    StreamingLearner *model = make(&older, NULL, 3);
    double x[6] = {1, 2, 3, 4, 5, 6}, out[2] = {1, 1};
    anb_train_one(model, x, 3, 1);
    anb_predict_many(model, x, 2, out);
    ck_assert_double_eq(out[1], anb_predict(model, x + 3));
    AnbCategoryEffect effect;
    ck_assert_uint_eq(anb_frequent_categories(model, 0, &effect, 1), 0);
    ck_assert_uint_eq(anb_quantile_levels(model, NULL), 0);
    anb_free(model);
}
END_TEST

/* The table of a type compiled for 0.6 ends before step_many, which is read with its flag only. */
START_TEST(steps_of_several_models_have_their_flag)
{
    AnbDirectTable table = *anb_linear.direct;
    StreamingLearnerType older = anb_linear;
    AnbError error = {0};
    older.direct = &table;
    table.step_many = NULL;
    ck_assert_ptr_null(anb_new(3, &(AnbExpert){.type = &older}, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "`direct` lacks a function"));
    older.flags &= ~(unsigned)ANB_STEPS_MANY;
    StreamingLearner *model = make(&older, NULL, 3), *models[40];
    const double x[3] = {1, 2, 3}, *rows[40], y[40] = {1};
    for (size_t i = 0; i < 40; i++)
        models[i] = model, rows[i] = x;
    AnbPool *pool = anb_pool_new(1, NULL);
    ck_assert_int_eq(anb_pool_train(pool, models, rows, y, NULL, 40, NULL), 0);
    ck_assert_uint_eq(anb_n_samples_seen(model), 40);
    anb_pool_free(pool);
    anb_free(model);
}
END_TEST

/* The table of a type compiled for 0.17 ends before predict_or, which is read with its flag only. */
START_TEST(predictions_that_fall_back_have_their_flag)
{
    AnbDirectTable table = *anb_linear.direct;
    StreamingLearnerType older = anb_linear;
    AnbError error = {0};
    older.direct = &table;
    table.predict_or = NULL;
    ck_assert_ptr_null(anb_new(3, &(AnbExpert){.type = &older}, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "`direct` lacks a function"));
    older.flags &= ~(unsigned)ANB_FALLS_BACK;
    StreamingLearner *model = make(&older, NULL, 3), *newer = make(&anb_linear, NULL, 3);
    const double x[3] = {1, 2, 3}, bad[3] = {1, INFINITY, 3};
    anb_train_one(model, x, 4, 1);
    anb_train_one(newer, x, 4, 1);
    ck_assert(anb_predict(model, x) == anb_predict(newer, x));
    ck_assert_double_nan(anb_predict(model, bad));
    ck_assert_uint_eq(anb_counters(model)->rejected_features, 1);
    anb_free(newer);
    anb_free(model);
}
END_TEST

static size_t most_rows, all_rows; /* of one call, of all calls of count_rows */

static void count_rows(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    most_rows = rows->n > most_rows ? rows->n : most_rows;
    all_rows += rows->n;
    anb_predict_each(self, state, rows, scratch, out);
}

/* 300 rows, by blocks of 32, or of 256 at the root where its type takes any number. */
START_TEST(the_root_gets_the_rows_that_its_type_takes)
{
    enum { ALL = 300 };
    const bool any = _i & 1, below = _i & 2;
    StreamingLearnerType counting = anb_rls;
    counting.direct = NULL;
    counting.predict_many = count_rows;
    counting.flags = any ? counting.flags | ANB_ANY_ROWS : counting.flags & ~(unsigned)ANB_ANY_ROWS;
    const AnbExpert expert = {.type = &counting};
    const AnbExpert scale = {.type = &anb_scale, .children = &expert, .n_children = 1};
    StreamingLearner *model = anb_new(1, below ? &scale : &expert, NULL, NULL);
    double x[ALL], out[ALL];
    for (size_t i = 0; i < ALL; i++)
        anb_train_one(model, &(double){x[i] = (double)i}, 2 * x[i], 1);
    most_rows = all_rows = 0;
    anb_predict_many(model, x, ALL, out);
    ck_assert_uint_eq(all_rows, ALL);
    ck_assert_uint_eq(most_rows, any && !below ? 8 * ANB_ROWS : ANB_ROWS);
    for (size_t i = 0; i < ALL; i++)
        ck_assert(out[i] == anb_predict(model, &x[i]));
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("ways");
    TCase *tests = case_of(suite, 120);
    tcase_add_test(tests, the_short_way_is_the_long_one);
    tcase_add_test(tests, the_short_way_of_long_rows);
    tcase_add_test(tests, the_short_way_with_other_options);
    tcase_add_test(tests, many_are_the_loop);
    tcase_add_test(tests, many_through_every_router);
    tcase_add_test(tests, many_at_every_width);
    tcase_add_test(tests, many_by_the_short_way);
    tcase_add_test(tests, wide_rows_fit_nowhere);
    tcase_add_test(tests, members_have_their_flag);
    tcase_add_test(tests, steps_of_several_models_have_their_flag);
    tcase_add_test(tests, predictions_that_fall_back_have_their_flag);
    tcase_add_loop_test(tests, the_root_gets_the_rows_that_its_type_takes, 0, 4);
    return suite;
}

CHECK_MAIN(suite)
