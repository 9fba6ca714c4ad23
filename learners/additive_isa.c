/* The kernels of additive.h over pairs, compiled once per instruction set: lanes of floats that meet in one order.
 * Single features: additive_features_isa.c; several rows at once: additive_many_isa.c. */
#include "src/simd/lanes.h"
#include "additive.h"
#include <stdbool.h>

enum { EIGHT = 8 };
typedef float Eight __attribute__((vector_size(32), may_alias, aligned(4)));
typedef int32_t EightMask __attribute__((vector_size(32)));
typedef double CellBits __attribute__((may_alias, aligned(4)));
typedef double FourCells __attribute__((vector_size(32)));

LANES_INLINE Eight eight_all(float v)
{
    return v - (Eight){0};
}

/* In each lane `then` where the mask is set, else `other`. */
LANES_INLINE Eight eight_if(EightMask mask, Eight then, Eight other)
{
    EightMask bits = ((EightMask)then & mask) | ((EightMask)other & ~mask);
    return (Eight)bits;
}

LANES_INLINE Eight eight_clip(Eight v, float low, float high)
{
    Eight least = eight_all(low), most = eight_all(high);
    v = eight_if(v < least, least, v);
    return eight_if(v > most, most, v);
}

LANES_INLINE double eight_sum(Eight v)
{
    return (((double)v[0] + (double)v[4]) + ((double)v[2] + (double)v[6])) +
           (((double)v[1] + (double)v[5]) + ((double)v[3] + (double)v[7]));
}

#if LANES_BYTES > 16
enum { LOOKED_UP = 32 }; /* features whose bands two registers hold, a byte each */

/* Four columns from feature j on, read in the width in which they were stored: a load of another width has to wait for
 * the store. */
LANES_INLINE __m128i columns_from(const uint32_t *column, size_t d, size_t j)
{
    return j < d ? _mm_loadu_si128((const __m128i *)(column + j)) : _mm_setzero_si128();
}

LANES_INLINE __m128i bands_from(const uint32_t *column, size_t d, size_t j)
{
    __m128i low = _mm_packus_epi32(columns_from(column, d, j), columns_from(column, d, j + 4));
    __m128i high = _mm_packus_epi32(columns_from(column, d, j + 8), columns_from(column, d, j + 12));
    return _mm_packus_epi16(low, high);
}

/* Bands of sixteen features; `far`: those from the 16th on are in use. */
LANES_INLINE __m128i bands_at(__m128i low, __m128i high, __m128i features, const bool far)
{
    __m128i band = _mm_shuffle_epi8(low, features);
    return far ? _mm_blendv_epi8(band, _mm_shuffle_epi8(high, features), _mm_slli_epi16(features, 3)) : band;
}

/* The cells of whole eights of pairs; returns how many. A cell is at first + its row times stride + its column. */
LANES_INLINE size_t find_eights(const AdditiveView *v, const AdditivePlaces *places, uint32_t *at, const bool far)
{
    const __m128i low = bands_from(places->column, v->d, 0);
    const __m128i high = far ? bands_from(places->column, v->d, 16) : low,
                  by = _mm_set1_epi16((short)(v->stride | 1 << 8));
    const int size = (int)(v->stride * v->stride);
    __m256i first = _mm256_add_epi32(
        _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(size)), _mm256_set1_epi32(1));
    size_t k = 0;
    for (; k + EIGHT <= v->pairs; k += EIGHT, first = _mm256_add_epi32(first, _mm256_set1_epi32(EIGHT * size))) {
        __m128i left = _mm_loadu_si128((const __m128i *)(v->left + k));
        __m128i right = _mm_loadu_si128((const __m128i *)(v->right + k));
        __m128i both = bands_at(low, high, _mm_packus_epi16(left, right), far);
        __m128i cell = _mm_maddubs_epi16(_mm_unpacklo_epi8(both, _mm_unpackhi_epi64(both, both)), by);
        _mm256_storeu_si256((__m256i *)(at + k), _mm256_add_epi32(first, _mm256_cvtepu16_epi32(cell)));
    }
    return k;
}
#endif

static void find(const AdditiveView *v, const AdditivePlaces *places, uint32_t *at)
{
    const uint32_t size = (uint32_t)(v->stride * v->stride), *row = places->row, *column = places->column;
    size_t k = 0;
#if LANES_BYTES > 16
    if (v->d <= LOOKED_UP)
        k = v->d > 16 ? find_eights(v, places, at, true) : find_eights(v, places, at, false);
#endif
    for (uint32_t first = 1 + (uint32_t)k * size; k < v->pairs; k++, first += size)
        at[k] = first + row[v->left[k]] + column[v->right[k]];
    for (; k % EIGHT != 0; k++)
        at[k] = 0;
}

/* Cells k to k + 7 of a list: their weights and their variances. A cell is moved as one double: 64 bits. */
LANES_INLINE void gather(const AdditiveCell *cell, const uint32_t *at, Eight *w, Eight *p)
{
#if LANES_BYTES > 16
    const CellBits *from = (const CellBits *)cell;
    FourCells low = {from[at[0]], from[at[1]], from[at[4]], from[at[5]]};
    FourCells high = {from[at[2]], from[at[3]], from[at[6]], from[at[7]]};
    *w = __builtin_shufflevector((Eight)low, (Eight)high, 0, 2, 8, 10, 4, 6, 12, 14);
    *p = __builtin_shufflevector((Eight)low, (Eight)high, 1, 3, 9, 11, 5, 7, 13, 15);
#else
    for (size_t i = 0; i < EIGHT; i++) {
        (*w)[i] = cell[at[i]].w;
        (*p)[i] = cell[at[i]].p;
    }
#endif
}

LANES_INLINE void scatter(AdditiveCell *cell, const uint32_t *at, Eight w, Eight p)
{
#if LANES_BYTES > 16
    CellBits *to = (CellBits *)cell;
    FourCells low = (FourCells)__builtin_shufflevector(w, p, 0, 8, 1, 9, 4, 12, 5, 13);
    FourCells high = (FourCells)__builtin_shufflevector(w, p, 2, 10, 3, 11, 6, 14, 7, 15);
    to[at[0]] = low[0];
    to[at[1]] = low[1];
    to[at[2]] = high[0];
    to[at[3]] = high[1];
    to[at[4]] = low[2];
    to[at[5]] = low[3];
    to[at[6]] = high[2];
    to[at[7]] = high[3];
#else
    for (size_t i = 0; i < EIGHT; i++)
        cell[at[i]] = (AdditiveCell){w[i], p[i]};
#endif
}

static AdditiveSums add_terms(const AdditiveCell *cell, const uint32_t *at, const float *lifts, size_t n, float *w,
                              float *p)
{
    Eight f = {0}, variance = {0};
    for (size_t k = 0; k < n; k += EIGHT) {
        Eight a = *(const Eight *)(lifts + k), u, q;
        gather(cell, at + k, &u, &q);
        *(Eight *)(w + k) = u;
        *(Eight *)(p + k) = q;
        f += a * u;
        variance += a * a * q;
    }
    return (AdditiveSums){eight_sum(f), eight_sum(variance)};
}

static void learn(AdditiveCell *cell, const uint32_t *at, float *lifts, size_t n, const float *w, const float *p,
                  const AdditivePace *pace)
{
    const Eight step = eight_all(pace->step), shrink = eight_all(pace->shrink), lift = eight_all(pace->lift),
                least = eight_all(pace->least), one = eight_all(1);
    for (size_t k = 0; k < n; k += EIGHT) {
        Eight a = *(const Eight *)(lifts + k), u = *(const Eight *)(w + k), q = *(const Eight *)(p + k), aq = a * q;
        scatter(cell, at + k, u + step * aq, eight_if(q > least, q - shrink * aq * aq, q));
        Eight by = one + eight_clip(lift * a * u, -(float)ANB_LIFT_STEP, (float)ANB_LIFT_STEP);
        *(Eight *)(lifts + k) = eight_clip(a * by, (float)ANB_LIFT_LEAST, (float)ANB_LIFT_MOST);
    }
}

const AdditiveKernels ANB_PER_ISA(anb_additive_kernels) = {find, add_terms, learn};
ANB_ISA_REGISTER(AdditiveKernels, anb_additive_kernels)
