/*
 * The arithmetic of rls.h for up to eight features, whose triangle is packed; for files compiled once per instruction
 * set.
 *
 *     P = | A  B |    blocks of 4 x 4, A and C symmetric. Kept are 36 doubles: mixed, A's upper triangle with
 *         | B' C |    its diagonal and C's strictly lower one in one block; B; C's diagonal
 *
 * An update unpacks the blocks into registers and makes its whole step; none is due afterwards. Sums are in the order
 * of the tiles for more features: four rows of P, then the other four.
 */
#ifndef ANB_NUMERIC_RLS_FEW_H
#define ANB_NUMERIC_RLS_FEW_H

#include "src/simd/quads.h"
#include "rls.h"
#include <stdbool.h>

/* Eight doubles, and what is kept of the triangle, in registers. */
typedef struct FewHalves {
    Quad low, high;
} FewHalves;

typedef struct FewTriangle {
    Quad m0, m1, m2, m3, b0, b1, b2, b3, c;
} FewTriangle;

LANES_INLINE FewHalves halves_load(const double *from)
{
    return (FewHalves){quad_load(from), quad_load(from + 4)};
}

LANES_INLINE void halves_store(double *to, FewHalves v)
{
    quad_store(to, v.low);
    quad_store(to + 4, v.high);
}

LANES_INLINE FewHalves halves_add(FewHalves l, FewHalves r)
{
    return (FewHalves){quad_add(l.low, r.low), quad_add(l.high, r.high)};
}

LANES_INLINE FewHalves halves_times(FewHalves l, Quad by)
{
    return (FewHalves){quad_mul(l.low, by), quad_mul(l.high, by)};
}

/* The bits of lanes_sum, and of lanes_dot, give or take the sign of a zero. */
LANES_INLINE double halves_sum(FewHalves v)
{
    return quad_sum(quad_add(v.low, v.high));
}

LANES_INLINE double halves_dot(FewHalves l, FewHalves r)
{
    return quad_sum(quad_add(quad_mul(l.low, r.low), quad_mul(l.high, r.high)));
}

LANES_INLINE bool halves_any_negative(FewHalves v)
{
    const Quad zero = quad_all(0);
    return halves_sum((FewHalves){quad_min(zero, v.low), quad_min(zero, v.high)}) < 0;
}

/* 0, or not a number where one of them is not finite. */
LANES_INLINE double halves_sick(FewHalves v)
{
    return halves_sum((FewHalves){quad_sub(v.low, v.low), quad_sub(v.high, v.high)});
}

LANES_INLINE FewTriangle triangle_load(const double *p)
{
    return (FewTriangle){quad_load(p),      quad_load(p + 4),  quad_load(p + 8),  quad_load(p + 12), quad_load(p + 16),
                         quad_load(p + 20), quad_load(p + 24), quad_load(p + 28), quad_load(p + 32)};
}

/* w . x + w0, and x into the scratch. It is stored in parts of the size that the update loads: a load from two recent
 * stores has to wait for both. */
LANES_INLINE double predict_few(const double *state, const double *x, size_t n, double *scratch)
{
    const Few row = n == LANES ? few_load(x) : few_load_tail(x, n);
#define LANES_OP(p, at) *(FewMemory *)(scratch + at) = row.p;
    FEW_EACH(LANES_OP)
#undef LANES_OP
    return few_sum(few_mul(few_load(state + ANB_RLS_FEW_HEAD), row), n)[0] +
           few_constant(anb_rls_head_const(state)->w0);
}

/* P's diagonal. */
LANES_INLINE FewHalves diagonal_of(Quad m0, Quad m1, Quad m2, Quad m3, Quad c)
{
    return (FewHalves){quad_pick(quad_pick(m0, m1, 2), quad_pick(m2, m3, 8), 12), c};
}

/* What four rows of P add to P z in their columns. */
LANES_INLINE Quad down_rows(Quad a, Quad b, Quad c, Quad d, const double *z)
{
    return quad_add(quad_add(quad_mul(a, quad_all(z[0])), quad_mul(b, quad_all(z[1]))),
                    quad_add(quad_mul(c, quad_all(z[2])), quad_mul(d, quad_all(z[3]))));
}

/* k += P z, n the features. */
LANES_INLINE FewHalves gain_few(const FewTriangle *p, FewHalves k, const double *z, size_t n)
{
    Quad t0 = p->m0, t1 = p->m1, t2 = p->m2, t3 = p->m3;
    quad_turn(&t0, &t1, &t2, &t3);
    k.low =
        quad_add(k.low, down_rows(p->m0, quad_pick(p->m1, t1, 1), quad_pick(p->m2, t2, 3), quad_pick(p->m3, t3, 7), z));
    if (n <= 4)
        return k;
    k.high = quad_add(k.high, down_rows(p->b0, p->b1, p->b2, p->b3, z));
    Quad c0 = quad_pick(t0, p->c, 1), c1 = quad_pick(quad_pick(t1, p->m1, 1), p->c, 2),
         c2 = quad_pick(quad_pick(t2, p->m2, 3), p->c, 4), c3 = quad_pick(p->m3, p->c, 8);
    Quad b0 = p->b0, b1 = p->b1, b2 = p->b2, b3 = p->b3;
    quad_turn(&b0, &b1, &b2, &b3);
    k.low = quad_add(k.low, down_rows(b0, b1, b2, b3, z + 4));
    k.high = quad_add(k.high, down_rows(c0, c1, c2, c3, z + 4));
    return k;
}

LANES_INLINE Quad lowered_few(double *to, Quad v, Quad own, Quad there, Quad scale)
{
    v = quad_mul(quad_sub(v, quad_mul(own, there)), scale);
    quad_store(to, v);
    return v;
}

/* P = (P - q q') scale with q = k root; returns its diagonal. Lanes of k, not of q, are copied to whole vectors, which
 * can start before the root is known. */
LANES_INLINE FewHalves lower_few(double *p, const FewTriangle *old, FewHalves k, double root, double scale, size_t n)
{
    const Quad by = quad_all(scale), r = quad_all(root), q4 = quad_mul(k.high, r);
#define FEW_ONE(i) quad_mul(quad_lane(k.low, i), r)
#define FEW_OWN(i, m)                                                                                                  \
    quad_mul(quad_pick(quad_lane(k.low, i), quad_lane(k.high, i), m), r), quad_mul(quad_pick(k.low, k.high, m), r)
    Quad m0 = lowered_few(p, old->m0, FEW_OWN(0, 0), by), m1 = lowered_few(p + 4, old->m1, FEW_OWN(1, 1), by);
    Quad m2 = lowered_few(p + 8, old->m2, FEW_OWN(2, 3), by), m3 = lowered_few(p + 12, old->m3, FEW_OWN(3, 7), by);
    Quad c = old->c;
    if (n > 4) {
        lowered_few(p + 16, old->b0, FEW_ONE(0), q4, by);
        lowered_few(p + 20, old->b1, FEW_ONE(1), q4, by);
        lowered_few(p + 24, old->b2, FEW_ONE(2), q4, by);
        lowered_few(p + 28, old->b3, FEW_ONE(3), q4, by);
        c = lowered_few(p + 32, old->c, q4, q4, by);
    }
#undef FEW_ONE
#undef FEW_OWN
    return diagonal_of(m0, m1, m2, m3, c);
}

#endif
