#include "learners/trees/histogram.h"
#include "suite.h"
#include <math.h>

enum { N = 300, EDGES = 20 };

static uint32_t draws = 777;
static uint32_t draw(void)
{
    draws ^= draws << 13;
    draws ^= draws >> 17;
    return draws ^= draws << 5;
}

typedef struct Data {
    unsigned char code[N];
    double y[N], weight[N];
} Data;

static void fill(Data *data, bool missing)
{
    for (int i = 0; i < N; i++) {
        data->code[i] = missing && draw() % 4 == 0 ? ANB_MISSING : (unsigned char)(draw() % (EDGES + 1));
        data->y[i] = (data->code[i] > 11) + draw() / 4294967296.0;
        data->weight[i] = (double)(1 + draw() % 3);
    }
}

/* Weighted sum of squares about the mean of one side, by the definition. */
static double squares(const Data *data, int cut, bool missing_left, int side, double *weight)
{
    double mean = 0, total = 0, result = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < N; i++) {
            bool left = data->code[i] == ANB_MISSING ? missing_left : data->code[i] <= cut;
            if (side != 2 && left != (side == 0))
                continue;
            if (pass == 0) {
                total += data->weight[i];
                mean += data->weight[i] * data->y[i];
            } else {
                double e = data->y[i] - mean / total;
                result += data->weight[i] * e * e;
            }
        }
    *weight = total;
    return result;
}

static void accumulate(const Data *data, AnbBin *h, AnbSplitRule *rule)
{
    for (int i = 0; i < N; i++) {
        anb_histogram_add(h, 1, NULL, &data->code[i], data->weight[i] * data->y[i], data->weight[i]);
        rule->sum += data->weight[i] * data->y[i];
        rule->count += data->weight[i];
    }
}

START_TEST(the_split_is_the_best_of_all)
{
    Data data;
    AnbBin h[ANB_CODES] = {{0, 0}};
    AnbSplitRule rule = {.min_count = 60};
    AnbSplit best = {.gain = 0};
    fill(&data, _i == 1);
    accumulate(&data, h, &rule);
    anb_histogram_split(h, EDGES, &rule, 3, &best);
    double expected = 0, weight, total = squares(&data, 0, false, 2, &weight);
    int where = -1;
    bool side = false;
    for (int cut = 0; cut < EDGES; cut++)
        for (int left = 0; left <= _i; left++) {
            double a, b, gain = total - squares(&data, cut, left, 0, &a) - squares(&data, cut, left, 1, &b);
            if (a >= 60 && b >= 60 && gain > expected) {
                expected = gain;
                where = cut;
                side = left;
            }
        }
    ck_assert_uint_eq(best.feature, 3);
    ck_assert_int_eq(best.code, where);
    ck_assert_double_eq_tol(best.gain, expected, 1e-9 * expected);
    if (_i == 1)
        ck_assert_int_eq(best.missing_left, side);
    squares(&data, where, side, 0, &weight);
    ck_assert_double_eq_tol(best.left_count, weight, 1e-9);
}
END_TEST

START_TEST(the_ridge_is_in_the_denominators)
{
    AnbBin h[ANB_CODES] = {{-4, 4}, {6, 2}};
    AnbSplitRule rule = {.sum = 2, .count = 6, .ridge = 1, .min_count = 1};
    AnbSplit best = {.gain = 0};
    anb_histogram_split(h, 1, &rule, 0, &best);
    ck_assert_double_eq_tol(best.gain, 16 / 5.0 + 36 / 3.0 - 4 / 7.0, 1e-12);
    ck_assert_int_eq(best.missing_left, 1); /* none was missing: the heavier side */
    rule.min_count = 3;
    best = (AnbSplit){.gain = 0};
    anb_histogram_split(h, 1, &rule, 0, &best);
    ck_assert_double_eq(best.gain, 0);
}
END_TEST

START_TEST(both_sides_add_up_to_the_whole)
{
    enum { M = 3 };
    AnbBin all[M * ANB_CODES] = {{0, 0}}, left[M * ANB_CODES] = {{0, 0}}, right[M * ANB_CODES] = {{0, 0}};
    static const uint32_t index[M] = {4, 0, 2};
    for (int i = 0; i < N; i++) {
        unsigned char codes[5];
        for (int j = 0; j < 5; j++)
            codes[j] = draw() % ANB_CODES;
        anb_histogram_add(all, M, index, codes, i, 1);
        anb_histogram_add(codes[1] < 9 ? left : right, M, index, codes, i, 1);
        ck_assert_double_ge(all[codes[4]].count, 1);
        ck_assert_double_ge(all[2 * ANB_CODES + codes[2]].count, 1);
    }
    for (int k = 0; k < M * ANB_CODES; k++) { /* whole numbers: exact */
        ck_assert_double_eq(all[k].sum, left[k].sum + right[k].sum);
        ck_assert_double_eq(all[k].count, left[k].count + right[k].count);
    }
}
END_TEST

START_TEST(nothing_to_split)
{
    AnbBin h[ANB_CODES] = {{0, 0}};
    AnbSplitRule rule = {.sum = 10, .count = 10, .min_count = 1};
    AnbSplit best = {.gain = 0, .feature = 9};
    h[0] = (AnbBin){10, 10};
    anb_histogram_split(h, 0, &rule, 1, &best);
    anb_histogram_split(h, EDGES, &rule, 1, &best);
    ck_assert_uint_eq(best.feature, 9);
    ck_assert_double_eq(best.gain, 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tests = case_of(suite, 20);
    tcase_add_loop_test(tests, the_split_is_the_best_of_all, 0, 2);
    tcase_add_test(tests, the_ridge_is_in_the_denominators);
    tcase_add_test(tests, both_sides_add_up_to_the_whole);
    tcase_add_test(tests, nothing_to_split);
    return suite;
}

CHECK_MAIN(suite)
