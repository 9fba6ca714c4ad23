/* The loops of knn_tile.h, compiled once per instruction set. */
#include "knn_halves.h"
#include "knn_tile.h"

enum { TILE = ANB_KNN_TILE, TOGETHER = 2, UNIT = TOGETHER * PART_ROWS }; /* vectors of one query; rows */

LANES_INLINE void squares_by(const AnbKnnTileSquares *s, const bool by_vnni)
{
    const size_t own = s->pairs - s->alike;
    for (size_t b = 0; b < anb_knn_search_blocks(s->rows); b++)
        for (size_t r = 0; r < ANB_KNN_SEARCH_ROWS; r += PART_ROWS) {
            const uint32_t *from = s->code + b * s->pairs * ANB_KNN_SEARCH_ROWS + r;
            Words sum = {0};
            for (size_t j = 0; j < own; j++, from += ANB_KNN_SEARCH_ROWS)
                sum = add_pair_product(sum, LOAD(from), LOAD(from), by_vnni);
            if (s->alike) {
                const Words off = pair_difference((int32_t)s->last - (Words){0}, LOAD(from));
                sum = add_pair_product(sum, off, off, by_vnni);
            }
            STORE(s->square + b * ANB_KNN_SEARCH_ROWS + r, sum);
        }
}

static void squares(const AnbKnnTileSquares *s)
{
    if (has_vnni())
        squares_by(s, true);
    else
        squares_by(s, false);
}

/* Distances of UNIT rows of one block to all queries. */
LANES_INLINE void unit_distances(const AnbKnnTilePart *t, const uint32_t *code, const int32_t *row_square,
                                 const bool by_vnni, Words sum[TILE][TOGETHER])
{
    for (size_t q = 0; q < TILE; q++)
        for (size_t p = 0; p < TOGETHER; p++)
            sum[q][p] = LOAD(row_square + p * PART_ROWS) + t->square[q];
    for (size_t j = 0; j < t->own; j++, code += ANB_KNN_SEARCH_ROWS) {
        const Words low = LOAD(code), high = LOAD(code + PART_ROWS);
        for (size_t q = 0; q < TILE; q++) {
            Words by = (int32_t)t->query[q * t->own + j] - (Words){0};
            sum[q][0] = add_pair_product(sum[q][0], by, low, by_vnni);
            sum[q][1] = add_pair_product(sum[q][1], by, high, by_vnni);
        }
    }
}

/* UNIT words >= 0 without their last bits, none larger than INT16_MAX, in order. */
LANES_INLINE Halves shortened(const Words sum[TOGETHER], int shift)
{
#if LANES_BYTES == 64
    const __m512i by = _mm512_set1_epi32(shift), order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i low = _mm512_srlv_epi32((__m512i)sum[0], by), high = _mm512_srlv_epi32((__m512i)sum[1], by);
    return (Halves)_mm512_permutexvar_epi64(order, _mm512_packs_epi32(low, high));
#elif LANES_BYTES == 32
    const __m256i by = _mm256_set1_epi32(shift);
    __m256i low = _mm256_srlv_epi32((__m256i)sum[0], by), high = _mm256_srlv_epi32((__m256i)sum[1], by);
    return (Halves)_mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
#elif defined(__SSE2__)
    return (Halves)_mm_packs_epi32((__m128i)(sum[0] >> shift), (__m128i)(sum[1] >> shift));
#else
    Halves half;
    for (size_t i = 0; i < UNIT; i++) {
        const int32_t word = sum[i / PART_ROWS][i % PART_ROWS] >> shift;
        half[i] = (int16_t)(word < INT16_MAX ? word : INT16_MAX);
    }
    return half;
#endif
}

/* Rows r to r + UNIT of the blocks of a set, of which `full` are. Their minima stay in registers. */
LANES_INLINE void set_distances(const AnbKnnTilePart *t, size_t set, size_t r, size_t full, const bool by_vnni)
{
    Halves lowest[TILE];
    for (size_t q = 0; q < TILE; q++)
        lowest[q] = INT16_MAX - (Halves){0};
    for (size_t b = set; b < full; b += t->sets) {
        Words sum[TILE][TOGETHER];
        const size_t at = b * ANB_KNN_SEARCH_ROWS + r;
        unit_distances(t, t->code + b * t->pairs * ANB_KNN_SEARCH_ROWS + r, t->row_square + at, by_vnni, sum);
        for (size_t q = 0; q < TILE; q++) {
            const Halves half = shortened(sum[q], t->shift);
            STORE_HALVES(t->distance + q * t->next_distance + at, half);
            lowest[q] = least(half, lowest[q]);
        }
    }
    for (size_t q = 0; q < TILE; q++)
        STORE_HALVES(t->minima + q * t->next_set + set * ANB_KNN_SEARCH_ROWS + r, lowest[q]);
}

/* The last block, where it is not full. */
static void rest_distances(const AnbKnnTilePart *t, size_t b, size_t set)
{
    const size_t from = b * ANB_KNN_SEARCH_ROWS;
    for (size_t r = 0; r < ANB_KNN_SEARCH_ROWS; r += UNIT) {
        Words sum[TILE][TOGETHER];
        unit_distances(t, t->code + b * t->pairs * ANB_KNN_SEARCH_ROWS + r, t->row_square + from + r, false, sum);
        for (size_t q = 0; q < TILE; q++)
            STORE_HALVES(t->distance + q * t->next_distance + from + r, shortened(sum[q], t->shift));
    }
    for (size_t q = 0; q < TILE; q++) {
        int16_t *distance = t->distance + q * t->next_distance + from;
        int16_t *lowest = t->minima + q * t->next_set + set * ANB_KNN_SEARCH_ROWS;
        for (size_t i = 0; i < ANB_KNN_SEARCH_ROWS; i++) {
            distance[i] = from + i < t->rows ? distance[i] : INT16_MAX;
            lowest[i] = distance[i] < lowest[i] ? distance[i] : lowest[i];
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

/* The four take a step in turn, since the counts of different arrays do not depend on each other. */
static void bounds(const int16_t *value, size_t next, size_t n, size_t k, int32_t *bound)
{
    const int16_t *const each[TILE] = {value, value + next, value + 2 * next, value + 3 * next};
    Narrowing s[TILE];
    for (size_t q = 0; q < TILE; q++)
        s[q] = narrowing(0, INT16_MAX, bound[q], n);
    for (bool under_way = true; under_way;) {
        const int middle[TILE] = {s[0].middle, s[1].middle, s[2].middle, s[3].middle};
        size_t within[TILE];
        count_halves(each, n, middle, within);
        under_way = false;
        for (size_t q = 0; q < TILE; q++)
            under_way |= narrow(&s[q], within[q], k, n);
    }
    for (size_t q = 0; q < TILE; q++)
        bound[q] = s[q].high;
}

const AnbKnnTileKernels ANB_PER_ISA(anb_knn_tile_kernels) = {
    .squares = squares, .distances = distances, .bounds = bounds};

ANB_ISA_REGISTER(AnbKnnTileKernels, anb_knn_tile_kernels)
