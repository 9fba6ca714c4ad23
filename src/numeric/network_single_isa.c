/*
 * Networks of floats; compiled once per instruction set. network.h says what each function does.
 *
 * Floats end at 1e38 and lose digits below 1e-38, where processors are slow as well. So what is multiplied is bounded: cells and
 * errors below 1e-15 are zeros, a unit's gradient is 0 or between 1e-15 and 1e11, and Adam's epsilon is 1e-8 under the
 * square: with cells up to 1e6 and 65 samples a weight's gradient stays below 1e19, its square between 1e-16 and 1e38.
 */
#include "network.h"
#include "src/simd/lanes_single.h"
#include "clip.h"
#include <math.h>

static float cell_of(double v)
{
    return fabs(v) < 1e-15 ? 0 : (float)v;
}

/* A mean square of gradients that inverse_root can take, corrected for its first step. */
static float cell_within(double v)
{
    return (float)anb_clamp(v, 0, 1e35);
}

/* The same of a block. */
LANES_INLINE Lanes without_dust(Lanes l)
{
    return lanes_where_above(lanes_abs(l), lanes_all(1e-15f), l, lanes_zero());
}

LANES_INLINE Lanes settled(Lanes g)
{
    return without_dust(lanes_max(lanes_min(g, lanes_all(1e11f)), lanes_all(-1e11f)));
}

LANES_INLINE Lanes squared(Lanes g)
{
    const Lanes size = lanes_max(lanes_abs(g), lanes_all(1e-8f));
    return lanes_mul(size, size);
}

/*
 * 1/sqrt(v) to 7e-4 for 1e-37 .. 1e37: the bits' first guess and one step, the constants those that make the largest error the
 * least (Kadlec 2010). A step of Adam may be off by that. The factor in front of the step and `scale` are in rate_factor.
 */
LANES_INLINE Lanes inverse_root(Lanes v, Lanes scale)
{
    Lanes r;
    (void)scale;
#define LANES_OP(p, at) r.p = (LanesPart)(0x5f1ffff9u - ((LanesBits)v.p >> 1));
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return lanes_mul(r, lanes_sub(lanes_all(2.38924456f), lanes_mul(v, lanes_mul(r, r))));
}

static double rate_factor(double scale)
{
    return 0.703952253 / sqrt(scale);
}

#include "network_steps.h"

const AnbNetworkWays ANB_PER_ISA(anb_network_floats) = NETWORK_WAYS;

ANB_ISA_REGISTER(AnbNetworkWays, anb_network_floats)
