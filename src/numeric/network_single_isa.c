/*
 * Networks of floats; compiled once per instruction set. network.h says what each function does.
 *
 * The largest float is 3e38. Below 1e-38 floats lose digits and processors compute slowly. So the factors of products
 * are bounded: cells and errors below 1e-15 are replaced by 0, a unit's gradient is 0 or its size between 1e-15 and
 * 1e11, and the gradient that Adam squares is at least 1e-8. With cells up to 1e6 and 80 samples a weight's gradient
 * then stays below 1e19, and its square between 1e-16 and 1e38.
 */
#include "network.h"
#include "src/simd/lanes_math_single.h"
#include "clip.h"
#include <math.h>

static const float most_exponent = 87;

static float cell_of(double v)
{
    return fabs(v) < 1e-15 ? 0 : (float)v;
}

/* A mean square of gradients, clipped to what inverse_root can take. */
static float cell_within(double v)
{
    return (float)anb_clamp(v, 0, 1e35);
}

LANES_INLINE Lanes small_to_zero(Lanes l)
{
    return lanes_small_to_zero(l);
}

LANES_INLINE Lanes bounded(Lanes g)
{
    return small_to_zero(lanes_max(lanes_min(g, lanes_all(1e11f)), lanes_all(-1e11f)));
}

LANES_INLINE Lanes squared(Lanes g)
{
    const Lanes size = lanes_max(lanes_abs(g), lanes_all(1e-8f));
    return lanes_mul(size, size);
}

/*
 * 1/sqrt(v) with a relative error of 7e-4, for v from 1e-37 to 1e37: a first approximation from the bits, then one
 * Newton step with the constants that minimise the largest error (Kadlec 2010). A step of Adam tolerates that error.
 * The factor of the step and `scale` are in rate_factor.
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

const AnbNetworkKernels ANB_PER_ISA(anb_network_floats) = NETWORK_KERNELS;

ANB_ISA_REGISTER(AnbNetworkKernels, anb_network_floats)
