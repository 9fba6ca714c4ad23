/*
 * Eight doubles at a time, for files compiled once per instruction set (lanes_cells.h).
 *
 * A tail shorter than eight is read as if zeros followed it, and only its own lanes are written.
 */
#ifndef ANB_SIMD_LANES_H
#define ANB_SIMD_LANES_H

#ifdef LANES_OF_FLOATS
#error "a file is of one cell: doubles by lanes.h, floats by lanes_single.h"
#endif
#include "lanes_cells.h"
#include <stdbool.h>

/* Whether all lanes are equal. */
LANES_INLINE int lanes_same(Lanes l, Lanes r)
{
#if LANES_BYTES == 64
    return _mm512_cmp_pd_mask((__m512d)l.a, (__m512d)r.a, _CMP_EQ_OQ) == 0xff;
#elif LANES_BYTES == 32
    __m256d low = _mm256_cmp_pd((__m256d)l.a, (__m256d)r.a, _CMP_EQ_OQ);
    return _mm256_movemask_pd(_mm256_and_pd(low, _mm256_cmp_pd((__m256d)l.b, (__m256d)r.b, _CMP_EQ_OQ))) == 0xf;
#else
    LanesMask same = (l.a == r.a) & (l.b == r.b) & (l.c == r.c) & (l.d == r.d);
    return (same[0] & same[1]) != 0;
#endif
}

#if LANES_BYTES == 64
#define lanes_part_sqrt(l) ((LanesPart)_mm512_sqrt_pd((__m512d)(l)))
#elif LANES_BYTES == 32
#define lanes_part_sqrt(l) ((LanesPart)_mm256_sqrt_pd((__m256d)(l)))
#elif defined(__SSE2__)
#define lanes_part_sqrt(l) ((LanesPart)_mm_sqrt_pd((__m128d)(l)))
#else
#define lanes_part_sqrt(l) ((LanesPart){__builtin_sqrt((l)[0]), __builtin_sqrt((l)[1])})
#endif

LANES_INLINE Lanes lanes_sqrt(Lanes l)
{
#define LANES_OP(p, at) l.p = lanes_part_sqrt(l.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

/* The largest; which of them is left open where one is not a number. */
LANES_INLINE double lanes_top(Lanes l)
{
#if LANES_BYTES == 64
    return _mm512_reduce_max_pd((__m512d)l.a);
#elif LANES_BYTES == 32
    __m256d half = _mm256_max_pd((__m256d)l.a, (__m256d)l.b);
    __m128d quarter = _mm_max_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
    return _mm_cvtsd_f64(_mm_max_sd(quarter, _mm_unpackhi_pd(quarter, quarter)));
#else
    LanesPart quarter = lanes_part_max(lanes_part_max(l.a, l.c), lanes_part_max(l.b, l.d));
    return quarter[0] > quarter[1] ? quarter[0] : quarter[1];
#endif
}

/* The largest of the first four. */
LANES_INLINE double lanes_top4(Lanes l)
{
#if LANES_BYTES > 16
#if LANES_BYTES == 64
    __m256d four = _mm512_castpd512_pd256((__m512d)l.a);
#else
    __m256d four = (__m256d)l.a;
#endif
    __m128d pair = _mm_max_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_max_sd(pair, _mm_unpackhi_pd(pair, pair)));
#else
    LanesPart pair = lanes_part_max(l.a, l.b);
    return pair[0] > pair[1] ? pair[0] : pair[1];
#endif
}

/* (l0+l2) + (l1+l3): the bits of lanes_sum where the others are zeros. */
LANES_INLINE double lanes_sum_of4(Lanes l)
{
#if LANES_BYTES == 64
    __m256d four = _mm512_castpd512_pd256((__m512d)l.a);
    __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return pair[0] + pair[1];
#elif LANES_BYTES == 32
    __m128d pair = _mm_add_pd(_mm256_castpd256_pd128((__m256d)l.a), _mm256_extractf128_pd((__m256d)l.a, 1));
    return pair[0] + pair[1];
#else
    LanesPart pair = l.a + l.b;
    return pair[0] + pair[1];
#endif
}

/* (l0+l4)+(l2+l6) + ((l1+l5)+(l3+l7)). */
LANES_INLINE double lanes_sum(Lanes l)
{
#if LANES_BYTES == 64
    __m512d all = (__m512d)l.a;
    __m256d half = _mm256_add_pd(_mm512_castpd512_pd256(all), _mm512_extractf64x4_pd(all, 1));
    __m128d quarter = _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
    return quarter[0] + quarter[1];
#elif LANES_BYTES == 32
    __m256d half = (__m256d)(l.a + l.b);
    __m128d quarter = _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
    return quarter[0] + quarter[1];
#else
    LanesPart quarter = (l.a + l.c) + (l.b + l.d);
    return quarter[0] + quarter[1];
#endif
}

/* Four sums at once, each as lanes_sum has it: half of the lanes. */
#if LANES_BYTES > 16
typedef double LanesHalf __attribute__((vector_size(32), may_alias));
#if LANES_BYTES == 64
#define LANES_FOLD(l) _mm256_add_pd(_mm512_castpd512_pd256((__m512d)l.a), _mm512_extractf64x4_pd((__m512d)l.a, 1))
#else
#define LANES_FOLD(l) ((__m256d)(l.a + l.b))
#endif

LANES_INLINE LanesHalf lanes_sum4(Lanes p, Lanes q, Lanes r, Lanes s)
{
    __m256d fp = LANES_FOLD(p), fq = LANES_FOLD(q), fr = LANES_FOLD(r), fs = LANES_FOLD(s);
    __m256d pr = _mm256_add_pd(_mm256_permute2f128_pd(fp, fr, 0x20), _mm256_permute2f128_pd(fp, fr, 0x31));
    __m256d qs = _mm256_add_pd(_mm256_permute2f128_pd(fq, fs, 0x20), _mm256_permute2f128_pd(fq, fs, 0x31));
    return (LanesHalf)_mm256_hadd_pd(pr, qs);
}

LANES_INLINE void lanes_store_half(double *to, LanesHalf half)
{
    _mm256_storeu_pd(to, (__m256d)half);
}

LANES_INLINE LanesHalf lanes_half_zero(void)
{
    return (LanesHalf){0};
}

LANES_INLINE Lanes lanes_join(LanesHalf low, LanesHalf high)
{
#if LANES_BYTES == 64
    return (Lanes){(LanesPart)_mm512_insertf64x4(_mm512_castpd256_pd512((__m256d)low), (__m256d)high, 1)};
#else
    return (Lanes){low, high};
#endif
}
#else
typedef struct LanesHalf {
    LanesPart a, b;
} LanesHalf;

LANES_INLINE LanesHalf lanes_sum4(Lanes p, Lanes q, Lanes r, Lanes s)
{
    return (LanesHalf){{lanes_sum(p), lanes_sum(q)}, {lanes_sum(r), lanes_sum(s)}};
}

LANES_INLINE void lanes_store_half(double *to, LanesHalf half)
{
    *(LanesMemory *)to = half.a;
    *(LanesMemory *)(to + 2) = half.b;
}

LANES_INLINE LanesHalf lanes_half_zero(void)
{
    return (LanesHalf){{0}, {0}};
}

LANES_INLINE Lanes lanes_join(LanesHalf low, LanesHalf high)
{
    return (Lanes){low.a, low.b, high.a, high.b};
}
#endif

/* Eight sums at once, each as lanes_sum has it. */
#if LANES_BYTES == 64
/* For each of four blocks the sums (l0+l4)+(l2+l6) and (l1+l5)+(l3+l7), side by side. */
LANES_INLINE __m512d lanes_quarters(Lanes p, Lanes q, Lanes r, Lanes s)
{
#define LANES_HALVES(l, r)                                                                                             \
    _mm512_add_pd(_mm512_shuffle_f64x2((__m512d)l.a, (__m512d)r.a, 0x44),                                              \
                  _mm512_shuffle_f64x2((__m512d)l.a, (__m512d)r.a, 0xee))
    __m512d pq = LANES_HALVES(p, q), rs = LANES_HALVES(r, s);
#undef LANES_HALVES
    return _mm512_add_pd(_mm512_shuffle_f64x2(pq, rs, 0x88), _mm512_shuffle_f64x2(pq, rs, 0xdd));
}

LANES_INLINE Lanes lanes_sum8(Lanes a, Lanes b, Lanes c, Lanes d, Lanes e, Lanes f, Lanes g, Lanes h)
{
    __m512d even = lanes_quarters(a, c, e, g), odd = lanes_quarters(b, d, f, h);
    return (Lanes){(LanesPart)_mm512_add_pd(_mm512_unpacklo_pd(even, odd), _mm512_unpackhi_pd(even, odd))};
}
#else
LANES_INLINE Lanes lanes_sum8(Lanes a, Lanes b, Lanes c, Lanes d, Lanes e, Lanes f, Lanes g, Lanes h)
{
    return lanes_join(lanes_sum4(a, b, c, d), lanes_sum4(e, f, g, h));
}
#endif

/* n sums, each as lanes_sum has it; n a multiple of four. */
LANES_INLINE void lanes_sums(const Lanes *l, const size_t n, double *out)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(out + i, lanes_sum8(l[i], l[i + 1], l[i + 2], l[i + 3], l[i + 4], l[i + 5], l[i + 6], l[i + 7]));
    if (i < n)
        lanes_store_half(out + i, lanes_sum4(l[i], l[i + 1], l[i + 2], l[i + 3]));
}

/* The first n < 8 of them, zeros behind; reads no more than n. */
LANES_INLINE Lanes lanes_load_tail(const double *from, size_t n)
{
    Lanes l = lanes_zero();
#if LANES_BYTES == 64
    l.a = (LanesPart)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), from);
#elif LANES_BYTES == 32
    const __m256i count = _mm256_set1_epi64x((long long)n);
    const __m256i low = _mm256_setr_epi64x(0, 1, 2, 3), high = _mm256_setr_epi64x(4, 5, 6, 7);
    l.a = (LanesPart)_mm256_maskload_pd(from, _mm256_cmpgt_epi64(count, low));
    l.b = (LanesPart)_mm256_maskload_pd(from + 4, _mm256_cmpgt_epi64(count, high));
#else
#define LANES_OP(p, at)                                                                                                \
    if (n >= at + 2)                                                                                                   \
        l.p = *(const LanesMemory *)(from + at);                                                                       \
    else if (n > at)                                                                                                   \
        l.p = (LanesPart){from[at], 0};
    LANES_EACH (LANES_OP)
#undef LANES_OP
#endif
    return l;
}

LANES_INLINE Lanes lanes_load_doubles(const double *from, size_t n)
{
    return n >= LANES ? lanes_load(from) : lanes_load_tail(from, n);
}

/* The first n, at most 8, of floats, zeros behind; reads no more than n. */
LANES_INLINE Lanes lanes_load_floats(const float *from, size_t n)
{
    Lanes l = lanes_zero();
#if LANES_BYTES == 64
    l.a = (LanesPart)_mm512_cvtps_pd(_mm256_maskz_loadu_ps((__mmask8)(n < LANES ? (1u << n) - 1 : 0xff), from));
#elif LANES_BYTES == 32
    const __m128i count = _mm_set1_epi32(n < LANES ? (int)n : LANES), low = _mm_setr_epi32(0, 1, 2, 3);
    l.a = (LanesPart)_mm256_cvtps_pd(_mm_maskload_ps(from, _mm_cmpgt_epi32(count, low)));
    if (n > LANES_STEP)
        l.b = (LanesPart)_mm256_cvtps_pd(
            _mm_maskload_ps(from + 4, _mm_cmpgt_epi32(count, _mm_add_epi32(low, _mm_set1_epi32(4)))));
#else
    double some[LANES] = {0};
    for (size_t i = 0; i < n && i < LANES; i++)
        some[i] = (double)from[i];
    l = lanes_load(some);
#endif
    return l;
}

/* Writes the first n, at most 8, lanes as floats, nothing behind. All eight by a plain store: a load from a recent
 * masked store waits. */
LANES_INLINE void lanes_store_floats(float *to, Lanes l, size_t n)
{
#if LANES_BYTES == 64
    if (n >= LANES) {
        _mm256_storeu_ps(to, _mm512_cvtpd_ps((__m512d)l.a));
        return;
    }
    _mm256_mask_storeu_ps(to, (__mmask8)((1u << n) - 1), _mm512_cvtpd_ps((__m512d)l.a));
#elif LANES_BYTES == 32
    if (n >= LANES) {
        _mm_storeu_ps(to, _mm256_cvtpd_ps((__m256d)l.a));
        _mm_storeu_ps(to + 4, _mm256_cvtpd_ps((__m256d)l.b));
        return;
    }
    const __m128i count = _mm_set1_epi32((int)n), low = _mm_setr_epi32(0, 1, 2, 3);
    _mm_maskstore_ps(to, _mm_cmpgt_epi32(count, low), _mm256_cvtpd_ps((__m256d)l.a));
    if (n > LANES_STEP)
        _mm_maskstore_ps(to + 4, _mm_cmpgt_epi32(count, _mm_add_epi32(low, _mm_set1_epi32(4))),
                         _mm256_cvtpd_ps((__m256d)l.b));
#else
    double all[LANES];
    lanes_store(all, l);
    for (size_t i = 0; i < n && i < LANES; i++)
        to[i] = (float)all[i];
#endif
}

/* Writes the first n < 8 lanes, nothing behind. */
LANES_INLINE void lanes_store_tail(double *to, Lanes l, size_t n)
{
#if LANES_BYTES == 64
    _mm512_mask_storeu_pd(to, (__mmask8)((1u << n) - 1), (__m512d)l.a);
#elif LANES_BYTES == 32
    const __m256i count = _mm256_set1_epi64x((long long)n);
    const __m256i low = _mm256_setr_epi64x(0, 1, 2, 3), high = _mm256_setr_epi64x(4, 5, 6, 7);
    _mm256_maskstore_pd(to, _mm256_cmpgt_epi64(count, low), (__m256d)l.a);
    _mm256_maskstore_pd(to + 4, _mm256_cmpgt_epi64(count, high), (__m256d)l.b);
#else
#define LANES_OP(p, at)                                                                                                \
    if (n >= at + 2)                                                                                                   \
        *(LanesMemory *)(to + at) = l.p;                                                                               \
    else if (n > at)                                                                                                   \
        to[at] = l.p[0];
    LANES_EACH (LANES_OP)
#undef LANES_OP
#endif
}

/* a . b before its lanes are summed. A tail goes with the odd blocks. */
LANES_INLINE Lanes lanes_product(const double *a, const double *b, size_t n)
{
    LanesProducts sum = lanes_products(a, b, n);
    size_t i = n / LANES * LANES;
    if (i < n)
        sum.odd = lanes_add(sum.odd, lanes_mul(lanes_load_tail(a + i, n - i), lanes_load_tail(b + i, n - i)));
    return lanes_add(sum.even, sum.odd);
}

/* a . b */
LANES_INLINE double lanes_dot(const double *a, const double *b, size_t n)
{
    return lanes_sum(lanes_product(a, b, n));
}

/* w . x and x . x at once, each summed as lanes_dot does. `whole`: a tail of w counts as the whole block that it
 * starts, w being padded by zeros. */
LANES_INLINE double lanes_dot_and_square(const double *w, const double *x, size_t n, const bool whole, double *square)
{
    Lanes even = lanes_zero(), odd = even, even2 = even, odd2 = even;
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        Lanes u = lanes_load(x + i), v = lanes_load(x + i + LANES);
        even = lanes_add(even, lanes_mul(lanes_load(w + i), u));
        odd = lanes_add(odd, lanes_mul(lanes_load(w + i + LANES), v));
        even2 = lanes_add(even2, lanes_mul(u, u));
        odd2 = lanes_add(odd2, lanes_mul(v, v));
    }
    if (i + LANES <= n) {
        Lanes u = lanes_load(x + i);
        even = lanes_add(even, lanes_mul(lanes_load(w + i), u));
        even2 = lanes_add(even2, lanes_mul(u, u));
        i += LANES;
    }
    if (i < n) {
        Lanes v = lanes_load_tail(x + i, n - i);
        odd = lanes_add(odd, lanes_mul(whole ? lanes_load(w + i) : lanes_load_tail(w + i, n - i), v));
        odd2 = lanes_add(odd2, lanes_mul(v, v));
    }
    *square = lanes_sum(lanes_add(even2, odd2));
    return lanes_sum(lanes_add(even, odd));
}

/*
 * Whether what a loop wrote is finite costs it one addition: the sum of everything is not finite where one value is
 * not. A sum that overflowed of itself is found out by looking at each value. 0 or not a number.
 */
LANES_INLINE double lanes_sick(Lanes sum, const double *written, size_t n)
{
    double all = lanes_sum(sum), bad = 0;
    if (__builtin_expect(all - all == 0, 1))
        return 0;
    for (size_t i = 0; i < n; i++)
        bad += written[i] - written[i];
    return bad;
}

#endif
