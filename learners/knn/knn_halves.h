/* Vectors of 16-bit distances and what the searches over them share, for files compiled once per instruction set. */
#ifndef ANB_LEARNERS_KNN_KNN_HALVES_H
#define ANB_LEARNERS_KNN_KNN_HALVES_H

#include "knn_words.h"

typedef int16_t Halves __attribute__((vector_size(LANES_BYTES), may_alias));
typedef int16_t HalvesMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(1)));

enum {
    ROWS = ANB_KNN_SEARCH_ROWS,
    AT_ONCE = LANES_BYTES / 2,
    VECTORS = ROWS / AT_ONCE,
    COUNTED = 4
}; /* rows of a block, of a vector; arrays that are counted at once */

#define LOAD_HALVES(p) (*(const HalvesMemory *)(p))
#define STORE_HALVES(p, v) (*(HalvesMemory *)(p) = (v))

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

#if LANES_BYTES == 32
/* n less each sum, whose parts are 0 or negative. */
LANES_INLINE void subtract_sums(size_t n, const Halves sum[COUNTED], size_t rest[COUNTED])
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i a = _mm256_madd_epi16((__m256i)sum[0], one), b = _mm256_madd_epi16((__m256i)sum[1], one);
    __m256i c = _mm256_madd_epi16((__m256i)sum[2], one), d = _mm256_madd_epi16((__m256i)sum[3], one);
    __m256i all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    int32_t four[COUNTED];
    _mm_storeu_si128((__m128i *)four, _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
    for (size_t g = 0; g < COUNTED; g++)
        rest[g] = n - (size_t)-four[g];
}
#elif LANES_BYTES == 16
LANES_INLINE void subtract_sums(size_t n, const Halves sum[COUNTED], size_t rest[COUNTED])
{
    for (size_t g = 0; g < COUNTED; g++) {
        rest[g] = n;
        for (size_t i = 0; i < AT_ONCE; i++)
            rest[g] -= (size_t)-sum[g][i];
    }
}
#endif

/* How many of n values do not exceed a guess, for each of several arrays, which may be the same. */
LANES_INLINE void count_halves(const int16_t *const value[COUNTED], size_t n, const int guess[COUNTED],
                               size_t within[COUNTED])
{
#if LANES_BYTES == 64
    for (size_t g = 0; g < COUNTED; g++)
        within[g] = 0;
    for (size_t i = 0; i < n; i += ROWS)
        for (size_t g = 0; g < COUNTED; g++)
            within[g] += (size_t)__builtin_popcount(mask_of(value[g] + i, (int16_t)guess[g]));
#else
    Halves sum[COUNTED] = {{0}};
    for (size_t i = 0; i < n; i += AT_ONCE)
        for (size_t g = 0; g < COUNTED; g++)
            sum[g] += LOAD_HALVES(value[g] + i) > (int16_t)guess[g] - (Halves){0};
    subtract_sums(n, sum, within);
#endif
}

/* The least of 32 values >= 0, their bits turned where `turn` has ones. */
LANES_INLINE int least_of_rows(const int16_t *value, int16_t turn)
{
#if LANES_BYTES > 16
    const __m256i turned = _mm256_set1_epi16(turn);
    __m256i low = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)value), turned);
    low = _mm256_min_epi16(low, _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(value + 16)), turned));
    __m128i eight = _mm_min_epi16(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    return _mm_extract_epi16(_mm_minpos_epu16(eight), 0);
#else
    int least = value[0] ^ turn;
    for (size_t i = 1; i < ROWS; i++)
        least = (value[i] ^ turn) < least ? value[i] ^ turn : least;
    return least;
#endif
}

/* The largest of them. */
LANES_INLINE int most_of_rows(const int16_t *value)
{
    return INT16_MAX - least_of_rows(value, INT16_MAX);
}

/* The least of rows r, r + 32, .. of n values. Whatever the width of a vector, these are the same. */
LANES_INLINE void lowest_rows(const int16_t *value, size_t n, int16_t lowest[ROWS])
{
    for (size_t v = 0; v < VECTORS; v++) {
        Halves low = LOAD_HALVES(value + v * AT_ONCE);
        for (size_t i = ROWS; i < n; i += ROWS)
            low = least(LOAD_HALVES(value + i + v * AT_ONCE), low);
        STORE_HALVES(lowest + v * AT_ONCE, low);
    }
}

#endif
