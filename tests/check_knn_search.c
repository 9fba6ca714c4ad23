/* Codes, distances and selection against plain loops and a sort, on every instruction set, and on v4 also
 * without VNNI. */
#include "isa_here.h"
#include "knn_rows.h"
#include "reload.h"
#include "src/host/model.h"
#include "suite.h"

static int32_t half(uint32_t word, size_t j)
{
    return (int16_t)(j % 2 ? word >> 16 : word & 0xffff);
}

static void check_codes(Fixture *f)
{
    size_t pairs = anb_knn_search_pairs(f->d);
    anb_knn_search_distances(f->code, f->rows, pairs, f->query_code, f->distance, f->minima, SETS);
    for (size_t i = 0; i < f->rows; i++) {
        int32_t sum = 0;
        uint32_t row[PAIRS];
        anb_knn_search_encode_row(f->window + i * f->d, f->d, f->factor, f->none, 16000, row, 1);
        for (size_t j = 0; j < f->d; j++) {
            uint32_t word = f->code[anb_knn_search_word(i, f->d) + j / 2 * ANB_KNN_SEARCH_ROWS];
            int32_t off = half(word, j) - half(f->query_code[j / 2], j);
            ck_assert_int_eq(half(word, j), lrintf(f->factor[j] * f->window[i * f->d + j]));
            ck_assert_uint_eq(word, row[j / 2]);
            sum += off * off;
        }
        ck_assert_int_eq(f->distance[i], sum);
    }
    for (size_t i = f->rows; i < anb_knn_search_blocks(f->rows) * ANB_KNN_SEARCH_ROWS; i++)
        ck_assert_int_eq(f->distance[i], INT32_MAX);
}

static void find_nearest(size_t d, size_t rows)
{
    static Fixture f;
    draw(&f, d, rows);
    check_codes(&f);
    for (size_t k = 1; k <= rows; k += 1 + k / 2) {
        check_search(&f, k, false);
        check_search(&f, k, true);
    }
    check_tiles(&f, rows / 3 + 1);
    for (size_t older = 0; older < rows; older += ANB_KNN_SEARCH_ROWS) {
        make_older(&f, older);
        check_tiles(&f, rows / 3 + 1);
        for (size_t k = 1; k <= rows; k += 1 + k / 2)
            check_search(&f, k, false);
    }
}

static void find_all(void)
{
    for (size_t d = 1; d <= MOST; d++)
        for (size_t rows = 7; rows <= ROWS; rows += rows / 3 + 1)
            find_nearest(d, rows);
}

START_TEST(finds_the_nearest)
{
    on_each_way(find_all);
}
END_TEST

START_TEST(this_cpu_has_vnni_and_vbmi2)
{
    if (!anb_isa_vnni || !anb_isa_vbmi2)
        skip_test("VNNI and VBMI2");
}
END_TEST

START_TEST(rows_out_of_reach_are_said_to_be)
{
    float x[3] = {1, -70, 2}, factor[3] = {10, 10, 10}, none[3] = {0};
    uint32_t code[2];
    ck_assert(anb_knn_search_encode_row(x, 3, factor, none, 500, code, 1) == 700);
    ck_assert_int_eq(half(code[0], 0), 10);
    ck_assert_int_eq(half(code[0], 1), -500);
    ck_assert_int_eq(half(code[1], 0), 20);
    ck_assert_int_eq(half(code[1], 1), 0);
}
END_TEST

/* A query's code and one that a snapshot may have, as far apart as they can be. */
static void check_limits(size_t d)
{
    double limit = (double)anb_knn_search_limit(d), across = limit + (double)anb_knn_search_kept_limit(d);
    double features = 2 * (double)anb_knn_search_pairs(d);
    ck_assert_msg(across * across * features < 0x1p31, "%zu features: %g", d, across);
    ck_assert_msg(limit >= 11 && across <= 2 * limit + 1, "%zu features: %g of %g", d, limit, across);
}

START_TEST(no_sum_of_codes_overflows)
{
    for (size_t d = 1; d <= 1100; d++)
        check_limits(d);
    for (size_t d = 1 << 11; d <= 1 << 20; d *= 2)
        check_limits(d);
}
END_TEST

enum { EXTREME = 70, WIDE = 130, WORDS = 3 * ANB_KNN_SEARCH_ROWS };

/* Code j of row i, 0 behind the last feature: all at one end, or every other at the other end. */
static int extreme(size_t i, size_t j, size_t d)
{
    const int most = (int)(i % 8 < 4 ? anb_knn_search_kept_limit(d) : anb_knn_search_limit(d));
    if (j >= d)
        return 0;
    return i % 4 == 0 || (i % 4 == 2 && j % 2 == 0) || (i % 4 == 3 && j > d / 2) ? most : -most;
}

/* Distances of one query and of four, beside sums of 64 bits. `alike`: the last words of the queries are the first
 * one's. */
static void check_extremes(size_t d, bool alike)
{
    static uint32_t code[WORDS * (WIDE / 2)], query[ANB_KNN_TILE][WIDE / 2], turned[ANB_KNN_TILE * (WIDE / 2)];
    static int32_t distance[WORDS], square[WORDS], minima[2 * ANB_KNN_SEARCH_ROWS];
    static int16_t tiled[ANB_KNN_TILE * (WORDS + ANB_KNN_SEARCH_ROWS)], lowest[ANB_KNN_TILE * 2 * ANB_KNN_SEARCH_ROWS];
    const int shift = (int)(d % 17);
    const size_t pairs = anb_knn_search_pairs(d);
    const AnbKnnSearch near = {.rows = EXTREME, .d = d, .code = code, .older = EXTREME};
    const AnbKnnTileWork work = {square, tiled, lowest, 1};
    AnbKnnTile tile = {.query = turned, .shift = shift, .guess = 1, .alike = alike};
    for (size_t i = 0; i < EXTREME; i++)
        for (size_t p = 0; p < pairs; p++)
            code[anb_knn_search_word(i, d) + p * ANB_KNN_SEARCH_ROWS] =
                anb_knn_search_pair(extreme(i, 2 * p, d), extreme(i, 2 * p + 1, d));
    for (size_t q = 0; q < ANB_KNN_TILE; q++) {
        for (size_t p = 0; p < pairs; p++) {
            const size_t of = alike && p + 1 == pairs ? 4 : 4 + q;
            query[q][p] = anb_knn_search_pair(extreme(of, 2 * p, d), extreme(of, 2 * p + 1, d));
        }
        anb_knn_tile_take(&tile, q, pairs, query[q], NULL);
    }
    anb_knn_tile_squares(&near, &tile, square);
    anb_knn_tile_search(&near, &tile, 3, &work);
    for (size_t q = 0; q < ANB_KNN_TILE; q++) {
        anb_knn_search_distances(code, EXTREME, pairs, query[q], distance, minima, 1);
        for (size_t i = 0; i < EXTREME; i++) {
            int64_t sum = 0;
            for (size_t j = 0; j < d; j++) {
                const size_t of = alike && j / 2 + 1 == pairs ? 4 : 4 + q;
                const int64_t off = extreme(i, j, d) - extreme(of, j, d);
                sum += off * off;
            }
            ck_assert_int_eq(distance[i], sum);
            ck_assert_int_eq(tiled[q * anb_knn_tile_next(EXTREME) + i], shortened((int32_t)sum, shift));
        }
    }
}

static void check_all_extremes(void)
{
    for (size_t d = 1; d <= WIDE; d++)
        check_extremes(d, d % 4 < 2);
}

START_TEST(codes_at_the_limit_are_told_apart)
{
    on_each_way(check_all_extremes);
}
END_TEST

static View view_of(StreamingLearner *model)
{
    return anb_knn_view(model->plan->nodes, anb_state_of(model, model->plan->nodes));
}

/* A row of the window whose code of feature 2 is as given, as if it had been learned from. */
static void put_code(const View *v, size_t i, int code)
{
    uint32_t *word = v->code + anb_knn_search_word(i, v->d) + ANB_KNN_SEARCH_ROWS;
    v->x[i * v->d + 2] = (float)code / v->factor[2];
    *word = anb_knn_search_pair(code, anb_knn_search_high(*word));
}

/* The same is said of queries as where all rows are looked at. */
static void check_answers(StreamingLearner *model, const View *v)
{
    for (int i = 0; i < 64; i++) {
        double x[7], by_codes;
        for (int j = 0; j < 7; j++)
            x[j] = uniform_of(&seed);
        x[2] *= (double)anb_knn_search_limit(v->d) / (double)v->factor[2];
        by_codes = anb_predict(model, x);
        v->s->bounded = 1;
        ck_assert_double_eq(by_codes, anb_predict(model, x));
        v->s->bounded = 0;
    }
}

/* Eight features with time: the limit was 8,192 up to 0.9.0 and is 8,191. */
START_TEST(codes_of_older_snapshots_load)
{
    StreamingLearner *model = made(7, "knn(window=200)");
    const View v = view_of(model);
    for (int t = 0; t < 400 || v.turn->under_way; t++) {
        double x[7];
        for (int j = 0; j < 7; j++)
            x[j] = uniform_of(&seed);
        anb_train_one(model, x, x[0] + x[1] * x[2], 1);
    }
    ck_assert(anb_knn_search_limit(v.d) == 8191 && !v.s->bounded);
    put_code(&v, 5, 8192);
    put_code(&v, 70, -8192);
    StreamingLearner *again = reloaded(model, NULL);
    ck_assert(again != NULL);
    const View loaded = view_of(again);
    ck_assert_mem_eq(loaded.code, v.code, v.rows * anb_knn_search_pairs(v.d) * sizeof *v.code);
    check_answers(again, &loaded);
    anb_free(again);
    for (int side = -1; side <= 1; side += 2) {
        put_code(&v, 5, side * 8193);
        ck_assert(reloaded(model, NULL) == NULL);
    }
    anb_free(model);
}
END_TEST

START_TEST(the_bound_holds_enough)
{
    static int32_t value[SETS * ANB_KNN_SEARCH_ROWS];
    for (int round = 0; round < 300; round++) {
        size_t n = ANB_KNN_SEARCH_ROWS * (1 + (size_t)round % SETS);
        for (size_t i = 0; i < n; i++)
            value[i] = round % 5 == 0 ? INT32_MAX : (int32_t)(uniform_of(&seed) * uniform_of(&seed) * 1e6 + 1e6);
        for (size_t k = 1; k <= n; k += 3) {
            int32_t bound = anb_knn_search_bound(value, n, k);
            size_t within = 0;
            for (size_t i = 0; i < n; i++)
                within += value[i] <= bound;
            ck_assert(within >= k);
            ck_assert(within <= k + k / 2 || round % 5 == 0);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("near");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, finds_the_nearest);
    tcase_add_test(tests, rows_out_of_reach_are_said_to_be);
    tcase_add_test(tests, no_sum_of_codes_overflows);
    tcase_add_test(tests, codes_at_the_limit_are_told_apart);
    tcase_add_test(tests, codes_of_older_snapshots_load);
    tcase_add_test(tests, the_bound_holds_enough);
    add_isa_skips(tests);
    tcase_add_test(tests, this_cpu_has_vnni_and_vbmi2);
    return suite;
}

CHECK_MAIN(suite)
