/* Rows of a window with their codes, drawn for tests of the search, and what is asked of one search and of four at
 * once. */
#ifndef ANB_TESTS_KNN_ROWS_H
#define ANB_TESTS_KNN_ROWS_H

#include "isa_here.h"
#include "numbers.h"
#include "learners/knn/knn_state.h"
#include "learners/knn/knn_tile.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 13, MOST = 9, ROWS = BLOCKS * ANB_KNN_SEARCH_ROWS, PAIRS = (MOST + 1) / 2, SETS = 4 };

static uint64_t seed = 3;

static inline void fill(float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)uniform_of(&seed);
}

/* Everything a search needs, for d features. */
typedef struct Fixture {
    size_t d, rows;
    float window[ROWS * MOST + ANB_KNN_SEARCH_SLACK], query[MOST], factor[16], older_factor[16], offset[16], none[16];
    float metric[16], padded_query[16];
    uint32_t code[ROWS * PAIRS], query_code[PAIRS], older_code[PAIRS], index[ROWS + ANB_KNN_SEARCH_SPARE];
    int32_t distance[ROWS], minima[(SETS + 1) * ANB_KNN_SEARCH_ROWS];
    size_t older;       /* rows from here on have codes by the older factors */
    double least, most; /* of their squared ratios */
    _Alignas(double) float far[3 * ROWS + 2];
    float found[ROWS + 1];
} Fixture;

static inline void draw(Fixture *f, size_t d, size_t rows)
{
    memset(f, 0, sizeof *f);
    f->d = d;
    f->rows = rows;
    fill(f->window, ROWS * d);
    fill(f->query, d);
    float limit = anb_knn_search_limit(d);
    for (size_t j = 0; j < d; j++) {
        double u = uniform_of(&seed);
        f->metric[j] = (float)(0.05 + u * u);
        f->factor[j] = limit / 4 * sqrtf(f->metric[j]);
        f->padded_query[j] = f->query[j];
    }
    ck_assert(anb_knn_search_encode(f->window, rows, d, f->factor, f->none, limit, f->code) <= limit);
    ck_assert(anb_knn_search_encode_row(f->query, d, f->factor, f->none, limit, f->query_code, 1) <= limit);
    f->older = rows;
}

/* Rows from `older` on get codes by other factors, about another origin. */
static inline void make_older(Fixture *f, size_t older)
{
    float limit = anb_knn_search_limit(f->d);
    f->older = older;
    f->least = 1e300;
    f->most = 0;
    for (size_t j = 0; j < f->d; j++) {
        f->older_factor[j] = f->factor[j] * (float)(.7 + .25 * uniform_of(&seed));
        double ratio = (double)f->factor[j] / (double)f->older_factor[j];
        f->least = fmin(f->least, ratio * ratio);
        f->most = fmax(f->most, ratio * ratio);
    }
    f->offset[f->d - 1] = .25f;
    anb_knn_search_encode(f->window, f->rows, f->d, f->factor, f->none, limit, f->code);
    ck_assert(anb_knn_search_encode(f->window + older * f->d, f->rows - older, f->d, f->older_factor, f->offset, limit,
                                    f->code + anb_knn_search_word(older, f->d)) <= limit);
    ck_assert(anb_knn_search_encode_row(f->query, f->d, f->older_factor, f->offset, limit, f->older_code, 1) <= limit);
}

/* The k nearest are those that a sort of the exact distances says. */
static inline void check_search(Fixture *f, size_t k, bool bounded)
{
    double exact[ROWS], sorted[ROWS];
    AnbKnnSearch near = {f->rows, f->d, f->window, f->code, f->metric, bounded, f->older, f->least, f->most};
    AnbKnnSearchQuery query = {f->padded_query, f->query_code, f->older_code, false};
    AnbKnnSearchWork work = {f->distance, f->minima, f->far, SETS};
    for (size_t i = 0; i < f->rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < f->d; j++) {
            double off = (double)f->window[i * f->d + j] - (double)f->padded_query[j];
            sum += (double)f->metric[j] * (off * off);
        }
        sorted[i] = exact[i] = sum;
    }
    qsort(sorted, f->rows, sizeof *sorted, rising);
    anb_knn_search_search(&near, &query, k, f->index, f->found, &work);
    for (size_t i = 0; i < k; i++) {
        ck_assert_double_eq_tol((double)f->found[i], exact[f->index[i]], 1e-6 * exact[f->index[i]]);
        ck_assert((double)f->found[i] <= sorted[k - 1] * (1 + 1e-6));
        ck_assert(i == 0 || f->index[i] > f->index[i - 1]);
    }
}

enum { NEXT = (BLOCKS + 1) * ANB_KNN_SEARCH_ROWS, SETS_ROOM = (SETS + 1) * ANB_KNN_SEARCH_ROWS };

/* A distance without its last bits, in 16 bits. */
static inline int16_t shortened(int32_t distance, int shift)
{
    return (int16_t)(distance >> shift < INT16_MAX ? distance >> shift : INT16_MAX);
}

/* Asserts that the rows in `index`, in order, contain the k nearest. */
static inline void assert_has_nearest(const uint32_t *nearest, size_t k, const uint32_t *index, size_t found)
{
    size_t at = 0;
    for (size_t i = 0; i < k; i++) {
        while (at < found && index[at] < nearest[i])
            at++;
        if (at == found || index[at] != nearest[i])
            ck_abort_msg("%zu of %zu nearest: row %u", i, k, nearest[i]);
    }
    bool rising_order = true;
    for (size_t i = 1; i < found; i++)
        rising_order &= index[i] > index[i - 1];
    ck_assert(rising_order);
}

/* Four queries at once, here four times the same: the distances that one search finds, but for their last bits, and at
 * least the near rows. Where the shift follows from the distances there are few more than one search has. */
static inline void check_tile(Fixture *f, size_t k, int shift, bool alike)
{
    static int32_t row_square[NEXT];
    static int16_t distance[ANB_KNN_TILE * NEXT], minima[ANB_KNN_TILE * SETS_ROOM];
    static uint32_t query[ANB_KNN_TILE * PAIRS], older[ANB_KNN_TILE * PAIRS], index[ROWS + ANB_KNN_SEARCH_SPARE];
    static uint32_t nearest[ROWS + ANB_KNN_SEARCH_SPARE];
    const size_t pairs = anb_knn_search_pairs(f->d);
    const AnbKnnSearch near = {f->rows, f->d, f->window, f->code, f->metric, false, f->older, f->least, f->most};
    const AnbKnnSearchQuery one = {f->padded_query, f->query_code, f->older_code, false};
    const AnbKnnSearchWork alone = {f->distance, f->minima, f->far, SETS};
    const AnbKnnTileWork work = {row_square, distance, minima, SETS};
    AnbKnnTile tile = {.query = query, .older = older, .shift = shift, .guess = 1, .alike = alike};
    if (shift < 0)
        anb_knn_tile_aim(&near, &tile, f->query_code);
    for (size_t q = 0; q < ANB_KNN_TILE; q++)
        anb_knn_tile_take(&tile, q, pairs, f->query_code, f->older_code);
    anb_knn_tile_squares(&near, &tile, row_square);
    anb_knn_search_search(&near, &one, k, nearest, f->found, &alone);
    const size_t usual = anb_knn_search_candidates(&near, &one, k, f->index, &alone);
    for (int round = 0; round < 2; round++, anb_knn_tile_follow(&tile, ANB_KNN_TILE)) {
        anb_knn_tile_search(&near, &tile, k, &work);
        for (size_t q = 0; q < ANB_KNN_TILE; q++) {
            const int16_t *half = distance + q * anb_knn_tile_next(f->rows);
            for (size_t i = 0; i < f->rows; i++)
                if (half[i] != shortened(f->distance[i], tile.shift))
                    ck_abort_msg("row %zu: %d of %d without %d bits", i, half[i], f->distance[i], tile.shift);
            const size_t found = anb_knn_tile_collect(&near, &tile, q, &work, index);
            assert_has_nearest(nearest, k, index, found);
            ck_assert_uint_le(found, shift < 0 && round > 0 ? usual + usual / 2 + 8 : f->rows);
        }
    }
}

/* Few bits are left out, many, and as many as the distances say; the last words compared once for all queries,
 * and not. */
static inline void check_tiles(Fixture *f, size_t k)
{
    static const int shifts[] = {0, 14, -1};
    for (size_t s = 0; s < sizeof shifts / sizeof *shifts; s++)
        check_tile(f, k, shifts[s], s % 2 == 0);
}

static inline void start_again(void)
{
    seed = 3;
}

/* Calls body on every instruction set, and once more without VNNI and VBMI2 where v4 has one of them. */
static inline void on_each_way(void (*body)(void))
{
    const bool vnni = anb_isa_vnni, vbmi2 = anb_isa_vbmi2;
    on_each_isa(start_again, body);
    if (!vnni && !vbmi2)
        return;
    anb_isa_vnni = anb_isa_vbmi2 = false;
    start_again();
    body();
    anb_isa_vnni = vnni;
    anb_isa_vbmi2 = vbmi2;
}

#endif
