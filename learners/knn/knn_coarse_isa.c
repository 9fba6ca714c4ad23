/* The loops of knn_coarse.h, compiled once per instruction set. */
#include "knn_coarse.h"
#include "knn_halves.h"

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

/* A bound lies above the first guess, which fewer than k values do not exceed, and up to the last, which k or more do
 * not. Those between, which ascend, are counted at once. */
enum { GUESSED = COUNTED, LAST = GUESSED + 1, CLOSE = 3 }; /* guesses at once; rounds that allow k / 8 more only */

typedef struct Range {
    int guess[LAST + 1];
    size_t within[LAST + 1];
} Range;

/* From below the least value to above all; the first guess is the largest of 32 minima. Whatever the width of a vector,
 * these are the same, so that all bounds are. */
LANES_INLINE void begin_range(const int16_t *value, size_t n, Range *r)
{
    const int most = INT16_MAX - 1;
    int16_t lowest[ROWS];
    lowest_rows(value, n, lowest);
    const int first = most_of_rows(lowest);
    *r = (Range){{least_of_rows(lowest, 0) - 1, first, first + first / 2, 2 * first, 4 * first, ANB_KNN_COARSE_NONE},
                 {[LAST] = n}};
    for (size_t g = 1; g < LAST; g++)
        r->guess[g] = r->guess[g] < most ? r->guess[g] : most;
}

/* Narrows the range by the counts; up to `fine` values within it are few enough. No branch that is hard to predict.
 * True: go on. */
LANES_INLINE bool narrow_range(Range *r, size_t k, size_t fine)
{
    size_t below = 0;
    for (size_t g = 1; g < LAST; g++)
        below += r->within[g] < k;
    const int low = r->guess[below], high = r->guess[below + 1];
    const size_t within = r->within[below + 1];
    const bool goes_on = (high - low > 1) & (within > fine);
    r->guess[0] = low;
    r->guess[LAST] = high;
    r->within[LAST] = within;
    for (int g = 1; g < LAST; g++)
        r->guess[g] = low + (high - low) * g / LAST;
    return goes_on;
}

static int16_t bound(const int16_t *value, size_t n, size_t k)
{
    const int16_t *const each[COUNTED] = {value, value, value, value};
    Range range;
    begin_range(value, n, &range);
    for (int round = 1;; round++) {
        count_halves(each, n, range.guess + 1, range.within + 1);
        if (!narrow_range(&range, k, k + k / (round < CLOSE ? 8 : 2)))
            return (int16_t)range.guess[LAST];
    }
}

LANES_INLINE uint32_t mask_at(const void *distance, size_t at, int32_t bound)
{
    return mask_of((const int16_t *)distance + at, (int16_t)bound);
}

static size_t collect(const int16_t *distance, size_t rows, int16_t bound, uint32_t *index)
{
    const int16_t most = bound < ANB_KNN_COARSE_NONE ? bound : ANB_KNN_COARSE_NONE - 1;
    return collect_within(distance, rows, most, mask_at, index);
}

const AnbKnnCoarseKernels ANB_PER_ISA(anb_knn_coarse_kernels) = {
    .distances = distances, .bound = bound, .collect = collect};

ANB_ISA_REGISTER(AnbKnnCoarseKernels, anb_knn_coarse_kernels)
