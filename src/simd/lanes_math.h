/* e^x over lanes, for x <= 710: the bits of anb_exp (src/numeric/elementary.h), whose comments say what happens. NaN
 * stays NaN. And logarithms. */
#ifndef ANB_SIMD_LANES_MATH_H
#define ANB_SIMD_LANES_MATH_H

#include "formulas.h"
#include "lanes.h"

#define LANES_CONSTANT(v) ((v) - (LanesPart){0})

ANB_DEFINE_EXP_SERIES(LANES_INLINE, LanesPart, lanes_part_exp_series)

LANES_INLINE LanesPart lanes_part_exp(LanesPart x)
{
    const LanesPart shift = LANES_CONSTANT(0x1.8p52), least = LANES_CONSTANT(-746.0);
    LanesPart bounded = lanes_part_max(least, x);
    LanesPart rounded = bounded * 0x1.71547652b82fep+0 + shift, n = rounded - shift;
    LanesPart head = bounded - n * ANB_LN2_HIGH, rest = n * ANB_LN2_LOW;
    LanesPart r = head - rest, tail = (head - r) - rest;
    LanesPart value = 1 + (r + (r * r * lanes_part_exp_series(r) + tail));
    LanesBits k = (LanesBits)rounded - (LanesBits)shift;
    LanesBits half = ((k + 4096) >> 1) - 2048;
    return value * (LanesPart)((half + 1023) << 52) * (LanesPart)((k - half + 1023) << 52);
}

LANES_INLINE Lanes lanes_exp(Lanes l)
{
#define LANES_OP(p, at) l.p = lanes_part_exp(l.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

ANB_DEFINE_LOG_CORE(LANES_INLINE, LanesPart, lanes_part_log_core)

/* log x for x from the least normal number to 1: the bits of anb_log. x = 2^k m, made of the bits of m / x; k <= 0 by
 * way of 2^52. */
LANES_INLINE LanesPart lanes_part_log(LanesPart x)
{
    const LanesPart shift = LANES_CONSTANT(0x1p52), root_half = LANES_CONSTANT(0x1.6a09e667f3bcdp-1);
    LanesBits bits = (LanesBits)x - (LanesBits)root_half;
    LanesPart minus_k = (LanesPart)((-(LanesBits)(bits >> 52) & 4095) | (LanesBits)shift) - shift;
    LanesPart m = (LanesPart)((bits & 0xfffffffffffff) + (LanesBits)root_half), zero = LANES_CONSTANT(0.0);
    return lanes_part_log_core(m - 1, zero - minus_k, zero);
}

/* log(1 + x) for 0 <= x < infinity: the bits of anb_log1p. 1 + x = 2^k m with k >= 0, made a double by way of 2^52. */
LANES_INLINE LanesPart lanes_part_log1p(LanesPart x)
{
    const LanesPart one = LANES_CONSTANT(1.0), small = LANES_CONSTANT(0.41), zero = LANES_CONSTANT(0.0);
    const LanesPart shift = LANES_CONSTANT(0x1p52), root_half = LANES_CONSTANT(0x1.6a09e667f3bcdp-1);
    LanesPart sum = 1 + x, lost = lanes_part_above(x, one, 1 - (sum - x), x - (sum - 1));
    LanesBits bits = (LanesBits)sum - (LanesBits)root_half;
    LanesPart k = (LanesPart)((bits >> 52) | (LanesBits)shift) - shift;
    LanesPart m = (LanesPart)((bits & 0xfffffffffffff) + (LanesBits)root_half);
    LanesPart large = lanes_part_above(small, x, zero, one); /* 0 where x is below .41: one call of the core for all */
    return lanes_part_log_core(lanes_part_above(small, x, x, m - 1), k * large, lost / sum * large);
}

LANES_INLINE Lanes lanes_log(Lanes l)
{
#define LANES_OP(p, at) l.p = lanes_part_log(l.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

LANES_INLINE Lanes lanes_log1p(Lanes l)
{
#define LANES_OP(p, at) l.p = lanes_part_log1p(l.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

#endif
