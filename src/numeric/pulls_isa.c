/* The loop of pulls.h; compiled once per instruction set. */
#include "pulls.h"
#include "src/simd/lanes.h"

/* Eight features; returns their factors. */
LANES_INLINE Lanes eight(Lanes pull, Lanes *mean, Lanes *square, Lanes by_rate)
{
    const Lanes kept = lanes_all(0.99), rest = lanes_all(0.01), zero = lanes_zero();
    Lanes counted = lanes_where_above(lanes_all(1e300), lanes_mul(pull, pull), pull, zero);
    *mean = lanes_add(lanes_mul(kept, *mean), lanes_mul(rest, counted));
    *square = lanes_add(lanes_mul(kept, *square), lanes_mul(rest, lanes_mul(counted, counted)));
    Lanes ratio = lanes_where_above(*square, zero, lanes_div(*mean, lanes_sqrt(*square)), zero);
    Lanes factor = lanes_sub(lanes_all(1), lanes_mul(lanes_mul(by_rate, ratio), lanes_abs(ratio)));
    return lanes_max(factor, lanes_all(0.5));
}

static void factors(double *pull, double *mean, double *square, size_t n, double rate)
{
    const Lanes by_rate = lanes_all(9 * rate);
    size_t j = 0;
    for (; j + LANES <= n; j += LANES) {
        Lanes m = lanes_load(mean + j), s = lanes_load(square + j);
        lanes_store(pull + j, eight(lanes_load(pull + j), &m, &s, by_rate));
        lanes_store(mean + j, m);
        lanes_store(square + j, s);
    }
    if (j < n) {
        Lanes m = lanes_load_tail(mean + j, n - j), s = lanes_load_tail(square + j, n - j);
        lanes_store_tail(pull + j, eight(lanes_load_tail(pull + j, n - j), &m, &s, by_rate), n - j);
        lanes_store_tail(mean + j, m, n - j);
        lanes_store_tail(square + j, s, n - j);
    }
}

const AnbPullKernels ANB_PER_ISA(anb_pull_kernels) = {.factors = factors};

ANB_ISA_REGISTER(AnbPullKernels, anb_pull_kernels)
