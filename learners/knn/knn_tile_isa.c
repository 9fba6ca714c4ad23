/* The loops of knn_tile.h, compiled once per instruction set. */
#include "knn_words.h"
#include "knn_tile.h"

enum { TILE = ANB_KNN_TILE, TOGETHER = 2, UNIT = TOGETHER * PART_ROWS }; /* vectors of one query; rows */

static void squares(const uint32_t *code, size_t rows, size_t pairs, int32_t *square)
{
    for (size_t b = 0; b < anb_knn_search_blocks(rows); b++)
        for (size_t r = 0; r < ANB_KNN_SEARCH_ROWS; r += PART_ROWS) {
            const uint32_t *from = code + b * pairs * ANB_KNN_SEARCH_ROWS + r;
            Words sum = {0};
            for (size_t j = 0; j < pairs; j++, from += ANB_KNN_SEARCH_ROWS)
                sum += pair_product(LOAD(from), LOAD(from));
            STORE(square + b * ANB_KNN_SEARCH_ROWS + r, sum);
        }
}

/* Distances of UNIT rows of one block to all queries. */
LANES_INLINE void unit_distances(const AnbKnnTilePart *t, const uint32_t *code, const int32_t *row_square,
                                 const bool by_vnni, Words sum[TILE][TOGETHER])
{
    for (size_t q = 0; q < TILE; q++)
        for (size_t p = 0; p < TOGETHER; p++)
            sum[q][p] = LOAD(row_square + p * PART_ROWS) + t->square[q];
    for (size_t j = 0; j < t->pairs; j++, code += ANB_KNN_SEARCH_ROWS) {
        const Words low = LOAD(code), high = LOAD(code + PART_ROWS);
        for (size_t q = 0; q < TILE; q++) {
            Words by = (int32_t)t->query[q * t->pairs + j] - (Words){0};
            sum[q][0] = add_pair_product(sum[q][0], by, low, by_vnni);
            sum[q][1] = add_pair_product(sum[q][1], by, high, by_vnni);
        }
    }
}

LANES_INLINE void store_distances(const AnbKnnTilePart *t, size_t at, Words sum[TILE][TOGETHER])
{
    for (size_t q = 0; q < TILE; q++)
        for (size_t p = 0; p < TOGETHER; p++)
            STORE(t->distance + q * t->next_distance + at + p * PART_ROWS, sum[q][p]);
}

/* Rows r to r + UNIT of the blocks of a set, of which `full` are. Their minima stay in registers. */
LANES_INLINE void set_distances(const AnbKnnTilePart *t, size_t set, size_t r, size_t full, const bool by_vnni)
{
    Words least[TILE][TOGETHER];
    for (size_t q = 0; q < TILE; q++)
        for (size_t p = 0; p < TOGETHER; p++)
            least[q][p] = INT32_MAX - (Words){0};
    for (size_t b = set; b < full; b += t->sets) {
        Words sum[TILE][TOGETHER];
        const size_t at = b * ANB_KNN_SEARCH_ROWS + r;
        unit_distances(t, t->code + b * t->pairs * ANB_KNN_SEARCH_ROWS + r, t->row_square + at, by_vnni, sum);
        store_distances(t, at, sum);
        for (size_t q = 0; q < TILE; q++)
            for (size_t p = 0; p < TOGETHER; p++)
                least[q][p] = LEAST(sum[q][p], least[q][p]);
    }
    for (size_t q = 0; q < TILE; q++)
        for (size_t p = 0; p < TOGETHER; p++)
            STORE(t->minima + q * t->next_set + set * ANB_KNN_SEARCH_ROWS + r + p * PART_ROWS, least[q][p]);
}

/* The last block, where it is not full. */
static void rest_distances(const AnbKnnTilePart *t, size_t b, size_t set)
{
    const size_t from = b * ANB_KNN_SEARCH_ROWS;
    for (size_t r = 0; r < ANB_KNN_SEARCH_ROWS; r += UNIT) {
        Words sum[TILE][TOGETHER];
        unit_distances(t, t->code + b * t->pairs * ANB_KNN_SEARCH_ROWS + r, t->row_square + from + r, false, sum);
        store_distances(t, from + r, sum);
    }
    for (size_t q = 0; q < TILE; q++) {
        int32_t *distance = t->distance + q * t->next_distance + from;
        int32_t *least = t->minima + q * t->next_set + set * ANB_KNN_SEARCH_ROWS;
        for (size_t i = 0; i < ANB_KNN_SEARCH_ROWS; i++) {
            distance[i] = from + i < t->rows ? distance[i] : INT32_MAX;
            least[i] = distance[i] < least[i] ? distance[i] : least[i];
        }
    }
}

static void distances(const AnbKnnTilePart *part)
{
    const AnbKnnTilePart here = *part, *t = &here;
    const size_t full = t->rows / ANB_KNN_SEARCH_ROWS;
    const bool by_vnni = has_vnni();
    for (size_t set = 0; set < t->sets; set++)
        for (size_t r = 0; r < ANB_KNN_SEARCH_ROWS; r += UNIT)
            if (by_vnni)
                set_distances(t, set, r, full, true);
            else
                set_distances(t, set, r, full, false);
    if (full * ANB_KNN_SEARCH_ROWS < t->rows)
        rest_distances(t, full, full % t->sets);
}

static void bounds(const int32_t *value, size_t next, size_t n, size_t k, int32_t *bound)
{
    bounds_in_step(value, next, n, k, TILE, bound);
}

const AnbKnnTileKernels ANB_PER_ISA(anb_knn_tile_kernels) = {
    .squares = squares, .distances = distances, .bounds = bounds};

ANB_ISA_REGISTER(AnbKnnTileKernels, anb_knn_tile_kernels)
