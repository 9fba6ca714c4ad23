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

enum { STEP = LANES_STEP, FEW = 2 }; /* parts that stay in registers */

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

/* Lane by lane, without a loop: a loop would put the part into memory first. */
LANES_INLINE void put_part(double *to, LanesPart l, size_t left)
{
    if (left >= STEP) {
        lanes_part_store(to, l);
        return;
    }
    to[0] = l[0];
#if LANES_BYTES == 32
    if (left > 1)
        to[1] = l[1];
    if (left > 2)
        to[2] = l[2];
#endif
}

/* The largest and the least of a part, and the sum. */
LANES_INLINE double most_of(LanesPart l)
{
    return lanes_top4((Lanes){.a = l, .b = l});
}

LANES_INLINE double least_of(LanesPart l)
{
    return -most_of(-l);
}

LANES_INLINE double sum_of(LanesPart l)
{
    return lanes_sum_of4((Lanes){.a = l});
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

/* Updates r, v and log of a part of the experts, `left` of them. */
LANES_INLINE Known follow_part(double *r, double *v, double *log, const double *f, size_t left, const AnbBoaStep *step)
{
    const Known now = followed(part_of(v, left, -1), part_of(r, left, 0), part_of(f, left, 0), step);
    put_part(v, now.v, left);
    put_part(r, now.r, left);
    put_part(log, now.log, left);
    return now;
}

/* The same as follow and weigh, of experts that fit into so many parts: v and log stay in registers between the two. */
LANES_INLINE bool learn_few(double *r, double *v, double *log, double *w, const double *f, size_t k,
                            const AnbBoaStep *step, const size_t parts)
{
    LanesPart low = lanes_part_all(HUGE_VAL), high = lanes_part_all(-HUGE_VAL), raw[FEW];
    Known now[FEW];
    for (size_t p = 0, i = 0; p < parts; p++, i += STEP) {
        now[p] = follow_part(r + i, v + i, log + i, f + i, k - i, step);
        bounds(&now[p], &low, &high);
    }
    double least = least_of(low), top = most_of(high), sums[LANES] = {0};
    if (!(least > 0 && least < HUGE_VAL))
        return false;
    for (size_t p = 0; p < parts; p++) {
        raw[p] = raw_weights(now[p].v, now[p].log, now[p].root, top);
        lanes_part_store(sums + p * STEP, raw[p]);
    }
    const LanesPart part = lanes_part_all(1 / lanes_sum(lanes_load(sums)));
    for (size_t p = 0; p < parts; p++)
        put_part(w + p * STEP, raw[p] * part, k - p * STEP);
    return true;
}

static bool follow(double *r, double *v, double *log, const double *f, size_t k, const AnbBoaStep *step, double *top)
{
    LanesPart low = lanes_part_all(HUGE_VAL), high = lanes_part_all(-HUGE_VAL);
    for (size_t i = 0; i < k; i += STEP) {
        const Known now = follow_part(r + i, v + i, log + i, f + i, k - i, step);
        bounds(&now, &low, &high);
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
        return learn_few(r, v, log, w, f, k, step, 1);
    if (k <= FEW * STEP)
        return learn_few(r, v, log, w, f, k, step, FEW);
    if (!follow(r, v, log, f, k, step, &top))
        return false;
    weigh(log, v, k, top, w);
    return true;
}

static AnbBoaLook look(const double *v, const double *f, size_t k, double mix)
{
    const LanesPart zero = {0}, none = lanes_part_all(ASLEEP), all = lanes_part_all(mix);
    LanesPart least = lanes_part_all(HUGE_VAL), largest = zero, sick = zero;
    for (size_t i = 0; i < k; i += STEP) {
        LanesPart own = part_of(v + i, k - i, HUGE_VAL);
        LanesPart gap = lanes_part_above(own, none, all - part_of(f + i, k - i, mix), zero);
        least = lanes_part_min(least, own);
        largest = lanes_part_max(largest, lanes_part_max(gap, zero - gap));
        sick += gap * zero;
    }
    return (AnbBoaLook){least_of(least), most_of(largest) + sum_of(sick)};
}

const AnbBoaKernels ANB_PER_ISA(anb_boa_kernels) = {learn, look};

ANB_ISA_REGISTER(AnbBoaKernels, anb_boa_kernels)
