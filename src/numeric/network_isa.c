/* Networks of doubles; compiled once per instruction set. network.h says what each function does. */
#include "network.h"
#include "src/simd/lanes_math.h"
#include "moments.h"

static const double most_exponent = 700;

static double cell_of(double v)
{
    return v;
}

static double cell_within(double v)
{
    return anb_within_doubles(v);
}

LANES_INLINE Lanes small_to_zero(Lanes l)
{
    return l;
}

LANES_INLINE Lanes bounded(Lanes g)
{
    return g;
}

/* Adam's epsilon is 1e-8. */
LANES_INLINE Lanes squared(Lanes g)
{
    return lanes_add(lanes_mul(g, g), lanes_all(1e-16));
}

/* 1/sqrt(v scale) to 5e-6 for 1e-300 .. 1e300: the bits' first guess, two of Newton's steps. Costs less than a
 * division. */
LANES_INLINE Lanes inverse_root(Lanes v, Lanes scale)
{
    const Lanes half = lanes_mul(lanes_all(0.5), v = lanes_mul(v, scale)), three_halves = lanes_all(1.5);
    Lanes r;
#define LANES_OP(p, at) r.p = (LanesPart)(0x5fe6eb50c7b537a9u - ((LanesBits)v.p >> 1));
    LANES_EACH (LANES_OP)
#undef LANES_OP
        for (int i = 0; i < 2; i++)
            r = lanes_mul(r, lanes_sub(three_halves, lanes_mul(half, lanes_mul(r, r))));
    return r;
}

static double rate_factor(double scale)
{
    (void)scale;
    return 1;
}

#include "network_steps.h"

const AnbNetworkKernels ANB_PER_ISA(anb_network_doubles) = NETWORK_KERNELS;

ANB_ISA_REGISTER(AnbNetworkKernels, anb_network_doubles)
