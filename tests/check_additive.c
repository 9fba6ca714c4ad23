/* The additive model with pairs: its formulas on the first rows, curves and products, missing cells, wide
 * rows, units. */
#include "isa_here.h"
#include "made.h"
#include "numbers.h"
#include "reload.h"
#include "suite.h"
#include "learners/additive.h"
#include "src/host/model.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A term of the sum and its variance. */
typedef struct Term {
    double w, p;
} Term;

static void moved(Term *term, double phi, double e, double sum, double floor)
{
    term->w += phi * term->p * e / sum;
    if (term->p > floor)
        term->p -= .3 * phi * phi * term->p * term->p / sum;
}

/* Before there are knots a model of two features is a constant, two lines, two constants of curves and one cell. */
START_TEST(the_first_rows_are_a_filter_of_the_diagonal)
{
    StreamingLearner *model = made(2, "additive");
    Term line[2] = {{0, .6}, {0, .6}}, curve[2] = {{0, .3}, {0, .3}}, cell = {0, .3};
    double constant = 0;
    uint64_t seed = 3;
    for (int t = 0; t < 15; t++) {
        double x[2] = {noise(&seed), noise(&seed)}, y = 3 + x[0] - 2 * x[1] + .1 * noise(&seed);
        double f = constant + line[0].w * x[0] + line[1].w * x[1] + curve[0].w + curve[1].w + cell.w;
        ck_assert_double_eq_tol(anb_train_one(model, x, y, 1), f, 1e-6); /* cells are floats */
        if (t == 0) {
            constant = y;
            continue;
        }
        double own = 1. / (1 + t), e = y - f, sum = 1 + own + cell.p;
        for (int j = 0; j < 2; j++)
            sum += line[j].p * x[j] * x[j] + curve[j].p;
        constant += own * e / sum;
        for (int j = 0; j < 2; j++) {
            moved(&line[j], x[j], e, sum, .015);
            moved(&curve[j], 1, e, sum, .015);
        }
        moved(&cell, 1, e, sum, .05);
    }
    anb_free(model);
}
END_TEST

/* A curve, a product, a step in a feature that may be missing; features that say nothing; a little noise. */
static double target(uint64_t *seed, double *x, size_t d)
{
    for (size_t j = 0; j < d; j++)
        x[j] = uniform_of(seed);
    double y = 3 * fabs(x[0]) + 4 * (x[1] + .5) * (x[2] + .5) + (x[3] > .2 ? 2 : 0) + .2 * noise(seed);
    if (unit_of(seed) < .2) {
        y += x[3] > .2 ? 1 : 3;
        x[3] = NAN;
    }
    return y;
}

/* The root mean square over the last quarter of n rows. */
static double error_of(const char *expression, size_t d, int n)
{
    StreamingLearner *model = made(d, expression);
    double x[40], sum = 0;
    uint64_t seed = 11;
    for (int t = 0; t < n; t++) {
        double y = target(&seed, x, d), e = y - anb_train_one(model, x, y, 1);
        sum += t >= n - n / 4 ? e * e : 0;
    }
    anb_free(model);
    return sqrt(sum / (n / 4));
}

START_TEST(it_finds_curves_products_and_what_a_missing_cell_means)
{
    double alone = error_of("additive(pairs=0)", 6, 8000), pairs = error_of("additive", 6, 8000),
           line = error_of("scale(rls)", 6, 8000);
    ck_assert_double_lt(pairs, .45); /* the target's deviation is 2, a third of it the product's */
    ck_assert_double_lt(pairs, .35 * alone);
    ck_assert_double_lt(alone, .8 * line);
}
END_TEST

/* Where not all pairs of 40 features fit, those of the strongest ones are learned. */
START_TEST(wide_rows_have_tables_of_the_strongest_features)
{
    double alone = error_of("additive(pairs=0)", 40, 12000), some = error_of("additive(pairs=3)", 40, 12000);
    ck_assert_double_lt(some, .8 * alone);
}
END_TEST

/* Another unit of the target is another unit of the predictions, to the bit where it is a power of two. */
START_TEST(the_unit_of_the_target_does_not_matter)
{
    static const double units[] = {0x1p-200, 0x1p-3, 0x1p40, 0x1p300};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        StreamingLearner *model = made(4, "additive"), *other = made(4, "additive");
        uint64_t seed = 5;
        for (int t = 0; t < 500; t++) {
            double x[4], y = target(&seed, x, 4), f = anb_train_one(model, x, y, 1);
            ck_assert_double_eq(anb_train_one(other, x, units[i] * y, 1), units[i] * f);
        }
        anb_free(model);
        anb_free(other);
    }
}
END_TEST

/* A target that grows a billion times: the weights go into another unit, and what is said into the new range. */
START_TEST(weights_follow_the_errors_into_another_unit)
{
    StreamingLearner *model = made(4, "additive");
    uint64_t seed = 5;
    double sum = 0, x[4];
    for (int t = 0; t < 6000; t++) {
        double unit = t < 1000 ? 1 : 1e9, y = unit * target(&seed, x, 4), f = anb_train_one(model, x, y, 1);
        ck_assert(isfinite(f));
        sum += t >= 5000 ? (y - f) * (y - f) : 0;
    }
    ck_assert_double_lt(sqrt(sum / 1000), .6e9);
    anb_free(model);
}
END_TEST

/* Rows of nearly no weight and of ever larger targets: the unit follows the errors, and the prediction for a row stays,
 * but for new knots. */
START_TEST(another_unit_changes_no_prediction)
{
    StreamingLearner *model = made(4, "additive");
    const Additive *head = anb_additive_view(model->plan->nodes, anb_block(model)).head;
    uint64_t seed = 5;
    double x[4], first, unit = 1;
    for (int t = 0; t < 1000; t++)
        anb_train_one(model, x, target(&seed, x, 4), 1);
    first = head->unit;
    for (int t = 0; t < 30; t++, unit *= 2) {
        double y = unit * target(&seed, x, 4), before = anb_train_one(model, x, y, 1e-12);
        ck_assert_double_eq_tol(anb_predict(model, x), before, 5);
    }
    ck_assert_double_gt(head->unit, 0x1p20 * first);
    anb_free(model);
}
END_TEST

/* The hash of what a model of d features predicts while it learns. Of eight rows at once, another loop, it predicts the
 * same. */
static uint64_t hash_of_width(size_t d)
{
    enum { MANY = 8 };
    char expression[60];
    snprintf(expression, sizeof expression, "additive(cells=%zu, pairs=3)", 2 + 7 * d % 23);
    StreamingLearner *model = made(d, expression);
    double x[40], rows[MANY * 40], said[MANY];
    uint64_t seed = 9 + d, hash = 14695981039346656037u;
    for (int t = 0; t < 400; t++) {
        double y = target(&seed, x, 40), f = anb_train_one(model, x, y, 1);
        hash = hash_of(hash, &f, sizeof f);
        memcpy(rows + t % MANY * d, x, d * sizeof *x);
    }
    anb_predict_many(model, rows, MANY, said);
    for (size_t i = 0; i < MANY; i++)
        ck_assert_double_eq(said[i], anb_predict(model, rows + i * d));
    anb_free(model);
    return hash;
}

START_TEST(every_width_has_the_same_bits_on_every_instruction_set)
{
    for (size_t d = 1; d <= 35; d += d < 19 ? 1 : 4)
        assert_same_hash(hash_of_width, d);
}
END_TEST

static double row_of_thirty(uint64_t *seed, double *x)
{
    return target(seed, x, 30);
}

/* The knots that a round has just made of feature j are the different values in its reserve, or quantiles of its
 * values. */
static void assert_knots(const AdditiveView *v, size_t j, const double *knots, size_t n_knots)
{
    double sorted[ANB_RESERVE], expected[ANB_RESERVE];
    size_t rows = v->head->seen < ANB_RESERVE ? v->head->seen : ANB_RESERVE, n = 0, kinds = 0, count = 0;
    for (size_t i = 0; i < rows; i++)
        if (!isnan(v->reserve[j * ANB_RESERVE + i]))
            sorted[n++] = v->reserve[j * ANB_RESERVE + i];
    qsort(sorted, n, sizeof *sorted, rising);
    for (size_t i = 0; i < n; i++)
        kinds += i == 0 || sorted[i] > sorted[i - 1];
    for (size_t i = 0, most = kinds > ANB_KNOTS ? ANB_KNOTS : n; i < most; i++) {
        double value = sorted[most == n ? i : i * (n - 1) / (most - 1)];
        if (count == 0 || value > expected[count - 1])
            expected[count++] = value;
    }
    ck_assert_uint_eq(n_knots, count);
    ck_assert_mem_eq(knots, expected, count * sizeof *expected);
}

/* The reserve is sorted before knots are made of it, and rows that come meanwhile are in them as well. They come into
 * use with the next sample, as they were made, or, where rows are wide, at once. */
START_TEST(knots_are_of_the_reserve_as_it_is)
{
    static const size_t widths[] = {1, 4, 70, 150};
    size_t d = widths[_i], used = 0;
    StreamingLearner *model = made(d, "additive(cells=4, pairs=2)");
    AdditiveView v = anb_additive_view(model->plan->nodes, anb_block(model));
    double x[150];
    uint64_t seed = 6;
    for (size_t t = 0; t < 2600; t++) {
        for (size_t j = 0; j < d; j++)
            x[j] = j % 4 == 3 ? floor(6 * unit_of(&seed)) : noise(&seed);
        x[t % d] = t % 7 == 0 ? NAN : x[t % d];
        double due = v.head->due;
        const AdditiveNext next = v.head->next;
        uint64_t turn = v.head->turn;
        anb_train_one(model, x, noise(&seed), 1);
        size_t first = v.head->due != due ? 0 : turn, end = v.head->turn < d ? v.head->turn : d;
        for (size_t j = first; j < end; j++, used++)
            if (j == first && next.count > 0)
                ck_assert_mem_eq(v.knots + j * ANB_KNOTS, next.knots, next.count * sizeof(double));
            else
                assert_knots(&v, j, v.knots + j * ANB_KNOTS, v.count[j]);
        if (v.head->next.count > 0 && (next.count == 0 || end > first))
            assert_knots(&v, end, v.head->next.knots, v.head->next.count);
    }
    ck_assert_uint_ge(used, 4 * d);
    anb_free(model);
}
END_TEST

/* No sample of a narrow row makes two steps of a round: a pass of the sorting, new knots, their coming into use. */
START_TEST(a_sample_makes_one_step_of_a_round)
{
    enum { D = 12 };
    StreamingLearner *model = made(D, "additive(cells=4, pairs=2)");
    AdditiveView v = anb_additive_view(model->plan->nodes, anb_block(model));
    double x[D];
    uint64_t seed = 6, passes = 0, made_of = 0, used = 0;
    for (size_t t = 0; t < 2600; t++) {
        for (size_t j = 0; j < D; j++)
            x[j] = noise(&seed);
        const Additive before = *v.head;
        anb_train_one(model, x, noise(&seed), 1);
        bool sorted = v.head->sorting.done > before.sorting.done, make = v.head->next.count > before.next.count,
             use = v.head->next.count < before.next.count;
        ck_assert_int_le(sorted + make + use, 1);
        ck_assert(!use || memcmp(v.knots + before.turn * ANB_KNOTS, before.next.knots, sizeof before.next.knots) == 0);
        passes += sorted, made_of += make, used += use;
    }
    ck_assert_uint_ge(made_of, 6 * D); /* after 20, 50, 125, 313, 782, 1,954 rows */
    ck_assert_uint_eq(made_of, used);
    ck_assert_uint_gt(passes, 3 * D * ANB_PASSES);
    anb_free(model);
}
END_TEST

START_TEST(snapshots_amid_a_round)
{
    assert_reloads_go_on(30, "additive(cells=3, pairs=2)", 60, 11, row_of_thirty, 7);
}
END_TEST

START_TEST(extremes_stay_finite)
{
    static const double odd[] = {1e300, -1e308, 0, 1e-300, 1.7e308, -1e150, 7};
    StreamingLearner *model = made(3, "additive");
    for (int t = 0; t < 3000; t++) {
        double x[3] = {odd[t % 7], odd[t / 3 % 7], t % 4 ? 1 : NAN},
               f = anb_train_one(model, x, odd[t / 5 % 7], t % 11 ? 1 : 1e30);
        ck_assert(isfinite(f));
    }
    anb_free(model);
}
END_TEST

/* Errors have no size before the first that is not 0. */
START_TEST(a_target_that_was_constant_may_change)
{
    StreamingLearner *model = made(1, "additive");
    for (int t = 0; t < 200; t++) {
        double x = t % 7, said = anb_train_one(model, &x, t < 100 ? 3 : x, 1);
        ck_assert_msg(isfinite(said), "row %d", t);
        StreamingLearner *again = reloaded(model, NULL);
        ck_assert_msg(again && anb_predict(again, &x) == anb_predict(model, &x), "row %d", t);
        anb_free(again);
    }
    ck_assert_uint_eq(anb_counters(model)->restarts, 0);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("additive");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, the_first_rows_are_a_filter_of_the_diagonal);
    tcase_add_test(tests, it_finds_curves_products_and_what_a_missing_cell_means);
    tcase_add_test(tests, wide_rows_have_tables_of_the_strongest_features);
    tcase_add_test(tests, the_unit_of_the_target_does_not_matter);
    tcase_add_test(tests, weights_follow_the_errors_into_another_unit);
    tcase_add_test(tests, another_unit_changes_no_prediction);
    tcase_add_test(tests, every_width_has_the_same_bits_on_every_instruction_set);
    add_isa_skips(tests);
    tcase_add_loop_test(tests, knots_are_of_the_reserve_as_it_is, 0, 4);
    tcase_add_test(tests, a_sample_makes_one_step_of_a_round);
    tcase_add_test(tests, snapshots_amid_a_round);
    tcase_add_test(tests, extremes_stay_finite);
    tcase_add_test(tests, a_target_that_was_constant_may_change);
    return suite;
}

CHECK_MAIN(suite)
