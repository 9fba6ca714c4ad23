/* Networks of doubles; compiled once per instruction set. network.h says what each function does. */
#include "network.h"
#include "src/simd/lanes.h"
#include "moments.h"

#define ROOT_GUESS 0x5fe6eb50c7b537a9u

static double cell_of(double v)
{
    return v;
}

static double cell_within(double v)
{
    return anb_within_doubles(v);
}

LANES_INLINE Lanes without_dust(Lanes l)
{
    return l;
}

LANES_INLINE Lanes settled(Lanes g)
{
    return g;
}

/* Adam's epsilon is 1e-8. */
LANES_INLINE Lanes squared(Lanes g)
{
    return lanes_add(lanes_mul(g, g), lanes_all(1e-16));
}

#include "network_steps.h"

const AnbNetworkWays ANB_PER_ISA(anb_network_doubles) = NETWORK_WAYS;

ANB_ISA_REGISTER(AnbNetworkWays, anb_network_doubles)
