/* What loops over floats of neighbours share, for files compiled once per instruction set. */
#ifndef ANB_LEARNERS_KNN_KNN_TURNED_H
#define ANB_LEARNERS_KNN_KNN_TURNED_H

#include "src/simd/lanes_single.h"

/* Lane by lane. */
LANES_INLINE Lanes lanes_root(Lanes l)
{
#if LANES_BYTES == 64
    l.a = (LanesPart)_mm512_sqrt_ps((__m512)l.a);
#elif LANES_BYTES == 32
    l.a = (LanesPart)_mm256_sqrt_ps((__m256)l.a);
    l.b = (LanesPart)_mm256_sqrt_ps((__m256)l.b);
#else
#if defined(__SSE2__)
#define LANES_OP(p, at) l.p = (LanesPart)_mm_sqrt_ps((__m128)l.p);
#else
#define LANES_OP(p, at)                                                                                                \
    for (size_t i = 0; i < LANES_STEP; i++)                                                                            \
        l.p[i] = __builtin_sqrtf(l.p[i]);
#endif
    LANES_EACH (LANES_OP)
#undef LANES_OP
#endif
    return l;
}

LANES_INLINE Lanes weight_of(Lanes share, float soft)
{
    return lanes_div(lanes_all(1), lanes_add(lanes_all(soft), share));
}

/* Four features of sixteen rows, the rows side by side. Rows four apart share a vector, so that nothing crosses its
 * quarters. */
#if LANES_BYTES == 64
LANES_INLINE __m512 rows_of(const float *const row[LANES], size_t j, size_t k)
{
    __m512 l = _mm512_castps128_ps512(_mm_loadu_ps(row[k] + j));
    l = _mm512_insertf32x4(l, _mm_loadu_ps(row[k + 4] + j), 1);
    __m256 high =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[k + 8] + j)), _mm_loadu_ps(row[k + 12] + j), 1);
    return _mm512_insertf32x8(l, high, 1);
}

LANES_INLINE void turned(const float *const row[LANES], size_t j, Lanes out[4])
{
    const __m512 a = rows_of(row, j, 0), b = rows_of(row, j, 1), c = rows_of(row, j, 2), d = rows_of(row, j, 3);
    const __m512 ab = _mm512_unpacklo_ps(a, b), cd = _mm512_unpacklo_ps(c, d);
    const __m512 ab2 = _mm512_unpackhi_ps(a, b), cd2 = _mm512_unpackhi_ps(c, d);
    out[0].a = (LanesPart)_mm512_shuffle_ps(ab, cd, 0x44);
    out[1].a = (LanesPart)_mm512_shuffle_ps(ab, cd, 0xee);
    out[2].a = (LanesPart)_mm512_shuffle_ps(ab2, cd2, 0x44);
    out[3].a = (LanesPart)_mm512_shuffle_ps(ab2, cd2, 0xee);
}
#elif LANES_BYTES == 32
LANES_INLINE __m256 rows_of(const float *const row[LANES], size_t j, size_t k)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row[k] + j)), _mm_loadu_ps(row[k + 4] + j), 1);
}

LANES_INLINE void turned_half(const float *const row[LANES], size_t j, size_t k, __m256 out[4])
{
    const __m256 a = rows_of(row, j, k), b = rows_of(row, j, k + 1), c = rows_of(row, j, k + 2);
    const __m256 d = rows_of(row, j, k + 3);
    const __m256 ab = _mm256_unpacklo_ps(a, b), cd = _mm256_unpacklo_ps(c, d);
    const __m256 ab2 = _mm256_unpackhi_ps(a, b), cd2 = _mm256_unpackhi_ps(c, d);
    out[0] = _mm256_shuffle_ps(ab, cd, 0x44);
    out[1] = _mm256_shuffle_ps(ab, cd, 0xee);
    out[2] = _mm256_shuffle_ps(ab2, cd2, 0x44);
    out[3] = _mm256_shuffle_ps(ab2, cd2, 0xee);
}

LANES_INLINE void turned(const float *const row[LANES], size_t j, Lanes out[4])
{
    __m256 low[4], high[4];
    turned_half(row, j, 0, low);
    turned_half(row, j, 8, high);
    for (size_t f = 0; f < 4; f++)
        out[f] = (Lanes){(LanesPart)low[f], (LanesPart)high[f]};
}
#else
LANES_INLINE void turned(const float *const row[LANES], size_t j, Lanes out[4])
{
#define LANES_OP(p, at)                                                                                                \
    out[f].p = (LanesPart){row[at][j + f], row[at + 1][j + f], row[at + 2][j + f], row[at + 3][j + f]};
    for (size_t f = 0; f < 4; f++) {
        LANES_EACH (LANES_OP)
    }
#undef LANES_OP
}
#endif

#endif
