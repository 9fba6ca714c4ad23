/* The loop of waves.h; compiled once per instruction set. */
#include "waves.h"
#include "src/simd/lanes.h"

/* cos(2 pi t) = sin(2 pi s), s = 1/4 - |t - nearest whole number| in +-1/4: the sine's series, to 1e-15. */
LANES_INLINE Lanes cosine_lanes(Lanes t, Lanes scale)
{
    static const double series[] = {0x1.2877020d52cf0p-10, -0x1.8a404211f9547p-7, 0x1.aaec32af93359p-4,
                                    -0x1.6fadb9f155744p-1, 0x1.e8f434d018d63p+1,  -0x1.e3074fde8871fp+3,
                                    0x1.50783487ee782p+5,  -0x1.32d2cce62bd86p+6, 0x1.466bc6775aae2p+6,
                                    -0x1.4abbce625be53p+5, 0x1.921fb54442d18p+2};
    const Lanes shift = lanes_all(0x1.8p52), most = lanes_all(0x1p50);
    t = lanes_max(lanes_min(t, most), lanes_sub(lanes_zero(), most)); /* what is not a number becomes 2^50 */
    Lanes off = lanes_sub(t, lanes_sub(lanes_add(t, shift), shift));
    Lanes s = lanes_sub(lanes_all(0.25), lanes_max(off, lanes_sub(lanes_zero(), off)));
    Lanes s2 = lanes_mul(s, s), sum = lanes_all(series[0]);
    for (size_t i = 1; i < sizeof series / sizeof *series; i++)
        sum = lanes_add(lanes_mul(sum, s2), lanes_all(series[i]));
    return lanes_mul(scale, lanes_mul(s, sum));
}

static void cosine(double *turns, size_t n, double scale)
{
    const Lanes factor = lanes_all(scale);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(turns + i, cosine_lanes(lanes_load(turns + i), factor));
    if (i < n)
        lanes_store_tail(turns + i, cosine_lanes(lanes_load_tail(turns + i, n - i), factor), n - i);
}

const AnbWaveKernels ANB_PER_ISA(anb_wave_kernels) = {.cosine = cosine};

ANB_ISA_REGISTER(AnbWaveKernels, anb_wave_kernels)
