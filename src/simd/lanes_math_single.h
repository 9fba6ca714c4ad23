/* e^x over lanes of floats, under the name that lanes_math.h has for doubles. */
#ifndef ANB_SIMD_LANES_MATH_SINGLE_H
#define ANB_SIMD_LANES_MATH_SINGLE_H

#include "lanes_single.h"

/*
 * e^x for |x| <= 87, within 1e-7 of it; NaN stays NaN. x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 as a sum whose first
 * part has 10 bits, so that n times it is exact; Taylor's series of e^r to the 6th power, whose rest is below 2e-7 r.
 */
LANES_INLINE LanesPart lanes_part_exp(LanesPart x)
{
    const LanesPart shift = 0x1.8p23f - (LanesPart){0};
    LanesPart rounded = x * 0x1.715476p+0f + shift, n = rounded - shift;
    LanesPart r = (x - n * 0x1.63p-1f) + n * 0x1.bd0106p-13f, r2 = r * r;
    LanesPart high = (1.f / 24 + r * (1.f / 120)) + r2 * (1.f / 720);
    LanesPart value = 1 + (r + r2 * ((1.f / 2 + r * (1.f / 6)) + r2 * high));
    return value * (LanesPart)(((LanesBits)rounded - (LanesBits)shift + 127) << 23);
}

LANES_INLINE Lanes lanes_exp(Lanes l)
{
#define LANES_OP(p, at) l.p = lanes_part_exp(l.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return l;
}

#endif
