/* Eight lanes moved up, and the sums up to each, for files compiled once per instruction set. Both stay in registers,
 * since a load from several recent stores waits for all of them. */
#ifndef ANB_SIMD_LANES_UP_H
#define ANB_SIMD_LANES_UP_H

#include "lanes.h"

/* Lane i is lane i - `by` of l; the first `by` lanes are `in`. `by` is 1, 2 or 4. */
#if LANES_BYTES == 64
LANES_INLINE Lanes lanes_up(Lanes l, const int by, double in)
{
    const LanesPart low = lanes_part_all(in);
    if (by == 1)
        return (Lanes){__builtin_shufflevector(low, l.a, 7, 8, 9, 10, 11, 12, 13, 14)};
    if (by == 2)
        return (Lanes){__builtin_shufflevector(low, l.a, 6, 7, 8, 9, 10, 11, 12, 13)};
    return (Lanes){__builtin_shufflevector(low, l.a, 4, 5, 6, 7, 8, 9, 10, 11)};
}
#elif LANES_BYTES == 32
LANES_INLINE Lanes lanes_up(Lanes l, const int by, double in)
{
    const LanesPart low = lanes_part_all(in);
    if (by == 1)
        return (Lanes){__builtin_shufflevector(low, l.a, 3, 4, 5, 6), __builtin_shufflevector(l.a, l.b, 3, 4, 5, 6)};
    if (by == 2)
        return (Lanes){__builtin_shufflevector(low, l.a, 2, 3, 4, 5), __builtin_shufflevector(l.a, l.b, 2, 3, 4, 5)};
    return (Lanes){low, l.a};
}
#else
LANES_INLINE Lanes lanes_up(Lanes l, const int by, double in)
{
    const LanesPart low = lanes_part_all(in);
    if (by == 1)
        return (Lanes){__builtin_shufflevector(low, l.a, 1, 2), __builtin_shufflevector(l.a, l.b, 1, 2),
                       __builtin_shufflevector(l.b, l.c, 1, 2), __builtin_shufflevector(l.c, l.d, 1, 2)};
    return by == 2 ? (Lanes){low, l.a, l.b, l.c} : (Lanes){low, low, l.a, l.b};
}
#endif

/* The sums of the lanes up to each. */
LANES_INLINE Lanes lanes_sums_up(Lanes l)
{
    l = lanes_add(l, lanes_up(l, 1, 0));
    l = lanes_add(l, lanes_up(l, 2, 0));
    return lanes_add(l, lanes_up(l, 4, 0));
}

LANES_INLINE double lanes_last(Lanes l)
{
#if LANES_BYTES == 64
    return l.a[7];
#elif LANES_BYTES == 32
    return l.b[3];
#else
    return l.d[1];
#endif
}

#endif
