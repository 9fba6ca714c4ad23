/*
 * Four doubles, for files compiled once per instruction set: one vector of 256 bits, with AVX-512 too, or two of 128.
 * For what comes in fours, or in so few that a block of eight would be half empty. The operations round lane by lane.
 */
#ifndef ANB_SIMD_QUADS_H
#define ANB_SIMD_QUADS_H

#include "lanes_few.h"

/* Lane numbers and `m` of quad_pick are constants; quad_turn transposes a block of 4 x 4. The lesser is `l < r ? l :
 * r`, so r where either is not a number; likewise the greater. */
#if LANES_BYTES > 16
typedef FewPart Quad;

LANES_INLINE Quad quad_load(const double *from)
{
    return *(const FewMemory *)from;
}

LANES_INLINE void quad_store(double *to, Quad v)
{
    *(FewMemory *)to = v;
}

#define quad_all few_all
/* Lane i in all four. */
#define quad_lane(v, i) ((Quad)_mm256_permute4x64_pd((__m256d)(v), (i)*0x55))
#define quad_add(l, r) ((l) + (r))
#define quad_sub(l, r) ((l) - (r))
#define quad_mul(l, r) ((l) * (r))
#define quad_div(l, r) ((l) / (r))
#define quad_min(l, r) ((Quad)_mm256_min_pd((__m256d)(l), (__m256d)(r)))
#define quad_max(l, r) ((Quad)_mm256_max_pd((__m256d)(l), (__m256d)(r)))

LANES_INLINE Quad quad_of(double a, double b, double c, double d)
{
    return (Quad){a, b, c, d};
}

/* Lane by lane: `yes` where test > bound, where test is a number; `no` elsewhere. */
LANES_INLINE Quad quad_where_above(Quad test, Quad bound, Quad yes, Quad no)
{
    __m256d mask = _mm256_cmp_pd((__m256d)test, (__m256d)bound, _CMP_GT_OQ);
    return (Quad)_mm256_blendv_pd((__m256d)no, (__m256d)yes, mask);
}

LANES_INLINE Quad quad_where_number(Quad test, Quad yes, Quad no)
{
    __m256d mask = _mm256_cmp_pd((__m256d)test, (__m256d)test, _CMP_ORD_Q);
    return (Quad)_mm256_blendv_pd((__m256d)no, (__m256d)yes, mask);
}

/* Whole numbers from 0 to 2^31, to and from integers. */
LANES_INLINE void quad_store_whole(uint32_t *to, Quad v)
{
    _mm_storeu_si128((__m128i *)to, _mm256_cvttpd_epi32((__m256d)v));
}

LANES_INLINE Quad quad_load_whole(const uint32_t *from)
{
    return (Quad)_mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)from));
}

/* Two doubles at each of four places: the first ones, and the second ones. */
LANES_INLINE void quad_load_pairs(const double *const *from, Quad *first, Quad *second)
{
#define QUAD_TWO(l, h) _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from[l])), _mm_loadu_pd(from[h]), 1)
    __m256d even = QUAD_TWO(0, 2), odd = QUAD_TWO(1, 3);
#undef QUAD_TWO
    *first = (Quad)_mm256_unpacklo_pd(even, odd);
    *second = (Quad)_mm256_unpackhi_pd(even, odd);
}

LANES_INLINE void quad_store_pairs(double *const *to, Quad first, Quad second)
{
    __m256d even = _mm256_unpacklo_pd((__m256d)first, (__m256d)second);
    __m256d odd = _mm256_unpackhi_pd((__m256d)first, (__m256d)second);
    _mm_storeu_pd(to[0], _mm256_castpd256_pd128(even));
    _mm_storeu_pd(to[1], _mm256_castpd256_pd128(odd));
    _mm_storeu_pd(to[2], _mm256_extractf128_pd(even, 1));
    _mm_storeu_pd(to[3], _mm256_extractf128_pd(odd, 1));
}

/* -1 for each of n doubles, a multiple of four, that lies below r; four sums. */
LANES_INLINE __m256i quad_minus_below(const double *from, size_t n, double r)
{
    const __m256d all = _mm256_set1_pd(r);
    __m256i sum = _mm256_setzero_si256();
    for (size_t i = 0; i < n; i += 4)
        sum = _mm256_add_epi64(sum, _mm256_castpd_si256(_mm256_cmp_pd(all, _mm256_loadu_pd(from + i), _CMP_GT_OQ)));
    return sum;
}

/* How many of n doubles, a multiple of four, lie below r[i], for each of four runs of them. */
LANES_INLINE Quad quad_below(const double *const *from, size_t n, const double *r)
{
    const __m256i bits = _mm256_castpd_si256(_mm256_set1_pd(0x1p52));
    __m256i a = quad_minus_below(from[0], n, r[0]), b = quad_minus_below(from[1], n, r[1]);
    __m256i c = quad_minus_below(from[2], n, r[2]), d = quad_minus_below(from[3], n, r[3]);
    __m256i ab = _mm256_add_epi64(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    __m256i cd = _mm256_add_epi64(_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    __m256i all = _mm256_add_epi64(_mm256_permute2x128_si256(ab, cd, 0x20), _mm256_permute2x128_si256(ab, cd, 0x31));
    return (Quad)_mm256_sub_pd(_mm256_castsi256_pd(_mm256_sub_epi64(bits, all)), _mm256_set1_pd(0x1p52));
}

/* (v0 + v2) + (v1 + v3) */
LANES_INLINE double quad_sum(Quad v)
{
    __m128d pair = _mm_add_pd(_mm256_castpd256_pd128((__m256d)v), _mm256_extractf128_pd((__m256d)v, 1));
    return pair[0] + pair[1];
}

/* Lane i of r where bit i of m is set, else of l. */
#define quad_pick(l, r, m) ((Quad)_mm256_blend_pd((__m256d)(l), (__m256d)(r), m))

LANES_INLINE void quad_turn(Quad *a, Quad *b, Quad *c, Quad *d)
{
    __m256d ab0 = _mm256_unpacklo_pd((__m256d)*a, (__m256d)*b), ab1 = _mm256_unpackhi_pd((__m256d)*a, (__m256d)*b);
    __m256d cd0 = _mm256_unpacklo_pd((__m256d)*c, (__m256d)*d), cd1 = _mm256_unpackhi_pd((__m256d)*c, (__m256d)*d);
    *a = (Quad)_mm256_permute2f128_pd(ab0, cd0, 0x20);
    *b = (Quad)_mm256_permute2f128_pd(ab1, cd1, 0x20);
    *c = (Quad)_mm256_permute2f128_pd(ab0, cd0, 0x31);
    *d = (Quad)_mm256_permute2f128_pd(ab1, cd1, 0x31);
}
#else
typedef struct Quad {
    LanesPart a, b;
} Quad;

LANES_INLINE Quad quad_load(const double *from)
{
    return (Quad){lanes_part_load(from), lanes_part_load(from + 2)};
}

LANES_INLINE void quad_store(double *to, Quad v)
{
    lanes_part_store(to, v.a);
    lanes_part_store(to + 2, v.b);
}

LANES_INLINE Quad quad_all(double v)
{
    return (Quad){lanes_part_all(v), lanes_part_all(v)};
}

LANES_INLINE Quad quad_add(Quad l, Quad r)
{
    return (Quad){l.a + r.a, l.b + r.b};
}

LANES_INLINE Quad quad_sub(Quad l, Quad r)
{
    return (Quad){l.a - r.a, l.b - r.b};
}

LANES_INLINE Quad quad_mul(Quad l, Quad r)
{
    return (Quad){l.a * r.a, l.b * r.b};
}

LANES_INLINE Quad quad_of(double a, double b, double c, double d)
{
    return (Quad){{a, b}, {c, d}};
}

LANES_INLINE Quad quad_div(Quad l, Quad r)
{
    return (Quad){l.a / r.a, l.b / r.b};
}

LANES_INLINE Quad quad_max(Quad l, Quad r)
{
    return (Quad){lanes_part_max(l.a, r.a), lanes_part_max(l.b, r.b)};
}

LANES_INLINE Quad quad_where_above(Quad test, Quad bound, Quad yes, Quad no)
{
    return (Quad){lanes_part_above(test.a, bound.a, yes.a, no.a), lanes_part_above(test.b, bound.b, yes.b, no.b)};
}

LANES_INLINE Quad quad_where_number(Quad test, Quad yes, Quad no)
{
    return (Quad){lanes_part_number(test.a, yes.a, no.a), lanes_part_number(test.b, yes.b, no.b)};
}

LANES_INLINE void quad_store_whole(uint32_t *to, Quad v)
{
    to[0] = (uint32_t)(int32_t)v.a[0];
    to[1] = (uint32_t)(int32_t)v.a[1];
    to[2] = (uint32_t)(int32_t)v.b[0];
    to[3] = (uint32_t)(int32_t)v.b[1];
}

LANES_INLINE Quad quad_load_whole(const uint32_t *from)
{
    return quad_of((double)from[0], (double)from[1], (double)from[2], (double)from[3]);
}

LANES_INLINE void quad_load_pairs(const double *const *from, Quad *first, Quad *second)
{
    *first = quad_of(from[0][0], from[1][0], from[2][0], from[3][0]);
    *second = quad_of(from[0][1], from[1][1], from[2][1], from[3][1]);
}

LANES_INLINE void quad_store_pairs(double *const *to, Quad first, Quad second)
{
    lanes_part_store(to[0], __builtin_shufflevector(first.a, second.a, 0, 2));
    lanes_part_store(to[1], __builtin_shufflevector(first.a, second.a, 1, 3));
    lanes_part_store(to[2], __builtin_shufflevector(first.b, second.b, 0, 2));
    lanes_part_store(to[3], __builtin_shufflevector(first.b, second.b, 1, 3));
}

LANES_INLINE double quad_below_one(const double *from, size_t n, double r)
{
    unsigned below = 0;
    for (size_t i = 0; i < n; i++)
        below += from[i] < r;
    return (double)below;
}

LANES_INLINE Quad quad_below(const double *const *from, size_t n, const double *r)
{
    return quad_of(quad_below_one(from[0], n, r[0]), quad_below_one(from[1], n, r[1]), quad_below_one(from[2], n, r[2]),
                   quad_below_one(from[3], n, r[3]));
}

LANES_INLINE Quad quad_min(Quad l, Quad r)
{
    return (Quad){lanes_part_min(l.a, r.a), lanes_part_min(l.b, r.b)};
}

LANES_INLINE double quad_sum(Quad v)
{
    LanesPart pair = v.a + v.b;
    return pair[0] + pair[1];
}

#define quad_lane(v, i) quad_all((i) < 2 ? (v).a[(i) % 2] : (v).b[(i) % 2])
#define quad_pick(l, r, m)                                                                                             \
    ((Quad){__builtin_shufflevector((l).a, (r).a, (m)&1 ? 2 : 0, (m)&2 ? 3 : 1),                                       \
            __builtin_shufflevector((l).b, (r).b, (m)&4 ? 2 : 0, (m)&8 ? 3 : 1)})

LANES_INLINE void quad_turn(Quad *a, Quad *b, Quad *c, Quad *d)
{
    Quad p = *a, q = *b, r = *c, s = *d;
#define QUAD_EVEN(l, r) __builtin_shufflevector(l, r, 0, 2)
#define QUAD_ODD(l, r) __builtin_shufflevector(l, r, 1, 3)
    *a = (Quad){QUAD_EVEN(p.a, q.a), QUAD_EVEN(r.a, s.a)};
    *b = (Quad){QUAD_ODD(p.a, q.a), QUAD_ODD(r.a, s.a)};
    *c = (Quad){QUAD_EVEN(p.b, q.b), QUAD_EVEN(r.b, s.b)};
    *d = (Quad){QUAD_ODD(p.b, q.b), QUAD_ODD(r.b, s.b)};
#undef QUAD_EVEN
#undef QUAD_ODD
}
#endif

#endif
