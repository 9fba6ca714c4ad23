/* Sixteen floats at a time, under the names that lanes.h has for eight doubles (lanes_cells.h). */
#ifndef ANB_SIMD_LANES_SINGLE_H
#define ANB_SIMD_LANES_SINGLE_H

#define LANES_OF_FLOATS
#include "lanes_cells.h"

/* The first n, at most 16, floats, zeros behind; reads no more than n. */
LANES_INLINE Lanes lanes_load_floats(const float *from, size_t n)
{
    if (n >= LANES)
        return lanes_load(from);
    Lanes l = lanes_zero();
#if LANES_BYTES == 64
    l.a = (LanesPart)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
#elif LANES_BYTES == 32
    const __m256i count = _mm256_set1_epi32((int)n), low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    l.a = (LanesPart)_mm256_maskload_ps(from, _mm256_cmpgt_epi32(count, low));
    if (n > LANES_STEP)
        l.b = (LanesPart)_mm256_maskload_ps(from + 8,
                                            _mm256_cmpgt_epi32(count, _mm256_add_epi32(low, _mm256_set1_epi32(8))));
#else
    float some[LANES] = {0};
    for (size_t i = 0; i < n; i++)
        some[i] = from[i];
    l = lanes_load(some);
#endif
    return l;
}

/* The same from doubles, rounded to floats; those too large for a float become infinite. */
LANES_INLINE Lanes lanes_load_doubles(const double *from, size_t n)
{
#if LANES_BYTES == 64
    const unsigned in = n >= LANES ? 0xffff : (1u << n) - 1;
    __m256 low = _mm512_cvtpd_ps(_mm512_maskz_loadu_pd((__mmask8)in, from));
    __m256 high = n > 8 ? _mm512_cvtpd_ps(_mm512_maskz_loadu_pd((__mmask8)(in >> 8), from + 8)) : _mm256_setzero_ps();
    return (Lanes){(LanesPart)_mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1)};
#elif LANES_BYTES == 32
    __m128 four[4];
    const __m256i count = _mm256_set1_epi64x((long long)n);
    for (int i = 0; i < 4; i++) {
        const __m256i at = _mm256_setr_epi64x(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
        four[i] = n >= LANES ? _mm256_cvtpd_ps(_mm256_loadu_pd(from + 4 * i))
                  : n > (size_t)(4 * i)
                      ? _mm256_cvtpd_ps(_mm256_maskload_pd(from + 4 * i, _mm256_cmpgt_epi64(count, at)))
                      : _mm_setzero_ps();
    }
    return (Lanes){(LanesPart)_mm256_set_m128(four[1], four[0]), (LanesPart)_mm256_set_m128(four[3], four[2])};
#else
    float some[LANES] = {0};
    for (size_t i = 0; i < n && i < LANES; i++)
        some[i] = (float)from[i];
    return lanes_load(some);
#endif
}

/* Lane by lane: 0 where the size is at most 1e-15, so that a square is a float of full precision, or 0. */
LANES_INLINE Lanes lanes_small_to_zero(Lanes l)
{
    return lanes_where_above(lanes_abs(l), lanes_all(1e-15f), l, lanes_zero());
}

typedef float LanesQuarter __attribute__((vector_size(16), may_alias));
typedef float LanesQuarterMemory __attribute__((vector_size(16), may_alias, aligned(4)));

/* Four lanes from sixteen: lane i is (l[i] + l[i + 8]) + (l[i + 4] + l[i + 12]). */
LANES_INLINE LanesQuarter lanes_fold(Lanes l)
{
#if LANES_BYTES == 16
    return (l.a + l.c) + (l.b + l.d);
#else
#if LANES_BYTES == 64
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256((__m512)l.a), _mm512_extractf32x8_ps((__m512)l.a, 1));
#else
    __m256 half = (__m256)(l.a + l.b);
#endif
    return (LanesQuarter)_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#endif
}

/* The sum of all lanes: (q0 + q2) + (q1 + q3) of the four lanes of lanes_fold. */
LANES_INLINE float lanes_sum(Lanes l)
{
    LanesQuarter q = lanes_fold(l);
    return (q[0] + q[2]) + (q[1] + q[3]);
}

/* Whether all lanes are equal. */
LANES_INLINE int lanes_same(Lanes l, Lanes r)
{
#if LANES_BYTES == 64
    return _mm512_cmp_ps_mask((__m512)l.a, (__m512)r.a, _CMP_EQ_OQ) == 0xffff;
#elif LANES_BYTES == 32
    __m256 low = _mm256_cmp_ps((__m256)l.a, (__m256)r.a, _CMP_EQ_OQ);
    return _mm256_movemask_ps(_mm256_and_ps(low, _mm256_cmp_ps((__m256)l.b, (__m256)r.b, _CMP_EQ_OQ))) == 0xff;
#else
    LanesMask same = (l.a == r.a) & (l.b == r.b) & (l.c == r.c) & (l.d == r.d);
    return (same[0] & same[1] & same[2] & same[3]) != 0;
#endif
}

/* The largest; which of them is left open where one is not a number. */
LANES_INLINE float lanes_top(Lanes l)
{
#if LANES_BYTES == 64
    return _mm512_reduce_max_ps((__m512)l.a);
#else
#if LANES_BYTES == 32
    __m256 half = _mm256_max_ps((__m256)l.a, (__m256)l.b);
    LanesQuarter q = (LanesQuarter)_mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
#else
    LanesQuarter q = lanes_part_max(lanes_part_max(l.a, l.c), lanes_part_max(l.b, l.d));
#endif
    const float even = q[0] > q[2] ? q[0] : q[2], odd = q[1] > q[3] ? q[1] : q[3];
    return even > odd ? even : odd;
#endif
}

/* a . b; n a whole number of blocks. */
LANES_INLINE float lanes_dot(const float *a, const float *b, size_t n)
{
    LanesProducts sum = lanes_products(a, b, n);
    return lanes_sum(lanes_add(sum.even, sum.odd));
}

/* Four sums, each as lanes_sum has it. */
LANES_INLINE LanesQuarter lanes_sum4(Lanes p, Lanes q, Lanes r, Lanes s)
{
    LanesQuarter fp = lanes_fold(p), fq = lanes_fold(q), fr = lanes_fold(r), fs = lanes_fold(s);
    LanesQuarter pq =
        __builtin_shufflevector(fp, fq, 0, 4, 1, 5) + __builtin_shufflevector(fp, fq, 2, 6, 3, 7); /* p0 q0 p1 q1 */
    LanesQuarter rs = __builtin_shufflevector(fr, fs, 0, 4, 1, 5) + __builtin_shufflevector(fr, fs, 2, 6, 3, 7);
    return __builtin_shufflevector(pq, rs, 0, 1, 4, 5) + __builtin_shufflevector(pq, rs, 2, 3, 6, 7);
}

/* Eight sums, each as lanes_sum has it. */
#if LANES_BYTES == 64
/* For each of four blocks the lanes of lanes_fold, side by side. */
LANES_INLINE __m512 lanes_quarters(Lanes p, Lanes q, Lanes r, Lanes s)
{
#define LANES_HALVES(l, r)                                                                                             \
    _mm512_add_ps(_mm512_shuffle_f32x4((__m512)l.a, (__m512)r.a, 0x44),                                                \
                  _mm512_shuffle_f32x4((__m512)l.a, (__m512)r.a, 0xee))
    __m512 pq = LANES_HALVES(p, q), rs = LANES_HALVES(r, s);
#undef LANES_HALVES
    return _mm512_add_ps(_mm512_shuffle_f32x4(pq, rs, 0x88), _mm512_shuffle_f32x4(pq, rs, 0xdd));
}

LANES_INLINE void lanes_sum8(const Lanes *l, float *out)
{
    __m512 even = lanes_quarters(l[0], l[2], l[4], l[6]), odd = lanes_quarters(l[1], l[3], l[5], l[7]);
    __m512 pairs = _mm512_add_ps(_mm512_shuffle_ps(even, odd, 0x44), _mm512_shuffle_ps(even, odd, 0xee));
    __m512 sums = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0xb1));
    _mm256_storeu_si256((void *)out, _mm512_cvtepi64_epi32(_mm512_castps_si512(sums)));
}
#else
LANES_INLINE void lanes_sum8(const Lanes *l, float *out)
{
    *(LanesQuarterMemory *)out = lanes_sum4(l[0], l[1], l[2], l[3]);
    *(LanesQuarterMemory *)(out + 4) = lanes_sum4(l[4], l[5], l[6], l[7]);
}
#endif

/* n sums, each as lanes_sum has it; n a multiple of four. */
LANES_INLINE void lanes_sums(const Lanes *l, const size_t n, float *out)
{
    for (size_t i = 0; i < n; i += 4)
        *(LanesQuarterMemory *)(out + i) = lanes_sum4(l[i], l[i + 1], l[i + 2], l[i + 3]);
}

#endif
