/* e^x over lanes, for x <= 710: the bits of anb_exp (src/numeric/elementary.h), whose comments say what happens. NaN
 * stays NaN. */
#ifndef ANB_SIMD_LANES_MATH_H
#define ANB_SIMD_LANES_MATH_H

#include "lanes.h"

typedef uint64_t LanesBits __attribute__((vector_size(LANES_BYTES), may_alias));

#define LANES_CONSTANT(v) ((v) - (LanesPart){0})

LANES_INLINE LanesPart lanes_part_exp_series(LanesPart r)
{
    LanesPart r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    LanesPart a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    LanesPart b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    LanesPart c = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    return a + r4 * b + r8 * c;
}

LANES_INLINE LanesPart lanes_part_exp(LanesPart x)
{
    const LanesPart shift = LANES_CONSTANT(0x1.8p52), least = LANES_CONSTANT(-746.0);
    LanesPart bounded = lanes_part_max(least, x);
    LanesPart rounded = bounded * 0x1.71547652b82fep+0 + shift, n = rounded - shift;
    LanesPart head = bounded - n * 0x1.62e42fee00000p-1, rest = n * 0x1.a39ef35793c76p-33;
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

#endif
