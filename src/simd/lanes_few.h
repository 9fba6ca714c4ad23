/*
 * Up to eight doubles, for files compiled once per instruction set: the operations of lanes.h with shorter chains of
 * operations that need each other's results. With few features these chains take the time, not the number of
 * operations:
 *
 *   - with AVX-512 two vectors of 256 bits in place of one of 512: an addition takes fewer cycles, and the first step
 *     of a sum adds the two vectors as they are;
 *   - a sum is written to every lane, so that it can be multiplied by a row at once;
 *   - the 0 that lanes_dot adds to each product is left out: few_constant adds it at the end, where it has the same
 *     effect.
 *
 * n is 1 to 8, weights are padded by zeros to eight. One FewPart is four lanes or two.
 */
#ifndef ANB_SIMD_LANES_FEW_H
#define ANB_SIMD_LANES_FEW_H

#include "lanes.h"

#if LANES_BYTES == 64
typedef double FewPart __attribute__((vector_size(32), may_alias));
typedef double FewMemory __attribute__((vector_size(32), may_alias, aligned(8)));
typedef struct Few {
    FewPart a, b;
} Few;
#define FEW_EACH(X) X(a, 0) X(b, 4)

/* A mask is looked up in two operations, and computed in five. */
LANES_INLINE Few few_load_tail(const double *from, size_t n)
{
    static const unsigned char low[] = {0, 1, 3, 7, 15, 15, 15, 15, 15}, high[] = {0, 0, 0, 0, 0, 1, 3, 7, 15};
    Few l = {(FewPart)_mm256_maskz_loadu_pd((__mmask8)low[n], from), {0}};
    if (n > 4)
        l.b = (FewPart)_mm256_maskz_loadu_pd((__mmask8)high[n], from + 4);
    return l;
}
#else
typedef LanesPart FewPart;
typedef LanesMemory FewMemory;
typedef Lanes Few;
#define FEW_EACH LANES_EACH
#define few_load_tail lanes_load_tail
#endif

LANES_INLINE FewPart few_all(double v)
{
    return v - (FewPart){0};
}

LANES_INLINE Few few_load(const double *from)
{
    Few l;
#define LANES_OP(p, at) l.p = *(const FewMemory *)(from + at);
    FEW_EACH(LANES_OP)
#undef LANES_OP
    return l;
}

LANES_INLINE Few few_mul(Few l, Few r)
{
#define LANES_OP(p, at) l.p *= r.p;
    FEW_EACH(LANES_OP)
#undef LANES_OP
    return l;
}

/* w += by x */
LANES_INLINE void few_move(double *to, Few w, FewPart by, Few x)
{
#define LANES_OP(p, at) *(FewMemory *)(to + at) = w.p + by * x.p;
    FEW_EACH(LANES_OP)
#undef LANES_OP
}

/* lanes_sum in every lane, give or take the sign of a zero; n: behind it there are zeros. */
LANES_INLINE FewPart few_sum(Few l, size_t n)
{
#if LANES_BYTES > 16
    __m256d half = n <= 4 ? (__m256d)l.a : (__m256d)(l.a + l.b);
    __m256d quarter = _mm256_add_pd(half, _mm256_permute2f128_pd(half, half, 1));
    return (FewPart)_mm256_add_pd(quarter, _mm256_permute_pd(quarter, 5));
#else
    FewPart quarter = n <= 4 ? l.a + l.b : (l.a + l.c) + (l.b + l.d);
    return quarter + __builtin_shufflevector(quarter, quarter, 1, 0);
#endif
}

/* What is added to a few_sum in place of v: where both are zeros, the sum is 0 and not -0, as it is where 0 was added
 * to each product before. */
LANES_INLINE double few_constant(double v)
{
    return v + 0.0;
}

/* w . x + b, to the bit what lanes_dot(w, x, n) + b is. A whole block needs no mask. */
LANES_INLINE double few_affine(const double *w, double b, const double *x, size_t n)
{
    if (__builtin_expect(n == LANES, 1))
        return few_sum(few_mul(few_load(w), few_load(x)), LANES)[0] + few_constant(b);
    return few_sum(few_mul(few_load(w), few_load_tail(x, n)), n)[0] + few_constant(b);
}

/* Up to two blocks of a row times w, which is padded by zeros. */
LANES_INLINE Lanes lanes_short_product(Lanes low, Lanes high, const double *x, size_t n)
{
    if (n < LANES)
        return lanes_mul(low, lanes_load_tail(x, n));
    Lanes product = lanes_mul(low, lanes_load(x));
    if (n == LANES)
        return product;
    Lanes tail = n < 2 * LANES ? lanes_load_tail(x + LANES, n - LANES) : lanes_load(x + LANES);
    return lanes_add(product, lanes_mul(high, tail));
}

/* few_affine of up to 16. */
LANES_INLINE double lanes_short_affine(const double *w, double b, const double *x, size_t n)
{
    if (__builtin_expect(n <= LANES, 1))
        return few_affine(w, b, x, n);
    return lanes_sum(lanes_short_product(lanes_load(w), lanes_load(w + LANES), x, n)) + few_constant(b);
}

#endif
