/*
 * The loops of boa_kernels.h, compiled once per instruction set. Most mixtures have two to eight experts, so a step takes one part
 * of a block, at most four doubles: roots and divisions of 256 bits take half the cycles of those of 512 bits.
 */
#define LANES_NARROW
#include "boa_kernels.h"
#include "src/simd/lanes_math.h"
#include <math.h>

static const double FLOOR = 0x1p-900; /* a V below it is not discounted, so that a flawless expert keeps its V */
static const double MOST = 0x1p200;   /* of |r| in units: what a weight can drive it to */
static const double ASLEEP = -0.5;    /* between the V of those that sleep, -1, and 0 */

enum { STEP = LANES_STEP };

/* A part of the values; where fewer are left, `rest` in the lanes behind them. */
LANES_INLINE LanesPart part_of(const double *from, size_t left, double rest)
{
    if (left >= STEP)
        return lanes_part_load(from);
#if LANES_BYTES == 32
    const __m256i in = _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)left), _mm256_setr_epi64x(0, 1, 2, 3));
    return (LanesPart)_mm256_blendv_pd(_mm256_set1_pd(rest), _mm256_maskload_pd(from, in), (__m256d)in);
#else
    return (LanesPart){from[0], rest};
#endif
}

LANES_INLINE void put_part(double *to, LanesPart l, size_t left)
{
    if (left >= STEP)
        lanes_part_store(to, l);
    else
        for (size_t i = 0; i < left; i++)
            to[i] = l[i];
}

/* The least and the largest of a part. */
LANES_INLINE double least_of(LanesPart l)
{
    double least = l[0];
    for (size_t i = 1; i < STEP; i++)
        least = l[i] < least ? l[i] : least;
    return least;
}

LANES_INLINE double most_of(LanesPart l)
{
    double most = l[0];
    for (size_t i = 1; i < STEP; i++)
        most = l[i] > most ? l[i] : most;
    return most;
}

static void follow(double *r, double *v, double *log, const double *f, size_t k, const AnbBoaSample *sample,
                   double *least, double *top)
{
    const LanesPart zero = {0}, none = lanes_part_all(ASLEEP), mix = lanes_part_all(sample->mix);
    const LanesPart both = lanes_part_all(sample->both), inverse = lanes_part_all(sample->inverse);
    const LanesPart endless = lanes_part_all(HUGE_VAL), most = lanes_part_all(MOST);
    LanesPart low = endless, high = lanes_part_all(-HUGE_VAL);
    for (size_t i = 0; i < k; i += STEP) {
        LanesPart old = part_of(v + i, k - i, -1), regret = part_of(r + i, k - i, 0);
        LanesPart g = lanes_part_above(old, lanes_part_all(FLOOR), lanes_part_all(sample->discount), lanes_part_all(1));
        LanesPart q = both * ((mix - part_of(f + i, k - i, 0)) * inverse);
        LanesPart past = g * g * old;
        LanesPart cap = lanes_part_sqrt(lanes_part_max(past, zero) * lanes_part_all(sample->share));
        cap = lanes_part_above(old, zero, lanes_part_min(most, cap), most);
        q = lanes_part_max(zero - cap, lanes_part_min(cap, q));
        LanesPart square = q * q, now = past + lanes_part_all(2.2) * square;
        LanesPart root = lanes_part_sqrt(lanes_part_max(now, zero));
        LanesPart gain = lanes_part_above(now, zero, q - square / root, zero);
        LanesPart moved = g * regret + gain;
        LanesPart score = lanes_part_above(now, zero, moved / root, zero);
        low = lanes_part_min(low, lanes_part_above(old, none, now, endless));
        high = lanes_part_max(high, lanes_part_above(old, none, score, zero - endless));
        put_part(v + i, lanes_part_above(old, none, now, old), k - i);
        put_part(r + i, lanes_part_above(old, none, moved, regret), k - i);
        put_part(log + i, lanes_part_above(old, none, score, zero), k - i);
    }
    *least = least_of(low);
    *top = most_of(high);
}

static void weigh(const double *log, const double *v, size_t k, double top, double *w)
{
    const LanesPart zero = {0}, none = lanes_part_all(ASLEEP);
    double sums[LANES] = {0};
    for (size_t i = 0; i < k; i += STEP) {
        LanesPart second = part_of(v + i, k - i, -1);
        LanesPart grown = lanes_part_exp(part_of(log + i, k - i, 0) - lanes_part_all(top));
        LanesPart raw = grown / lanes_part_sqrt(lanes_part_max(second, zero));
        LanesPart weight = lanes_part_above(second, none, raw, zero);
        double *sum = sums + i % LANES;
        lanes_part_store(sum, lanes_part_load(sum) + weight);
        put_part(w + i, weight, k - i);
    }
    double part = 1 / lanes_sum(lanes_load(sums));
    for (size_t i = 0; i < k; i++)
        w[i] *= part;
}

const AnbBoaKernels ANB_PER_ISA(anb_boa_kernels) = {follow, weigh};

ANB_ISA_REGISTER(AnbBoaKernels, anb_boa_kernels)
