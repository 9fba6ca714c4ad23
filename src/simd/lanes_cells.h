/*
 * Vectors of 64 bytes, a block, for files compiled once per instruction set: one vector of 512 bits, two of 256 or four
 * of 128. A cell, one lane of a block, is a double or a float. This header has what is the same for both: lanes.h
 * includes it for blocks of eight doubles, lanes_single.h for blocks of sixteen floats. The names are the same, so that
 * one loop can be compiled for both. A source file includes one of the two.
 *
 * The operations round lane by lane, and the horizontal sum has one order, so that every set gives the same bits.
 *
 * LANES_NARROW, defined before the include: 256-bit vectors also where there are 512-bit ones. For loops over few
 * cells, whose operations need each other's results: some operations on 512 bits take longer.
 *
 * Named members, not an array: gcc keeps those in registers. may_alias: without it gcc reorders loads inside a struct.
 */
#ifndef ANB_SIMD_LANES_CELLS_H
#define ANB_SIMD_LANES_CELLS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__AVX512F__) && !defined(LANES_NARROW)
#include <immintrin.h>
#define LANES_BYTES 64
#define LANES_EACH(X) X(a, 0)
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES_BYTES 32
#define LANES_EACH(X) X(a, 0) X(b, LANES_STEP)
#else
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#define LANES_BYTES 16
#define LANES_EACH(X) X(a, 0) X(b, LANES_STEP) X(c, 2 * LANES_STEP) X(d, 3 * LANES_STEP)
#endif

#ifdef LANES_OF_FLOATS
typedef float LanesCell;
typedef int32_t LanesSigned;
typedef uint32_t LanesUnsigned;
#else
typedef double LanesCell;
typedef int64_t LanesSigned;
typedef uint64_t LanesUnsigned;
#endif

/* The intrinsics of that cell: LANES_OF_CELL(_mm512_min_) is _mm512_min_pd or _mm512_min_ps. */
#ifdef LANES_OF_FLOATS
#define LANES_OF_CELL(operation) operation##ps
#define LANES_MASK_OF_CELL(operation) operation##ps_mask
#define LANES_VECTOR(bits) __m##bits
#else
#define LANES_OF_CELL(operation) operation##pd
#define LANES_MASK_OF_CELL(operation) operation##pd_mask
#define LANES_VECTOR(bits) __m##bits##d
#endif

enum { LANES = 64 / sizeof(LanesCell), LANES_STEP = LANES_BYTES / sizeof(LanesCell) };

typedef LanesCell LanesPart __attribute__((vector_size(LANES_BYTES), may_alias));
typedef LanesCell LanesMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(sizeof(LanesCell))));
typedef LanesSigned LanesMask __attribute__((vector_size(LANES_BYTES), may_alias));
typedef LanesUnsigned LanesBits __attribute__((vector_size(LANES_BYTES), may_alias));

#define LANES_INLINE static inline __attribute__((always_inline, unused))

#define LANES_MEMBER(p, at) LanesPart p;
typedef struct Lanes {
    LANES_EACH (LANES_MEMBER)
} Lanes;

/* A part is one vector of a block. A loop over one part of each row keeps more rows in registers than a loop over
 * blocks. */
LANES_INLINE LanesPart lanes_part_load(const LanesCell *from)
{
    return *(const LanesMemory *)from;
}

LANES_INLINE void lanes_part_store(LanesCell *to, LanesPart part)
{
    *(LanesMemory *)to = part;
}

LANES_INLINE LanesPart lanes_part_all(LanesCell v)
{
    return v - (LanesPart){0};
}

LANES_INLINE Lanes lanes_load(const LanesCell *from)
{
    Lanes l;
#define LANES_OP(p, at) l.p = *(const LanesMemory *)(from + at);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

LANES_INLINE void lanes_store(LanesCell *to, Lanes l)
{
#define LANES_OP(p, at) *(LanesMemory *)(to + at) = l.p;
    LANES_EACH (LANES_OP)
#undef LANES_OP
}

LANES_INLINE Lanes lanes_all(LanesCell v)
{
    Lanes l;
#define LANES_OP(p, at) l.p = v - (LanesPart){0};
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

LANES_INLINE Lanes lanes_zero(void)
{
    Lanes l;
#define LANES_OP(p, at) l.p = (LanesPart){0};
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

/* One part at a time: where test > bound, where test is a number, the lesser, the greater. Intrinsics, since
 * gcc makes four operations of a mask and a choice. The lesser is `l < r ? l : r`, so r where either is not
 * a number. */
#if LANES_BYTES == 64
typedef LANES_VECTOR(512) LanesVector;

LANES_INLINE LanesPart lanes_part_above(LanesPart test, LanesPart bound, LanesPart yes, LanesPart no)
{
    return (LanesPart)LANES_OF_CELL(_mm512_mask_blend_)(
        LANES_MASK_OF_CELL(_mm512_cmp_)((LanesVector)test, (LanesVector)bound, _CMP_GT_OQ), (LanesVector)no,
        (LanesVector)yes);
}

LANES_INLINE LanesPart lanes_part_number(LanesPart test, LanesPart yes, LanesPart no)
{
    return (LanesPart)LANES_OF_CELL(_mm512_mask_blend_)(
        LANES_MASK_OF_CELL(_mm512_cmp_)((LanesVector)test, (LanesVector)test, _CMP_ORD_Q), (LanesVector)no,
        (LanesVector)yes);
}

#define lanes_part_min(l, r) ((LanesPart)LANES_OF_CELL(_mm512_min_)((LanesVector)(l), (LanesVector)(r)))
#define lanes_part_max(l, r) ((LanesPart)LANES_OF_CELL(_mm512_max_)((LanesVector)(l), (LanesVector)(r)))
#elif LANES_BYTES == 32
typedef LANES_VECTOR(256) LanesVector;

LANES_INLINE LanesPart lanes_part_above(LanesPart test, LanesPart bound, LanesPart yes, LanesPart no)
{
    return (LanesPart)LANES_OF_CELL(_mm256_blendv_)(
        (LanesVector)no, (LanesVector)yes,
        LANES_OF_CELL(_mm256_cmp_)((LanesVector)test, (LanesVector)bound, _CMP_GT_OQ));
}

LANES_INLINE LanesPart lanes_part_number(LanesPart test, LanesPart yes, LanesPart no)
{
    return (LanesPart)LANES_OF_CELL(_mm256_blendv_)(
        (LanesVector)no, (LanesVector)yes,
        LANES_OF_CELL(_mm256_cmp_)((LanesVector)test, (LanesVector)test, _CMP_ORD_Q));
}

#define lanes_part_min(l, r) ((LanesPart)LANES_OF_CELL(_mm256_min_)((LanesVector)(l), (LanesVector)(r)))
#define lanes_part_max(l, r) ((LanesPart)LANES_OF_CELL(_mm256_max_)((LanesVector)(l), (LanesVector)(r)))
#else
LANES_INLINE LanesPart lanes_part_select(LanesMask mask, LanesPart yes, LanesPart no)
{
    return (LanesPart)((mask & (LanesMask)yes) | (~mask & (LanesMask)no));
}

#define lanes_part_above(test, bound, yes, no) lanes_part_select((test) > (bound), yes, no)
#define lanes_part_number(test, yes, no) lanes_part_select((test) == (test), yes, no)
#if defined(__SSE2__)
typedef LANES_VECTOR(128) LanesVector;
#define lanes_part_min(l, r) ((LanesPart)LANES_OF_CELL(_mm_min_)((LanesVector)(l), (LanesVector)(r)))
#define lanes_part_max(l, r) ((LanesPart)LANES_OF_CELL(_mm_max_)((LanesVector)(l), (LanesVector)(r)))
#else
#define lanes_part_min(l, r) lanes_part_select((l) < (r), l, r)
#define lanes_part_max(l, r) lanes_part_select((l) > (r), l, r)
#endif
#endif

#define LANES_BINARY(name, operator)                                                                                   \
    LANES_INLINE Lanes name(Lanes l, Lanes r)                                                                          \
    {                                                                                                                  \
        LANES_EACH (LANES_OP_##operator)                                                                               \
            return l;                                                                                                  \
    }
#define LANES_OP_add(p, at) l.p += r.p;
#define LANES_OP_sub(p, at) l.p -= r.p;
#define LANES_OP_mul(p, at) l.p *= r.p;
#define LANES_OP_div(p, at) l.p /= r.p;
#define LANES_OP_or(p, at) l.p = (LanesPart)((LanesMask)l.p | (LanesMask)r.p);
#define LANES_OP_min(p, at) l.p = lanes_part_min(l.p, r.p);
#define LANES_OP_max(p, at) l.p = lanes_part_max(l.p, r.p);

LANES_BINARY(lanes_add, add)
LANES_BINARY(lanes_sub, sub)
LANES_BINARY(lanes_mul, mul)
LANES_BINARY(lanes_div, div)
LANES_BINARY(lanes_or, or)
LANES_BINARY(lanes_min, min)
LANES_BINARY(lanes_max, max)

LANES_INLINE Lanes lanes_abs(Lanes l)
{
    const LanesUnsigned all = (LanesUnsigned)-1;
#define LANES_OP(p, at) l.p = (LanesPart)((LanesBits)l.p & (all >> 1));
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

/* a . b over the whole blocks of n cells, before the lanes are summed. Even and odd blocks have a sum each: one alone
 * would wait for each addition. */
typedef struct LanesProducts {
    Lanes even, odd;
} LanesProducts;

LANES_INLINE LanesProducts lanes_products(const LanesCell *a, const LanesCell *b, size_t n)
{
    LanesProducts sum = {lanes_zero(), lanes_zero()};
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        sum.even = lanes_add(sum.even, lanes_mul(lanes_load(a + i), lanes_load(b + i)));
        sum.odd = lanes_add(sum.odd, lanes_mul(lanes_load(a + i + LANES), lanes_load(b + i + LANES)));
    }
    if (i + LANES <= n)
        sum.even = lanes_add(sum.even, lanes_mul(lanes_load(a + i), lanes_load(b + i)));
    return sum;
}

/* Lane by lane: `l` where `test` is a number, `other` elsewhere. */
LANES_INLINE Lanes lanes_where_number(Lanes test, Lanes l, Lanes other)
{
#define LANES_OP(p, at) l.p = lanes_part_number(test.p, l.p, other.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

/* Lane by lane: `l` where test > bound, `other` elsewhere. */
LANES_INLINE Lanes lanes_where_above(Lanes test, Lanes bound, Lanes l, Lanes other)
{
#define LANES_OP(p, at) l.p = lanes_part_above(test.p, bound.p, l.p, other.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

#endif
