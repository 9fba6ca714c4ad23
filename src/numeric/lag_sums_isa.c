/* The loops of lag_sums.h; compiled once per instruction set. */
#include "lag_sums.h"
#include "src/simd/lanes_single.h"

static void add(const AnbLagSums *sums, const float *y, const float *e, size_t n, AnbLagRow row)
{
    const Lanes f = lanes_all(row.f), weight = lanes_all(row.weight), by = lanes_all(row.weight * row.e);
    for (size_t k = 0; k < n; k += LANES) {
        Lanes gap = lanes_sub(lanes_load(y + k), f), square = lanes_mul(lanes_mul(weight, gap), gap);
        lanes_store(sums->square + k, lanes_add(lanes_load(sums->square + k), square));
        lanes_store(sums->cross + k, lanes_add(lanes_load(sums->cross + k), lanes_mul(by, gap)));
        lanes_store(sums->own + k, lanes_add(lanes_load(sums->own + k), lanes_mul(by, lanes_load(e + k))));
    }
}

static void scale(float *cells, size_t n, float factor)
{
    const Lanes most = lanes_all(0x1p100f), least = lanes_all(-0x1p100f);
    for (size_t k = 0; k < n; k += LANES) {
        Lanes l = lanes_mul(lanes_load(cells + k), lanes_all(factor));
        lanes_store(cells + k, lanes_small_to_zero(lanes_max(lanes_min(l, most), least)));
    }
}

const AnbLagKernels ANB_PER_ISA(anb_lag_kernels) = {.add = add, .scale = scale};

ANB_ISA_REGISTER(AnbLagKernels, anb_lag_kernels)
