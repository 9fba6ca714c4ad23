/* The loop of anb_lag_shares in lag_sums.h; compiled once per instruction set. */
#include "lag_sums.h"
#include "src/simd/lanes.h"

static void shares(const AnbLagSums *sums, size_t n, double sum, double *share)
{
    const Lanes all = lanes_all(sum), zero = lanes_zero();
    for (size_t k = 0; k < n; k += LANES) {
        const size_t left = n - k;
        const Lanes square = lanes_load_floats(sums->square + k, left),
                    cross = lanes_load_floats(sums->cross + k, left), own = lanes_load_floats(sums->own + k, left);
        Lanes by_target = lanes_where_above(cross, zero, lanes_mul(lanes_mul(cross, cross), all), zero);
        Lanes by_error = lanes_where_above(own, zero, lanes_mul(lanes_mul(own, own), square), zero);
        Lanes most = lanes_where_above(by_target, by_error, by_target, by_error);
        Lanes of = lanes_mul(lanes_mul(square, all), all);
        Lanes ratio = lanes_where_above(most, zero, lanes_where_above(of, zero, lanes_div(most, of), zero), zero);
        if (left >= LANES)
            lanes_store(share + k, ratio);
        else
            lanes_store_tail(share + k, ratio, left);
    }
}

const AnbLagShareKernels ANB_PER_ISA(anb_lag_share_kernels) = {.shares = shares};

ANB_ISA_REGISTER(AnbLagShareKernels, anb_lag_share_kernels)
