/* The loops of knn_coarse.h, compiled once per instruction set. */
#include "knn_words.h"
#include "knn_coarse.h"

typedef int16_t Halves __attribute__((vector_size(LANES_BYTES), may_alias));
typedef int16_t HalvesMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(1)));

enum {
    ROWS = ANB_KNN_SEARCH_ROWS,
    AT_ONCE = LANES_BYTES / 2,
    VECTORS = ROWS / AT_ONCE
}; /* rows of a block, of a vector */

#define LOAD_HALVES(p) (*(const HalvesMemory *)(p))
#define STORE_HALVES(p, v) (*(HalvesMemory *)(p) = (v))

/* Sums of two squared differences of bytes. */
LANES_INLINE Halves pair_square(Halves a, Halves b)
{
#if LANES_BYTES == 64
    __m512i off = _mm512_abs_epi8(_mm512_sub_epi8((__m512i)a, (__m512i)b));
    return (Halves)_mm512_maddubs_epi16(off, off);
#elif LANES_BYTES == 32
    __m256i off = _mm256_abs_epi8(_mm256_sub_epi8((__m256i)a, (__m256i)b));
    return (Halves)_mm256_maddubs_epi16(off, off);
#else
    Halves low = ((a << 8) >> 8) - ((b << 8) >> 8), high = (a >> 8) - (b >> 8);
    return low * low + high * high;
#endif
}

LANES_INLINE Halves least(Halves a, Halves b)
{
#if LANES_BYTES == 64
    return (Halves)_mm512_min_epi16((__m512i)a, (__m512i)b);
#elif LANES_BYTES == 32
    return (Halves)_mm256_min_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (Halves)_mm_min_epi16((__m128i)a, (__m128i)b);
#else
    Halves less = a < b;
    return (a & less) | (b & ~less);
#endif
}

/* Both codes of a query's pair in every place. */
LANES_INLINE Halves spread(const int8_t *query)
{
    int16_t both;
    __builtin_memcpy(&both, query, sizeof both);
    return both - (Halves){0};
}

LANES_INLINE Halves vector_distances(const AnbKnnCoarse *c, size_t block, size_t v)
{
    const int8_t *code = c->code + (block * c->pairs * ROWS + v * AT_ONCE) * 2;
    Halves sum = pair_square(LOAD_HALVES(code), spread(c->query));
    for (size_t p = 1; p < c->pairs; p++)
        sum += pair_square(LOAD_HALVES(code + p * ROWS * 2), spread(c->query + 2 * p));
    return sum;
}

/* The same for two pairs, a constant of the loop. */
LANES_INLINE Halves vector_distances_of_two(const AnbKnnCoarse *c, size_t block, size_t v, Halves first, Halves second)
{
    const int8_t *code = c->code + (block * 2 * ROWS + v * AT_ONCE) * 2;
    return pair_square(LOAD_HALVES(code), first) + pair_square(LOAD_HALVES(code + ROWS * 2), second);
}

/* One vector of rows of each block of a set. Their minima stay in a register. */
LANES_INLINE void set_distances(const AnbKnnCoarse *c, size_t set, size_t v, size_t full, const bool two)
{
    const Halves first = spread(c->query), second = two ? spread(c->query + 2) : first;
    Halves lowest = ANB_KNN_COARSE_NONE - (Halves){0};
    for (size_t b = set; b < full; b += c->sets) {
        Halves sum = two ? vector_distances_of_two(c, b, v, first, second) : vector_distances(c, b, v);
        STORE_HALVES(c->distance + b * ROWS + v * AT_ONCE, sum);
        lowest = least(sum, lowest);
    }
    STORE_HALVES(c->minima + set * ROWS + v * AT_ONCE, lowest);
}

/* The last block, where it is not full. */
static void rest_distances(const AnbKnnCoarse *c, size_t b, size_t set)
{
    int16_t *distance = c->distance + b * ROWS, *lowest = c->minima + set * ROWS;
    for (size_t v = 0; v < VECTORS; v++)
        STORE_HALVES(distance + v * AT_ONCE, vector_distances(c, b, v));
    for (size_t i = 0; i < ROWS; i++) {
        distance[i] = b * ROWS + i < c->rows ? distance[i] : ANB_KNN_COARSE_NONE;
        lowest[i] = distance[i] < lowest[i] ? distance[i] : lowest[i];
    }
}

static void distances(const AnbKnnCoarse *coarse)
{
    const AnbKnnCoarse here = *coarse, *c = &here;
    const size_t full = c->rows / ROWS;
    for (size_t set = 0; set < c->sets; set++)
        for (size_t v = 0; v < VECTORS; v++)
            if (c->pairs == 2)
                set_distances(c, set, v, full, true);
            else
                set_distances(c, set, v, full, false);
    if (full * ROWS < c->rows)
        rest_distances(c, full, full % c->sets);
}

/* Which of 32 rows are within the bound, as bits. */
LANES_INLINE uint32_t mask_of(const int16_t *value, int16_t bound)
{
#if LANES_BYTES == 64
    return _mm512_cmple_epi16_mask(_mm512_loadu_si512(value), _mm512_set1_epi16(bound));
#elif LANES_BYTES == 32
    const __m256i most = _mm256_set1_epi16(bound);
    __m256i low = _mm256_cmpgt_epi16((__m256i)LOAD_HALVES(value), most);
    __m256i high = _mm256_cmpgt_epi16((__m256i)LOAD_HALVES(value + 16), most);
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8));
#elif defined(__SSE2__)
    const __m128i most = _mm_set1_epi16(bound);
    uint32_t mask = 0;
    for (int p = 0; p < 2; p++, value += 16) {
        __m128i low = _mm_cmpgt_epi16((__m128i)LOAD_HALVES(value), most);
        __m128i high = _mm_cmpgt_epi16((__m128i)LOAD_HALVES(value + 8), most);
        mask |= (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) << 16 * p;
    }
    return ~mask;
#else
    uint32_t mask = 0;
    for (int i = 0; i < ROWS; i++)
        mask |= (uint32_t)(value[i] <= bound) << i;
    return mask;
#endif
}

LANES_INLINE size_t count_of(const int16_t *value, size_t n, int16_t bound)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i += ROWS)
        sum += (size_t)__builtin_popcount(mask_of(value + i, bound));
    return sum;
}

/* A bound lies above `low`, which fewer than k values do not exceed, and up to `high`, which `within` do not, k or more. */
typedef struct Range {
    int low, high;
    size_t within;
} Range;

enum { GUESSED = 4, CLOSE = 3 }; /* guesses at once; rounds that allow k / 8 more only */

/* The least value less one, and the largest of 32 minima. Whatever the width of a vector, these are the same, so that all bounds
 * are. */
LANES_INLINE int begin_range(const int16_t *value, size_t n, Range *range)
{
    int16_t lowest[ROWS], most;
    for (size_t v = 0; v < VECTORS; v++) {
        Halves low = LOAD_HALVES(value + v * AT_ONCE);
        for (size_t i = ROWS; i < n; i += ROWS)
            low = least(LOAD_HALVES(value + i + v * AT_ONCE), low);
        STORE_HALVES(lowest + v * AT_ONCE, low);
    }
    *range = (Range){lowest[0], ANB_KNN_COARSE_NONE, n};
    most = lowest[0];
    for (size_t i = 1; i < ROWS; i++) {
        range->low = lowest[i] < range->low ? lowest[i] : range->low;
        most = lowest[i] > most ? lowest[i] : most;
    }
    range->low -= 1;
    return most;
}

/* Narrows the range by the counts of ascending guesses within it. */
LANES_INLINE void look_at(const int16_t *value, size_t n, size_t k, const int guess[GUESSED], Range *range)
{
    size_t within[GUESSED];
    for (size_t g = 0; g < GUESSED; g++)
        within[g] = count_of(value, n, (int16_t)guess[g]);
    for (size_t g = GUESSED; g-- > 0;)
        if (within[g] >= k && guess[g] < range->high) {
            range->high = guess[g];
            range->within = within[g];
        }
    for (size_t g = 0; g < GUESSED; g++)
        if (within[g] < k && guess[g] > range->low)
            range->low = guess[g];
}

static int16_t bound(const int16_t *value, size_t n, size_t k)
{
    Range range;
    const int most = ANB_KNN_COARSE_NONE - 1, first = begin_range(value, n, &range);
    int guess[GUESSED] = {first, first + first / 2, 2 * first, 4 * first};
    for (size_t g = 0; g < GUESSED; g++)
        guess[g] = guess[g] < most ? guess[g] : most;
    for (int round = 1;; round++) {
        look_at(value, n, k, guess, &range);
        if (range.high - range.low <= 1 || range.within <= k + k / (round < CLOSE ? 8 : 2))
            return (int16_t)range.high;
        for (int g = 0; g < GUESSED; g++)
            guess[g] = range.low + (range.high - range.low) * (g + 1) / (GUESSED + 1);
    }
}

LANES_INLINE uint64_t masks_of(const void *distance, size_t at, bool both, int32_t bound)
{
    const int16_t *first = (const int16_t *)distance + at;
    uint64_t second = both ? mask_of(first + ROWS, (int16_t)bound) : 0;
    return mask_of(first, (int16_t)bound) | second << ROWS;
}

static size_t collect(const int16_t *distance, size_t rows, int16_t bound, uint32_t *index)
{
    const int16_t most = bound < ANB_KNN_COARSE_NONE ? bound : ANB_KNN_COARSE_NONE - 1;
    return collect_within(distance, rows, most, masks_of, index);
}

const AnbKnnCoarseKernels ANB_PER_ISA(anb_knn_coarse_kernels) = {
    .distances = distances, .bound = bound, .collect = collect};

ANB_ISA_REGISTER(AnbKnnCoarseKernels, anb_knn_coarse_kernels)
