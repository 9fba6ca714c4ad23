/* Distances and selection against plain loops and a sort, on every instruction set. */
#include "numbers.h"
#include "parts/near.h"
#include "suite.h"
#include <string.h>

enum { BLOCKS = 13, MOST = 9, ROWS = BLOCKS * ANB_NEAR_ROWS };

static uint64_t seed = 3;

static void fill(float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)uniform_of(&seed);
}

static int rising(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void body(size_t d, size_t sets)
{
    static float window[ROWS * MOST], query[MOST], weight[MOST], distance[ROWS], minima[4 * ANB_NEAR_ROWS];
    static float model[ROWS], sorted[ROWS];
    static uint32_t index[ROWS];
    fill(window, ROWS * d);
    fill(query, d);
    fill(weight, d);
    for (size_t j = 0; j < d; j++)
        weight[j] *= weight[j];
    anb_near_distances(window, BLOCKS, d, query, weight, distance, minima, sets);
    for (size_t i = 0; i < ROWS; i++) {
        model[i] = 0;
        for (size_t j = 0; j < d; j++) {
            float off = window[anb_near_at(i, j, d)] - query[j];
            float square = off * off;
            float part = square * weight[j];
            model[i] += part;
        }
    }
    ck_assert_mem_eq(distance, model, sizeof model);
    memcpy(sorted, model, sizeof model);
    qsort(sorted, ROWS, sizeof *sorted, rising);
    for (size_t k = 1; k <= 30 * sets; k += 7) {
        float copy[4 * ANB_NEAR_ROWS];
        memcpy(copy, minima, sizeof copy);
        float bound = anb_near_bound(copy, sets * ANB_NEAR_ROWS, k);
        size_t found = anb_near_collect(distance, BLOCKS, bound, index, ROWS), expected = 0;
        ck_assert(bound >= sorted[k - 1]);
        for (uint32_t i = 0; i < ROWS; i++)
            if (model[i] <= bound)
                ck_assert_uint_eq(index[expected++], i);
        ck_assert_uint_eq(found, expected);
        ck_assert_uint_eq(anb_near_collect(distance, BLOCKS, bound, index, k), k);
    }
}

START_TEST(distances_minima_and_rows)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            for (size_t d = 1; d <= MOST; d++)
                for (size_t sets = 1; sets <= 4; sets++)
                    body(d, sets);
    anb_isa_use(before);
}
END_TEST

START_TEST(the_bound_is_the_kth)
{
    float value[60], sorted[60];
    for (int round = 0; round < 200; round++)
        for (size_t n = 1; n <= 60; n += 1 + n / 4) {
            fill(value, n);
            for (size_t i = 0; i < n && round % 2; i++)
                value[i] = (float)(int)(value[i] * 4); /* many equal ones */
            memcpy(sorted, value, sizeof value);
            qsort(sorted, n, sizeof *sorted, rising);
            size_t k = 1 + (size_t)round % n;
            ck_assert(anb_near_bound(value, n, k) == sorted[k - 1]);
        }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("near");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, distances_minima_and_rows);
    tcase_add_test(tests, the_bound_is_the_kth);
    return suite;
}

CHECK_MAIN(suite)
