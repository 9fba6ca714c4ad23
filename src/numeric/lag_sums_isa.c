/* The loops of lag_sums.h; compiled once per instruction set. */
#include "lag_sums.h"
#include "src/simd/lanes_single.h"

/* Each row's window begins one slot behind that of the row after it. The loop over rows is not unrolled: what it
 * multiplies by would not fit into the registers. */
static void add(const AnbLagSums *sums, const float *y, const float *e, size_t n, const AnbLagRow *row, size_t rows)
{
    for (size_t k = 0; k < n; k += LANES) {
        Lanes square = lanes_load(sums->square + k), cross = lanes_load(sums->cross + k),
              own = lanes_load(sums->own + k);
#pragma GCC unroll 1
        for (size_t i = 0; i < rows; i++) {
            const size_t at = k + rows - 1 - i;
            const Lanes weight = lanes_all(row[i].weight), by = lanes_all(row[i].by);
            Lanes gap = lanes_sub(lanes_load(y + at), lanes_all(row[i].f));
            square = lanes_add(square, lanes_mul(lanes_mul(weight, gap), gap));
            cross = lanes_add(cross, lanes_mul(by, gap));
            own = lanes_add(own, lanes_mul(by, lanes_load(e + at)));
        }
        lanes_store(sums->square + k, square);
        lanes_store(sums->cross + k, cross);
        lanes_store(sums->own + k, own);
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
