/* Vectors of 32-bit words and what the searches over codes share, for files compiled once per instruction set. */
#ifndef ANB_LEARNERS_KNN_KNN_WORDS_H
#define ANB_LEARNERS_KNN_KNN_WORDS_H

#include "src/simd/lanes_single.h"
#include "knn_search.h"
#include <stdbool.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum {
    PARTS = ANB_KNN_SEARCH_ROWS * 4 / LANES_BYTES,
    PART_ROWS = LANES_BYTES / 4
}; /* vectors to a block; words to one */

typedef float Reals __attribute__((vector_size(LANES_BYTES), may_alias));
typedef float RealsMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(4)));
typedef int32_t Words __attribute__((vector_size(LANES_BYTES), may_alias));
typedef int32_t WordsMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(4)));

typedef int16_t Shorts __attribute__((vector_size(LANES_BYTES / 2), may_alias, aligned(2)));
typedef int32_t FourWords __attribute__((vector_size(16), may_alias, aligned(2)));

#define LOAD(p) (*(const WordsMemory *)(p))
#define STORE(p, v) (*(WordsMemory *)(p) = (v))

/* The lesser and the greater of numbers that are not NaN. Intrinsics, since gcc makes four operations of a comparison
 * and a choice. */
#if LANES_BYTES == 64
#define LEAST(a, b) ((Words)_mm512_min_epi32((__m512i)(a), (__m512i)(b)))
#define LESS_OF(a, b) ((Reals)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define MORE_OF(a, b) ((Reals)_mm512_max_ps((__m512)(a), (__m512)(b)))
#elif LANES_BYTES == 32
#define LEAST(a, b) ((Words)_mm256_min_epi32((__m256i)(a), (__m256i)(b)))
#define LESS_OF(a, b) ((Reals)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define MORE_OF(a, b) ((Reals)_mm256_max_ps((__m256)(a), (__m256)(b)))
#else
LANES_INLINE Words choose(Words mask, Words yes, Words no)
{
    return (mask & yes) | (~mask & no);
}

#define LEAST(a, b) choose((a) < (b), (a), (b))
#if defined(__SSE2__)
#define LESS_OF(a, b) ((Reals)_mm_min_ps((__m128)(a), (__m128)(b)))
#define MORE_OF(a, b) ((Reals)_mm_max_ps((__m128)(a), (__m128)(b)))
#else
#define LESS_OF(a, b) ((Reals)choose((a) < (b), (Words)(a), (Words)(b)))
#define MORE_OF(a, b) ((Reals)choose((a) > (b), (Words)(a), (Words)(b)))
#endif
#endif

/* The 16-bit halves of each word: low * low + high * high. */
LANES_INLINE Words pair_product(Words a, Words b)
{
#if LANES_BYTES == 64
    return (Words)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif LANES_BYTES == 32
    return (Words)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (Words)_mm_madd_epi16((__m128i)a, (__m128i)b);
#else
    return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

/* The 16-bit halves' differences; within +-32000, so that none overflows. */
LANES_INLINE Words pair_difference(Words a, Words b)
{
#if LANES_BYTES == 64
    return (Words)_mm512_sub_epi16((__m512i)a, (__m512i)b);
#elif LANES_BYTES == 32
    return (Words)_mm256_sub_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (Words)_mm_sub_epi16((__m128i)a, (__m128i)b);
#else
    return (((a & 0xffff) - (b & 0xffff)) & 0xffff) | ((a >> 16) - (b >> 16)) << 16;
#endif
}

/* Whether add_pair_product is one instruction (AVX-512 VNNI). The sums are the same with and without it. */
LANES_INLINE bool has_vnni(void)
{
#if LANES_BYTES == 64
    return anb_isa_vnni;
#else
    return false;
#endif
}

/* sum + pair_product(a, b); by VNNI in assembler, since this file is compiled for x86-64-v4, which has no VNNI. */
LANES_INLINE Words add_pair_product(Words sum, Words a, Words b, const bool by_vnni)
{
#if LANES_BYTES == 64
    if (by_vnni) {
        __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
        return sum;
    }
#endif
    (void)by_vnni;
    return sum + pair_product(a, b);
}

/* Which of 32 rows are within the bound, as bits. */
LANES_INLINE uint32_t mask_within(const int32_t *distance, int32_t bound)
{
    uint32_t mask = 0;
#if LANES_BYTES == 64
    __m512i most = _mm512_set1_epi32(bound);
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm512_cmple_epi32_mask(_mm512_loadu_si512(distance + 16 * p), most) << 16 * p;
#elif LANES_BYTES == 32
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm256_movemask_ps((__m256)(LOAD(distance + 8 * p) <= bound)) << 8 * p;
#elif defined(__SSE2__)
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm_movemask_ps((__m128)(LOAD(distance + 4 * p) <= bound)) << 4 * p;
#else
    for (int i = 0; i < ANB_KNN_SEARCH_ROWS; i++)
        mask |= (uint32_t)(distance[i] <= bound) << i;
#endif
    return mask;
}

#if LANES_BYTES > 16 /* these have the instructions that count bits */
/* The places of the two lowest bits of a mask, or 63 for those that it lacks, side by side. */
LANES_INLINE uint64_t two_rows(uint64_t mask)
{
    const uint64_t none = (uint64_t)1 << 63;
    return (uint64_t)__builtin_ctzll(mask | none) | (uint64_t)__builtin_ctzll((mask & (mask - 1)) | none) << 32;
}

LANES_INLINE uint64_t without_two(uint64_t mask)
{
    mask &= mask - 1;
    return mask & (mask - 1);
}
#endif

/* The rows of the bits of a mask, 0 for none; returns how many. Up to four at a time with no branch to guess: most
 * masks have fewer. Two to a word of 64 bits, since gathering four in a vector takes more operations than
 * listing them. */
LANES_INLINE size_t list_rows(uint64_t mask, uint32_t first, uint32_t *index)
{
#if LANES_BYTES > 16
    const size_t rows = (size_t)__builtin_popcountll(mask);
    const uint64_t both = (uint64_t)first << 32 | first;
    for (size_t i = 0; i < rows; i += 4) {
        const uint64_t later = without_two(mask), low = two_rows(mask) + both, high = two_rows(later) + both;
        __builtin_memcpy(index + i, &low, sizeof low);
        __builtin_memcpy(index + i + 2, &high, sizeof high);
        mask = without_two(later);
    }
    return rows;
#else
    size_t rows = 0;
    for (; mask; mask &= mask - 1)
        index[rows++] = first + (uint32_t)__builtin_ctzll(mask);
    return rows;
#endif
}

/* Which of the 32 rows from `at` on are within a bound, as bits. */
typedef uint32_t MaskWithin(const void *distance, size_t at, int32_t bound);

#if LANES_BYTES == 64
/* Whether places_of may be used (AVX-512 VBMI2). */
LANES_INLINE bool has_vbmi2(void)
{
    return anb_isa_vbmi2;
}

/* The places of the bits of a mask as bytes, side by side, zeros behind the last; in assembler, since this file is
 * compiled for x86-64-v4, which has no VBMI2. */
LANES_INLINE __m512i places_of(uint64_t mask)
{
    static const uint8_t place[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                      32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                      48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i places;
    __asm__("vpcompressb %1, %0%{%2%}%{z%}" : "=v"(places) : "v"(_mm512_loadu_si512(place)), "Yk"((__mmask64)mask));
    return places;
}

/* The rows of the bits of a mask, eight at a time; most masks have fewer. Returns how many. */
LANES_INLINE size_t list_eights(uint64_t mask, uint32_t first, uint32_t *index)
{
    const size_t rows = (size_t)__builtin_popcountll(mask);
    const __m256i from = _mm256_set1_epi32((int32_t)first);
    __m512i places = places_of(mask);
    _mm256_storeu_si256((__m256i *)index, _mm256_add_epi32(_mm256_cvtepu8_epi32(_mm512_castsi512_si128(places)), from));
    for (size_t i = 8; i < rows; i += 8) {
        places = _mm512_alignr_epi32(places, places, 2);
        _mm256_storeu_si256((__m256i *)(index + i),
                            _mm256_add_epi32(_mm256_cvtepu8_epi32(_mm512_castsi512_si128(places)), from));
    }
    return rows;
}

LANES_INLINE size_t collect_by_eights(const void *distance, size_t end, int32_t bound, MaskWithin *mask_at,
                                      uint32_t *index)
{
    enum { BOTH = 2 * ANB_KNN_SEARCH_ROWS };
    size_t found = 0, at = 0;
    for (; at + BOTH <= end; at += BOTH) {
        const uint64_t second = mask_at(distance, at + ANB_KNN_SEARCH_ROWS, bound);
        found += list_eights(mask_at(distance, at, bound) | second << ANB_KNN_SEARCH_ROWS, (uint32_t)at, index + found);
    }
    if (at < end)
        found += list_eights(mask_at(distance, at, bound), (uint32_t)at, index + found);
    return found;
}
#endif

/* Rows within the bound, ascending. Pairs of blocks that have any are listed first, with no branch to guess:
 * few have. */
LANES_INLINE size_t collect_within(const void *distance, size_t rows, int32_t bound, MaskWithin *mask_at,
                                   uint32_t *index)
{
    enum { LISTED = 64, BOTH = 2 * ANB_KNN_SEARCH_ROWS };
    const size_t end = anb_knn_search_blocks(rows) * ANB_KNN_SEARCH_ROWS;
#if LANES_BYTES == 64
    if (has_vbmi2())
        return collect_by_eights(distance, end, bound, mask_at, index);
#endif
    size_t found = 0;
    for (size_t from = 0; from < end; from += LISTED * BOTH) {
        size_t listed = 0, to = end - from < LISTED * BOTH ? end : from + LISTED * BOTH;
        uint64_t mask[LISTED];
        uint32_t first[LISTED];
        size_t at = from;
        for (; at + BOTH <= to; at += BOTH) {
            const uint64_t second = mask_at(distance, at + ANB_KNN_SEARCH_ROWS, bound);
            const uint64_t both = mask_at(distance, at, bound) | second << ANB_KNN_SEARCH_ROWS;
            mask[listed] = both;
            first[listed] = (uint32_t)at;
            listed += both != 0;
        }
        if (at < to) {
            mask[listed] = mask_at(distance, at, bound);
            first[listed++] = (uint32_t)at;
        }
        for (size_t b = 0; b < listed; b++)
            found += list_rows(mask[b], first[b], index + found);
    }
    return found;
}

LANES_INLINE size_t count_within(const int32_t *value, size_t n, int32_t bound)
{
    size_t sum = 0;
#if LANES_BYTES > 16 /* these have the instruction that counts bits */
    for (size_t i = 0; i < n; i += ANB_KNN_SEARCH_ROWS)
        sum += (size_t)__builtin_popcount(mask_within(value + i, bound));
#else
    Words count = {0};
    for (size_t i = 0; i < n; i += PART_ROWS)
        count -= LOAD(value + i) <= bound;
    for (int i = 0; i < PART_ROWS; i++)
        sum += (size_t)count[i];
#endif
    return sum;
}

LANES_INLINE int32_t least_of(Words words)
{
#if LANES_BYTES == 64
    return _mm512_reduce_min_epi32((__m512i)words);
#else
    int32_t least = words[0];
    for (int i = 1; i < PART_ROWS; i++)
        least = words[i] < least ? words[i] : least;
    return least;
#endif
}

/*
 * The search for a bound that k values, and not many more, do not exceed. A range that has the bound is narrowed: each
 * step counts the values up to a middle. The next middle is interpolated from the counts; after GUESSES steps the range
 * is halved.
 */
typedef struct Narrowing {
    int32_t low, high, middle;
    int32_t below, above; /* counts below `low` and at `high`; 0 and n before the first count */
    int32_t wide, most;   /* what `high` was before, and the count there */
    int32_t steps;
} Narrowing;

enum { GUESSES = 8, FINE = 3 }; /* steps that interpolate, that allow k / 8 more only */

/* From the least of n values on; the first guess is `middle`. */
LANES_INLINE Narrowing narrowing(int32_t least, int32_t most, int32_t middle, size_t n)
{
    return (Narrowing){least, most, middle, 0, (int32_t)n, most, (int32_t)n, 0};
}

/* The next middle, after `within` values were within the last one: the linear interpolation of the two counts. In the
 * first step the interpolation is by the fourth root of the count, since squared distances of rows in eight dimensions
 * grow as that; r^(1/4) is about (5 r + 3) / (3 r + 5) near 1. One division, no branch that is hard to predict. */
LANES_INLINE int32_t look_next(const Narrowing *s, int32_t within, int32_t wanted, int32_t n)
{
    const bool between = s->below > 0, beyond = s->most < n, line = (s->above < n) & (between | beyond);
    const int32_t base = !line ? 0 : between ? s->low : s->high;
    const int32_t span = !line ? s->middle : between ? s->high - s->low : s->wide - s->high;
    const int32_t part = !line ? 5 * wanted + 3 * within : wanted - (between ? s->below : s->above);
    const int32_t whole = !line ? 3 * wanted + 5 * within : between ? s->above - s->below : s->most - s->above;
    const double next = (double)base + (double)span * ((double)part / (double)whole), most = (double)s->high - 1;
    const double least = (double)s->low;
    return (int32_t)(next > least ? next < most ? next : most : least);
}

/* True where it goes on. */
LANES_INLINE bool narrow(Narrowing *s, size_t counted, size_t k, size_t n)
{
    const int32_t within = (int32_t)counted, wanted = (int32_t)k;
    const int32_t most = wanted + (s->steps < FINE ? wanted / 8 : wanted / 2);
    const bool enough = within >= wanted, fine = enough & (within <= most), fewer = enough & (within < s->above);
    s->wide = fewer ? s->high : s->wide;
    s->most = fewer ? s->above : s->most;
    s->above = enough ? within : s->above;
    s->below = enough ? s->below : within;
    s->high = enough ? s->middle : s->high;
    s->low = fine ? s->middle : enough ? s->low : s->middle + 1;
    s->steps++;
    if (s->steps > GUESSES)
        s->middle = s->low + (s->high - s->low) / 2;
    else
        s->middle = s->low < s->high ? look_next(s, within, wanted + wanted / 16, (int32_t)n) : s->high;
    return s->low < s->high;
}

#endif
