/* The loop of waves.h; compiled once per instruction set. */
#include "waves.h"
#include "src/simd/lanes.h"

/* Blocks at a time: the steps of one wait for each other. */
enum { TOGETHER = LANES_BYTES == 64 ? 8 : LANES_BYTES == 32 ? 2 : 1 };

/* cos(2 pi t) = sin(2 pi s), s = 1/4 - |t - nearest whole number| in +-1/4: the sine's series, to 1e-15. */
LANES_INLINE void cosines(Lanes *t, const size_t blocks, double scale)
{
    static const double series[] = {0x1.2877020d52cf0p-10, -0x1.8a404211f9547p-7, 0x1.aaec32af93359p-4,
                                    -0x1.6fadb9f155744p-1, 0x1.e8f434d018d63p+1,  -0x1.e3074fde8871fp+3,
                                    0x1.50783487ee782p+5,  -0x1.32d2cce62bd86p+6, 0x1.466bc6775aae2p+6,
                                    -0x1.4abbce625be53p+5, 0x1.921fb54442d18p+2};
    const Lanes shift = lanes_all(0x1.8p52), most = lanes_all(0x1p50), least = lanes_all(-0x1p50);
    Lanes s2[TOGETHER], sum[TOGETHER];
    for (size_t b = 0; b < blocks; b++) {
        Lanes turn = lanes_max(lanes_min(t[b], most), least); /* what is not a number becomes 2^50 */
        Lanes off = lanes_sub(turn, lanes_sub(lanes_add(turn, shift), shift));
        t[b] = lanes_sub(lanes_all(0.25), lanes_abs(off));
        s2[b] = lanes_mul(t[b], t[b]);
        sum[b] = lanes_all(series[0]);
    }
    for (size_t i = 1; i < sizeof series / sizeof *series; i++)
        for (size_t b = 0; b < blocks; b++)
            sum[b] = lanes_add(lanes_mul(sum[b], s2[b]), lanes_all(series[i]));
    for (size_t b = 0; b < blocks; b++)
        t[b] = lanes_mul(lanes_all(scale), lanes_mul(t[b], sum[b]));
}

LANES_INLINE void cosines_at(double *turns, const size_t blocks, double scale)
{
    Lanes t[TOGETHER];
    for (size_t b = 0; b < blocks; b++)
        t[b] = lanes_load(turns + b * LANES);
    cosines(t, blocks, scale);
    for (size_t b = 0; b < blocks; b++)
        lanes_store(turns + b * LANES, t[b]);
}

static void cosine(double *turns, size_t n, double scale)
{
    size_t i = 0;
    for (; i + TOGETHER * LANES <= n; i += TOGETHER * LANES)
        cosines_at(turns + i, TOGETHER, scale);
    for (; i + LANES <= n; i += LANES)
        cosines_at(turns + i, 1, scale);
    if (i < n) {
        Lanes t = lanes_load_tail(turns + i, n - i);
        cosines(&t, 1, scale);
        lanes_store_tail(turns + i, t, n - i);
    }
}

const AnbWaveKernels ANB_PER_ISA(anb_wave_kernels) = {.cosine = cosine};

ANB_ISA_REGISTER(AnbWaveKernels, anb_wave_kernels)
