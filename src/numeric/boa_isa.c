/*
 * The loops of boa_kernels.h, compiled once per instruction set. Most mixtures have two to eight experts, so a step
 * takes one part of a block, at most four doubles: roots and divisions of 256 bits take half the cycles of those of 512
 * bits.
 */
#define LANES_NARROW
#include "boa_kernels.h"
#include "src/simd/lanes_math.h"
#include <math.h>

static const double FLOOR = 0x1p-900; /* a V below it is not discounted, so that a flawless expert keeps its V */
static const double MOST = 0x1p200;   /* bound of |r| in units: weights may make it large */
static const double ASLEEP = -0.5;    /* between the V of those that sleep, -1, and 0 */

enum { STEP = LANES_STEP };

/* A part of the values; where fewer are left, `rest` in the lanes behind them. */
LANES_INLINE LanesPart part_of(const double *from, size_t left, double rest)
{
    if (left >= STEP)
        return lanes_part_load(from);
#if LANES_BYTES == 32
    if (left == 1)
        return (LanesPart){from[0], rest, rest, rest};
    return left == 2 ? (LanesPart){from[0], from[1], rest, rest} : (LanesPart){from[0], from[1], from[2], rest};
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

/* The numbers of the experts of one part. */
typedef struct Known {
    LanesPart v, r, log;
    LanesPart root; /* of v, where that is above 0 */
} Known;

/* The numbers after the step; `old` and `regret` are v and r before it. */
LANES_INLINE Known followed(LanesPart old, LanesPart regret, LanesPart f, const AnbBoaStep *step)
{
    const LanesPart zero = {0}, none = lanes_part_all(ASLEEP), most = lanes_part_all(MOST);
    LanesPart g = lanes_part_above(old, lanes_part_all(FLOOR), lanes_part_all(step->discount), lanes_part_all(1));
    LanesPart q = lanes_part_all(step->both) * ((lanes_part_all(step->mix) - f) * lanes_part_all(step->inverse));
    LanesPart past = g * g * old;
    LanesPart cap = lanes_part_sqrt(lanes_part_max(past, zero) * lanes_part_all(step->share));
    cap = lanes_part_above(old, zero, lanes_part_min(most, cap), most);
    q = lanes_part_max(zero - cap, lanes_part_min(cap, q));
    LanesPart square = q * q, now = past + lanes_part_all(2.2) * square;
    LanesPart root = lanes_part_sqrt(lanes_part_max(now, zero));
    LanesPart gain = lanes_part_above(now, zero, q - square / root, zero);
    LanesPart moved = g * regret + gain;
    LanesPart score = lanes_part_above(now, zero, moved / root, zero);
    return (Known){lanes_part_above(old, none, now, old), lanes_part_above(old, none, moved, regret),
                   lanes_part_above(old, none, score, zero), root};
}

/* The weights before they are divided by their sum. */
LANES_INLINE LanesPart raw_weights(LanesPart v, LanesPart log, LanesPart root, double top)
{
    const LanesPart none = lanes_part_all(ASLEEP), zero = {0};
    return lanes_part_above(v, none, lanes_part_exp(log - lanes_part_all(top)) / root, zero);
}

/* Lane by lane, the least v and the largest log of the experts that are awake. */
LANES_INLINE void bounds(const Known *known, LanesPart *low, LanesPart *high)
{
    const LanesPart none = lanes_part_all(ASLEEP), endless = lanes_part_all(HUGE_VAL), zero = {0};
    *low = lanes_part_min(*low, lanes_part_above(known->v, none, known->v, endless));
    *high = lanes_part_max(*high, lanes_part_above(known->v, none, known->log, zero - endless));
}

/* The same as follow and weigh, of experts that fit into one part: v and log stay in registers between the two. */
LANES_INLINE bool learn_few(double *r, double *v, double *log, double *w, const double *f, size_t k,
                            const AnbBoaStep *step)
{
    LanesPart low = lanes_part_all(HUGE_VAL), high = lanes_part_all(-HUGE_VAL);
    const Known now = followed(part_of(v, k, -1), part_of(r, k, 0), part_of(f, k, 0), step);
    bounds(&now, &low, &high);
    put_part(v, now.v, k);
    put_part(r, now.r, k);
    put_part(log, now.log, k);
    double least = least_of(low);
    if (!(least > 0 && least < HUGE_VAL))
        return false;
    LanesPart raw = raw_weights(now.v, now.log, now.root, most_of(high));
    double sums[LANES] = {0};
    lanes_part_store(sums, raw);
    put_part(w, raw * lanes_part_all(1 / lanes_sum(lanes_load(sums))), k);
    return true;
}

static bool follow(double *r, double *v, double *log, const double *f, size_t k, const AnbBoaStep *step, double *top)
{
    LanesPart low = lanes_part_all(HUGE_VAL), high = lanes_part_all(-HUGE_VAL);
    for (size_t i = 0; i < k; i += STEP) {
        const Known now = followed(part_of(v + i, k - i, -1), part_of(r + i, k - i, 0), part_of(f + i, k - i, 0), step);
        bounds(&now, &low, &high);
        put_part(v + i, now.v, k - i);
        put_part(r + i, now.r, k - i);
        put_part(log + i, now.log, k - i);
    }
    double least = least_of(low);
    *top = most_of(high);
    return least > 0 && least < HUGE_VAL;
}

static void weigh(const double *log, const double *v, size_t k, double top, double *w)
{
    const LanesPart zero = {0};
    double sums[LANES] = {0};
    for (size_t i = 0; i < k; i += STEP) {
        LanesPart second = part_of(v + i, k - i, -1);
        LanesPart weight =
            raw_weights(second, part_of(log + i, k - i, 0), lanes_part_sqrt(lanes_part_max(second, zero)), top);
        double *sum = sums + i % LANES;
        lanes_part_store(sum, lanes_part_load(sum) + weight);
        put_part(w + i, weight, k - i);
    }
    double part = 1 / lanes_sum(lanes_load(sums));
    for (size_t i = 0; i < k; i++)
        w[i] *= part;
}

static bool learn(double *r, double *v, double *log, double *w, const double *f, size_t k, const AnbBoaStep *step)
{
    double top;
    if (k <= STEP)
        return learn_few(r, v, log, w, f, k, step);
    if (!follow(r, v, log, f, k, step, &top))
        return false;
    weigh(log, v, k, top, w);
    return true;
}

const AnbBoaKernels ANB_PER_ISA(anb_boa_kernels) = {learn};

ANB_ISA_REGISTER(AnbBoaKernels, anb_boa_kernels)
